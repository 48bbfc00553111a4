"""Options of the ffmpeg program to encode the frames of a movie.

The output is reproducible: it depends neither on the time nor on the computer.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from napari_ferry.codecs.video.encoding_job import Job
from napari_ferry.codecs.video.video_options import Quality
from napari_ferry.movie.movie import Movie

QUALITIES: dict[Quality, int] = {"small": 28, "good": 23, "high": 18, "best": 12}
"""Constant rate factor of x264 for each quality."""

KEY_FRAMES = 24
"""Maximum distance of key frames, in frames."""

_LARGE_PIXELS = 1 << 20
"""Number of pixels from which on a frame is large."""

_LARGE_PARAMETERS = "threads=4:sliced-threads=1:bframes=1"
"""Parameters of x264 for large frames, with 75 % of the memory: threads share a frame instead of
working at one each. Measured: the quality stays within 0.1 dB, which a shorter lookahead would not
reach; in small frames, slices would need 5 % more bytes."""

QUIET = ("-v", "error", "-nostdin", "-y")
"""Options of every run: errors alone, no keyboard, and no question."""

_TAGS = "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
# without accurate rounding, swscale converts some grays to a chroma of 127
_SCALE = "scale=in_range=pc:out_range=pc:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"


def frame_options(job: Job) -> list[str]:
    """Return the options to read prepared frames from the pipe."""
    height, width = job.movie.size
    if job.codec == "h264":
        height, width = height + height % 2, width + width % 2
    return [
        *("-f", "rawvideo", "-pixel_format", _pipe_format(job)),
        *("-video_size", f"{width}x{height}", "-framerate", job.rate, "-i", "pipe:0"),
    ]


def encoding_options(job: Job) -> list[str]:
    """Return the options to encode frames."""
    encoding = _h264_options(job) if job.codec == "h264" else _ffv1_options(job.movie)
    # the rate is repeated because ffmpeg rounds rates near 120 and 240 to these
    return [*encoding, "-r", job.rate]


def is_large(job: Job) -> bool:
    """Return True if the frames are encoded in a way that needs less memory."""
    return math.prod(job.movie.size) >= _LARGE_PIXELS


def metadata_options(path: Path) -> list[str]:
    """Return the options to read the metadata of the file, the second input."""
    return ["-f", "ffmetadata", "-i", str(path), "-map", "0:v", "-map_metadata", "1"]


def file_options(job: Job, target: Path) -> list[str]:
    """Return the options of the file, with the index of MP4 and QuickTime at its beginning."""
    suffix = job.path.suffix.lower()
    container = {".mov": "mov", ".mkv": "matroska"}.get(suffix, "mp4")
    is_indexed = container != "matroska"
    return [
        *(("-movflags", "+faststart") if is_indexed else ()),
        # without it, the identifier of a Matroska file is random
        *("-fflags", "+bitexact", "-f", container, str(target)),
    ]


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
    """Return options for x264."""
    filters = f"{_SCALE},format=yuv420p,{_TAGS}" if job.movie.is_rgb else _TAGS
    return [
        *("-vf", filters, "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", str(QUALITIES[job.quality])),
        *("-g", str(KEY_FRAMES)),
        *(("-x264-params", _LARGE_PARAMETERS) if is_large(job) else ()),
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
