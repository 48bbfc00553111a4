"""Inputs of a batch: files, folders, patterns and addresses, each data set once."""

import sys
from pathlib import Path

import pytest

from helpers import make_image
from napari_ferry import Image, imload, imsave, plan
from napari_ferry.batch.conversion import run_jobs
from napari_ferry.batch.inputs import MADE_EARLIER, Inputs, find_inputs
from napari_ferry.batch.jobs import Job, find_jobs
from napari_ferry.batch.output_names import RECORD_NAME, Naming
from napari_ferry.errors import MissingFileError, UnreadableFileError
from napari_ferry.saving import Plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with recordings, other files, and folders in it; it is the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("mouse 10 µ.tif", "mouse 2 µ.tif", "[1].tif"):
        imsave(make_image("tyx"), name)
    imsave(make_image("tyx", t=20), "long.tif", size_cap=5.5e-6)
    imsave(make_image("tyx"), "store.ome.zarr")
    imsave(make_image("tyx"), "raw.bin")
    for name in ("notes.txt", ".hidden.tif"):
        Path(name).write_text("x")
    for name in ("day 1/trial", "day 2"):
        Path(name).mkdir(parents=True)
        imsave(make_image("tyx"), f"{name}/rec.tif")
    Path("frames").mkdir()
    for k in range(3):
        imsave(make_image("yx"), f"frames/f{k}.tif")
    return tmp_path


FILES = [
    *("[1].tif", "frames", "long_00000.tif", "mouse 2 µ.tif", "mouse 10 µ.tif", "raw.bin"),
    "store.ome.zarr",
]


def names(inputs: Inputs) -> list[str]:
    return [(each.folder / Path(each.source).name).as_posix() for each in inputs.found]


def test_a_folder_has_its_data_sets_in_natural_order(folder: Path) -> None:
    inputs = find_inputs([folder])
    assert names(inputs) == FILES
    assert [(each.path.name, each.reason.partition(":")[0]) for each in inputs.skipped] == [
        ("day 1", "a folder"),
        ("day 2", "a folder"),
        ("notes.txt", "not an image that can be opened"),
    ]


def test_folders_in_a_folder_are_searched_on_request(folder: Path) -> None:
    inputs = find_inputs([folder], recursive=True)
    assert names(inputs) == [FILES[0], "day 1/trial/rec.tif", "day 2/rec.tif", *FILES[1:]]
    left = find_inputs([folder], recursive=True, target=folder / "day 1")
    assert "day 1/trial/rec.tif" not in names(left)


def test_patterns_are_expanded(folder: Path) -> None:
    assert names(find_inputs(["mouse*.tif"])) == ["mouse 2 µ.tif", "mouse 10 µ.tif"]
    assert names(find_inputs(["mouse ? µ.tif"])) == ["mouse 2 µ.tif"]
    assert names(find_inputs(["**/rec.tif"])) == ["rec.tif", "rec.tif"]
    assert names(find_inputs(["frames/*.tif"])) == ["f0.tif", "f1.tif", "f2.tif"]
    assert names(find_inputs(["[1].tif"])) == ["[1].tif"]
    with pytest.raises(MissingFileError, match=r"No file matches cells\*\.tif"):
        find_inputs(["mouse*.tif", "cells*.tif"])


def test_a_data_set_is_found_once(folder: Path) -> None:
    sources = ["long_00002.tif", "*.tif", str(folder / "mouse 2 µ.tif"), "raw.json", "raw.bin", "."]
    assert sorted(names(find_inputs(sources))) == sorted(FILES)
    url = "https://example.org/a.ome.zarr"
    assert [each.source for each in find_inputs([url, url]).found] == [url]


def test_a_missing_file_is_left_to_fail(folder: Path) -> None:
    assert names(find_inputs(["missing.tif", "mouse 2 µ.tif"])) == ["missing.tif", "mouse 2 µ.tif"]


