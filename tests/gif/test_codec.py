"""GIF files: frames, times and colors, checked with the readers of other programs."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import pickle  # noqa: TID251 - our own
import re
import shutil
import struct
import subprocess
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage

import napari_ferry
from foreign_readers import ask_chromium
from helpers import SHARED, assert_same_image, entry_id, make_full_image, read_corpus
from napari_ferry import imload, load_gif, save_gif
from napari_ferry.arrays import Frames
from napari_ferry.codecs.gif import disposal
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.codecs.gif.frame_encoder import compress
from napari_ferry.codecs.gif.quantize import quantize
from napari_ferry.codecs.gif.scan import NO_INDEX, scan, split_blocks
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
    SaveError,
    UnreadableFileError,
)
from napari_ferry.image import Axis, Image
from napari_ferry.plugin import commands

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)

SIZE = (32, 40)


def movie(count: int, samples: int = 1, seed: int = 0, size: tuple[int, int] = SIZE) -> Any:
    """Return moving waves with noise, axes (t, y, x) or (t, y, x, 3), uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    waves = [np.sin((x + 3 * s + np.arange(count)[:, None, None]) / (4 + s)) for s in range(3)]
    noisy = 128 + 60 * np.stack(waves, -1) + 20 * np.cos(y / 5)[..., None]
    colors = np.clip(noisy + rng.normal(0, 6, noisy.shape), 0, 255).astype(np.uint8)
    return colors[..., 0].copy() if samples == 1 else colors


def save(images: Any, path: Path, **options: Any) -> Path:
    images = Image.from_array(images, "tyxs" if images.ndim == 4 else None)
    return imsave(images, path, overwrite=True, **options)[0]


def read_with_pillow(path: Path) -> tuple[NDArray[Any], list[int]]:
    """Read frames, axes (t, y, x, 3), and their display times in milliseconds with Pillow."""
    with PillowImage.open(path) as image:
        frames, times = [], []
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
    return np.stack(frames), times


# --- saved and opened again -------------------------------------------------------------------


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


