"""Metadata of arrays: ``.zarray`` of Zarr version 2, and ``zarr.json`` of version 3.

https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html and /v3/core/index.html; sharding is the
codec ``sharding_indexed``, /v3/codecs/sharding-indexed/index.html.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from napari_ferry.codecs.zarr.chunk_codecs import ChunkDecoder, Step, parse_order, parse_step
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.data_types import parse_fill, parse_v2_type, parse_v3_type

_MOST_AXES = 32
_MOST_BYTES = 2**63 - 1
_SEPARATORS = ("/", ".")


class Shards(NamedTuple):
    """Files of several chunks.

    Parameters
    ----------
    counts : tuple of int
        Number of chunks in a shard along each axis.
    is_checked : bool
        True if a CRC-32C follows the index.
    is_first : bool
        True if the index precedes the chunks; otherwise it follows them.
    byte_order : str
        Byte order of the index, ``<`` or ``>``.
    """

    counts: tuple[int, ...]
    is_checked: bool
    is_first: bool
    byte_order: str

    @property
    def index_bytes(self) -> int:
        """Size of the index with its checksum: offset and size of each chunk."""
        return 16 * math.prod(self.counts) + 4 * self.is_checked


@dataclass(frozen=True, kw_only=True)
class ArrayMetadata:
    """Metadata of an array.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    dtype : data type
        Type of its samples for users.
    fill : scalar
        Value of the samples in missing chunks.
    decoder : ChunkDecoder
        Decoder of a chunk, with its shape.
    shards : Shards, optional
        Layout of the shards; ``None`` for a file for each chunk.
    prefix : str
        First part of the key of a file, empty or ``c``.
    separator : str, optional
        Character between the numbers in a key; ``None`` to find it in the names of the files.
    names : tuple of str or None, optional
        Names of the axes, where they are given.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any
    decoder: ChunkDecoder
    shards: Shards | None = None
    prefix: str = ""
    separator: str | None = "/"
    names: tuple[str | None, ...] | None = None


def parse_v2(document: Mapping[str, Any]) -> ArrayMetadata:
    """Return the metadata in a ``.zarray``.

    Raises
    ------
    DamageError
        They are damaged, or require unsupported features.
    """
    dtype = parse_v2_type(document.get("dtype"))
    shape = _parse_shape(document.get("shape"), dtype)
    chunks = _parse_chunks(document.get("chunks"), shape)
    filters = document.get("filters") or []
    compressor = document.get("compressor")
    if not isinstance(filters, list):
        raise DamageError("its filters are not a list")
    encoded = [*filters, *([] if compressor is None else [compressor])]
    steps = [parse_step(_mapping(each).get("id"), _mapping(each)) for each in reversed(encoded)]

    separator = document.get("dimension_separator")
    if separator is not None and separator not in _SEPARATORS:
        raise DamageError(f"its separator {separator!r:.20} is neither '/' nor '.'")

    return ArrayMetadata(
        shape=shape,
        dtype=dtype,
        fill=parse_fill(document.get("fill_value"), dtype),
        decoder=ChunkDecoder(
            shape=chunks,
            dtype=dtype,
            order=parse_order(document.get("order"), len(shape)),
            steps=tuple(steps),
        ),
        separator=separator if separator or len(shape) > 1 else ".",
    )


def parse_v3(document: Mapping[str, Any]) -> ArrayMetadata:
    """Return the metadata of an array in a ``zarr.json``.

    Raises
    ------
    DamageError
        They are damaged, or require unsupported features.
    """
    dtype = parse_v3_type(document.get("data_type"))
    shape = _parse_shape(document.get("shape"), dtype)
    if document.get("storage_transformers"):
        raise DamageError("its storage transformers are not supported")

    grid, configuration = _named(document.get("chunk_grid"))
    if grid != "regular":
        raise DamageError(f"its chunk grid {grid!r:.40} is not supported, expected a regular one")
    chunks = _parse_chunks(configuration.get("chunk_shape"), shape)

    decoder, shards = _parse_codecs(document.get("codecs"), chunks, dtype)
    prefix, separator = _parse_keys(document.get("chunk_key_encoding"))
    return ArrayMetadata(
        shape=shape,
        dtype=dtype,
        fill=parse_fill(document.get("fill_value"), dtype),
        decoder=decoder,
        shards=shards,
        prefix=prefix,
        separator=separator,
        names=_parse_names(document.get("dimension_names"), len(shape)),
    )


def _parse_shape(value: object, dtype: np.dtype[Any]) -> tuple[int, ...]:
    shape = _parse_sizes(value, 0, "shape")
    if len(shape) > _MOST_AXES:
        raise DamageError(f"it has {len(shape)} axes, expected at most {_MOST_AXES}")
    if math.prod(shape) * dtype.itemsize > _MOST_BYTES:
        raise DamageError(f"its shape {shape} has more samples than any file")
    return shape


