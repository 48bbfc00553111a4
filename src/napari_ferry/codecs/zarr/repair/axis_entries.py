"""Axes of images of OME-NGFF: their names, types and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.codecs.zarr import ome_documents
from napari_ferry.codecs.zarr.ome_axes import axes_of, name_of, valid_names
from napari_ferry.codecs.zarr.plain import dimension_names
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.codecs.zarr.repair.level_repair import Level
from napari_ferry.codecs.zarr.repair.request import Calibration, Request
from napari_ferry.image import Axis
from napari_ferry.image.axes import default_axes
from napari_ferry.units import is_uncalibrated, known_unit


def repair_axes(
    multiscale: dict[str, Any], levels: Sequence[Level], request: Request, entry: Entry
) -> tuple[str, ...]:
    """Name the axes of an image, unless they have valid names already; return the names.

    Parameters
    ----------
    multiscale : dict
        The image, changed in place.
    levels : sequence of Level
        Its levels, full resolution first.
    request : Request
        Values of the user.
    entry : Entry
        Its group.
    """
    full = levels[0].array
    described = [
        each if isinstance(each, Mapping) else {"name": each} for each in axes_of(multiscale)
    ]
    now = valid_names([name_of(each) for each in described], full.ndim)
    asked = request.axis_names(full.ndim)
    if now is not None and asked in (None, now) and not _are_words(multiscale, entry):
        return now

    reason = "" if asked or now else " (assumed; if they are others, give the axes)"
    names = asked or now or _propose(levels[0], entry)
    old = {name: each for each in described if isinstance(name := each.get("name"), str)}
    units = {name: each["unit"] for name, each in old.items() if "unit" in each}
    before = " ".join(str(each.get("name")) for each in described) or "missing"
    before += " (names only)" if _are_words(multiscale, entry) else ""
    multiscale["axes"] = describe_axes(names, units)
    entry.change(f"axes: {before} -> {' '.join(names)}{reason}")
    return names


def _are_words(multiscale: Mapping[str, Any], entry: Entry) -> bool:
    """Return True for axes given only by name, although OME-NGFF since 0.4 does not allow this."""
    version = str(multiscale.get("version") or entry.ome.get("version"))
    words = any(isinstance(each, str) for each in axes_of(multiscale))
    return words and version.startswith(("0.4", "0.5"))


def describe_axes(names: Sequence[str], units: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the value of ``axes``, with units as they are."""
    described = ome_documents.describe_axes([Axis(name) for name in names])
    for name, axis in zip(names, described, strict=True):
        axis.update({"unit": units[name]} if name in units else {})
    return described


def _propose(level: Level, entry: Entry) -> tuple[str, ...]:
    """Return the names of the array, or default names.

    An outer axis with the length of the channels in ``omero`` is ``c``, if there is only one.
    """
    ndim = level.array.ndim
    known = valid_names(dimension_names(level.node), ndim)
    default = default_axes(ndim)
    omero = entry.ome.get("omero")
    channels = omero.get("channels") if isinstance(omero, dict) else None
    count = len(channels) if isinstance(channels, list) else 0
    fitting = [k for k, n in enumerate(level.array.shape[:-2]) if n == count > 1]
    if known is not None or "c" in default or len(fitting) != 1:
        return known or default
    place = fitting[0]
    others = "tzyx"[-(ndim - 1) :]
    return (*others[:place], "c", *others[place:])


def repair_units(
    multiscale: dict[str, Any], names: Sequence[str], calibration: Calibration, entry: Entry
) -> None:
    """Write the units given by the user, and spell the others as OME-NGFF does.

    Parameters
    ----------
    multiscale : dict
        The image, whose axes are changed in place.
    names : sequence of str
        Names of its axes.
    calibration : Calibration
        Values of the user.
    entry : Entry
        Its group.
    """
    axes = axes_of(multiscale)
    for axis, name in zip(axes, names, strict=True):
        if not isinstance(axis, dict):
            continue
        word = axis.get("unit")
        unit = calibration.units.get(name) or _valid_unit(word, name, entry)
        if unit == word:
            continue
        if unit is None:
            del axis["unit"]
        else:
            axis["unit"] = unit
        before = "missing" if word is None else show_value(word)
        entry.change(f"unit of axis {name}: {before} -> {show_value(unit) if unit else 'none'}")


def _valid_unit(word: object, name: str, entry: Entry) -> str | None:
    """Return the name of a unit; an unknown word remains, with a remark."""
    if not isinstance(word, str) or is_uncalibrated(word):
        return word if isinstance(word, str) else None
    unit = known_unit(word)
    if unit is None:
        entry.remark(f"the unit of axis {name}, {show_value(word)}, is not known: give the unit.")
    return unit or word


def repair_dimension_names(axes: Sequence[Any], level: Level, entry: Entry) -> None:
    """Name the axes of a Zarr 3 array as in its image, as required by OME-NGFF 0.5.

    Parameters
    ----------
    axes : sequence of dict
        Axes of the image.
    level : Level
        A level of it.
    entry : Entry
        Documents of the array.
    """
    document = entry.documents.value(entry.metadata_key)
    names = [axis.get("name") for axis in axes if isinstance(axis, dict)]
    if level.node.version != 3 or document is None or len(names) != level.array.ndim:
        return
    now = document.get("dimension_names")
    if now != names:
        document["dimension_names"] = names
        before = "missing" if now is None else show_value(now)
        entry.change_metadata(f"names of the axes of the array: {before} -> {show_value(names)}")
