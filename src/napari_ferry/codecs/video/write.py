"""A movie -> a video file: H.264 that plays everywhere, or FFV1 that keeps every bit.

H.264 is written as 4:2:0 in the full range of BT.709 (ITU-T H.273: matrix, primaries and transfer
1, range flag 1), and tagged so, in the stream and in the ``colr`` box of the file: so all 256 gray
levels come back. Sizes are made even by repeating the last line, as 4:2:0 needs it. Key frames
stand close together, so that any frame is found quickly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.encoder import Encoder
from napari_ferry.codecs.video.read import RATE
from napari_ferry.movie.movie import Movie
from napari_ferry.saving import PlannedFile, Stream

Codec = Literal["h264", "ffv1"]
Quality = Literal["small", "good", "high", "best"]

QUALITIES: dict[Quality, int] = {"small": 28, "good": 23, "high": 18, "best": 12}
"""Constant rate factor of x264 for each step."""

LARGEST_SIDE = 16384
"""Most pixels of a side that H.264 has a level for."""

_KEY_FRAMES = 24
_NEUTRAL = 128
_BLOCK = 16
_HEADER_BYTES = 1 << 16
_FRAME_BYTES = 1024
"""Room in the file for a header, and beside the pixels of a frame."""

_TAGS = "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
# without accurate rounding, swscale makes chroma of 127 of some grays
_SCALE = "scale=in_range=pc:out_range=pc:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"


def plan_video(job: Job) -> tuple[PlannedFile, Stream]:
    """Plan one file, and the stream that makes it."""
    movie = job.movie
    encode = None if job.codec == "ffv1" else even if movie.is_rgb else with_chroma
    stream = Stream((job.path,), tuple(movie.tasks(encode)), partial(assemble, job=job))
    return PlannedFile(job.path, _most_bytes(movie)), stream


def _most_bytes(movie: Movie) -> int:
    """Return the most bytes that the file can have: encoders fall back to raw samples."""
    height, width = (-(-side // _BLOCK) * _BLOCK for side in movie.size)
    samples = height * width * (4 if movie.is_rgb else 2) * movie.intensity.out_dtype.itemsize
    text = len(json.dumps(dict(movie.image.metadata), default=str))
    return movie.nframes * (samples + _FRAME_BYTES) + 8 * text + _HEADER_BYTES


@dataclass(frozen=True)
class Job:
    """What frames become.

    `path` is where the file will stand, as its suffix says what it is; `is_timed` whether the frame
    rate was asked for.
    """

    movie: Movie
    path: Path
    codec: Codec
    quality: Quality
    is_timed: bool


def even(frames: NDArray[Any]) -> NDArray[Any]:
    """Return frames of even size: the last line and column are repeated where that is odd."""
    height, width = frames.shape[1:3]
    more = ((0, 0), (0, height % 2), (0, width % 2), *((0, 0),) * (frames.ndim - 3))
    return np.pad(frames, more, mode="edge") if height % 2 or width % 2 else frames


def with_chroma(frames: NDArray[Any]) -> NDArray[Any]:
    """Return gray frames, of even size, as planes of yuv420p: luma, and chroma without color.

    ffmpeg would do it, too, but takes a tenth of the time of encoding.
    """
    luma = even(frames)
    count, height, width = luma.shape
    planes = np.full((count, height + height // 2, width), _NEUTRAL, np.uint8)
    planes[:, :height] = luma
    return planes


def assemble(partials: Sequence[Path], results: Iterator[NDArray[Any]], *, job: Job) -> int:
    """Encode frames, which come in pieces, in order.

    The metadata, which are too long for a command line, stand beside the file while it grows: what
    clears away the one takes the other, even after this process was killed.

    Raises
    ------
    SaveError
        ffmpeg could not write the file.
    """
    target = partials[0]
    target.unlink(missing_ok=True)  # the encoder of a save that was killed may still write there
    about = target.with_name(f"{target.name}.txt")
    about.write_text(metadata_text(job), "utf-8", errors="replace")
    with Encoder(arguments(job, about, target), job.path) as encoder:
        encoder.write(results)
    about.unlink()
    return 1


def metadata_text(job: Job) -> str:
    """Return the title and our record, as ffmpeg reads metadata from a file.

    https://ffmpeg.org/ffmpeg-formats.html#Metadata-2
    """
    movie = job.movie
    record = movie.record(is_timed=job.is_timed, is_exact=job.codec == "ffv1")
    record[RATE] = str(movie.frame_rate)
    fields = {"comment": json.dumps(record), "title": movie.image.name}
    lines = [f"{key}={_escaped(text)}" for key, text in fields.items() if text]
    return "\n".join([";FFMETADATA1", *lines, ""])


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)


def arguments(job: Job, about: Path, target: Path) -> list[str]:
    """Return what ffmpeg is asked for.

    Parameters
    ----------
    job : Job
        What is wanted.
    about : Path
        The file with metadata.
    target : Path
        The file to be written.
    """
    movie = job.movie
    height, width = movie.size
    if job.codec == "h264":
        height, width = height + height % 2, width + width % 2
    rate = movie.frame_rate
    fed = [
        *("-v", "error", "-nostdin", "-y", "-f", "rawvideo"),
        *("-pixel_format", _fed_format(job), "-video_size", f"{width}x{height}"),
        *("-framerate", f"{rate.numerator}/{rate.denominator}", "-i", "pipe:0"),
        *("-f", "ffmetadata", "-i", str(about), "-map", "0:v", "-map_metadata", "1"),
    ]
    encoded = _h264(job) if job.codec == "h264" else _ffv1(movie)
    # said again, as ffmpeg takes rates near 120 and 240 for these
    paced = ["-r", f"{rate.numerator}/{rate.denominator}"]
    return [*fed, *encoded, *paced, "-f", _muxer(job.path), str(target)]


def _fed_format(job: Job) -> str:
    """Return ffmpeg's name of frames as they go through the pipe."""
    is_planes = job.codec == "h264" and not job.movie.is_rgb
    return "yuv420p" if is_planes else _pixel_format(job.movie)


def _pixel_format(movie: Movie) -> str:
    """Return ffmpeg's name of frames as they are prepared."""
    deep = movie.intensity.out_dtype.itemsize > 1
    order = "" if not deep else "le" if sys.byteorder == "little" else "be"
    return (
        ("rgb48" if deep else "rgb24") if movie.is_rgb else ("gray16" if deep else "gray")
    ) + order


def _h264(job: Job) -> list[str]:
    """Return the settings of x264, and a file whose index stands in front."""
    filters = f"{_SCALE},format=yuv420p,{_TAGS}" if job.movie.is_rgb else _TAGS
    return [
        *("-vf", filters, "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", str(QUALITIES[job.quality])),
        *("-g", str(_KEY_FRAMES), "-movflags", "+faststart"),
    ]


def _ffv1(movie: Movie) -> list[str]:
    """Return the settings of FFV1 (RFC 9043): version 3, every frame by itself, with checksums."""
    kept = {"rgb24": "bgr0", "rgb48le": "gbrp16le", "rgb48be": "gbrp16le", "gray16be": "gray16le"}
    fed = _pixel_format(movie)
    return [
        *("-vf", f"format={kept.get(fed, fed)},setparams=range=pc"),
        *("-c:v", "ffv1", "-g", "1"),
        # version 3 guards slices, and cannot cut frames one pixel wide into them
        *(("-level", "3", "-slicecrc", "1") if movie.size[1] > 1 else ("-level", "1")),
    ]


def _muxer(path: Path) -> str:
    return {".mov": "mov", ".mkv": "matroska"}.get(path.suffix.lower(), "mp4")
