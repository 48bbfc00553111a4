"""Convert between plain metadata and the texts and regions in ImageJ's private tags."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from napari_ferry.image.json_values import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_private(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the private tags parsed by `parse_imagej`, in tifffile's representation."""
    info, properties = metadata.get("Info"), metadata.get("Properties")
    tags: dict[str, Any] = {"Info": encodable(info)} if isinstance(info, str) else {}
    if isinstance(properties, dict) and properties:
        tags["Properties"] = {
            encodable(str(key)): encodable(str(value)) for key, value in properties.items()
        }
    for key in ("ROI", "Overlays"):
        value = metadata.get(key)
        blobs = [_decode(blob) for blob in (value if isinstance(value, list) else [value])]
        if blobs and all(blobs):
            tags[key] = blobs
    return tags


def plain(value: object) -> Any:
    """Convert a value from tifffile to plain JSON; bytes become base64 text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return to_json(value)


def encodable(text: str) -> str:
    """Return text with lone surrogates replaced, as UTF-16 cannot encode them."""
    return text.encode("utf-16-le", "replace").decode("utf-16-le")


def _decode(text: object) -> bytes | None:
    """Decode a base64 text; return None for other values."""
    try:
        blob = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:  # not ASCII, or not base64
        return None
    return blob if blob and base64.b64encode(blob).decode("ascii") == text else None
