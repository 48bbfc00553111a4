"""GIF: animations of up to 256 colors a frame, which every browser and slide shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from napari_ferry.arguments import is_real
from napari_ferry.codecs.gif.delays import time_losses
from napari_ferry.codecs.gif.frame_encoder import EncodeFrames
from napari_ferry.codecs.gif.frame_writer import Job, assemble
from napari_ferry.codecs.gif.palette import Fit, SharedPalette, dither_offsets
from napari_ferry.codecs.gif.read import read_gif
from napari_ferry.codecs.gif.scan import MAX_PIXELS, MAX_SIDE
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image, describe
from napari_ferry.movie.movie import Movie, choose_movie
from napari_ferry.saving import Plan, PlannedFile, Stream

SUFFIXES = (".gif",)
FOLDER_PRIORITY = 1  # below formats of samples, of which GIFs often are previews
IS_MOVIE = True


def open(path: Path) -> list[Image]:
    """Open a GIF file, or every one of a folder; each frame comes as a browser shows it.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    list of Image
        Lazy, uint8: gray where all colors of the file are, otherwise r g b, or r g b a where
        something shows through.

    Raises
    ------
    UnreadableFileError
        No GIF, or one that is damaged from its beginning.
    """
    if path.is_dir():
        return [read_gif(found) for found in gif_files(path)]
    return [read_gif(path)]


def gif_files(folder: Path) -> list[Path]:
    """Return the GIF files of a folder, in order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def plan(
    images: Sequence[Image],
    path: Path,
    *,
    frame_rate: float | None = None,
    loop: int | None = 0,
    colors: int = 256,
    dither: bool = False,
    axis: str | None = None,
    position: str | None = None,
) -> Plan:
    """Plan to save one image as an animated GIF; no pixels are read.

    Gray images of 8 bits, and frames of up to 256 colors, are exact pixel by pixel.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The file.
    frame_rate : float, optional
        Frames per second, up to 50, which is the most that browsers play; when absent, real time
        where that is 5 to 60 per second, otherwise 10.
    loop : int, optional
        How often the movie starts again after its end: 0 for ever. ``None`` plays it once.
    colors : int
        Most colors of a frame, 2 to 256; fewer make the file smaller.
    dither : bool
        Mix colors that are missing from those that are there, in a fixed pattern. Frames that
        have few enough colors stay exact.
    axis : str, optional
        Name of the axis that runs; the only long one, or ``t``, when absent.
    position : str, optional
        Where the other axes stand, such as ``"z=3 c=0"``.

    Raises
    ------
    InvalidImageError
        Several images, one that does not fit a GIF, or an option out of its range.
    """
    movie = choose_movie(images, axis=axis, position=position, frame_rate=frame_rate)
    _check(movie, loop, colors, dither)
    shared = SharedPalette(movie, colors)
    fit = Fit(shared, colors, dither_offsets(movie.size) if dither else None)
    job = Job(movie, shared, None if loop is None else int(loop), is_timed=frame_rate is not None)
    tasks = tuple(movie.tasks(EncodeFrames(fit)))
    stream = Stream((path,), tasks, partial(assemble, job=job))
    return Plan(
        files=(PlannedFile(path, _most_bytes(movie)),),
        losses=(*movie.losses, *_losses(movie, colors)),
        nframes=movie.nframes,
        identity=json.dumps(
            [describe(movie.image), str(movie.frame_rate), job.is_timed, loop, colors, dither]
        ),
        stream=stream,
        frame_rate=movie.frame_rate,
    )


def _check(movie: Movie, loop: int | None, colors: int, dither: bool) -> None:
    """Refuse options out of their range, and frames that a GIF cannot hold."""
    height, width = movie.size
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise InvalidImageError(
            f"A frame has {width} by {height} pixels, and in a GIF neither side exceeds "
            f"{MAX_SIDE} and both together {MAX_PIXELS:,} pixels: save a part, or every nth pixel."
        )
    if loop is not None and not (is_real(loop) and loop % 1 == 0 and 0 <= loop <= 65535):
        raise InvalidImageError(
            f"loop is {loop!r}: give a whole number from 0, for ever, to 65535, or None."
        )
    if not (is_real(colors) and colors % 1 == 0 and 2 <= colors <= 256):
        raise InvalidImageError(f"colors is {colors!r}: give a whole number from 2 to 256.")
    if not isinstance(dither, bool):
        raise InvalidImageError(f"dither is {dither!r}: give True or False.")


def _losses(movie: Movie, colors: int) -> Iterator[str]:
    """Say what a GIF of this movie does not hold."""
    if movie.is_rgb or colors < 256:
        what = "colors" if movie.is_rgb else "gray values"
        yield f"of frames with more than {colors} {what}, the best {colors} are kept"
    yield from time_losses(movie.frame_rate)


def _most_bytes(movie: Movie) -> int:
    """Return the most bytes that the file can have: 12 bits for each pixel, and what frames it."""
    height, width = movie.size
    frame = height * width * 8 // 5 + 2048
    return movie.nframes * frame + len(json.dumps(describe(movie.image))) * 2 + 4096
