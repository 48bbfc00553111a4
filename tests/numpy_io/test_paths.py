"""Paths of stacks: names, folders, and paths that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from faults import run_fork
from helpers import assert_same_pixels
from napari_ferry import imload, imsave, load_binary, load_images, save_binary, save_images
from napari_ferry.errors import (
    FerryError,
    InvalidImageError,
    MissingMetadataError,
    TargetError,
    UnreadableFileError,
)
from stack_files import STACK, files, subdir


@pytest.mark.parametrize("name", ["exp_1.5um", "a.b.c", "exp 1", "x.tif", "µ-1", "1.0", "a.json"])
def test_names_with_dots_are_preserved(name: str) -> None:
    (tif,) = save_images("folder", STACK, name)
    assert tif.name == (name if name.endswith(".tif") else f"{name}.tif")
    made = save_binary("folder", STACK, name)
    assert made[0].name == f"{name}.bin"
    assert files() == sorted(path.as_posix() for path in (tif, *made))
    assert_same_pixels(load_images(tif), STACK)
    assert_same_pixels(load_binary(made[0]), STACK)
    if name != tif.name:
        assert_same_pixels(load_binary(Path("folder") / name), STACK)


def test_two_names_that_differ_after_a_dot_are_two_files() -> None:
    save_binary("folder", STACK, "exp_1.5um")
    save_binary("folder", STACK[:2], "exp_1.7um")
    assert load_binary("folder/exp_1.5um.bin").shape == (6, 12, 16)
    assert load_binary("folder/exp_1.7um.bin").shape == (2, 12, 16)


def test_a_folder_may_have_a_dot_and_be_deep() -> None:
    assert save_images("2024.05.19/run 1", STACK) == [Path("2024.05.19/run 1/images.tif")]
    assert save_binary(Path("new.folder"), STACK)[0] == Path("new.folder/binary_video.bin")
    assert_same_pixels(load_images("2024.05.19/run 1"), STACK)
    assert_same_pixels(load_binary("new.folder"), STACK)


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIF", ".ome.tif", ".ome.tiff", ".OME.TIF"])
def test_any_spelling_of_tiff(suffix: str) -> None:
    assert save_images(f"sub/a{suffix}", STACK) == [Path(f"sub/a{suffix}")]
    assert_same_pixels(load_images(f"sub/a{suffix}"), STACK)
    assert_same_pixels(load_images(str(Path(f"sub/a{suffix}").absolute())), STACK)


@pytest.mark.parametrize("suffix", [".bin", ".raw", ".dat", ".BIN"])
def test_any_spelling_of_binary(suffix: str) -> None:
    assert save_binary(f"sub/a{suffix}", STACK)[0] == Path(f"sub/a{suffix}")
    assert_same_pixels(load_binary(f"sub/a{suffix}"), STACK)


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    save_images("~/a.tif", STACK)
    save_binary("~/b", STACK)
    assert files() == ["a.tif", "b/binary_video.bin", "b/binary_video.json"]
    assert_same_pixels(load_images("~/a.tif"), STACK)
    assert_same_pixels(load_binary("~/b"), STACK)


@pytest.mark.parametrize("load", [load_images, load_binary])
def test_missing_files_are_refused(load: Any) -> None:
    with pytest.raises(UnreadableFileError, match="is not there"):
        load("nothing.tif")
    subdir("empty")
    with pytest.raises(FerryError, match="empty"):
        load("empty")


def test_only_the_named_file_is_loaded() -> None:
    save_binary("a.bin", STACK)
    with pytest.raises(FerryError):
        load_binary("a.tif")
    Path("a.json").unlink()
    with pytest.raises(MissingMetadataError):
        load_binary("a.bin")


FOREIGN_HOME = "~nobody_of_this_name/a.tif"
LONG = "a" * 300 + ".tif"


@pytest.mark.parametrize("path", [FOREIGN_HOME, LONG, "a\0.tif"])
@pytest.mark.parametrize("load", [imload, load_images, load_binary])
def test_invalid_paths_are_refused(load: Any, path: str) -> None:
    with pytest.raises(UnreadableFileError):
        load(path)


@pytest.mark.parametrize("path", [FOREIGN_HOME, LONG, "a\0.tif", f"{LONG}/a.tif"])
@pytest.mark.parametrize("save", [save_images, save_binary, lambda path, a: imsave(a, path)])
def test_nothing_is_saved_to_an_invalid_path(save: Any, path: str) -> None:
    path = path if save is not save_binary else path.replace(".tif", ".bin")
    with pytest.raises(TargetError):
        save(path, STACK)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("path", [None, 3, b"a.tif"])
def test_objects_other_than_paths_are_refused(path: Any) -> None:
    for call in (imload, load_binary, lambda p: save_images(p, STACK), lambda p: imsave(STACK, p)):
        with pytest.raises(InvalidImageError, match="not a path"):
            call(path)


@pytest.mark.parametrize("save", [save_images, save_binary])
def test_a_file_in_place_of_a_folder_is_refused(save: Any) -> None:
    Path("file.txt").write_text("words")
    for target in ("file.txt", "file.txt/deep"):
        with pytest.raises(TargetError, match="is a file"):
            save(target, STACK)
    assert files() == ["file.txt"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a place where no folder can be made")
def test_a_folder_that_cannot_be_created_is_named() -> None:
    with pytest.raises(TargetError, match="/proc/foo"):
        save_images("/proc/foo/x.tif", STACK)


_AS_NOBODY = """
import os, sys
import numpy as np
import napari_ferry as nf
A = np.zeros((2, 3, 4), "u2")
for suffix in ("tif", "bin"):  # nobody may not import what is needed
    nf.imsave(A, f"warm.{suffix}")
    nf.imload(f"warm.{suffix}")
os.setuid(65534)
for call in (
    lambda: nf.imload("closed"), lambda: nf.imload("closed/a.tif"), lambda: nf.imload("a.tif"),
    lambda: nf.load_binary("closed"), lambda: nf.load_binary("closed/a"),
    lambda: nf.load_images("closed"), lambda: nf.load_binary("a.bin"),
):
    try:
        call()
    except nf.UnreadableFileError as error:
        assert "permission" in str(error).lower(), error
    else:
        raise AssertionError("it was read")
for call in (
    lambda: nf.save_images("ro/new", A), lambda: nf.save_binary("ro/new", A),
    lambda: nf.save_images("closed/new", A), lambda: nf.imsave(A, "closed/a.tif"),
    lambda: nf.imsave(A, "ro/a.tif"),
):
    try:
        call()
    except nf.TargetError:
        continue
    raise AssertionError("it was written")
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be nobody")
def test_missing_permissions_are_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in ("closed", "ro"):
        save_images(f"{folder}/a.tif", STACK)
        save_binary(f"{folder}/a.bin", STACK)
    save_images("a.tif", STACK)
    save_binary("a.bin", STACK)
    for path, mode in (("closed", 0o700), ("ro", 0o755), ("a.tif", 0o600), ("a.bin", 0o600)):
        Path(path).chmod(mode)
    for parent in tmp_path.parents[:-2]:
        parent.chmod(0o755)
    status, _, err = run_fork(_AS_NOBODY)
    assert status == 0, err


@pytest.mark.parametrize("name", ["../esc", "/tmp/abs", "a/b", "a\\b", "a\0", 3, ["a"]])
@pytest.mark.parametrize("save", [save_images, save_binary])
def test_a_name_does_not_leave_its_folder(save: Any, name: Any) -> None:
    with pytest.raises(InvalidImageError, match="name"):
        save("folder", STACK, name=name)
    assert not list(Path().iterdir())
