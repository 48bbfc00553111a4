"""The metadata of an ImageJ hyperstack -> a description."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_ferry.arguments import is_whole
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis
from napari_ferry.image.record import MAX_PLANES, Description
from napari_ferry.imagej.axis_steps import parse_axis
from napari_ferry.imagej.colors import as_one, parse_look
from napari_ferry.imagej.header_merge import join, split_info
from napari_ferry.imagej.private import plain
from napari_ferry.units import from_imagej, is_uncalibrated

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSUMED_TIME = "the first axis is taken for time: the file does not say what it is"

_AXIS_COUNTS = {"t": "frames", "z": "slices", "c": "channels"}

# What is said by other fields of the description, or again when saving.
_PARSED = frozenset(
    (
        *("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "axes"),
        *("spacing", "finterval", "min", "max", "Ranges", "LUTs", "Info"),
    )
)


def parse_imagej(
    metadata: Mapping[str, Any],
    resolution: tuple[float, float] | None,
    shape_yx: tuple[int, int],
    dtype: str,
    samples: int,
    nframes: int | None,
) -> Description:
    """Return what the metadata of an ImageJ TIFF say about its image.

    The axes are those that the file names, in the order t z c y x s that it stores them in. Where
    our own record is there and fits, it says more, another order of the axes, too; a calibration,
    color or display range that another program has changed since is kept.

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
        Samples of a pixel: 1, or 3 for colors.
    nframes : int, optional
        Planes that the file has, where they were counted.

    Raises
    ------
    UnreadableFileError
        More planes than any file has.

    Warns
    -----
    FerryWarning
        A calibration that is impossible, or sizes that contradict each other.
    """
    sizes, assumed = _parse_sizes(metadata, nframes)
    axes = [parse_axis(name, metadata, resolution) for name in (*sizes, "y", "x")]
    n_channels = sizes.get("c", 1)
    channels, display = parse_look(metadata, n_channels) if samples == 1 else ((), {})
    info, record = split_info(metadata.get("Info"))
    other = {"Info": info, **({"assumed": ASSUMED_TIME} if assumed else {})}
    other |= {k: plain(v) for k, v in metadata.items() if not _is_parsed(k, v)}
    header = Description(
        (*sizes.values(), *shape_yx, *((samples,) if samples > 1 else ())),
        (*axes, *((Axis("s"),) if samples > 1 else ())),
        dtype,
        channels,
        display=display,
        metadata={key: value for key, value in other.items() if value not in ("", None)},
    )
    joined = join(header, record)
    if joined is not header or "c" in sizes:
        return joined
    return replace(header, channels=(), display=as_one(channels, display))


def _parse_sizes(metadata: Mapping[str, Any], nframes: int | None) -> tuple[dict[str, int], bool]:
    """Return the lengths of the axes t z c that are named, and whether a name was assumed."""
    counts = {name: _count(metadata.get(key)) for name, key in _AXIS_COUNTS.items()}
    named = {name: count for name, count in counts.items() if count}
    product, images = math.prod(named.values()), _count(metadata.get("images"))
    n = images or nframes or product
    if n > MAX_PLANES:
        raise UnreadableFileError(
            f"The ImageJ header announces {n} planes, and no more than {MAX_PLANES} are possible."
        )
    if n == product:
        return named, False
    if product > 1:
        n = nframes or n
        found = " x ".join(f"{count} {_AXIS_COUNTS[name]}" for name, count in named.items())
        message = f"The ImageJ header says {found}, and {n} planes: opened as a plain stack."
        warnings.warn(message, FerryWarning, stacklevel=3)
    if n == 1 or "finterval" in metadata or "fps" in metadata:
        return {"t": n} if n > 1 else {}, False
    is_depth = "spacing" in metadata or "slices" in metadata
    return {"z" if is_depth else "t": n}, not is_depth


def has_sound_counts(metadata: Mapping[str, Any]) -> bool:
    """Whether the axes that are named make up all the planes, so that these need no counting."""
    counts = [_count(metadata.get(key)) or 1 for key in _AXIS_COUNTS.values()]
    return math.prod(counts) == _count(metadata.get("images"))


def _count(value: object) -> int | None:
    return value if is_whole(value) and value > 0 else None


def _is_parsed(key: str, value: object) -> bool:
    """Return whether other fields say this; a unit without a name is kept as it stands."""
    if key in ("unit", "yunit", "zunit", "tunit"):
        return bool(from_imagej(str(value))) or is_uncalibrated(str(value))
    return key in _PARSED
