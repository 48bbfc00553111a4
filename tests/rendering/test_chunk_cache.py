"""Cache of chunks with several frames."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own
import threading
from dataclasses import replace

import dask.array as da
import numpy as np
import zarr

from napari_ferry import Image, imload, render, run
from napari_ferry.arrays.stack import take
from napari_ferry.rendering.chunk_cache import ChunkCache, cache_chunks
from napari_ferry.rendering.save import plan
from pictures import ChunkedArray, noise


def test_a_chunk_of_several_frames_is_read_once(tmp_path):
    layers = [
        ChunkedArray(noise(24, 16, 20), (5, 8, 20)),
        ChunkedArray(noise(24, 16, 20), (24, 16, 20)),
    ]
    green = {"colormap": "green", "blending": "additive", "contrast_limits": [0, 255]}
    images = [
        replace(Image.from_array(layer, "tyx"), display=green | more)
        for layer, more in zip(layers, ({}, {"colormap": "magenta"}), strict=True)
    ]
    run(plan(images, tmp_path / "a.mkv"), workers=4)
    for layer in layers:
        assert set(layer.reads.values()) == {1}
    first, second = (layer.pixels for layer in layers)
    np.testing.assert_array_equal(
        imload(tmp_path / "a.mkv")[0].array, np.stack([second, first, second], -1)
    )


def test_cached_frames_equal_those_of_the_array():
    source = ChunkedArray(noise(11, 2, 6, 8), (4, 2, 3, 8))
    cached = cache_chunks(source, 0, 6 * 8 * 2 * 6)
    assert isinstance(cached, ChunkCache)
    assert (cached.group_size, cached.max_groups) == (3, 2)
    for i in (0, 10, 3, 4, 7, 8, 0):
        box = (slice(i, i + 1), slice(1, 2), slice(2, 6), slice(0, 8))
        np.testing.assert_array_equal(cached[box], source.pixels[box])
    assert source.largest <= 3 * 4 * 8
    assert len(cached._groups) == cached.max_groups


def test_chunks_of_one_frame_and_arrays_in_memory_are_not_cached():
    source = ChunkedArray(noise(4, 6, 8), (1, 6, 8))
    assert cache_chunks(source, 0, 1 << 20) is source
    assert cache_chunks(source.pixels, 0, 1 << 20) is source.pixels
    several = ChunkedArray(source.pixels, (4, 6, 8))
    assert cache_chunks(several, None, 1 << 20) is several
    assert cache_chunks(several, 0, 6 * 8) is several  # two frames do not fit


def test_threads_read_a_shared_chunk_once():
    source = ChunkedArray(noise(8, 6, 8), (8, 6, 8))
    frames = render(Image.from_array(source, "tyx")).array
    together = threading.Barrier(8)

    def read(i: int) -> None:
        together.wait()
        np.testing.assert_array_equal(frames[i][..., 0], source.pixels[i])

    threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.reads == {(0, 0, 0): 1}


def test_cached_frames_can_be_pickled():
    array = da.from_array(noise(6, 8, 8), chunks=(3, 8, 8))
    frames = render(Image.from_array(array, "tyx")).array
    again = pickle.loads(pickle.dumps(frames))
    np.testing.assert_array_equal(again[4], frames[4])


def test_a_channel_of_a_chunked_array_keeps_its_chunks():
    pixels = np.random.default_rng(0).integers(0, 9, (8, 2, 6, 6), np.uint8)
    source = zarr.array(pixels, chunks=(4, 1, 6, 6))
    channel = take(source, 1, 1)
    assert getattr(channel, "chunks", None) == (4, 6, 6)
    np.testing.assert_array_equal(channel[2:5], pixels[2:5, 1])
    np.testing.assert_array_equal(np.asarray(channel), pixels[:, 1])
