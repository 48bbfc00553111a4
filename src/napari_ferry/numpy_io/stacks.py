"""numpy in, numpy out: load and save image stacks with one short call each.

Every function takes a file, or a folder with an optional name in it. Arrays have the axes
(frames, y, x), or those of the file. Existing files are replaced only with
``overwrite=True``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import missing_path, reading, to_path
from napari_ferry.arrays import read_array
from napari_ferry.arrays.memmap import Mode
from napari_ferry.arrays.progress import Report
from napari_ferry.codecs.binary import codec as binary
from napari_ferry.codecs.binary.sidecar import DEFAULT_NAME
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.codecs.tiff.tiff_options import Compression
from napari_ferry.errors import InvalidImageError, MissingFileError, warn
from napari_ferry.image import Saveable
from napari_ferry.io import Source, imload
from napari_ferry.numpy_io.paths import find_single_file, target_of
from napari_ferry.rendering.save import imsave
from napari_ferry.saving import interrupted_save, naming_saves
from napari_ferry.signatures import with_option_texts


def load_images(
    path: Source,
    *,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[Any]:
    """Load a TIFF file, a size-capped series, or several TIFF files into memory.

    Parameters
    ----------
    path : str, Path or sequence of them
        A file (``.tif .tiff .TIF .ome.tif``); a folder, whose files are read in natural order; or
        files as one stack, in this order.
    workers : int, optional
        Number of threads for decoding; chosen automatically by default.
    progress : callable or bool, optional
        True for a progress bar, or called with `Progress` after each block.
    cancel : callable, optional
        Called between blocks; loading stops if it returns True, such as ``Event().is_set``.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x), or those of the file; the first image of a file with several.

    Raises
    ------
    UnreadableFileError
        The file does not exist or is damaged, or the files of a folder differ.
    LoadCancelledError
        `cancel` returned True.

    Warns
    -----
    FerryWarning
        The file has several images, and only the first is returned.

    Examples
    --------
    >>> _ = save_images("stack.tif", np.zeros((10, 64, 64), np.uint16))
    >>> load_images("stack.tif").shape
    (10, 64, 64)
    """
    first, *others = imload(path)
    name = Path(path).name if isinstance(path, str | Path) else first.name
    if others:
        warn(
            f"{name} holds {1 + len(others)} images, and only the first is returned: "
            "imload returns all of them."
        )
    return read_array(first.array, workers=workers, progress=progress, cancel=cancel, name=name)


@with_option_texts(tiff.plan)
def save_images(
    path: str | Path,
    images: Saveable,
    name: str | None = None,
    *,
    size_cap: float | None = 3.9,
    compression: Compression = "none",
    pyramid: bool | None = None,
    metadata_json: bool = False,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Save a stack as TIFF, in several files above a size cap.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.tif`` or ``.ome.tif``, or a folder, which is created.
    images : array, sequence of frames, or Image
        Axes (frames, y, x), (y, x), or others; any numeric type. An array of integers (frames,
        y, x, 3 or 4), or of uint8 (y, x, 3 or 4), is in color. Arrays of one shape, (y, x) or
        (y, x, 3 or 4), in a sequence are frames of one stack; other sequences are several images.
    name : str, optional
        Name of the file in the folder; ``images`` by default.
    {options}
    overwrite : bool
        True to replace existing files.
    workers, progress, cancel
        Parameters of `run`.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    TargetExistsError
        Files exist, and `overwrite` is False.
    TargetError
        The folder cannot be created or written to.
    InvalidImageError
        The array is empty or not numeric, the cap is smaller than one frame, or the name contains
        a separator.

    Examples
    --------
    >>> movie = np.zeros((10, 64, 64), np.uint16)
    >>> [path.name for path in save_images("small.tif", movie, compression="zlib")]
    ['small.tif']
    >>> len(save_images("series.tif", movie, size_cap=50e-6))  # in GB: 50 kB a file
    2
    """
    target = target_of(path, name, ("images", ".tif"), (".tif", ".tiff"))
    return imsave(
        images,
        target,
        overwrite=overwrite,
        workers=workers,
        progress=progress,
        cancel=cancel,
        size_cap=size_cap,
        compression=compression,
        pyramid=pyramid,
        metadata_json=metadata_json,
    )


