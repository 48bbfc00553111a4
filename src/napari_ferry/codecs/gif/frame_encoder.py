"""Frames -> the image blocks of a GIF: only what changes, as small as it gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.palette import Fit, Palette
from napari_ferry.codecs.gif.scan import NO_INDEX

_FEW_UNCHANGED = 0.15
_MANY_UNCHANGED = 0.6
_PROBED_ROWS = 16


class Shown(NamedTuple):
    """A frame as it is shown: its palette, and indices into it, axes (y, x), uint8."""

    palette: Palette
    indices: NDArray[np.uint8]


class Body(NamedTuple):
    """The blocks of one frame, without its time.

    Parameters
    ----------
    data : bytes
        Image descriptor, palette, and compressed pixels (GIF89a, sections 20 to 22).
    transparent : int
        Index of what shows the frame before, `NO_INDEX` where there is none.
    is_full : bool
        Whether it needs no frame before it.
    """

    data: bytes
    transparent: int = NO_INDEX
    is_full: bool = False


class Encoded(NamedTuple):
    """A few frames: the first as it is shown, the blocks of the others, the last as it is shown."""

    first: Shown
    bodies: list[Body]
    last: Shown


@dataclass(frozen=True)
class EncodeFrames:
    """Encodes a few frames that follow each other, axes (frames, y, x) or (frames, y, x, 3)."""

    fit: Fit

    def __call__(self, frames: NDArray[Any]) -> Encoded:
        if frames.ndim == 3:
            frames = frames[..., None]
        first = last = Shown(*self.fit(frames[0]))
        bodies = []
        shared = self.fit.shared.find()
        for frame in frames[1:]:
            shown = Shown(*self.fit(frame))
            bodies.append(encode_change(last, shown, shared))
            last = shown
        return Encoded(first, bodies, last)


def encode_full(shown: Shown, shared: Palette) -> Body:
    """Encode a whole frame."""
    return Body(_image(shown.indices, 0, 0, shown.palette, shared), is_full=True)


def encode_change(before: Shown, shown: Shown, shared: Palette) -> Body:
    """Encode what differs from the frame before: the smallest rectangle that holds it."""
    changed = _changed(before, shown)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return Body(_image(np.zeros((1, 1), np.uint8), 0, 0, shared, shared), 0)
    top, left = int(rows[0]), int(columns[0])
    place = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    pixels, changed = shown.indices[place], changed[place]
    transparent = _free_index(pixels, changed, shown.palette)
    if transparent != NO_INDEX:
        veiled = np.where(changed, pixels, np.uint8(transparent))
        if _is_smaller(veiled, pixels, 1 - changed.mean()):
            return Body(_image(veiled, left, top, shown.palette, shared), transparent)
    is_full = pixels.shape == shown.indices.shape
    return Body(_image(pixels, left, top, shown.palette, shared), NO_INDEX, is_full)


def _changed(before: Shown, shown: Shown) -> NDArray[np.bool_]:
    """Return which pixels have another color than before, axes (y, x)."""
    changed: NDArray[np.bool_]
    if before.palette is shown.palette:
        changed = before.indices != shown.indices
    else:
        was, now = (frame.palette.packed[frame.indices] for frame in (before, shown))
        changed = was != now
    return changed


def _free_index(pixels: NDArray[np.uint8], changed: NDArray[np.bool_], palette: Palette) -> int:
    """Return an index that no changed pixel has; `NO_INDEX` where all are in use, or all change."""
    if changed.mean() > 1 - _FEW_UNCHANGED:
        return NO_INDEX
    for candidates in (pixels.ravel(), pixels[changed]):  # most frames leave an index unused
        free = (np.bincount(candidates, minlength=1 << palette.bits) == 0).nonzero()[0]
        if len(free):
            return int(free[0])
    return NO_INDEX


def _is_smaller(veiled: NDArray[np.uint8], pixels: NDArray[np.uint8], unchanged: float) -> bool:
    """Whether transparency makes a frame smaller: by its share, or tried out on some rows."""
    if unchanged > _MANY_UNCHANGED:
        return True
    rows = slice(None, None, max(1, len(pixels) // _PROBED_ROWS))
    return len(compress(veiled[rows])) <= len(compress(pixels[rows]))


def _image(
    pixels: NDArray[np.uint8], left: int, top: int, palette: Palette, shared: Palette
) -> bytes:
    """Return an image block."""
    height, width = pixels.shape
    flags, table = (0, b"") if palette is shared else (0x80 | (palette.bits - 1), palette.table)
    head = struct.pack("<BHHHHB", 0x2C, left, top, width, height, flags)
    return b"".join((head, table, compress(pixels)))


def compress(pixels: NDArray[np.uint8]) -> bytes:
    """Return indices as LZW codes in sub-blocks (GIF89a, section 22 and appendix F)."""
    from PIL import Image

    bits = max(2, int(pixels.max()).bit_length())
    codes = Image.fromarray(np.ascontiguousarray(pixels)).tobytes("gif", "L", bits, 0)
    return b"".join((bytes([bits]), codes, b"\0"))
