"""Distinction between folders of one data set and folders of several recordings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.codecs.tiff.folders.acquisition_names import parse_acquisition
from napari_ferry.codecs.tiff.folders.name_families import split_thumbnails
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.folders.partition import is_partition, parse_partition
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import (
    companion_files,
    folders_of_files,
    stem_of,
    tiff_files,
)

_NUMBER = re.compile(r"\d+")


def is_single_stack(folder: Path) -> bool:
    """Return True for a folder of single frames, of positions, or of files with axes in names.

    Files with several frames each are recordings of their own.

    Raises
    ------
    UnreadableFileError
        The first file is damaged.
    """
    paths = tiff_files(folder)
    if not paths:
        return not companion_files(folder) and any(map(tiff_files, folders_of_files(folder)))
    if companion_files(folder) or len(paths) == 1:
        return False

    labels = parse_partition(paths)
    if labels and is_partition(labels):
        return True
    frames, _ = split_thumbnails(paths)
    return len(frames) > 1 and _are_numbered(frames, folder) and _is_frame(frames[0])


def _are_numbered(paths: Sequence[Path], folder: Path) -> bool:
    """Return True for names from a microscope, or for names equal except for numbers."""
    names = {_NUMBER.sub("#", stem_of(path)) for path in paths}
    return len(names) == 1 or parse_acquisition(paths, folder.name) is not None


def _is_frame(path: Path) -> bool:
    """Return True for a file with one frame, other than a part of a series."""
    images = read_images(path)
    return len(images) == 1 and images[0].ndim == images[0].frame_ndim and not is_own_part(path)
