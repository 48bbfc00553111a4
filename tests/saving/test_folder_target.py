"""Saves to a folder that is a single data set."""

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faults import (
    FOLDERS,
    contents,
    kill_saves,
    lazy_movie,
    leftovers,
    movie,
    names,
    run_fork,
    version_of,
)
from folder_format import plan_folder, read_folder
from napari_ferry import (
    FerryError,
    Progress,
    SaveCancelledError,
    SaveError,
    TargetError,
    TargetExistsError,
    imsave,
    run,
)
from napari_ferry.saving import interrupted_save
from napari_ferry.saving.partial import placement
from napari_ferry.saving.partial.interruption import partial_folder

pytestmark = pytest.mark.leaves_partial

KIND = FOLDERS["store"]


def test_a_folder_is_saved_in_stages(tmp_path: Path):
    seen: list[Progress] = []
    planned = plan_folder(movie(3).array, tmp_path / "m.store")
    assert run(planned, progress=seen.append) == [tmp_path / "m.store"]
    assert np.array_equal(read_folder(tmp_path / "m.store"), movie(3).array)
    assert names(tmp_path) == ["m.store"]
    assert seen[-1].done == seen[-1].total == 2 * movie(3).nbytes


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path):
    imsave(movie(1), tmp_path / "m.tif")
    with pytest.raises(
        TargetError, match=r"m\.tif is a file, but this format is saved as a folder"
    ):
        run(plan_folder(movie(3).array, tmp_path / "m.tif"), overwrite=True)
    assert not leftovers(tmp_path)