def test_outputs_are_skipped(folder: Path) -> None:
    Path("store.ome.zarr").rename("store")
    outputs = (folder / "mouse 2 µ.tif", folder / "store")
    inputs = find_inputs(["mouse*.tif", "store"], is_output=outputs.__contains__)
    assert names(inputs) == ["mouse 10 µ.tif"]
    assert {each.reason for each in inputs.skipped} == {"made by an earlier conversion"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_in_a_circle_end(folder: Path) -> None:
    Path("day 1/circle").symlink_to(folder, target_is_directory=True)
    found = names(find_inputs(["day 1"], recursive=True))
    assert found.count("trial/rec.tif") == 1
    assert len(found) < 20


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_folder_of_targets_that_is_named_by_a_link_is_left_out(folder: Path) -> None:
    Path("link").symlink_to(folder / "day 2", target_is_directory=True)
    found = names(find_inputs([folder], recursive=True, target=Path("link")))
    assert "day 1/trial/rec.tif" in found
    assert not [name for name in found if name.startswith(("day 2", "link"))]


def test_a_folder_that_cannot_be_read_does_not_end_a_search(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "day 1"

    def refuse(method: str) -> None:
        original = getattr(Path, method)

        def refused(self: Path) -> object:
            if closed in (self, self.parent):
                raise PermissionError(13, "Permission denied", str(self))
            return original(self)

        monkeypatch.setattr(Path, method, refused)

    refuse("iterdir")
    refuse("is_file")
    inputs = find_inputs([folder], recursive=True)
    assert "day 2/rec.tif" in names(inputs)
    assert {each.path.name: each.reason for each in inputs.skipped} == {
        "notes.txt": "not an image that can be opened",
        "day 1": "a folder that cannot be read",
    }
    with pytest.raises(UnreadableFileError, match="day 1 cannot be read"):
        find_inputs([closed])


def test_an_impossible_name_is_left_to_fail(folder: Path) -> None:
    assert len(find_inputs([300 * "a" + ".tif", "[1].tif"]).found) == 2


@pytest.fixture
def converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a recording and, in other folders, what it was converted to before."""
    monkeypatch.chdir(tmp_path)
    imsave(make_image("tyx"), "day/rec.tif")
    for name, pattern in (("copies", "{name}"), ("stores", "{name}"), ("frames", "{name}/f_000")):
        suffix = ".ome.zarr" if name == "stores" else ".ome.tif"
        naming = Naming(folder=Path(f"day/{name}"), pattern=pattern, suffix=suffix)
        run_jobs(find_jobs(["day/rec.tif"], naming), plan_job, options={})
    return tmp_path / "day"


def plan_job(job: Job) -> tuple[list[Image], Plan]:
    images = imload(job.input.source)
    return images, plan(images, job.target)


def test_outputs_of_earlier_conversions_in_other_folders_are_left_out(converted: Path) -> None:
    inputs = find_inputs([converted], recursive=True, target=converted / "movies")
    assert names(inputs) == ["rec.tif"]
    assert [each.reason for each in inputs.skipped] == 3 * [MADE_EARLIER]
    assert sorted(each.path.name for each in inputs.skipped) == [
        *("f_000.ome.tif", "rec.ome.tif", "rec.ome.zarr")
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_outputs_are_left_out_of_a_folder_that_a_link_names(converted: Path) -> None:
    Path("link").symlink_to(converted, target_is_directory=True)
    assert names(find_inputs(["link"], recursive=True)) == ["rec.tif"]


def test_outputs_are_inputs_where_they_are_the_only_version(converted: Path) -> None:
    assert names(find_inputs([converted / "copies"])) == ["rec.ome.tif"]
    assert names(find_inputs([converted, "day/copies/rec.ome.tif"])) == ["rec.tif", "rec.ome.tif"]
    (converted / "copies/rec.ome.tif").write_bytes(b"changed since")
    assert "copies/rec.ome.tif" in names(find_inputs([converted], recursive=True))
    (converted / "rec.tif").unlink()
    assert len(find_inputs([converted], recursive=True).found) == 3


def test_a_folder_of_frames_that_are_outputs_is_left_out(converted: Path) -> None:
    (converted / "frames").joinpath(RECORD_NAME).unlink()
    for k in range(3):
        imsave(make_image("yx"), f"day/f{k}.tif")
    naming = Naming(folder=converted / "single", suffix=".tif")
    run_jobs(find_jobs([f"day/f{k}.tif" for k in range(3)], naming), plan_job, options={})
    inputs = find_inputs([converted], recursive=True)
    assert not [name for name in names(inputs) if name.startswith("single")]
    assert converted / "single" in [each.path for each in inputs.skipped]
