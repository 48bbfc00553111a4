"""Merging of an old sidecar into a new one, after the layout of a raw file has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.codecs.binary.calibration import Field, split_axes
from napari_ferry.codecs.binary.padding import Padding
from napari_ferry.codecs.binary.sidecar import load_sidecar, sidecar_text
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import CHANNEL_DISPLAYS, KEY, Description, parse_description
from napari_ferry.units import METERS, SECONDS

_AXIS_KEYS = ("rotate", "shear", "affine", "plane", "experimental_clipping_planes", "axis_labels")
"""Keys of a display with one value per axis."""

_SAMPLE_KEYS = ("contrast_limits", "iso_threshold")
"""Keys of a display in the unit of the samples."""


def merge_sidecar(
    sidecar: Path,
    image: Image,
    padding: Padding,
    edited: Collection[Field],
    described: Description | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Merge an old sidecar into a new one.

    Parameters
    ----------
    sidecar : Path
        The old sidecar, which may not exist.
    image : Image
        The raw file in its new layout, frames along its first axis.
    padding : Padding
        Bytes around the samples.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        Fields of the `Calibration` of `image` that a user has set; they replace the old values.
    described : Description, optional
        Description in the header of another program, for a file without an old sidecar.

    Returns
    -------
    text : str
        The new sidecar.
    losses : tuple of str
        A sentence for each old value that the new sidecar does not contain.
    """
    before, losses = _read(sidecar)
    old = parse_description(before) or described
    if old is not None:
        image, losses = merge_description(image, old, edited, has_gaps=padding.gap > 0)
    record = {**json.loads(sidecar_text(image)), **padding.record()}
    replaced = (*record, *padding._fields)
    others = {key: to_json(before[key]) for key in before if key not in replaced}
    return json.dumps({**record, **others}), losses


