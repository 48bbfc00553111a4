"""A layout, what is known of it, and the sentence that names it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.errors import InvalidImageError

ByteOrder = Literal["little", "big"]
Interleaving = Literal["", "pixel", "plane"]

_ORDERS = {"little": "<", "big": ">", "<": "<", ">": ">"}


@dataclass(frozen=True)
class Layout:
    """How the samples of a raw file may lie.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of a sample, with its byte order.
    offset : int
        Bytes of header before the first sample.
    frames, channels, y, x : int
        Size along each axis.
    interleaving : {"", "pixel", "plane"}
        The channels of a pixel lie together, or those of a frame plane after plane; empty for
        one channel.
    confidence : float
        Probability that all of this is right, between 0 and 1.
    reasons : tuple of str
        Why, in words.
    gap : int
        Bytes after each frame that belong to no sample.
    """

    dtype: np.dtype[Any]
    offset: int
    frames: int
    channels: int
    interleaving: Interleaving
    y: int
    x: int
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()
    gap: int = 0

    @property
    def byte_order(self) -> ByteOrder:
        """Byte order of a sample; that of one byte is called little."""
        return "big" if self.dtype.str.startswith(">") else "little"

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes as they lie in the file: frames, y, x, and channels where there are several."""
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
        """Bytes from the first sample to the last, the gaps between frames included."""
        return self.nbytes + (self.frames - 1) * self.gap

    def __str__(self) -> str:
        sizes = " x ".join(map(str, self.shape))
        order = f", {self.byte_order} endian" if self.dtype.itemsize > 1 else ""
        gap = f", {self.gap} bytes after each frame" if self.gap else ""
        return f"{sizes} of {self.dtype.name}{order} after {self.offset} bytes{gap}"


def frame_bytes(layout: Layout) -> int:
    """Return the bytes of one frame, all its channels included."""
    return layout.nbytes // max(1, layout.frames)


def strip_evidence(layout: Layout) -> Layout:
    """Return a layout without what speaks for it."""
    return replace(layout, confidence=0.0, reasons=())


def count_frames(nbytes: int, layout: Layout) -> tuple[int, int]:
    """Return how many whole frames a file of `nbytes` holds after the header, and what remains.

    Nothing remains of a file that ends within its header: it holds no frame.
    """
    room, one = max(0, nbytes - layout.offset), frame_bytes(layout)
    count = (room + layout.gap) // (one + layout.gap)
    rest = room - count * one - max(0, count - 1) * layout.gap
    return count, 0 if count and rest == layout.gap else rest


@dataclass(frozen=True)
class KnownFields:
    """What somebody knows of a layout; None where nothing is."""

    dtype: np.dtype[Any] | None = None
    byte_order: Literal["<", ">"] | None = None
    frames: int | None = None
    y: int | None = None
    x: int | None = None
    channels: int | None = None
    offset: int | None = None

    def allows(self, layout: Layout) -> bool:
        """Whether a layout agrees with everything that is known."""
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
    """Check what somebody says to know.

    Raises
    ------
    InvalidImageError
        No type of numbers, no byte order, or a size below 1.
    """
    for name, size in (("frames", frames), ("y", y), ("x", x), ("channels", channels)):
        _check_count(name, size, 1)
    _check_count("offset", offset, 0)
    if byte_order is not None and byte_order not in _ORDERS:
        raise InvalidImageError(f"byte_order is {byte_order!r}: give 'little' or 'big'.")
    order = None if byte_order is None else _ORDERS[byte_order]
    if dtype is None:
        return KnownFields(None, order, frames, y, x, channels, offset)  # type: ignore[arg-type]
    native, said = _parse_dtype(dtype)
    if order and said and order != said and native.itemsize > 1:
        raise InvalidImageError(
            f"dtype {dtype!r} and byte_order {byte_order!r} contradict each other: give one."
        )
    return KnownFields(native, order or said, frames, y, x, channels, offset)  # type: ignore[arg-type]


def _check_count(name: str, size: object, least: int) -> None:
    if size is None:
        return
    if not is_count(size, least):
        raise InvalidImageError(f"{name} is {size!r}: give a whole number of at least {least}.")


def _parse_dtype(dtype: object) -> tuple[np.dtype[Any], str | None]:
    """Return a type in native order, and the order where it was said on purpose."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)  # type: ignore[call-overload]
    except (TypeError, ValueError, SyntaxError) as error:
        raise InvalidImageError(
            f"dtype is {str(dtype)[:40]!r}: give a type of numbers, such as 'uint16'."
        ) from error
    if found.kind not in "uif" or found.itemsize > 8:
        raise InvalidImageError(
            f"dtype is {found}: give integers or floating point, such as 'uint16'."
        )
    marked = isinstance(dtype, str) and dtype[:1] in ("<", ">")
    said = str(dtype)[0] if marked else (">" if found.str[0] == ">" else None)
    return found.newbyteorder("="), said