def load_binary(
    path: str | Path,
    mapped: bool = False,
    mode: Mode = "r",
    missing_metadata: Mapping[str, Any] | None = None,
    *,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> NDArray[Any]:
    """Load a raw recording by its sidecar, or by given metadata.

    Parameters
    ----------
    path : str or Path
        The raw file, with or without suffix, or its folder.
    mapped : bool
        True to map the file instead of reading it.
    mode : {"r", "r+", "c"}
        For a mapped file: read only, modify the file itself, or modify a copy in memory.
    missing_metadata : mapping, optional
        Replaces the sidecar: ``dtype``, and at least two of ``frames``, ``y`` and ``x``; the third
        is computed.
    progress : callable or bool, optional
        True for a progress bar, or called with `Progress` after each block.
    cancel : callable, optional
        Called between blocks; loading stops if it returns True, such as ``Event().is_set``.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x), or those in the sidecar; a `numpy.memmap` if `mapped` is True.

    Raises
    ------
    MissingMetadataError
        No sidecar exists, or more than one dimension is missing.
    UnreadableFileError
        The file does not exist, or its description does not fit it.
    LoadCancelledError
        `cancel` returned True.

    Examples
    --------
    >>> _ = save_binary("recording.bin", np.zeros((10, 64, 64), np.uint16))
    >>> load_binary("recording.bin", mapped=True).shape
    (10, 64, 64)
    """
    if mode not in get_args(Mode):
        raise InvalidImageError(
            f"Mode {mode!r} is not supported: use 'r' to read, 'r+' to change the file, or 'c' to "
            "change a copy in memory."
        )
    path = to_path(path)
    with reading(path), naming_saves(path):
        data = _find_binary(path, missing_metadata is not None)
        image = binary.open_binary(
            data, mode=mode if mapped else None, missing_metadata=missing_metadata
        )
    if mapped:
        return np.asanyarray(image.array)
    return read_array(image.array, progress=progress, cancel=cancel, name=data.name)


def save_binary(
    path: str | Path,
    images: Saveable,
    name: str | None = None,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Save an array as a raw file with a JSON sidecar.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.bin``, ``.raw`` or ``.dat``, or a folder, which is created.
    images : array, sequence of frames, or Image
        An array of any numeric type and shape; a sequence of frames of one shape, (y, x) or
        (y, x, 3 or 4), is a stack.
    name : str, optional
        Name of the file in the folder; ``binary_video`` by default.
    overwrite : bool
        True to replace existing files.
    workers, progress, cancel
        Parameters of `run`.

    Returns
    -------
    list of Path
        The raw file and its sidecar.

    Raises
    ------
    TargetExistsError
        Files exist, and `overwrite` is False.
    TargetError
        The folder cannot be created or written to.
    InvalidImageError
        The array is empty or not numeric, or the name contains a separator.

    Examples
    --------
    >>> [path.name for path in save_binary("movie.raw", np.zeros((10, 64, 64), np.uint16))]
    ['movie.raw', 'movie.json']
    """
    target = target_of(path, name, (DEFAULT_NAME, ".bin"), binary.SUFFIXES)
    return imsave(
        images,
        target,
        overwrite=overwrite,
        workers=workers,
        progress=progress,
        cancel=cancel,
    )


def _find_binary(path: Path, is_described: bool) -> Path:
    """Return the raw file: the path itself, with a suffix added, or the one in a folder."""
    if path.is_file():
        return path
    named = [path.with_name(path.name + suffix) for suffix in binary.SUFFIXES]
    found = next((candidate for candidate in named if candidate.is_file()), None)
    if found is not None:
        return found
    if not path.is_dir():
        unfinished = next(filter(None, map(interrupted_save, [path, *named])), None)
        raise MissingFileError(unfinished or missing_path(path))

    if not is_described:
        described = binary.described_files(path)
        preferred = [file for file in described if file.stem == DEFAULT_NAME]
        return find_single_file(path, preferred or described)
    raw = [file for file in sorted(path.iterdir()) if file.suffix.lower() in binary.SUFFIXES]
    legacy = [path / DEFAULT_NAME] if (path / DEFAULT_NAME).is_file() else []
    preferred = [file for file in raw if file.stem == DEFAULT_NAME]
    return find_single_file(path, preferred or raw or legacy)
