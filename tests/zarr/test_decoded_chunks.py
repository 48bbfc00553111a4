"""Cache of decoded chunks."""

import gc

import numpy as np

from napari_ferry.codecs.zarr.decoded_chunks import ChunkCache


def chunk(nbytes: int) -> np.ndarray:
    return np.zeros(nbytes, np.uint8)


def test_the_chunks_not_used_for_longest_are_replaced():
    cache = ChunkCache(100)
    for k in range(5):
        cache.put((0, k), chunk(30))
        cache.get((0, 0))
    assert [k for k in range(5) if cache.get((0, k)) is not None] == [0, 3, 4]


def test_a_chunk_larger_than_the_cache_is_alone_in_it():
    cache = ChunkCache(100)
    cache.put((0, 0), chunk(30))
    cache.put((0, 1), chunk(300))
    assert cache.get((0, 0)) is None
    assert cache.get((0, 1)) is not None
    cache.put((0, 2), chunk(30))
    assert cache.get((0, 1)) is None


def test_a_chunk_may_be_put_twice():
    cache = ChunkCache(100)
    for _ in range(9):
        cache.put((0, 0), chunk(60))
    cache.put((0, 1), chunk(40))
    assert cache.get((0, 0)) is not None


def test_the_chunks_of_an_owner_are_discarded():
    first, second = object(), object()
    cache = ChunkCache(100)
    cache.put((first, 0), chunk(10))
    cache.put((second, 0), chunk(10))
    cache.discard(first)
    assert len(cache._chunks) == 1
    assert cache.get((second, 0)) is not None


def test_the_garbage_collector_may_discard_while_the_cache_is_in_use():
    cache, owner = ChunkCache(100), object()
    cache.put((owner, 0), chunk(10))
    with cache._lock:
        cache.discard(owner)
        gc.collect()
        assert cache._chunks
    assert cache.get((owner, 0)) is None
