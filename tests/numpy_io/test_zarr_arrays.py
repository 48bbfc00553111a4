"""New Zarr arrays, new ones like others, and existing ones."""

import json
import shutil
import sys
from pathlib import Path

import dask.array
import numpy as np
import pytest

from napari_ferry import (
    InvalidImageError,
    TargetError,
    TargetExistsError,
    UnreadableFileError,
    imload,
    new_zarr,
    new_zarr_like,
    open_zarr,
)

zarr = pytest.importorskip("zarr")

PIXELS = np.random.default_rng(0).integers(0, 999, (4, 30, 20), np.uint16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a new store."""
    return tmp_path / "made" / "cells.zarr"


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_a_new_array_is_filled_and_opened_again(path: Path, zarr_format: int, compression: str):
    array = new_zarr(
        path, (4, 30, 20), (1, 16, 16), "uint16", compression=compression, zarr_format=zarr_format
    )
    array[...] = PIXELS
    assert np.array_equal(open_zarr(path)[...], PIXELS)
    assert np.array_equal(np.asarray(imload(path)[0].array), PIXELS)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_axes_are_named_in_the_file(path: Path, zarr_format: int):
    new_zarr(path, (4, 30, 20), (1, 16, 16), "uint8", axes="zyx", zarr_format=zarr_format)
    assert imload(path)[0].axis_names == ("z", "y", "x")


def test_shards_hold_several_chunks(path: Path):
    array = new_zarr(path, (4, 32, 32), (1, 16, 16), "uint8", shards=(2, 32, 32))
    array[...] = 1
    assert sum(file.name != "zarr.json" for file in path.rglob("*") if file.is_file()) == 2


def test_samples_that_were_never_written_have_the_fill_value(path: Path):
    new_zarr(path, (4, 4), (2, 2), "int16", fill_value=-3)
    assert (open_zarr(path)[...] == -3).all()


def test_an_array_in_memory_makes_no_files(path: Path):
    array = new_zarr(path, (4, 4), (2, 2), "uint8", in_memory=True)
    array[...] = 5
    assert not path.parent.exists()


def test_an_existing_array_is_not_replaced_unasked(path: Path):
    new_zarr(path, (4, 4), (2, 2), "uint8")[...] = 5
    with pytest.raises(TargetExistsError, match=r"cells\.zarr"):
        new_zarr(path, (8, 8), (2, 2), "uint8")
    assert (open_zarr(path)[...] == 5).all()
    assert new_zarr(path, (8, 8), (2, 2), "uint8", overwrite=True).shape == (8, 8)
    assert (open_zarr(path)[...] == 0).all()


def test_a_folder_with_other_files_is_never_replaced(path: Path):
    new_zarr(path, (4, 4), (2, 2), "uint8")
    (path / "keep.txt").write_text("notes")
    with pytest.raises(TargetExistsError):
        new_zarr(path, (8, 8), (2, 2), "uint8", overwrite=True)
    assert (path / "keep.txt").read_text() == "notes"


def test_an_array_inside_another_is_refused(path: Path):
    new_zarr(path, (4, 4), (2, 2), "uint8")
    with pytest.raises(TargetError, match="inside"):
        new_zarr(path / "inner.zarr", (4, 4), (2, 2), "uint8")


def test_a_failed_creation_leaves_nothing(path: Path):
    with pytest.raises(InvalidImageError, match="settings"):
        new_zarr(path, (4, 4), (3, 3), "uint8", shards=(4, 4))
    assert not path.exists()


@pytest.mark.parametrize("chunks", [(0, 2), (2,), (2, 2.5)])
def test_impossible_chunks_are_refused(path: Path, chunks: tuple):
    with pytest.raises(InvalidImageError, match="chunks"):
        new_zarr(path, (4, 4), chunks, "uint8")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_like_another_has_its_settings_and_no_samples(path: Path, zarr_format: int):
    first = new_zarr(
        path, (4, 30), (2, 7), ">f4", fill_value=7, compression="lz4", zarr_format=zarr_format
    )
    first.attrs["notes"] = {"a": 1}
    first[...] = 1
    second = new_zarr_like(path.with_name("second.zarr"), first)
    assert (second.shape, second.chunks, second.dtype) == (first.shape, first.chunks, first.dtype)
    assert second.metadata.to_dict() == first.metadata.to_dict()
    assert (second[...] == 7).all()


def test_an_array_like_one_of_numpy(path: Path):
    array = new_zarr_like(path, PIXELS)
    assert (array.shape, array.dtype) == (PIXELS.shape, PIXELS.dtype)


def test_changes_need_the_mode_to_write(path: Path):
    new_zarr(path, (4, 4), (2, 2), "uint8")
    with pytest.raises(ValueError, match="read"):
        open_zarr(path)[0] = 1
    open_zarr(path, mode="r+")[0] = 1
    assert open_zarr(path)[0].tolist() == [1] * 4
    with pytest.raises(InvalidImageError, match="'w'"):
        open_zarr(path, mode="w")


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_nested_chunks_that_the_metadata_do_not_mention_are_found(path: Path, mode: str):
    array = new_zarr(path, (4, 30, 20), (1, 16, 16), "uint16", zarr_format=2)
    array[...] = PIXELS
    document = json.loads((path / ".zarray").read_text())
    del document["dimension_separator"]
    (path / ".zarray").write_text(json.dumps(document))
    assert np.array_equal(open_zarr(path, mode=mode)[...], PIXELS)


def test_a_missing_array_is_not_created(path: Path):
    with pytest.raises(UnreadableFileError, match=r"cells\.zarr"):
        open_zarr(path, mode="r+")
    assert not path.exists()


def test_a_group_names_its_arrays(path: Path):
    group = zarr.create_group(path)
    for name in ("a", "b"):
        group.create_array(name, shape=(4, 4), dtype="uint8")
    with pytest.raises(UnreadableFileError, match="a, b"):
        open_zarr(path)
    assert open_zarr(path / "b").shape == (4, 4)


def test_the_full_resolution_of_an_ome_zarr_image_is_opened(path: Path):
    group = zarr.create_group(path)
    for key, n in (("0", 8), ("1", 4)):
        group.create_array(key, shape=(n, n), dtype="uint8")
    axes = [{"name": name, "type": "space"} for name in "yx"]
    datasets = [{"path": path} for path in "01"]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": datasets}],
    }
    assert open_zarr(path).shape == (8, 8)


def test_an_array_in_a_zip_file_is_only_read(path: Path):
    array = new_zarr(path, PIXELS.shape, (1, 30, 20), PIXELS.dtype)
    array[...] = PIXELS
    zipped = Path(shutil.make_archive(str(path.with_name("b")), "zip", path))
    zipped = zipped.rename(zipped.with_suffix(".ozx"))
    opened = open_zarr(zipped)
    np.testing.assert_array_equal(opened[...], PIXELS)
    opened.store.close()
    with pytest.raises(InvalidImageError, match=r"b\.ozx is a ZIP file, which can only be read"):
        open_zarr(zipped, mode="r+")


def test_a_folder_without_an_array_is_refused(path: Path):
    path.mkdir(parents=True)
    with pytest.raises(
        UnreadableFileError, match=r"cells\.zarr is not a Zarr array: give the fold"
    ):
        open_zarr(path)


def test_impossible_places_and_compressions_are_refused(path: Path):
    with pytest.raises(InvalidImageError, match="The path is missing: give one, or in_memory=True"):
        new_zarr(None, (4, 4), (2, 2), "uint8")
    with pytest.raises(TargetError, match=r"cells\.ozx would be a ZIP file"):
        new_zarr(path.with_suffix(".ozx"), (4, 4), (2, 2), "uint8")
    with pytest.raises(InvalidImageError, match="The compression is 'gzip': give 'zstd', "):
        new_zarr(path, (4, 4), (2, 2), "uint8", compression="gzip")


def test_an_array_like_one_of_dask_has_its_first_chunks(path: Path):
    lazy = dask.array.zeros((4, 8), chunks=(2, (3, 5)), dtype="uint8")
    assert new_zarr_like(path, lazy).chunks == (2, 3)


def test_without_zarr_python_a_sentence_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(InvalidImageError, match=r"pip install 'napari-ferry\[zarr\]'"):
        new_zarr(path, (4, 4), (2, 2), "uint8")
