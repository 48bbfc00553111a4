"""Several TIFF files -> images: series of ours, sets of OME-TIFF, partitions, plain stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.folders.own_series import are_parts, read_series
from napari_ferry.codecs.tiff.folders.partition import name_in, partition, read_partition
from napari_ferry.codecs.tiff.folders.same_layout import Alike, stacks_of
from napari_ferry.codecs.tiff.images.page_runs import FRAME_VALUES
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import find_gap, tiff_files
from napari_ferry.codecs.tiff.pages.arrays import Planes
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED
from napari_ferry.imagej import ASSUMED_TIME


def read_folder(folder: Path) -> list[Image]:
    """Open the TIFF files of a folder: as the whole of a series, or as one stack.

    Files are taken in natural order, hidden ones are left out.

    Raises
    ------
    UnreadableFileError
        There are none, one is damaged, or they do not fit together.
    """
    paths = tiff_files(folder)
    if not paths:
        raise UnreadableFileError(f"{folder} holds no .tif or .tiff file: name another folder.")
    names = partition(paths)
    if len(paths) > 1 and names:
        return read_partition(folder, names)
    if are_parts(paths):
        return read_series(paths)
    gap = find_gap([path.name for path in paths])
    if gap:
        raise UnreadableFileError(
            f"Between {gap[0]} and {gap[1]} in {folder} the count is broken: put back what is "
            "missing or take out what is double, or open the files themselves together."
        )
    return _read_alike(paths, folder.name)


def read_stack(paths: Sequence[Path]) -> list[Image]:
    """Open TIFF files as one stack, in the order given; parts of a series as the whole.

    Raises
    ------
    UnreadableFileError
        One is damaged, or they do not fit together.
    """
    return read_series(paths) if are_parts(paths) else _read_alike(paths, "")


def _read_alike(paths: Sequence[Path], name: str) -> list[Image]:
    """Open files that are no parts as one stack, called as the first of them unless named."""
    first = read_images(paths[0])
    if len(paths) == 1:
        return first
    if len(_files_of(first)) > 1:
        return _read_sets(paths, first)
    extends = [image.axes[0].name == "t" for image in first]
    stacks = stacks_of(paths, first, extends)
    names = name_in(name, paths[0], first)
    return [_stack(*found) for found in zip(first, stacks, extends, names, strict=True)]


def _read_sets(paths: Sequence[Path], first: Sequence[Image]) -> list[Image]:
    """Open every set of OME-TIFF of which some files are part, once.

    Raises
    ------
    UnreadableFileError
        A file is part of no set.
    """
    images: list[Image] = [*first]
    seen = _files_of(first)
    for path in paths:
        if path in seen:
            continue
        found = read_images(path)
        files = _files_of(found)
        if len(files) < 2:
            raise UnreadableFileError(
                f"{path.name} stands among the files of an OME-TIFF set, such as "
                f"{paths[0].name}, and belongs to none: open it by itself, or a file of the set."
            )
        images += found
        seen |= files
    return images


def _files_of(images: Sequence[Image]) -> set[Path]:
    """Return the files that images lie in, when they lie in several."""
    readers = [image.array.read for image in images if isinstance(image.array, Frames)]
    sources = [read.files for read in readers if isinstance(read, Planes)]
    sources += [image.array.files for image in images if isinstance(image.array, Tiles)]
    return {file.path for files in sources for file in files if file is not None}


def _stack(first: Image, stack: tuple[Alike, tuple[int, ...]], extends: bool, name: str) -> Image:
    """Join files along time: their own where it is their first axis, else a new one."""
    read, lengths = stack
    shape = (sum(lengths), *(first.shape[1:] if extends else first.shape))
    lead = len(shape) - first.frame_ndim
    axes = first.axes if extends else (Axis("t"), *first.axes)
    metadata = {key: value for key, value in first.metadata.items() if key != FRAME_VALUES}
    metadata |= {} if extends else {ASSUMED: ASSUMED_TIME}
    array = Frames(read, shape, first.dtype, lead)
    return replace(first, levels=(array,), axes=axes, name=name, metadata=metadata)
