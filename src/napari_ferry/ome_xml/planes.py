"""Planes of an OME-TIFF: their files and IFDs, and the OME dimension of each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis
from napari_ferry.image.axes import frame_ndim
from napari_ferry.image.record import MAX_PLANES, Description
from napari_ferry.ome_xml.plane_lists import MAX_INT, ElementList, parse_whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_ferry.image import Image


BLOCK_COLUMNS = ("IFD", "PlaneCount", "FirstC", "FirstZ", "FirstT")
"""The attributes of a TiffData, in the order of the columns of `OmeImage.blocks`."""


class TiffData(NamedTuple):
    """Planes in consecutive IFDs of one file.

    A `count` of -1 includes all following IFDs, up to that of another element. `filename` is
    ``None`` for the file that contains the OME-XML.
    """

    ifd: int
    count: int  # type: ignore[assignment]  # hides the method tuple.count
    first_c: int
    first_z: int
    first_t: int
    filename: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class OmeImage:
    """One Image of an OME-XML.

    Parameters
    ----------
    description : Description
        Description of the image.
    plane_order : str
        The DimensionOrder of the stored planes, fastest first, such as ``XYCZT``.
    size_c, size_z, size_t : int
        Number of planes along each dimension.
    samples : int
        Samples per pixel: 3 for RGB, 4 for RGBA.
    files : tuple of str or None
        The distinct names of the files with the planes; ``None`` is this file.
    uuids : tuple of str or None
        The UUID of each file, ``None`` if unknown.
    blocks : array of int64, axes block, (ifd, count, first c, z, t, file)
        The planes of each TiffData. A count of -1 includes all following planes; see
        `plane_ranges`.
    creator : str
        The program that wrote the document; empty for an image with our own record.
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
        """Return the file and IFD of each plane, in C order of the leading axes.

        Returns
        -------
        numpy.ndarray
            Axes (plane, 2), int64: index into `files` and IFD; -1 for planes without a TiffData.

        Raises
        ------
        UnreadableFileError
            The blocks contain more than `MAX_PLANES` planes.
        """
        stored = self.plane_order[:1:-1].lower()
        sizes = {"c": self.size_c, "z": self.size_z, "t": self.size_t}
        cube = self._stored_planes(stored, sizes).reshape(*(sizes[dim] for dim in stored), 2)
        return cube.transpose(*map(stored.index, self._dimension_order(stored)), 3).reshape(-1, 2)

    def is_in_order(self) -> bool:
        """Return True if plane i is page i of its file, in C order of the leading axes."""
        sizes = {"c": self.size_c, "z": self.size_z, "t": self.size_t}
        stored, count = self.plane_order[:1:-1].lower(), math.prod(sizes.values())
        if len(self.blocks) == 1 and self.blocks.tolist() == [[0, count, 0, 0, 0, 0]]:
            orders = (stored, self._dimension_order(stored))
            if len({tuple(dim for dim in order if sizes[dim] > 1) for order in orders}) == 1:
                return True
        return bool((self.planes()[:, 1] == np.arange(count)).all())

    def _dimension_order(self, stored: str) -> list[str]:
        """Return c, z and t in the order of the leading axes, then those without an axis."""
        return [*dict.fromkeys([*dimensions(self.description.axes).values(), *stored])]

    def _stored_planes(self, stored: str, sizes: Mapping[str, int]) -> NDArray[np.int64]:
        """Return (file, ifd) of each plane in the order of the DimensionOrder."""
        table = np.full((math.prod(sizes.values()), 2), -1, np.int64)
        index, step = (ranges := plane_ranges(self)).spread()
        table[index, 0] = np.repeat(ranges.file, ranges.count)
        table[index, 1] = np.repeat(ranges.ifd, ranges.count) + step
        return table


