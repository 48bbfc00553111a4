"""Cache of decoded chunks."""

import gc

import numpy as np
import pytest

from napari_ferry.codecs.zarr import decoded_chunks
from napari_ferry.codecs.zarr.decoded_chunks import ChunkCache


def chunk(nbytes: int) -> np.ndarray:
    return np.zeros(nbytes, np.uint8)


def test_the_chunks_not_used_for_longest_are_replaced():
    cache = ChunkCache(100, 100)
    for k in range(5):
        cache.put((0, k), chunk(30), is_reused=True)
        cache.get((0, 0))
    assert [k for k in range(5) if cache.get((0, k)) is not None] == [0, 3, 4]


@pytest.mark.parametrize("is_reused", [True, False])
def test_a_chunk_larger_than_the_cache_is_alone_in_it(is_reused: bool):
    cache = ChunkCache(100, 100)
    cache.put((0, 0), chunk(30), is_reused=is_reused)
    cache.put((0, 1), chunk(300), is_reused=is_reused)
    assert len(cache) == 1
    assert cache.get((0, 1)) is not None
    cache.put((0, 2), chunk(30), is_reused=True)
    assert cache.get((0, 1)) is None


@pytest.mark.parametrize("is_reused", [True, False])
def test_a_chunk_may_be_put_twice(is_reused: bool):
    cache = ChunkCache(100, 100)
    for _ in range(9):
        cache.put((0, 0), chunk(60), is_reused=is_reused)
    cache.put((0, 1), chunk(40), is_reused=is_reused)
    assert cache.nbytes == 100
    assert cache.get((0, 0)) is not None


def test_chunks_that_are_read_once_have_a_small_part_of_the_cache():
    cache = ChunkCache(100, 20)
    for k in range(9):
        cache.put((0, k), chunk(10))
    assert len(cache) == 2
    assert cache.nbytes == 20


def test_chunks_read_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoded_chunks, "_MOST_KEYS", 3)
    cache = ChunkCache(100, 20)
    for k in range(9):  # of which all but the last two were removed
        cache.put((0, k), chunk(10))
    for k in (4, 3):  # of which only the first is known from before
        cache.put((0, k), chunk(10))
    for k in range(10, 19):
        cache.put((0, k), chunk(10))
    assert [k for k in range(9) if cache.get((0, k)) is not None] == [4]


def test_a_chunk_that_is_read_again_stays():
    cache = ChunkCache(100, 20)
    cache.put((0, 0), chunk(10))
    cache.get((0, 0))
    for k in range(1, 9):
        cache.put((0, k), chunk(10))
    assert cache.get((0, 0)) is not None
    assert cache.nbytes == 30


def test_a_chunk_that_was_removed_stays_when_it_is_read_again():
    cache = ChunkCache(100, 20)
    for k in range(9):
        cache.put((0, k), chunk(10))
    assert cache.get((0, 0)) is None
    cache.put((0, 0), chunk(10))
    for k in range(9, 18):
        cache.put((0, k), chunk(10))
    assert cache.get((0, 0)) is not None


@pytest.mark.parametrize("is_reused", [True, False])
def test_the_chunks_of_an_owner_are_discarded(is_reused: bool):
    first, second = object(), object()
    cache = ChunkCache(100, 20)
    for k in range(4):
        cache.put((first, k), chunk(10), is_reused=is_reused)
    cache.put((second, 0), chunk(10), is_reused=is_reused)
    cache.discard(first)
    assert len(cache) == 1
    assert cache.nbytes == 10
    assert cache.get((second, 0)) is not None


def test_the_garbage_collector_may_discard_while_the_cache_is_in_use():
    cache, owner = ChunkCache(100, 100), object()
    cache.put((owner, 0), chunk(10))
    with cache._lock:
        cache.discard(owner)
        gc.collect()
        assert len(cache)
    assert cache.get((owner, 0)) is None
