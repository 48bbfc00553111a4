"""Stacks of Micro-Manager -> an image, from the index at the beginning of each file.

https://micro-manager.org/Micro-Manager_File_Formats
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.images.vendor_tags import VendorFacts, number, small
from napari_ferry.codecs.tiff.names import natural_key
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import Description

_COLUMNS = "cztr"
"""Columns of an index: channel, slice, frame and position, before the place of the directory."""

_SPARSEST = 100
"""Planes for each that is there, above which an index is not believed."""

_KEYS = {"c": "Channels", "z": "Slices", "r": "Positions", "t": "Frames"}


class _Index(NamedTuple):
    """Which planes a file has: the file, and rows of c z t r and the place of the directory."""

    path: Path
    rows: NDArray[np.int64]


def read_micromanager(header: Header) -> list[Image]:
    """Open a stack, with the files beside it that belong to it; none where it has no index.

    Axes of length 1 are left out, as the index has no others.

    Warns
    -----
    FerryWarning
        Files or planes are missing; they are shown as zero.
    """
    summary, rows = _read_index(header.path, ("Summary", "IndexMap"))
    if summary is None or rows is None or not len(rows) or "Frames" not in summary:
        return []
    is_time_first = summary.get("TimeFirst", True)
    order = "tr" if is_time_first else "rt"
    order += "zc" if summary.get("SlicesFirst", True) else "cz"
    files = [_Index(header.path, rows)]
    sizes = _sizes(summary, files)
    if math.prod(sizes.values()) > len(rows):
        files += _beside(header.path, summary)
        sizes = _sizes(summary, files)
    if math.prod(sizes.values()) > sum(len(file.rows) for file in files):
        sizes = _there(files)
    if math.prod(sizes.values()) > _SPARSEST * sum(len(file.rows) for file in files):
        return []  # the index is damaged
    return [_image(header, summary, files, {name: sizes[name] for name in order})]


def _read_index(
    path: Path, keys: tuple[str, ...]
) -> tuple[Mapping[str, Any] | None, NDArray[np.int64] | None]:
    """Return the summary and the index of a file, ``None`` where they are not."""
    import tifffile

    try:
        with path.open("rb") as file:
            found = tifffile.read_micromanager_metadata(file, set(keys))
    except TIFFFILE_ERRORS:
        return None, None
    rows, summary = found.get("IndexMap"), found.get("Summary")
    if rows is None or found.get("MajorVersion", 1):
        return None, None
    return summary if isinstance(summary, dict) else {}, np.asarray(rows, np.int64)


def _beside(path: Path, summary: Mapping[str, Any]) -> list[_Index]:
    """Return the other files of a set: named alike, and with the same summary."""
    prefix, mark, _ = path.name.partition("_MMStack")
    if not mark:
        return []
    found = []
    for other in sorted(path.parent.iterdir(), key=lambda each: natural_key(each.name)):
        alike = other.name.startswith(prefix + mark) and other.suffix.lower() == path.suffix.lower()
        if not alike or other.name == path.name:
            continue
        said, rows = _read_index(other, ("Summary", "IndexMap"))
        if rows is not None and said is not None and _identity(said) == _identity(summary):
            found.append(_Index(other, rows))
    return found


def _identity(summary: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the files of one acquisition have in common."""
    return tuple(summary.get(key) for key in ("UUID", "Prefix", "StartTime", *_KEYS.values()))


def _sizes(summary: Mapping[str, Any], files: list[_Index]) -> dict[str, int]:
    """Return how many planes there are along each axis, as announced or as found."""
    most = np.max([file.rows[:, :4].max(0) for file in files], 0) + 1
    announced = {name: max(1, int(number(summary.get(key, 1)))) for name, key in _KEYS.items()}
    return {name: max(announced[name], int(most[k])) for k, name in enumerate(_COLUMNS)}


def _there(files: list[_Index]) -> dict[str, int]:
    """Return how far the planes go that are there, where an acquisition was stopped."""
    most = np.max([file.rows[:, :4].max(0) for file in files], 0) + 1
    return {name: int(most[k]) for k, name in enumerate(_COLUMNS)}


def _image(
    header: Header, summary: Mapping[str, Any], files: list[_Index], sizes: Mapping[str, int]
) -> Image:
    """Return the image of all files; `sizes` are in the order of its axes."""
    axes, move = frame_axes(header)
    table, sources = _table(files, sizes)
    missing = int((table[:, 1] < 0).sum())
    if missing:
        warnings.warn(
            f"{header.path.name} lacks {missing} of {len(table)} planes, which are shown as zero: "
            "the acquisition was stopped, or files of it are not beside it.",
            FerryWarning,
            stacklevel=4,
        )
    left = {name: size for name, size in sizes.items() if size > 1}
    frame = moved(header.shape, move)
    said = _said(summary)
    array = pages_array(sources, table, tuple(left.values()), frame, header.dtype, move=move)
    description = Description(
        shape=(*left.values(), *frame),
        axes=tuple(map(said.axis, (*left, *axes))),
        dtype=header.dtype.name,
        channels=said.channels_of(left.get("c", 1)) if "c" in left else (),
        metadata=said.metadata,
    )
    return description.to_image(array)


def _table(
    files: list[_Index], sizes: Mapping[str, int]
) -> tuple[NDArray[np.int64], list[TiffPages]]:
    """Return where each plane is, and the files; see `pages_array`."""
    table = np.full((math.prod(sizes.values()), 2), -1, np.int64)
    sources = [TiffPages(file.path) for file in files]
    for which, (source, (_, rows)) in enumerate(zip(sources, files, strict=True)):
        ifds = source.table.ifds
        order = np.argsort(ifds)
        at = np.minimum(np.searchsorted(ifds, rows[:, 4], sorter=order), len(ifds) - 1)
        page = order[at]
        known = ifds[page] == rows[:, 4]
        place = [rows[known, _COLUMNS.index(name)] for name in sizes]
        flat = np.ravel_multi_index(place, tuple(sizes.values()))
        table[flat, 0], table[flat, 1] = which, page[known]
    return table, sources


def _said(summary: Mapping[str, Any]) -> VendorFacts:
    """Return what the summary says of axes and channels."""
    size = number(summary.get("PixelSize_um"))
    names = summary.get("ChNames")
    names = names if isinstance(names, list) else []
    colors = summary.get("ChColors")
    colors = colors if isinstance(colors, list) and len(colors) == len(names) else []
    colors = [f"#{int(number(value)) & 0xFFFFFF:06x}" for value in colors] or [None] * len(names)
    return VendorFacts(
        {
            "t": (number(summary.get("Interval_ms")), "millisecond"),
            "z": (abs(number(summary.get("z-step_um"))), "micrometer"),
            "y": (size * (number(summary.get("PixelAspect")) or 1), "micrometer"),
            "x": (size, "micrometer"),
        },
        tuple(Channel(str(name), color) for name, color in zip(names, colors, strict=True)),
        {"micromanager": small(summary)},
    )