class PlaneRanges(NamedTuple):
    """Ranges of the planes of an image, in the order of the DimensionOrder.

    Parameters
    ----------
    start, count : array of int64, axis range
        Number of the first plane, and of planes.
    file, ifd : array of int64, axis range
        Index into `OmeImage.files`, and the IFD of the first plane.
    """

    start: NDArray[np.int64]
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides the method tuple.count
    file: NDArray[np.int64]
    ifd: NDArray[np.int64]

    def spread(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of each plane, and its distance from the first of its range.

        Raises
        ------
        UnreadableFileError
            There are more than `MAX_PLANES` planes.
        """
        count = self.count
        if count.sum() > MAX_PLANES:
            raise UnreadableFileError(
                f"The OME-XML assigns {count.sum()} planes to an image: its TiffData are damaged."
            )
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(self.start, count) + step, step


def plane_ranges(image: OmeImage) -> PlaneRanges:
    """Return the planes of each TiffData of an image, without those outside its sizes.

    As in Bio-Formats, a TiffData without a count extends to the next one: the next plane or the
    next IFD of the same file, whichever is nearer.
    """
    stored = image.plane_order[:1:-1].lower()
    sizes = {"c": image.size_c, "z": image.size_z, "t": image.size_t}
    strides = {dim: math.prod(sizes[d] for d in stored[i + 1 :]) for i, dim in enumerate(stored)}
    blocks = _from_zero(image.blocks, [sizes[dim] for dim in "czt"])
    blocks = blocks[(blocks[:, 2:5] < [sizes[dim] for dim in "czt"]).all(axis=1)]

    start = blocks[:, 2:5] @ np.array([strides[dim] for dim in "czt"])
    n_planes, count = math.prod(sizes.values()), blocks[:, 1]
    edges = np.append(np.sort(start), n_planes)
    following = edges[np.searchsorted(edges, start, side="right")] - start
    if (count < 0).any():
        following = np.minimum(following, _distance_to_next_ifd(blocks))
    count = np.minimum(np.where(count < 0, following, count), n_planes - start)
    return PlaneRanges(start, count, blocks[:, 5], blocks[:, 0])


def _from_zero(blocks: NDArray[np.int64], sizes: Sequence[int]) -> NDArray[np.int64]:
    """Return blocks with positions counted from 0; some programs count c, z or t from 1.

    Parameters
    ----------
    blocks : array of int64
        See `OmeImage.blocks`.
    sizes : sequence of int
        Lengths of c, z and t.
    """
    if not len(blocks):
        return blocks
    positions = blocks[:, 2:5]
    is_from_one = (positions.min(0) == 1) & (positions.max(0) == sizes)
    if not is_from_one.any():
        return blocks
    shifted = blocks.copy()
    shifted[:, 2:5] -= is_from_one
    return shifted


def _distance_to_next_ifd(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of IFDs of each block before the next block in the same file."""
    # IFDs of different files are far apart
    key = blocks[:, 5] * (MAX_INT + 1) + blocks[:, 0]
    keys = np.append(np.sort(key), np.iinfo(np.int64).max)
    return np.asarray(keys[np.searchsorted(keys, key, side="right")] - key)


class TiffDataTable(NamedTuple):
    """Files, UUIDs and blocks of an `OmeImage`."""

    files: tuple[str | None, ...]
    uuids: tuple[str | None, ...]
    blocks: NDArray[np.int64]


def parse_tiff_data(tiff_data: ElementList, own_uuid: str | None) -> TiffDataTable:
    """Return the files of the planes, their UUIDs, and the planes of each TiffData."""
    table = np.zeros((tiff_data.length, 6), np.int64)
    for k, name in enumerate(BLOCK_COLUMNS):
        table[:, k] = parse_whole_numbers(tiff_data.column(name), name)
    if "NumPlanes" in tiff_data.columns:  # its name before 2008-09
        old = parse_whole_numbers(tiff_data.column("NumPlanes"), "NumPlanes")
        table[:, 1] = np.where(table[:, 1] < 0, old, table[:, 1])
    table[:, [0, 2, 3, 4]] = np.maximum(table[:, [0, 2, 3, 4]], 0)

    names = {uuid: _file_of(*file, own_uuid) for uuid, file in tiff_data.files.items()}
    files: dict[str | None, int] = {} if names or not tiff_data.length else {None: 0}
    numbers = {uuid: files.setdefault(name, len(files)) for uuid, name in names.items()}
    if len(files) > 1:
        table[:, 5] = [numbers[uuid] for uuid in tiff_data.uuids]

    uuids: dict[str | None, str | None] = {}
    for key, (_, uuid) in tiff_data.files.items():
        uuids.setdefault(names[key], uuid)
    return TiffDataTable(tuple(files), tuple(map(uuids.get, files)), table)


def _file_of(name: str | None, uuid: str | None, own_uuid: str | None) -> str | None:
    """Return the name of a file, its UUID without a name, or ``None`` for this file.

    This file is recognized by its UUID, as it may have been renamed.
    """
    uuid = (uuid or "").strip() or None
    foreign = uuid if own_uuid else None
    return None if uuid and uuid == own_uuid else name or foreign


def plane_position(image: Image, plane: int) -> tuple[int, int, int]:
    """Return the position (c, z, t) of a plane, counted in C order of the leading axes."""
    sizes = plane_counts(image.axes, image.shape)
    dims = list(dict.fromkeys(dimensions(image.axes).values()))
    index = np.unravel_index(plane, [sizes[dim] for dim in dims]) if dims else ()
    position = {"c": 0, "z": 0, "t": 0} | dict(zip(dims, map(int, index), strict=True))
    return position["c"], position["z"], position["t"]


def dimensions(axes: Sequence[Axis]) -> dict[str, str]:
    """Return the OME dimension (t, z or c) of each leading axis, in their order.

    Axes unknown to OME use a free dimension, or share one with their neighbors. The C order of
    the planes does not change.

    >>> dimensions([Axis(name) for name in "ptcyx"]), dimensions([Axis(n) for n in "paczyx"])
    ({'p': 'z', 't': 't', 'c': 'c'}, {'p': 't', 'a': 't', 'c': 'c', 'z': 'z'})
    """
    names = [axis.name for axis in axes[: len(axes) - frame_ndim(axes)]]
    dims = [name if name in ("t", "z", "c") else "" for name in names]
    while "" in dims:
        first = dims.index("")
        last = next((i for i in range(first, len(dims)) if dims[i]), len(dims))
        dims[first:last] = _shared_dimension(dims, first, last) * (last - first)
    return dict(zip(names, dims, strict=True))


def _shared_dimension(dims: Sequence[str], first: int, last: int) -> str:
    """Choose the dimension for the axes `first` to `last` - 1 from those of their neighbors."""
    neighbors = {*dims[max(first - 1, 0) : first], *dims[last : last + 1]}
    choices = [dim for dim in "tz" if dim not in dims]
    if "t" in neighbors:
        choices.append("t")
    if "c" not in dims:
        choices.append("c")
    return (choices + [dim for dim in "zc" if dim in neighbors])[0]


def plane_counts(axes: Sequence[Axis], shape: Sequence[int]) -> dict[str, int]:
    """Return the number of planes along the OME dimensions c, z and t."""
    sizes = {"c": 1, "z": 1, "t": 1}
    for dim, size in zip(dimensions(axes).values(), shape, strict=False):
        sizes[dim] *= size
    return sizes


def counts_only_channels(axes: Sequence[Axis]) -> bool:
    """Return True if only the axis ``c`` uses the OME dimension c."""
    return all(name == "c" for name, dim in dimensions(axes).items() if dim == "c")


def plane_shape(axes: Sequence[Axis], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the lengths of the axes (y, x) or (y, x, s); empty for other last axes."""
    names = [axis.name for axis in axes[-frame_ndim(axes) :]] if axes else []
    return tuple(shape[-len(names) :]) if names in (["y", "x"], ["y", "x", "s"]) else ()
