"""Parse the metadata of an ImageJ hyperstack into a description."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.arguments import is_whole
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Axis
from napari_ferry.image.plane_entries import PLANE_LABELS
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME, MAX_PLANES, Description
from napari_ferry.imagej.axis_steps import parse_axis
from napari_ferry.imagej.colors import parse_colors, single_display
from napari_ferry.imagej.header_merge import merge_record, split_info
from napari_ferry.imagej.private import plain
from napari_ferry.units import from_imagej, is_uncalibrated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

COUNT_KEYS = {"t": "frames", "z": "slices", "c": "channels"}
"""Key of the header with the length of each axis."""

_PARSED = frozenset(
    (
        *("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "axes"),
        *("spacing", "finterval", "min", "max", "Ranges", "LUTs", "Info"),
    )
)
"""Keys of the header covered by other fields of the description, or written anew when saving."""


class PlaneSizes(NamedTuple):
    """Lengths of the axes of planes by name, in the order t z c.

    Parameters
    ----------
    lengths : dict
        Only of the axes in the header.
    is_time_assumed : bool
        True if the header does not name the only axis.
    """

    lengths: dict[str, int]
    is_time_assumed: bool = False


def parse_imagej(
    metadata: Mapping[str, Any],
    resolution: tuple[float, float] | None,
    shape_yx: tuple[int, int],
    dtype: str,
    samples: int,
    sizes: PlaneSizes,
) -> Description:
    """Parse the metadata of an ImageJ TIFF into the description of its image.

    The axes are those named in the file, in their storage order t z c y x s. If the file contains
    our own record and it fits, the record takes precedence, including its order of axes, except
    for calibrations, colors and display ranges changed by another program since.

    Parameters
    ----------
    metadata : mapping
        ``tifffile.TiffFile.imagej_metadata``.
    resolution : tuple of float, optional
        Pixels per unit along (x, y).
    shape_yx : tuple of int
        Pixels of one plane along (y, x).
    dtype : str
        Name of the data type of one sample.
    samples : int
        Samples per pixel: 1, or 3 for colors.
    sizes : PlaneSizes
        Lengths of the other axes, those of `parse_sizes` or of the planes in the file.

    Warns
    -----
    FerryWarning
        A calibration is invalid, or our own record is damaged.
    """
    lengths = sizes.lengths
    axes = [parse_axis(name, metadata, resolution) for name in (*lengths, "y", "x")]
    channels, display = parse_colors(metadata, lengths.get("c", 1)) if samples == 1 else ((), {})

    info, record = split_info(metadata.get("Info"))
    other = {"Info": info, **({ASSUMED: ASSUMED_TIME} if sizes.is_time_assumed else {})}
    other |= {k: plain(v) for k, v in metadata.items() if not _is_parsed(k, v)}
    header = Description(
        shape=(*lengths.values(), *shape_yx, *((samples,) if samples > 1 else ())),
        axes=(*axes, *((Axis("s"),) if samples > 1 else ())),
        dtype=dtype,
        channels=channels,
        display=display,
        metadata={key: value for key, value in other.items() if value not in ("", None)},
    )

    merged = merge_record(header, record)
    if merged is not header or "c" in lengths:
        return merged
    return replace(header, channels=(), display=single_display(channels, display))


def order_labels(description: Description, pages: NDArray[np.int64]) -> Description:
    """Return a description with the labels in the order of its planes, given their pages.

    Parameters
    ----------
    description : Description
        Description with the labels in the order of the pages, as in the file.
    pages : array of int64, axis plane
        Number of the page of each plane.
    """
    metadata = description.metadata or {}
    labels = metadata.get(PLANE_LABELS)
    if not isinstance(labels, list) or len(labels) < len(pages):
        return description
    ordered = [labels[page] for page in pages.tolist()]
    return replace(description, metadata={**metadata, PLANE_LABELS: ordered})


def parse_sizes(metadata: Mapping[str, Any], nframes: int | None) -> PlaneSizes:
    """Return the lengths of the axes of planes.

    Parameters
    ----------
    metadata : mapping
        ``tifffile.TiffFile.imagej_metadata``.
    nframes : int, optional
        Number of planes in the file, if they were counted.

    Raises
    ------
    UnreadableFileError
        The header declares more planes than any file can have.

    Warns
    -----
    FerryWarning
        A number of planes is invalid, or sizes contradict each other.
    """
    counts = {name: _count(metadata.get(key)) for name, key in COUNT_KEYS.items()}
    named = {name: count for name, count in counts.items() if count}
    product, images = math.prod(named.values()), _count(metadata.get("images"))

    _warn_invalid_counts(metadata)
    n = images or nframes or product
    if n > MAX_PLANES:
        raise UnreadableFileError(
            f"The ImageJ header declares {n} planes, but at most {MAX_PLANES} are possible: the "
            "header is damaged."
        )
    if n == product:
        return PlaneSizes(named)

    if product > 1:
        n = nframes or n
        sizes = " x ".join(f"{count} {COUNT_KEYS[name]}" for name, count in named.items())
        message = (
            f"The ImageJ header declares {sizes}, but {n} planes: opened as a stack without these "
            "axes."
        )
        warn(message)
    return single_axis(metadata, n)


def single_axis(metadata: Mapping[str, Any], n: int) -> PlaneSizes:
    """Return the length of the only axis of `n` planes; the header need not name it."""
    if n == 1 or "finterval" in metadata or "fps" in metadata:
        return PlaneSizes({"t": n} if n > 1 else {})
    is_depth = "spacing" in metadata or "slices" in metadata
    return PlaneSizes({"z" if is_depth else "t": n}, is_time_assumed=not is_depth)


def has_consistent_counts(metadata: Mapping[str, Any]) -> bool:
    """Return True if the named axes account for all planes; then these need no counting."""
    counts = [_count(metadata.get(key)) or 1 for key in COUNT_KEYS.values()]
    return math.prod(counts) == _count(metadata.get("images"))


def _warn_invalid_counts(metadata: Mapping[str, Any]) -> None:
    """Warn of numbers of planes other than whole numbers above 0, except the usual 0 for none."""
    given = {key: metadata[key] for key in ("images", *COUNT_KEYS.values()) if key in metadata}
    invalid = {key: value for key, value in given.items() if value != 0 and not _count(value)}
    if invalid:
        values = " and ".join(f"{key}={str(value)[:20]}" for key, value in invalid.items())
        warn(
            f"The ImageJ header declares {values}, which is not a number of planes: this was left "
            "out; check the axes."
        )


def _count(value: object) -> int | None:
    return value if is_whole(value) and value > 0 else None


def _is_parsed(key: str, value: object) -> bool:
    """Return True if other fields cover an entry; unknown units are kept unchanged."""
    if key in ("unit", "yunit", "zunit", "tunit"):
        return bool(from_imagej(str(value))) or is_uncalibrated(str(value))
    return key in _PARSED