def _read(sidecar: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the record of a sidecar, empty without one, and a sentence if it is damaged."""
    if not sidecar.is_file():
        return {}, ()
    try:
        record = load_sidecar(sidecar)
    except UnreadableFileError:
        return {}, ("it is damaged, so nothing is copied from it",)
    if KEY in record and parse_description(record) is None:
        return record, ("its description is damaged and is not copied",)
    return record, ()


def merge_description(
    image: Image, old: Description, edited: Collection[Field], *, has_gaps: bool
) -> tuple[Image, tuple[str, ...]]:
    """Add an old description to an image.

    Parameters
    ----------
    image : Image
        The raw file in its new layout, frames along its first axis.
    old : Description
        Description in the old sidecar.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        Fields of the `Calibration` of `image` set by the user; they replace the fields of `old`.
    has_gaps : bool
        True if there are bytes between frames, which is possible along one axis only.

    Returns
    -------
    image : Image
        The image to describe; its samples differ from the file's.
    losses : tuple of str
        A sentence for each old value that does not apply.
    """
    sizes = _sizes(image, old, edited, has_gaps=has_gaps)
    dropped = _dropped_keys(image, old, tuple(sizes))
    count = sizes.get("c", 1)
    merged = Image(
        levels=(np.broadcast_to(np.zeros((), image.dtype), tuple(sizes.values())),),
        axes=tuple(_axes(image, old, edited, tuple(sizes))),
        channels=_channels(old, dropped) if len(old.channels) == count else (),
        name=old.name or image.name,
        kind="labels" if old.kind == "labels" and image.dtype.kind in "iu" else "image",
        display=_display(old, dropped, count),
        metadata=dict(old.metadata or {}),
    )
    return merged, tuple(_losses(merged, old, dropped))


def _sizes(
    image: Image, old: Description, edited: Collection[Field], *, has_gaps: bool
) -> dict[str, int]:
    """Return the axes and their lengths, from `old` if the number of frames allows it."""
    own = dict(zip(image.axis_names, image.shape, strict=True))
    lead, *frame = own
    split = split_axes(tuple(old.sizes))
    if split is None or (lead not in split[0] and {"frame_axis", "frame_step"} & set(edited)):
        return own

    # all old axes but the first keep their length, so the new frames must be a multiple of these
    names = [name for name in split[0] if name not in frame]
    inner = {name: old.sizes[name] for name in names[1:]}
    count = math.prod(inner.values()) if names else own[lead]
    if not count or own[lead] % count or (has_gaps and len(names) != 1):
        return own
    if not names and count > 1:
        return own

    outer = dict.fromkeys(names[:1], own[lead] // count)
    if frame[-1] == "s" and split[1][-1] == "c" and old.sizes["c"] == own["s"]:
        return outer | inner | {"y": own["y"], "x": own["x"], "c": own["s"]}
    return outer | inner | {name: own[name] for name in frame}


def _axes(
    image: Image, old: Description, edited: Collection[Field], names: Sequence[str]
) -> Iterator[Axis]:
    """Yield each axis: edited by a user, else from the old sidecar, else from the image."""
    before = {axis.name: axis for axis in old.axes}
    if not _has_axes_of(old, names):  # an axis merged into another one: its step is another one
        before.pop(image.axis_names[0], None)
    fields: dict[str, Field] = {
        "y": "pixel_size",
        "x": "pixel_size",
        image.axis_names[0]: "frame_step",
    }
    for name in names:
        new, old_axis = image.axis(name) or Axis(name), before.get(name, Axis(name))
        is_calibrated = old_axis.unit is not None or old_axis.scale != 1
        is_edited = fields.get(name) in edited
        yield old_axis if is_calibrated and not is_edited else _with_origin(new, old_axis)


def _has_axes_of(old: Description, names: Collection[str]) -> bool:
    """Return True if all old axes still exist, except for channels and samples."""
    return set(old.sizes) - {"c", "s"} <= set(names)


def _with_origin(new: Axis, old_axis: Axis) -> Axis:
    """Return an axis with its former origin, if the units can be converted."""
    if new.unit == old_axis.unit:
        return replace(new, translation=old_axis.translation)
    for units in (METERS, SECONDS):
        if new.unit in units and old_axis.unit in units:
            factor = units[old_axis.unit] / units[new.unit]
            return replace(new, translation=old_axis.translation * factor)
    return new


def _dropped_keys(image: Image, old: Description, names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of a display without meaning for these axes and samples."""
    of_axes = () if tuple(old.sizes) == tuple(names) else _AXIS_KEYS
    of_samples = () if old.has_dtype([image.dtype.name]) else _SAMPLE_KEYS
    return (*of_axes, *of_samples)


def _channels(old: Description, dropped: Collection[str]) -> tuple[Channel, ...]:
    if "contrast_limits" not in dropped:
        return old.channels
    return tuple(replace(channel, contrast_limits=None) for channel in old.channels)


def _display(old: Description, dropped: Collection[str], count: int) -> dict[str, Any]:
    """Return the display of the image, with channel displays only if their number is unchanged."""
    display = _without(old.display or {}, dropped)
    channels = _channel_displays(old)
    if channels and len(channels) == count:
        return display | {CHANNEL_DISPLAYS: [_without(channel, dropped) for channel in channels]}
    return _without(display, (CHANNEL_DISPLAYS,))


def _channel_displays(old: Description) -> list[Mapping[str, Any]]:
    """Return the display of each channel, empty if there are none."""
    channels = (old.display or {}).get(CHANNEL_DISPLAYS)
    listed = channels if isinstance(channels, list) else []
    return [channel if isinstance(channel, Mapping) else {} for channel in listed]


def _without(display: Mapping[str, Any], dropped: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in display.items() if key not in dropped}


def _losses(merged: Image, old: Description, dropped: Collection[str]) -> Iterator[str]:
    """Describe the old values missing from the new sidecar."""
    for axis, size in zip(old.axes, old.shape, strict=True):
        yield from _axis_losses(merged.axis(axis.name), axis, size)
    yield from _channel_losses(merged, old)
    if old.kind != merged.kind:
        yield f"labels become an image: the samples are {merged.dtype.name}"

    displays = [old.display or {}, *_channel_displays(old)]
    displays += [{"contrast_limits": channel.contrast_limits} for channel in old.channels]
    lost = [
        key.replace("_", " ") for key in dropped if any(display.get(key) for display in displays)
    ]
    if lost:
        form = f"the axes {' '.join(old.sizes)} of {old.dtype}"
        yield f"the display settings {', '.join(lost)} are left out: they apply only to {form}"


def _axis_losses(new: Axis | None, old: Axis, size: int) -> Iterator[str]:
    step = f"{old.scale:g} {old.unit}"
    origin = f"{old.translation:g} {old.unit or 'pixels'}"
    if new is None:
        if old.name not in ("c", "s"):
            steps = f" at steps of {step}" if old.unit else ""
            yield f"the axis {old.name} (length {size:,}{steps}) is left out"
        return
    if old.unit and not new.unit:
        yield f"the step of {old.name} ({step}) is left out"
    if old.translation and not new.translation:
        yield f"the origin of {old.name} ({origin}) is left out"


def _channel_losses(merged: Image, old: Description) -> Iterator[str]:
    displays = _channel_displays(old)
    count = max(len(old.channels), len(displays))
    has_descriptions = any(channel != Channel() for channel in old.channels) or any(displays)
    new = merged.size("c")
    if has_descriptions and count != new:
        names = ", ".join(channel.name for channel in old.channels if channel.name)
        of = f" ({names})" if names else ""
        yield f"the descriptions of {count} channels{of} are left out: the layout has {new}"
