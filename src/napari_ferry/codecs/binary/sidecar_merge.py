"""What a sidecar said of a raw file and stays true when its layout turns out to be another one."""

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

_OF_AXES = ("rotate", "shear", "affine", "plane", "experimental_clipping_planes", "axis_labels")
"""What of a display has a number for each axis."""

_OF_SAMPLES = ("contrast_limits", "iso_threshold")
"""What of a display is in the unit of the samples."""


def merge_sidecar(
    sidecar: Path, image: Image, place: Padding, edited: Collection[Field]
) -> tuple[str, tuple[str, ...]]:
    """Return the text of a sidecar that replaces one, and what that one says and it does not.

    Parameters
    ----------
    sidecar : Path
        Where one may stand.
    image : Image
        The raw file in its new layout, frames along its first axis.
    place : Padding
        Where the samples lie.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        Which fields of the `Calibration` of `image` somebody has set: they count, not the old ones.
    """
    before, losses = _read(sidecar)
    old = parse_description(before)
    if old is not None:
        image, losses = inherit(image, old, edited, has_gaps=place.gap > 0)
    record = {**json.loads(sidecar_text(image)), **place.record()}
    others = {key: to_json(before[key]) for key in before if key not in (*record, *place._fields)}
    return json.dumps({**record, **others}), losses