@pytest.fixture(params=["exchanged", "set aside"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved folder, and one of the ways to replace it."""
    if request.param == "set aside":
        monkeypatch.setattr("napari_ferry.saving.partial.placement.exchange", lambda *_: False)
    KIND.save(movie(1), tmp_path)
    return tmp_path / "movie.store"


def test_a_folder_replaces_an_earlier_one(store: Path):
    old = contents(store)
    with pytest.raises(TargetExistsError, match=r"movie\.store in .* would be replaced"):
        KIND.save(movie(2), store.parent)
    assert contents(store) == old
    seen: list[Progress] = []
    KIND.save(movie(2), store.parent, overwrite=True, progress=seen.append)
    assert version_of(store) == 2
    assert names(store.parent) == ["movie.store"]
    assert seen[-1].activity == "removing the replaced data"
    assert {progress.activity for progress in seen[:-2]} == {""}


def test_links_in_the_replaced_folder_are_not_followed(store: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.txt").write_text("precious")
    (store / "link").symlink_to(elsewhere, target_is_directory=True)
    (store / "file").symlink_to(elsewhere / "thesis.txt")
    KIND.save(movie(2), tmp_path, overwrite=True)
    assert version_of(store) == 2
    assert (elsewhere / "thesis.txt").read_text() == "precious"
    assert names(tmp_path) == ["elsewhere", "movie.store"]


def test_a_folder_of_others_is_never_replaced(tmp_path: Path):
    (tmp_path / "movie.store").mkdir()
    (tmp_path / "movie.store" / "keep.txt").write_text("precious")
    with pytest.raises(TargetExistsError, match=r"is a folder with other files than those of"):
        KIND.save(movie(1), tmp_path, overwrite=True)
    planned = plan_folder(movie(1).array, tmp_path / "movie.store")
    unknown = replace(planned, files=(replace(planned.files[0], may_replace=None),))
    with pytest.raises(TargetExistsError, match=r"is a folder with other files than those of"):
        run(unknown, overwrite=True)
    assert contents(tmp_path) == {"movie.store/keep.txt": b"precious"}


def test_a_link_to_a_folder_is_followed_and_kept(tmp_path: Path):
    (tmp_path / "large").mkdir()
    KIND.save(movie(1), tmp_path / "large")
    (tmp_path / "movie.store").symlink_to(tmp_path / "large" / "movie.store")
    KIND.save(movie(2), tmp_path, overwrite=True)
    assert (tmp_path / "movie.store").is_symlink()
    assert version_of(tmp_path / "large" / "movie.store") == 2
    assert names(tmp_path / "large") == ["movie.store"]


def test_a_source_in_the_replaced_folder_is_read(store: Path):
    """The mapped files of the earlier data are read until they are replaced."""
    frames = [np.memmap(store / "frames" / str(i), np.uint16, "r") for i in range(6)]
    turned = np.stack(frames[::-1]).reshape(movie(1).shape)
    run(plan_folder(turned, store, label="v1"), overwrite=True)
    assert version_of(store) == 1


def is_exchanged(folder: Path) -> bool:
    """Return True if folders are exchanged in this test, where the system can."""
    (folder.parent / "empty").mkdir()
    done = placement.exchange(folder, folder.parent / "empty")
    if done:
        placement.exchange(folder, folder.parent / "empty")
    (folder.parent / "empty").rmdir()
    return done


def test_what_a_crash_left_of_the_replaced_folder_is_removed(store: Path):
    """The save dies after the swap, while it removes the earlier data."""
    status, _, err = run_fork(_DIE_IN_REMOVAL, store.parent, is_exchanged(store))
    assert status == 9, err
    assert version_of(store) == 2
    assert interrupted_save(store) is None
    assert leftovers(store.parent)
    KIND.save(movie(1), store.parent, overwrite=True)
    assert version_of(store) == 1
    assert names(store.parent) == ["movie.store"]


_DIE_IN_REMOVAL = """
import os, sys
from pathlib import Path
from faults import FOLDERS, movie
from napari_ferry.saving.partial import placement
if sys.argv[2] == "False":
    placement.exchange = lambda *_: False
unlink, left = os.unlink, 3
def dying(*places, **options):
    global left
    left -= 1
    if not left:
        os._exit(9)
    unlink(*places, **options)
os.unlink = dying
FOLDERS["store"].save(movie(2), Path(sys.argv[1]), overwrite=True)
"""


@pytest.mark.parametrize("how", ["error", "cancel", "interrupt"])
def test_a_folder_that_is_not_finished_leaves_the_old(how: str, tmp_path: Path):
    KIND.save(movie(1), tmp_path)
    old = contents(tmp_path)

    raised = {"error": OSError, "cancel": SaveCancelledError, "interrupt": KeyboardInterrupt}

    def read(i: int) -> None:
        if i == 3:
            raise raised[how]("stop")

    with pytest.raises(SaveError if how == "error" else raised[how]):
        KIND.save(lazy_movie(2, read), tmp_path, overwrite=True, workers=1)
    hidden = leftovers(tmp_path)
    assert contents(tmp_path) == old
    assert bool(hidden) == (how == "interrupt")
    KIND.save(movie(2), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie.store"]


def test_of_many_threads_one_wins_whole(tmp_path: Path):
    barrier, outcomes = threading.Barrier(6), {}

    def save(version: int) -> None:
        barrier.wait()
        try:
            KIND.save(movie(version), tmp_path, overwrite=True)
            outcomes[version] = "saved"
        except FerryError as error:
            outcomes[version] = str(error)

    threads = [threading.Thread(target=save, args=(version,)) for version in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes[version_of(tmp_path / "movie.store")] == "saved"
    assert names(tmp_path) == ["movie.store"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_killed_save_leaves_the_old_or_the_new(kind: str, tmp_path: Path):
    FOLDERS[kind].save(movie(1), tmp_path)
    assert "torn" not in " ".join(kill_saves(kind, tmp_path, kills=3, seed=1))
    FOLDERS[kind].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / "movie.store") == 2
    assert names(tmp_path) == ["movie.store"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux flushes the whole file system")
def test_files_are_flushed_one_by_one_without_a_step_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("napari_ferry.saving.disk.flush._sync_file_system", lambda _: False)
    flushed, fsync = [], os.fsync

    def record(fd: int) -> None:
        path = Path(f"/proc/self/fd/{fd}").readlink()
        flushed.append(str(path).rsplit("new-0.store", 1)[-1])
        fsync(fd)

    monkeypatch.setattr(os, "fsync", record)
    KIND.save(movie(1), tmp_path)
    expected = {f"/{name}" for name in contents(tmp_path / "movie.store")}
    assert expected | {"", "/frames", "/means"} <= {*flushed}


def test_an_entry_of_another_user_is_refused(tmp_path: Path):
    if sys.platform == "win32" or os.geteuid():
        pytest.skip("only root can give files away")
    partial = partial_folder(tmp_path / "movie.store") / "new-0.store"
    partial.mkdir(parents=True)
    os.chown(partial, 65534, 65534)
    with pytest.raises(TargetError, match="belongs to another user"):
        KIND.save(movie(1), tmp_path)
    assert partial.is_dir()


@pytest.mark.parametrize("name", ["movie.tif", "movie.bin", "deep/movie.gif", "movie.ome.tif"])
def test_nothing_is_saved_inside_a_store(name: str, tmp_path: Path):
    store = tmp_path / "recording.ome.zarr"
    (store / "deep").mkdir(parents=True)
    (store / "zarr.json").write_text("{}")
    with pytest.raises(TargetError, match=r"inside recording\.ome\.zarr, .* beside it\. To rep"):
        imsave(movie(1), store / name, overwrite=True)
    assert names(store) == ["deep", "zarr.json"]
    assert names(store / "deep") == []
