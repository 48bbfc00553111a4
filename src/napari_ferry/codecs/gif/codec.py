"""Codec of GIF files: animations of up to 256 colors per frame for browsers and slides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arguments import is_real
from napari_ferry.errors import InvalidImageError
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Image, describe
from napari_ferry.saving import Plan, PlannedFile, Stream

if TYPE_CHECKING:
    from napari_ferry.movie.movie import Movie

# opening any file imports this module, so that functions import what only they need

SUFFIXES = (".gif",)
SUMMARY = "a movie as displayed, in up to 256 colors"
FOLDER_PRIORITY = 1  # below formats of samples, of which GIFs often are previews
IS_MOVIE = True


def open(path: Path) -> list[Image]:
    """Open a GIF file, or all GIF files in a folder; frames are composed as in a browser.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    list of Image
        Lazy images, uint8: gray if all colors of the file are gray, otherwise r g b, or r g b a
        if some pixels are transparent or our record has four samples.

    Raises
    ------
    UnreadableFileError
        A file is not a GIF, or it has no whole frame.
    """
    from napari_ferry.codecs.gif.read import read_gif

    if path.is_dir():
        return [read_gif(file) for file in gif_files(path)]
    return [read_gif(path)]


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the only compression of GIF files."""
    return {"compression": "lzw"}


def open_many(paths: Sequence[Path]) -> list[Image]:
    """Open several GIF files as one stack, in the given order; in color if one of them is.

    Raises
    ------
    UnreadableFileError
        A file cannot be read.

    Warns
    -----
    FerryWarning
        The files differ in size, and remain separate images.
    """
    from napari_ferry.codecs.gif.read import read_gif
    from napari_ferry.movie.sequence import open_joined

    return open_joined(paths, read_gif)


def gif_files(folder: Path) -> list[Path]:
    """Return the GIF files in a folder, in natural order."""
    files = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    return natural_sorted(files)


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

    Gray images of 8 bits, and frames of up to 256 colors, are exact pixel by pixel. Pixels of RGBA
    images are opaque or transparent; a frame has up to 255 colors if it, or the frame after it, has
    transparent pixels.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The file.
    frame_rate : float, optional
        Frames per second, up to 50, the most that browsers play; by default real time if that is
        5 to 60 per second, otherwise 10.
    loop : int, optional
        Number of repetitions after the first playback, 0 for endless; ``None`` to play the movie
        once.
    colors : int
        Maximum number of colors per frame, 2 to 256; fewer colors make the file smaller.
    dither : bool
        Approximate missing colors by a fixed pattern of available ones. Frames with few enough
        colors remain exact.
    axis : str, optional
        Name of the frame axis; by default the only one longer than 1, or ``t``.
    position : str, optional
        Position on the other axes, such as ``"z=3 c=0"``; not needed for axes of length 1.

    Raises
    ------
    InvalidImageError
        Several images, an image that does not fit in a GIF, or an option out of range.
    """
    from napari_ferry.codecs.gif.frame_encoder import EncodeFrames
    from napari_ferry.codecs.gif.frame_writer import Job, assemble
    from napari_ferry.codecs.gif.palette_fit import PaletteFit, SharedPalette, dither_offsets
    from napari_ferry.movie.movie import choose_movie

    movie = choose_movie(
        images, axis=axis, position=position, frame_rate=frame_rate, keeps_alpha=True
    )
    _check_options(movie, loop, colors, dither)

    shared = SharedPalette(movie, colors)
    fit = PaletteFit(shared, colors, dither_offsets(movie.size) if dither else None)
    job = Job(movie, shared, None if loop is None else int(loop), is_timed=frame_rate is not None)
    tasks = movie.tasks(EncodeFrames(fit))
    stream = Stream(paths=(path,), tasks=tasks, assemble=partial(assemble, job=job))

    return Plan(
        files=(PlannedFile(path=path, nbytes=_estimate_bytes(movie)),),
        losses=(*movie.losses, *_losses(movie, colors)),
        nframes=movie.nframes,
        identity=json.dumps(
            [describe(movie.image), str(movie.frame_rate), job.is_timed, loop, colors, dither]
        ),
        stream=stream,
        frame_rate=movie.frame_rate,
    )


def _check_options(movie: Movie, loop: int | None, colors: int, dither: bool) -> None:
    """Refuse options out of range, and frames too large for a GIF."""
    from napari_ferry.codecs.gif.scan import MAX_PIXELS, MAX_SIDE

    height, width = movie.size
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise InvalidImageError(
            f"A frame has {width} by {height} pixels, but a GIF has at most {MAX_SIDE} per side "
            f"and {MAX_PIXELS:,} in total: save a part of the image, or every nth pixel."
        )
    if loop is not None and not (is_real(loop) and loop % 1 == 0 and 0 <= loop <= 65535):
        raise InvalidImageError(
            f"loop is {loop!r}: give a whole number from 0 (endless) to 65535, or None."
        )
    if not (is_real(colors) and colors % 1 == 0 and 2 <= colors <= 256):
        raise InvalidImageError(f"colors is {colors!r}: give a whole number from 2 to 256.")
    if not isinstance(dither, bool):
        raise InvalidImageError(f"dither is {dither!r}: give True or False.")


def _losses(movie: Movie, colors: int) -> Iterator[str]:
    """Yield the losses of colors, transparency and times."""
    from napari_ferry.codecs.gif.delays import time_losses
    from napari_ferry.codecs.gif.palette import MOST_COLORS
    from napari_ferry.codecs.gif.transparency import FEWER_COLORS_LOSS, LOSS

    if movie.is_rgb or colors < 256:
        samples = "colors" if movie.is_rgb else "gray levels"
        yield f"frames with more than {colors} {samples} are reduced to the best {colors}"
    if movie.samples == 4:
        yield LOSS
        if colors == MOST_COLORS:
            yield FEWER_COLORS_LOSS
    yield from time_losses(movie.frame_rate)


def _estimate_bytes(movie: Movie) -> int:
    """Return an upper limit of the file size in bytes: 12 bits per pixel plus headers."""
    height, width = movie.size
    frame = height * width * 8 // 5 + 2048
    return movie.nframes * frame + len(json.dumps(describe(movie.image))) * 2 + 4096
