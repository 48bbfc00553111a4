"""Parts of a data set below a size cap."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import assert_same_image, make_image, pixels, snapshot
from napari_ferry import imload, imsave, plan
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from tiff_files import IN_TMP, save_series, series


@settings(max_examples=60, suppress_health_check=IN_TMP)
@given(drawn=series(), frames=st.integers(1, 40), off=st.integers(-1, 1))
def test_every_file_is_below_the_cap(
    drawn: tuple[Image, str], frames: int, off: int, tmp_path: Path
) -> None:
    image, suffix = drawn
    folder = tmp_path / "series"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    frame = int(np.prod(image.shape[-3 if image.is_rgb else -2 :])) * image.dtype.itemsize
    cap = 20_000 + frames * frame + off
    made = imsave(image, folder / f"cells{suffix}", size_cap=cap / 1e9)
    names = [f"cells_{i:05d}{suffix}" for i in range(len(made))]
    assert [path.name for path in made] == (names if len(made) > 1 else [f"cells{suffix}"])
    assert all(path.stat().st_size < cap for path in made)
    assert sorted(snapshot(folder)) == sorted(path.name for path in made)
    for path in (*made[:2], made[-1], folder):
        (found,) = imload(path)
        assert_same_image(found, image, "cells")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_cap_at_the_size_of_the_file(suffix: str, off: int, tmp_path: Path) -> None:
    image = make_image("tyx", y=20, x=30)
    (planned,) = plan(image, tmp_path / f"cells{suffix}").files
    made = imsave(image, tmp_path / f"cells{suffix}", size_cap=(planned.nbytes + off) / 1e9)
    assert all(path.stat().st_size < planned.nbytes + off for path in made)
    assert_same_image(imload(made[0])[0], image, "cells")
    (whole,) = imsave(image, tmp_path / f"whole{suffix}", size_cap=None)
    assert whole.stat().st_size <= planned.nbytes


def test_frames_are_not_split(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    assert len(made) == 5
    for path in made:
        with tifffile.TiffFile(path) as tif:
            assert tif.pages[0].shape == (100, 100)
            assert len(tif.pages) == 1
            assert tif.asarray().shape == (5, 100, 100)
            assert tif.is_ome
    with pytest.raises(InvalidImageError, match=r"One frame needs .* raise the cap"):
        imsave(make_image("tyx", y=100, x=100), tmp_path / "other.tif", size_cap=20e3 / 1e9)


@pytest.mark.parametrize("cap", [0, -1, float("nan"), "3.9", True, np.float64(-2)])
def test_an_invalid_cap_is_refused(cap: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="size cap"):
        imsave(pixels((3, 5, 6)), tmp_path / "a.tif", size_cap=cap)
    assert not snapshot(tmp_path)


@pytest.mark.parametrize(
    ("cap", "cure"),
    [(0, "give a number of GB above 0"), (-1, "of GB above 0"), (1e-9, "raise the cap")],
)
def test_an_impossible_cap_is_refused(cap: float, cure: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=cure):
        imsave(make_image("tyx"), tmp_path / "cells.tif", size_cap=cap)
    assert not snapshot(tmp_path)


def test_several_images_are_split_one_by_one(tmp_path: Path) -> None:
    several = [
        make_image("tyx", t=3, y=100, x=100),
        replace(make_image("yx", "float32", y=70, x=80), name="other"),
    ]
    made = imsave(several, tmp_path / "cells.ome.tif", size_cap=30e3 / 1e9)
    assert len(made) == 4
    with tifffile.TiffFile(made[0]) as tif:
        # tifffile reads the pixels of an image of one page from the wrong file
        for found, image in zip(tif.series, several, strict=True):
            assert found.axes == "".join(image.axis_names).upper()
            assert found.shape == image.shape
    for target in (*made, tmp_path):
        for opened_image, image in zip(imload(target), several, strict=True):
            assert_same_image(opened_image, image, "cells")
    imsave(several[0], tmp_path / "more.ome.tif", size_cap=30e3 / 1e9)
    assert [image.name for image in imload(tmp_path)] == ["cells", "other", "more"]


def test_several_images_of_types_unknown_to_ome_are_not_split(tmp_path: Path) -> None:
    images = [make_image("tyx", dtype, t=5, y=100, x=100) for dtype in ("uint16", "int64")]
    with pytest.raises(InvalidImageError, match="2 images exceed the size cap, and one of them is"):
        plan(images, tmp_path / "a.tif", size_cap=30e-6)
