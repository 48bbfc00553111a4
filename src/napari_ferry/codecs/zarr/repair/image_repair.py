"""Repair of the images of a group of OME-NGFF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_ferry.arguments import is_finite
from napari_ferry.codecs.zarr.multiscales import KNOWN_VERSION
from napari_ferry.codecs.zarr.ome_axes import axes_of
from napari_ferry.codecs.zarr.repair.axis_calibration import repair_calibration, repair_positions
from napari_ferry.codecs.zarr.repair.axis_entries import (
    repair_axes,
    repair_dimension_names,
    repair_units,
)
from napari_ferry.codecs.zarr.repair.channel_entries import repair_channels
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.codecs.zarr.repair.level_repair import Level, repair_levels
from napari_ferry.codecs.zarr.repair.request import Calibration, Request
from napari_ferry.errors import InvalidImageError


def image_entries(entries: Sequence[Entry]) -> list[Entry]:
    """Return the groups with images of a repairable version of OME-NGFF."""
    found = []
    for entry in entries:
        listed = entry.node.ome.get("multiscales")
        if not isinstance(listed, list) or not listed:  # also images of our own record
            continue
        version = entry.ome.get("version") or (
            listed[0].get("version") if isinstance(listed[0], dict) else None
        )
        is_given = isinstance(version, str) or is_finite(version)
        if not is_given or KNOWN_VERSION.fullmatch(str(version)):
            found.append(entry)
        else:
            entry.remark(f"OME-Zarr of version {version} is newer than 0.5: it is left as it is.")
    return found


def repair_images(entries: Sequence[Entry], request: Request) -> None:
    """Repair the images of groups, and write the values given by the user.

    Parameters
    ----------
    entries : sequence of Entry
        The groups.
    request : Request
        Values of the user. Scales and units by position refer to the first image; labels get
        them by the names of their axes.

    Raises
    ------
    InvalidImageError
        The values do not fit the images.
    """
    images = [
        (entry, multiscale, levels)
        for entry in entries
        for multiscale in entry.ome["multiscales"]
        if isinstance(multiscale, dict) and (levels := repair_levels(multiscale, entry))
    ]
    _check_request(images, request)
    calibration: Calibration | None = None
    for entry, multiscale, levels in images:
        names = repair_axes(multiscale, levels, request, entry)
        if calibration is None:
            calibration = request.calibration(names)
        _repair_image(multiscale, levels, names, calibration, request, entry)


def _check_request(
    images: Sequence[tuple[Entry, dict[str, Any], list[Level]]], request: Request
) -> None:
    """Refuse names of axes or of an image that do not fit the images."""
    counts = dict.fromkeys(levels[0].array.ndim for *_, levels in images)
    if request.axes and counts and not any(map(request.axis_names, counts)):
        raise InvalidImageError(
            f"The axes are {request.axes!r}, but the array has {' or '.join(map(str, counts))}: "
            "name one axis for each dimension."
        )
    n_named = sum("image-label" not in entry.ome for entry, *_ in images)
    if request.name and n_named > 1:
        raise InvalidImageError(
            f"The name {request.name!r} was given, but there are {n_named} images: give the path "
            "of one of them."
        )


def _repair_image(
    multiscale: dict[str, Any],
    levels: Sequence[Level],
    names: Sequence[str],
    calibration: Calibration,
    request: Request,
    entry: Entry,
) -> None:
    """Repair one image, whose axes are named."""
    repair_units(multiscale, names, calibration, entry)
    steps = repair_calibration(multiscale, levels, names, calibration, entry)
    is_labels = "image-label" in entry.ome
    if steps is not None and not is_labels:
        repair_positions(multiscale, levels, steps, averaged=request.averaged, entry=entry)
    if not is_labels:
        full = levels[0].array
        count = full.shape[names.index("c")] if "c" in names else 1
        repair_channels(count, full.dtype, entry)
        _rename(multiscale, request.name, entry)
    for level in levels:
        repair_dimension_names(axes_of(multiscale), level, Entry(entry.documents, level.node))


def _rename(multiscale: dict[str, Any], name: str | None, entry: Entry) -> None:
    old = multiscale.get("name")
    if name is not None and name != old:
        multiscale["name"] = name
        entry.change(f"name: {'missing' if old is None else show_value(old)} -> {name!r}")
