"""Writing of a movie as a video file: portable H.264 or lossless FFV1.

H.264 is written as 4:2:0 in the full range of BT.709 (ITU-T H.273: matrix, primaries and transfer
1, range flag 1), with these tags in the stream and in the ``colr`` box of the file, so that all
256 gray levels are preserved. Sizes are made even by repeating the last line, as 4:2:0 requires.
Key frames are frequent, so that any frame is found quickly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.encoder import Encoder
from napari_ferry.codecs.video.options import Quality, VideoCodec
from napari_ferry.codecs.video.read import RATE
from napari_ferry.movie.movie import Movie
from napari_ferry.saving import PlannedFile, Stream

QUALITIES: dict[Quality, int] = {"small": 28, "good": 23, "high": 18, "best": 12}
"""Constant rate factor of x264 for each quality."""

LARGEST_SIDE = 16384
"""Largest side covered by a level of H.264, in pixels."""

_KEY_FRAMES = 24
"""Largest distance of key frames, in frames."""

_NEUTRAL_CHROMA = 128
_BLOCK = 16
_HEADER_BYTES = 1 << 16
_FRAME_BYTES = 1024
"""Estimated size of a file header, and of the data of a frame in addition to its pixels."""

_TAGS = "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
# without accurate rounding, swscale converts some grays to a chroma of 127
_SCALE = "scale=in_range=pc:out_range=pc:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A video file to write.

    Parameters
    ----------
    movie : Movie
        Its frames.
    path : Path
        The final path of the file; its suffix determines the container.
    codec : {"h264", "ffv1"}
        Encoding of the frames.
    quality : {"small", "good", "high", "best"}
        Quality of H.264.
    is_timed : bool
        True if the user gave the frame rate.
    """

    movie: Movie
    path: Path
    codec: VideoCodec
    quality: Quality
    is_timed: bool


def plan_video(job: Job) -> tuple[PlannedFile, Stream]:
    """Plan one file and the stream of its frames."""
    movie = job.movie
    encode = None
    if job.codec == "h264":
        encode = even if movie.is_rgb else with_chroma
    stream = Stream(
        paths=(job.path,), tasks=tuple(movie.tasks(encode)), assemble=partial(assemble, job=job)
    )
    return PlannedFile(path=job.path, nbytes=_estimate_bytes(movie)), stream


