"""Saving with faults: the result is the old file or the new one, never a mixture."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faults import (
    CAP,
    DIE_AT_RENAME,
    EVERY_KIND,
    KINDS,
    SIZE,
    contents,
    fork,
    found,
    kill_saves,
    lazy_movie,
    leftovers,
    movie,
    names,
    run_fork,
    run_python,
    version_of,
)
from napari_ferry import (
    FerryError,
    Image,
    Progress,
    SaveCancelledError,
    SaveError,
    TargetError,
    TargetExistsError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.saving.disk.plain_files import reserve
from napari_ferry.saving.partial.interruption import partial_folder
from napari_ferry.saving.plan_run import check_save
from operations import Operations, fail

resource = pytest.importorskip("resource", reason="faults are made the POSIX way")

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
stored = {name: kind for name, kind in KINDS.items() if not kind.is_encoded}
each_stored_kind = pytest.mark.parametrize("kind", stored.values(), ids=stored.keys())


# --- killed -----------------------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_killed_save_leaves_the_old_or_the_new(kind: str, tmp_path: Path):
    EVERY_KIND[kind].save(movie(1), tmp_path)
    outcomes = kill_saves(kind, tmp_path, kills=3, seed=list(EVERY_KIND).index(kind))
    assert "torn" not in " ".join(outcomes)
    EVERY_KIND[kind].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / EVERY_KIND[kind].name) == 2
    assert not leftovers(tmp_path)
    assert len(names(tmp_path)) == {"series": 2, "bin": 2, "zlib series": 2, "png": 4}.get(kind, 1)


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_between_renames_is_whole_or_named(kind: str, tmp_path: Path):
    """The child dies before its n-th rename, for every n."""
    path, outcomes = tmp_path / KINDS[kind].name, []
    KINDS[kind].save(movie(1), tmp_path)
    for n in range(20):
        KINDS[kind].save(movie(1), tmp_path, overwrite=True)
        status, _, err = run_fork(DIE_AT_RENAME, kind, tmp_path, n)
        if not status:
            break
        assert status == 9, err
        outcomes.append(found(path))
        if n % 2:
            KINDS[kind].save(movie(3), tmp_path, overwrite=True)
            assert version_of(path) == 3
        else:
            KINDS[kind].save(movie(2), tmp_path, overwrite=True)
            assert version_of(path) == 2
        assert not leftovers(tmp_path)
    assert len(outcomes) == {"series": 5, "bin": 4}.get(kind, 1)
    assert kind in ("series", "bin") or outcomes == ["v1"]


# --- the disk fails ---------------------------------------------------------------------------


@pytest.fixture
def same_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the files of equal saves equal, without their identifiers."""
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(int=1))


@pytest.mark.leaves_partial
@pytest.mark.parametrize("name", ["series", "bin"])
def test_nothing_is_lost_when_files_cannot_be_moved_back(name: str, tmp_path: Path):
    """Renaming fails half-way: the error names all files, and the next save repairs them."""
    kind = KINDS[name]
    kind.save(movie(1), tmp_path)
    counted = Operations(folder=tmp_path)
    with counted.watched():
        kind.save(movie(2), tmp_path, overwrite=True)
    renames = [n for n, call in enumerate(counted.calls, 1) if call == "replace"]
    for n in renames[1:]:
        kind.save(movie(1), tmp_path, overwrite=True)
        failing = Operations(folder=tmp_path, at=n, fault=fail(errno.EIO), later=("replace",))
        with failing.watched(), pytest.raises(SaveError, match="stopped while its files"):
            kind.save(movie(2), tmp_path, overwrite=True)
        assert found(tmp_path / kind.name) == "said"
        assert len(list(partial_folder(tmp_path / kind.name).glob("old-*"))) > 0
        kind.save(movie(2), tmp_path, overwrite=True)
        assert version_of(tmp_path / kind.name) == 2
        assert not leftovers(tmp_path)


