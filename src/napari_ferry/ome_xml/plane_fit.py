"""Comparison of the planes in an OME-XML with the pages of its files.

A recording that was stopped early, or a damaged number, has fewer pages than its OME-XML describes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image.axes import complete_steps
from napari_ferry.image.record import CHANNEL_DISPLAYS, MAX_PLANES, Description
from napari_ferry.ome_xml.planes import OmeImage, PlaneRanges, dimensions, plane_ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

CountPages = Callable[[int, int], int | None]
"""Returns the number of pages of a file; arguments: its index, and the number that is needed.

``None`` for a missing file, to which any number of planes may belong.
"""

_MAX_SPARSITY = 100
"""Ratio of described planes to existing pages above which an OME-XML is treated as damaged."""

_Kept = Mapping[str, "NDArray[np.int64]"]
"""Positions that are kept along the dimensions c, z and t."""


@dataclass(frozen=True, kw_only=True)
class PlaneFit:
    """An image with its existing planes.

    Parameters
    ----------
    image : OmeImage
        The image, shortened if planes are missing.
    described, existing : int
        Number of planes in the OME-XML, and of those that exist.
    omitted : int
        Number of existing planes in steps that are not complete, which are left out.
    filled : int
        Number of missing planes between others, which remain in the image.
    """

    image: OmeImage
    described: int
    existing: int
    omitted: int = 0
    filled: int = 0


def fit_planes(image: OmeImage, count_pages: CountPages) -> PlaneFit:
    """Shorten an image to its existing planes; memory is proportional to these.

    Positions of c, z and t without any plane are left out. If the planes end within a step of the
    slowest axis, this step is left out, too.

    Parameters
    ----------
    image : OmeImage
        The image.
    count_pages : callable
        Returns the number of pages of each file; see `CountPages`.

    Raises
    ------
    UnreadableFileError
        No plane exists, so few that the numbers must be damaged, or axes cannot be shortened.
    """
    described = image.size_c * image.size_z * image.size_t
    ranges = _existing_ranges(image, count_pages)
    if _is_complete(ranges, described):
        return PlaneFit(image=image, described=described, existing=described)

    planes = _existing_planes(image, ranges)
    existing = len(planes)
    if not existing:
        raise UnreadableFileError(f"it describes {described} planes, of which the pages have none")

    kept: _Kept = {dim: np.unique(planes[:, k]) for k, dim in enumerate("czt", 2)}
    n_kept = math.prod(map(len, kept.values()))
    if n_kept > existing and _is_prefix(image, planes, kept):
        stored = image.plane_order[:1:-1].lower()
        lengths = complete_steps([len(kept[dim]) for dim in stored], existing)
        kept = {dim: kept[dim][:n] for dim, n in zip(stored, lengths, strict=True)}
        n_kept = math.prod(map(len, kept.values()))
    elif n_kept > _MAX_SPARSITY * existing:
        raise UnreadableFileError(f"it describes {described} planes, but only {existing} exist")

    inside = np.logical_and.reduce([np.isin(planes[:, k], kept[d]) for k, d in enumerate("czt", 2)])
    return PlaneFit(
        image=_shortened(image, planes[inside], kept),
        described=described,
        existing=existing,
        omitted=existing - int(inside.sum()),
        filled=n_kept - int(inside.sum()),
    )


def use_each_page(images: Sequence[OmeImage], count: int) -> bool:
    """Return True if images of one file use each of its `count` pages once."""
    ranges = [plane_ranges(image) for image in images]
    ifd, length = (np.concatenate([getattr(r, name) for r in ranges]) for name in ("ifd", "count"))
    order = np.argsort(ifd, kind="stable")
    ends = np.cumsum(length[order])
    is_even = bool((ifd[order] == ends - length[order]).all())
    return is_even and int(length.sum()) == count


def _existing_ranges(image: OmeImage, count_pages: CountPages) -> PlaneRanges:
    """Return the existing planes of each TiffData.

    Raises
    ------
    UnreadableFileError
        Missing files would have an implausible number of planes.
    """
    ranges = plane_ranges(image)
    needed = np.zeros(len(image.files), np.int64)
    np.maximum.at(needed, ranges.file, ranges.ifd + ranges.count)
    pages = [count_pages(file, n) for file, n in enumerate(needed.tolist())]
    limits = np.array([MAX_PLANES if n is None else n for n in pages], np.int64)
    count = np.clip(limits[ranges.file] - ranges.ifd, 0, ranges.count)

    is_missing = np.array([n is None for n in pages], bool)[ranges.file]
    assumed, known = int(count[is_missing].sum()), int(count[~is_missing].sum())
    if assumed > _MAX_SPARSITY * (known + len(count)):
        raise UnreadableFileError(
            f"it describes {assumed} planes in missing files, but only {known} others exist"
        )
    return ranges._replace(count=count)


def _is_complete(ranges: PlaneRanges, described: int) -> bool:
    """Return True if ranges without overlap contain all planes."""
    order = np.argsort(ranges.start, kind="stable")
    start, count = ranges.start[order], ranges.count[order]
    return int(count.sum()) == described and bool((start == np.cumsum(count) - count).all())


def _existing_planes(image: OmeImage, ranges: PlaneRanges) -> NDArray[np.int64]:
    """Return the planes of ranges: axes plane, (ifd, 1, c, z, t, file), as in `blocks`."""
    index, step = ranges.spread()
    # of several ranges with one plane, the last is used
    last = len(index) - 1 - np.unique(index[::-1], return_index=True)[1]
    k = np.repeat(np.arange(len(ranges.count)), ranges.count)[last]
    stored = image.plane_order[:1:-1].lower()
    position = np.unravel_index(index[last], [getattr(image, f"size_{dim}") for dim in stored])
    found = dict(zip(stored, position, strict=True))
    ifd = ranges.ifd[k] + step[last]
    columns = (ifd, np.ones_like(ifd), *(found[dim] for dim in "czt"), ranges.file[k])
    return np.stack(columns, -1)


def _is_prefix(image: OmeImage, planes: NDArray[np.int64], kept: _Kept) -> bool:
    """Return True if the existing planes are the first ones in the order of the DimensionOrder."""
    stored = image.plane_order[:1:-1].lower()
    position = [np.searchsorted(kept[dim], planes[:, "czt".index(dim) + 2]) for dim in stored]
    flat = np.ravel_multi_index(position, [len(kept[dim]) for dim in stored])
    return int(flat.max()) == len(planes) - 1


def _shortened(image: OmeImage, planes: NDArray[np.int64], kept: _Kept) -> OmeImage:
    """Return an image with some of its planes, at the kept positions."""
    blocks = planes.copy()
    for k, dim in enumerate("czt", 2):
        blocks[:, k] = np.searchsorted(kept[dim], planes[:, k])
    return replace(
        image,
        description=_shortened_description(image, kept),
        size_c=len(kept["c"]),
        size_z=len(kept["z"]),
        size_t=len(kept["t"]),
        blocks=blocks,
    )


def _shortened_description(image: OmeImage, kept: _Kept) -> Description:
    """Return the description of an image at the kept positions.

    Raises
    ------
    UnreadableFileError
        Several axes share the dimension that is shortened.
    """
    description, shape = image.description, [*image.description.shape]
    for dim in (dim for dim in "czt" if len(kept[dim]) < getattr(image, f"size_{dim}")):
        axes = [k for k, d in enumerate(dimensions(description.axes).values()) if d == dim]
        long = [k for k in axes if shape[k] > 1]
        if len(long) != 1:
            names = " and ".join(description.axes[k].name for k in axes)
            raise UnreadableFileError(f"it describes more planes than exist along {names}")
        shape[long[0]] = len(kept[dim])

    channels, display = description.channels, dict(description.display or {})
    if len(channels) == image.size_c:
        channels = tuple(channels[k] for k in kept["c"].tolist())
    displays = display.get(CHANNEL_DISPLAYS)
    if isinstance(displays, Sequence) and len(displays) == image.size_c:
        display[CHANNEL_DISPLAYS] = [displays[k] for k in kept["c"].tolist()]
    return replace(
        description,
        shape=tuple(shape),
        channels=channels,
        display=display,
        metadata=_without_times(description.metadata or {}),
    )


def _without_times(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without the times of all planes; they do not fit the remaining ones."""
    ome = metadata.get("ome")
    if not isinstance(ome, Mapping):
        return dict(metadata)
    return {**metadata, "ome": {key: value for key, value in ome.items() if key != "DeltaT"}}
