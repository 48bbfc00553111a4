"""Frames read ahead for a viewer: which, how often, and when not."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lazy_arrays import counted
from napari_ferry import UnreadableFileError
from napari_ferry.arrays import Frames, read_ahead
from napari_ferry.arrays.read_ahead import QUEUE, AheadReader
from napari_ferry.arrays.reading_context import is_reused

SECONDS = 60


@pytest.fixture(autouse=True)
def _idle() -> Iterator[None]:
    QUEUE.wait(SECONDS)
    yield
    QUEUE.wait(SECONDS)
    assert not QUEUE._waiting


def grid(shape: tuple[int, ...], frame: tuple[int, ...] = (2, 3)) -> tuple[AheadReader, list[int]]:
    """Return a reader of frames along several axes, and a list of those that were read."""
    read: list[int] = []

    def make(i: int) -> NDArray[np.uint8]:
        read.append(i)
        return np.full(frame, i, np.uint8)

    array = Frames(make, (*shape, *frame), np.uint8, len(shape))
    return AheadReader(array, len(shape)), read


def test_each_frame_is_read_once_and_the_next_one_before_it_is_displayed() -> None:
    array, read = counted(20)
    reader = AheadReader(array, 1)
    for i in range(20):
        assert not i or i in read, "the next frame is cached"
        assert reader.read((i, slice(None), slice(None)))[0, 0] == i
        QUEUE.wait(SECONDS)
    assert sorted(read) == [*range(20)]


def test_arrays_are_told_that_a_viewer_reads_again() -> None:
    told: list[bool | None] = []

    def make(i: int) -> NDArray[np.uint8]:
        told.append(is_reused())
        return np.zeros((2, 3), np.uint8)

    reader = AheadReader(Frames(make, (9, 2, 3), np.uint8, 1), 1)
    reader.read(4)
    QUEUE.wait(SECONDS)
    reader.read(slice(7, 9))
    reader.array[0]
    assert told == [True] * 5 + [None]


def test_the_direction_of_the_last_step_comes_first() -> None:
    reader, read = grid((5, 5))
    for position, expected in (((2, 2), [12, 13, 11, 17, 7]), ((3, 2), [22, 18, 16])):
        reader.read(position)
        QUEUE.wait(SECONDS)
        assert read == expected
        read.clear()
    reader.read((3, 1))
    QUEUE.wait(SECONDS)
    assert read[0] == 15


def test_a_slice_of_one_step_is_a_frame() -> None:
    """napari takes such slices from pyramids."""
    array, read = counted(9)
    reader = AheadReader(array, 1)
    for i in range(3, 6):
        assert reader.read((slice(i, i + 1, 1), slice(0, 2, 1), slice(0, 3, 1)))[0, 0, 0] == i
        QUEUE.wait(SECONDS)
    assert read == [3, 4, 2, 5, 6]


@pytest.mark.parametrize("key", [(slice(None), 0), (0, 0), ..., ([1],), (None, 2), (slice(2, 4),)])
def test_only_single_frames_have_neighbors(key: Any) -> None:
    array, read = counted(9)
    AheadReader(array, 1).read(key)
    QUEUE.wait(SECONDS)
    assert read == np.unique(np.arange(54).reshape(9, 2, 3)[key] // 6).tolist()


def test_arrays_without_a_cache_are_not_read_ahead() -> None:
    class Plain:
        shape, dtype, ndim = (5, 2, 2), np.dtype("u1"), 3

        def __init__(self) -> None:
            self.keys: list[Any] = []

        def __getitem__(self, key: Any) -> Any:
            self.keys.append(key)
            return np.zeros(self.shape, self.dtype)[key]

    plain = Plain()
    for array in (plain, np.zeros((5, 2, 2))):
        AheadReader(array, 1).read((1,))
        QUEUE.wait(SECONDS)
    assert plain.keys == [(1,)]


def test_frames_are_read_ahead_only_as_far_as_the_cache_holds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cached, n_ahead in ((100, 0), (199, 0), (200, 1), (300, 2), (10_000, 4)):
        monkeypatch.setattr("napari_ferry.arrays.frames._CACHE_BYTES", cached)
        reader, read = grid((5, 5), (10, 10))
        reader.read((2, 2))
        QUEUE.wait(SECONDS)
        assert len(read) == 1 + n_ahead, cached


class Slow:
    """Frames that wait until they are let go."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.started, self.gate = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, i: int) -> NDArray[np.uint8]:
        self.read.append(i)
        if threading.current_thread() is not threading.main_thread():
            self.started.release()
            assert self.gate.acquire(timeout=SECONDS)
        return np.full((2, 2), i, np.uint8)


