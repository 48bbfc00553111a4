"""Layouts of raw files, and their known fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.errors import InvalidImageError

ByteOrder = Literal["little", "big"]
Interleaving = Literal["", "pixel", "plane"]

_OrderMark = Literal["<", ">"]
_ORDER_MARKS: dict[str, _OrderMark] = {"little": "<", "big": ">", "<": "<", ">": ">"}


POSSIBLE = 0.25
"""Confidence from which on a layout is more than a guess."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Arrangement of the samples of a raw file.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of a sample, with its byte order.
    offset : int
        Bytes of header before the first sample.
    frames, channels, y, x : int
        Size along each axis.
    interleaving : {"", "pixel", "plane"}
        ``"pixel"`` if the channels of a pixel are adjacent, ``"plane"`` if each frame is stored
        channel by channel, empty for one channel.
    confidence : float
        Probability that all fields are right, between 0 and 1.
    reasons : tuple of str
        Evidence for the layout, in words.
    details : tuple of str
        The measured numbers behind the reasons.
    gap : int
        Bytes after each frame that belong to no sample.

    Examples
    --------
    >>> layout = Layout(dtype=np.dtype("uint16"), offset=352, frames=60, y=192, x=192)
    >>> layout.shape, layout.nbytes
    ((60, 192, 192), 4423680)
    """

    dtype: np.dtype[Any]
    offset: int
    frames: int
    channels: int = 1
    interleaving: Interleaving = ""
    y: int
    x: int
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    gap: int = 0

    @property
    def byte_order(self) -> ByteOrder:
        """Byte order of a sample; little for samples of one byte."""
        return "big" if self.dtype.str.startswith(">") else "little"

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes in the order of the file: frames, y and x, with channels if there are several."""
        if self.interleaving == "pixel":
            return (self.frames, self.y, self.x, self.channels)
        if self.interleaving == "plane":
            return (self.frames, self.channels, self.y, self.x)
        return (self.frames, self.y, self.x)

    @property
    def nbytes(self) -> int:
        """Bytes of the samples, without gaps."""
        return self.frames * self.channels * self.y * self.x * self.dtype.itemsize

    @property
    def extent(self) -> int:
        """Bytes from the first sample to the last, including the gaps between frames."""
        return self.nbytes + (self.frames - 1) * self.gap

    def __str__(self) -> str:
        sizes = " x ".join(map(str, self.shape))
        order = f", {self.byte_order} endian" if self.dtype.itemsize > 1 else ""
        gap = f", {self.gap} bytes after each frame" if self.gap else ""
        return f"{sizes} of {self.dtype.name}{order} after {self.offset} bytes{gap}"


def frame_bytes(layout: Layout) -> int:
    """Return the bytes of one frame with all its channels."""
    return layout.nbytes // max(1, layout.frames)


def strip_evidence(layout: Layout) -> Layout:
    """Return a layout without its confidence, reasons and details."""
    return replace(layout, confidence=0.0, reasons=(), details=())


def count_frames(nbytes: int, layout: Layout) -> tuple[int, int]:
    """Count the whole frames of a file of `nbytes`, and the remaining bytes.

    A gap after the last frame does not count as remaining. A file that ends within its header
    holds no frame, and nothing remains.
    """
    room, frame = max(0, nbytes - layout.offset), frame_bytes(layout)
    count = (room + layout.gap) // (frame + layout.gap)
    rest = room - count * frame - max(0, count - 1) * layout.gap
    return count, 0 if count and rest == layout.gap else rest


@dataclass(frozen=True, kw_only=True)
class KnownFields:
    """Fields of a layout known to the user; the others are None."""

    dtype: np.dtype[Any] | None = None
    byte_order: _OrderMark | None = None
    frames: int | None = None
    y: int | None = None
    x: int | None = None
    channels: int | None = None
    offset: int | None = None

    def allows(self, layout: Layout) -> bool:
        """Return True if a layout agrees with all known fields."""
        dtype = layout.dtype
        return (
            (self.dtype is None or dtype.newbyteorder("=") == self.dtype)
            and (self.byte_order in (None, dtype.str[0]) or dtype.itemsize == 1)
            and all(
                getattr(self, name) in (None, getattr(layout, name))
                for name in ("frames", "y", "x", "channels", "offset")
            )
        )


def parse_known_fields(
    dtype: object = None,
    byte_order: str | None = None,
    *,
    frames: int | None = None,
    y: int | None = None,
    x: int | None = None,
    channels: int | None = None,
    offset: int | None = None,
) -> KnownFields:
    """Check the known fields of a layout.

    Raises
    ------
    InvalidImageError
        The dtype is not numeric, the byte order is unknown or contradicts the dtype, a size is
        below 1, or the offset is negative.
    """
    for name, size in (("frames", frames), ("y", y), ("x", x), ("channels", channels)):
        _check_count(name, size, 1)
    _check_count("offset", offset, 0)
    if byte_order is not None and byte_order not in _ORDER_MARKS:
        raise InvalidImageError(f"byte_order is {byte_order!r}: give 'little' or 'big'.")
    order = None if byte_order is None else _ORDER_MARKS[byte_order]

    native = None
    if dtype is not None:
        native, stated_order = _parse_dtype(dtype)
        if order and stated_order and order != stated_order and native.itemsize > 1:
            raise InvalidImageError(
                f"dtype {dtype!r} and byte_order {byte_order!r} contradict each other: give only "
                "one of them."
            )
        order = order or stated_order
    return KnownFields(
        dtype=native, byte_order=order, frames=frames, y=y, x=x, channels=channels, offset=offset
    )


def _check_count(name: str, size: object, least: int) -> None:
    if size is None:
        return
    if not is_count(size, least):
        raise InvalidImageError(f"{name} is {size!r}: give a whole number of at least {least}.")


def _parse_dtype(dtype: object) -> tuple[np.dtype[Any], _OrderMark | None]:
    """Return a dtype in native order, and its byte order if it was stated explicitly."""
    try:
        parsed: np.dtype[Any] = np.dtype(dtype)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError) as error:
        raise InvalidImageError(
            f"dtype is {str(dtype)[:40]!r}: give a type of numbers, such as 'uint16'."
        ) from error
    if parsed.kind not in "uif" or parsed.itemsize > 8:
        raise InvalidImageError(
            f"dtype is {parsed}: give integers or floating point, such as 'uint16'."
        )

    # NumPy drops the mark of the native order, so a string is searched for it.
    if isinstance(dtype, str) and dtype[:1] in _ORDER_MARKS:
        return parsed.newbyteorder("="), _ORDER_MARKS[dtype[0]]
    return parsed.newbyteorder("="), ">" if parsed.str[0] == ">" else None
