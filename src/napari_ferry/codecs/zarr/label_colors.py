"""Colors of labels in ``image-label`` of OME-NGFF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_ferry.arguments import is_whole
from napari_ferry.errors import warn

_OTHERS = [0.5, 0.5, 0.5, 1.0]
"""Color of labels without a color of their own, red, green, blue and alpha from 0 to 1."""

_TRANSPARENT = [0.0, 0.0, 0.0, 0.0]


def read_label_colors(described: object, label: str) -> dict[str, Any]:
    """Return the display settings of labels: a color for each label, if the file has colors.

    Parameters
    ----------
    described : object
        Value of ``image-label``.
    label : str
        Name of the labels, for warnings.

    Warns
    -----
    FerryWarning
        A color is not valid.
    """
    listed = described.get("colors") if isinstance(described, Mapping) else None
    if not isinstance(listed, list) or not listed:
        return {}
    colors: dict[int | None, list[float]] = {None: _OTHERS, 0: _TRANSPARENT}
    n_invalid = 0
    for each in listed:
        value = each.get("label-value") if isinstance(each, Mapping) else None
        rgba = each.get("rgba") if isinstance(each, Mapping) else None
        color = _parse_rgba(rgba)
        if is_whole(value) and abs(value) < 2**63 and color is not None:
            colors[int(value)] = color
        elif not (is_whole(value) and rgba is None):  # a label may come without a color
            n_invalid += 1
    if n_invalid:
        warn(f"{n_invalid} colors of the labels {label} are not valid: they are left out.")
    if len(colors) == 2:
        return {}
    return {"colormap": {"direct": [[value, color] for value, color in colors.items()]}}


def _parse_rgba(value: object) -> list[float] | None:
    """Return red, green, blue and alpha from 0 to 255 as fractions, or ``None`` if invalid."""
    parts = value if isinstance(value, list) and len(value) == 4 else []
    valid = [part / 255 for part in parts if is_whole(part) and 0 <= part <= 255]
    return valid if len(valid) == 4 else None
