"""Regression tests of drawing."""

import pickle  # noqa: TID251 - our own
import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from scipy import ndimage

from napari_ferry import (
    Axis,
    Image,
    InvalidImageError,
    SaveError,
    imload,
    load_video,
    render,
    run,
    save_video,
)
from napari_ferry.arrays import Region
from napari_ferry.arrays.stack import take
from napari_ferry.cli import main
from napari_ferry.rendering.chunk_cache import ChunkCache, cache_chunks
from napari_ferry.rendering.contour import draw_contours
from napari_ferry.rendering.save import plan
from napari_ferry.signatures import options_of


class Chunks:
    """Array in chunks, with counts of reads and the size of the largest region."""

    def __init__(self, pixels: Any, chunks: tuple[int, ...]) -> None:
        self.pixels, self.chunks = pixels, chunks
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim
        self.reads: Counter[tuple[int, ...]] = Counter()
        self.largest = 0

    def __getitem__(self, box: Region) -> Any:
        spans = [
            range(side.start // n, -(-side.stop // n))
            for side, n in zip(box, self.chunks, strict=True)
        ]
        for place in np.ndindex(*(len(span) for span in spans)):
            self.reads[tuple(span[k] for span, k in zip(spans, place, strict=True))] += 1
        found = self.pixels[box]
        self.largest = max(self.largest, found.nbytes)
        return found


def pixels(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


# --- chunks -------------------------------------------------------------------------------------


def test_a_chunk_of_several_frames_is_read_once(tmp_path):
    layers = [Chunks(pixels(24, 16, 20), (5, 8, 20)), Chunks(pixels(24, 16, 20), (24, 16, 20))]
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
    source = Chunks(pixels(11, 2, 6, 8), (4, 2, 3, 8))
    cached = cache_chunks(source, 0, 6 * 8 * 2 * 6)
    assert isinstance(cached, ChunkCache)
    assert (cached.group_size, cached.max_groups) == (3, 2)
    for i in (0, 10, 3, 4, 7, 8, 0):
        box = (slice(i, i + 1), slice(1, 2), slice(2, 6), slice(0, 8))
        np.testing.assert_array_equal(cached[box], source.pixels[box])
    assert source.largest <= 3 * 4 * 8
    assert len(cached._groups) == cached.max_groups


def test_chunks_of_one_frame_and_arrays_in_memory_are_not_cached():
    source = Chunks(pixels(4, 6, 8), (1, 6, 8))
    assert cache_chunks(source, 0, 1 << 20) is source
    assert cache_chunks(source.pixels, 0, 1 << 20) is source.pixels
    several = Chunks(source.pixels, (4, 6, 8))
    assert cache_chunks(several, None, 1 << 20) is several
    assert cache_chunks(several, 0, 6 * 8) is several  # two frames do not fit


def test_threads_read_a_shared_chunk_once():
    source = Chunks(pixels(8, 6, 8), (8, 6, 8))
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
    array = da.from_array(pixels(6, 8, 8), chunks=(3, 8, 8))
    frames = render(Image.from_array(array, "tyx")).array
    again = pickle.loads(pickle.dumps(frames))
    np.testing.assert_array_equal(again[4], frames[4])


def test_a_warning_of_a_source_is_shown_once(tmp_path):
    def fail(block: Any) -> Any:
        raise KeyError("the disk is gone")

    zeros = da.zeros((6, 8, 8), chunks=(3, 8, 8), dtype=np.uint8)
    broken = zeros.map_blocks(fail, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    with pytest.raises(SaveError) as caught:
        run(plan(Image.from_array(broken, "tyx"), tmp_path / "a.mp4", text="a"))
    assert str(caught.value).count("could not be read") == 1
    assert "the disk is gone" in str(caught.value)


# --- names --------------------------------------------------------------------------------------


def test_axis_names_can_contain_spaces():
    named = Image((pixels(3, 4, 5, 6),), (Axis("my time"), Axis("z, up"), Axis("y"), Axis("x")))
    found = render(named, axis="my time", position="z, up=2")
    np.testing.assert_array_equal(np.asarray(found.array)[..., 0], named.levels[0][:, 2])
    side = render(named, axis="my time", position="y=1", plane="z, up x")
    np.testing.assert_array_equal(np.asarray(side.array)[..., 0], named.levels[0][:, :, 1])
    with pytest.raises(InvalidImageError, match="The position names the axis z, but"):
        render(named, axis="my time", position="z=2")
    with pytest.raises(InvalidImageError, match="The plane is 'my x'"):
        render(named, plane="my x", position="y=0")


def test_positions_are_parsed_with_any_separators():
    image = Image.from_array(pixels(2, 3, 4, 5, 6), ["t", "z", "d", "y", "x"])
    expected = np.asarray(image.array)[:, 1, 3]
    for text in ("z=1 d=3", "z = 1, d =3", " d=3,z=1 "):
        np.testing.assert_array_equal(
            np.asarray(render(image, axis="t", position=text).array)[..., 0], expected
        )


def test_colors_in_front_are_refused():
    planar = Image.from_array(pixels(3, 6, 8), "syx")
    with pytest.raises(InvalidImageError, match="transpose the array first"):
        render(planar)


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\tb", "a\rb", "a\x00b", "\x1b[1m"])
def test_text_that_cannot_be_printed_is_refused(text):
    with pytest.raises(InvalidImageError, match="expected one line of printable text"):
        render(Image.from_array(pixels(2, 32, 32)), text=text)


def test_a_speed_requires_a_frame_axis():
    with pytest.raises(InvalidImageError, match="A playback speed of 3 requires a frame axis"):
        render(Image.from_array(pixels(6, 8)), speed=3)


def test_options_of_a_drawing_and_samples_exclude_each_other(tmp_path):
    image = Image.from_array(pixels(3, 6, 8))
    with pytest.raises(InvalidImageError, match="text, scale applies to drawings"):
        plan(image, tmp_path / "a.mp4", as_seen=False, text="a", scale=2)


def test_help_describes_each_option(capsys):
    said = {option.name: option.help for option in options_of([render])}
    assert all(said.values())
    assert said["stop"].startswith("Positions on the frame axis that become frames")
    with pytest.raises(SystemExit):
        main(["convert", "a.tif", "b.mp4", "--help"])
    shown = capsys.readouterr().out
    assert "(default: )" not in shown
    assert "(default: 0)" in shown


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_movie_of_very_many_frames_begins_at_once():
    steps = da.zeros((10**8, 4, 4), chunks=(10**6, 4, 4), dtype=np.uint8)
    image = render(Image.from_array(steps, "tyx"), step=10**3)
    assert image.array[99_999].shape == (4, 4, 3)


@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_outlines_equal_those_of_a_single_wide_filter(thickness):
    labels = np.random.default_rng(0).integers(0, 4, (9, 12)).repeat(4, 0).repeat(3, 1)
    cross = ndimage.generate_binary_structure(2, 1)
    wide = ndimage.iterate_structure(cross, thickness)
    inner = ndimage.grey_dilation(labels, footprint=cross) == ndimage.grey_erosion(
        labels, footprint=wide
    )
    np.testing.assert_array_equal(draw_contours(labels, thickness, 0), np.where(inner, 0, labels))


def test_outlines_can_be_thicker_than_the_picture():
    labels = np.repeat(np.arange(1, 3), 8)[None].repeat(8, 0)
    inside_lowest = np.arange(16) < 7
    expected = np.where(inside_lowest, 0, labels)
    np.testing.assert_array_equal(draw_contours(labels, 10**9, 0), expected)


def test_too_many_frames_are_refused():
    fine, coarse = (
        Image((pixels(300, 4, 4),), (Axis("t", step, "second"), Axis("y"), Axis("x")))
        for step in (1e-6, 1.0)
    )
    with pytest.raises(InvalidImageError, match="The movie would have 299000001 frames"):
        render([fine, coarse])
    assert render([fine, coarse], stop=300).shape == (300, 4, 4, 3)


# --- arrays -------------------------------------------------------------------------------------


def test_arrays_of_colors_are_layers(tmp_path):
    colors = [pixels(3, 8, 10, 3), pixels(3, 8, 10, 3)]
    save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(tmp_path / "a.mkv"), colors[1])


def test_arrays_are_drawn_as_they_are_saved():
    array = pixels(2, 6, 8)
    drawn = np.asarray(render(Image.from_array(array, "tyx")).array)
    for given in (array, [array], list(array), tuple(array)):
        np.testing.assert_array_equal(render(given).array, drawn)
    colors = pixels(3, 6, 8, 3)
    for given in (colors, list(colors), colors.astype("f4") / 255):
        np.testing.assert_array_equal(render(given).array, colors)
    with pytest.raises(InvalidImageError, match=r"Not an image .str."):
        render("a.tif")


def test_a_pyramid_is_fitted_from_a_smaller_level():
    """The full resolution is not read, and the picture equals the level."""
    full = np.kron(np.arange(40 * 60).reshape(40, 60) % 256, np.ones((128, 128))).astype(np.uint8)
    levels = [Chunks(level, (512, 512)) for level in (full, full[::4, ::4].copy())]
    image = Image(tuple(levels), (Axis("y"), Axis("x")))  # type: ignore[arg-type]
    fitted = render([image], fit="1080p")
    assert np.asarray(fitted.array).shape == (640, 960, 3)
    assert not levels[0].reads
    assert fitted.axes[0].scale == 8


def test_a_reduced_picture_is_drawn_in_parts(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (2500, 2100), np.uint8)
    labels = (pixels > 128).astype(np.uint8)
    axes = (Axis("y"), Axis("x"))
    images = [
        Image((pixels,), axes, display={"colormap": "green"}),
        Image((labels,), axes, kind="labels", display={"contour": 2}),
    ]
    whole = np.asarray(render(images, fit="1080p").array)
    monkeypatch.setattr("napari_ferry.rendering.compose._CANVAS_BYTES", 1 << 20)
    np.testing.assert_array_equal(render(images, fit="1080p").array, whole)


def test_a_range_of_frames_requires_a_frame_axis():
    with pytest.raises(InvalidImageError, match="require a frame axis: omit these"):
        render([Image.from_array(np.zeros((4, 4), np.uint8))], stop=3)


def test_a_channel_of_a_chunked_array_keeps_its_chunks():
    pixels = np.random.default_rng(0).integers(0, 9, (8, 2, 6, 6), np.uint8)
    source = zarr.array(pixels, chunks=(4, 1, 6, 6))
    channel = take(source, 1, 1)
    assert getattr(channel, "chunks", None) == (4, 6, 6)
    np.testing.assert_array_equal(channel[2:5], pixels[2:5, 1])
    np.testing.assert_array_equal(np.asarray(channel), pixels[:, 1])
