"""Readers that meet a save while it moves its files in place, or after it was stopped then."""

from __future__ import annotations

import errno
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from faults import (
    ALL_KINDS,
    DIE_AT_RENAME,
    KINDS,
    contents,
    fork,
    movie,
    names,
    run_fork,
    version_of,
)
from napari_ferry import FerryError, FerryWarning, TargetError, imload, load_binary, load_images
from napari_ferry.cli import main
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.plugin import commands
from napari_ferry.saving import interrupted_save
from napari_ferry.saving.partial.interruption import partial_folder

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed by its parent")

_PAUSE_AT_RENAME = """
import os, signal, sys
from pathlib import Path
from faults import KINDS, movie
left, replace = int(sys.argv[3]), os.replace
def pausing(*places, **options):
    global left
    if not left:
        print("paused", flush=True)
        signal.pause()
    left -= 1
    replace(*places, **options)
os.replace = pausing
KINDS[sys.argv[1]].save(movie(2), Path(sys.argv[2]), overwrite=True)
"""

NEW, OLD = ["movie_00000.tif", "movie_00001.tif"], ["movie_00002.tif"]
SWAPS = {
    "nothing before": ("series", None, 1, ["movie.tif", *NEW]),
    "parts before, aside": ("series", "series", 2, ["movie.tif", *NEW, *OLD]),
    "parts before, new": ("series", "series", 4, ["movie.tif", *NEW, *OLD]),
    "one file before": ("series", "tif", 2, ["movie.tif", *NEW]),
    "one file after": ("tif", "series", 2, ["movie.tif", *NEW, *OLD]),
    "raw, both aside": ("bin", "bin", 2, ["movie.bin", "movie.json"]),
    "raw, one aside": ("bin", "bin", 1, ["movie.bin", "movie.json"]),
    "raw, one new": ("bin", "bin", 3, ["movie.bin", "movie.json"]),
}
"""Kind of a save, kind of the files before it, its next rename, and names to open."""

each_swap = pytest.mark.parametrize(
    ("kind", "before", "n", "opened"), SWAPS.values(), ids=SWAPS.keys()
)


def _read_in_napari(path: Path) -> object:
    suffix = "" if path.is_dir() else path.suffix
    readers = {"": "folder", ".tif": "tiff", ".bin": "binary", ".json": "binary"}
    reader = getattr(commands, f"get_{readers[suffix]}_reader")(str(path))
    # napari itself refuses a missing file with a suffix of many programs
    return imload(path) if reader is None and suffix == ".json" else reader(str(path))


def _read_array(path: Path) -> object:
    return (load_binary if path.suffix in (".bin", ".json") else load_images)(path)


DOORS: list[Callable[[Path], object]] = [imload, _read_array, _read_in_napari]


def messages(path: Path) -> set[str]:
    """Return the messages on opening a file in every way; it cannot be opened in any."""
    said = set()
    for door in DOORS:
        with pytest.raises(FerryError) as refused:
            door(path)
        said.add(str(refused.value))
    return said


@pytest.mark.sample(3)
@needs_fork
@pytest.mark.leaves_partial
@each_swap
def test_a_save_is_in_progress_until_it_is_killed(
    kind: str, before: str | None, n: int, opened: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    if before:
        KINDS[before].save(movie(1), tmp_path)
    asked = KINDS[kind].asked
    with fork(_PAUSE_AT_RENAME, kind, tmp_path, n) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "paused\n"
        found = names(tmp_path)
        for name in opened:
            (message,) = messages(tmp_path / name)
            assert message == (
                f"A save of {asked} is in progress, and its files are being moved in place: open "
                "it again when the save is finished."
            )
            assert main(["info", str(tmp_path / name)]) == 1
            assert capsys.readouterr().err == f"napari-ferry: {message}\n"
        assert names(tmp_path) == found

    folder = partial_folder(tmp_path / KINDS[kind].name)
    for name in opened:
        (message,) = messages(tmp_path / name)
        assert message.startswith(f"A save of {asked} was stopped while")
        assert f"still in {folder}; save again" in message
    KINDS[kind].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / KINDS[kind].name) == 2


@needs_fork
@pytest.mark.leaves_partial
def test_without_locks_it_is_not_known_whether_a_save_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    KINDS["bin"].save(movie(1), tmp_path)
    status, _, err = run_fork(DIE_AT_RENAME, "bin", tmp_path, 3)
    assert status == 9, err

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", refuse)
        (message,) = messages(tmp_path / "movie.bin")
    assert message.startswith("A save of movie.bin is moving its files in place, or was stopped")
    assert "no locks, so it is not known which: wait for any save that is running" in message
    (message,) = messages(tmp_path / "movie.bin")
    assert message.startswith("A save of movie.bin was stopped while")


