"""Arrays read one frame at a time."""

from __future__ import annotations

import pickle  # noqa: TID251 - the pickles are from this test
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from helpers import pixels
from lazy_arrays import counted, frames_of, lazy_and_eager
from napari_ferry.arrays import Frames, read_array
from napari_ferry.arrays.frames import IndexedFrames
from napari_ferry.errors import InvalidImageError
from napari_ferry.image.image import Array


@settings(max_examples=50)
@given(lazy_and_eager())
def test_the_whole_array_equals_that_of_numpy(pair: tuple[Array, NDArray[Any]]) -> None:
    lazy, eager = pair
    assert (lazy.shape, lazy.dtype, lazy.ndim) == (eager.shape, eager.dtype, eager.ndim)
    for whole in (np.asarray(lazy), np.array(lazy), lazy[...], read_array(lazy, workers=2)):
        np.testing.assert_array_equal(whole, eager)
    assert np.asarray(lazy, np.float64).dtype == np.float64


@settings(max_examples=50)
@given(lazy_and_eager())
def test_a_pickled_array_is_the_same(pair: tuple[Array, NDArray[Any]]) -> None:
    lazy, eager = pair
    again = pickle.loads(pickle.dumps(lazy))
    assert (again.shape, again.dtype) == (eager.shape, eager.dtype)
    np.testing.assert_array_equal(np.asarray(again), eager)


def test_only_the_requested_frames_are_read() -> None:
    frames, read = counted(1000)
    frames[7]
    frames[990:993, 1]
    frames[[5, 900, 5], :, 0]
    assert read == [7, 990, 991, 992, 5, 900]


def test_an_array_of_100_million_frames_is_made_at_once() -> None:
    tracemalloc.start()
    try:
        frames, read = counted(10**8)
        assert frames[12_345_678, 0, 0] == 12_345_678
        assert frames[-1, 1, 2] == 10**8 - 1
        assert frames[10:13, 0, 0].tolist() == [10, 11, 12]
        assert frames[:: 4 * 10**7, 0, 0].tolist() == [0, 4 * 10**7, 8 * 10**7]
        assert frames[[-1, 0], :, 1].tolist() == [[10**8 - 1] * 2, [0] * 2]
        assert (len(frames), frames.size, frames.nbytes) == (10**8, 6 * 10**8, 48 * 10**8)
        assert len(repr(frames)) < 100
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert len(read) <= 8


def test_the_cache_is_used_and_bounded() -> None:
    frames, read = counted(100)
    frames[3], frames[3], frames[2:4]
    assert read == [3, 2]
    np.asarray(frames)
    tracemalloc.start()
    try:
        large = Frames(lambda _: np.zeros((4, 1 << 20), np.uint8), (40, 4, 1 << 20), np.uint8, 1)
        for i in range(40):
            large[i, 0, 0]
        assert tracemalloc.get_traced_memory()[0] < 70 << 20
    finally:
        tracemalloc.stop()


def test_a_returned_frame_is_a_copy() -> None:
    frames, _ = counted(3)
    frames[1][...] = 99
    frames[1:2][...] = 99
    assert frames[1].tolist() == [[1] * 3] * 2
    with pytest.raises(ValueError, match="copy"):
        np.array(frames, copy=False)


def test_frames_cached_by_a_reader_are_not_cached_twice() -> None:
    read: list[int] = []

    class Reader:
        caches_frames = True

        def __call__(self, i: int) -> NDArray[Any]:
            read.append(i)
            self.given = np.full((2, 3), i, np.uint8)
            return self.given

    reader = Reader()
    frames = Frames(reader, (4, 2, 3), np.uint8, 1)
    assert np.shares_memory(frames[2], reader.given)
    assert frames[2].flags.writeable
    assert frames[2:3, ::-1].tolist() == [[[2] * 3] * 2]
    assert (frames[2, 1, 0], frames[1:3].max()) == (2, 2)
    assert read == [2, 2, 2, 2, 1, 2]


def test_a_frame_that_does_not_fit_is_refused() -> None:
    for wrong in (np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint16)):
        with pytest.raises(InvalidImageError, match="Frame 1"):
            Frames(lambda _, wrong=wrong: wrong, (3, 4, 5), np.uint16, 1)[1]


def test_16_threads_read_the_right_frames() -> None:
    data = pixels((50, 8, 9))
    frames = frames_of(data, 1)

    def read(seed: int) -> bool:
        chosen = np.random.default_rng(seed).integers(0, 50, 100)
        return all(np.array_equal(frames[i], data[i]) for i in chosen)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(16)))


def test_indexed_reads_frames_of_any_array() -> None:
    data = pixels((2, 3, 4, 5))
    frames = Frames(IndexedFrames(data, 2), data.shape, data.dtype, 2)
    np.testing.assert_array_equal(np.asarray(frames), data)
