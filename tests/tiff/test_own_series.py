"""Size-capped series of our own: joined, checked and replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from helpers import assert_same_image, assert_same_pixels, make_image, snapshot
from napari_ferry import imload, imsave
from napari_ferry.codecs.tiff import codec
from napari_ferry.errors import TargetExistsError, UnreadableFileError
from tiff_files import save_series


def test_others_read_a_series_of_ome_tiff_as_one(tmp_path: Path) -> None:
    made = save_series(tmp_path, ".ome.tif")
    expected = make_image("tyx", t=5, y=100, x=100).array
    for path in made:
        with tifffile.TiffFile(path) as tif:
            assert tif.series[0].axes == "TYX"
            np.testing.assert_array_equal(tif.series[0].asarray(), expected)
        blocks = ome_types.from_tiff(path).images[0].pixels.tiff_data_blocks
        assert [block.uuid.file_name for block in blocks] == [part.name for part in made]


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_a_foreign_file_among_the_parts_is_named(suffix: str, tmp_path: Path) -> None:
    save_series(tmp_path, suffix)
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((100, 100), np.uint16))
    with pytest.raises(UnreadableFileError, match=r"x\.tif is not a part of a series"):
        imload(tmp_path)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("target", [0, 3, None])
def test_a_missing_part_is_named(suffix: str, target: int | None, tmp_path: Path) -> None:
    made = save_series(tmp_path, suffix)
    made[2].unlink()
    with pytest.raises(UnreadableFileError, match=made[2].name):
        imload(tmp_path if target is None else made[target])[0].load()


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("target", [0, 2, None])
def test_a_stale_part_is_named(suffix: str, target: int | None, tmp_path: Path) -> None:
    made = save_series(tmp_path, suffix)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(save_series(other, suffix, t=4)[2], made[2])
    with pytest.raises(UnreadableFileError, match=r"cells_0000\d.* (stale|replaced|missing)"):
        imload(tmp_path if target is None else made[target])[0].load()


def test_a_renamed_part_is_missing(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    renamed = made[1].rename(tmp_path / "mine.tif")
    (found,) = imload(renamed)
    assert_same_pixels(found.array, make_image("tyx", t=5, y=100, x=100).array)
    with pytest.raises(UnreadableFileError, match=made[1].name):
        imload(made[0])


def test_swapped_parts_are_refused(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    made[1].rename(tmp_path / "x")
    made[2].rename(made[1])
    (tmp_path / "x").rename(made[2])
    with pytest.raises(UnreadableFileError, match=made[1].name):
        imload(made[0])


def test_a_series_that_was_renamed_as_a_whole_opens(tmp_path: Path) -> None:
    for i, path in enumerate(save_series(tmp_path)):
        path.rename(tmp_path / f"mine_{i:05d}.tif")
    (found,) = imload(tmp_path)
    assert_same_pixels(found.array, make_image("tyx", t=5, y=100, x=100).array)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_a_shorter_series_leaves_no_stale_parts(suffix: str, tmp_path: Path) -> None:
    save_series(tmp_path, suffix)
    shorter = make_image("tyx", t=2, y=100, x=100)
    with pytest.raises(TargetExistsError):
        imsave(shorter, tmp_path / f"cells{suffix}", size_cap=30e3 / 1e9)
    made = imsave(shorter, tmp_path / f"cells{suffix}", size_cap=30e3 / 1e9, overwrite=True)
    assert sorted(snapshot(tmp_path)) == [path.name for path in made]
    assert_same_image(imload(tmp_path)[0], shorter, "cells")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_one_file_replaces_a_series_and_a_series_one_file(suffix: str, tmp_path: Path) -> None:
    image = make_image("tyx", y=100, x=100)
    for cap, count in ((30e3 / 1e9, 3), (None, 1), (30e3 / 1e9, 3)):
        made = imsave(image, tmp_path / f"cells{suffix}", size_cap=cap, overwrite=True)
        assert len(made) == count
        assert sorted(snapshot(tmp_path)) == [path.name for path in made]
        assert_same_image(imload(tmp_path)[0], image, "cells")


def test_foreign_neighbors_are_never_changed(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    foreign = [tmp_path / name for name in ("cells_00007.tif", "cells_0.tif", "cells_00008.txt")]
    for path in foreign:
        tifffile.imwrite(path, np.zeros((4, 5), np.uint8))
    contents = {path.name: path.read_bytes() for path in foreign}
    imsave(make_image("tyx"), tmp_path / "cells.tif", overwrite=True)

    assert not any(path.exists() for path in made)
    assert {path.name: path.read_bytes() for path in foreign} == contents
    tifffile.imwrite(tmp_path / "cells_00001.tif", np.zeros((4, 5), np.uint8))
    before = snapshot(tmp_path)
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(
            make_image("tyx", y=100, x=100), tmp_path / "cells.tif", size_cap=3e-5, overwrite=True
        )
    assert snapshot(tmp_path) == before


def test_a_series_with_a_longer_name_is_not_stale(tmp_path: Path) -> None:
    image = make_image("tyx", t=5, y=100, x=100)
    other = imsave(image, tmp_path / "cells_second.tif", size_cap=30e3 / 1e9)
    ome = save_series(tmp_path, ".ome.tif")
    imsave(np.zeros((3, 8, 9), np.uint16), tmp_path / "cells.tif")
    imsave(np.ones((3, 8, 9), np.uint16), tmp_path / "cells.tif", overwrite=True)
    assert all(path.exists() for path in (*other, *ome))


def test_two_series_of_equal_description_are_distinguished(tmp_path: Path) -> None:
    for i, name in enumerate(("a", "b")):
        imsave(np.full((20, 16, 16), i, np.uint16), tmp_path / f"{name}.tif", size_cap=6e-6)
    assert [image.array[0, 0, 0] for image in imload(tmp_path)] == [0, 1]
    (tmp_path / "b_00001.tif").replace(tmp_path / "a_00001.tif")
    with pytest.raises(UnreadableFileError, match=r"a_00001\.tif"):
        imload(tmp_path / "a_00000.tif")


@pytest.mark.parametrize("stranger", ["cells.tif", "a1.tif", "z.tif"])
def test_a_whole_file_among_parts_is_refused(stranger: str, tmp_path: Path) -> None:
    save_series(tmp_path)
    tifffile.imwrite(tmp_path / stranger, np.zeros((3, 8, 9), np.uint16))
    with pytest.raises(UnreadableFileError, match=stranger):
        imload(tmp_path)


def test_a_missing_file_of_a_count_is_named(tmp_path: Path) -> None:
    for i in (1, 2, 4, 5):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.full((4, 5), i, np.uint8))
    with pytest.raises(UnreadableFileError, match=r"f2\.tif and f4\.tif"):
        imload(tmp_path)


def save_other_series(folder: Path) -> list[Path]:
    """Save a series of a type that OME does not have, whose parts have marks of their own."""
    image = make_image("tyx", "uint64", t=5, y=50, x=50)
    return imsave(image, folder / "cells.tif", size_cap=30e3 / 1e9)


def test_parts_with_marks_of_their_own_are_checked(tmp_path: Path) -> None:
    made = save_other_series(tmp_path)
    expected = make_image("tyx", "uint64", t=5, y=50, x=50).array
    assert_same_pixels(imload(made[1])[0].array, expected)

    made[1].rename(tmp_path / "x")
    made[2].rename(made[1])
    (tmp_path / "x").rename(made[2])
    with pytest.raises(UnreadableFileError, match=r"cells_00001\.tif is not part 1 of the same"):
        imload(made[0])
    made[1].rename(tmp_path / "mine.tif")
    with pytest.raises(UnreadableFileError, match=r"cells_00001\.tif is missing: it is one of"):
        imload(made[0])
    with pytest.raises(UnreadableFileError, match=r"mine\.tif is part 2 of \d of a series, but"):
        imload(tmp_path / "mine.tif")


def test_members_of_a_series_with_marks_are_its_parts(tmp_path: Path) -> None:
    made = save_other_series(tmp_path)
    tifffile.imwrite(tmp_path / "cells_b_00000.tif", np.zeros((5, 5), np.uint8))
    assert sorted(codec.members(made[1])) == made
