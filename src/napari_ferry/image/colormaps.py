"""Conversion of napari's colormaps and label colors to plain JSON and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image.json_values import to_json

PRIMARY_COLORS = {
    "gray": "#ffffff",
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "yellow": "#ffff00",
}
"""napari's names of colormaps from black to one color; napari is not imported for these."""

_HEX = re.compile("#[0-9a-fA-F]{6}")
_FIELDS = (
    *("name", "colors", "controls", "interpolation", "nan_color", "low_color", "high_color"),
)
_MOST_COLORS = 2**20
_DEFAULT_LABELS = (50, 0.5, 0)
"""Number of colors, seed and background of napari's default label colors."""


def colormap_to_json(value: Any) -> Any:
    """Return the name of a built-in colormap of napari, or the fields of another one as JSON.

    napari knows the names of other colormaps only until it is closed.
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
    """Return a colormap for napari: a name or a `Colormap`.

    Raises
    ------
    ValueError, TypeError, LookupError
        The value is not a colormap.
    """
    from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

    if isinstance(value, str):
        if value in AVAILABLE_COLORMAPS:
            return value
        if not is_hex_color(value):
            raise ValueError(f"{value[:40]!r} is not a colormap")
        named = {color: name for name, color in PRIMARY_COLORS.items()}
        return named.get(value) or Colormap([[0, 0, 0, 1], [*_fractions(value), 1]], name=value)
    _check_colors(value["colors"])
    return Colormap(**value)


def label_colors_to_json(value: Any) -> Any:
    """Return the colors of labels as JSON, or ``None`` for napari's default."""
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    if isinstance(value, DirectLabelColormap):
        colors = {key: to_json(np.asarray(color)) for key, color in value.color_dict.items()}
        return {"direct": [[key, color] for key, color in colors.items()]}
    kind = {"seed": float(value.seed), "background_value": int(value.background_value)}
    drawn = label_colormap(len(value.colors) - 1, value.seed, value.background_value)
    if not np.array_equal(value.colors, drawn.colors):
        return {"name": value.name, "cyclic": to_json(np.asarray(value.colors)), **kind}
    if (len(drawn.colors), *kind.values()) == _DEFAULT_LABELS:
        return None
    return {"drawn": len(drawn.colors) - 1, **kind}


def to_label_colors(value: Mapping[str, Any]) -> Any:
    """Return the colors of labels as an object of napari.

    Raises
    ------
    ValueError, TypeError, LookupError
        The value is not a valid description of label colors.
    """
    from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap, label_colormap

    if "direct" in value:
        _check_colors([color for _, color in value["direct"]])
        return DirectLabelColormap(color_dict={key: np.array(c) for key, c in value["direct"]})
    if "drawn" in value:
        if not 0 < value["drawn"] <= _MOST_COLORS:
            raise ValueError(f"{value['drawn']} colors cannot be drawn")
        return label_colormap(value["drawn"], value["seed"], value["background_value"])
    _check_colors(value["cyclic"])
    return CyclicLabelColormap(
        name=value["name"],
        colors=np.array(value["cyclic"]),
        seed=value["seed"],
        background_value=value["background_value"],
    )


def _check_colors(value: Any) -> None:
    """Refuse an invalid list of colors.

    Raises
    ------
    ValueError
        The value does not consist of at least one row of three or four numbers.
    """
    colors = np.asarray(value)
    is_table = colors.ndim == 2 and len(colors) and colors.shape[1] in (3, 4)
    if not is_table or colors.dtype.kind not in "iuf" or not np.isfinite(colors).all():
        raise ValueError("rows of three or four numbers were expected as colors")


def color_of(colormap: object) -> str | None:
    """Return the color ``#rrggbb`` of a colormap from black to one color, or ``None``."""
    knots = _knots(colormap)
    if knots is None or len(knots.colors) != 2 or knots.colors[0].any():
        return None
    return "#" + "".join(f"{round(255 * value):02x}" for value in knots.colors[1].tolist())


def color_table(colormap: object, count: int) -> NDArray[np.float64] | None:
    """Return the colors of a colormap in `Image.display` at equal steps.

    Returns
    -------
    numpy.ndarray, optional
        Axes (count, rgb), float64 between 0 and 1; ``None`` if the value is not a colormap.
    """
    knots = _knots(colormap)
    if knots is None:
        return None
    return spread_colors(knots.colors, knots.controls, knots.is_smooth, count).clip(0, 1)


def spread_colors(
    colors: NDArray[np.float64], controls: NDArray[np.float64], is_smooth: bool, count: int
) -> NDArray[np.float64]:
    """Return the colors of a colormap at `count` equal steps.

    Parameters
    ----------
    colors : numpy.ndarray
        Axes (color, samples).
    controls : numpy.ndarray
        Positions of the colors from 0 to 1, or the edges between colors if not smooth.
    is_smooth : bool
        True to interpolate between colors.
    count : int
        Number of steps.
    """
    x = np.linspace(0, 1, count)
    if is_smooth:
        return np.stack([np.interp(x, controls, side) for side in colors.T], 1)
    bins = np.searchsorted(controls, x, side="right") - 1
    return colors[np.clip(bins, 0, len(colors) - 1)]


class _Knots(NamedTuple):
    """The colors of a colormap, axes (color, rgb), and their positions; see `spread_colors`."""

    colors: NDArray[np.float64]
    controls: NDArray[np.float64]
    is_smooth: bool


def _knots(colormap: object) -> _Knots | None:
    """Return the knots of a colormap, or ``None`` if the value is not a colormap."""
    fields: Any = colormap
    if isinstance(colormap, str):
        color = PRIMARY_COLORS.get(colormap, colormap)
        if is_hex_color(color):
            ends = np.array([[0, 0, 0], _fractions(color)], np.float64)
            return _Knots(ends, np.arange(2.0), True)
        from napari.utils.colormaps import AVAILABLE_COLORMAPS

        known = AVAILABLE_COLORMAPS.get(colormap)
        fields = None if known is None else dict(known)
    return _read_knots(fields) if isinstance(fields, Mapping) else None


def _read_knots(fields: Mapping[str, Any]) -> _Knots | None:
    is_smooth = str(plain(fields.get("interpolation", "linear"))) == "linear"
    try:
        colors = np.asarray(fields.get("colors"), np.float64)[:, :3]
        n_controls = len(colors) if is_smooth else len(colors) + 1
        controls = np.asarray(fields.get("controls", np.linspace(0, 1, n_controls)), np.float64)
    except (TypeError, ValueError, IndexError, OverflowError):  # not rows of numbers
        return None
    is_valid = len(colors) and colors.shape[1] == 3 and controls.shape == (n_controls,)
    is_finite = np.isfinite(colors).all() and np.isfinite(controls).all()
    return _Knots(colors, controls, is_smooth) if is_valid and is_finite else None


def is_hex_color(color: str | None) -> TypeGuard[str]:
    """Return True for a color ``#rrggbb``."""
    return _HEX.fullmatch(color or "") is not None


def rgb_of(color: str) -> bytes:
    """Return red, green and blue of ``#rrggbb``.

    >>> list(rgb_of("#00ff80"))
    [0, 255, 128]
    """
    return bytes.fromhex(color[1:])


def _fractions(color: str) -> list[float]:
    """Return red, green and blue of ``#rrggbb``, between 0 and 1."""
    return [value / 255 for value in rgb_of(color)]


def plain(value: object) -> object:
    """Return the value of an enumeration member, and other values unchanged."""
    return getattr(value, "value", value)
