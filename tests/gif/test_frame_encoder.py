"""Encoded frames: exact pixels, and only their changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gif_files import movie, read_with_pillow, save
from napari_ferry import imload, load_gif
from napari_ferry.codecs.gif.scan import NO_INDEX, scan


@settings(max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 20), st.integers(1, 20)),
    levels=st.integers(1, 256),
    still=st.floats(0, 1),
    is_rgb=st.booleans(),
    seed=st.integers(0, 99),
)
def test_few_colors_are_exact(tmp_path_factory, shape, levels, still, is_rgb, seed):
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (levels, 3), np.uint8)
    index = rng.integers(0, levels, shape)
    rests = rng.random(shape[1:]) < still
    index[:, rests] = index[0, rests]
    frames = colors[index] if is_rgb else index.astype(np.uint8)
    path = save(frames, tmp_path_factory.mktemp("gif") / "a.gif")
    (found,) = imload(path)
    assert found.shape == frames.shape
    np.testing.assert_array_equal(np.asarray(found.array), frames)
    shown, _ = read_with_pillow(path)
    np.testing.assert_array_equal(shown, frames if is_rgb else frames[..., None].repeat(3, -1))


def test_noise_over_all_levels_is_exact(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 64, 300), np.uint8)
    np.testing.assert_array_equal(load_gif(save(frames, tmp_path / "a.gif")), frames)


def test_each_frame_may_have_256_colors_of_its_own(tmp_path):
    frames = movie(3, 3, size=(16, 16))
    np.testing.assert_array_equal(load_gif(save(frames, tmp_path / "a.gif")), frames)


def test_equal_frames_remain_separate_frames(tmp_path):
    frames = movie(2)[[0, 0, 0, 1, 1, 0]]
    path = save(frames, tmp_path / "a.gif")
    np.testing.assert_array_equal(load_gif(path), frames)
    table = scan(path)
    sizes = list(zip(table.column("width").tolist(), table.column("height").tolist(), strict=True))
    assert [size == (1, 1) for size in sizes] == [False, True, True, False, True, False]


def test_only_what_changes_is_stored(tmp_path):
    frames = np.repeat(movie(1), 3, 0)
    frames[1, 5:8, 10:20] ^= 255
    path = save(frames, tmp_path / "a.gif")
    np.testing.assert_array_equal(load_gif(path), frames)
    row = scan(path).row(1)
    assert (row.left, row.top, row.width, row.height) == (10, 5, 10, 3)


def test_unchanged_pixels_are_transparent_if_that_is_smaller(tmp_path):
    frames = np.repeat(movie(1, size=(200, 200)), 2, 0)
    frames[1, [0, -1], [0, -1]] ^= 255
    path = save(frames, tmp_path / "a.gif")
    np.testing.assert_array_equal(load_gif(path), frames)
    first, second = scan(path).row(0), scan(path).row(1)
    assert second.transparent != NO_INDEX
    assert second.stop - second.start < (first.stop - first.start) / 20


def test_a_frame_without_a_free_index_has_no_transparency(tmp_path):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = np.stack([np.full((32, 16), 7, np.uint8)] * 2)
    frames[1, :16] = every
    frames[1, 31, 15] = 9
    np.testing.assert_array_equal(load_gif(save(frames, tmp_path / "a.gif")), frames)
