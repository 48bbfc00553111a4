"""Numpy in, numpy out: videos and GIFs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import reading, to_path
from napari_ferry.arrays import read_array
from napari_ferry.arrays.progress import Report
from napari_ferry.codecs.gif import codec as gif
from napari_ferry.codecs.video import codec as video
from napari_ferry.codecs.video.video_options import AnyCodec, Quality
from napari_ferry.errors import ReopenError
from napari_ferry.image import Saveable
from napari_ferry.io import imload
from napari_ferry.numpy_io.paths import find_single_file, target_of
from napari_ferry.rendering.save import imsave
from napari_ferry.signatures import with_option_texts

_VIDEO, _IMAGES = "video", "images"
"""Default names of files in folders."""

_VIDEOS = (*video.SUFFIXES, *video.ALSO_OPENS)


def load_video(
    path: str | Path,
    *,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[Any]:
    """Load a video into memory.

    Parameters
    ----------
    path : str or Path
        A file, or a folder: its ``video.mp4``, or its only video.
    progress : callable or bool, optional
        True for a progress bar, or called with `Progress` after each block.
    cancel : callable, optional
        Called between blocks; loading stops if it returns True, such as ``Event().is_set``.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x) if gray, or (frames, y, x, 3) if in color.

    Raises
    ------
    UnreadableFileError
        The file does not exist or is damaged.
    MissingMetadataError
        The folder has several videos, none of them named ``video``.
    LoadCancelledError
        `cancel` returned True.

    Examples
    --------
    >>> _ = save_video("movie.mkv", np.zeros((10, 64, 64), np.uint8), codec="ffv1")
    >>> load_video("movie.mkv").shape
    (10, 64, 64)
    """
    path = to_path(path)
    with reading(path):
        file = _find_video(path) if path.is_dir() else path
    try:
        return _load(file, progress, cancel)
    except ReopenError:
        pass  # releases what was read so far
    return _load(file, progress, cancel)


def _load(
    path: Path, progress: Report | bool | None, cancel: Callable[[], bool] | None
) -> NDArray[Any]:
    # a single decoder reads the file in order; several threads would make it seek
    array = imload(path)[0].array
    return read_array(array, workers=1, progress=progress, cancel=cancel, name=path.name)


@with_option_texts(video.plan)
def save_video(
    path: str | Path,
    images: Saveable,
    frame_rate: float | None = None,
    name: str | None = None,
    *,
    quality: Quality = "high",
    codec: AnyCodec = "auto",
    axis: str | None = None,
    position: str | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Save a stack as a video.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.mp4``, ``.mov`` or ``.mkv``, or a folder, which is created.
    images : array, sequence of frames, or Image
        An array (frames, y, x), or (frames, y, x, 3 or 4) in color; a sequence of frames of one
        shape, (y, x) or (y, x, 3 or 4); or an image.
    name : str, optional
        Name of the file in the folder; ``video`` by default.
    {options}
    overwrite : bool
        True to replace an existing file.
    workers, progress, cancel
        Parameters of `run`.

    Returns
    -------
    list of Path
        The file.

    Raises
    ------
    TargetExistsError
        The file exists, and `overwrite` is False.
    TargetError
        The folder cannot be created or written to.
    InvalidImageError
        A video cannot hold the image, frames differ, an option is invalid, or the name contains a
        separator.

    Examples
    --------
    >>> movie = np.zeros((10, 64, 64), np.uint8)
    >>> [path.name for path in save_video("talk.mp4", movie, frame_rate=30)]
    ['talk.mp4']
    """
    target = target_of(path, name, (_VIDEO, ".mp4"), _VIDEOS)
    return imsave(
        images,
        target,
        overwrite=overwrite,
        workers=workers,
        progress=progress,
        cancel=cancel,
        frame_rate=frame_rate,
        quality=quality,
        codec=codec,
        axis=axis,
        position=position,
    )


def load_gif(
    path: str | Path,
    *,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[np.uint8]:
    """Load a GIF into memory, with frames composed as in a browser.

    Parameters
    ----------
    path : str or Path
        A file, or a folder: its ``images.gif``, or its only GIF.
    workers : int, optional
        Number of threads for decoding; chosen automatically by default.
    progress : callable or bool, optional
        True for a progress bar, or called with `Progress` after each block.
    cancel : callable, optional
        Called between blocks; loading stops if it returns True, such as ``Event().is_set``.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x) if gray, (frames, y, x, 3) if in color, or (frames, y, x, 4) if
        some pixels are transparent or the saved image had alpha; uint8. A still picture has no
        first axis.

    Raises
    ------
    UnreadableFileError
        The file does not exist or is damaged.
    MissingMetadataError
        The folder has several GIFs, none of them named ``images``.
    LoadCancelledError
        `cancel` returned True.

    Examples
    --------
    >>> _ = save_gif("movie.gif", np.zeros((10, 64, 64), np.uint8))
    >>> load_gif("movie.gif").shape
    (10, 64, 64)
    """
    path = to_path(path)
    with reading(path):
        file = _find_gif(path) if path.is_dir() else path
    array = imload(file)[0].array
    return read_array(array, workers=workers, progress=progress, cancel=cancel, name=file.name)


@with_option_texts(gif.plan)
def save_gif(
    path: str | Path,
    images: Saveable,
    frame_rate: float | None = None,
    name: str | None = None,
    *,
    loop: int | None = 0,
    colors: int = 256,
    dither: bool = False,
    axis: str | None = None,
    position: str | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Save a stack as an animated GIF; gray values of 8 bits and up to 256 colors are exact.

    Pixels with an alpha below one half become transparent, all others opaque.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.gif``, or a folder, which is created.
    images : array, sequence of frames, or Image
        An array (frames, y, x), or (frames, y, x, 3 or 4) in color; a sequence of frames of one
        shape, (y, x) or (y, x, 3 or 4); or an image.
    name : str, optional
        Name of the file in the folder; ``images`` by default.
    {options}
    overwrite : bool
        True to replace an existing file.
    workers, progress, cancel
        Parameters of `run`.

    Returns
    -------
    list of Path
        The file.

    Raises
    ------
    TargetExistsError
        The file exists, and `overwrite` is False.
    TargetError
        The folder cannot be created or written to.
    InvalidImageError
        The array is not numeric or is empty, frames differ, or an option is out of range.

    Examples
    --------
    >>> movie = np.zeros((10, 64, 64), np.uint8)
    >>> [path.name for path in save_gif("talk.gif", movie, frame_rate=20)]
    ['talk.gif']
    """
    target = target_of(path, name, (_IMAGES, ".gif"), gif.SUFFIXES)

    return imsave(
        images,
        target,
        overwrite=overwrite,
        workers=workers,
        progress=progress,
        cancel=cancel,
        frame_rate=frame_rate,
        loop=loop,
        colors=colors,
        dither=dither,
        axis=axis,
        position=position,
    )


def _find_video(folder: Path) -> Path:
    """Return the preferred video of a folder."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in _VIDEOS]
    return _preferred(folder, files, _VIDEO, "videos")


def _find_gif(folder: Path) -> Path:
    """Return the preferred GIF of a folder."""
    return _preferred(folder, gif.gif_files(folder), _IMAGES, "GIFs")


def _preferred(folder: Path, files: list[Path], name: str, kind: str) -> Path:
    """Return the file of the given name, or the only file."""
    named = [file for file in files if file.stem == name]
    return find_single_file(folder, named[:1] or files, kind)
