"""Where the planes of an OME-TIFF are, and which OME dimension counts each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis
from napari_ferry.image.axes import frame_ndim
from napari_ferry.image.record import MAX_PLANES, Description

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_ferry.image import Image


BLOCK_COLUMNS = ("IFD", "PlaneCount", "FirstC", "FirstZ", "FirstT")
"""The attributes of a TiffData, in the order of the columns of `OmeImage.blocks`."""


class TiffData(NamedTuple):
    """Which planes some consecutive IFDs of one file hold; `count` is -1 for all that follow.

    `filename` is ``None`` for the file that carries the description.
    """

    ifd: int
    count: int  # type: ignore[assignment]  # a tuple's method of that name is not missed
    first_c: int
    first_z: int
    first_t: int
    filename: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, eq=False)
class OmeImage:
    """One Image of an OME-XML.

    Parameters
    ----------
    description : Description
        The image as it is to be opened.
    plane_order : str
        The DimensionOrder that the planes are stored in, fastest first, such as ``XYCZT``.
    size_c, size_z, size_t : int
        Number of planes along each dimension.
    samples : int
        Samples of a pixel: 3 or 4 for a color.
    files : tuple of str or None
        The distinct names of the files that hold the planes; ``None`` is this file.
    uuids : tuple of str or None
        What each of them says that it is; ``None`` where that is not said.
    blocks : array of int64, axes block, (ifd, count, first c, z, t, file)
        Where the planes are: what each TiffData says. A count of -1 is for all that follow.
    creator : str
        The program that wrote the document; empty for an image with a record of ours.
    """

    description: Description
    plane_order: str
    size_c: int
    size_z: int
    size_t: int
    samples: int
    files: tuple[str | None, ...]
    uuids: tuple[str | None, ...]
    blocks: NDArray[np.int64]
    creator: str = ""

    def planes(self) -> NDArray[np.int64]:
        """Return where each plane is, in C order of the description's leading axes.

        Returns
        -------
        numpy.ndarray
            Axes (plane, 2), int64: index into `files` and IFD; -1 where no TiffData names it.

        Raises
        ------
        UnreadableFileError
            The blocks name more than `MAX_PLANES` planes.
        """
        stored = self.plane_order[:1:-1].lower()
        sizes = {"c": self.size_c, "z": self.size_z, "t": self.size_t}
        cube = self._stored_planes(stored, sizes).reshape(*(sizes[dim] for dim in stored), 2)
        wanted = dict.fromkeys([*dimensions(self.description.axes).values(), *stored])
        return cube.transpose(*(stored.index(dim) for dim in wanted), 3).reshape(-1, 2)

    def _stored_planes(self, stored: str, sizes: Mapping[str, int]) -> NDArray[np.int64]:
        """Return (file, ifd) of each plane in the order of the DimensionOrder."""
        table = np.full((math.prod(sizes.values()), 2), -1, np.int64)
        blocks = self.blocks
        blocks = blocks[(blocks[:, 2:5] < [sizes[dim] for dim in "czt"]).all(axis=1)]
        strides = {
            dim: math.prod(sizes[d] for d in stored[i + 1 :]) for i, dim in enumerate(stored)
        }
        start = blocks[:, 2:5] @ np.array([strides[dim] for dim in "czt"])
        count = _counts(blocks[:, 1], start, len(table))
        index, step = _spread(start, count)
        table[index, 0] = np.repeat(blocks[:, 5], count)
        table[index, 1] = np.repeat(blocks[:, 0], count) + step
        return table


def _counts(count: NDArray[np.int64], start: NDArray[np.int64], n_planes: int) -> NDArray[np.int64]:
    """Return how many planes each block names: to the next block where it does not say."""
    edges = np.append(np.unique(start), n_planes)
    following = edges[np.searchsorted(edges, start, side="right")] - start
    counts: NDArray[np.int64] = np.minimum(np.where(count < 0, following, count), n_planes - start)
    if counts.sum() > MAX_PLANES:
        raise UnreadableFileError(
            f"The OME-XML assigns {counts.sum()} planes to an image of {n_planes}: "
            "its TiffData are damaged."
        )
    return counts


def _spread(
    start: NDArray[np.int64], count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``start + 0 .. count - 1`` of all blocks in one row, and the added steps."""
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(start, count) + step, step


def plane_position(image: Image, plane: int) -> tuple[int, int, int]:
    """Return the place (c, z, t) of a plane, counted in C order of the leading axes."""
    sizes = plane_counts(image.axes, image.shape)
    dims = list(dict.fromkeys(dimensions(image.axes).values()))
    index = np.unravel_index(plane, [sizes[dim] for dim in dims]) if dims else ()
    place = {"c": 0, "z": 0, "t": 0} | dict(zip(dims, map(int, index), strict=True))
    return place["c"], place["z"], place["t"]


def dimensions(axes: Sequence[Axis]) -> dict[str, str]:
    """Return the OME dimension (t, z or c) that counts each leading axis, in their order.

    Axes that OME does not know share a dimension with their neighbors, or take a free one, so
    that the C order of the planes stays as it is.

    >>> dimensions([Axis(name) for name in "ptcyx"]), dimensions([Axis(n) for n in "paczyx"])
    ({'p': 'z', 't': 't', 'c': 'c'}, {'p': 't', 'a': 't', 'c': 'c', 'z': 'z'})
    """
    names = [axis.name for axis in axes[: len(axes) - frame_ndim(axes)]]
    dims = [name if name in ("t", "z", "c") else "" for name in names]
    while "" in dims:
        first = dims.index("")
        last = next((i for i in range(first, len(dims)) if dims[i]), len(dims))
        dims[first:last] = _dimension_of_run(dims, first, last) * (last - first)
    return dict(zip(names, dims, strict=True))


def _dimension_of_run(dims: Sequence[str], first: int, last: int) -> str:
    """Choose the dimension for the axes first..last-1, whose neighbors have theirs."""
    beside = {*dims[max(first - 1, 0) : first], *dims[last : last + 1]}
    choices = [dim for dim in "tz" if dim not in dims]
    choices += ["t"] * ("t" in beside) + ["c"] * ("c" not in dims)
    return (choices + [dim for dim in "zc" if dim in beside])[0]


def plane_counts(axes: Sequence[Axis], shape: Sequence[int]) -> dict[str, int]:
    """Return the number of planes along the OME dimensions c, z and t."""
    sizes = {"c": 1, "z": 1, "t": 1}
    for dim, size in zip(dimensions(axes).values(), shape, strict=False):
        sizes[dim] *= size
    return sizes


def names_channels(axes: Sequence[Axis]) -> bool:
    """Return whether the Channels of OME are those of the image, not also another axis."""
    return all(name == "c" for name, dim in dimensions(axes).items() if dim == "c")


def plane_shape(axes: Sequence[Axis], shape: Sequence[int]) -> tuple[int, ...]:
    """Return (y, x) or (y, x, s) of the last axes; empty where they are not those of a plane."""
    names = [axis.name for axis in axes[-frame_ndim(axes) :]] if axes else []
    return tuple(shape[-len(names) :]) if names in (["y", "x"], ["y", "x", "s"]) else ()
