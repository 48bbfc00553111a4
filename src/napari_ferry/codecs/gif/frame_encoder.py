"""Encoding of frames as small GIF image blocks with only their changes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.palette import Palette, PaletteFit
from napari_ferry.codecs.gif.scan import NO_INDEX

_FEW_UNCHANGED = 0.15
"""Share of unchanged pixels up to which transparency is not considered."""

_MANY_UNCHANGED = 0.6
"""Share of unchanged pixels above which transparency is used without a trial."""

_PROBED_ROWS = 16


class IndexedFrame(NamedTuple):
    """A frame as displayed: its palette, and its palette indices, axes (y, x), uint8."""

    palette: Palette
    indices: NDArray[np.uint8]


class FrameBlocks(NamedTuple):
    """Blocks of one frame, without its time.

    Parameters
    ----------
    data : bytes
        Image descriptor, palette, and compressed pixels (GIF89a, sections 20 to 22).
    transparent : int
        Index of the pixels without a change, `NO_INDEX` for a frame without transparency.
    is_full : bool
        True if the frame does not depend on the frame before it.
    """

    data: bytes
    transparent: int = NO_INDEX
    is_full: bool = False


class EncodedFrames(NamedTuple):
    """Consecutive frames: first and last as displayed, and the blocks of all but the first."""

    first: IndexedFrame
    blocks: list[FrameBlocks]
    last: IndexedFrame


@dataclass(frozen=True)
class EncodeFrames:
    """Encoder of consecutive frames, axes (frames, y, x) or (frames, y, x, 3), uint8."""

    fit: PaletteFit

    def __call__(self, frames: NDArray[Any]) -> EncodedFrames:
        if frames.ndim == 3:
            frames = frames[..., None]
        first = last = IndexedFrame(*self.fit(frames[0]))
        blocks = []
        shared = self.fit.shared.find()
        for frame in frames[1:]:
            indexed = IndexedFrame(*self.fit(frame))
            blocks.append(encode_change(last, indexed, shared))
            last = indexed
        return EncodedFrames(first, blocks, last)


def encode_full(frame: IndexedFrame, shared: Palette) -> FrameBlocks:
    """Encode a whole frame."""
    return FrameBlocks(_image_block(frame.indices, 0, 0, frame.palette, shared), is_full=True)


def encode_change(before: IndexedFrame, frame: IndexedFrame, shared: Palette) -> FrameBlocks:
    """Encode the changes of a frame: the smallest rectangle around them."""
    changed = _changed_pixels(before, frame)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        return FrameBlocks(_image_block(np.zeros((1, 1), np.uint8), 0, 0, shared, shared), 0)
    top, left = int(rows[0]), int(columns[0])
    area = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    pixels, changed = frame.indices[area], changed[area]

    # make the unchanged pixels of the rectangle transparent if that is smaller
    transparent = _find_free_index(pixels, changed, frame.palette)
    if transparent != NO_INDEX:
        masked = np.where(changed, pixels, np.uint8(transparent))
        if _is_smaller(masked, pixels, 1 - changed.mean()):
            data = _image_block(masked, left, top, frame.palette, shared)
            return FrameBlocks(data, transparent)

    is_full = pixels.shape == frame.indices.shape
    return FrameBlocks(_image_block(pixels, left, top, frame.palette, shared), NO_INDEX, is_full)


def _changed_pixels(before: IndexedFrame, frame: IndexedFrame) -> NDArray[np.bool_]:
    """Return a mask of the pixels with another color than before, axes (y, x)."""
    changed: NDArray[np.bool_]
    if before.palette is frame.palette:
        changed = before.indices != frame.indices
    else:
        old, new = (each.palette.packed[each.indices] for each in (before, frame))
        changed = old != new
    return changed


def _find_free_index(
    pixels: NDArray[np.uint8], changed: NDArray[np.bool_], palette: Palette
) -> int:
    """Return an index unused by the changed pixels; `NO_INDEX` if none is free or useful."""
    if changed.mean() > 1 - _FEW_UNCHANGED:
        return NO_INDEX
    for candidates in (pixels.ravel(), pixels[changed]):  # most frames leave an index unused
        free = (np.bincount(candidates, minlength=1 << palette.bits) == 0).nonzero()[0]
        if len(free):
            return int(free[0])
    return NO_INDEX


def _is_smaller(masked: NDArray[np.uint8], pixels: NDArray[np.uint8], unchanged: float) -> bool:
    """Return True if transparency makes a frame smaller, judged by its share or a few rows."""
    if unchanged > _MANY_UNCHANGED:
        return True
    rows = slice(None, None, max(1, len(pixels) // _PROBED_ROWS))
    return len(compress(masked[rows])) <= len(compress(pixels[rows]))


def _image_block(
    pixels: NDArray[np.uint8], left: int, top: int, palette: Palette, shared: Palette
) -> bytes:
    """Return an image descriptor, the palette unless it is shared, and compressed pixels."""
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
