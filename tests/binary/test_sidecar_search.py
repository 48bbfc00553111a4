"""Raw files without a sidecar: errors, and images with a given layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_ferry import MissingMetadataError, imload
from napari_ferry.codecs.binary.sidecar_search import find_sidecars, open_with_layout
from napari_ferry.errors import FerryWarning, InvalidImageError
from napari_ferry.plugin.commands import get_binary_reader, get_folder_reader
from raw_files import ONE, raw, scene, stored, write


def test_whole_frames_of_a_truncated_file(tmp_path):
    path = raw(tmp_path, 2500)
    with pytest.raises(InvalidImageError, match="60 bytes are missing"):
        open_with_layout(path, ONE)
    assert open_with_layout(path, ONE, whole_frames=True).shape == (9, 8, 16)
    with pytest.raises(InvalidImageError, match="less than one frame"):
        open_with_layout(path, replace(ONE, y=8000), whole_frames=True)


def test_without_a_window_the_error_names_the_layouts(tmp_path):
    path = raw(tmp_path)
    with pytest.raises(MissingMetadataError, match=r"a\.raw has no sidecar a\.json"):
        get_binary_reader(str(path))(str(path))
    with pytest.raises(MissingMetadataError, match=r"a\.raw has no sidecar a\.json"):
        get_folder_reader(str(tmp_path))(str(tmp_path))


def test_with_a_window_the_search_starts_after_it_opens(tmp_path, monkeypatch):
    asked: list[Path] = []

    class Repair:
        offer = staticmethod(asked.append)

    monkeypatch.setattr("napari_ferry.plugin.commands._open_repair", Repair)
    monkeypatch.setattr(
        "napari_ferry.codecs.binary.layout.find.find_layouts", lambda *_, **__: 1 / 0
    )
    path = raw(tmp_path)
    assert get_binary_reader(str(path))(str(path)) == [(None,)]
    assert get_folder_reader(str(tmp_path))(str(tmp_path)) == [(None,)]
    assert asked == [path, tmp_path]


def test_error_of_a_file_without_sidecar_names_the_likeliest_layout(tmp_path):
    write(tmp_path / "cells.raw", stored(">u2", scene()))
    with pytest.raises(MissingMetadataError) as error:
        imload(tmp_path / "cells.raw")
    message = str(error.value)
    assert "12 x 90 x 132 of uint16, big endian after 0 bytes" in message
    assert "{'dtype': '>u2', 'y': 90, 'x': 132}" in message
    assert "napari-ferry repair cells.raw --write" in message


def test_error_of_a_png_names_the_format(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with pytest.raises(MissingMetadataError, match="PNG"):
        imload(tmp_path / "a.raw")


def test_files_of_a_folder_that_do_not_fit_the_common_layout_are_named(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.raw", stored("<u2", scene()))
    (tmp_path / "c.raw").write_bytes((tmp_path / "c.raw").read_bytes()[:-999])
    with pytest.warns(FerryWarning, match=r"1 files \(c\.raw\) do not hold whole frames of"):
        layouts, each = find_sidecars(tmp_path)
    assert {path.name for path in each} == {"a.raw", "b.raw"}
    assert layouts[0].shape[1:] == (90, 132)


def test_a_folder_without_a_common_layout_is_refused(tmp_path):
    raw(tmp_path, record={})
    with pytest.raises(
        MissingMetadataError, match="No common layout was found for the 0 raw files"
    ):
        find_sidecars(tmp_path)
