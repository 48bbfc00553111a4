"""Storage of a Zarr array's pixels: compression, chunks and shards."""

from __future__ import annotations

from collections.abc import Mapping

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.node import read_node


def storage_of(array: ZarrArray) -> dict[str, str]:
    """Return the storage of an array, in words: compression, chunks, shards and version.

    Raises
    ------
    UnreadableFileError
        Its metadata changed, and are damaged.
    """
    metadata = array.files.metadata
    node = read_node(array.files.store, array.files.key)
    compressor = _find_text("cname", node.array if node else None)
    names = [
        f"{step.codec} ({compressor})" if step.codec == "blosc" and compressor else step.codec
        for step in metadata.decoder.steps
        if step.codec != "crc32c"
    ]

    stored = {
        "compression": ", ".join(reversed(names)) or "none",
        "chunks": _sizes_text(metadata.decoder.shape),
    }
    if metadata.shards:
        sizes = zip(metadata.decoder.shape, metadata.shards.counts, strict=True)
        stored["shards"] = _sizes_text([chunk * count for chunk, count in sizes])
    return {**stored, "zarr version": str(node.version)} if node else stored


def _sizes_text(sizes: tuple[int, ...] | list[int]) -> str:
    return " x ".join(map(str, sizes))


def _find_text(key: str, value: object) -> str | None:
    """Return the first text with a key in nested JSON, or ``None`` without one."""
    if isinstance(value, Mapping):
        own = value.get(key)
        return own if isinstance(own, str) else _find_text(key, list(value.values()))
    found = (_find_text(key, each) for each in value) if isinstance(value, list) else ()
    return next((text for text in found if text is not None), None)
