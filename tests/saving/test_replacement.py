"""Saves over files that are open, by the rules of Windows; these are simulated elsewhere."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from faults import KINDS, leftovers, movie, names, version_of
from napari_ferry import FerryError, SaveError, TargetError, imload, imsave, load_binary
from napari_ferry.saving.disk import replacement
from napari_ferry.saving.disk.new_folders import new_folders
from operations import Operations, fail
from windows_rules import WindowsRules, apply_rules, pretend_windows

BEFORE = np.repeat(np.arange(6, dtype=np.uint8), 64 * 64).reshape(6, 64, 64) * 20
AFTER = 250 - BEFORE
SUFFIXES = (".tif", ".ome.tif", ".bin", ".gif", ".mp4", ".mkv")
each_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(params=["descriptors", "no descriptors"])
def rules(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WindowsRules:
    """Rules of Windows, with readers that keep files open and with those of Windows."""
    if request.param == "no descriptors":
        monkeypatch.delattr(os, "preadv", raising=False)
    return apply_rules(monkeypatch)


def _is(path: Path, pixels: np.ndarray) -> bool:
    found = np.asarray(imload(path)[0].array)
    return found.shape == pixels.shape and bool(np.abs(found - pixels.astype(float)).max() < 5)


@pytest.mark.sample(3)
@each_suffix
def test_a_file_is_replaced_while_it_is_shown(
    suffix: str, rules: WindowsRules, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    imsave(BEFORE, path)
    shown = imload(path)[0]
    np.asarray(shown.array[2])
    imsave(AFTER, path, overwrite=True)
    assert _is(path, AFTER)
    assert leftovers(tmp_path) == []
    with pytest.raises(FerryError, match="changed since it was opened: open it again"):
        np.asarray(shown.array[3])


@pytest.mark.sample(3)
@each_suffix
def test_an_opened_image_is_saved_over_itself(
    suffix: str, rules: WindowsRules, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    imsave(BEFORE, path)
    shown = imload(path)[0]
    np.asarray(shown.array[2])
    imsave(shown, path, overwrite=True)
    assert _is(path, BEFORE)
    assert leftovers(tmp_path) == []


@pytest.mark.sample(3)
@each_kind
def test_files_held_for_a_moment_are_replaced(
    kind: str, rules: WindowsRules, tmp_path: Path
) -> None:
    """As by a virus scanner, which opens every new file."""
    KINDS[kind].save(movie(1), tmp_path)
    for path in tmp_path.iterdir():
        rules.hold(path, 5)
    KINDS[kind].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / KINDS[kind].name) == 2
    assert not any(rules.held.values())
    assert leftovers(tmp_path) == []


@each_kind
def test_a_held_file_is_refused_before_the_first_byte(
    kind: str, rules: WindowsRules, tmp_path: Path
) -> None:
    KINDS[kind].save(movie(1), tmp_path)
    target = tmp_path / KINDS[kind].name
    rules.hold(target)
    before = names(tmp_path)
    told: list[object] = []
    with pytest.raises(TargetError, match=r"is open in this or another program.*close it") as error:
        KINDS[kind].save(movie(2), tmp_path, overwrite=True, progress=told.append)
    assert target.name in str(error.value)
    assert told == []
    assert names(tmp_path) == before
    assert version_of(target) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="operations are counted elsewhere")
def test_a_save_that_fails_at_once_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_rules(monkeypatch)
    pretend_windows(monkeypatch)
    refused = set()
    for at in range(1, 8):
        operations = Operations(folder=tmp_path, at=at, fault=fail(errno.EIO))
        with operations.watched(), suppress(TargetError, SaveError):
            imsave(BEFORE, tmp_path / "a.tif", overwrite=True)
        refused.add(operations.calls[at - 1])
        assert leftovers(tmp_path) == []
    assert {"mkdir", "open", "scandir"} <= refused


def test_a_new_folder_that_another_save_removes_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = Path.rmdir

    def remove_twice(folder: Path) -> None:
        remove(folder)
        remove(folder)

    monkeypatch.setattr(Path, "rmdir", remove_twice)
    with pytest.raises(ValueError, match="of the save"), new_folders(tmp_path / "a" / "b"):
        raise ValueError("of the save")
    assert names(tmp_path) == []

    with new_folders(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "c").touch()
    assert (tmp_path / "a" / "b" / "c").exists()


def test_a_map_of_the_user_is_refused_before_the_first_byte(
    rules: WindowsRules, tmp_path: Path
) -> None:
    imsave(BEFORE, tmp_path / "a.bin")
    mapped = load_binary(tmp_path / "a.bin", mapped=True)
    with pytest.raises(TargetError, match=r"a\.bin is open in this or another program"):
        imsave(AFTER, tmp_path / "a.bin", overwrite=True)
    assert (mapped == BEFORE).all()
    del mapped
    imsave(AFTER, tmp_path / "a.bin", overwrite=True)
    assert _is(tmp_path / "a.bin", AFTER)


@pytest.mark.sample(3)
@each_kind
def test_a_finished_save_is_kept_if_a_program_opens_its_target(
    kind: str, rules: WindowsRules, tmp_path: Path
) -> None:
    KINDS[kind].save(movie(1), tmp_path)
    before = names(tmp_path)
    target = tmp_path / KINDS[kind].name
    (tmp_path / f"{target.name}.new").mkdir()  # of an earlier save

    with pytest.raises(SaveError, match="the new data is complete in") as error:
        KINDS[kind].save(movie(2), tmp_path, overwrite=True, progress=lambda _: rules.hold(target))
    kept = tmp_path / f"{target.name}.new-2"
    assert str(kept) in str(error.value)
    assert version_of(kept / target.name) == 2
    rules.held.clear()
    assert version_of(target) == 1
    assert names(tmp_path) == sorted([*before, kept.name, f"{target.name}.new"])

    KINDS[kind].save(movie(2), tmp_path, overwrite=True)
    assert version_of(target) == 2


def test_parts_of_an_open_series_are_removed(rules: WindowsRules, tmp_path: Path) -> None:
    kind = KINDS["series"]
    kind.save(movie(1, frames=9), tmp_path)
    shown = imload(tmp_path / kind.name)[0]
    np.asarray(shown.array)
    kind.save(movie(2, frames=4), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie_00000.tif", "movie_00001.tif"]
    assert leftovers(tmp_path) == []


def test_other_errors_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacement, "PATIENCE", 1e9)
    with pytest.raises(FileNotFoundError):
        replacement.replace_file(tmp_path / "missing", tmp_path / "target")
