"""Encoding of frames as small GIF image blocks with only their changes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.palette import Palette, reserve_transparent
from napari_ferry.codecs.gif.palette_fit import PaletteFit
from napari_ferry.codecs.gif.scan import NO_INDEX
from napari_ferry.codecs.gif.transparency import threshold_alpha

_FEW_UNCHANGED = 0.15
"""Share of unchanged pixels up to which transparency is not considered."""

_MANY_UNCHANGED = 0.6
"""Share of unchanged pixels above which transparency is used without a trial."""

_PROBED_ROWS = 16

Area = tuple[slice, slice]
"""Rows and columns of a rectangle of the canvas."""

WHOLE: Area = (slice(None), slice(None))


class IndexedFrame(NamedTuple):
    """A frame as displayed: its palette, and its palette indices, axes (y, x), uint8."""

    palette: Palette
    indices: NDArray[np.uint8]


class Canvas(NamedTuple):
    """Canvas after the display of a frame, and the area to clear, if any.

    A pixel becomes transparent only in an area that is cleared.
    """

    shown: IndexedFrame
    cleared: Area | None = None


class FrameBlocks(NamedTuple):
    """Blocks of one frame, without its time.

    Parameters
    ----------
    data : bytes
        Image descriptor, palette, and compressed pixels (GIF89a, sections 20 to 22).
    transparent : int
        Index of the pixels that are not painted because they are transparent or do not change;
        `NO_INDEX` if there are none.
    is_full : bool
        True if the frame does not depend on the frame before it.
    cleared : tuple of slice, optional
        Area cleared after the display of the frame: the area of the image block.
    """

    data: bytes
    transparent: int = NO_INDEX
    is_full: bool = False
    cleared: Area | None = None


class EncodedFrames(NamedTuple):
    """Consecutive frames, encoded as far as possible without the frames before and after them.

    Parameters
    ----------
    first : IndexedFrame
        The first frame, which is not encoded.
    clears_first : bool
        True if the canvas has to be cleared after the first frame.
    blocks : list of FrameBlocks
        Blocks of the other frames. The blocks of the last one clear nothing.
    canvas : Canvas
        Canvas on which the last frame is painted.
    last : IndexedFrame
        The last frame, which may be the first.
    """

    first: IndexedFrame
    clears_first: bool
    blocks: list[FrameBlocks]
    canvas: Canvas
    last: IndexedFrame


@dataclass(frozen=True)
class EncodeFrames:
    """Encoder of consecutive frames, axes (frames, y, x) or (frames, y, x, s), uint8."""

    fit: PaletteFit

    def __call__(self, frames: NDArray[Any]) -> EncodedFrames:
        frames = frames[..., None] if frames.ndim == 3 else threshold_alpha(frames)
        indexed = (IndexedFrame(*self.fit(frame)) for frame in frames)
        shared = self.fit.shared.find()

        frame, following = next(indexed), next(indexed, None)
        frame, vanishing = find_vanishing(frame, following)
        first, clears_first = frame, vanishing is not None
        canvas = after = Canvas(first, WHOLE if clears_first else None)

        blocks = []
        while following is not None:
            canvas, frame, following = after, following, next(indexed, None)
            frame, vanishing = find_vanishing(frame, following)
            blocks.append(encode_change(canvas, frame, shared, vanishing))
            after = Canvas(frame, blocks[-1].cleared)
        return EncodedFrames(first, clears_first, blocks, canvas, frame)


def find_vanishing(
    frame: IndexedFrame, following: IndexedFrame | None
) -> tuple[IndexedFrame, NDArray[np.bool_] | None]:
    """Find the opaque pixels of a frame that become transparent in the following one.

    Returns
    -------
    frame : IndexedFrame
        The frame, with a transparent color in its palette if some pixels vanish.
    vanishing : numpy.ndarray, optional
        Mask of these pixels, axes (y, x); ``None`` if there are none.
    """
    if following is None or following.palette.transparent == NO_INDEX:
        return frame, None
    vanishing = opaque_pixels(frame) & ~opaque_pixels(following)
    return (clearable(frame), vanishing) if vanishing.any() else (frame, None)


def clearable(frame: IndexedFrame) -> IndexedFrame:
    """Return a frame with a transparent color in its palette.

    Some programs clear an area to transparency only if the frame declares a transparent index.
    """
    if frame.palette.transparent != NO_INDEX:
        return frame
    counts = np.bincount(frame.indices.ravel(), minlength=len(frame.palette.colors))
    palette, index = reserve_transparent(frame.palette, counts)
    return IndexedFrame(palette, index[frame.indices])


def encode_first(frame: IndexedFrame, shared: Palette, *, is_cleared: bool) -> FrameBlocks:
    """Encode the first frame of a file, as a whole.

    It declares the transparent index of its palette even if it is opaque: otherwise Pillow composes
    all frames without transparency.
    """
    data = _image_block(frame.indices, 0, 0, frame.palette, shared)
    cleared = WHOLE if is_cleared else None
    return FrameBlocks(data, frame.palette.transparent, is_full=True, cleared=cleared)


def encode_change(
    canvas: Canvas,
    frame: IndexedFrame,
    shared: Palette,
    vanishing: NDArray[np.bool_] | None = None,
) -> FrameBlocks:
    """Encode the changes of a frame: the smallest rectangle around them.

    The rectangle includes the pixels that vanish after the frame, and is then cleared.
    """
    changed = _changed_pixels(canvas, frame)
    stored = changed if vanishing is None else changed | vanishing
    rows, columns = np.flatnonzero(stored.any(1)), np.flatnonzero(stored.any(0))
    if not len(rows):
        return FrameBlocks(_image_block(np.zeros((1, 1), np.uint8), 0, 0, shared, shared), 0)
    top, left = int(rows[0]), int(columns[0])
    area = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    pixels, transparent = _masked_pixels(frame.indices[area], changed[area], frame.palette)

    is_whole = pixels.shape == frame.indices.shape
    return FrameBlocks(
        _image_block(pixels, left, top, frame.palette, shared),
        transparent if vanishing is None else frame.palette.transparent,
        is_full=canvas.cleared == WHOLE or (is_whole and transparent == NO_INDEX),
        cleared=None if vanishing is None else WHOLE if is_whole else area,
    )


def _masked_pixels(
    pixels: NDArray[np.uint8], changed: NDArray[np.bool_], palette: Palette
) -> tuple[NDArray[np.uint8], int]:
    """Make the unchanged pixels of a rectangle transparent if it becomes smaller.

    Returns
    -------
    pixels : numpy.ndarray
        Palette indices, axes (y, x).
    transparent : int
        Index of transparent pixels; `NO_INDEX` if there are none.
    """
    transparent = _find_free_index(pixels, changed, palette)
    if transparent != NO_INDEX:
        masked = np.where(changed, pixels, np.uint8(transparent))
        if _is_smaller(masked, pixels, 1 - changed.mean()):
            return masked, transparent
    is_opaque = palette.transparent == NO_INDEX or (pixels != palette.transparent).all()
    return pixels, NO_INDEX if is_opaque else palette.transparent


def _changed_pixels(canvas: Canvas, frame: IndexedFrame) -> NDArray[np.bool_]:
    """Return a mask of the pixels with another color than the canvas, axes (y, x)."""
    before = canvas.shown
    changed: NDArray[np.bool_]
    if before.palette is frame.palette:
        changed = before.indices != frame.indices
    else:
        old, new = (each.palette.packed[each.indices] for each in (before, frame))
        changed = old != new
    if canvas.cleared is not None:
        changed[canvas.cleared] = opaque_pixels(frame)[canvas.cleared]
    return changed


def opaque_pixels(frame: IndexedFrame) -> NDArray[np.bool_]:
    """Return a mask of the opaque pixels of a frame, axes (y, x)."""
    opaque: NDArray[np.bool_] = np.ones(frame.indices.shape, np.bool_)
    if frame.palette.transparent != NO_INDEX:
        opaque = frame.indices != frame.palette.transparent
    return opaque


def _find_free_index(
    pixels: NDArray[np.uint8], changed: NDArray[np.bool_], palette: Palette
) -> int:
    """Return an index unused by the changed pixels; `NO_INDEX` if none is free or useful."""
    if changed.mean() > 1 - _FEW_UNCHANGED:
        return NO_INDEX
    if palette.transparent != NO_INDEX:
        return palette.transparent
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
