"""Videos: MP4, QuickTime, Matroska, WebM, AVI, read frame by frame; H.264 and FFV1 written.

Files are read through FFmpeg's libraries, as PyAV brings them, and written by ffmpeg itself, as
imageio-ffmpeg brings it.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from napari_ferry.codecs.video.read import read_video
from napari_ferry.codecs.video.write import LARGEST_SIDE, Codec, Job, Quality, plan_video
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.movie.movie import Movie, choose_movie
from napari_ferry.saving import Plan

IS_MOVIE = True
KEEPS_SAMPLES = (".mkv",)  # what is written there is not drawn unless it has to be
SUFFIXES = (".mp4", ".mov", ".mkv")
ALSO_OPENS = (".m4v", ".avi", ".webm")

AnyCodec = Literal["auto", "h264", "ffv1"]

_PLAYED_SIDE = 4096


def open(path: Path) -> list[Image]:
    """Open a video, lazily: gray video as one channel, any other in color.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Image
        One image of axes t y x, or t y x s; what our record in the file says where it has one.

    Raises
    ------
    UnreadableFileError
        It is no video, has no pictures, or not one whole frame.
    """
    return [read_video(path)]


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
        Frames per second; 29.97 and its like are taken for the exact 30000/1001. When absent, real
        time where that is 5 to 60 per second, otherwise 10.
    quality : {"small", "good", "high", "best"}
        Of H.264: from small files to ones that look as the original.
    codec : {"auto", "h264", "ffv1"}
        H.264 plays everywhere, with 8 bits. FFV1 keeps every bit of 8- and 16-bit samples, in
        ``.mkv``. "auto" is FFV1 for ``.mkv`` and H.264 for the others.
    axis : str, optional
        Name of the axis that runs; the only long one, or ``t``, when absent.
    position : str, optional
        Where the other axes stand, such as ``"z=3 c=0"``; axes of length 1 need none.

    Raises
    ------
    InvalidImageError
        An image that a video cannot show, or an option that does not fit.
    UnsupportedFormatError
        A suffix that is only read.
    """
    chosen = _choose_codec(path, codec, quality)
    keep = ("uint8", "uint16") if chosen == "ffv1" else ("uint8",)
    movie = choose_movie(images, axis=axis, position=position, frame_rate=frame_rate, keep=keep)
    if max(movie.size) > LARGEST_SIDE:
        raise InvalidImageError(
            f"The frames have {movie.size[0]} x {movie.size[1]} pixels, and videos at most "
            f"{LARGEST_SIDE} a side: save a part, or as TIFF."
        )
    is_timed = frame_rate is not None
    file, stream = plan_video(Job(movie, path, chosen, quality, is_timed))
    said = [chosen, quality, str(movie.frame_rate), is_timed, movie.identity()]
    identity = json.dumps(said, sort_keys=True)
    losses = (*_losses(movie, chosen), *_rounded_times(movie, path), *movie.losses)
    return Plan(
        files=(file,),
        losses=losses,
        nframes=movie.nframes,
        identity=identity,
        stream=stream,
        frame_rate=movie.frame_rate,
    )


def _choose_codec(path: Path, codec: AnyCodec, quality: Quality) -> Codec:
    """Return how frames are encoded, refusing what does not go together."""
    suffix = path.suffix.lower()
    for name, value, kind in (("codec", codec, AnyCodec), ("quality", quality, Quality)):
        known = typing.get_args(kind)
        if value not in known:
            raise InvalidImageError(f"The {name} is {value!r}: choose one of {', '.join(known)}.")
    if codec == "ffv1" and suffix != ".mkv":
        raise InvalidImageError(
            f"FFV1 is kept in .mkv, and the name ends in {suffix}: save as .mkv, or choose h264."
        )
    if codec == "auto":
        return "ffv1" if suffix == ".mkv" else "h264"
    return codec


def _rounded_times(movie: Movie, path: Path) -> Iterator[str]:
    """Say what becomes of times in Matroska, which counts milliseconds (RFC 9559, 11.1)."""
    rate = movie.frame_rate
    if path.suffix.lower() != ".mkv" or movie.nframes < 2 or (1000 / rate).denominator == 1:
        return
    if rate > 1000:
        yield f"Matroska counts milliseconds: other programs do not see {float(rate):g} per second"
    else:
        yield "Matroska counts milliseconds: other programs see times that are rounded to them"


def _losses(movie: Movie, codec: Codec) -> Iterator[str]:
    """Say what the encoding loses."""
    if codec == "ffv1":
        return
    yield "H.264 is not exact: levels differ a little, as the quality says"
    if movie.is_rgb:
        yield "colors are stored at half the resolution (4:2:0)"
    if max(movie.size) > _PLAYED_SIDE:
        yield f"many players show no more than {_PLAYED_SIDE} pixels a side"
