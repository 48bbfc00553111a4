"""Codec of PNG files: pictures, numbered sequences of them (NAME_0001.png), and animations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arguments import is_real
from napari_ferry.codecs.png import frame_names
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.saving import Plan, PlannedFile, Stream, Write
from napari_ferry.saving.partial.interruption import resumable_nonce
from napari_ferry.saving.write import file_digest

if TYPE_CHECKING:
    from napari_ferry.codecs.png.picture_writer import Job
    from napari_ferry.movie.movie import Movie

# opening any file imports this module, so that functions import what only they need

SUFFIXES = frame_names.SUFFIXES
SUMMARY = "frames as displayed, or exact gray samples"
FOLDER_PRIORITY = 1  # below formats of samples, of which PNG files often are previews
IS_MOVIE = True
KEEPS_SAMPLES = SUFFIXES

_ANIMATED = ".apng"
_MOST_PLAYS = 2**31 - 2


def open(path: Path) -> list[Image]:
    """Open a PNG file, the sequence of a numbered frame, or a folder; lazily.

    Parameters
    ----------
    path : Path
        A file, or a folder, whose numbered files become stacks.

    Returns
    -------
    list of Image
        Lazy images: gray, r g b, or r g b a if pixels may be transparent; uint8 or uint16, and
        bool for black and white. Frames of an animation are composed as in a browser.

    Raises
    ------
    UnreadableFileError
        A file is not a PNG file, or it has no whole picture.
    """
    from napari_ferry.codecs.png.picture_folder import read_file, read_folder

    return read_folder(path) if path.is_dir() else read_file(path)


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the only compression of PNG files."""
    return {"compression": "deflate"}


def open_many(paths: Sequence[Path]) -> list[Image]:
    """Open several PNG files as one stack, in the given order.

    Raises
    ------
    UnreadableFileError
        The first file cannot be read; others are opened when their frame is.
    """
    from napari_ferry.codecs.png.picture_folder import read_stack

    return read_stack(paths)


def members(path: Path) -> list[Path]:
    """Return all files of a sequence by napari-ferry, given one; any other file alone."""
    from napari_ferry.codecs.png.picture_folder import sequence_files

    return sequence_files(path)


def is_data_set(path: Path) -> bool:
    """Return True for a folder of several files whose names differ only in numbers."""
    from napari_ferry.codecs.png.frame_names import png_files, split_families

    paths = png_files(path)
    return len(paths) > 1 and len(split_families(paths)) == 1


def plan(
    images: Sequence[Image],
    path: Path,
    *,
    frame_rate: float | None = None,
    loop: int | None = 0,
    axis: str | None = None,
    position: str | None = None,
) -> Plan:
    """Plan to save one image as PNG files, one for each frame; no pixels are read.

    A single frame is saved as ``NAME.png``, several ones as ``NAME_0001.png`` and so on. Samples
    of bool, uint8 and uint16 are exact. ``.apng`` is a single file, an animation for browsers.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The file; of a sequence, its name without the numbers.
    frame_rate : float, optional
        Frames per second; by default real time if that is 5 to 60 per second, otherwise 10.
    loop : int, optional
        Number of repetitions of an animation after the first playback, 0 for endless; ``None`` to
        play it once.
    axis : str, optional
        Name of the frame axis; by default the only one longer than 1, or ``t``.
    position : str, optional
        Position on the other axes, such as ``"z=3 c=0"``; not needed for axes of length 1.

    Raises
    ------
    InvalidImageError
        Several images, an image that does not fit in a PNG file, or an option out of range.
    """
    from napari_ferry.codecs.png.picture_writer import Job
    from napari_ferry.movie.movie import choose_movie

    is_animated = path.suffix.lower() == _ANIMATED
    movie = choose_movie(
        images,
        axis=axis,
        position=position,
        frame_rate=frame_rate,
        exact_dtypes=_exact_dtypes(images),
        keeps_alpha=True,
        has_times=is_animated,
    )
    _check(movie, loop)
    job = Job(
        movie=movie, is_timed=frame_rate is not None, loop=None if loop is None else int(loop)
    )
    return _plan_animation(job, path) if is_animated else _plan_sequence(job, path)


def _exact_dtypes(images: Sequence[Image]) -> tuple[str, ...]:
    """Return the exactly stored data types; bool only for gray images."""
    has_bits = not any(image.is_rgb for image in images)
    return ("uint8", "uint16", *(["bool"] if has_bits else []))


def _check(movie: Movie, loop: int | None) -> None:
    """Refuse options out of range, and frames too large for a PNG file."""
    from napari_ferry.codecs.png.picture_header import MAX_SIDE

    height, width = movie.size
    if max(height, width) > MAX_SIDE:
        raise InvalidImageError(
            f"A frame has {width} by {height} pixels, but most programs read at most {MAX_SIDE:,} "
            "per side of a PNG file: save a part of the image, or save it as TIFF."
        )
    if loop is not None and not (is_real(loop) and loop % 1 == 0 and 0 <= loop <= _MOST_PLAYS):
        raise InvalidImageError(
            f"loop is {loop!r}: give a whole number from 0 (endless) to {_MOST_PLAYS}, or None."
        )


def _plan_sequence(job: Job, path: Path) -> Plan:
    """Plan a file for each frame, written independently of the others."""
    from napari_ferry.codecs.png.own_frames import may_replace, stale_files
    from napari_ferry.codecs.png.picture_writer import FrameFile, compress_frames, create_empty

    movie = job.movie
    paths = frame_names.frame_paths(path, movie.nframes)
    is_series = len(paths) > 1
    if is_series:
        job = replace(job, nonce=resumable_nonce(paths[0]) or uuid.uuid4().hex)
    sent = replace(job, movie=movie.without_pixels())
    prepare = movie.preparation(compress_frames)
    writes = [
        Write(
            path=each,
            array=movie.image.array,
            region=movie.region(index, index + 1),
            put=FrameFile(sent, index, prepare),
            stored=file_digest,
        )
        for index, each in enumerate(paths)
    ]
    files = [
        PlannedFile(
            path=each,
            nbytes=job.frame_bytes + (0 if index else job.record_bytes),
            create=create_empty,
            may_replace=may_replace if is_series else None,
            is_encoded=True,
        )
        for index, each in enumerate(paths)
    ]
    return Plan(
        files=tuple(files),
        writes=tuple(writes),
        losses=movie.losses,
        nframes=movie.nframes,
        identity=_identity(job),
        stale=stale_files(path, paths) if is_series else (),
        nonce=job.nonce,
        frame_rate=movie.frame_rate,
    )


def _plan_animation(job: Job, path: Path) -> Plan:
    """Plan a single file, whose frames are written in order."""
    from napari_ferry.codecs.png.frame_delays import time_losses
    from napari_ferry.codecs.png.picture_writer import assemble, compress_frames

    movie = job.movie
    tasks = movie.tasks(compress_frames)
    nbytes = movie.nframes * job.frame_bytes + job.record_bytes
    return Plan(
        files=(PlannedFile(path=path, nbytes=nbytes),),
        losses=(*movie.losses, *time_losses(movie.frame_rate)),
        nframes=movie.nframes,
        identity=_identity(job),
        stream=Stream(paths=(path,), tasks=tasks, assemble=partial(assemble, job=job)),
        frame_rate=movie.frame_rate,
    )


def _identity(job: Job) -> str:
    """Return the identity of a save, without its files and their size."""
    settings = [str(job.movie.frame_rate), job.is_timed, job.loop, job.movie.identity()]
    return json.dumps(settings, sort_keys=True)