@contextmanager
def paused_save(kind: str, folder: Path, n: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Save version 2 in another thread, and stop before its n-th rename until the end."""
    is_there, go, replace = threading.Event(), threading.Event(), os.replace
    left = iter(range(n, -100, -1))

    def pausing(a: Path, b: Path) -> None:
        if next(left) == 0:
            is_there.set()
            go.wait()
        replace(a, b)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", pausing)
        saver = threading.Thread(
            target=ALL_KINDS[kind].save, args=(movie(2), folder), kwargs={"overwrite": True}
        )
        saver.start()
        try:
            assert is_there.wait(20)
            yield
        finally:
            go.set()
            saver.join()


@pytest.mark.parametrize("kind", ["series", "bin"])
def test_a_save_in_another_thread_is_finished_despite_readers(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    KINDS[kind].save(movie(1), tmp_path)
    with paused_save(kind, tmp_path, 3, monkeypatch):
        for path in sorted(tmp_path.glob("movie*")):
            for message in messages(path):
                assert "is in progress" in message
    assert version_of(tmp_path / KINDS[kind].name) == 2
    assert len(names(tmp_path)) == 2


def test_files_missing_from_a_folder_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    KINDS["bin"].save(movie(1), tmp_path)
    with paused_save("bin", tmp_path, 2, monkeypatch):
        with pytest.raises(FerryError, match="is in progress"):
            imload(tmp_path)
        with pytest.raises(FerryError, match="is in progress"):
            load_binary(tmp_path)
        np.zeros((2, 3, 4), "u1").tofile(tmp_path / "other.bin")
        (tmp_path / "other.json").write_text('{"frames": 2, "y": 3, "x": 4, "dtype": "uint8"}')
        message = r"are left out: A save of movie\.bin is in progress"
        with pytest.warns(FerryWarning, match=message) as caught:
            (image,) = imload(tmp_path)
        assert caught[0].filename == __file__
        assert image.name == "other"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(imload(tmp_path)) == 2


def test_a_frame_is_not_opened_without_those_on_their_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ALL_KINDS["png"].save(movie(1), tmp_path)
    with paused_save("png", tmp_path, 7, monkeypatch):
        assert [name for name in names(tmp_path) if name.endswith(".png")] == ["movie_0001.png"]
        with pytest.raises(FerryError, match=r"A save of movie\.png is in progress"):
            imload(tmp_path / "movie_0001.png")


def test_a_folder_of_parts_on_their_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    KINDS["series"].save(movie(1), tmp_path)
    with paused_save("series", tmp_path, 4, monkeypatch):
        for message in messages(tmp_path):
            assert message.startswith("A save of movie.tif is in progress")


def test_several_parts_opened_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    KINDS["series"].save(movie(1), tmp_path)
    paths = [str(path) for path in sorted(tmp_path.glob("*.tif"))]
    with paused_save("series", tmp_path, 4, monkeypatch):
        read = commands.get_tiff_reader(paths)
        with pytest.raises(FerryError, match=r"A save of movie\.tif is in progress"):
            read(paths)


def test_a_save_that_is_finished_just_then_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The file is in place when the reader has seen that it is missing."""
    KINDS["bin"].save(movie(1), tmp_path)
    path = tmp_path / "movie.bin"
    exists = Path.exists
    with paused_save("bin", tmp_path, 2, monkeypatch):
        was_there = exists(path)
    answers = iter([was_there])
    monkeypatch.setattr(Path, "exists", lambda self: next(answers, None) or exists(self))
    assert version_of(path) == 2


def test_no_sidecar_is_made_for_a_pair_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    KINDS["bin"].save(movie(1), tmp_path)
    with paused_save("bin", tmp_path, 3, monkeypatch):
        layout = Layout(dtype=np.dtype("u2"), offset=0, frames=4, y=128, x=128, gap=0)
        with pytest.raises(TargetError, match=r"A save of movie\.bin is in progress"):
            plan_sidecar(tmp_path / "movie.bin", layout)
    assert version_of(tmp_path / "movie.bin") == 2


@pytest.mark.leaves_partial
@needs_fork
def test_files_next_to_an_interrupted_save_have_errors_of_their_own(tmp_path: Path):
    status, _, err = run_fork(DIE_AT_RENAME, "series", tmp_path, 1)
    assert status == 9, err
    (tmp_path / "other.tif").write_text("text")
    with pytest.raises(FerryError, match="not a TIFF file"):
        imload(tmp_path / "other.tif")
    with pytest.raises(FerryError, match=r"another\.tif is not there"):
        imload(tmp_path / "another.tif")
    assert interrupted_save(tmp_path / "another.tif") is None


@pytest.mark.parametrize("kind", ["series", "bin"])
def test_files_replaced_while_they_are_opened_are_not_mixed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A whole save happens between two steps of opening."""
    KINDS[kind].save(movie(1), tmp_path)
    before = contents(tmp_path)

    def saving(path: Path, *rest: object) -> object:
        if contents(tmp_path) == before:  # the first time
            KINDS[kind].save(movie(2), tmp_path, overwrite=True)
        return original(path, *rest)

    places = {
        "bin": "codecs.binary.codec.read_sidecar",
        "series": "codecs.tiff.images.read.check_parts",
    }
    place = places[kind]
    module, name = place.rsplit(".", 1)
    original = vars(__import__(f"napari_ferry.{module}", fromlist=[name]))[name]
    monkeypatch.setattr(f"napari_ferry.{place}", saving)
    with pytest.raises(FerryError, match="has changed since it was opened: open it again"):
        imload(tmp_path / KINDS[kind].name)
    assert version_of(tmp_path / KINDS[kind].name) == 2


def test_the_name_of_a_series_is_in_its_plan(tmp_path: Path):
    from napari_ferry import plan

    planned = plan(movie(1), tmp_path / "movie.tif", size_cap=1e-4)
    assert (planned.name, planned.paths[0].name) == ("movie.tif", "movie_00000.tif")
    assert tiff.plan([movie(1)], tmp_path / "movie.tif").name == ""