def _read(sidecar: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what a sidecar says, nothing if there is none; and a sentence if it is damaged."""
    if not sidecar.is_file():
        return {}, ()
    try:
        record = load_sidecar(sidecar)
    except UnreadableFileError:
        return {}, ("it is damaged, and nothing of it is taken over",)
    if KEY in record and parse_description(record) is None:
        return record, ("its description is damaged, and nothing of that is taken over",)
    return record, ()


def inherit(
    image: Image, old: Description, edited: Collection[Field], *, has_gaps: bool
) -> tuple[Image, tuple[str, ...]]:
    """Return an image with what a sidecar said of it before, and what of that cannot stay.

    Parameters
    ----------
    image : Image
        The raw file in its new layout, frames along its first axis.
    old : Description
        What the sidecar said.
    edited : collection of {"frame_axis", "frame_step", "pixel_size"}
        Which fields of its `Calibration` somebody has set: they count, not `old`.
    has_gaps : bool
        Whether there are bytes between frames, which can stand at one axis alone.

    Returns
    -------
    Image
        For its description: the samples are none of the file's.
    tuple of str
        A sentence for each thing that is not kept.
    """
    sizes = _sizes(image, old, edited, has_gaps=has_gaps)
    gone = _without_meaning(image, old, tuple(sizes))
    count = sizes.get("c", 1)
    found = Image(
        (np.broadcast_to(np.zeros((), image.dtype), tuple(sizes.values())),),
        tuple(_axes(image, old, edited, tuple(sizes))),
        _channels(old, gone) if len(old.channels) == count else (),
        old.name or image.name,
        "labels" if old.kind == "labels" and image.dtype.kind in "iu" else "image",
        _shown(old, gone, count),
        dict(old.metadata or {}),
    )
    return found, tuple(_losses(found, old, gone))


def _sizes(
    image: Image, old: Description, edited: Collection[Field], *, has_gaps: bool
) -> dict[str, int]:
    """Return the axes and their lengths: frames along those of `old`, if there are so many."""
    own = dict(zip(image.axis_names, image.shape, strict=True))
    lead, *frame = own
    split = split_axes(tuple(old.sizes))
    if split is None or (lead not in split[0] and {"frame_axis", "frame_step"} & set(edited)):
        return own
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
    """Yield each axis: as a hand has set it, else as it was, else as it is."""
    before = {axis.name: axis for axis in old.axes}
    if not _has_axes_of(old, names):  # one after the other now: no longer steps from frame to frame
        before.pop(image.axis_names[0], None)
    fields: dict[str, Field] = {
        "y": "pixel_size",
        "x": "pixel_size",
        image.axis_names[0]: "frame_step",
    }
    for name in names:
        now, was = image.axis(name) or Axis(name), before.get(name, Axis(name))
        is_calibrated = was.unit is not None or was.scale != 1
        yield was if is_calibrated and fields.get(name) not in edited else _moved(now, was)


def _has_axes_of(old: Description, names: Collection[str]) -> bool:
    """Whether there are all axes that there were, those of channels and samples apart."""
    return set(old.sizes) - {"c", "s"} <= set(names)


def _moved(now: Axis, was: Axis) -> Axis:
    """Return an axis with the origin that it had, unless that was in no unit of the same kind."""
    if now.unit == was.unit:
        return replace(now, translation=was.translation)
    for units in (METERS, SECONDS):
        if now.unit in units and was.unit in units:
            return replace(now, translation=was.translation * units[was.unit] / units[now.unit])
    return now


def _without_meaning(image: Image, old: Description, names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of a display that mean nothing for these axes and samples."""
    of_axes = () if tuple(old.sizes) == tuple(names) else _OF_AXES
    of_samples = () if old.has_dtype([image.dtype.name]) else _OF_SAMPLES
    return (*of_axes, *of_samples)


def _channels(old: Description, gone: Collection[str]) -> tuple[Channel, ...]:
    if "contrast_limits" not in gone:
        return old.channels
    return tuple(replace(channel, contrast_limits=None) for channel in old.channels)


def _shown(old: Description, gone: Collection[str], count: int) -> dict[str, Any]:
    """Return how napari shows the image, and each channel if there are as many as there were."""
    shown = _without(old.display or {}, gone)
    each = _each_shown(old)
    if each and len(each) == count:
        return shown | {CHANNEL_DISPLAYS: [_without(one, gone) for one in each]}
    return _without(shown, (CHANNEL_DISPLAYS,))


def _each_shown(old: Description) -> list[Mapping[str, Any]]:
    """Return how napari shows each channel; nothing where that is not said."""
    each = (old.display or {}).get(CHANNEL_DISPLAYS)
    listed = each if isinstance(each, list) else []
    return [one if isinstance(one, Mapping) else {} for one in listed]


def _without(display: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in display.items() if key not in gone}


def _losses(found: Image, old: Description, gone: Collection[str]) -> Iterator[str]:
    """Say what the sidecar said and the one that replaces it does not."""
    for axis, size in zip(old.axes, old.shape, strict=True):
        now = found.axis(axis.name)
        step, origin = (
            f"{axis.scale:g} {axis.unit}",
            f"{axis.translation:g} {axis.unit or 'pixels'}",
        )
        if now is None and axis.name not in ("c", "s"):
            steps = f" at steps of {step}" if axis.unit else ""
            yield f"the axis {axis.name} (length {size:,}{steps}) is left out"
        if now is not None and axis.unit and not now.unit:
            yield f"the step of {axis.name} ({step}) is left out"
        if now is not None and axis.translation and not now.translation:
            yield f"the origin of {axis.name} ({origin}) is left out"
    yield from _channel_losses(found, old)
    if old.kind != found.kind:
        yield f"it is no longer called labels: the samples are {found.dtype.name}"
    shown = [old.display or {}, *_each_shown(old)]
    shown += [{"contrast_limits": channel.contrast_limits} for channel in old.channels]
    lost = [key.replace("_", " ") for key in gone if any(one.get(key) for one in shown)]
    if lost:
        form = f"the axes {' '.join(old.sizes)} of {old.dtype}"
        yield f"what it says of {', '.join(lost)} is left out: that is for {form}"


def _channel_losses(found: Image, old: Description) -> Iterator[str]:
    count = max(len(old.channels), len(_each_shown(old)))
    said = any(channel != Channel() for channel in old.channels) or any(_each_shown(old))
    now = found.size("c")
    if said and count != now:
        names = ", ".join(channel.name for channel in old.channels if channel.name)
        what = f" ({names})" if names else ""
        yield f"what it says of {count} channels{what} is left out: the layout has {now}"
