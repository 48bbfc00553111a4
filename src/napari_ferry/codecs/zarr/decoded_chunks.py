"""Cache of decoded chunks, shared by all arrays."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Any

from numpy.typing import NDArray

_MOST_BYTES = 256 << 20
"""Size of all cached chunks, in bytes."""


class ChunkCache:
    """The most recently used chunks, up to a size; thread-safe.

    Parameters
    ----------
    most_bytes : int
        Size of all chunks, in bytes. A larger chunk is cached alone, as each frame would decode it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._nbytes = 0
        self._chunks: OrderedDict[tuple[object, ...], NDArray[Any]] = OrderedDict()
        self._stale: deque[object] = deque()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> NDArray[Any] | None:
        """Return a chunk, or ``None`` if it is not cached."""
        with self._lock:
            self._purge()
            if key not in self._chunks:
                return None
            self._chunks.move_to_end(key)
            return self._chunks[key]

    def put(self, key: tuple[object, ...], chunk: NDArray[Any]) -> None:
        """Add a chunk, in the place of those that were not used for longest."""
        with self._lock:
            self._purge()
            self._remove(key)
            self._chunks[key] = chunk
            self._nbytes += chunk.nbytes
            while self._nbytes > self._most and len(self._chunks) > 1:
                self._remove(next(iter(self._chunks)))

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

    def _purge(self) -> None:
        """Remove the chunks of discarded owners."""
        while self._stale:
            owner = self._stale.popleft()
            for key in [key for key in self._chunks if key[0] is owner]:
                self._remove(key)

    def _remove(self, key: tuple[object, ...]) -> None:
        chunk = self._chunks.pop(key, None)
        self._nbytes -= 0 if chunk is None else chunk.nbytes


CHUNKS = ChunkCache(_MOST_BYTES)
"""The cache of all arrays of this process."""
