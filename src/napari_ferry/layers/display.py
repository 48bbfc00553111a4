"""Convert display settings of napari layers to plain JSON and back.

JSON may come from a file edited by anybody, so only values accepted by napari are
returned. The tables of `_parsers` are the single definition of valid keys and values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_finite
from napari_ferry.errors import warn
from napari_ferry.image.colormaps import (
    colormap_to_json,
    label_colors_to_json,
    plain,
    to_colormap,
    to_label_colors,
)
from napari_ferry.image.image import Kind
from napari_ferry.image.json_values import to_json

_Parser: TypeAlias = Callable[[Any, int], Any]
"""Converts a JSON value for a layer with the given number of dimensions, or raises."""

TRANSFORMS = ("rotate", "shear", "affine")
"""Keys of transforms; identity transforms are omitted from the record."""

_INVALID_VALUE = (TypeError, ValueError, LookupError, OverflowError)
_DEFAULT_PLANE = {"normal": [1.0, 0.0, 0.0], "position": [0.0, 0.0, 0.0], "thickness": 1.0}


def display_to_json(meta: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the display settings of a layer as plain JSON, without napari's defaults."""
    keys = _parsers(kind).keys() - {"colormap", "axis_labels"}
    display = {key: to_json(plain(meta[key])) for key in meta if key in keys}

    # defaults would only lengthen the record
    for key in TRANSFORMS:
        if key in display and _is_identity(key, meta[key]):
            del display[key]
    for key in ("properties", "experimental_clipping_planes"):
        if not display.get(key, True):
            del display[key]
    if display.get("plane") == _DEFAULT_PLANE:
        del display["plane"]

    if "colormap" in meta:
        to_record = label_colors_to_json if kind == "labels" else colormap_to_json
        colormap = to_record(meta["colormap"])
        display |= {"colormap": colormap} if colormap is not None else {}
    return display


def display_to_napari(
    display: Mapping[str, Any], kind: Kind, ndim: int, name: str
) -> dict[str, Any]:
    """Return the display settings valid in napari; omit unknown keys.

    Parameters
    ----------
    display : mapping
        Plain JSON, from a file that anybody may have edited.
    kind : {"image", "labels"}
        Type of the layer.
    ndim : int
        Number of dimensions of the layer.
    name : str
        Name of the layer, for the warning.

    Warns
    -----
    FerryWarning
        A value is not valid in napari.
    """
    valid: dict[str, Any] = {}
    invalid: list[str] = []
    for key, parse in _parsers(kind).items():
        if display.get(key) is None:
            continue
        try:
            valid[key] = parse(display[key], ndim)
        except _INVALID_VALUE:
            invalid.append(key)

    if invalid:
        warn_invalid(name, invalid)
    return valid


def warn_invalid(name: str, keys: Sequence[str]) -> None:
    """Warn about invalid display settings, replaced by napari defaults."""
    warn(
        f"{name or 'The image'}: the file contains values of {', '.join(keys)} that napari does "
        "not accept; napari's defaults are used instead."
    )


def _parsers(kind: Kind) -> dict[str, _Parser]:
    """Return the parser of each display setting of a layer type."""
    from napari.layers.base import _base_constants as base
    from napari.layers.image import _image_constants as image
    from napari.layers.labels import _labels_constants as labels

    shared = {
        "opacity": _number(0, 1),
        "blending": _choice(base.Blending),
        "visible": _bool,
        "depiction": _choice(image.VolumeDepiction),
        "plane": _plane,
        "experimental_clipping_planes": _planes,
        "rotate": _rotate,
        "shear": _shear,
        "affine": _affine,
        "axis_labels": _axis_labels,
    }
    if kind == "labels":
        return shared | {
            "rendering": _choice(labels.LabelsRendering),
            "projection_mode": _choice(base.BaseProjectionMode),
            "iso_gradient_mode": _choice(labels.IsoCategoricalGradientMode),
            "properties": _columns,
            "colormap": lambda value, _: to_label_colors(value),
        }
    return shared | {
        "rendering": _choice(image.ImageRendering),
        "projection_mode": _choice(image.ImageProjectionMode),
        "contrast_limits": _limits,
        "gamma": _number(0, math.inf),
        "interpolation2d": _choice(image.Interpolation),
        # napari raises for a custom kernel in 3D
        "interpolation3d": _choice(image.Interpolation, excluded="custom"),
        "iso_threshold": _number(-math.inf, math.inf),
        "attenuation": _number(0, math.inf),
        "colormap": lambda value, _: to_colormap(value),
    }


