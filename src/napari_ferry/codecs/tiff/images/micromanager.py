"""Image of a Micro-Manager stack, from the index at the start of each file.

https://micro-manager.org/Micro-Manager_File_Formats
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.codecs.tiff.images.levels import ImagePages
from napari_ferry.codecs.tiff.images.vendor_tags import VendorMetadata, compact, to_number
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved_shape
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.files.links import leads_outside
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import Description

_COLUMNS = "cztr"
"""First columns of an index: channel, slice, frame and position; the offset of the directory
follows."""

_MAX_SPARSITY = 100
"""Ratio of announced planes to existing ones above which an index is treated as damaged."""

_KEYS = {"c": "Channels", "z": "Slices", "r": "Positions", "t": "Frames"}


class _Index(NamedTuple):
    """Index of the planes in a file.

    Parameters
    ----------
    path : Path
        The file.
    rows : array of int64, axes plane, (c, z, t, r, offset)
        Position of each plane, and the offset of its directory in bytes.
    """

    path: Path
    rows: NDArray[np.int64]


def read_micromanager(header: Header) -> list[Image]:
    """Open a stack with all its files in the same folder; none if the file has no index.

    Axes of length 1 are left out, because the index has no other axes.

    Warns
    -----
    FerryWarning
        Files or planes are missing; they are shown as zero.
    """
    summary, rows = _read_index(header.path, ("Summary", "IndexMap"))
    if summary is None or rows is None or not len(rows) or "Frames" not in summary:
        return []
    order = "tr" if summary.get("TimeFirst", True) else "rt"
    order += "zc" if summary.get("SlicesFirst", True) else "cz"

    # the other files are read only if planes are missing from this one
    files = [_Index(header.path, rows)]
    sizes = _announced_sizes(summary, files)
    if math.prod(sizes.values()) > len(rows):
        files += _other_files(header.path, summary)
        sizes = _announced_sizes(summary, files)

    count, announced = sum(len(file.rows) for file in files), math.prod(sizes.values())
    if announced > count:  # the acquisition was stopped
        sizes = _indexed_sizes(files)
    if 0 < math.prod(sizes.values()) < announced:
        warn_incomplete(
            f"{header.path.name} announces {announced} planes, but has {count}: the acquisition "
            "was stopped, or files are missing from the folder; only what exists is shown.",
        )
    if math.prod(sizes.values()) > _MAX_SPARSITY * count:  # the index is damaged
        return []
    return [_image(header, summary, files, {name: sizes[name] for name in order})]


@silent_tifffile()
def _read_index(
    path: Path, keys: tuple[str, ...]
) -> tuple[Mapping[str, Any] | None, NDArray[np.int64] | None]:
    """Return the summary and the index of a file, both ``None`` if it has no index."""
    import tifffile

    try:
        with path.open("rb") as file:
            metadata = tifffile.read_micromanager_metadata(file, set(keys))
    except TIFFFILE_ERRORS:
        return None, None
    rows, summary = metadata.get("IndexMap"), metadata.get("Summary")
    if rows is None or metadata.get("MajorVersion", 1):
        return None, None
    return summary if isinstance(summary, dict) else {}, np.asarray(rows, np.int64)


def _other_files(path: Path, summary: Mapping[str, Any]) -> list[_Index]:
    """Return the other files of an acquisition, with the same prefix and summary."""
    prefix, mark, _ = path.name.partition("_MMStack")
    if not mark:
        return []

    files = []
    for other in natural_sorted(path.parent.iterdir()):
        is_named = other.name.startswith(prefix + mark)
        is_named = is_named and other.suffix.lower() == path.suffix.lower()
        if not is_named or other.name == path.name or leads_outside(other, path):
            continue
        own_summary, rows = _read_index(other, ("Summary", "IndexMap"))
        if rows is None or own_summary is None:
            continue
        if _identity(own_summary) == _identity(summary):
            files.append(_Index(other, rows))
    return files


def _identity(summary: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values shared by the files of one acquisition."""
    return tuple(summary.get(key) for key in ("UUID", "Prefix", "StartTime", *_KEYS.values()))


