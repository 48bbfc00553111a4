"""Sidecars of found layouts, written with a backup."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry import InvalidImageError, Layout, TargetExistsError, imload
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar
from napari_ferry.errors import TargetError, UnreadableFileError
from raw_files import ONE, raw, write


def test_a_sidecar_without_a_backup_is_not_replaced(tmp_path, monkeypatch):
    path = raw(tmp_path, record={"mine": 1})

    def refuse(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("shutil.copy2", refuse)
    with pytest.raises(TargetError, match=r"a\.json cannot be copied to a\.json\.bak"):
        write_sidecar(path, ONE, overwrite=True)
    assert sidecar_path(path).read_text() == '{"mine": 1}'


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"a\.raw cannot be read"):
        write_sidecar(tmp_path / "a.raw", ONE)


def test_color_opens_as_color(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (2, 20, 30, 3), np.uint8)
    path = write(tmp_path / "a.raw", pixels)
    write_sidecar(
        path,
        Layout(
            dtype=np.dtype("u1"), offset=0, frames=2, channels=3, interleaving="pixel", y=20, x=30
        ),
    )

    (image,) = imload(path)
    assert image.is_rgb
    np.testing.assert_array_equal(image.array, pixels)
    with pytest.raises(TargetExistsError):
        write_sidecar(
            path,
            Layout(
                dtype=np.dtype("u1"),
                offset=0,
                frames=2,
                channels=3,
                interleaving="pixel",
                y=20,
                x=30,
            ),
        )


def test_layout_that_does_not_fit_is_not_written(tmp_path):
    path = write(tmp_path / "a.raw", np.zeros(1001, "u1"))
    with pytest.raises(InvalidImageError, match="1 bytes remain"):
        write_sidecar(path, Layout(dtype=np.dtype("u1"), offset=0, frames=10, y=10, x=10))
    assert not (tmp_path / "a.json").exists()
