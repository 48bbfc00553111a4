"""Writing of encoded frames as a GIF file, block by block."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from napari_ferry.codecs.gif.comment_record import record_text
from napari_ferry.codecs.gif.data_blocks import split_blocks
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.frame_encoder import (
    EncodedFrames,
    FrameBlocks,
    IndexedFrame,
    encode_change,
    encode_full,
)
from napari_ferry.codecs.gif.palette import Palette, SharedPalette
from napari_ferry.codecs.gif.scan import NO_INDEX
from napari_ferry.movie.movie import Movie

_CHANGES_PER_FULL_FRAME = 20
"""A full frame is stored when the changes since the last one are as large as this many of them.

So decoding any frame needs at most this much data, and the file grows by a twentieth at most.
"""


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
    shared = job.shared.find()
    last: IndexedFrame | None = None
    changed_bytes, full_bytes = 0, 0
    for encoded in results:
        if last is None:
            file.write(header(job, shared))

        is_due = changed_bytes > _CHANGES_PER_FULL_FRAME * full_bytes
        first = _encode_first(last, encoded.first, shared, is_due=is_due)
        for frame in (first, *encoded.blocks):
            if frame.is_full:
                changed_bytes, full_bytes = 0, len(frame.data)
            else:
                changed_bytes += len(frame.data)
            yield frame
        last = encoded.last


def _encode_first(
    last: IndexedFrame | None, first: IndexedFrame, shared: Palette, *, is_due: bool
) -> FrameBlocks:
    """Encode the first of some consecutive frames, in full if due."""
    if last is None or is_due:
        return encode_full(first, shared)
    return encode_change(last, first, shared)


def header(job: Job, shared: Palette) -> bytes:
    """Return the blocks before the frames: canvas, palette, loop, and our record."""
    height, width = job.movie.size
    flags = 0x80 | 0x70 | (shared.bits - 1)
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, flags, 0, 0), shared.table]
    if job.loop is not None:
        parts.append(b"!\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, job.loop, 0))
    parts.append(b"!\xfe" + split_blocks(record_text(job.movie, is_timed=job.is_timed)))
    return b"".join(parts)


def _control_block(frame: FrameBlocks, delay: int) -> bytes:
    """Return a graphic control extension (GIF89a, section 23); frames are not disposed of."""
    is_transparent = frame.transparent != NO_INDEX
    index = frame.transparent if is_transparent else 0
    return struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 1 << 2 | is_transparent, delay, index, 0)