def _announced_sizes(summary: Mapping[str, Any], files: list[_Index]) -> dict[str, int]:
    """Return the length of each axis by the summary, or by a longer index."""
    indexed = _indexed_sizes(files)
    announced = {name: int(to_number(summary.get(key, 1))) for name, key in _KEYS.items()}
    return {name: max(1, announced[name], indexed[name]) for name in _COLUMNS}


def _indexed_sizes(files: list[_Index]) -> dict[str, int]:
    """Return the length of each axis by the index."""
    last = np.max([file.rows[:, : len(_COLUMNS)].max(0) for file in files], 0)
    return {name: int(last[k]) + 1 for k, name in enumerate(_COLUMNS)}


def _image(
    header: Header, summary: Mapping[str, Any], files: list[_Index], sizes: Mapping[str, int]
) -> Image:
    """Return the image of all files; `sizes` are in the order of its axes."""
    axes, move = frame_axes(header)
    table, sources = _page_table(files, sizes)
    missing = int((table[:, 1] < 0).sum())
    if missing:
        warn_incomplete(
            f"{header.path.name} lacks {missing} of {len(table)} planes, which are shown as zero: "
            "the acquisition was stopped, or files are missing from the folder; put them back and "
            "open it again.",
        )

    lead = {name: size for name, size in sizes.items() if size > 1}
    frame = moved_shape(header.shape, move)
    metadata = _metadata(summary)
    pages = ImagePages(files=sources, table=table, lead=tuple(lead.values()), move=move)
    description = Description(
        shape=(*lead.values(), *frame),
        axes=tuple(map(metadata.axis, (*lead, *axes))),
        dtype=header.dtype.name,
        channels=metadata.channels_of({**lead, **dict(zip(axes, frame, strict=True))}),
        name=stem_of(header.path),
        metadata=metadata.metadata,
    )
    return description.to_image(pages.to_array(frame, header.dtype))


def _page_table(
    files: list[_Index], sizes: Mapping[str, int]
) -> tuple[NDArray[np.int64], list[TiffPages]]:
    """Return the table of pages, and the files; see `ImagePages`."""
    table = np.full((math.prod(sizes.values()), 2), -1, np.int64)
    sources = [TiffPages(file.path) for file in files]
    for index, (source, (_, rows)) in enumerate(zip(sources, files, strict=True)):
        # the page of each directory, by its offset
        ifds = source.table.ifds
        order = np.argsort(ifds)
        nearest = np.minimum(np.searchsorted(ifds, rows[:, 4], sorter=order), len(ifds) - 1)
        page = order[nearest]
        exists = ifds[page] == rows[:, 4]

        position = [rows[exists, _COLUMNS.index(name)] for name in sizes]
        frame = np.ravel_multi_index(position, tuple(sizes.values()))
        table[frame, 0], table[frame, 1] = index, page[exists]
    return table, sources


def _metadata(summary: Mapping[str, Any]) -> VendorMetadata:
    """Return axes and channels by the summary."""
    names = summary.get("ChNames")
    names = names if isinstance(names, list) else []
    colors = summary.get("ChColors")
    colors = colors if isinstance(colors, list) and len(colors) == len(names) else []
    colors = [f"#{int(to_number(value)) & 0xFFFFFF:06x}" for value in colors]
    colors = colors or [None] * len(names)

    size = to_number(summary.get("PixelSize_um"))
    return VendorMetadata(
        {
            "t": (to_number(summary.get("Interval_ms")), "millisecond"),
            "z": (abs(to_number(summary.get("z-step_um"))), "micrometer"),
            "y": (size * (to_number(summary.get("PixelAspect")) or 1), "micrometer"),
            "x": (size, "micrometer"),
        },
        tuple(Channel(str(name), color) for name, color in zip(names, colors, strict=True)),
        {"micromanager": compact(summary)},
    )
