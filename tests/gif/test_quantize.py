"""Palettes of frames with more than 256 colors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage

import napari_ferry
from gif_files import movie, read_with_pillow, save
from napari_ferry import load_gif
from napari_ferry.codecs.gif.quantize import quantize
from napari_ferry.codecs.gif.scan import scan
from napari_ferry.image import Image

plan = partial(napari_ferry.plan, as_seen=False)


def error_of(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(((found.astype(float) - expected) ** 2).mean())


def test_true_color_is_more_accurate_and_smaller_than_with_pillow(tmp_path):
    frames = movie(8, 3, size=(128, 128))
    images = [PillowImage.fromarray(frame) for frame in frames]
    images[0].save(tmp_path / "p.gif", save_all=True, append_images=images[1:], duration=50)
    path = save(frames, tmp_path / "a.gif")
    theirs, _ = read_with_pillow(tmp_path / "p.gif")
    assert error_of(load_gif(path), frames) < error_of(theirs, frames)
    assert path.stat().st_size < (tmp_path / "p.gif").stat().st_size


def test_a_frame_with_unsampled_colors_gets_its_own_palette(tmp_path):
    frames = movie(24, 3, size=(64, 64))
    frames[4] = np.roll(255 - frames[4] // 4, 1, -1)
    path = save(frames, tmp_path / "a.gif")
    table = scan(path)
    assert [i for i in range(24) if table.row(i).palette != 13] == [4]
    assert error_of(load_gif(path)[4], frames[4]) < 30


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("colors", [2, 5, 64])
def test_the_number_of_colors_is_limited(samples, colors, tmp_path):
    frames = movie(3, samples)
    path = save(frames, tmp_path / "a.gif", colors=colors)
    found = load_gif(path)
    for frame in found:
        assert len(np.unique(frame.reshape(-1, samples), axis=0)) <= colors
    image = Image.from_array(frames, "tyxs" if samples == 3 else "tyx")
    (loss,) = plan(image, path, frame_rate=10, colors=colors).losses
    assert f"reduced to the best {colors}" in loss


def test_dither_mixes_missing_colors(tmp_path):
    ramp = np.repeat(np.linspace(0, 255, 256)[None], 64, 0).astype(np.uint8)
    frames = np.stack([ramp, ramp])

    def smooth(found: NDArray[Any]) -> NDArray[Any]:
        return found[0].reshape(8, 8, 32, 8).mean((1, 3))[:, 5:-5]

    plain = load_gif(save(frames, tmp_path / "a.gif", colors=4))
    mixed = load_gif(save(frames, tmp_path / "b.gif", colors=4, dither=True))
    assert error_of(smooth(mixed), smooth(frames)) < error_of(smooth(plain), smooth(frames)) / 10
    exact = load_gif(save(frames, tmp_path / "c.gif", dither=True))
    np.testing.assert_array_equal(exact, frames)


@given(
    count=st.integers(2, 40),
    seed=st.integers(0, 50),
    samples=st.sampled_from([1, 3]),
    pixels=st.integers(1, 400),
)
@settings(max_examples=50)
def test_a_palette_is_never_worse_than_uniform_steps(count, seed, samples, pixels):
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (pixels, samples), np.uint8)
    palette, error = quantize(colors, count)
    assert 1 <= len(palette) <= count
    assert error <= colors.astype(float).var(0).mean() + 1
