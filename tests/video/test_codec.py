"""Codec of videos: options, refusals, losses, folders, and napari's commands."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_ferry
from helpers import make_full_image, make_image, make_unreadable, number_of
from napari_ferry import (
    InvalidImageError,
    MissingMetadataError,
    UnreadableFileError,
    UnsupportedFormatError,
    load_video,
    save_video,
)
from video_files import numbered_frame

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


def test_losses_describe_the_conversion_of_samples(tmp_path: Path) -> None:
    def losses_of(image: Any, **options: Any) -> str:
        return "; ".join(plan(image, tmp_path / "a.mp4", **options).losses)

    full = make_full_image("tczyx")
    assert "uint16 is scaled to 8 bits between 3 and 4000" in losses_of(full, position="z=1 c=0")
    assert "only index 1 of 4" in losses_of(full, position="z=1 c=0")
    assert "lowest and the highest value of 3 frames" in losses_of(make_image("tyx"))
    assert "NaN becomes black" in losses_of(make_image("tyx", "float32"))
    assert "transparency" in losses_of(make_image("tyxs", "uint8", s=4))
    assert "4:2:0" in losses_of(make_image("tyxs", "uint8"))
    assert "labels become gray" in losses_of(make_full_image("tyx", kind="labels"))
    assert "scaled" not in losses_of(make_image("tyx", "uint8"))


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("a.mp4", {"codec": "ffv1"}, ".mkv"),
        ("a.mp4", {"codec": "h265"}, "codec is 'h265'"),
        ("a.mp4", {"quality": "perfect"}, "quality is 'perfect'"),
        ("a.avi", {}, r"\.avi and cannot be saved"),
        ("a.webm", {}, r"\.webm and cannot be saved"),
    ],
)
def test_incompatible_options_are_refused(
    name: str, options: Any, word: str, tmp_path: Path
) -> None:
    with pytest.raises((InvalidImageError, UnsupportedFormatError), match=word):
        imsave(np.zeros((2, 4, 4), "u1"), tmp_path / name, **options)


def test_several_images_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    one = make_image("tyx", "uint8")
    with pytest.raises(InvalidImageError, match="2 were given"):
        imsave([one, one], tmp_path / "a.mp4")
    with pytest.raises(InvalidImageError, match="complex"):
        imsave(make_image("tyx", "complex64"), tmp_path / "a.mp4")
    with pytest.raises(InvalidImageError, match="at most 16384"):
        plan(make_unreadable((2, 4, 20000), "uint8"), tmp_path / "a.mp4")


def test_load_and_save_with_a_folder(tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(4)])
    assert save_video(tmp_path / "new", movie, 30) == [tmp_path / "new" / "video.mp4"]
    assert save_video(tmp_path / "new", movie, name="second") == [tmp_path / "new" / "second.mp4"]
    found = load_video(tmp_path / "new")
    assert [number_of(frame) for frame in found] == [0, 1, 2, 3]
    (tmp_path / "new" / "video.mp4").rename(tmp_path / "new" / "first.mp4")
    with pytest.raises(MissingMetadataError, match="2 videos"):
        load_video(tmp_path / "new")
    (tmp_path / "none").mkdir()
    with pytest.raises(UnreadableFileError, match="holds no videos"):
        load_video(tmp_path / "none")
    with pytest.raises(UnreadableFileError, match=r"gone.mp4"):
        load_video(tmp_path / "gone.mp4")


def test_napari_opens_and_saves_videos(tmp_path: Path) -> None:
    from napari_ferry.plugin import commands

    movie = np.stack([numbered_frame(i) for i in range(4)])
    layer = (movie, {"name": "cells", "scale": (0.5, 2, 2)}, "image")
    (written,) = commands.write_video(str(tmp_path / "a.mp4"), [layer])
    reader = commands.get_video_reader(written)
    assert reader is not None
    ((data, meta, kind),) = reader(written)
    assert (data.shape, kind, meta["name"]) == (movie.shape, "image", "cells")
    assert tuple(meta["scale"]) == (0.5, 2, 2)
    (exact,) = commands.write_lossless_video(str(tmp_path / "b"), [layer])
    np.testing.assert_array_equal(load_video(exact), movie)
    assert commands.get_video_reader(str(tmp_path / "a.tif")) is None


def test_a_read_only_suffix_does_not_become_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="avi"):
        save_video(tmp_path / "a.avi", np.zeros((3, 8, 8), np.uint8))
    assert not list(tmp_path.iterdir())
