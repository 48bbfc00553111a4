"""Plain metadata <-> the texts and regions that ImageJ keeps in private tags."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from napari_ferry.image.record import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_private(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `parse_imagej` keeps of ImageJ's private tags, as tifffile takes it."""
    info, properties = metadata.get("Info"), metadata.get("Properties")
    found: dict[str, Any] = {"Info": encodable(info)} if isinstance(info, str) else {}
    if isinstance(properties, dict) and properties:
        found["Properties"] = {
            encodable(str(key)): encodable(str(value)) for key, value in properties.items()
        }
    for key in ("ROI", "Overlays"):
        value = metadata.get(key)
        blobs = [_decode(blob) for blob in (value if isinstance(value, list) else [value])]
        if blobs and all(blobs):
            found[key] = blobs
    return found


def plain(value: object) -> Any:
    """Return a value of tifffile's as plain JSON; bytes become base64 text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return to_json(value)


def encodable(text: str) -> str:
    """Return text without the lone surrogates that UTF-16 cannot hold."""
    return text.encode("utf-16-le", "replace").decode("utf-16-le")


def _decode(text: object) -> bytes | None:
    """Return the bytes that a base64 text stands for, if it is one."""
    try:
        blob = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:  # not ASCII, or not base64
        return None
    return blob if blob and base64.b64encode(blob).decode("ascii") == text else None
