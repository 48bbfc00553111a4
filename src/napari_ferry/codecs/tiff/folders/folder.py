"""Images of several TIFF files: our series, sets of OME-TIFF, partitions and plain stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.folders.own_series import are_parts, read_series
from napari_ferry.codecs.tiff.folders.partition import (
    parse_partition,
    read_partition,
    stack_names,
)
from napari_ferry.codecs.tiff.folders.same_layout import FileStack, join_files
from napari_ferry.codecs.tiff.images.page_runs import FRAME_VALUES
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import find_gap, tiff_files
from napari_ferry.codecs.tiff.pages.arrays import PageReader
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED
from napari_ferry.imagej import ASSUMED_TIME


def read_folder(folder: Path) -> list[Image]:
    """Open the TIFF files of a folder as one series or stack, in natural order.

    Hidden files are left out.

    Raises
    ------
    UnreadableFileError
        The folder has no TIFF files, or a file is damaged, missing or does not match the others.
    """
    paths = tiff_files(folder)
    if not paths:
        raise UnreadableFileError(f"{folder} holds no .tif or .tiff files: choose another folder.")

    labels = parse_partition(paths)
    if len(paths) > 1 and labels:
        return read_partition(folder, labels)
    if are_parts(paths):
        return read_series(paths)

    gap = find_gap([path.name for path in paths])
    if gap:
        raise UnreadableFileError(
            f"The numbers of the files in {folder} are not consecutive between {gap.before} and "
            f"{gap.after}: put back the missing file or remove the duplicate, or open the files "
            "themselves together."
        )
    return _read_plain_stack(paths, folder.name)


def read_stack(paths: Sequence[Path]) -> list[Image]:
    """Open TIFF files as one stack, in the given order; parts of a series as the whole series.

    Raises
    ------
    UnreadableFileError
        A file is damaged or does not match the others.
    """
    return read_series(paths) if are_parts(paths) else _read_plain_stack(paths, "")


def _read_plain_stack(paths: Sequence[Path], name: str) -> list[Image]:
    """Open files of other programs as one stack, named after the first file if `name` is empty."""
    first = read_images(paths[0])
    if len(paths) == 1:
        return first
    if len(_files_of(first)) > 1:
        return _read_sets(paths, first)

    extends = [image.axes[0].name == "t" for image in first]
    stacks = join_files(paths, first, extends)
    names = stack_names(name, paths[0], first)
    return [_stack(*parts) for parts in zip(first, stacks, extends, names, strict=True)]


def _read_sets(paths: Sequence[Path], first: Sequence[Image]) -> list[Image]:
    """Open the OME-TIFF sets of some files, each set once.

    Raises
    ------
    UnreadableFileError
        A file does not belong to a set.
    """
    images: list[Image] = [*first]
    seen = _files_of(first)
    for path in paths:
        if path in seen:
            continue
        opened = read_images(path)
        files = _files_of(opened)
        if len(files) < 2:
            raise UnreadableFileError(
                f"{path.name} does not belong to an OME-TIFF set, unlike {paths[0].name}: open it "
                "by itself, or open only the files of a set."
            )

        images += opened
        seen |= files
    return images


def _files_of(images: Sequence[Image]) -> set[Path]:
    """Return the files with the pixels of some images; empty for evenly spaced pixels."""
    readers = [image.array.read for image in images if isinstance(image.array, Frames)]
    sources = [reader.files for reader in readers if isinstance(reader, PageReader)]
    sources += [image.array.files for image in images if isinstance(image.array, Tiles)]
    return {file.path for files in sources for file in files if file is not None}


def _stack(first: Image, stack: FileStack, extends: bool, name: str) -> Image:
    """Join files along time: along their own first axis if it `extends`, else along a new axis."""
    shape = (sum(stack.lengths), *(first.shape[1:] if extends else first.shape))
    lead = len(shape) - first.frame_ndim
    axes = first.axes if extends else (Axis("t"), *first.axes)
    metadata = {key: value for key, value in first.metadata.items() if key != FRAME_VALUES}
    if not extends:
        metadata[ASSUMED] = ASSUMED_TIME
    array = Frames(stack.reader, shape, first.dtype, lead)
    return replace(first, levels=(array,), axes=axes, name=name, metadata=metadata)
