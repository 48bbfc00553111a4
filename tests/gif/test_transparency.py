"""Transparent pixels of RGBA images: stored as on or off, in every frame."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage

import napari_ferry
from gif_files import movie, read_with_pillow, save, with_alpha, with_holes
from napari_ferry import Image, imload, imsave, load_gif, save_gif
from napari_ferry.cli import main
from napari_ferry.codecs.gif import frame_writer
from napari_ferry.codecs.gif.disposal import find_starts
from napari_ferry.codecs.gif.scan import NO_INDEX, scan
from napari_ferry.plugin import commands
from napari_ferry.saving import stream

plan = partial(napari_ferry.plan, frame_rate=10)


def make_opaque(frames: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([frames, np.full_like(frames[..., :1], 255)], -1)


@settings(max_examples=50)
@given(
    shape=st.tuples(st.integers(1, 8), st.integers(1, 20), st.integers(1, 20)),
    count=st.sampled_from([1, 2, 3, 100, 255]),
    still=st.sampled_from([0, 0.5, 0.95]),
    holes=st.sampled_from([0, 0.02, 0.5, 0.98]),
    rests=st.booleans(),
    switches=st.booleans(),
    frames_per_task=st.integers(1, 4),
    spacing=st.sampled_from([0, 1, 20]),
    seed=st.integers(0, 99),
)
def test_few_colors_and_transparency_are_exact(
    tmp_path_factory, shape, count, still, holes, rests, switches, frames_per_task, spacing, seed
):
    rng = np.random.default_rng(seed)
    colors = make_opaque(rng.integers(0, 256, (count, 3), np.uint8))
    index, is_hole = rng.integers(0, count, shape), rng.random(shape) < holes
    is_still = rng.random(shape[1:]) < still
    index[:, is_still] = index[0, is_still]
    if rests:
        is_hole[:, is_still] = is_hole[0, is_still]
    if switches:
        is_hole[rng.integers(0, shape[0], 2)] = [[[True]], [[False]]]
    frames = np.where(is_hole[..., None], 0, colors[index]).astype(np.uint8)

    with (
        patch.object(stream, "_TASK_BYTES", frames[0].nbytes * frames_per_task),
        patch.object(frame_writer, "_CHANGES_PER_FULL_FRAME", spacing),
    ):
        path = save(frames, tmp_path_factory.mktemp("gif") / "a.gif")

    (found,) = imload(path)
    for i in rng.permutation(len(frames)):
        np.testing.assert_array_equal(found.array[i], frames[i])
    np.testing.assert_array_equal(load_gif(path), frames)
    seen, _ = read_with_pillow(path, "RGBA")
    np.testing.assert_array_equal(with_alpha(seen), frames)


@pytest.mark.parametrize(
    ("dtype", "below", "from_half", "most"),
    [("uint8", 127, 128, 255), ("uint16", 32700, 32800, 65535), ("float32", 0.49, 0.51, 1)],
)
def test_partial_alpha_is_rounded_and_reported(dtype, below, from_half, most, tmp_path):
    frames = np.full((2, 4, 4, 4), most, dtype)
    frames[..., 1] = 0
    frames[1, ..., 3] = np.array([0, below, from_half, most])
    image = Image.from_array(frames, "tyxs")
    assert any("alpha of at least one half" in loss for loss in plan(image, "a.gif").losses)
    found = load_gif(imsave(image, tmp_path / "a.gif")[0])
    np.testing.assert_array_equal(found[0], [[[255, 0, 255, 255]] * 4] * 4)
    np.testing.assert_array_equal(found[1, 0, :2], [[0, 0, 0, 0]] * 2)
    np.testing.assert_array_equal(found[1, 0, 2:], [[255, 0, 255, 255]] * 2)


@pytest.mark.parametrize("kind", ["few", "levels", "many"])
def test_opaque_images_with_alpha_are_stored_as_without(kind, tmp_path):
    frames = movie(12, 3)
    if kind == "few":
        frames = frames // 64 * 64
    if kind == "levels":
        frames[:, :16, :16] = np.arange(256).reshape(16, 16, 1)
        frames = np.repeat(frames[..., :1], 3, -1)
    plain = save(frames, tmp_path / "rgb.gif")
    path = save(make_opaque(frames), tmp_path / "rgba.gif")
    tables = scan(plain), scan(path)
    for name in ("width", "height", "transparent", "disposal", "colors"):
        columns = [table.column(name) for table in tables]
        np.testing.assert_array_equal(*columns, err_msg=name)
    np.testing.assert_array_equal(load_gif(path), make_opaque(load_gif(plain)))
    assert abs(path.stat().st_size - plain.stat().st_size) < 20


def test_only_the_area_of_a_new_hole_is_cleared(tmp_path):
    frames = make_opaque(np.repeat(movie(1, 3, size=(64, 64)) // 64 * 64, 4, 0))
    frames[3:, 5:8, 10:20] = 0
    path = save(frames, tmp_path / "a.gif")
    np.testing.assert_array_equal(load_gif(path), frames)
    row = scan(path).row(2)
    assert (row.left, row.top, row.width, row.height) == (10, 5, 10, 3)
    assert scan(path).column("disposal").tolist() == [1, 1, 2, 1]


def test_256_colors_before_a_hole_are_reduced_to_255(tmp_path):
    frames = make_opaque(np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8))
    frames[2, 4:8, 4:8] = 0
    path = save(frames, tmp_path / "a.gif")
    found = load_gif(path)
    np.testing.assert_array_equal(found[[0, 2]], frames[[0, 2]])
    assert len(np.unique(found[1].reshape(-1, 4), axis=0)) == 255
    assert np.count_nonzero((found[1] != frames[1]).any(-1)) <= 2


@pytest.mark.parametrize("uses", [0, 1])
def test_the_rarest_color_before_a_hole_is_replaced(uses, tmp_path):
    rng = np.random.default_rng(0)
    colors = make_opaque(np.unique(rng.integers(0, 256, (300, 3), np.uint8), axis=0)[:256])
    rare = 100
    index = rng.permuted(np.repeat(np.arange(256), 2)).reshape(16, 32)
    frames = np.stack([colors[index]] * 3)
    frames[1][index == rare] = colors[7]
    if uses:
        frames[1][tuple(np.argwhere(index == rare)[0])] = colors[rare]
    frames[2, :4] = 0
    found = load_gif(save(frames, tmp_path / "a.gif"))
    np.testing.assert_array_equal(found[[0, 2]], frames[[0, 2]])
    is_other = (found[1] != frames[1]).any(-1)
    assert is_other.sum() == uses
    assert (frames[1][is_other] == colors[rare]).all()


def test_fewer_colors_before_a_hole_are_announced():
    def losses(frames: NDArray[Any], **options: Any) -> str:
        return " ".join(plan(Image.from_array(frames, "tyxs"), "a.gif", **options).losses)

    frames = make_opaque(movie(2, 3))
    assert "256 colors is reduced to 255 if it, or the frame after it, has" in losses(frames)
    assert "reduced to 255" not in losses(frames[..., :3]) + losses(frames, colors=128)


@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize("colors", [2, 16, 256])
def test_the_number_of_colors_excludes_transparency(colors, dither, tmp_path):
    frames = with_holes(movie(12, 3, size=(64, 64)))
    found = load_gif(save(frames, tmp_path / "a.gif", colors=colors, dither=dither))
    np.testing.assert_array_equal(found[..., 3], frames[..., 3])
    for frame in found:
        used = np.unique(frame[frame[..., 3] > 0], axis=0)
        assert 1 < len(used) <= min(colors, 255)
    if colors == 256:
        opaque = frames[..., 3] > 0
        assert ((found[opaque].astype(float) - frames[opaque]) ** 2).mean() < 60


def test_a_single_frame_with_other_pixels_transparent(tmp_path):
    frames = make_opaque(movie(30, 3))
    frames[13, 3:9] = 0
    found = load_gif(save(frames, tmp_path / "a.gif"))
    np.testing.assert_array_equal(found[..., 3], frames[..., 3])


def test_frames_with_a_transparent_border_open_directly(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", 1)
    rng = np.random.default_rng(0)
    frames = make_opaque(rng.integers(0, 4, (100, 20, 20, 3), np.uint8))
    frames[:, :4] = 0
    path = save(frames, tmp_path / "a.gif")
    np.testing.assert_array_equal(load_gif(path), frames)
    starts = find_starts(scan(path)).single
    assert (np.arange(100) - starts).max() <= 25
    assert len(np.unique(starts)) >= 4


def test_a_still_picture_keeps_its_transparency(tmp_path):
    picture = with_holes(movie(1, 3) // 64 * 64)[0]
    path = imsave(Image.from_array(picture, "yxs"), tmp_path / "a.gif")[0]
    np.testing.assert_array_equal(load_gif(path), picture)
    with PillowImage.open(path) as image:
        np.testing.assert_array_equal(with_alpha(np.asarray(image.convert("RGBA"))), picture)


def test_every_way_of_saving_keeps_transparency(tmp_path):
    frames = with_holes(movie(3, 3) // 64 * 64)
    save_gif(tmp_path / "numpy.gif", frames)
    commands.write_gif(str(tmp_path / "napari.gif"), [(frames, {"rgb": True}, "image")])
    imsave(Image.from_array(frames, "tyxs"), tmp_path / "a.tif")
    assert main(["convert", str(tmp_path / "a.tif"), str(tmp_path / "cli.gif")]) == 0
    for name in ("numpy", "napari", "cli"):
        np.testing.assert_array_equal(load_gif(tmp_path / f"{name}.gif"), frames, err_msg=name)


def test_a_drawing_has_no_transparency(tmp_path):
    frames = with_holes(movie(3, 3) // 64 * 64)
    path = imsave(Image.from_array(frames, "tyxs"), tmp_path / "a.gif", as_seen=True)[0]
    np.testing.assert_array_equal(load_gif(path), frames[..., :3])
    assert (scan(path).column("transparent")[0]) == NO_INDEX
