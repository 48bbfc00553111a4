"""Encoded frames -> a GIF file, block by block."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from napari_ferry.codecs.gif.comment_record import record_text
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.frame_encoder import Body, Encoded, Shown, encode_change, encode_full
from napari_ferry.codecs.gif.palette import Palette, SharedPalette
from napari_ferry.codecs.gif.scan import NO_INDEX, split_blocks
from napari_ferry.movie.movie import Movie

_BYTES_BETWEEN = 20
"""A whole frame is stored when what changed since the last one takes as much as so many of them.

So any frame is found by decoding that much at most, and the file grows by a twentieth at most.
"""


@dataclass(frozen=True)
class Job:
    """What encoded frames become.

    Parameters
    ----------
    movie : Movie
        Whose they are.
    shared : SharedPalette
        Its palette.
    loop : int, optional
        How often it starts again, 0 for ever; ``None`` to play it once.
    is_timed : bool
        Whether the frame rate was asked for.
    """

    movie: Movie
    shared: SharedPalette
    loop: int | None
    is_timed: bool


def assemble(partials: Sequence[Path], results: Iterator[Encoded], *, job: Job) -> int:
    """Write a GIF file, frame by frame; returns how many files that are."""
    delays = frame_delays(job.movie.frame_rate, job.movie.nframes)
    with partials[0].open("wb") as file:
        for body, delay in zip(_bodies(file, results, job), delays, strict=True):
            file.write(_control(body, delay))
            file.write(body.data)
        file.write(b";")
    return 1


def _bodies(file: BinaryIO, results: Iterator[Encoded], job: Job) -> Iterator[Body]:
    """Yield the blocks of all frames, the header written before the first of them."""
    shared = job.shared.find()
    last: Shown | None = None
    since, full = 0, 0
    for encoded in results:
        if last is None:
            file.write(header(job, shared))
        bodies = [_first(last, encoded.first, shared, is_due=since > _BYTES_BETWEEN * full)]
        for body in bodies + encoded.bodies:
            since, full = (0, len(body.data)) if body.is_full else (since + len(body.data), full)
            yield body
        last = encoded.last


def _first(last: Shown | None, first: Shown, shared: Palette, *, is_due: bool) -> Body:
    """Encode the first frame of a piece, whole if that is due."""
    if last is None or is_due:
        return encode_full(first, shared)
    return encode_change(last, first, shared)


def header(job: Job, shared: Palette) -> bytes:
    """Return what stands before the frames: canvas, palette, loop, and our record."""
    height, width = job.movie.size
    flags = 0x80 | 0x70 | (shared.bits - 1)
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, flags, 0, 0), shared.table]
    if job.loop is not None:
        parts.append(b"!\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, job.loop, 0))
    parts.append(b"!\xfe" + split_blocks(record_text(job.movie, is_timed=job.is_timed)))
    return b"".join(parts)


def _control(body: Body, delay: int) -> bytes:
    """Return a graphic control extension (GIF89a, section 23); frames stay until replaced."""
    is_veiled = body.transparent != NO_INDEX
    index = body.transparent if is_veiled else 0
    return struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 1 << 2 | is_veiled, delay, index, 0)
