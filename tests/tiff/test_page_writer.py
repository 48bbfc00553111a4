"""Encoded pages in one file, or in parts as large as the cap allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from faults import names
from helpers import assert_same_image, assert_same_pixels, make_full_image, pixels
from napari_ferry import (
    InvalidImageError,
    Progress,
    SaveError,
    TargetExistsError,
    imload,
    imsave,
    plan,
    run,
)
from tiff_files import COMPRESSIONS, smooth

# Size caps


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_parts_are_as_large_as_the_cap_allows(
    compression: str, suffix: str, tmp_path: Path
) -> None:
    image = replace(make_full_image("tczyx"), levels=(pixels((3, 2, 4, 50, 60)) % 1000,))
    made = imsave(image, tmp_path / f"cells{suffix}", compression=compression, size_cap=5e-5)
    assert len(made) > 1
    assert [path.name for path in made] == [f"cells_{i:05d}{suffix}" for i in range(len(made))]
    assert names(tmp_path) == [path.name for path in made]
    sizes = [path.stat().st_size for path in made]
    assert max(sizes) <= 50_000
    frame = max(sizes) / max(len(tifffile.TiffFile(path).pages) for path in made)
    assert min(sizes[:-1]) > 50_000 - 3 * frame, "a part has room for more frames"


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", ["none", *COMPRESSIONS])
def test_any_part_opens_the_whole_series(compression: str, suffix: str, tmp_path: Path) -> None:
    image = replace(make_full_image("tczyx"), levels=(pixels((3, 2, 4, 50, 60)),))
    made = imsave(image, tmp_path / f"cells{suffix}", compression=compression, size_cap=8e-5)
    assert len(made) > 1
    for path in made:
        (found,) = imload(path)
        assert_same_image(found, image)
        with tifffile.TiffFile(path) as tif:
            assert tif.is_ome
            np.testing.assert_array_equal(tif.asarray(), image.array)


@pytest.mark.parametrize("dtype", ["uint16", "int64"])
def test_a_series_of_one_file_has_the_plain_name(dtype: str, tmp_path: Path) -> None:
    flat = np.zeros((20, 100, 100), dtype)
    planned = plan(flat, tmp_path / "flat.tif", compression="zlib", size_cap=2e-4)
    assert len(planned.files) > 1
    assert run(planned) == [tmp_path / "flat.tif"]
    assert names(tmp_path) == ["flat.tif"]
    assert_same_pixels(imload(tmp_path / "flat.tif")[0].array, flat)
    with pytest.raises(TargetExistsError):
        run(planned)
    assert run(planned, overwrite=True) == [tmp_path / "flat.tif"]


def test_a_series_and_a_single_file_replace_each_other(tmp_path: Path) -> None:
    options: dict[str, Any] = {"compression": "zlib", "size_cap": 6e-5, "overwrite": True}
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    for data, count in ((noise, 5), (np.zeros_like(noise), 1), (noise, 5)):
        made = imsave(data, tmp_path / "a.tif", **options)
        assert (len(made) == 1) == (count == 1)
        assert names(tmp_path) == [path.name for path in made]
        assert_same_pixels(imload(made[0])[0].array, data)


def test_a_foreign_file_that_appears_during_a_save_is_kept(tmp_path: Path) -> None:
    """Appears under the name of an unused part, and of a used one."""
    flat = np.zeros((40, 100, 100), np.uint16)
    for name, raises in (("a_00003.tif", False), ("a.tif", True)):
        stranger = tmp_path / name

        def appear(_: Progress, stranger: Path = stranger) -> None:
            stranger.write_bytes(b"mine")

        options: dict[str, Any] = {"compression": "zlib", "size_cap": 1e-4, "progress": appear}
        if raises:
            with pytest.raises(TargetExistsError, match=stranger.name):
                imsave(flat, tmp_path / "a.tif", **options)
        else:
            imsave(flat, tmp_path / "a.tif", **options)
        assert stranger.read_bytes() == b"mine"
        for path in tmp_path.iterdir():
            path.unlink()


def test_a_series_replaces_a_link_but_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (real,) = imsave(smooth((3, 4)), tmp_path / "real" / "r.tif")
    before = real.read_bytes()
    (tmp_path / "a.tif").symlink_to(real)
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    made = imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert real.read_bytes() == before
    assert names(tmp_path) == sorted([*(path.name for path in made), "real"])


def test_a_cap_without_room_for_the_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"describe the whole .* raise the cap"):
        plan(np.zeros((8000, 32, 32), "u2"), tmp_path / "a.tif", compression="zlib", size_cap=1e-6)


def test_types_that_ome_does_not_know_are_capped_too(tmp_path: Path) -> None:
    image = replace(make_full_image("tczyx", "int64"), levels=(pixels((3, 2, 4, 50, 60), "i8"),))
    made = imsave(image, tmp_path / "cells.tif", compression="zlib", size_cap=2e-4)
    assert len(made) > 1
    for path in (made[0], made[-1]):
        assert_same_image(imload(path)[0], image)


def test_each_image_begins_a_part_of_its_own(tmp_path: Path) -> None:
    images = [
        replace(make_full_image("tyx"), levels=(pixels((6, 80, 90)),), name="cells"),
        replace(make_full_image("tyx", "int32", "labels"), levels=(smooth((6, 80, 90), "i4"),)),
    ]
    made = imsave(images, tmp_path / "both.ome.tif", compression="lzw", size_cap=7e-5)
    for path in made:
        found = imload(path)
        assert [image.kind for image in found] == ["image", "labels"]
        for a, b in zip(found, images, strict=True):
            assert_same_image(a, b)


def test_a_frame_larger_than_the_cap_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (3, 200, 200)).astype(np.uint16)
    with pytest.raises(SaveError, match=r"Frame 0 needs .* raise the cap"):
        imsave(noise, tmp_path / "noise.tif", compression="zlib", size_cap=5e-5)
    assert not names(tmp_path)


def test_a_shorter_series_replaces_a_longer_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    first = imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5)
    flat = np.zeros_like(noise)
    with pytest.raises(TargetExistsError):
        imsave(flat, tmp_path / "a.tif", compression="zlib", size_cap=6e-5)
    made = imsave(flat, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert len(made) < len(first)
    assert names(tmp_path) == [path.name for path in made]
    assert_same_pixels(imload(made[0])[0].array, flat)


def test_a_foreign_file_with_the_name_of_a_part_is_kept(tmp_path: Path) -> None:
    stranger = tmp_path / "a_00001.tif"
    tifffile.imwrite(stranger, smooth((5, 6)))
    before = stranger.read_bytes()
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert stranger.read_bytes() == before
    assert names(tmp_path) == ["a_00001.tif"]
