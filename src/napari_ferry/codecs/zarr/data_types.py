"""Data types and fill values in Zarr's metadata.

Zarr version 2: ``dtype`` in the typestrings of numpy. Zarr version 3: ``data_type``, core spec 3.0.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from napari_ferry.codecs.zarr.chunk_damage import DamageError

_V2_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16|U[1-9]\d{0,3})")
_V3_TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
_SPECIAL = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
_HEX = re.compile(r"0x[0-9a-fA-F]+")


def parse_v2_type(word: object) -> np.dtype[Any]:
    """Return the data type of a version 2 array: numbers, or text of fixed length.

    Raises
    ------
    DamageError
        It is of another kind.
    """
    if isinstance(word, str) and _V2_TYPE.fullmatch(word):
        return np.dtype(word)
    raise _unsupported(word)


def parse_v3_type(word: object) -> np.dtype[Any]:
    """Return the data type of a version 3 array, in native byte order.

    Raises
    ------
    DamageError
        It is not a type of numbers in the core specification.
    """
    if isinstance(word, str) and word in _V3_TYPES:
        return np.dtype(word)
    raise _unsupported(word)


def _unsupported(word: object) -> DamageError:
    text = word if isinstance(word, str) else str(word)
    kind = " (Python objects)" if text in ("|O", "O") else ""
    return DamageError(f"its data type is {text[:60]!r}{kind}, and images are numbers")


def parse_fill(value: object, dtype: np.dtype[Any]) -> Any:
    """Return the value of samples in missing chunks, a scalar of the data type.

    Parameters
    ----------
    value : object
        The ``fill_value`` of the metadata; None, which leaves it undefined, is 0.
    dtype : data type
        Type of the samples.

    Raises
    ------
    DamageError
        It is not a value of the type.
    """
    if value is None or dtype.kind == "U":
        return np.zeros((), dtype)[()]
    try:
        return _to_scalar(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise DamageError(f"its fill value {value!r:.40} is not a {dtype.name}") from error


def _to_scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    """Convert a fill value as JSON to a scalar."""
    if dtype.kind == "c":
        real, imaginary = value if isinstance(value, list) else (value, 0)
        part = np.dtype(f"f{dtype.itemsize // 2}")
        parts = [_to_scalar(real, part), _to_scalar(imaginary, part)]
        return np.array(parts, part).view(dtype.newbyteorder("="))[0]
    if dtype.kind == "f" and isinstance(value, str):
        if _HEX.fullmatch(value):
            bits = np.array([int(value, 16)], f"u{dtype.itemsize}")
            return bits.view(dtype.newbyteorder("="))[0]
        value = float(_SPECIAL.get(value, value))
    if isinstance(value, str) or (dtype.kind in "iub" and int(value) != value):
        raise ValueError(value)
    return np.array([value], dtype.newbyteorder("="))[0]
