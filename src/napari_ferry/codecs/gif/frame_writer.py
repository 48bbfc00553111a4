"""Writing of encoded frames as a GIF file, block by block."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.comment_record import record_text
from napari_ferry.codecs.gif.data_blocks import split_blocks
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.frame_encoder import (
    WHOLE,
    Canvas,
    EncodedFrames,
    FrameBlocks,
    IndexedFrame,
    clearable,
    encode_change,
    encode_first,
    find_vanishing,
    opaque_pixels,
)
from napari_ferry.codecs.gif.palette import Palette
from napari_ferry.codecs.gif.palette_fit import SharedPalette
from napari_ferry.codecs.gif.scan import CLEARS, NO_INDEX
from napari_ferry.movie.movie import Movie

_CHANGES_PER_FULL_FRAME = 20
"""A full frame is stored when the changes since the last one are as large as this many of them.

So decoding any frame needs at most this much data, and the file grows by a twentieth at most.
"""

_KEEPS = 1
"""Disposal method of a frame that remains on the canvas."""


@dataclass(frozen=True)
class Job:
    """A GIF file to write.

    Parameters
    ----------
    movie : Movie
        Its frames.
    shared : SharedPalette
        Palette of the movie.
    loop : int, optional
        Number of repetitions, 0 for endless; ``None`` to play the movie once.
    is_timed : bool
        True if the user gave the frame rate.
    """

    movie: Movie
    shared: SharedPalette
    loop: int | None
    is_timed: bool


def assemble(partials: Sequence[Path], results: Iterator[EncodedFrames], *, job: Job) -> int:
    """Write a GIF file frame by frame; return the number of files."""
    delays = frame_delays(job.movie.frame_rate, job.movie.nframes)
    with partials[0].open("wb") as file:
        for frame, delay in zip(_all_blocks(file, results, job), delays, strict=True):
            file.write(_control_block(frame, delay))
            file.write(frame.data)
        file.write(b";")
    return 1


def _all_blocks(
    file: BinaryIO, results: Iterator[EncodedFrames], job: Job
) -> Iterator[FrameBlocks]:
    """Yield the blocks of all frames, after writing the header."""
    encoded: EncodedFrames | None = next(results)
    shared = job.shared.find()
    file.write(header(job, shared))

    linker = _TaskLinker(shared)
    while encoded is not None:
        following = next(results, None)
        yield from linker.link(encoded, None if following is None else following.first)
        encoded = following


class _TaskLinker:
    """Encoder of the first and last frames of tasks, linked to the tasks before and after."""

    def __init__(self, shared: Palette) -> None:
        self.shared = shared
        self.canvas: Canvas | None = None
        self.changed_bytes = 0
        self.full_bytes = 0

    def link(self, encoded: EncodedFrames, following: IndexedFrame | None) -> Iterator[FrameBlocks]:
        """Yield the blocks of a task, given the first frame of the next one."""
        if encoded.blocks:
            vanishing = _every_pixel(encoded.first) if encoded.clears_first else None
            yield self._count(self._encode(encoded.first, vanishing))
            yield from map(self._count, encoded.blocks[:-1])

        # a full frame with transparent pixels requires a clear canvas
        is_due = self._is_due()
        frame, vanishing = find_vanishing(encoded.last, following)
        if is_due and following is not None and not opaque_pixels(following).all():
            frame, vanishing = clearable(frame), _every_pixel(frame)

        if not encoded.blocks:
            last = self._encode(frame, vanishing)
        elif vanishing is None:
            last = encoded.blocks[-1]
        else:
            last = encode_change(encoded.canvas, frame, self.shared, vanishing)
        yield self._count(last)

        # a frame that is due is stored in full, as for a clear canvas
        self.canvas = Canvas(frame, WHOLE if is_due else last.cleared)

    def _encode(self, frame: IndexedFrame, vanishing: NDArray[np.bool_] | None) -> FrameBlocks:
        """Encode the first frame of a task."""
        if self.canvas is None:
            return encode_first(frame, self.shared, is_cleared=vanishing is not None)
        return encode_change(self.canvas, frame, self.shared, vanishing)

    def _is_due(self) -> bool:
        """Return True if the next frame is to be stored in full."""
        is_due = self.changed_bytes > _CHANGES_PER_FULL_FRAME * self.full_bytes
        if is_due:
            self.changed_bytes = 0
        return is_due

    def _count(self, frame: FrameBlocks) -> FrameBlocks:
        """Count the bytes of full frames and of changes."""
        if frame.is_full:
            self.changed_bytes, self.full_bytes = 0, len(frame.data)
        else:
            self.changed_bytes += len(frame.data)
        return frame


def _every_pixel(frame: IndexedFrame) -> NDArray[np.bool_]:
    return np.ones(frame.indices.shape, np.bool_)


def header(job: Job, shared: Palette) -> bytes:
    """Return the blocks before the frames: canvas, palette, loop, and our record.

    The background has index 0, as transparent pixels have: FFmpeg only then clears to transparency.
    """
    height, width = job.movie.size
    flags = 0x80 | 0x70 | (shared.bits - 1)
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, flags, 0, 0), shared.table]
    if job.loop is not None:
        parts.append(b"!\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, job.loop, 0))
    parts.append(b"!\xfe" + split_blocks(record_text(job.movie, is_timed=job.is_timed)))
    return b"".join(parts)


def _control_block(frame: FrameBlocks, delay: int) -> bytes:
    """Return a graphic control extension (GIF89a, section 23)."""
    is_transparent = frame.transparent != NO_INDEX
    index = frame.transparent if is_transparent else 0
    disposal = _KEEPS if frame.cleared is None else CLEARS
    return struct.pack("<BBBBHBB", 0x21, 0xF9, 4, disposal << 2 | is_transparent, delay, index, 0)
