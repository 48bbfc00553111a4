"""Images with outer axes over a grid of files, one for each combination of positions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.frames import ReadFrame
from napari_ferry.codecs.tiff.folders.same_layout import join_files
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Channel, Image


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Files of one data set by their positions on its outer axes.

    Parameters
    ----------
    labels : mapping of str to sequence of str
        Labels along each axis, slowest axis first.
    paths : sequence of Path or None
        The file of each combination, in C order; None for a missing file, whose frames are zero.
    name : str
        Name of the data set; empty for the name of the first file.
    """

    labels: Mapping[str, Sequence[str]]
    paths: Sequence[Path | None]
    name: str

    @property
    def existing(self) -> list[Path]:
        """The existing files."""
        return [path for path in self.paths if path is not None]


@dataclass(frozen=True)
class _GridReader(Closable):
    """Reader of frames of a grid with missing files.

    Parameters
    ----------
    read : callable
        Reads a frame of the existing files.
    files : array of int64, axis file
        Number of each file of the grid among the existing ones; -1 for a missing file.
    n_frames : int
        Number of frames in a file.
    shape, dtype
        Of a frame.
    """

    read: ReadFrame
    files: NDArray[np.int64]
    n_frames: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, i: int) -> NDArray[Any]:
        file = int(self.files[i // self.n_frames])
        if file < 0:
            return np.zeros(self.shape, self.dtype)
        return self.read(file * self.n_frames + i % self.n_frames)

    def close(self) -> None:
        """Close the files."""
        close(self.read)


def read_grid(grid: Grid, firsts: Sequence[Image]) -> list[Image]:
    """Open the images of a grid; each file has the same images.

    Parameters
    ----------
    grid : Grid
        The files.
    firsts : sequence of Image
        The images of the first existing file.

    Raises
    ------
    UnreadableFileError
        A file is damaged or does not match the others, or has an axis of the grid itself.
    """
    paths = grid.existing
    stacks = join_files(paths, firsts, [False] * len(firsts))
    names = stack_names(grid.name, paths[0], firsts)
    return [
        _grid_image(grid, first, stack.reader, own)
        for first, stack, own in zip(firsts, stacks, names, strict=True)
    ]


def _grid_image(grid: Grid, first: Image, read: ReadFrame, name: str) -> Image:
    """Return an image with the axes of a grid before the axes of the first file's image.

    Raises
    ------
    UnreadableFileError
        The image in the file already has one of the axes.
    """
    labels = grid.labels
    own = [
        (axis, n)
        for axis, n in zip(first.axes, first.shape, strict=True)
        if axis.name not in labels or n > 1
    ]
    if set(labels) & {axis.name for axis, _ in own}:
        other = next(letter for letter in "ijkp" if letter not in first.axis_names)
        raise UnreadableFileError(
            f"{grid.existing[0].name} contains the axes {' '.join(first.axis_names)}, but the "
            f"names of the files assign the axes {' '.join(labels)} to the set: use another field "
            f"in a pattern for imload, such as {{{other}}}, or rename the files."
        )

    shape = (*(len(values) for values in labels.values()), *(n for _, n in own))
    lead = len(shape) - first.frame_ndim
    if None in grid.paths:
        numbers = np.cumsum([path is not None for path in grid.paths]) - 1
        files = np.where([path is None for path in grid.paths], -1, numbers)
        n_frames = math.prod(first.shape[: -first.frame_ndim])
        read = _GridReader(read, files, n_frames, shape[lead:], first.dtype)

    by_channel = "c" in labels  # then the files describe one channel each
    return replace(
        first,
        levels=(Frames(read, shape, first.dtype, lead),),
        axes=(*map(Axis, labels), *(axis for axis, _ in own)),
        channels=tuple(map(Channel, labels["c"])) if by_channel else first.channels,
        name=name,
        display={} if by_channel else first.display,
        metadata={**first.metadata, "labels": dict(labels)},
    )


def stack_names(name: str, path: Path, images: Sequence[Image]) -> list[str]:
    """Return the names of the images of a stack: the name of the stack, if it has one.

    Several images keep the names that they have in the first file.

    Parameters
    ----------
    name : str
        Name of the stack, or empty.
    path : Path
        The first file.
    images : sequence of Image
        The images of the first file.
    """
    file_name = stem_of(path)
    is_several = len(images) > 1
    return [
        image.name if not name or (is_several and image.name != file_name) else name
        for image in images
    ]
