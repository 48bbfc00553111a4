"""Several movies as one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from napari_ferry.arrays import Frames
from napari_ferry.arrays.joined import join_readers
from napari_ferry.errors import warn
from napari_ferry.image import Axis, Image


class MovieReader(Protocol):
    """Function that opens the only image of a file, with at least some samples per pixel."""

    def __call__(self, path: Path, *, least_samples: int = 1) -> Image:
        """Open a file."""


def open_joined(paths: Sequence[Path], read: MovieReader) -> list[Image]:
    """Open several files as one stack, in color if one of them is; see `join_movies`."""
    images = [read(path) for path in paths]
    most = max(image.size("s") for image in images)
    images = [
        image if image.size("s") == most else read(path, least_samples=most)
        for path, image in zip(paths, images, strict=True)
    ]
    return join_movies(images, paths)


def join_movies(images: Sequence[Image], paths: Sequence[Path]) -> list[Image]:
    """Join the images of several files along time, in the given order.

    Files with axis t are joined along it, others along a new axis t. Everything but the pixels is
    that of the first file. Files whose frames differ in size or type remain separate images.

    Parameters
    ----------
    images : sequence of Image
        One image of each file, lazy.
    paths : sequence of Path
        The files.

    Warns
    -----
    FerryWarning
        The files differ in their frames or frame rate, or list a time for each frame.
    """
    first = images[0]
    extends = first.axis_names[0] == "t"
    if not _are_alike(images, paths, extends):
        return list(images)
    _warn_of_times(images, paths)

    parts = [image.array for image in images if isinstance(image.array, Frames)]
    count = sum(image.shape[0] for image in images) if extends else len(images)
    shape = (count, *first.shape[1 if extends else 0 :])
    frame_ndim = parts[0].ndim - parts[0].lead
    array = Frames(join_readers(parts), shape, first.dtype, len(shape) - frame_ndim)
    axes = first.axes if extends else (Axis("t"), *first.axes)
    return [replace(first, levels=(array,), axes=axes, metadata=_common_metadata(first))]


def _are_alike(images: Sequence[Image], paths: Sequence[Path], extends: bool) -> bool:
    """Return True if the frames of all files fit together; otherwise warn."""
    fixed = 1 if extends else 0
    expected = _layout(images[0], fixed)
    for image, path in zip(images, paths, strict=True):
        found = _layout(image, fixed)
        if found != expected:
            warn(
                f"{path.name} has {' '.join(found[0])} of {found[1]}, {found[2]}, but "
                f"{paths[0].name} has {' '.join(expected[0])} of {expected[1]}, {expected[2]}: "
                "the files are not joined to a stack."
            )
            return False
    return True


def _layout(image: Image, fixed: int) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Return the axes, shape and type common to all files."""
    return image.axis_names[fixed:], tuple(image.shape[fixed:]), str(image.dtype)


def _warn_of_times(images: Sequence[Image], paths: Sequence[Path]) -> None:
    """Warn about different frame rates and uneven times."""
    axes = [image.axes[0] for image in images if image.axis_names[0] == "t"]
    if len({(round(axis.scale, 9), axis.unit) for axis in axes}) > 1:
        warn(f"The frame rates of the files differ: that of {paths[0].name} is used for all.")
    uneven = [path.name for path, image in zip(paths, images, strict=True) if _times(image)]
    if uneven:
        warn(f"The frames of {', '.join(uneven)} are unevenly spaced: their mean step is used.")


def _times(image: Image) -> set[str]:
    """Return the keys of metadata with a value for each frame."""
    count = image.shape[0]
    return {
        key
        for key, value in image.metadata.items()
        if isinstance(value, list) and len(value) == count
    }


def _common_metadata(image: Image) -> dict[str, Any]:
    return {key: value for key, value in image.metadata.items() if key not in _times(image)}
