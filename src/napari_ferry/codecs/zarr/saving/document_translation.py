"""Metadata of arrays with copied chunks, from the source, with the keys of a new store.

Zarr version 2 is translated to version 3 where its chunks are valid in both, see
https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.codecs.zarr.array_metadata import ArrayMetadata

_BLOSC_NAMES = ("lz4", "lz4hc", "blosclz", "zstd", "snappy", "zlib")
_SHUFFLES = {0: "noshuffle", 1: "shuffle", 2: "bitshuffle"}
_AUTOMATIC_SHUFFLE = -1
_V2_KEYS = ("zarr_format", "shape", "chunks", "dtype", "compressor", "fill_value", "order")
_V3_KEYS = ("zarr_format", "node_type", "shape", "data_type", "chunk_grid", "fill_value", "codecs")
_V2_BEST, _ZSTD_LEVEL = 9, 1


def keep_v2(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ``.zarray`` for the same chunks, with numbers separated by ``/``."""
    kept = {key: document.get(key) for key in _V2_KEYS}
    kept["order"] = kept["order"] or "C"
    return {**kept, "filters": document.get("filters"), "dimension_separator": "/"}


def keep_v3(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a ``zarr.json`` for the same chunks.

    Parameters
    ----------
    document : mapping
        The ``zarr.json`` of the source.
    names : sequence of str
        Names of the axes.
    """
    return {**{key: document[key] for key in _V3_KEYS}, **_common(names)}


def translate_v2(
    document: Mapping[str, Any], metadata: ArrayMetadata, names: Sequence[str]
) -> dict[str, Any] | None:
    """Return a ``zarr.json`` for chunks of version 2, or ``None`` if they must be encoded anew.

    Parameters
    ----------
    document : mapping
        The ``.zarray`` of the source.
    metadata : ArrayMetadata
        The parsed content of the ``.zarray``.
    names : sequence of str
        Names of the axes.
    """
    dtype = metadata.decoder.dtype
    codecs = _translate_compressor(document.get("compressor"), dtype)
    if codecs is None or document.get("filters") or document.get("order", "C") != "C":
        return None

    first: dict[str, Any] = {"name": "bytes"}
    if dtype.itemsize > 1:
        first["configuration"] = {"endian": "big" if dtype.str[0] == ">" else "little"}
    grid = {"name": "regular", "configuration": {"chunk_shape": list(metadata.decoder.shape)}}

    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(metadata.shape),
        "data_type": dtype.name,
        "chunk_grid": grid,
        "fill_value": _describe_fill(metadata.fill),
        "codecs": [first, *codecs],
        **_common(names),
    }


def _common(names: Sequence[str]) -> dict[str, Any]:
    return {
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "attributes": {},
        "dimension_names": list(names),
        "storage_transformers": [],
    }


def _translate_compressor(compressor: object, dtype: np.dtype[Any]) -> list[dict[str, Any]] | None:
    """Return the codecs of a compressor of version 2, or ``None`` if there are none."""
    if compressor is None:
        return []
    settings: Mapping[str, Any] = compressor if isinstance(compressor, Mapping) else {}
    name, level = settings.get("id"), settings.get("level")
    if name == "blosc":
        return _translate_blosc(settings, dtype)
    if name == "gzip" and isinstance(level, int) and 0 <= level <= 9:
        return [{"name": "gzip", "configuration": {"level": level}}]
    if name == "zstd" and isinstance(level, int):
        is_checked = settings.get("checksum") is True
        return [{"name": "zstd", "configuration": {"level": level, "checksum": is_checked}}]
    return None


def _translate_blosc(
    settings: Mapping[str, Any], dtype: np.dtype[Any]
) -> list[dict[str, Any]] | None:
    shuffle = settings.get("shuffle", 1)
    if shuffle == _AUTOMATIC_SHUFFLE:
        shuffle = 2 if dtype.itemsize == 1 else 1
    name, level = settings.get("cname"), settings.get("clevel")
    is_valid = isinstance(level, int) and 0 <= level <= 9 and shuffle in _SHUFFLES
    if name not in _BLOSC_NAMES or not is_valid:
        return None

    configuration = {
        "cname": name,
        "clevel": level,
        "shuffle": _SHUFFLES[shuffle],
        "typesize": dtype.itemsize,
        "blocksize": settings.get("blocksize", 0),
    }
    return [{"name": "blosc", "configuration": configuration}]


def _describe_fill(fill: Any) -> Any:
    """Return a fill value as JSON of version 3."""
    if isinstance(fill, np.complexfloating):
        return [_describe_fill(fill.real), _describe_fill(fill.imag)]
    value = fill.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def compression_of(document: Mapping[str, Any]) -> str | None:
    """Return the compression in the words of our options, or ``None`` for any other.

    Parameters
    ----------
    document : mapping
        Metadata of an array, of version 2 or 3.
    """
    steps = _compressors_of(document)
    if not steps:
        return "none"
    name, settings = steps[0]
    if len(steps) > 1 or name != "blosc":
        return None
    compressor, level = settings.get("cname"), settings.get("clevel")
    if compressor == "zstd" and level in (_ZSTD_LEVEL, _V2_BEST):
        return "zstd" if level == _ZSTD_LEVEL else "best"
    return "lz4" if compressor == "lz4" else None


def _compressors_of(document: Mapping[str, Any]) -> list[tuple[object, Mapping[str, Any]]]:
    """Return names and settings of the codecs from bytes to bytes, without checksums."""
    if document["zarr_format"] == 2:
        listed = [*(document.get("filters") or []), document.get("compressor")]
        return [(each.get("id"), each) for each in listed if each is not None]
    codecs = [each if isinstance(each, Mapping) else {"name": each} for each in document["codecs"]]
    if codecs[0].get("name") == "sharding_indexed":
        return _compressors_of({"zarr_format": 3, **codecs[0]["configuration"]})
    return [
        (each.get("name"), each.get("configuration") or {})
        for each in codecs
        if each.get("name") not in ("bytes", "crc32c")
    ]