def _estimate_bytes(movie: Movie) -> int:
    """Return an upper limit of the file size in bytes: encoders fall back to raw samples."""
    height, width = (-(-side // _BLOCK) * _BLOCK for side in movie.size)
    samples = height * width * (4 if movie.is_rgb else 2) * movie.intensity.out_dtype.itemsize
    text = len(json.dumps(dict(movie.image.metadata), default=str))
    return movie.nframes * (samples + _FRAME_BYTES) + 8 * text + _HEADER_BYTES


def even(frames: NDArray[Any]) -> NDArray[Any]:
    """Return frames of even size; the last line or column is repeated if their number is odd.

    Axes (frames, y, x) or (frames, y, x, s).
    """
    height, width = frames.shape[1:3]
    if height % 2 == width % 2 == 0:
        return frames
    padding = [(0, 0), (0, height % 2), (0, width % 2), (0, 0)][: frames.ndim]
    return np.pad(frames, padding, mode="edge")


def with_chroma(frames: NDArray[Any]) -> NDArray[Any]:
    """Return gray frames as yuv420p of even size: a luma plane and neutral chroma planes.

    ffmpeg could convert them, too, but needs a tenth of the encoding time for this.

    Parameters
    ----------
    frames : numpy.ndarray
        Axes (frames, y, x), uint8.
    """
    luma = even(frames)
    count, height, width = luma.shape
    planes = np.full((count, height + height // 2, width), _NEUTRAL_CHROMA, np.uint8)
    planes[:, :height] = luma
    return planes


def assemble(partials: Sequence[Path], results: Iterator[NDArray[Any]], *, job: Job) -> int:
    """Encode blocks of consecutive frames into one file; return the number of files.

    The metadata are too long for a command line, so they are stored in a file next to the video.
    The cleanup of the video also removes that file, even after this process was killed.

    Raises
    ------
    SaveError
        ffmpeg could not write the file.
    """
    target = partials[0]
    target.unlink(missing_ok=True)  # the encoder of a killed save may still write there
    metadata_path = target.with_name(f"{target.name}.txt")
    metadata_path.write_text(metadata_text(job), "utf-8", "replace", newline="\n")
    with Encoder(ffmpeg_arguments(job, metadata_path, target), job.path) as encoder:
        encoder.write(results)
    metadata_path.unlink()
    return 1


def metadata_text(job: Job) -> str:
    """Return the title and our record in the metadata format of ffmpeg.

    https://ffmpeg.org/ffmpeg-formats.html#Metadata-2
    """
    movie = job.movie
    record = movie.record(is_timed=job.is_timed, is_exact=job.codec == "ffv1")
    record[RATE] = str(movie.frame_rate)
    fields = {"comment": json.dumps(record), "title": movie.image.name}
    lines = [f"{key}={_escape(text)}" for key, text in fields.items() if text]
    return "\n".join([";FFMETADATA1", *lines, ""])


def _escape(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)


def ffmpeg_arguments(job: Job, metadata_path: Path, target: Path) -> list[str]:
    """Return the arguments of ffmpeg.

    Parameters
    ----------
    job : Job
        The video to write.
    metadata_path : Path
        The file with the metadata.
    target : Path
        The file that ffmpeg writes.
    """
    movie = job.movie
    height, width = movie.size
    if job.codec == "h264":
        height, width = height + height % 2, width + width % 2
    rate = f"{movie.frame_rate.numerator}/{movie.frame_rate.denominator}"

    inputs = [
        *("-v", "error", "-nostdin", "-y", "-f", "rawvideo"),
        *("-pixel_format", _pipe_format(job), "-video_size", f"{width}x{height}"),
        *("-framerate", rate, "-i", "pipe:0"),
        *("-f", "ffmetadata", "-i", str(metadata_path), "-map", "0:v", "-map_metadata", "1"),
    ]
    encoding = _h264_options(job) if job.codec == "h264" else _ffv1_options(movie)
    # the rate is repeated because ffmpeg rounds rates near 120 and 240 to these
    return [*inputs, *encoding, "-r", rate, "-f", _container_format(job.path), str(target)]


def _pipe_format(job: Job) -> str:
    """Return ffmpeg's name of the pixel format of frames in the pipe."""
    has_planes = job.codec == "h264" and not job.movie.is_rgb
    return "yuv420p" if has_planes else _pixel_format(job.movie)


def _pixel_format(movie: Movie) -> str:
    """Return ffmpeg's name of the pixel format of prepared frames."""
    if movie.intensity.out_dtype.itemsize == 1:
        return "rgb24" if movie.is_rgb else "gray"
    order = "le" if sys.byteorder == "little" else "be"
    return f"rgb48{order}" if movie.is_rgb else f"gray16{order}"


def _h264_options(job: Job) -> list[str]:
    """Return options for x264 and for a file with its index at the beginning."""
    filters = f"{_SCALE},format=yuv420p,{_TAGS}" if job.movie.is_rgb else _TAGS
    return [
        *("-vf", filters, "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", str(QUALITIES[job.quality])),
        *("-g", str(_KEY_FRAMES), "-movflags", "+faststart"),
    ]


def _ffv1_options(movie: Movie) -> list[str]:
    """Return options for FFV1 (RFC 9043): version 3, independent frames, checksums."""
    stored = {"rgb24": "bgr0", "rgb48le": "gbrp16le", "rgb48be": "gbrp16le", "gray16be": "gray16le"}
    pipe_format = _pixel_format(movie)
    return [
        *("-vf", f"format={stored.get(pipe_format, pipe_format)},setparams=range=pc"),
        *("-c:v", "ffv1", "-g", "1"),
        # version 3 has checksums of slices, but cannot split frames one pixel wide into slices
        *(("-level", "3", "-slicecrc", "1") if movie.size[1] > 1 else ("-level", "1")),
    ]


def _container_format(path: Path) -> str:
    """Return ffmpeg's name of the container."""
    return {".mov": "mov", ".mkv": "matroska"}.get(path.suffix.lower(), "mp4")
