"""The JSON file beside an image file: everything that is known, for people and other programs.

It has the keys that AMS_BP writes into its ``metadata.json``, and our whole record below them::

    {"notes": "", "axes": "TCYX", "TimeIncrement": 0.5, "TimeIncrementUnit": "s",
     "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["GFP", "RFP"]},
     "shape": [100, 2, 512, 512], "dtype": "uint16", "record": {"napari-ferry": 1, ...}}

Of several images it is ``{"images": [...]}``. All of it stands in the image file, too, so that the
file beside it may get lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.image import Axis, Image, describe
from napari_ferry.image.json_values import load_json
from napari_ferry.image.record import KEY, NOTES
from napari_ferry.units import normalize, same_step, to_ome

_SHARED_NAME = "metadata.json"
"""What AMS_BP calls the file beside any image, so that it may be another image's."""

_MOST_BYTES = 16 << 20
_SIZES = {"t": "TimeIncrement", "z": "PhysicalSizeZ", "y": "PhysicalSizeY", "x": "PhysicalSizeX"}


def metadata_text(images: Sequence[Image]) -> str:
    """Return what stands in the file beside some images."""
    entries = [_entry(image) for image in images]
    whole = entries[0] if len(entries) == 1 else {"images": entries}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _entry(image: Image) -> dict[str, Any]:
    record = describe(image)
    notes = record["metadata"].get(NOTES, "")
    entry: dict[str, Any] = {"notes": notes, "axes": "".join(image.axis_names).upper()}
    for axis in image.axes:
        key, symbol = _SIZES.get(axis.name), to_ome(axis.unit)
        if key and symbol:
            entry |= {key: axis.scale, f"{key}Unit": symbol}
    names = [channel.name or "" for channel in image.channels]
    entry |= {"Channel": {"Name": names}} if any(names) else {}
    return {**entry, "shape": list(image.shape), "dtype": image.dtype.name, "record": record}


def is_own_metadata(path: Path) -> bool:
    """Whether a file is one that we wrote beside images."""
    found = _load(path)
    entries = found.get("images", [found])
    first = entries[0] if isinstance(entries, list) and entries else None
    record = first.get("record") if isinstance(first, Mapping) else None
    return isinstance(record, Mapping) and KEY in record


def read_notes(path: Path, image: Image) -> str:
    """Return the notes that AMS_BP keeps beside an image file; empty where there are none.

    As all images of a folder share the file, it is believed where it says of the image what the
    image says itself.
    """
    found = _load(path.with_name(_SHARED_NAME))
    notes = found.get("notes")
    return notes if isinstance(notes, str) and notes and _fits(found, image) else ""


def _fits(found: Mapping[str, Any], image: Image) -> bool:
    names = [channel.name for channel in image.channels]
    channels = found.get("Channel")
    said = channels.get("Name") if isinstance(channels, Mapping) else None
    sizes = [key for key in _SIZES.values() if key in found]
    return bool(sizes) and said == names and all(_same_size(found, axis) for axis in image.axes)


def _same_size(found: Mapping[str, Any], axis: Axis) -> bool:
    """Whether the file says the same of an axis, or nothing."""
    key = _SIZES.get(axis.name, "")
    size, unit = found.get(key), normalize(str(found.get(f"{key}Unit", "")))
    if not isinstance(size, int | float):
        return key not in found
    return same_step(float(size), unit, axis.scale, normalize(axis.unit))


def _load(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty where there is none, or no such file."""
    try:
        found = load_json(path, max_bytes=_MOST_BYTES)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
