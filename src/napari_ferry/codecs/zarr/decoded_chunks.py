"""Cache of decoded chunks, shared by all arrays."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Any, TypeAlias

from numpy.typing import NDArray

_MOST_BYTES = 240 << 20
"""Maximum size of the cached chunks read repeatedly, in bytes."""

_MOST_NEW_BYTES = 16 << 20
"""Maximum size of the cached chunks read once, in bytes."""

_MOST_KEYS = 1 << 14
"""Maximum number of chunks remembered after their removal, read once."""

Key: TypeAlias = tuple[object, ...]


class ChunkCache:
    """The most recently used chunks, up to a size; thread-safe.

    Chunks that were read once have a small part of the cache, so that reading parts of many chunks
    takes the same memory again and again: the system needs longer for new memory than for decoding.
    Chunks that are read again get the rest (2Q, Johnson and Shasha, 1994).

    Parameters
    ----------
    most_bytes : int
        Size of the chunks that were read again, in bytes. A larger one is cached alone, as each
        frame would decode it.
    most_new_bytes : int
        Size of the chunks that were read once, in bytes.
    """

    def __init__(self, most_bytes: int, most_new_bytes: int) -> None:
        self._chunks = _RecentChunks(most_bytes)
        self._new = _RecentChunks(most_new_bytes)
        self._seen: OrderedDict[Key, None] = OrderedDict()
        self._stale: deque[object] = deque()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Size of all cached chunks, in bytes."""
        return self._chunks.nbytes + self._new.nbytes

    def __len__(self) -> int:
        return len(self._chunks) + len(self._new)

    def get(self, key: Key) -> NDArray[Any] | None:
        """Return a chunk, or ``None`` if it is not cached."""
        with self._lock:
            self._purge()
            chunk = self._new.pop(key)
            if chunk is not None:
                self._add(key, chunk)
            return self._chunks.get(key)

    def put(self, key: Key, chunk: NDArray[Any], *, is_reused: bool = False) -> None:
        """Add a chunk, and remove the least recently used ones to make room for it.

        It counts as read once, unless it `is_reused` or was read before.
        """
        with self._lock:
            self._purge()
            if is_reused or key in self._seen:
                self._add(key, chunk)
                return
            for removed in self._new.put(key, chunk):
                self._seen[removed] = None
            while len(self._seen) > _MOST_KEYS:
                self._seen.popitem(last=False)

    def discard(self, owner: object) -> None:
        """Remove the chunks whose keys begin with an owner.

        The garbage collector may call this while this thread holds the lock, so it never waits:
        then the chunks are removed by the next use of the cache.
        """
        self._stale.append(owner)
        if self._lock.acquire(blocking=False):
            try:
                self._purge()
            finally:
                self._lock.release()

    def _add(self, key: Key, chunk: NDArray[Any]) -> None:
        """Add a chunk to those in repeated use."""
        self._seen.pop(key, None)
        self._new.pop(key)
        self._chunks.put(key, chunk)

    def _purge(self) -> None:
        """Remove the chunks of discarded owners."""
        while self._stale:
            owner = self._stale.popleft()
            for part in (self._chunks, self._new):
                part.remove(owner)
            for key in [key for key in self._seen if key[0] is owner]:
                del self._seen[key]


class _RecentChunks:
    """The most recently used chunks, up to a size in bytes, or a single larger one."""

    def __init__(self, most_bytes: int) -> None:
        self.nbytes = 0
        self._most = most_bytes
        self._chunks: OrderedDict[Key, NDArray[Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._chunks)

    def get(self, key: Key) -> NDArray[Any] | None:
        """Return a chunk, and mark it as the most recently used; ``None`` if it is missing."""
        if key not in self._chunks:
            return None
        self._chunks.move_to_end(key)
        return self._chunks[key]

    def put(self, key: Key, chunk: NDArray[Any]) -> list[Key]:
        """Add a chunk, and return the keys of the chunks removed for it."""
        self.pop(key)
        self._chunks[key] = chunk
        self.nbytes += chunk.nbytes
        removed = []
        while self.nbytes > self._most and len(self._chunks) > 1:
            removed.append(next(iter(self._chunks)))
            self.pop(removed[-1])
        return removed

    def pop(self, key: Key) -> NDArray[Any] | None:
        """Remove a chunk, and return it; ``None`` if it is missing."""
        chunk = self._chunks.pop(key, None)
        self.nbytes -= 0 if chunk is None else chunk.nbytes
        return chunk

    def remove(self, owner: object) -> None:
        """Remove all chunks of an array."""
        for key in [key for key in self._chunks if key[0] is owner]:
            self.pop(key)


CHUNKS = ChunkCache(_MOST_BYTES, _MOST_NEW_BYTES)
"""The cache of all arrays of this process."""