def test_newer_requests_replace_those_that_wait() -> None:
    slow = Slow()
    reader = AheadReader(Frames(slow, (50, 2, 2), np.uint8, 1), 1)
    reader.read(10)
    assert slow.started.acquire(timeout=SECONDS)
    for i in (20, 30, 40):
        reader.read(i)
        assert len(QUEUE._waiting) <= 2
    slow.gate.release(9)
    QUEUE.wait(SECONDS)
    assert slow.read == [10, 11, 20, 30, 40, 41, 39]


def test_a_frame_that_is_being_read_is_not_read_twice() -> None:
    slow = Slow()
    reader = AheadReader(Frames(slow, (50, 2, 2), np.uint8, 1), 1)
    reader.read(10)
    assert slow.started.acquire(timeout=SECONDS)
    threading.Timer(0.01, slow.gate.release, (9,)).start()
    assert reader.read(11)[0, 0] == 11
    QUEUE.wait(SECONDS)
    assert slow.read == [10, 11, 12]


def test_several_layers_take_turns_and_the_queue_stays_short() -> None:
    readers = [grid((9, 9)) for _ in range(6)]
    with QUEUE._changed:
        for reader, _ in readers:
            reader.read((4, 4))
        assert len(QUEUE._waiting) == read_ahead._MOST_QUEUED
    QUEUE.wait(SECONDS)
    assert all(read[:2] == [40, 41] for _, read in readers)


def test_errors_are_reported_only_by_the_frame_itself() -> None:
    def make(i: int) -> NDArray[np.uint8]:
        if i == 3:
            raise UnreadableFileError("Frame 3 is damaged.")
        return np.full((2, 2), i, np.uint8)

    reader = AheadReader(Frames(make, (9, 2, 2), np.uint8, 1), 1)
    reader.read(2)
    QUEUE.wait(SECONDS)
    with pytest.raises(UnreadableFileError):
        reader.read(3)
    assert reader.read(4)[0, 0] == 4


def test_nothing_is_read_ahead_while_paused() -> None:
    reader, read = grid((9,))
    with QUEUE.paused():
        reader.read(4)
        QUEUE.wait(SECONDS)
    assert read == [4]
    reader.read(4)
    QUEUE.wait(SECONDS)
    assert sorted(read) == [3, 4, 5]


def test_a_closed_array_stays_closed() -> None:
    slow = Slow()
    array = Frames(slow, (50, 2, 2), np.uint8, 1)
    reader = AheadReader(array, 1)
    reader.read(10)
    assert slow.started.acquire(timeout=SECONDS)
    reader.close()
    assert not QUEUE._waiting
    slow.gate.release(9)
    QUEUE.wait(SECONDS)
    assert not array._cache


def test_the_queue_keeps_no_array_alive() -> None:
    slow = Slow()
    reader = AheadReader(Frames(slow, (50, 2, 2), np.uint8, 1), 1)
    reader.read(10)
    assert slow.started.acquire(timeout=SECONDS)
    alive = weakref.ref(reader)
    del reader
    slow.gate.release(9)
    QUEUE.wait(SECONDS)
    gc.collect()
    assert alive() is None
    assert slow.read == [10, 11]