@pytest.mark.parametrize("axes", ["yx", "tyx", "zyx", "cyx", "tyxs", "yxs", "syx"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_metadata_are_preserved(axes, kind, tmp_path):
    image = make_full_image(axes, "uint8", kind)
    channels = tuple(replace(channel, contrast_limits=None) for channel in image.channels)
    image = replace(image, channels=channels, display={"gamma": 0.5, "visible": False})
    found = imload(imsave(image, tmp_path / "a.gif")[0])[0]
    assert_same_image(found, image)


def test_a_given_frame_rate_calibrates_the_time_axis(tmp_path):
    (found,) = imload(save(movie(3), tmp_path / "a.gif", frame_rate=29.97))
    assert found.axis("t") == Axis("t", 1001 / 30000, "second")
    image = replace(make_full_image("tyx", "uint8"))
    (found,) = imload(imsave(image, tmp_path / "b.gif", frame_rate=40)[0])
    assert found.axes == image.axes


def test_times_changed_by_another_program_are_used(tmp_path):
    image = make_full_image("tyx", "uint8")
    path = imsave(image, tmp_path / "a.gif")[0]
    data = path.read_bytes()
    path.write_bytes(
        data.replace(struct.pack("<H", 10) + b"\0\0,", struct.pack("<H", 8) + b"\0\0,")
    )
    (found,) = imload(path)
    assert found.axes == (Axis("t", 0.08, "second"), *image.axes[1:])
    assert found.name == image.name
    assert found.metadata == image.metadata


def test_a_record_of_another_size_is_ignored(tmp_path):
    path = imsave(make_full_image("tyx", "uint8"), tmp_path / "a.gif")[0]
    path.write_bytes(path.read_bytes().replace(b'"size": 3', b'"size": 4'))
    (found,) = imload(path)
    assert found.name == "a"
    assert found.shape == (3, 5, 7)


# --- true color --------------------------------------------------------------------------------


def _error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(((found.astype(float) - expected) ** 2).mean())


def test_true_color_is_more_accurate_and_smaller_than_with_pillow(tmp_path):
    frames = movie(8, 3, size=(128, 128))
    images = [PillowImage.fromarray(frame) for frame in frames]
    images[0].save(tmp_path / "p.gif", save_all=True, append_images=images[1:], duration=50)
    path = save(frames, tmp_path / "a.gif")
    theirs, _ = read_with_pillow(tmp_path / "p.gif")
    assert _error(load_gif(path), frames) < _error(theirs, frames)
    assert path.stat().st_size < (tmp_path / "p.gif").stat().st_size


def test_a_frame_with_unsampled_colors_gets_its_own_palette(tmp_path):
    frames = movie(24, 3, size=(64, 64))
    frames[4] = np.roll(255 - frames[4] // 4, 1, -1)
    path = save(frames, tmp_path / "a.gif")
    table = scan(path)
    assert [i for i in range(24) if table.row(i).palette != 13] == [4]
    assert _error(load_gif(path)[4], frames[4]) < 30


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
    assert _error(smooth(mixed), smooth(frames)) < _error(smooth(plain), smooth(frames)) / 10
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


# --- times --------------------------------------------------------------------------------------


@given(rate=st.fractions(Fraction(1, 600), 50, max_denominator=1001), count=st.integers(1, 300))
def test_delays_add_up_to_the_duration(rate, count):
    delays = list(frame_delays(rate, count))
    assert len(delays) == count
    assert min(delays) >= 2
    starts = [0, *itertools.accumulate(delays)]
    assert all(abs(start - k * 100 / rate) <= Fraction(1, 2) for k, start in enumerate(starts))


@pytest.mark.parametrize("rate", [29.97, 30, 15, 7, 50, 24, 12.5])
def test_other_programs_see_the_times(rate, tmp_path):
    path = save(movie(12), tmp_path / "a.gif", frame_rate=rate)
    _, times = read_with_pillow(path)
    assert sum(times) == pytest.approx(12000 / rate, abs=5)
    assert not plan(movie(12), path, frame_rate=rate).losses


def test_more_than_50_frames_per_second_are_reported_as_a_loss(tmp_path):
    (loss,) = plan(movie(2), tmp_path / "a.gif", frame_rate=120).losses
    assert loss == (
        "120 frames per second become 50, the most that browsers play: every frame is kept and "
        "the movie plays 2.4 times slower; to keep its playback speed, save every 3rd frame, "
        "images[::3], with frame_rate=40"
    )
    frames = movie(7)
    path = save(frames, tmp_path / "a.gif", frame_rate=120)
    assert read_with_pillow(path)[1] == [20] * 7
    np.testing.assert_array_equal(load_gif(path), frames)


def test_a_frame_of_an_hour_is_reported_as_a_loss(tmp_path):
    (loss,) = plan(movie(2), tmp_path / "a.gif", frame_rate=1 / 3600).losses
    assert "3600 s" in loss
    assert list(frame_delays(Fraction(1, 3600), 2)) == [65535, 65535]


def test_uneven_times_are_in_the_metadata(tmp_path):
    path = tmp_path / "a.gif"
    delays = [33, 15, 4, 100]
    path.write_bytes(
        build([Part(np.full((2, 2), k, np.uint8), delay=d) for k, d in enumerate(delays)])
    )
    (image,) = imload(path)
    assert image.metadata["delays"] == [0.33, 0.15, 0.04, 1.0]
    assert image.axis("t") == Axis("t", 0.38, "second")


@pytest.mark.parametrize(("delay", "axis"), [(0, Axis("t")), (5, Axis("t", 0.05, "second"))])
def test_even_times_are_a_scale(delay, axis, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.full((2, 2), k, np.uint8), delay=delay) for k in range(3)]))
    (image,) = imload(path)
    assert image.axis("t") == axis
    assert image.metadata == {}


@pytest.mark.parametrize("loop", [0, 1, 7, 65535, None])
def test_pillow_reads_the_number_of_loops(loop, tmp_path):
    path = save(movie(2), tmp_path / "a.gif", loop=loop)
    with PillowImage.open(path) as image:
        assert image.info.get("loop") == loop
    assert scan(path).loop == loop


