"""Images of an acquisition with one file for each plane or each stack."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.tiff.folders.acquisition_names import Acquisition
from napari_ferry.codecs.tiff.folders.file_grid import Grid, read_grid
from napari_ferry.codecs.tiff.folders.plain_stack import join_stack
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.errors import warn
from napari_ferry.files.short_texts import count_things
from napari_ferry.image import Image
from napari_ferry.image.record import ASSUMED

_AXIS_WORDS = {"p": "position", "t": "time point", "c": "channel", "z": "plane"}


def read_acquisition(
    acquisition: Acquisition, opened: Mapping[Path, Sequence[Image]]
) -> list[Image]:
    """Open the images of an acquisition.

    Parameters
    ----------
    acquisition : Acquisition
        Its files.
    opened : mapping of Path to sequence of Image
        Images of files that are already open.

    Raises
    ------
    UnreadableFileError
        A file is damaged or does not match the others.

    Warns
    -----
    FerryWarning
        The axes follow from the names of the files; files are missing, and their frames are zero.
    """
    images = [image for grid in acquisition.grids for image in _read_data_set(grid, opened)]
    warn(_describe(acquisition))
    return images


def _describe(acquisition: Acquisition) -> str:
    """Describe the acquisition according to the names of its files, in one sentence."""
    paths = [path for grid in acquisition.grids for path in grid.paths]
    example = acquisition.grids[0].existing[0]
    counts = [count_things(n, _AXIS_WORDS[axis]) for axis, n in acquisition.sizes.items()]
    sets = len(acquisition.grids)
    images = f" in each of {count_things(sets, 'image')}" if sets > 1 else ""

    missing = paths.count(None)
    files = count_things(len(paths) - missing, "file")
    absent = count_things(missing, "file")
    are_zero = f"; {absent} missing, whose frames are zero" if missing else ""
    return (
        f"The names of {files} such as {example.name} are read as names by {acquisition.program}, "
        f"with {', '.join(counts)}{images}{are_zero}: rename the files if this is wrong."
    )


def _read_data_set(grid: Grid, opened: Mapping[Path, Sequence[Image]]) -> list[Image]:
    """Open the images of one data set; an axis in the names may also be inside the files."""
    path = grid.existing[0]
    firsts = opened[path] if path in opened else read_images(path)
    if not grid.labels:
        return [*firsts]
    taken = {
        name
        for image in firsts
        for name, n in zip(image.axis_names, image.shape, strict=True)
        if n > 1 and name in grid.labels
    }
    if not taken:
        return read_grid(grid, firsts)

    # pages of unknown meaning are planes if the names give the times
    if taken == {"t"} and "z" not in grid.labels and all(ASSUMED in i.metadata for i in firsts):
        return read_grid(grid, [_with_planes(image) for image in firsts])
    return [
        image
        for part in _split_grid(grid, taken)
        for image in join_stack(part, "", read_images(part[0]))
    ]


def _with_planes(image: Image) -> Image:
    """Return an image with planes instead of the assumed times."""
    metadata = {key: value for key, value in image.metadata.items() if key != ASSUMED}
    axes = tuple(replace(axis, name="z") if axis.name == "t" else axis for axis in image.axes)
    return replace(image, axes=axes, metadata=metadata)


def _split_grid(grid: Grid, taken: set[str]) -> list[list[Path]]:
    """Return the existing files of each position on the other axes of a grid."""
    shape: Mapping[str, Sequence[int]] = {
        axis: range(len(labels)) for axis, labels in grid.labels.items()
    }
    parts: dict[tuple[int, ...], list[Path]] = {}
    for path, position in zip(grid.paths, itertools.product(*shape.values()), strict=True):
        kept = tuple(i for axis, i in zip(shape, position, strict=True) if axis not in taken)
        if path is not None:
            parts.setdefault(kept, []).append(path)
    return [*parts.values()]
