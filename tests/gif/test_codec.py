"""Codec of GIF files: options, refusals, folders, and napari's commands."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

import napari_ferry
from gif_files import movie, read_with_pillow, save
from napari_ferry import imload, load_gif, save_gif
from napari_ferry.arrays import Frames
from napari_ferry.codecs.gif.scan import scan
from napari_ferry.errors import (
    InvalidImageError,
    MissingMetadataError,
    SaveError,
    UnreadableFileError,
)
from napari_ferry.plugin import commands

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


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