def _require(is_valid: object) -> None:
    """Reject an invalid value; `display_to_napari` names its key.

    Raises
    ------
    ValueError
        The value is not valid.
    """
    if not is_valid:
        raise ValueError


def _choice(names: type[Enum], *, excluded: str = "") -> _Parser:
    """Return a parser of the values of an enumeration."""
    allowed = {name.value for name in names} - {excluded}

    def parse(value: Any, _: int) -> Any:
        """Return a value of the enumeration."""
        _require(isinstance(value, str) and value in allowed)
        return value

    return parse


def _number(low: float, high: float) -> _Parser:
    """Return a parser of finite numbers in the closed interval from `low` to `high`."""

    def parse(value: Any, _: int) -> Any:
        """Return a number in the interval."""
        _require(is_finite(value) and low <= value <= high)
        return value

    return parse


def _bool(value: Any, _: int) -> Any:
    _require(isinstance(value, bool))
    return value


def _limits(value: Any, _: int) -> Any:
    low, high = _numbers(value, (2,))
    _require(low < high)
    return value


def _numbers(value: Any, *shapes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return finite numbers as an array with one of the given shapes."""
    array = np.asarray(value)
    _require(array.dtype.kind in "iuf" and array.shape in shapes and np.isfinite(array).all())
    return array.astype(np.float64)


def _plane(value: Any, _: int) -> Any:
    _require(isinstance(value, Mapping))
    _require(value.keys() <= {"position", "normal", "thickness", "enabled"})
    _numbers(value["position"], (3,))
    _require(_numbers(value["normal"], (3,)).any())
    _require(is_finite(value.get("thickness", 1)) and value.get("thickness", 1) > 0)
    _require(isinstance(value.get("enabled", True), bool))
    return dict(value)


def _planes(value: Any, ndim: int) -> Any:
    _require(isinstance(value, list | tuple))
    planes = [_plane(each, ndim) for each in value]
    _require(all("thickness" not in plane for plane in planes))
    return planes


def _matrix(value: Any, *sizes: int) -> NDArray[np.float64]:
    """Return an invertible square matrix with one of the given sizes."""
    matrix = _numbers(value, *((size, size) for size in sizes))
    np.linalg.inv(matrix)
    return matrix


def _rotate(value: Any, ndim: int) -> Any:
    if is_finite(value):
        return value
    return _numbers(value, (3,)) if np.ndim(value) == 1 and ndim > 2 else _matrix(value, ndim)


def _shear(value: Any, ndim: int) -> Any:
    if np.ndim(value) == 1:
        return _numbers(value, (ndim * (ndim - 1) // 2,))
    matrix = _matrix(value, ndim)
    _require((matrix == np.triu(matrix)).all() or (matrix == np.tril(matrix)).all())
    return matrix


def _affine(value: Any, ndim: int) -> Any:
    matrix = _matrix(value, ndim + 1)
    _require((matrix[-1] == np.eye(ndim + 1)[-1]).all())
    return matrix


def _axis_labels(value: Any, ndim: int) -> Any:
    _require(isinstance(value, list | tuple) and len(value) == ndim)
    _require(all(label is None or isinstance(label, str) for label in value))
    return value


def _columns(value: Any, _: int) -> dict[str, NDArray[Any]]:
    _require(isinstance(value, Mapping))
    columns = {key: _column(column) for key, column in value.items()}
    _require(len({len(column) for column in columns.values()}) < 2)
    return columns


def _column(value: Any) -> NDArray[Any]:
    """Return a column of a table; missing numbers, such as those of empty regions, become NaN."""
    _require(isinstance(value, list | tuple))
    known = [each for each in value if each is not None]
    is_incomplete = len(known) < len(value) and all(map(is_finite, known))
    column = np.array(value, np.float64) if is_incomplete else np.asarray(value)
    _require(column.ndim == 1)
    return column


def _is_identity(key: str, value: Any) -> bool:
    """Return True if a transform does nothing."""
    matrix = np.asarray(value, float)
    return not np.any(matrix) if key == "shear" else bool((matrix == np.eye(len(matrix))).all())