@pytest.mark.parametrize(
    "options",
    [
        {"loop": -1}, {"loop": 65536}, {"loop": 1.5}, {"loop": True}, {"colors": 1},
        {"colors": 257}, {"colors": "many"}, {"dither": "bayer"}, {"frame_rate": 0},
        {"frame_rate": float("nan")}, {"axis": "q"}, {"position": "z=9"},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, tmp_path):
    with pytest.raises(InvalidImageError, match=next(iter(options)).replace("_", " ").lower()):
        imsave(movie(2), tmp_path / "a.gif", **options)
    assert not list(tmp_path.iterdir())


def test_frames_too_large_for_a_gif_are_refused(tmp_path):
    wide = Frames(lambda _: np.zeros((1, 65536), np.uint8), (2, 1, 65536), "uint8", 1)
    with pytest.raises(InvalidImageError, match="65535"):
        plan(wide, tmp_path / "a.gif")


# --- files of other programs --------------------------------------------------------------------


@dataclass
class Part:
    """One frame of a GIF file built by a test."""

    pixels: NDArray[np.uint8]
    left: int = 0
    top: int = 0
    disposal: int = 0
    transparent: int = NO_INDEX
    delay: int = 10
    palette: NDArray[np.uint8] | None = None
    interlaced: bool = False


COLORS = np.random.default_rng(5).integers(0, 256, (8, 3), np.uint8)


def build(parts: list[Part], size: tuple[int, int] = (2, 2), tail: bytes = b";") -> bytes:
    """Build a GIF file according to the specification; size is (height, width)."""
    blocks = [b"GIF89a", struct.pack("<HHBBB", size[1], size[0], 0x82, 0, 0), COLORS.tobytes()]
    for part in parts:
        # graphic control extension
        flags = part.disposal << 2 | (part.transparent != NO_INDEX)
        blocks.append(
            b"!\xf9\x04" + struct.pack("<BHBB", flags, part.delay, max(0, part.transparent), 0)
        )

        # image descriptor, palette and pixels
        height, width = part.pixels.shape
        own = b"" if part.palette is None else part.palette.tobytes()
        flags = (0x82 if own else 0) | (0x40 if part.interlaced else 0)
        blocks.append(struct.pack("<BHHHHB", 0x2C, part.left, part.top, width, height, flags) + own)
        pixels = part.pixels
        if part.interlaced:
            order = [y for a, b in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(a, height, b)]
            pixels = pixels[order]
        blocks.append(compress(pixels))
    return b"".join(blocks) + tail


def composed(parts: list[Part], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Compose the frames like a browser, pixel by pixel; axes (t, y, x, 4)."""
    first = parts[0]
    size = (  # the first frame may enlarge the canvas
        max(size[0], first.top + first.pixels.shape[0]),
        max(size[1], first.left + first.pixels.shape[1]),
    )
    canvas = np.zeros((*size, 4), np.uint8)
    shown = []
    for part in parts:
        before = canvas.copy()
        colors = COLORS if part.palette is None else part.palette
        inside = [
            (y, x, y + part.top, x + part.left)
            for y, x in np.ndindex(*part.pixels.shape)
            if y + part.top < size[0] and x + part.left < size[1]
        ]
        for y, x, at_y, at_x in inside:
            if part.pixels[y, x] != part.transparent:
                canvas[at_y, at_x] = *colors[part.pixels[y, x]], 255
        shown.append(canvas.copy())
        if part.disposal == 2:
            for _, _, at_y, at_x in inside:
                canvas[at_y, at_x] = 0
        if part.disposal == 3:
            canvas = before
    return np.stack(shown)


@st.composite
def gifs(draw: Any) -> tuple[list[Part], tuple[int, int]]:
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    parts = []
    for _ in range(draw(st.integers(1, 24))):
        top, left = (int(rng.integers(0, n + 1)) for n in size)
        shape = tuple(int(rng.integers(1, n + 2)) for n in size)

        if rng.random() < 0.4:
            (top, left), shape = (0, 0), size
        parts.append(
            Part(
                rng.integers(0, 8, shape).astype(np.uint8),
                left,
                top,
                int(rng.integers(0, 4)),
                int(rng.integers(0, 8)) if rng.random() < 0.5 else NO_INDEX,
                palette=rng.integers(0, 256, (8, 3), np.uint8) if rng.random() < 0.3 else None,
                interlaced=bool(rng.random() < 0.3),
            )
        )
    return parts, size


def _with_alpha(frames: NDArray[Any]) -> NDArray[Any]:
    """Return colors with alpha, set to 0 at transparent pixels."""
    if frames.shape[-1] == 3:
        frames = np.concatenate([frames, np.full_like(frames[..., :1], 255)], -1)
    return np.where(frames[..., 3:] > 0, frames, 0)


@settings(max_examples=150)
@given(gif=gifs(), order=st.randoms(use_true_random=False))
def test_frames_are_composed_as_a_browser_does(tmp_path_factory, gif, order):
    parts, size = gif
    path = tmp_path_factory.mktemp("gif") / "a.gif"
    path.write_bytes(build(parts, size))
    (image,) = imload(path)
    array = image.array if len(parts) > 1 else np.asarray(image.array)[None]
    expected = composed(parts, size)
    np.testing.assert_array_equal(_with_alpha(np.asarray(array)), expected)
    if array.shape[-1] == 3:
        assert (expected[..., 3] == 255).all()

    # in any order, with a pickled array
    (again,) = imload(path)
    lazy = pickle.loads(pickle.dumps(again.array))
    for i in order.sample(range(len(parts)), len(parts)):
        frame = lazy[i] if len(parts) > 1 else np.asarray(lazy)
        np.testing.assert_array_equal(_with_alpha(frame), expected[i])
    for first in order.sample(range(len(parts)), min(6, len(parts))):
        some = np.empty_like(np.asarray(array)[first : first + order.randint(1, 5)])
        lazy.read.read_into(first, some.reshape(-1, *array.shape[1:]))
        np.testing.assert_array_equal(_with_alpha(some), expected[first : first + len(some)])


def test_threads_may_read_at_once(tmp_path):
    frames = movie(40)
    frames[1:, :20] = frames[0, :20]
    path = save(frames, tmp_path / "a.gif")
    (image,) = imload(path)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(40), 4))
    with ThreadPoolExecutor(4) as pool:
        for i, frame in zip(order, pool.map(image.array.__getitem__, order), strict=True):
            np.testing.assert_array_equal(frame, frames[i])


def _count_decodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    decode = disposal.read_indices
    monkeypatch.setattr(
        disposal,
        "read_indices",
        lambda file, row: (counted.append(row.start), decode(file, row))[1],
    )
    return counted


def test_sequential_reading_decodes_each_frame_once(tmp_path, monkeypatch):
    frames = movie(50)
    frames[:, :10] = frames[0, :10]
    path = save(frames, tmp_path / "a.gif")
    (image,) = imload(path)
    counted = _count_decodes(monkeypatch)
    for i in range(50):
        np.testing.assert_array_equal(image.array[i], frames[i])
    assert len(counted) == len(set(counted)) == 50


def test_every_frame_is_near_an_independent_frame(tmp_path, monkeypatch):
    frames = movie(600, size=(64, 64))
    frames[:, :60] = frames[0, :60]
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", 40_000)
    path = save(frames, tmp_path / "a.gif")
    table = scan(path)
    starts, _ = disposal.find_starts(table)
    assert len(np.unique(starts)) > 1
    counted = _count_decodes(monkeypatch)
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array[599], frames[599])
    sizes = {row.start: row.stop - row.start for row in map(table.row, range(600))}
    assert sum(sizes[start] for start in counted) < 24 * sizes[table.row(0).start]


def test_composed_frames_are_cached_at_intervals(tmp_path, monkeypatch):
    parts = [Part(np.full((1, 1), k % 8, np.uint8), k % 12, k // 12 % 12) for k in range(400)]
    path = tmp_path / "a.gif"
    path.write_bytes(build(parts, (12, 12)))
    (image,) = imload(path)
    expected = composed(parts, (12, 12))
    np.testing.assert_array_equal(image.array[399], expected[399])
    counted = _count_decodes(monkeypatch)
    order = np.random.default_rng(0).permutation(400)
    for i in order:
        np.testing.assert_array_equal(image.array[i], expected[i])
    assert len(counted) <= 8 * 400


def test_memory_of_cached_frames_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(disposal, "_CACHE_BYTES", 10 * 12 * 12 * 4)
    parts = [Part(np.full((1, 1), k % 8, np.uint8), k % 12) for k in range(400)]
    path = tmp_path / "a.gif"
    path.write_bytes(build(parts, (12, 12)))
    read = imload(path)[0].array.read
    for i in range(400):
        read(i)
    assert len(read._checkpoints) <= 10


def test_a_hundred_thousand_frames_open_at_once(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.full((1, 1), k % 8, np.uint8)) for k in range(1000)] * 100))
    (image,) = imload(path)
    assert image.shape[0] == 100_000
    assert image.array.read.table.rows.nbytes <= 300 * 100_000


@pytest.mark.parametrize(
    ("colors", "axes"), [([[9, 9, 9], [200, 200, 200]], "tyx"), ([[9, 9, 9], [200, 0, 9]], "tyxs")]
)
def test_gray_files_have_no_color_axis(colors, axes, tmp_path):
    images = [PillowImage.new("P", (4, 3), k) for k in (0, 1)]
    for image in images:
        image.putpalette(np.array(colors, np.uint8).tobytes())
    path = tmp_path / "a.gif"
    images[0].save(path, save_all=True, append_images=images[1:])
    assert "".join(imload(path)[0].axis_names) == axes


def test_unused_transparency_is_not_a_channel(tmp_path):
    full = Part(np.ones((2, 2), np.uint8), transparent=0)
    holed = Part(np.eye(2, dtype=np.uint8), transparent=0)
    path = tmp_path / "a.gif"
    path.write_bytes(build([full, holed]))
    assert imload(path)[0].shape == (2, 2, 2, 3)
    path.write_bytes(build([holed, full]))
    assert imload(path)[0].shape == (2, 2, 2, 4)


# --- damaged files ------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 3])
def test_a_file_cut_anywhere_opens_with_its_whole_frames_or_is_refused(samples, tmp_path):
    frames = movie(3, samples, size=(12, 12))
    data = save(frames, tmp_path / "a.gif").read_bytes()
    path = tmp_path / "cut.gif"
    for length in range(0, len(data) - 1, 7):
        path.write_bytes(data[:length])
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                (image,) = imload(path)
        except UnreadableFileError:
            continue
        found = np.asarray(image.array)
        found = found if "t" in image.axis_names else found[None]
        assert len(found) < 3 or length >= len(data) - 1
        whole_end = data[length - 1 : length] == b"\0"  # a frame may end there
        assert caught or whole_end
        if found.shape[1:] == frames.shape[1:]:
            np.testing.assert_array_equal(found, frames[: len(found)])


def test_a_warning_states_the_number_of_whole_frames(tmp_path):
    data = save(movie(4), tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[:-20])
    with pytest.warns(FerryWarning, match="3 of its frames are whole"):
        (image,) = imload(tmp_path / "a.gif")
    assert image.array.shape[0] == 3


@settings(max_examples=200)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_garbled_files_open_or_raise_our_errors(tmp_path_factory, changes):
    parts = [
        Part(
            np.arange(9, dtype=np.uint8).reshape(3, 3) % 8, k % 2, 0, k % 4, k % 3, interlaced=k > 3
        )
        for k in range(6)
    ]

    data = bytearray(build(parts, (4, 4)))
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.mktemp("gif") / "a.gif"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        with contextlib.suppress(FerryError):
            (image,) = imload(path)
            if image.nbytes < 10_000_000:
                np.asarray(image.array)


def test_an_error_names_the_damaged_frame(tmp_path):
    data = build([Part(np.zeros((2, 2), np.uint8))], tail=b"")
    bad = build([Part(np.zeros((2, 2), np.uint8))])[len(COLORS.tobytes()) + 13 :]
    start = bad.index(b"\x2c") + 10
    path = tmp_path / "a.gif"
    path.write_bytes(data + bad[:start] + b"\x03\x02\xff\xff\0;")
    (image,) = imload(path)
    assert image.array[0].shape == (2, 2, 3)
    with pytest.raises(UnreadableFileError, match="Frame 1 of"):
        image.array[1]


def test_missing_pixels_are_reported(tmp_path):
    whole = build([Part(np.ones((4, 4), np.uint8))], (4, 4))
    path = tmp_path / "a.gif"
    codes, fewer = (compress(np.ones((rows, 4), np.uint8)) for rows in (4, 2))
    path.write_bytes(whole.replace(codes, fewer))
    (image,) = imload(path)
    with pytest.warns(FerryWarning, match="Frame 0 of .* lacks 8 pixels"):
        pixels = np.asarray(image.array)
    np.testing.assert_array_equal(pixels[:2, :, :3], np.broadcast_to(COLORS[1], (2, 4, 3)))


def test_a_deleted_file_is_reported(tmp_path):
    path = save(movie(3), tmp_path / "a.gif")
    (image,) = imload(path)
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.gif"):
        image.array[1]


@pytest.mark.parametrize("size", [(65535, 65535), (0, 0), (0, 5), (20000, 20000)])
def test_impossible_sizes_are_refused(size, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.zeros((1, 1), np.uint8))], size))
    with pytest.raises(UnreadableFileError, match=f"{size[1]} by {size[0]} pixels"):
        imload(path)


def test_comments_are_preserved(tmp_path):
    data = build([Part(np.zeros((2, 2), np.uint8))])
    path = tmp_path / "a.gif"
    path.write_bytes(data[:-1] + b"!\xfe" + split_blocks(b"made " * 100) + b";")
    assert imload(path)[0].metadata == {"gif": {"comment": "made " * 100}}


# --- numpy in, numpy out ------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 3])
def test_arrays_are_saved_to_and_loaded_from_a_folder(samples, tmp_path):
    frames = movie(3, samples, size=(12, 12))
    folder = tmp_path / "new" / "folder"
    assert save_gif(folder, frames, 30) == [folder / "images.gif"]
    np.testing.assert_array_equal(load_gif(folder), frames)
    assert read_with_pillow(folder / "images.gif")[1] == [30, 40, 30]
    save_gif(folder, frames[::-1], name="other")
    np.testing.assert_array_equal(load_gif(folder), frames)
    (folder / "images.gif").unlink()
    np.testing.assert_array_equal(load_gif(folder), frames[::-1])
    save_gif(folder, frames, name="third")
    with pytest.raises(MissingMetadataError, match=r"other\.gif, third\.gif"):
        load_gif(folder)


def test_a_folder_without_a_gif_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="GIFs"):
        load_gif(tmp_path)
    with pytest.raises(UnreadableFileError, match="is not there"):
        load_gif(tmp_path / "none.gif")


def test_a_folder_opens_as_its_gifs(tmp_path):
    for k in (2, 3):
        save(movie(k), tmp_path / f"{k}.gif")
    assert [image.shape[0] for image in imload(tmp_path)] == [2, 3]


# --- napari -------------------------------------------------------------------------------------


def test_napari_saves_and_opens(tmp_path):
    frames = movie(4)
    path = tmp_path / "cells.gif"
    layer = (frames, {"name": "cells", "scale": (0.1, 1, 1)}, "image")
    assert commands.write_gif(str(path), [layer]) == [str(path)]
    ((pixels, meta, kind),) = commands.get_gif_reader(str(path))(str(path))
    np.testing.assert_array_equal(np.asarray(pixels), frames)
    assert (meta["name"], kind) == ("cells", "image")
    assert tuple(meta["scale"]) == (0.1, 1, 1)


def test_napari_gets_an_error_for_complex_numbers(tmp_path):
    layers: Any = [(movie(2) + 1j, {}, "image")]
    with pytest.raises(SaveError, match="complex"):
        commands.write_gif(str(tmp_path / "a.gif"), layers)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "is_ours"), [("a.gif", True), ("a.GIF", True), ("a.png", False)])
def test_the_napari_reader_accepts_only_gif_files(name, is_ours, tmp_path):
    assert (commands.get_gif_reader(str(tmp_path / name)) is not None) == is_ours


# --- other programs -----------------------------------------------------------------------------


def test_chromium_shows_the_same_frames(tmp_path):
    frames = movie(20, 3, size=(40, 60))
    still = np.repeat(frames[:1, ..., 0], 20, 0)
    still[5:8, 3:9, 4:30] ^= 99
    rng = np.random.default_rng(0)
    saved = [
        (save(frames[..., 1].copy(), tmp_path / "gray.gif", frame_rate=30), 667),
        (save(still, tmp_path / "still.gif", frame_rate=24), 833),
        (save(frames, tmp_path / "colors.gif", frame_rate=12.5), 1600),
        (save(frames, tmp_path / "mixed.gif", colors=16, dither=True), 2000),
        (save(rng.integers(0, 256, (8, 30, 30), np.uint8), tmp_path / "noise.gif"), 800),
    ]
    shows = ask_chromium([path for path, _ in saved], tmp_path)
    for path, milliseconds in saved:
        found = load_gif(path)
        found = found if found.ndim == 4 else found[..., None].repeat(3, -1)
        assert shows[path]["hash"] == [_sha256(frame) for frame in _with_alpha(found)]
        assert sum(shows[path]["dur"]) == pytest.approx(milliseconds, abs=5)
        assert shows[path]["rep"] == -1  # endless


def test_gifsicle_reports_no_error(tmp_path):
    if shutil.which("gifsicle") is None:
        pytest.skip("gifsicle is not in the path")
    frames = movie(20)
    frames[5:8] = frames[5]
    frames[:, :9] = frames[0, :9]
    path = save(frames, tmp_path / "a.gif", frame_rate=30)
    done = subprocess.run(
        ["gifsicle", "--info", str(path)], capture_output=True, text=True, check=True
    )

    assert not done.stderr
    assert "20 images" in done.stdout
    assert "loop forever" in done.stdout
    delays = [float(text) for text in re.findall(r"delay ([\d.]+)s", done.stdout)]
    assert sum(delays) == pytest.approx(20 / 30, abs=0.005)
    flat = tmp_path / "flat.gif"
    subprocess.run(["gifsicle", "--unoptimize", str(path), "-o", str(flat)], check=True)
    shown, _ = read_with_pillow(flat)
    np.testing.assert_array_equal(shown[..., 0], frames)


CORPUS = read_corpus("gif", lambda entry: True)


def _sha256(frame: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest()


def _digest(frames: NDArray[Any]) -> str:
    return hashlib.sha256("".join(map(_sha256, frames)).encode()).hexdigest()


def _background(path: Path) -> NDArray[np.uint8]:
    """Return the background color in the header; browsers do not show it."""
    data = path.read_bytes()
    at = 13 + 3 * data[11]
    return np.array([*data[at : at + 3], 255], np.uint8)


@pytest.mark.parametrize("entry", CORPUS, ids=entry_id)
def test_real_files_open_with_the_recorded_frames_or_a_clean_error(entry):
    path, expect = SHARED / "corpus" / entry["file"], entry["expect"]
    pixels, problem = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        try:
            (image,) = imload(path)
            pixels = np.asarray(image.array)
        except FerryError as error:
            problem = str(error)
    if not isinstance(expect, dict):
        may_read = "ok" in expect or "disagree" in expect or ("clean error" in expect or caught)
        assert len(problem) > 20 or (may_read and expect != "error")
        assert not problem or "disagree" not in expect
        return
    assert pixels is not None, problem
    frames = pixels if "t" in image.axis_names else pixels[None]
    if not image.is_rgb:
        frames = frames[..., None].repeat(3, -1)
    frames = _with_alpha(frames)
    assert len(frames) == expect["frames"]
    assert frames.shape[2:0:-1] == tuple(expect["size_wh"])
    table = scan(path)
    times = expect["durations_ms_chromium"] or expect["durations_ms_pillow"]
    assert (table.column("delay") * 10).tolist() == times
    if "chromium" not in expect["agree"]:  # the other programs add a background color
        frames = np.where(frames[..., 3:] > 0, frames, _background(path))
    assert _digest(frames) == expect["frames_digest"]
