"""Consistent scales and translations for the levels of a pyramid."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.codecs.zarr.repair.level_repair import Level
from napari_ferry.codecs.zarr.repair.request import Calibration
from napari_ferry.codecs.zarr.repair.transformations import (
    Steps,
    factors,
    read_level,
    read_texts,
    write_level,
)

_AVERAGED = re.compile("mean|average|area|gaussian|linear|bin", re.IGNORECASE)
"""Words for methods of averaging pixels."""

_SAMPLED = re.compile("nearest|stride|subsampl|decimat", re.IGNORECASE)
_OLD_VERSION = re.compile(r"0\.[1-3](\D.*)?")
"""Versions without transformations of levels."""


def repair_calibration(
    multiscale: dict[str, Any],
    levels: Sequence[Level],
    names: Sequence[str],
    calibration: Calibration,
    entry: Entry,
) -> list[Steps] | None:
    """Repair the scales of all levels, and write the ones given by the user.

    Parameters
    ----------
    multiscale : dict
        The image, changed in place.
    levels : sequence of Level
        Its levels, full resolution first.
    names : sequence of str
        Names of its axes.
    calibration : Calibration
        Values of the user.
    entry : Entry
        Its group.

    Returns
    -------
    list of Steps or None
        Scale and translation of each level; ``None`` if they cannot be judged.
    """
    if _OLD_VERSION.fullmatch(str(multiscale.get("version"))) and not _has_steps(levels):
        if calibration.scales:
            entry.remark("OME-Zarr before 0.4 has no place for scales: save it in a newer version.")
        return None
    outer = _repair_outer(multiscale, len(names), entry)
    for level in levels:
        read_texts(level.dataset, level.title, entry)
    read = [read_level(each.dataset, len(names), entry, each.title) for each in levels]
    steps = [each for each in read if each is not None]
    if outer is None or len(steps) < len(levels):
        return None

    asked = {
        name: scale / outer[names.index(name)]
        for name, scale in calibration.scales.items()
        if name in names
    }
    shapes = [factors(levels[0].array.shape, level.array.shape) for level in levels]
    wanted, notes = _fill(steps, shapes, [asked.get(name) for name in names])
    _drop_units(multiscale, names, calibration, notes, entry)
    for level, old, new in zip(levels, steps, wanted, strict=True):
        _write(level, old, new, names, notes, entry)
    return wanted


def _has_steps(levels: Sequence[Level]) -> bool:
    return any("coordinateTransformations" in level.dataset for level in levels)


def _repair_outer(multiscale: dict[str, Any], ndim: int, entry: Entry) -> list[float] | None:
    """Repair the transformations applied after the steps of each level; return their scale."""
    read_texts(multiscale, "the image", entry)
    if not multiscale.get("coordinateTransformations"):
        return [1.0] * ndim
    steps = read_level(multiscale, ndim, entry, "the image")
    if steps is None:
        return None
    scale = [1.0 if each is None else each for each in steps.scale]
    moved = steps.translation
    translation = None if moved is None else [0.0 if each is None else each for each in moved]
    if scale != steps.scale or translation != moved:
        before = show_value(multiscale["coordinateTransformations"])
        write_level(multiscale, Steps([*scale], None if translation is None else [*translation]))
        entry.change(f"transformation of the image: {before} -> {show_value(scale)}")
    return scale


def _fill(
    steps: Sequence[Steps], shapes: Sequence[Sequence[float]], asked: Sequence[float | None]
) -> tuple[list[Steps], list[str]]:
    """Return steps with a number for each axis, and notes about the source of unknown scales."""
    columns, notes = [], []
    for axis, given in enumerate(asked):
        column, note = _fill_axis([each.scale[axis] for each in steps], shapes, axis, given)
        columns.append(column)
        notes.append(note)
    scales = [[column[k] for column in columns] for k in range(len(steps))]
    first = steps[0].translation or [0.0] * len(asked)
    start = [0.0 if each is None else each for each in first]
    filled = [
        Steps([*scale], _fill_translation(old.translation, start))
        for scale, old in zip(scales, steps, strict=True)
    ]
    _stretch(filled, steps, start)
    return filled, notes


def _fill_axis(
    known: Sequence[float | None],
    shapes: Sequence[Sequence[float]],
    axis: int,
    given: float | None,
) -> tuple[list[float], str]:
    """Return the scale of each level along one axis, and a note about its source."""
    by_size = [factor[axis] for factor in shapes]
    source = next((k for k, each in enumerate(known) if each is not None), None)
    found = None if source is None else known[source]
    if given is not None:
        base, note = given, ""
    elif found is not None and source is not None:
        base = found / by_size[source]
        note = f" (from level {source})" if source else " (from the sizes of the levels)"
    else:
        base, note = 1.0, " (assumed; if you know it, give the scale)"

    scales = []
    for factor, each in zip(by_size, known, strict=True):
        is_ratio = given is not None and each is not None and known[0] is not None
        new = base * (each / known[0] if is_ratio and each and known[0] else factor)
        is_kept = each is not None and (given is None or math.isclose(each, new))
        scales.append(each if is_kept and each is not None else new)
    return scales, note


def _fill_translation(
    moved: Sequence[float | None] | None, start: Sequence[float]
) -> list[float | None] | None:
    if moved is None:
        return None
    return [first if each is None else each for each, first in zip(moved, start, strict=True)]


def _stretch(filled: Sequence[Steps], old: Sequence[Steps], start: Sequence[float]) -> None:
    """Adapt the shifts between levels to a new scale."""
    for axis, (before, after) in enumerate(zip(old[0].scale, filled[0].scale, strict=True)):
        if before is None or after is None or math.isclose(before, after):
            continue
        for each in filled:
            moved = each.translation
            if moved is not None and (place := moved[axis]) is not None:
                moved[axis] = start[axis] + (place - start[axis]) * after / before


def _drop_units(
    multiscale: Mapping[str, Any],
    names: Sequence[str],
    calibration: Calibration,
    notes: Sequence[str],
    entry: Entry,
) -> None:
    """Remove the units of axes whose scale is unknown, as they are opened uncalibrated."""
    for axis, name, note in zip(multiscale.get("axes") or [], names, notes, strict=False):
        is_unknown = "assumed" in note and name not in calibration.units
        if is_unknown and isinstance(axis, dict) and "unit" in axis:
            unit = axis.pop("unit")
            entry.change(f"unit of axis {name}: {show_value(unit)} -> none (its scale is unknown)")


def _write(
    level: Level,
    old: Steps,
    new: Steps,
    names: Sequence[str],
    notes: Sequence[str],
    entry: Entry,
) -> None:
    """Write the steps of a level if they have changed, and note the changes."""
    if old.is_regular and old.scale == new.scale and old.translation == new.translation:
        return
    before = level.dataset.get("coordinateTransformations")
    write_level(level.dataset, new)
    for line in _scale_lines(before, old, new, names, notes):
        entry.change(f"scale of {level.title}{line}")
    if old.is_regular and old.translation != new.translation:
        values = f"{show_value(_values(before, 'translation'))} -> {show_value(new.translation)}"
        entry.change(f"translation of {level.title}: {values}")


def _scale_lines(
    before: object, old: Steps, new: Steps, names: Sequence[str], notes: Sequence[str]
) -> list[str]:
    """Return the changes in the scale of a level: by axis, or as a whole if it has no axes."""
    values = _values(before, "scale") if old.is_regular else before
    if old.is_regular and isinstance(values, list) and len(values) == len(names):
        changes = zip(names, values, old.scale, new.scale, notes, strict=True)
        return [
            f", axis {name}: {show_value(shown)} -> {show_value(b)}{note}"
            for name, shown, a, b, note in changes
            if a != b
        ]
    note = next(filter(None, notes), "") if None in old.scale else ""
    shown = "missing" if not values else show_value(values)
    moved = "" if new.translation is None else f", translation {show_value(new.translation)}"
    return [f": {shown} -> {show_value(new.scale)}{'' if old.is_regular else moved}{note}"]


def _values(transformations: object, kind: str) -> Any:
    listed = transformations if isinstance(transformations, list) else []
    return next((each[kind] for each in listed if isinstance(each, dict) and kind in each), None)


def repair_positions(
    multiscale: Mapping[str, Any],
    levels: Sequence[Level],
    steps: Sequence[Steps],
    *,
    averaged: bool,
    entry: Entry,
) -> None:
    """Add the missing translations of levels of averaged pixels.

    Pixel centers are at whole numbers, so that the first mean of f pixels is at (f - 1) / 2. Levels
    of single pixels need no translation; the metadata do not show which applies.

    Parameters
    ----------
    multiscale : mapping
        The image.
    levels : sequence of Level
        Its levels, whose items are changed in place.
    steps : sequence of Steps
        Scale and translation of each level.
    averaged : bool
        True if levels are averages according to the user.
    entry : Entry
        Its group.
    """
    missing = [k for k in range(1, len(levels)) if steps[k].translation is None]
    missing = [k for k in missing if steps[k].scale != steps[0].scale]
    if not missing:
        return
    metadata = multiscale.get("metadata")
    method = metadata.get("method") if isinstance(metadata, dict) else None
    words = f"{multiscale.get('type')} {method}"
    has_none = len(missing) == len(levels) - 1
    if not averaged and not (has_none and _AVERAGED.search(words)):
        if has_none and not _SAMPLED.search(words):
            entry.remark(
                "the smaller levels have no translation, and it is unknown how they were made. If "
                "they are averages of pixels, choose the option averaged; otherwise they are right."
            )
        return

    for k in missing:
        steps[k].translation = _center(steps[0], steps[k])
        write_level(levels[k].dataset, steps[k])
        entry.change(
            f"translation of {levels[k].title}: missing -> {show_value(steps[k].translation)} "
            "(the centers of averaged pixels)"
        )


def _center(full: Steps, level: Steps) -> list[float | None]:
    """Return the position of the first pixel of a level of averaged pixels."""
    start = full.translation or [0.0] * len(full.scale)
    triples = zip(start, full.scale, level.scale, strict=True)
    # (f - 1) / 2 pixels of the scale s of full resolution, where f s is the scale of the level
    return [(place or 0.0) + ((b or 1.0) - (a or 1.0)) / 2 for place, a, b in triples]