@each_stored_kind
def test_a_file_larger_than_the_system_allows_leaves_the_old(kind, tmp_path: Path):
    kind.save(movie(1), tmp_path)
    old = contents(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE * SIZE, limits[1]))
    try:
        with pytest.raises(SaveError, match="too large"):
            kind.save(movie(2), tmp_path, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@each_kind
def test_a_disk_that_fills_on_the_way_leaves_the_old(kind, small_disk: Path):
    kind.save(movie(1), small_disk)
    old, filler = contents(small_disk), small_disk / "filler"

    def fill(i: int) -> None:
        if i == 1:
            with pytest.raises(OSError, match="No space"):
                filler.write_bytes(bytes(1 << 20))

    with pytest.raises(SaveError, match=r"No space.*still there"):
        kind.save(lazy_movie(2, fill), small_disk, overwrite=True)
    filler.unlink()
    assert contents(small_disk) == old
    assert not leftovers(small_disk)


def test_a_disk_that_fills_under_a_pyramid_leaves_nothing(small_disk: Path):
    """A mapped file without allocated space would terminate the program."""
    flat = np.zeros((4000, 5000), np.uint8)
    with pytest.raises(SaveError, match="free some space"):
        imsave(flat, small_disk / "p.ome.tif", compression="zlib", pyramid=True)
    assert not list(small_disk.iterdir())


@each_stored_kind
def test_a_disk_without_room_is_refused_before_the_first_byte(kind, small_disk: Path):
    with pytest.raises(
        TargetError, match=r"0\.00 GB free and the save needs 0\.00 GB: free some space"
    ):
        kind.save(lazy_movie(1, pytest.fail, frames=40), small_disk)
    assert names(small_disk) == []


@pytest.mark.parametrize("folder", ["", "new", "new/newer"])
def test_the_disk_of_a_folder_that_is_to_be_made_is_checked(folder: str, small_disk: Path):
    target = small_disk / folder / "a.tif"
    check_save(plan(np.zeros((4, 100, 100), np.uint8), target))
    with pytest.raises(TargetError, match="GB free and the save needs"):
        check_save(plan(np.zeros((40, 1000, 1000), np.uint8), target))
    assert names(small_disk) == []


@each_kind
def test_bytes_are_flushed_before_their_name_and_the_folder_after(
    kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    events: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(fd: int) -> None:
        events.append(("fsync", Path(f"/proc/self/fd/{fd}").readlink()))
        fsync(fd)

    def recorded_replace(a, b) -> None:
        events.append(("replace", Path(a)))
        replace(a, b)

    kind.save(movie(1), tmp_path)
    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    kind.save(movie(2), tmp_path, overwrite=True)
    moved = [(n, path) for n, (what, path) in enumerate(events) if what == "replace"]
    assert moved
    for n, path in moved:
        assert path.parent == tmp_path or ("fsync", path) in events[:n]
    assert events[-1] == ("fsync", tmp_path)


# --- stopped ----------------------------------------------------------------------------------


@each_kind
def test_cancelling_is_quick_and_leaves_the_old(kind, tmp_path: Path):
    """A slow source of small frames, with many frames per block."""
    kind.save(movie(1), tmp_path)
    old, cancelled = contents(tmp_path), threading.Event()
    asked: list[float] = []

    def read(i: int) -> None:
        time.sleep(0.01)
        if i == 5:
            asked.append(time.monotonic())
            cancelled.set()

    with pytest.raises(SaveCancelledError):
        kind.save(
            lazy_movie(2, read, frames=400), tmp_path, overwrite=True, cancel=cancelled.is_set
        )
    assert time.monotonic() - asked[0] < 1
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


@pytest.mark.leaves_partial
@each_kind
def test_an_interrupt_leaves_the_old(kind, tmp_path: Path):
    """Complete files of several may remain for the save to be resumed."""
    kind.save(movie(1), tmp_path)
    old = contents(tmp_path)
    interrupting = lazy_movie(2, lambda i: i or signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        kind.save(interrupting, tmp_path, overwrite=True)
    assert contents(tmp_path) == old
    assert kind.name != kind.asked or not leftovers(tmp_path)
    kind.save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / kind.name) == 2
    assert not leftovers(tmp_path)


def test_an_interrupt_between_renames_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One file replaces a series, whose parts are set aside first."""
    KINDS["series"].save(movie(1), tmp_path)
    old, replace, calls = contents(tmp_path), os.replace, []

    def interrupted(a, b) -> None:
        calls.append(a)
        if len(calls) == 3:
            raise KeyboardInterrupt
        replace(a, b)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        KINDS["tif"].save(movie(2), tmp_path, overwrite=True)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


# --- the source fails -------------------------------------------------------------------------


@each_kind
def test_a_source_that_raises_is_named(kind, tmp_path: Path):
    kind.save(movie(1), tmp_path)
    old = contents(tmp_path)

    def read(i: int) -> None:
        if i == 3:
            raise RuntimeError("the microscope is off")

    with pytest.raises(SaveError, match=r"\[.*\].*RuntimeError: the microscope is off"):
        kind.save(lazy_movie(2, read), tmp_path, overwrite=True)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


def test_a_dask_task_that_raises_is_named(tmp_path: Path):
    da = pytest.importorskip("dask.array")

    def block(pixels, block_info=None):
        if block_info[0]["chunk-location"][0] == 2:
            raise ZeroDivisionError("no light")
        return pixels

    pixels = da.zeros((6, 8, 8), np.uint8, chunks=(1, 8, 8)).map_blocks(block, dtype=np.uint8)
    with pytest.raises(SaveError, match=r"\[0:6, 0:8, 0:8\].*ZeroDivisionError: no light"):
        imsave(pixels, tmp_path / "movie.tif")
    assert names(tmp_path) == []


@each_kind
def test_a_source_that_is_cut_off_is_named(kind, tmp_path: Path):
    source, target = tmp_path / "source.bin", tmp_path / "target"
    target.mkdir()
    imsave(movie(2), source)
    image = imload(source)[0]
    os.truncate(source, source.stat().st_size // 2)
    with pytest.raises(SaveError, match=r"\[0:.*\].*has changed"):
        kind.save(image, target)
    assert names(target) == []


# --- existing files ---------------------------------------------------------------------------


@each_kind
def test_what_stands_there_is_named_and_kept(kind, tmp_path: Path):
    paths = kind.save(movie(1), tmp_path)
    old = contents(tmp_path)
    with pytest.raises(TargetExistsError) as refused:
        kind.save(lazy_movie(2, pytest.fail), tmp_path)
    assert all(path.name in str(refused.value) for path in paths[:3])
    assert isinstance(refused.value, FileExistsError)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("text", ["notes", '{"mine": 1}', "[1, 2]", ""])
def test_a_neighbor_that_is_no_sidecar_is_never_touched(text: str, tmp_path: Path):
    neighbor = tmp_path / "movie.json"
    neighbor.write_text(text)
    with pytest.raises(TargetExistsError, match=r"movie\.json is not part of the data set"):
        KINDS["bin"].save(movie(1), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie.json"]
    assert neighbor.read_text() == text


def test_a_neighbor_with_the_name_of_a_part_is_never_touched(tmp_path: Path):
    imsave(movie(7), tmp_path / "movie_00001.tif")
    old = contents(tmp_path)
    with pytest.raises(TargetExistsError, match=r"movie_00001\.tif is not part of the data set"):
        KINDS["series"].save(movie(1), tmp_path, overwrite=True)
    KINDS["tif"].save(movie(1), tmp_path, overwrite=True)
    assert contents(tmp_path)["movie_00001.tif"] == old["movie_00001.tif"]


def test_parts_of_a_longer_save_go_together_with_it(tmp_path: Path):
    KINDS["series"].save(movie(1), tmp_path)
    assert len(names(tmp_path)) == 3
    with pytest.raises(TargetExistsError, match=r"movie_00002\.tif"):
        KINDS["series"].save(movie(2), tmp_path)
    KINDS["series"].save(movie(2), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie_00000.tif", "movie_00001.tif"]
    KINDS["tif"].save(movie(1), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie.tif"]
    KINDS["series"].save(movie(2), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie_00000.tif", "movie_00001.tif"]


# --- the target -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["movie.tif", "movie.ome.tif", "movie.bin"])
class TestPlace:
    """Each target is refused before the first byte, and no file is left."""

    def refused(self, path: Path, words: str) -> None:
        before = sorted(path.parent.rglob("*"))
        with pytest.raises(TargetError, match=words):
            imsave(lazy_movie(1, pytest.fail), path, overwrite=True)
        assert sorted(path.parent.rglob("*")) == before

    def test_a_folder(self, name: str, tmp_path: Path):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keep.txt").touch()
        self.refused(tmp_path / name, "is a folder")

    def test_a_pipe(self, name: str, tmp_path: Path):
        os.mkfifo(tmp_path / name)
        self.refused(tmp_path / name, "a device or a pipe")

    def test_a_device(self, name: str, tmp_path: Path):
        (tmp_path / name).symlink_to("/dev/null")
        self.refused(tmp_path / name, "a device or a pipe")

    def test_a_missing_folder(self, name: str, tmp_path: Path):
        with pytest.raises(TargetError, match="missing does not exist"):
            run(plan(lazy_movie(1, pytest.fail), tmp_path / "missing" / name))
        assert names(tmp_path) == []

    def test_a_name_that_is_too_long(self, name: str, tmp_path: Path):
        self.refused(tmp_path / f"{'x' * 250}{name}", "is not a valid file name")

    def test_the_longest_name(self, name: str, tmp_path: Path):
        path = tmp_path / f"{'µ' * 120}{name}"
        imsave(movie(1), path)
        assert version_of(path) == 1

    def test_a_link_is_followed_and_kept(self, name: str, tmp_path: Path):
        path, target = tmp_path / name, tmp_path / "elsewhere" / name
        target.parent.mkdir()
        target.write_text("old")
        path.symlink_to(target)
        with pytest.raises(TargetExistsError):
            imsave(movie(1), path)
        assert imsave(movie(1), path, overwrite=True)[0] == path
        assert path.is_symlink()
        assert not target.is_symlink()
        assert target.read_bytes() != b"old"
        assert not leftovers(target.parent)

    def test_a_link_to_nothing(self, name: str, tmp_path: Path):
        (tmp_path / name).symlink_to(tmp_path / "gone")
        self.refused(tmp_path / name, "link to .*gone, which does not exist")
        assert (tmp_path / name).is_symlink()


_SAVE_AS_NOBODY = """
import os, sys
from napari_ferry import FerryError, plan, run
from faults import movie
size_cap = float(sys.argv[2]) if len(sys.argv) > 2 else 3.9
planned = plan(movie(2), sys.argv[1], size_cap=size_cap)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    run(planned, overwrite=True)
except FerryError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder accessible to every user, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("mode", ["folder", "file", "place"])
def test_what_is_write_protected(mode: str, open_folder: Path):
    """Run as another user if the tests run as root, who may write to protected files."""
    folder, path = open_folder, open_folder / "movie.tif"
    imsave(movie(1), path)
    old = contents(folder)
    path.chmod(0o444)
    folder.chmod({"folder": 0o555, "file": 0o777, "place": 0o000}[mode])
    _, out, err = run_fork(_SAVE_AS_NOBODY, path)
    assert out.startswith("TargetError"), err
    assert ("write-protected" if mode == "file" else "cannot be written to") in out
    folder.chmod(0o755)
    assert contents(folder) == old


def test_a_series_does_not_remove_a_write_protected_file(open_folder: Path):
    path = open_folder / "movie.tif"
    imsave(movie(1), path)
    old = contents(open_folder)
    path.chmod(0o444)
    open_folder.chmod(0o777)
    _, out, err = run_fork(_SAVE_AS_NOBODY, path, CAP)
    assert out.startswith("TargetError"), out + err
    assert "movie.tif is write-protected" in out
    assert contents(open_folder) == old


# --- concurrent saves -------------------------------------------------------------------------


@each_kind
def test_a_second_save_is_refused_while_the_first_is_in_progress(kind, tmp_path: Path):
    reached, go_on, errors = threading.Event(), threading.Event(), []

    def read(i: int) -> None:
        reached.set()
        go_on.wait(10)

    def first() -> None:
        try:
            kind.save(lazy_movie(1, read), tmp_path)
        except FerryError as error:
            errors.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert reached.wait(10)
    with pytest.raises(TargetError, match=r"Another save to .* is in progress"):
        kind.save(movie(2), tmp_path)
    go_on.set()
    thread.join()
    assert not errors
    assert version_of(tmp_path / kind.name) == 1
    assert not leftovers(tmp_path)


@each_kind
def test_of_many_threads_one_wins_whole(kind, tmp_path: Path):
    barrier, outcomes = threading.Barrier(6), {}

    def save(version: int) -> None:
        barrier.wait()
        try:
            kind.save(movie(version), tmp_path, overwrite=True)
            outcomes[version] = "saved"
        except FerryError as error:
            outcomes[version] = str(error)

    threads = [threading.Thread(target=save, args=(version,)) for version in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    assert outcomes[version_of(tmp_path / kind.name)] == "saved"
    assert not leftovers(tmp_path)


_SLOW_SAVE = """
import sys
from pathlib import Path
from faults import KINDS, lazy_movie
def read(i):
    if i == 0:
        print("reading", flush=True)
        sys.stdin.readline()
KINDS[sys.argv[1]].save(lazy_movie(1, read), Path(sys.argv[2]))
print("saved", flush=True)
"""


def test_a_second_process_is_refused_while_the_first_saves(tmp_path: Path):
    with fork(_SLOW_SAVE, "series", tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        with pytest.raises(TargetError, match="in progress"):
            KINDS["series"].save(movie(2), tmp_path)
        out, err = child.communicate("\n")
        assert out == "saved\n", err
    assert version_of(tmp_path / KINDS["series"].name) == 1
    assert not leftovers(tmp_path)


# --- resumed saves ----------------------------------------------------------------------------

_DIE_IN_PART = """
import os, signal, sys
from pathlib import Path
from faults import KINDS, lazy_movie
def read(i):
    if i == 4:
        os.kill(os.getpid(), signal.SIGKILL)
KINDS["series"].save(lazy_movie(1, read), Path(sys.argv[1]), workers=1)
"""


def _interrupt(folder: Path) -> dict[str, os.stat_result]:
    """Kill a save of three parts in the last one; return the status of the complete parts."""
    status, _, err = run_fork(_DIE_IN_PART, folder)
    assert status == -signal.SIGKILL, err
    partial = partial_folder(folder / KINDS["series"].name)
    assert names(folder) == [partial.name]
    return {f"movie_0000{i}.tif": (partial / f"new-{i}.tif").stat() for i in (0, 1)}


def _kept(folder: Path, whole: dict[str, os.stat_result]) -> list[str]:
    """Return the files not written since then."""
    pairs = {name: ((folder / name).stat(), stat) for name, stat in whole.items()}
    return [
        name
        for name, (now, then) in pairs.items()
        if (now.st_ino, now.st_mtime_ns) == (then.st_ino, then.st_mtime_ns)
    ]


def test_whole_parts_of_an_interrupted_save_are_kept(tmp_path: Path):
    fresh = tmp_path / "fresh"
    folder = tmp_path / "folder"
    fresh.mkdir()
    folder.mkdir()
    KINDS["series"].save(movie(1), fresh)
    whole = _interrupt(folder)
    seen: list[Progress] = []
    KINDS["series"].save(movie(1), folder, progress=seen.append)
    assert _kept(folder, whole) == ["movie_00000.tif", "movie_00001.tif"]
    assert sorted(contents(folder)) == sorted(contents(fresh))
    assert np.array_equal(np.asarray(imload(folder)[0].array), np.asarray(movie(1).array))
    assert seen[-1].done == seen[-1].total == movie(1).nbytes
    assert not leftovers(folder)


def test_parts_of_other_pixels_are_written_again(tmp_path: Path):
    whole = _interrupt(tmp_path)
    pixels = np.array(movie(1).array)
    pixels[1, 5, 6] += 1
    other = Image.from_array(pixels, "tyx", name="v1")
    KINDS["series"].save(other, tmp_path)
    assert _kept(tmp_path, whole) == ["movie_00001.tif"]
    assert np.array_equal(np.asarray(imload(tmp_path / "movie_00000.tif")[0].array), pixels)


@pytest.mark.parametrize("other", ["name", "cap", "pixels"])
def test_nothing_is_kept_for_another_save(other: str, tmp_path: Path):
    whole = _interrupt(tmp_path)
    image = movie(1) if other == "cap" else movie(3, frames=6)
    if other == "name":
        image = Image.from_array(movie(1).array, "tyx", name="another")
    cap = CAP * 1.4 if other == "cap" else CAP
    imsave(image, tmp_path / "movie.tif", size_cap=cap)
    assert _kept(tmp_path, whole) == []
    read = imload(tmp_path / "movie_00000.tif")[0]
    assert np.array_equal(np.asarray(read.array), image.array)
    assert read.name == image.name
    assert not leftovers(tmp_path)


# --- memory and time --------------------------------------------------------------------------


@each_kind
def test_progress_counts_every_byte(kind, tmp_path: Path):
    seen: list[Progress] = []
    image = movie(1, frames=20, size=1024)
    imsave(image, tmp_path / kind.asked, progress=seen.append)
    done = [progress.done for progress in seen]
    assert len(done) > 2
    assert done == sorted(set(done))
    assert done[-1] == image.nbytes
    assert {progress.total for progress in seen} == {image.nbytes}
    assert all(progress.rate > 0 for progress in seen)
    assert seen[0].seconds_left > 0
    assert seen[-1].seconds_left == 0


@each_kind
def test_workers_write_the_same_file(kind, tmp_path: Path, same_nonce):
    for workers in (1, 4):
        (tmp_path / str(workers)).mkdir()
        kind.save(lazy_movie(1, lambda i: None), tmp_path / str(workers), workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "4")


@pytest.mark.parametrize("chunks", [(1, 32, 32), (7, 32, 32), (3, 20, 9), (20, 5, 32)])
@pytest.mark.parametrize("name", ["tif", "ome", "bin"])
def test_each_dask_chunk_is_computed_once(name: str, chunks: tuple[int, ...], tmp_path: Path):
    da = pytest.importorskip("dask.array")
    source = np.random.default_rng(0).integers(0, 999, (20, 32, 32), np.uint16)
    lock, computed = threading.Lock(), []

    def block(pixels, block_info=None):
        with lock:
            computed.append(tuple(block_info[0]["chunk-location"]))
        return pixels

    lazy = da.from_array(source, chunks).map_blocks(block, dtype=source.dtype, meta=source[:0])
    (path, *_) = KINDS[name].save(Image.from_array(lazy, "tyx"), tmp_path, workers=3)
    assert sorted(computed) == sorted(np.ndindex(*lazy.numblocks))
    assert np.array_equal(np.asarray(imload(path)[0].array), source)


_SAVE_LARGE = """
import resource, sys
from pathlib import Path
from faults import KINDS, lazy_movie, movie
kind, folder = KINDS[sys.argv[1]], Path(sys.argv[2])
unit = 1e6 if sys.platform == "darwin" else 1e3
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
kind.save(lazy_movie(1, id, frames=40), folder)
before = peak()
kind.save(lazy_movie(1, id, frames=400, size=512), folder, overwrite=True)
print(peak() - before)
"""


@pytest.mark.parametrize("kind", ["ome", "bin"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path):
    """Peak memory for 210 MB read frame by frame, in MB."""
    status, out, err = run_python(_SAVE_LARGE, kind, tmp_path)
    assert status == 0, err
    assert float(out) < 60


@each_kind
def test_saving_over_the_file_that_is_read(kind, tmp_path: Path):
    """The opened image is a map of the replaced file."""
    pixels = np.random.default_rng(0).integers(0, 999, (6, SIZE, SIZE), np.uint16)
    (path, *_) = kind.save(Image.from_array(pixels, "tyx"), tmp_path)
    (image,) = imload(path)
    reversed_image = Image.from_array(image.array[::-1], "tyx", name="reversed")
    kind.save(reversed_image, tmp_path, overwrite=True)
    again = imload(path)[0]
    assert again.name == "reversed"
    assert np.array_equal(np.asarray(again.array), pixels[::-1])


def test_memory_of_others_is_not_dropped(tmp_path: Path):
    """Saved pages of a file may be released, but never those of private memory."""
    import mmap

    memory = mmap.mmap(-1, 6 * SIZE * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pixels = np.frombuffer(memory, np.uint8).reshape(6, SIZE, SIZE)
    pixels[:] = 7
    imsave(pixels, tmp_path / "movie.tif")
    assert (pixels == 7).all()
    assert (np.asarray(imload(tmp_path / "movie.tif")[0].array) == 7).all()


def test_planning_reads_nothing_and_names_every_file(tmp_path: Path):
    planned = plan(lazy_movie(1, pytest.fail), tmp_path / "movie.tif", size_cap=CAP)
    assert [path.name for path in planned.paths] == [f"movie_0000{i}.tif" for i in range(3)]
    assert planned.nframes == 6
    assert movie(1).nbytes < planned.nbytes < 1.2 * movie(1).nbytes
    assert names(tmp_path) == []
    assert run(plan(movie(1), tmp_path / "movie.tif", size_cap=CAP)) == list(planned.paths)
    assert all(path.stat().st_size < CAP * 1e9 for path in planned.paths)


@pytest.mark.parametrize("chunks", [(40, 16, 16), (7, 64, 64), (3, 20, 64), (40, 64, 5)])
@pytest.mark.parametrize("name", ["movie.tif", "movie.bin"])
def test_each_chunk_is_computed_once(
    chunks: tuple[int, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    dask_array = pytest.importorskip("dask.array")
    monkeypatch.setattr("napari_ferry.saving.uncompressed._WRITE_BYTES", 20_000)
    monkeypatch.setattr("napari_ferry.arrays.blocks.BLOCK_BYTES", 5_000)
    pixels = np.random.default_rng(0).integers(0, 999, (40, 64, 64), np.uint16)
    computed: list[int] = []

    def count(block):
        computed.append(1)
        return block + 1

    source = dask_array.from_array(pixels, chunks=chunks)
    source = source.map_blocks(count, dtype=np.uint16, meta=np.empty((0, 0, 0), np.uint16))
    imsave(source, tmp_path / name)
    assert len(computed) == source.npartitions
    assert np.array_equal(np.asarray(imload(tmp_path / name)[0].array), pixels + 1)


_SAVE_TRANSPOSED = """
import sys
from pathlib import Path
import numpy as np
from napari_ferry import imload, imsave
folder, name = Path(sys.argv[1]), sys.argv[2]
memory = np.memmap(folder / "m", np.uint16, "r", shape=(256, 512, 400)).transpose(2, 0, 1)
imsave(memory[:2, :8, :8], folder / name)
def resident(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1e3
Path("/proc/self/clear_refs").write_text("5")
before = resident("VmRSS")
imsave(memory, folder / name, overwrite=True)
print(resident("VmHWM") - before)
assert np.array_equal(imload(folder / name)[0].array[::57], memory[::57])
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is asked of Linux")
@pytest.mark.parametrize("name", ["movie.tif", "movie.bin"])
def test_memory_while_saving_a_transposed_map(name: str, tmp_path: Path):
    """Peak memory for 105 MB with frames scattered over the file, in MB."""
    memory = np.memmap(tmp_path / "m", np.uint16, "w+", shape=(256, 512, 400))
    memory[:] = np.arange(400, dtype=np.uint16)
    memory.flush()
    del memory
    status, out, err = run_python(_SAVE_TRANSPOSED, tmp_path, name)
    assert status == 0, err
    assert float(out) < 60


def test_a_file_gets_its_room_before_it_is_written(tmp_path: Path):
    path = tmp_path / "file.bin"
    with path.open("wb") as file:
        file.truncate(4 << 20)
    reserve(path)
    assert path.stat().st_size == 4 << 20
    if sys.platform == "linux":
        assert path.stat().st_blocks * 512 >= 4 << 20
