"""JSON file with all metadata of an image file, for people and other programs.

It has the keys that AMS_BP writes to its ``metadata.json``, followed by our complete record::

    {"notes": "", "axes": "TCYX", "TimeIncrement": 0.5, "TimeIncrementUnit": "s",
     "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["GFP", "RFP"]},
     "shape": [100, 2, 512, 512], "dtype": "uint16", "record": {"napari-ferry": 1, ...}}

For several images it is ``{"images": [...]}``. The image file contains all of this, too, so nothing
is lost without the JSON file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.errors import escape_surrogates
from napari_ferry.files.json_files import load_json
from napari_ferry.files.links import leads_outside
from napari_ferry.image import Axis, Image, describe
from napari_ferry.image.record import KEY, NOTES
from napari_ferry.image.user_metadata import STEPS
from napari_ferry.units import normalize, same_step, to_ome

_SHARED_NAME = "metadata.json"
"""Name used by AMS_BP for every image, so the file may belong to another image."""

_MAX_BYTES = 16 << 20


def metadata_text(images: Sequence[Image]) -> str:
    """Return the content of the JSON file for some images."""
    entries = [_entry(image) for image in images]
    whole = entries[0] if len(entries) == 1 else {"images": entries}
    return escape_surrogates(json.dumps(whole, ensure_ascii=False, indent=1)) + "\n"


def _entry(image: Image) -> dict[str, Any]:
    record = describe(image)
    notes = record["metadata"].get(NOTES, "")
    entry: dict[str, Any] = {"notes": notes, "axes": "".join(image.axis_names).upper()}
    for axis in image.axes:
        key, symbol = STEPS.get(axis.name), to_ome(axis.unit)
        if key and symbol:
            entry |= {key: axis.scale, f"{key}Unit": symbol}
    names = [channel.name or "" for channel in image.channels]
    if any(names):
        entry["Channel"] = {"Name": names}
    return {**entry, "shape": list(image.shape), "dtype": image.dtype.name, "record": record}


def is_own_metadata(path: Path) -> bool:
    """Return True if we wrote the JSON file."""
    content = _load(path)
    entries = content.get("images", [content])
    first = entries[0] if isinstance(entries, list) and entries else None
    record = first.get("record") if isinstance(first, Mapping) else None
    return isinstance(record, Mapping) and KEY in record


def read_notes(path: Path, image: Image) -> str:
    """Read the notes of AMS_BP about an image file, empty if it has none.

    All images of a folder share one JSON file, so its notes are used only if its other metadata
    match the image.

    Parameters
    ----------
    path : Path
        The image file.
    image : Image
        The image in it.
    """
    shared = path.with_name(_SHARED_NAME)
    is_absent = not os.path.isfile(shared)  # noqa: PTH113 - `Path.is_file` raises on a long name
    content = {} if is_absent or leads_outside(shared, path) else _load(shared)
    notes = content.get("notes")
    return notes if isinstance(notes, str) and notes and _matches(content, image) else ""


def _matches(content: Mapping[str, Any], image: Image) -> bool:
    """Return True if channel names and steps agree with an image; a step must be present."""
    names = [channel.name for channel in image.channels]
    channels = content.get("Channel")
    listed = channels.get("Name") if isinstance(channels, Mapping) else None
    sizes = [key for key in STEPS.values() if key in content]
    return bool(sizes) and listed == names and all(_same_size(content, axis) for axis in image.axes)


def _same_size(content: Mapping[str, Any], axis: Axis) -> bool:
    """Return True if the step matches an axis, or is absent."""
    key = STEPS.get(axis.name, "")
    size, unit = content.get(key), normalize(str(content.get(f"{key}Unit", "")))
    if not isinstance(size, int | float):
        return key not in content
    return same_step(float(size), unit, axis.scale, normalize(axis.unit))


def _load(path: Path) -> dict[str, Any]:
    """Read the object in a JSON file, empty if the file is absent or has other content."""
    try:
        content = load_json(path, max_bytes=_MAX_BYTES)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
