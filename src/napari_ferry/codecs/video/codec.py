"""Codec of videos: reads the containers of FFmpeg, writes H.264 and FFV1.

Files are read frame by frame with the FFmpeg libraries in PyAV, and written by the ffmpeg program
in imageio-ffmpeg.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.codecs.video.video_options import AnyCodec, Quality, VideoCodec
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.saving import Plan

if TYPE_CHECKING:
    from napari_ferry.movie.movie import Movie

# opening any file imports this module, so that functions import what only they need

IS_MOVIE = True
KEEPS_SAMPLES = (".mkv",)  # FFV1 is exact
SUFFIXES = (".mp4", ".mov", ".mkv")
SUMMARY = "a movie as displayed; .mkv: exact gray samples"
ALSO_OPENS = (
    *(".m4v", ".avi", ".webm", ".wmv", ".asf", ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts"),
    *(".m2ts", ".3gp", ".flv", ".ogv", ".mxf", ".nut", ".dv", ".y4m", ".mjpeg", ".mjpg"),
    *(".h264", ".264", ".avc", ".hevc", ".265", ".h265", ".ivf", ".obu", ".m1v", ".mpv"),
    *(".qt", ".f4v", ".3g2", ".mj2", ".divx", ".mpe", ".m2p", ".m2t"),
)

_MOST_PLAYED_SIDE = 4096
"""Maximum side supported by many players, in pixels."""


def open(path: Path) -> list[Image]:
    """Open a video lazily: a gray video with one channel, any other in color.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Image
        One image of axes t y x or t y x s, or of the axes in our record if the file has one.

    Raises
    ------
    UnreadableFileError
        The file is not a video, or contains no video stream or no whole frame.
    """
    from napari_ferry.codecs.video.read import read_video

    return [read_video(path)]


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the encoding of a video, with FFmpeg's names."""
    from napari_ferry.codecs.video.video_file import opened_video

    with opened_video(path) as file:
        return {"compression": file.codec_name, "pixel format": str(file.stream.pix_fmt)}


def open_many(paths: Sequence[Path]) -> list[Image]:
    """Open several videos as one stack, in the given order; in color if one of them is.

    Raises
    ------
    UnreadableFileError
        A file cannot be read.

    Warns
    -----
    FerryWarning
        The files differ in the size or type of their frames, and remain separate images.
    """
    from napari_ferry.codecs.video.read import read_video
    from napari_ferry.movie.sequence import open_joined

    return open_joined(paths, read_video)


def plan(
    images: Sequence[Image],
    path: Path,
    *,
    frame_rate: float | None = None,
    quality: Quality = "high",
    codec: AnyCodec = "auto",
    axis: str | None = None,
    position: str | None = None,
) -> Plan:
    """Plan to save one image as a video; no pixels are read.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The file: ``.mp4``, ``.mov`` or ``.mkv``.
    frame_rate : float, optional
        Frames per second; NTSC rates such as 29.97 are read as exactly 30000/1001. By default real
        time if that is 5 to 60 per second, otherwise 10.
    quality : {"small", "good", "high", "best"}
        Quality of H.264, from small files to files that look like the original.
    codec : {"auto", "h264", "ffv1"}
        Encoding: H.264 has 8 bits and plays everywhere, FFV1 preserves 8- and 16-bit samples
        exactly, in ``.mkv``. "auto" selects FFV1 for ``.mkv``, and H.264 for the other suffixes.
    axis : str, optional
        Name of the frame axis; by default the only one longer than 1, or ``t``.
    position : str, optional
        Position on the other axes, such as ``"z=3 c=0"``; not needed for axes of length 1.

    Raises
    ------
    InvalidImageError
        An image that a video cannot show, or an invalid option.
    UnsupportedFormatError
        A suffix for reading only.
    """
    from napari_ferry.codecs.video.encoding_job import Job
    from napari_ferry.codecs.video.write import LARGEST_SIDE, plan_video
    from napari_ferry.movie.movie import choose_movie

    chosen = _choose_codec(path, codec, quality)
    exact_dtypes = ("uint8", "uint16") if chosen == "ffv1" else ("uint8",)
    movie = choose_movie(
        images, axis=axis, position=position, frame_rate=frame_rate, exact_dtypes=exact_dtypes
    )

    if max(movie.size) > LARGEST_SIDE:
        raise InvalidImageError(
            f"The frames have {movie.size[0]} x {movie.size[1]} pixels, but a video has at most "
            f"{LARGEST_SIDE} per side: save a part of the image, or save it as TIFF."
        )

    is_timed = frame_rate is not None
    job = Job(movie=movie, path=path, codec=chosen, quality=quality, is_timed=is_timed)
    settings = [chosen, quality, str(movie.frame_rate), is_timed, movie.identity()]
    identity = json.dumps(settings, sort_keys=True)
    losses = (*_losses(movie, chosen), *_rounded_times(movie, path), *movie.losses)
    planned = plan_video(job)
    return replace(planned, losses=losses, identity=identity, frame_rate=movie.frame_rate)


def _choose_codec(path: Path, codec: AnyCodec, quality: Quality) -> VideoCodec:
    """Choose the encoding of frames; refuse unknown and incompatible options."""
    suffix = path.suffix.lower()
    for name, value, kind in (("codec", codec, AnyCodec), ("quality", quality, Quality)):
        known = typing.get_args(kind)
        if value not in known:
            raise InvalidImageError(f"The {name} is {value!r}: choose one of {', '.join(known)}.")
    if codec == "ffv1" and suffix != ".mkv":
        raise InvalidImageError(
            f"FFV1 is stored in .mkv, but the name ends in {suffix}: save as .mkv, or choose h264."
        )
    if codec == "auto":
        return "ffv1" if suffix == ".mkv" else "h264"
    return codec


def _rounded_times(movie: Movie, path: Path) -> Iterator[str]:
    """Yield the loss of times in Matroska, stored in milliseconds (RFC 9559, 11.1)."""
    rate = movie.frame_rate
    if path.suffix.lower() != ".mkv" or movie.nframes < 2 or (1000 / rate).denominator == 1:
        return
    if rate > 1000:
        yield (
            "Matroska stores times in milliseconds: other programs see a rate close to "
            f"{float(rate):g} frames per second"
        )
    else:
        yield "Matroska stores times in milliseconds: other programs see rounded times"


def _losses(movie: Movie, codec: VideoCodec) -> Iterator[str]:
    """Yield the losses of the encoding."""
    from napari_ferry.codecs.video.h264_levels import level_losses

    if codec == "ffv1":
        return
    yield "compression changes pixel values slightly (H.264, not for measurement)"
    if movie.is_rgb:
        yield "color detail is halved (4:2:0)"
    if max(movie.size) > _MOST_PLAYED_SIDE:
        yield f"many players show at most {_MOST_PLAYED_SIDE} pixels per side"
    yield from level_losses(movie.size, movie.frame_rate)
