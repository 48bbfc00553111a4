"""Digests of metadata documents: what `napari-ferry verify` finds, and what may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zarr

from helpers import make_full_image, make_image
from napari_ferry import Image, imsave
from napari_ferry.cli import main
from napari_ferry.codecs.zarr.codec import check
from napari_ferry.codecs.zarr.document_digests import find_digests
from zarr_files import edit_json

each_version = pytest.mark.parametrize("version", ["0.4", "0.5"])


def save(path: Path, version: Any, images: list[Image] | None = None) -> Path:
    image = replace(make_full_image("tcyx"), name="cells")
    labels = replace(make_image("tyx", "uint8"), kind="labels", name="nuclei")
    imsave([image, labels] if images is None else images, path, version=version)
    return path


def documents_of(path: Path) -> list[Path]:
    """Return the documents of a store that are read."""
    names = {"zarr.json", ".zarray", ".zattrs", ".zgroup"}
    return sorted(each for each in path.rglob("*") if each.name in names)


def changed_values(value: Any, key: str = "") -> list[Any]:
    """Return copies of JSON in which one name, number or text differs."""
    if key == "consolidated_metadata":
        return []
    if isinstance(value, dict):
        found = [
            {k: v for k, v in value.items() if k != name} | {f"{name}~": value[name]}
            for name in value
        ]
        for name, each in value.items():
            found += [{**value, name: other} for other in changed_values(each, name)]
        return found
    if isinstance(value, list):
        return [
            [*value[:i], other, *value[i + 1 :]]
            for i, each in enumerate(value)
            for other in changed_values(each)
        ]
    return [f"{value}~"] if isinstance(value, str) else [3 if value is None else value + 1]


@each_version
def test_every_change_of_metadata_is_found(tmp_path: Path, version: Any) -> None:
    images = [make_image("cyx"), replace(make_image("yx", "uint8"), kind="labels")]
    path = save(tmp_path / "a.ome.zarr", version, images)
    assert check(path) == []
    for document in documents_of(path):
        before = document.read_text("utf-8")
        name = document.relative_to(path).as_posix()
        digests = find_digests(document.name, json.loads(before))
        for value in changed_values(json.loads(before)):
            document.write_text(json.dumps(value), "utf-8")
            found = check(path)
            is_harmless = "documents~" in json.dumps(value)  # our digests themselves
            assert found or is_harmless, value
            is_digest = find_digests(document.name, value) != digests
            assert is_digest or any(name in each for each in found), found
        document.write_text(before, "utf-8")


@each_version
def test_a_series_and_a_zip_file_are_checked(tmp_path: Path, version: Any) -> None:
    images = [make_image("yx"), make_image("tyx", "float32")]
    assert check(save(tmp_path / "a.ome.zarr", version, images)) == []
    if version == "0.5":
        assert check(save(tmp_path / "a.ozx", version, images)) == []


@each_version
def test_missing_and_damaged_documents_are_found(tmp_path: Path, version: Any) -> None:
    path = save(tmp_path / "a.ome.zarr", version)
    first, second = documents_of(path)[1:3]
    first.unlink()
    second.write_text("{", "utf-8")
    problems = check(path)
    for document in (first, second):
        assert any(document.relative_to(path).as_posix() in each for each in problems)


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_other_texts_of_the_same_values_are_no_change(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ome.zarr", "0.5")
    zarr.consolidate_metadata(str(path))
    for document in documents_of(path):
        document.write_text(json.dumps(json.loads(document.read_text("utf-8"))), "utf-8")
    assert check(path) == []


@each_version
def test_verify_names_changed_metadata(
    tmp_path: Path, version: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "a.ome.zarr", version)
    assert main(["verify", str(path)]) == 0
    name = "labels/zarr.json" if version == "0.5" else "labels/.zattrs"
    (path / name).write_text((path / name).read_text("utf-8").replace("labels", "label_"), "utf-8")
    assert main(["verify", str(path)]) == 1
    assert name in capsys.readouterr().out


@each_version
def test_repaired_metadata_are_no_change(tmp_path: Path, version: Any) -> None:
    path = save(tmp_path / "a.ome.zarr", version)
    assert main(["repair", str(path), "--scale", "t=2,y=0.5,x=0.5", "--write"]) == 0
    assert check(path) == []
    array = path / "0" / ("zarr.json" if version == "0.5" else ".zarray")
    edit_json(array, fill_value=1)
    assert main(["repair", str(path), "--scale", "t=3,y=0.5,x=0.5", "--write"]) == 0
    (problem,) = check(path)
    assert array.relative_to(path).as_posix() in problem
