"""The chunks of one array, read from files of their own or from shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.array_metadata import ArrayMetadata, Shards
from napari_ferry.codecs.zarr.chunk_codecs import strip_checksum
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.completeness import COMPLETE
from napari_ferry.codecs.zarr.decoded_chunks import CHUNKS
from napari_ferry.codecs.zarr.store import Store
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image.record import KEY

_T = TypeVar("_T")

_MISSING = np.uint64(2**64 - 1)
"""Offset and size of a chunk missing from a shard."""


@dataclass(frozen=True, eq=False)
class ChunkFiles:
    """Reader of the chunks of an array.

    Parameters
    ----------
    store : Store
        The store.
    key : str
        Key of the array in it, empty for the root.
    metadata : ArrayMetadata
        Metadata of the array.
    is_complete : bool
        True if every file was written, so that a missing one is damage.
    """

    store: Store
    key: str
    metadata: ArrayMetadata
    is_complete: bool = False
    owner: object = field(default_factory=object, init=False, repr=False)
    """Owner of the chunks of this array in the cache."""

    _discard: ClassVar = staticmethod(CHUNKS.discard)  # the module may be gone at the exit

    def __del__(self) -> None:
        self._discard(self.owner)

    def read(self, index: Sequence[int]) -> NDArray[Any] | None:
        """Return a chunk by its number along each axis, or ``None`` if it is missing.

        Raises
        ------
        UnreadableFileError
            The chunk is damaged, or cannot be read.
        """
        shards = self.metadata.shards
        counts = shards.counts if shards else (1,) * len(index)
        key = self.key_of([i // n for i, n in zip(index, counts, strict=True)])

        try:
            if shards is None:
                data = self._require(key, self.store.read(key, self.metadata.decoder.most_bytes))
            else:
                data = self._read_from_shard(key, index, shards)
            return None if data is None else self.metadata.decoder.decode(data)
        except DamageError as error:
            name = "/".join(map(str, index))
            part = f"chunk {name} of {key}" if shards else key
            raise UnreadableFileError(
                f"{self.store.name} is damaged: {part} cannot be read ({error}); restore this file "
                "from a copy of the store."
            ) from error

    def _require(self, key: str, found: _T | None) -> _T | None:
        """Return the data of a file, and refuse a missing file of a complete array."""
        if found is None and self.is_complete:
            raise UnreadableFileError(
                f"{self.store.name} is damaged: {key} is missing, although all chunks were saved; "
                "restore this file from a copy of the store. If another program has removed it "
                f'because all of its pixels are 0, remove "{COMPLETE}" from the attributes '
                f'"{KEY}" of the image.'
            )
        return found

    @property
    def file_shape(self) -> tuple[int, ...]:
        """Shape of the chunk or the shard in one file."""
        chunk, shards = self.metadata.decoder.shape, self.metadata.shards
        return tuple(n * k for n, k in zip(chunk, shards.counts, strict=True)) if shards else chunk

    def key_of(self, numbers: Sequence[int]) -> str:
        """Return the key of the file of a chunk or a shard."""
        first = [self.metadata.prefix] if self.metadata.prefix else []
        name = (self.metadata.separator or ".").join([*first, *map(str, numbers)])
        return f"{self.key}/{name or '0'}" if self.key else name or "0"

    def _read_from_shard(self, key: str, index: Sequence[int], shards: Shards) -> bytes | None:
        """Return the bytes of a chunk in a shard, or ``None`` if it is missing there."""
        table = self._require(key, self._read_index(key, shards))
        if table is None:
            return None
        inside = tuple(i % n for i, n in zip(index, shards.counts, strict=True))
        start, nbytes = table[inside]
        if start == _MISSING and nbytes == _MISSING:
            return None
        if nbytes > self.metadata.decoder.most_bytes:
            raise DamageError(f"it has {nbytes} bytes according to the index")
        return self.store.read_part(key, int(start), int(nbytes))

    def _read_index(self, key: str, shards: Shards) -> NDArray[np.uint64] | None:
        """Return offset and size of each chunk of a shard, or ``None`` if it is missing.

        Its axes are the axes of the array, and one for offset and size.
        """
        if (cached := CHUNKS.get((self.owner, key))) is not None:
            return cached
        nbytes = shards.index_bytes
        data = self.store.read_part(key, 0 if shards.is_first else -nbytes, nbytes)
        if data is None:
            return None
        content = strip_checksum(data) if shards.is_checked else data
        flat = np.frombuffer(content, f"{shards.byte_order}u8").astype(np.uint64)
        table = flat.reshape(*shards.counts, 2)
        CHUNKS.put((self.owner, key), table, is_reused=True)
        return table
