"""Writing of frames to PNG files: numbered files of one frame each, or an animation."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader
from napari_ferry.codecs.png.chunks import EXTRA_BYTES, SIGNATURE, make_chunk
from napari_ferry.codecs.png.frame_delays import frame_delays
from napari_ferry.codecs.png.picture_encoder import compress_frame, header_of, most_bytes
from napari_ferry.codecs.png.picture_header import Header
from napari_ferry.codecs.png.resolution import pack_resolution, resolution_of
from napari_ferry.codecs.png.text_record import FrameMark, record_data
from napari_ferry.image import describe
from napari_ferry.movie.movie import Movie
from napari_ferry.saving.write import file_digest

_CONTROL_BYTES = 26 + 4 + 3 * EXTRA_BYTES
"""Size of the chunks of a frame of an animation without its pixels."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A movie to write.

    Parameters
    ----------
    movie : Movie
        Its frames.
    nonce : str
        Random identifier of the save.
    is_timed : bool
        True if the user gave the frame rate.
    loop : int, optional
        Number of repetitions of an animation, 0 for endless; ``None`` to play it once.
    """

    movie: Movie
    nonce: str = ""
    is_timed: bool = False
    loop: int | None = 0

    @property
    def header(self) -> Header:
        """Header of each file."""
        samples = (self.movie.samples,) if self.movie.is_rgb else ()
        return header_of((*self.movie.size, *samples), self.movie.intensity.out_dtype)

    def start(self, text: bytes) -> bytes:
        """Return the bytes of a file before its pixels, given the text with our record."""
        parts = [SIGNATURE, make_chunk(b"IHDR", self.header.pack())]
        resolution = resolution_of(self.movie.image.axes)
        if resolution is not None:
            parts.append(make_chunk(b"pHYs", pack_resolution(resolution)))
        return b"".join((*parts, make_chunk(b"tEXt", text)))

    def record(self) -> dict[str, Any]:
        """Return the record of the movie; samples may be read to find its contrast limits."""
        return self.movie.record(is_timed=self.is_timed)

    @cached_property
    def record_bytes(self) -> int:
        """Maximum size of the record in bytes, with space for contrast limits not known yet."""
        return 2 * len(json.dumps(describe(self.movie.image))) + 4096

    @property
    def frame_bytes(self) -> int:
        """Maximum size of a frame in bytes."""
        return most_bytes(self.header) + _CONTROL_BYTES


@dataclass(frozen=True)
class FrameFile:
    """Writer of one frame to a separate file.

    Parameters
    ----------
    job : Job
        The movie.
    index : int
        Index of the frame.
    encode : callable
        Reads and compresses the frame; returns a list with one item.
    """

    job: Job
    index: int
    encode: Callable[[BlockReader], list[bytes]]

    def __call__(self, path: Path, pixels: BlockReader) -> str | None:
        """Write the file, and return its digest."""
        (compressed,) = self.encode(pixels)
        count = self.job.movie.nframes
        mark = FrameMark(self.job.nonce, self.index, count) if count > 1 else None
        text = record_data({} if self.index else self.job.record(), mark=mark)
        with path.open("wb") as file:
            file.write(self.job.start(text))
            file.write(make_chunk(b"IDAT", compressed))
            file.write(make_chunk(b"IEND", b""))
        return file_digest(path)


def compress_frames(frames: NDArray[Any]) -> list[bytes]:
    """Return the compressed pixels of frames, axes (frames, y, x) or (frames, y, x, s)."""
    return [compress_frame(frame) for frame in frames]


def assemble(partials: Sequence[Path], results: Iterator[list[bytes]], *, job: Job) -> int:
    """Write an animated PNG file frame by frame; return the number of files.

    Each frame is stored in full, so that it can be read directly.
    """
    rate, count = job.movie.frame_rate, job.movie.nframes
    frames = zip(itertools.chain.from_iterable(results), frame_delays(rate, count), strict=False)
    numbers = itertools.count()

    with partials[0].open("wb") as file:
        first = next(frames)
        file.write(job.start(record_data(job.record(), frame_rate=rate)))
        plays = 1 if job.loop is None else job.loop and job.loop + 1
        file.write(make_chunk(b"acTL", struct.pack(">II", count, plays)))
        file.write(_control(job.header, next(numbers), first[1]))
        file.write(make_chunk(b"IDAT", first[0]))
        for compressed, delay in frames:
            file.write(_control(job.header, next(numbers), delay))
            file.write(make_chunk(b"fdAT", struct.pack(">I", next(numbers)) + compressed))
        file.write(make_chunk(b"IEND", b""))
    return 1


def _control(header: Header, number: int, delay: Fraction) -> bytes:
    """Return the control chunk of a frame in the size of the canvas, replacing its content."""
    size = number, header.width, header.height, 0, 0
    time = delay.numerator, delay.denominator
    return make_chunk(b"fcTL", struct.pack(">IIIIIHHBB", *size, *time, 0, 0))


def create_empty(path: Path) -> None:
    """Create an empty file, to be filled by a write."""
    path.touch()
