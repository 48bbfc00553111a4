"""Lazy Zarr arrays, which read only the chunks under an index."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_protocol import Closable, Shaped
from napari_ferry.arrays.frames import Frames, IndexedFrames
from napari_ferry.arrays.indexing import index_empty, join_key, new_axes_key, split_key
from napari_ferry.arrays.reading_context import is_reused
from napari_ferry.codecs.zarr.array_metadata import ArrayMetadata
from napari_ferry.codecs.zarr.chunk_files import ChunkFiles
from napari_ferry.codecs.zarr.decoded_chunks import CHUNKS
from napari_ferry.codecs.zarr.store import Store, refuse_changed
from napari_ferry.errors import UnreadableFileError, share_collector

_MOST_CHUNKS = 1 << 18
"""Maximum number of chunks of one read; damaged metadata may claim any number."""

_BATCH = 1024
"""Maximum number of chunks waiting for a thread."""

_THREADED_BYTES = 4 << 20
"""Minimum size of a read by several threads, in bytes."""

_MOST_THREADS = 8
_REMOTE_THREADS = 16

_AHEAD_BYTES = 128 << 20
"""Part of the cache of all arrays available to one for reading ahead, in bytes."""

_T = TypeVar("_T")


class ZarrArray(Shaped, Closable):
    """A lazy array in chunks, with numpy's indexing.

    Each index reads the chunks under it, except for chunks in a cache shared by all arrays. Chunks
    that an index reads only a part of are cached; whole ones if they are on a server, or for a
    viewer. Samples of missing chunks have the fill value of the array. Arrays are thread-safe, and
    are pickled as their path and their metadata.

    Parameters
    ----------
    store : Store
        The store.
    key : str
        Key of the array, empty for the root.
    metadata : ArrayMetadata
        Its metadata.
    document : str
        Key of the file with the metadata.
    stamp : object
        Identity of that file.
    is_complete : bool
        True if every chunk was written, so that a missing one is damage.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        metadata: ArrayMetadata,
        document: str,
        stamp: object,
        is_complete: bool = False,
    ) -> None:
        self.shape = metadata.shape
        self.dtype = metadata.dtype
        self.chunks = metadata.decoder.shape
        self.files = ChunkFiles(store, key, metadata, is_complete)
        self.document = document
        self.stamp = stamp

    @property
    def cache_bytes(self) -> int:
        """Room for chunks of this array in a cache, in bytes."""
        return _AHEAD_BYTES

    @property
    def lacks_checksums(self) -> bool:
        """True if changed bytes of a chunk would be other samples, in most cases without an error.

        Whether the frames of zstd have a checksum is not in the metadata.
        """
        return self.files.metadata.decoder.lacks_checksums

    def __repr__(self) -> str:
        where = f"{self.files.store.name}/{self.files.key}"
        return f"ZarrArray({where!r}, shape={self.shape}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[Any, ...]:
        return ZarrArray, self._arguments(self.files.metadata)

    def _arguments(self, metadata: ArrayMetadata) -> tuple[Any, ...]:
        """Return the arguments for the same array with other metadata."""
        files = self.files
        return files.store, files.key, metadata, self.document, self.stamp, files.is_complete

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels are stored in a file: reading them makes a copy.")
        whole: NDArray[Any] = np.asarray(self[...])
        return whole.astype(self.dtype if dtype is None else dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            empty = index_empty(items, order, self)
            return self._read_advanced(items, order) if empty is None else empty

        forward, flips = [], []
        for item, n in zip(items, self.shape, strict=True):
            steps = range(item, item + 1) if isinstance(item, int) else range(n)[item]
            forward.append(steps if steps.step > 0 else steps[::-1])
            step = 1 if steps.step > 0 else -1
            flips.append(0 if isinstance(item, int) else slice(None, None, step))
        pixels = self._read(forward)[tuple(flips)]
        added = new_axes_key(items, order)
        return pixels[added] if added else pixels

    def _read_advanced(self, items: Sequence[Any], order: Sequence[Any]) -> Any:
        """Read the frames under index arrays, and let numpy index them."""
        lead = max(0, self.ndim - 2)
        frames = Frames(IndexedFrames(self, lead), self.shape, self.dtype, lead)
        return frames[join_key(items, order)]

    def close(self) -> None:
        """Release the cached chunks, and the file of the store until the next use."""
        CHUNKS.discard(self.files.owner)
        self.files.store.close()

    def as_type(self, dtype: np.dtype[Any]) -> ZarrArray:
        """Return the same array with samples of another type."""
        before = self.files.metadata
        metadata = replace(before, dtype=dtype, fill=dtype.type(before.fill))
        return ZarrArray(*self._arguments(metadata))

    def _read(self, ranges: Sequence[range]) -> NDArray[Any]:
        """Read the samples at rising indices along each axis into a new array."""
        counts = [len(steps) for steps in ranges]
        if 0 in counts:
            return np.empty(counts, self.dtype)
        sides = self._split(ranges)
        out = self._make_filled(counts)
        refuse_changed(self.files.store, self.document, self.stamp)
        is_remote = self.files.store.is_remote
        reuse = is_reused()  # asked here, as the threads below have contexts of their own
        keeps_whole = is_remote if reuse is None else reuse

        def copy(parts: tuple[_Part, ...]) -> None:
            """Copy the samples of one chunk to their place in the result."""
            index = tuple(part.chunk for part in parts)
            is_kept = keeps_whole or not self._are_whole(parts)
            chunk = self._read_chunk(index, is_kept=is_kept, is_read_again=keeps_whole)
            if chunk is not None:
                out[tuple(part.target for part in parts)] = chunk[
                    tuple(part.source for part in parts)
                ]

        wanted = itertools.product(*sides)
        n_chunks = math.prod(map(len, sides))
        if n_chunks == 1 or (out.nbytes < _THREADED_BYTES and not is_remote):
            for parts in wanted:
                copy(parts)
        else:
            n_threads = _REMOTE_THREADS if is_remote else min(_MOST_THREADS, os.cpu_count() or 1)
            _run_in_threads(copy, wanted, n_threads)
        return out

    def _split(self, ranges: Sequence[range]) -> list[list[_Part]]:
        """Split indices along each axis into the parts in one chunk.

        Raises
        ------
        UnreadableFileError
            There are more chunks than can be read.
        """
        lengths = zip(ranges, self.chunks, strict=True)
        n_chunks = math.prod(
            min(len(steps), (steps[-1] - steps[0]) // chunk + 1) for steps, chunk in lengths
        )
        if n_chunks > _MOST_CHUNKS:
            raise UnreadableFileError(
                f"{self.files.store.name}: {n_chunks} chunks would be read at once, expected at "
                f"most {_MOST_CHUNKS}: read smaller parts, and check the shape {self.shape}."
            )
        return [_split_range(*each) for each in zip(ranges, self.chunks, strict=True)]

    def _make_filled(self, counts: Sequence[int]) -> NDArray[Any]:
        """Return an array of fill values.

        Zeros take up memory only after chunks have replaced them.

        Raises
        ------
        UnreadableFileError
            It does not fit into memory.
        """
        fill = self.files.metadata.fill
        try:
            if not fill.tobytes().strip(b"\0"):
                return np.zeros(counts, self.dtype)
            return np.full(counts, fill, self.dtype)
        except (MemoryError, ValueError) as error:
            nbytes = math.prod(counts) * self.dtype.itemsize
            raise UnreadableFileError(
                f"{self.files.store.name}: {nbytes / 1e9:.0f} GB do not fit into memory: read "
                f"smaller parts, and check the shape {self.shape}."
            ) from error

    def _are_whole(self, parts: Sequence[_Part]) -> bool:
        """Return True if parts contain all samples of a chunk inside the array."""
        return all(
            len(range(side)[part.source]) == min(side, n - part.chunk * side)
            for part, side, n in zip(parts, self.chunks, self.shape, strict=True)
        )

    def _read_chunk(
        self, index: tuple[int, ...], *, is_kept: bool, is_read_again: bool
    ) -> NDArray[Any] | None:
        """Return a chunk from the cache or the store, or ``None`` if it is missing.

        Parameters
        ----------
        index : tuple of int
            Its number along each axis.
        is_kept : bool
            True to add it to the cache.
        is_read_again : bool
            True to keep it there longer than chunks that may be read only once.
        """
        key = (self.files.owner, index)
        chunk = CHUNKS.get(key)
        if chunk is None:
            chunk = self.files.read(index)
            if chunk is not None and is_kept:
                CHUNKS.put(key, chunk, is_reused=is_read_again)
        return chunk


class _Part(NamedTuple):
    """Indices along one axis within one chunk."""

    chunk: int
    source: slice
    target: slice


def _split_range(steps: range, chunk: int) -> list[_Part]:
    """Split rising indices at the borders of chunks."""
    parts = []
    done = 0
    while done < len(steps):
        number, first = divmod(steps[done], chunk)
        count = min(len(steps) - done, -(-(chunk - first) // steps.step))
        source = slice(first, first + (count - 1) * steps.step + 1, steps.step)
        parts.append(_Part(number, source, slice(done, done + count)))
        done += count
    return parts


def _run_in_threads(function: Callable[[_T], None], items: Iterator[_T], n_threads: int) -> None:
    """Call a function with each item, in several threads."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(n_threads, initializer=share_collector()) as pool:
        while batch := list(itertools.islice(items, _BATCH)):
            for _ in pool.map(function, batch):
                pass
