"""Lists of files of one folder."""

from __future__ import annotations

import pickle  # noqa: TID251 - of our own making
from pathlib import Path

import pytest

from napari_ferry.files.file_list import FileList, names_of, texts_of

FOLDER = Path("/data/day 1")
PATHS = [FOLDER / "a.tif", FOLDER / "b.tif", FOLDER / "c.tif"]


def test_a_list_of_files_has_the_items_of_a_list_of_paths() -> None:
    files = FileList(FOLDER, ["a.tif", "b.tif", "c.tif"])
    assert [*files] == PATHS
    assert [*files[1:]] == PATHS[1:]
    assert files[-1] == PATHS[-1]
    assert len(files) == 3
    assert PATHS[1] in files
    assert [*pickle.loads(pickle.dumps(files))] == PATHS
    with pytest.raises(IndexError):
        files[3]


def test_names_and_texts_are_those_of_the_paths() -> None:
    files = FileList(FOLDER, ["a.tif", "b.tif", "c.tif"])
    assert names_of(files) == names_of(PATHS) == ["a.tif", "b.tif", "c.tif"]
    assert texts_of(files) == texts_of(PATHS) == [str(path) for path in PATHS]
