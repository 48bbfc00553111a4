"""napari's colormaps and label colours <-> plain JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_ferry.description import to_json

_PRIMARY = ("gray", "red", "green", "blue", "cyan", "magenta", "yellow")
_FIELDS = (
    *("name", "colors", "controls", "interpolation", "nan_color", "low_color", "high_color"),
)
_MOST_COLORS = 2**20
_USUAL_LABELS = (50, 0.5, 0)
"""Number of colours, seed and background of the label colours that napari begins with."""


def colormap_to_json(value: Any) -> Any:
    """Return the name of a colormap that napari begins with, or all of it as JSON.

    Those that were made since are known by their names, too, but only until napari is closed.
    """
    from napari.utils.colormaps.colormap_utils import ALL_COLORMAPS

    if isinstance(value, str):
        return value
    fields = dict(value)
    known = ALL_COLORMAPS.get(fields["name"])
    if known is not None and np.array_equal(known.colors, np.asarray(fields["colors"])):
        return fields["name"]
    return {
        key: to_json(plain(fields[key]) if key == "interpolation" else np.asarray(fields[key]))
        if key != "name"
        else fields[key]
        for key in _FIELDS
        if fields.get(key) is not None
    }


def to_colormap(value: Any) -> Any:
    """Return what napari takes for a colormap: a name, or one made of its colours.

    Raises
    ------
    ValueError, TypeError, LookupError
        It is none.
    """
    from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

    if isinstance(value, str):
        if value in AVAILABLE_COLORMAPS:
            return value
        if not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise ValueError(f"{value[:40]!r} is no colormap")
        named = {color: name for name in _PRIMARY for color in [color_of(name)]}
        rgb = [int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return named.get(value) or Colormap([[0, 0, 0, 1], [*rgb, 1]], name=value)
    _check_colors(value["colors"])
    return Colormap(**value)


def label_colors_to_json(value: Any) -> Any:
    """Return the colours of labels as JSON, ``None`` for napari's own."""
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    if isinstance(value, DirectLabelColormap):
        colors = {key: to_json(np.asarray(color)) for key, color in value.color_dict.items()}
        return {"direct": [[key, color] for key, color in colors.items()]}
    kind = {"seed": float(value.seed), "background_value": int(value.background_value)}
    drawn = label_colormap(len(value.colors) - 1, value.seed, value.background_value)
    if not np.array_equal(value.colors, drawn.colors):
        return {"name": value.name, "cyclic": to_json(np.asarray(value.colors)), **kind}
    if (len(drawn.colors), *kind.values()) == _USUAL_LABELS:
        return None
    return {"drawn": len(drawn.colors) - 1, **kind}


def to_label_colors(value: Mapping[str, Any]) -> Any:
    """Return the colours of labels as napari's own object.

    Raises
    ------
    ValueError, TypeError, LookupError
        They are none.
    """
    from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap, label_colormap

    if "direct" in value:
        _check_colors([color for _, color in value["direct"]])
        return DirectLabelColormap(color_dict={key: np.array(c) for key, c in value["direct"]})
    if "drawn" in value:
        if not 0 < value["drawn"] <= _MOST_COLORS:
            raise ValueError(f"{value['drawn']} colours cannot be drawn")
        return label_colormap(value["drawn"], value["seed"], value["background_value"])
    _check_colors(value["cyclic"])
    return CyclicLabelColormap(
        name=value["name"],
        colors=np.array(value["cyclic"]),
        seed=value["seed"],
        background_value=value["background_value"],
    )


def _check_colors(value: Any) -> None:
    """Refuse what is no list of colours.

    Raises
    ------
    ValueError
        Anything but at least one row of three or four numbers.
    """
    colors = np.asarray(value)
    is_table = colors.ndim == 2 and len(colors) and colors.shape[1] in (3, 4)
    if not is_table or colors.dtype.kind not in "iuf" or not np.isfinite(colors).all():
        raise ValueError("these are no colours")


def color_of(colormap: Any) -> str | None:
    """Return the colour of a colormap that goes from black to one colour."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    if isinstance(colormap, str):
        known = AVAILABLE_COLORMAPS.get(colormap)
        colors = None if known is None else np.asarray(known.colors)
    else:
        colors = np.asarray(colormap["colors"]) if isinstance(colormap, Mapping) else None
    if colors is None or len(colors) != 2 or colors[0, :3].any():
        return None
    return "#" + "".join(f"{round(255 * float(value)):02x}" for value in colors[1, :3])


def plain(value: object) -> object:
    """Return the value of an enumeration, and anything else as it is."""
    return getattr(value, "value", value)