def _parse_chunks(value: object, shape: tuple[int, ...]) -> tuple[int, ...]:
    chunks = _parse_sizes(value, 1, "chunk shape")
    if len(chunks) != len(shape):
        raise DamageError(f"its chunk shape {chunks} does not match its shape {shape}")
    return chunks


def _parse_sizes(value: object, least: int, what: str) -> tuple[int, ...]:
    """Return a list of sizes, each a whole number from `least` on."""
    is_list = isinstance(value, list) and all(type(n) is int for n in value)
    if not is_list or not all(least <= n <= _MOST_BYTES for n in value):  # type: ignore[attr-defined]
        raise DamageError(f"its {what} {value!r:.60} is not a list of sizes")
    return tuple(value)  # type: ignore[arg-type]


def _parse_codecs(
    codecs: object, chunks: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[ChunkDecoder, Shards | None]:
    """Return the decoder of a chunk, and the shards if chunks are sharded."""
    listed = [_named(codec) for codec in codecs] if isinstance(codecs, list) else []
    if [name for name, _ in listed] == ["sharding_indexed"]:
        return _parse_shards(listed[0][1], chunks, dtype)

    stored: np.dtype[Any] | None = None
    order: object = None
    steps: list[Step] = []
    for name, configuration in listed:
        if name == "transpose" and order is None and stored is None:
            order = configuration.get("order")
        elif name == "bytes" and stored is None:
            stored = dtype.newbyteorder(_byte_order(configuration))
        elif name == "sharding_indexed" or stored is None:
            raise DamageError(f"its codec {name!r:.60} is not supported in this place")
        else:
            steps.append(parse_step(name, configuration))
    if stored is None:
        raise DamageError("it has no codec 'bytes'")
    decoder = ChunkDecoder(
        shape=chunks,
        dtype=stored,
        order=parse_order(order, len(chunks)),
        steps=tuple(reversed(steps)),
    )
    return decoder, None


def _parse_shards(
    configuration: Mapping[str, Any], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[ChunkDecoder, Shards]:
    """Return the decoder of a chunk in shards of a given shape, and the shards."""
    chunks = _parse_chunks(configuration.get("chunk_shape"), shape)
    if any(n % chunk for n, chunk in zip(shape, chunks, strict=True)):
        raise DamageError(f"its shards {shape} do not consist of whole chunks {chunks}")
    decoder, inner = _parse_codecs(configuration.get("codecs"), chunks, dtype)
    if inner is not None:
        raise DamageError("its shards contain smaller shards, which are not supported")

    default = [{"name": "bytes"}, {"name": "crc32c"}]
    index_codecs = configuration.get("index_codecs", default)
    index, _ = _parse_codecs(index_codecs, chunks, np.dtype("<u8"))
    location = configuration.get("index_location", "end")
    if index.steps not in ((), (Step("crc32c"),)) or location not in ("start", "end"):
        raise DamageError("the index of its shards is encoded in a way that is not supported")
    shards = Shards(
        counts=tuple(n // chunk for n, chunk in zip(shape, chunks, strict=True)),
        is_checked=bool(index.steps),
        is_first=location == "start",
        byte_order=">" if index.dtype == np.dtype(">u8") else "<",
    )
    return decoder, shards


def _byte_order(configuration: Mapping[str, Any]) -> Literal["<", ">"]:
    endian = configuration.get("endian", "little")
    if endian not in ("little", "big"):
        raise DamageError(f"its byte order {endian!r:.20} is neither 'little' nor 'big'")
    return ">" if endian == "big" else "<"


def _parse_keys(encoding: object) -> tuple[str, str]:
    """Return the first part of the keys of chunks, and the separator of their numbers."""
    name, configuration = _named(encoding)
    separator = configuration.get("separator", "." if name == "v2" else "/")
    if name not in ("default", "v2") or separator not in _SEPARATORS:
        raise DamageError(f"the keys of its chunks ({encoding!r:.60}) are not supported")
    return ("c" if name == "default" else ""), separator


def _parse_names(names: object, ndim: int) -> tuple[str | None, ...] | None:
    """Return the names of the axes, or ``None`` if they are not given for each axis."""
    if not isinstance(names, Sequence) or isinstance(names, str) or len(names) != ndim:
        return None
    return tuple(name if isinstance(name, str) and name else None for name in names)


def _named(value: object) -> tuple[object, Mapping[str, Any]]:
    """Return the name and the configuration of an extension of version 3."""
    if isinstance(value, str):
        return value, {}
    return _mapping(value).get("name"), _mapping(_mapping(value).get("configuration"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
