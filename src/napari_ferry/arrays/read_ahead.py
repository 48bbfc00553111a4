"""Reading of neighboring frames ahead of their display, into the caches of lazy arrays."""

from __future__ import annotations

import atexit
import itertools
import math
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

from napari_ferry.arrays.array_layout import chunk_lengths
from napari_ferry.arrays.array_protocol import Array, cache_bytes, close
from napari_ferry.arrays.indexing import split_key
from napari_ferry.arrays.reading_context import repeated_use
from napari_ferry.errors import FerryError

_MOST_NEIGHBORS = 4
"""Maximum number of neighbors of a frame to read ahead."""

_MOST_QUEUED = 8
"""Maximum number of waiting frames, of all layers together."""

_EXIT_SECONDS = 1.0
"""Longest wait for a read in progress at the exit of Python, in seconds."""


class Position(NamedTuple):
    """A frame: its index along each leading axis, and the region to read."""

    lead: tuple[int, ...]
    region: tuple[slice, ...]


class AheadReader:
    """Reader of an array for a viewer, with frames read ahead.

    After each frame, the previous and next ones along each leading axis are read in a thread, so
    that they are in the cache of the array. Errors of these reads are dropped, as reading such a
    frame itself reports them.

    Parameters
    ----------
    array : array
        The array; nothing is read ahead if it has no cache.
    lead : int
        Number of axes before those of a frame.
    """

    def __init__(self, array: Array, lead: int) -> None:
        self.array = array
        self.lead = lead
        self.n_closed = 0
        self._last: Position | None = None
        self._has_cache = bool(lead) and cache_bytes(array) > 0

    def read(self, key: Any) -> Any:
        """Read a part of the array, and then ask for the neighbors of a single frame."""
        position = self._find_position(key) if self._has_cache else None
        if position is not None:
            QUEUE.prepare(self, position)
        with repeated_use():
            pixels = self.array[key]
        if position is None:
            return pixels
        QUEUE.request(self, self._neighbors(position))
        self._last = position
        return pixels

    def close(self) -> None:
        """Read nothing ahead any more, and close the array."""
        self.n_closed += 1
        QUEUE.cancel(self)
        close(self.array)

    def _find_position(self, key: Any) -> Position | None:
        """Return the frame of a key, or ``None`` for a key of several frames, or of samples."""
        items, order = split_key(key, self.array.shape)
        is_basic = all(isinstance(item, int | slice) for item in items) and None not in order
        region = tuple(items[self.lead :])
        if not is_basic or not all(isinstance(item, slice) for item in region):
            return None
        lead = [
            _only_index(*each) for each in zip(items, self.array.shape[: self.lead], strict=False)
        ]
        known = tuple(i for i in lead if i is not None)
        return Position(known, region) if len(known) == self.lead else None

    def _neighbors(self, position: Position) -> list[Position]:
        """Return the frames to read ahead, those in the direction of the last step first."""
        steps = [
            (axis, step)
            for axis, step in itertools.product(reversed(range(self.lead)), (1, -1))
            if 0 <= position.lead[axis] + step < self.array.shape[axis]
        ]
        moves = [0] * self.lead if self._last is None else _difference(position, self._last)
        steps.sort(key=lambda each: -(moves[each[0]] * each[1]))
        count = min(_MOST_NEIGHBORS, cache_bytes(self.array) // self._cost(position) - 1)
        return [_moved(position, *each) for each in steps[: max(0, count)]]

    def _cost(self, position: Position) -> int:
        """Return the number of bytes in the cache for one frame."""
        chunks = chunk_lengths(self.array)
        lengths = zip(position.region, self.array.shape[self.lead :], strict=True)
        frame = [len(range(n)[item]) for item, n in lengths]
        sides = [max(pair) for pair in zip(frame, chunks[self.lead :], strict=True)]
        n_samples: int = math.prod((*chunks[: self.lead], *sides))
        return max(1, n_samples * self.array.dtype.itemsize)


def _only_index(item: int | slice, length: int) -> int | None:
    """Return the index of an item of a key, or ``None`` if it is not a single one.

    napari takes slices of one step from pyramids.
    """
    chosen = range(length)[item]
    if isinstance(chosen, int):
        return chosen
    return chosen[0] if len(chosen) == 1 else None


def _difference(now: Position, before: Position) -> list[int]:
    """Return the direction of the step between two frames along each axis."""
    return [(a > b) - (a < b) for a, b in zip(now.lead, before.lead, strict=True)]


def _moved(position: Position, axis: int, step: int) -> Position:
    """Return the frame next to another one along an axis."""
    lead = position.lead
    return position._replace(lead=(*lead[:axis], lead[axis] + step, *lead[axis + 1 :]))


class _Request(NamedTuple):
    """A waiting frame: its rank among the neighbors of the displayed one, and its reader."""

    rank: int
    reader: weakref.ref[AheadReader]
    position: Position


class ReadAheadQueue:
    """Queue of frames to read ahead, with a single reading thread.

    The thread ends with the program, does nothing during saves, and does not keep arrays alive.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []
        self._current: tuple[AheadReader, Position] | None = None
        self._thread: threading.Thread | None = None
        self._n_pauses = 0

    def prepare(self, reader: AheadReader, position: Position) -> None:
        """Cancel requests of a reader, and wait for a frame already being read."""
        self.cancel(reader)
        with self._changed:
            self._changed.wait_for(lambda: self._current != (reader, position))

    def request(self, reader: AheadReader, positions: list[Position]) -> None:
        """Read frames ahead in the thread, the first ones of all readers first."""
        added = [_Request(i, weakref.ref(reader), each) for i, each in enumerate(positions)]
        with self._changed:
            if self._n_pauses or not added:
                return
            waiting = sorted((*added, *self._waiting), key=lambda each: each.rank)
            self._waiting = waiting[:_MOST_QUEUED]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ferry-ahead", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, reader: AheadReader) -> None:
        """Remove the waiting frames of a reader."""
        with self._changed:
            self._waiting = [each for each in self._waiting if each.reader() is not reader]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause reading ahead within a ``with`` block."""
        with self._changed:
            self._n_pauses += 1
            self._waiting.clear()
        try:
            yield
        finally:
            with self._changed:
                self._n_pauses -= 1

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is left to read."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and self._current is None, seconds)

    def stop(self) -> None:
        """Stop reading ahead for good, after a short wait for a read already begun."""
        with self._changed:
            self._n_pauses += 1
            self._waiting.clear()
        self.wait(_EXIT_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                _, found, position = self._waiting.pop(0)
                reader = found()
                if reader is None:
                    self._changed.notify_all()
                    continue
                self._current = (reader, position)

            try:
                _read_frame(reader, position)
            finally:
                del reader
                with self._changed:
                    self._current = None
                    self._changed.notify_all()


def _read_frame(reader: AheadReader, position: Position) -> None:
    """Read a frame into the cache of its array, ignoring errors.

    A frame that cannot be read is reported when it is displayed.
    """
    n_closed = reader.n_closed
    # RuntimeError: threads of the array cannot start while Python exits
    with suppress(FerryError, MemoryError, RuntimeError), repeated_use():
        np.asarray(reader.array[position.lead + position.region])
    if reader.n_closed != n_closed:
        close(reader.array)  # it was closed meanwhile, and reading has opened its file again


QUEUE = ReadAheadQueue()
"""The queue of all arrays of this process."""

atexit.register(QUEUE.stop)
