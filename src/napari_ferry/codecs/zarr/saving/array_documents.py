"""Metadata documents of arrays and groups, in Zarr versions 2 and 3.

https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html and /v3/core/index.html. Consolidated
metadata repeat all documents in the root, so that a store on a server opens with one request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.codecs.zarr.document_digests import COPIES, add_digests, digests_of
from napari_ferry.codecs.zarr.saving.chunk_encoder import ChunkEncoder
from napari_ferry.codecs.zarr.saving.chunk_layout import Level

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, as in file names outside UTF-8."""


def has_surrogates(text: str) -> bool:
    """Return True for text with surrogates, which are not allowed in a document."""
    return _SURROGATE.search(text) is not None


def describe_array(level: Level, encoder: ChunkEncoder, names: Sequence[str]) -> dict[str, Any]:
    """Return the ``zarr.json`` of an array.

    Parameters
    ----------
    level : Level
        The array.
    encoder : ChunkEncoder
        Encoder of its chunks.
    names : sequence of str
        Names of its axes.
    """
    codecs = encoder.v3_codecs

    if level.is_sharded:
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        configuration = {
            "chunk_shape": list(level.chunks),
            "codecs": codecs,
            "index_codecs": index,
            "index_location": "end",
        }
        codecs = [{"name": "sharding_indexed", "configuration": configuration}]

    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(level.shape),
        "data_type": encoder.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(level.file)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": _zero(encoder.dtype),
        "codecs": codecs,
        "attributes": {},
        "dimension_names": list(names),
        "storage_transformers": [],
    }


def describe_v2_array(level: Level, encoder: ChunkEncoder) -> dict[str, Any]:
    """Return the ``.zarray`` of an array."""
    return {
        "zarr_format": 2,
        "shape": list(level.shape),
        "chunks": list(level.chunks),
        "dtype": encoder.dtype.str,
        "compressor": encoder.v2_compressor,
        "fill_value": _zero(encoder.dtype),
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }


def _zero(dtype: np.dtype[Any]) -> Any:
    """Return the fill value of missing chunks as JSON."""
    return [0.0, 0.0] if dtype.kind == "c" else dtype.type(0).item()


def v3_documents(
    groups: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[str, str], ...]:
    """Return the keys and texts of all documents of a store of version 3, the root last.

    Parameters
    ----------
    groups : mapping
        Attributes of each group by its key; the key of the root is empty.
    arrays : mapping
        ``zarr.json`` of each array by its key.
    """
    nodes: dict[str, Mapping[str, Any]] = {
        **arrays,
        **{
            key: {"zarr_format": 3, "node_type": "group", "attributes": attributes}
            for key, attributes in groups.items()
        },
    }

    root = nodes.pop("")
    consolidated = {"kind": "inline", "must_understand": False, "metadata": nodes}
    documents = {f"{key}/zarr.json": node for key, node in reversed(nodes.items())}
    digests = digests_of({**documents, "zarr.json": root})

    documents["zarr.json"] = {
        **root,
        "attributes": add_digests(root["attributes"], digests),
        COPIES: consolidated,
    }
    return _to_texts(documents)


def v2_documents(
    groups: Mapping[str, Mapping[str, Any]], arrays: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[str, str], ...]:
    """Return the keys and texts of all documents of a store of version 2, the root last.

    Parameters
    ----------
    groups, arrays : mapping
        As for `v3_documents`, with ``.zarray`` of each array.
    """
    documents: dict[str, Mapping[str, Any]] = {
        f"{key}/.zarray": array for key, array in arrays.items()
    }
    for key, attributes in groups.items():
        prefix = f"{key}/" if key else ""
        documents[f"{prefix}.zattrs"] = attributes
        documents[f"{prefix}.zgroup"] = {"zarr_format": 2}
    documents[".zattrs"] = add_digests(documents[".zattrs"], digests_of(documents))
    consolidated = {"zarr_consolidated_format": 1, "metadata": documents}
    root = {name: documents.pop(name) for name in (".zattrs", ".zgroup")}
    whole = {**documents, **root}
    return _to_texts({**documents, ".zmetadata": {**consolidated, "metadata": whole}, **root})


def _to_texts(documents: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return documents as JSON; refuse NaN and infinity, and replace lone surrogates."""
    return tuple(
        (
            key,
            _SURROGATE.sub(
                "\N{REPLACEMENT CHARACTER}",
                json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False),
            ),
        )
        for key, document in documents.items()
    )
