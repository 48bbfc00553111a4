"""Partial folders made by other users, or moved, copied or damaged."""

import itertools
import json
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from faults import (
    DIE_AT_RENAME,
    KINDS,
    contents,
    found,
    leftovers,
    movie,
    names,
    run_fork,
    version_of,
)
from napari_ferry import (
    FerryError,
    SaveCancelledError,
    TargetError,
    TargetExistsError,
    imload,
    imsave,
)
from napari_ferry.saving import interrupted_save
from napari_ferry.saving.partial.interruption import partial_folder, resumable_nonce

pytestmark = pytest.mark.leaves_partial

HEAD = {"plan": "x", "nonce": ""}


def tree(folder: Path) -> dict[str, object]:
    """Return everything below a folder: contents of files, targets of links, and types."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else stat.S_IFMT(path.lstat().st_mode)
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of files unrelated to the save."""
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "thesis.txt").write_text("precious")
    (home / ".profile").write_text("mine")
    (home / "sub" / "x").write_text("x")
    return home


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A target folder with files unrelated to the save."""
    data = tmp_path / "data"
    data.mkdir()
    imsave(movie(7), data / "other.tif")
    (data / "notes.txt").write_text("notes")
    return data


def foreign(data: Path, *lines: object, files: tuple[str, ...] = ()) -> Path:
    """Make a partial folder as another user could."""
    folder = partial_folder(data / "movie.tif")
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text)
    for name in files:
        (folder / name).write_text("not yours")
    return folder


def refused(data: Path, words: str = "delete it") -> None:
    """Assert a refusal in one sentence, with all files unchanged."""
    before = tree(data.parent)
    with pytest.raises(TargetError, match=words) as error:
        imsave(movie(1), data / "movie.tif", overwrite=True)
    assert str(partial_folder(data / "movie.tif")) in str(error.value)
    assert "choose another name" in str(error.value)
    assert tree(data.parent) == before


# --- names in a journal -----------------------------------------------------------------------

ODD_NAMES = [
    "../home/thesis.txt",
    "{home}/thesis.txt",
    "{home}/new.txt",
    "../../etc/x",
    "sub/../../home/thesis.txt",
    "./notes.txt",
    "notes.txt",
    "other.tif",
    "new.txt",
    "movie.tif/",
    "movie.tif\0",
    "C:notes.txt",
    "C:\\notes.txt",
    "..\\home\\thesis.txt",
    "\\\\host\\share\\x",
    "movie.tif:stream",
    ".1f0c83ab.ferry-partial",
    ".",
    "..",
    "",
    "\ud800",
    "x" * 300,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_move_to_another_name_is_refused(name: str, home: Path, data: Path):
    name = name.format(home=home)
    lines = HEAD, {"moves": [["new-0.tif", name]], "aside": [name]}
    foreign(data, *lines, files=("old-0", "new-0.tif"))
    refused(data)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_last_moves_to_another_name_are_refused(name: str, home: Path, data: Path):
    """The state after the first file was moved in place."""
    imsave(movie(2), data / "movie.tif")
    moves = [["new-0.tif", "movie.tif"], ["new-1.tif", name.format(home=home)]]
    foreign(data, HEAD, {"moves": moves, "aside": []}, files=("new-1.tif",))
    refused(data)


SOURCES = ["../home/thesis.txt", "{home}/thesis.txt", "lock", "journal.jsonl", "x.tif", "old-0"]
SOURCES += ["new-0/../../notes.txt", "new-\u0663.tif", "new-0.C:x", "", "new-0.a.b.c.d"]


@pytest.mark.parametrize("source", SOURCES)
def test_only_unfinished_files_are_moved(source: str, home: Path, data: Path):
    moves = [[source.format(home=home), "movie.tif"]]
    foreign(data, HEAD, {"moves": moves, "aside": []})
    refused(data, "journal that is damaged")


@pytest.mark.parametrize("stale", ["../home/thesis.txt", "notes.txt", "{home}/thesis.txt"])
def test_nothing_is_stale_because_a_journal_says_so(stale: str, home: Path, data: Path):
    stale = stale.format(home=home)
    foreign(data, HEAD, {"moves": [["new-0.tif", "movie.tif"]], "stale": [stale], "aside": []})
    before = tree(home), (data / "notes.txt").read_bytes()
    imsave(movie(1), data / "movie.tif")
    assert (tree(home), (data / "notes.txt").read_bytes()) == before
    assert version_of(data / "movie.tif") == 1


def test_a_file_that_stands_is_not_replaced_by_one_of_a_journal(data: Path):
    """Nor a file that may be replaced, if the save is cancelled later."""
    imsave(movie(2), data / "movie.tif")
    foreign(data, HEAD, {"moves": [["new-0.tif", "movie.tif"]], "aside": []}, files=("new-0.tif",))
    with pytest.raises(SaveCancelledError):
        imsave(movie(1), data / "movie.tif", overwrite=True, cancel=lambda: True)
    assert version_of(data / "movie.tif") == 2
    assert not leftovers(data)


def test_a_neighbor_is_no_part_because_a_journal_says_so(tmp_path: Path):
    """The pending file is a part of a series; the existing one is not."""
    data, parts = tmp_path / "data", tmp_path / "parts"
    data.mkdir()
    parts.mkdir()
    KINDS["series"].save(movie(1), parts)
    imsave(movie(7), data / "movie_00002.tif")
    folder = partial_folder(data / "movie_00000.tif")
    folder.mkdir()
    lines = HEAD, {"moves": [["new-2.tif", "movie_00002.tif"]], "aside": ["movie_00002.tif"]}
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("new-2.tif", "old-0"):
        shutil.copy(parts / "movie_00002.tif", folder / name)
    before = tree(data)
    with pytest.raises(TargetError, match=r"'movie_00002.tif', which is not a file of this save"):
        KINDS["series"].save(movie(2), data, overwrite=True)
    assert tree(data) == before


# --- folders not from a save ------------------------------------------------------------------


def _folder_is_link(home: Path, folder: Path) -> None:
    folder.symlink_to(home, target_is_directory=True)


def _folder_is_link_to_nothing(home: Path, folder: Path) -> None:
    folder.symlink_to(home / "new")


def _folder_is_file(home: Path, folder: Path) -> None:
    folder.write_text("a file")


def _folder_is_pipe(home: Path, folder: Path) -> None:
    os.mkfifo(folder)


def _entry(name: str, make: Callable[[Path, Path], object]) -> Callable[[Path, Path], None]:
    def prepare(home: Path, folder: Path) -> None:
        folder.mkdir()
        make(home, folder / name)

    prepare.__name__ = f"{name}: {make.__name__}"
    return prepare


def link_to_file(home: Path, path: Path) -> None:
    path.symlink_to(home / "thesis.txt")


def link_to_nothing(home: Path, path: Path) -> None:
    path.symlink_to(home / "new")


def link_to_folder(home: Path, path: Path) -> None:
    path.symlink_to(home, target_is_directory=True)


def second_name(home: Path, path: Path) -> None:
    path.hardlink_to(home / "thesis.txt")


def folder_of_files(home: Path, path: Path) -> None:
    shutil.copytree(home, path)


def empty_folder(home: Path, path: Path) -> None:
    path.mkdir()


def pipe(home: Path, path: Path) -> None:
    os.mkfifo(path)


def unix_socket(home: Path, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)  # names of sockets are limited in length
        server.bind(path.name)


def file_of_others(home: Path, path: Path) -> None:
    path.write_text("notes of a user")


ODD_FILES = [link_to_file, link_to_nothing, link_to_folder, second_name, folder_of_files]
ODD_FILES += [empty_folder, pipe, unix_socket]
OURS = ["lock", "journal.jsonl", "old-0", "new-0.tif", "new-0.tif.bands"]
FOREIGN = ["notes.txt", "old-0.txt", "new-0x.tif", "new-", "lock2", ".profile", "new-0.tif.a.b.c"]


@pytest.mark.sample(6)
@pytest.mark.skipif(sys.platform == "win32", reason="made the POSIX way")
@pytest.mark.parametrize(
    "prepare",
    [
        *(_folder_is_link, _folder_is_link_to_nothing, _folder_is_file, _folder_is_pipe),
        *(_entry(name, make) for name in OURS for make in ODD_FILES),
        *(_entry(name, file_of_others) for name in FOREIGN),
        *(_entry(name, empty_folder) for name in FOREIGN),
    ],
    ids=lambda prepare: prepare.__name__,
)
def test_what_no_save_makes_is_refused(prepare, home: Path, data: Path):
    prepare(home, partial_folder(data / "movie.tif"))
    before = tree(data.parent)
    assert interrupted_save(data / "movie.tif") is None
    assert resumable_nonce(data / "movie.tif") is None
    assert tree(data.parent) == before
    refused(data)


@pytest.mark.skipif(sys.platform == "win32", reason="files have other owners")
@pytest.mark.parametrize("name", ["", "old-0", "lock", "new-0.tif"])
def test_what_belongs_to_another_user_is_refused(name: str, data: Path):
    folder = foreign(data, HEAD, files=(name,) if name else ())
    if os.geteuid():
        pytest.skip("only root can give files away")
    os.chown(folder / name, 65534, 65534)
    data.chmod(0o1777)
    refused(data, "belongs to another user")


def test_a_file_system_with_one_owner_for_all_is_not_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    """On FAT and some network drives, all files have another owner."""
    foreign(data, HEAD)
    monkeypatch.setattr(os, "geteuid", lambda: 4711, raising=False)
    imsave(movie(1), data / "movie.tif")
    assert not leftovers(data)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no mode")
def test_others_cannot_put_files_into_the_folder(tmp_path: Path):
    modes: list[int] = []

    def look(_: object) -> None:
        modes.append(partial_folder(tmp_path / "movie.tif").stat().st_mode & 0o777)

    umask = os.umask(0)
    try:
        imsave(movie(1), tmp_path / "movie.tif", progress=look)
    finally:
        os.umask(umask)
    assert set(modes) == {0o755}


def test_what_a_save_of_ours_left_is_swept(data: Path):
    before = contents(data)
    files = ("new-0.tif", "new-12.json", "new-0.mp4.txt", "new-0.tif.bands", "new-3", "lock")
    foreign(data, HEAD, files=files)
    imsave(movie(1), data / "movie.tif")
    assert version_of(data / "movie.tif") == 1
    assert {**before, "movie.tif": contents(data)["movie.tif"]} == contents(data)
    assert not leftovers(data)


def test_files_that_were_set_aside_are_kept_without_a_journal(data: Path):
    foreign(data, HEAD, files=("old-0", "new-0.tif"))
    refused(data, "set aside")


# --- damaged journals -------------------------------------------------------------------------

DAMAGED = {
    "a list": b"[]\n",
    "a number": b"1\n",
    "null": b"null\n",
    "a text": b'"moves"\n',
    "an object": b"{}\n",
    "moves is a number": b'{"moves": 1, "aside": []}\n',
    "moves is an object": b'{"moves": {}, "aside": []}\n',
    "a short move": b'{"moves": [["new-0.tif"]], "aside": []}\n',
    "a long move": b'{"moves": [["new-0.tif", "a", "b"]], "aside": []}\n',
    "a move of numbers": b'{"moves": [[1, 2]], "aside": []}\n',
    "a move of lists": b'{"moves": [[[], []]], "aside": []}\n',
    "a move is text": b'{"moves": ["ab"], "aside": []}\n',
    "a move twice": b'{"moves": [["new-0", "a"], ["new-0", "b"]], "aside": []}\n',
    "a target twice": b'{"moves": [["new-0", "a"], ["new-1", "a"]], "aside": []}\n',
    "no aside": b'{"moves": [["new-0", "a"]]}\n',
    "aside is null": b'{"moves": [], "aside": null}\n',
    "aside of numbers": b'{"moves": [], "aside": [7]}\n',
    "aside of objects": b'{"moves": [], "aside": [{}]}\n',
    "plan is a number": b'{"plan": 1, "nonce": ""}\n',
    "nonce is an object": b'{"plan": "x", "nonce": {}}\n',
    "file without digest": b'{"file": "new-0.tif"}\n',
    "file is a list": b'{"file": ["a"], "digest": ""}\n',
    "digest is a number": b'{"file": "new-0.tif", "digest": 7}\n',
    "not UTF-8": b"\xff\xfe\n",
    "UTF-16": '{"plan": "x", "nonce": ""}\n'.encode("utf-16"),
    "zeros": bytes(4096) + b"\n",
    "very deep": b"[" * 200_000 + b"\n",
    "very deep objects": b'{"a":' * 100_000 + b"\n",
    "a huge number": b'{"plan": ' + b"9" * 100_000 + b"}\n",
    "empty lines": b"\n" * 100_000,
}
TORN = {
    "empty": b"",
    "torn zeros": bytes(4096),
    "torn": b'{"plan": "x", "nonce": ""}\n{"file": "new-0',
    "torn inside a letter": b'{"plan": "x", "nonce": ""}\n{"file": "\xc3',
}


@pytest.mark.parametrize("suffix", [".tif", ".bin"])
@pytest.mark.parametrize("text", [*DAMAGED.values(), *TORN.values()], ids=[*DAMAGED, *TORN])
def test_a_damaged_journal(text: bytes, suffix: str, tmp_path: Path):
    """A truncated last line is from a crash; other defects are refused."""
    path = tmp_path / f"movie{suffix}"
    folder = partial_folder(path)
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(text)
    (folder / "new-0.tif").write_text("unfinished")
    before = tree(tmp_path)
    with pytest.raises(FerryError, match=r"check its name"):
        imload(path)
    assert tree(tmp_path) == before
    if text in TORN.values():
        imsave(movie(1), path)
        assert version_of(path) == 1
        assert not leftovers(tmp_path)
    else:
        with pytest.raises(TargetError, match="damaged"):
            imsave(movie(1), path)
        assert tree(tmp_path) == before


_OPEN_AND_SAVE = """
import resource, sys, time
import numpy as np
from napari_ferry import FerryError, imload, imsave
path, start = sys.argv[1], time.process_time()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for act in (lambda: imload(path), lambda: imsave(np.zeros((2, 8, 8), "u2"), path)):
    try:
        act()
        print("no error")
    except FerryError:
        pass
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "memory"
most = 15 if sys.gettrace() is None else 90  # while coverage is measured
assert time.process_time() - start < most, "time"  # not that of other processes
"""


@pytest.mark.sample(2)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of Linux")
@pytest.mark.parametrize("what", ["10 GB", "lists", "pipe", "many lines"])
def test_a_journal_that_does_not_end(what: str, tmp_path: Path):
    path = tmp_path / "movie.tif"
    partial_folder(path).mkdir()
    journal = partial_folder(path) / "journal.jsonl"
    if what == "pipe":
        os.mkfifo(journal)
    elif what == "10 GB":
        journal.touch()
        os.truncate(journal, 10_000_000_000)
    elif what == "lists":
        journal.write_bytes(b'{"moves": [' + b"[]," * 2_500_000 + b'[]], "aside": []}\n')
    else:
        journal.write_bytes(b'{"file": "new-0.tif", "digest": ""}\n' * 200_000 + b"[]\n")
    status, out, err = run_fork(_OPEN_AND_SAVE, path)
    assert (status, out) == (0, ""), err


# --- killed at any call -----------------------------------------------------------------------

_DIE_AT_ANY_CALL = """
import itertools, os, shutil, sys
from pathlib import Path
from faults import KINDS, movie
start, out, kind = Path(sys.argv[1]), Path(sys.argv[2]), KINDS[sys.argv[3]]
version = int(sys.argv[4])
def die_at(n, folder):
    def dying(call):
        def count(*arguments, **options):
            nonlocal n
            if not n:
                os._exit(9)
            n -= 1
            return call(*arguments, **options)
        return count
    for name in ("mkdir", "replace", "unlink", "rmdir", "fsync"):
        setattr(os, name, dying(getattr(os, name)))
    kind.save(movie(version), folder, overwrite=True)
    os._exit(0)
for n in itertools.count():
    shutil.copytree(start, out / str(n))
    child = os.fork() or die_at(n, out / str(n))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9), status
    if not status:
        break
"""


@pytest.mark.sample(2)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed by its child")
@pytest.mark.parametrize("again", [1, 2])
@pytest.mark.parametrize(
    ("old", "old_version", "new", "version"),
    [
        ("series", 1, "series", 2),
        ("series", 2, "series", 1),
        ("series", 1, "tif", 2),
        ("tif", 1, "series", 2),
        ("bin", 1, "bin", 2),
    ],
)
def test_after_a_crash_at_any_call_old_or_new_is_whole_again(
    old: str, old_version: int, new: str, version: int, again: int, tmp_path: Path
):
    """A cancelled second save leaves all files of the old version, or all of the new one."""
    start, out, whole = tmp_path / "start", tmp_path / "out", tmp_path / "whole"
    for folder in (start, out, whole):
        folder.mkdir()
    KINDS[old].save(movie(old_version), start)
    KINDS[new].save(movie(version), whole)
    status, _, err = run_fork(_DIE_AT_ANY_CALL, start, out, new, version)
    assert status == 0, err
    outcomes = []
    for folder in sorted(out.iterdir(), key=lambda folder: int(folder.name)):
        with pytest.raises(SaveCancelledError):
            KINDS[new].save(movie(again), folder, overwrite=True, cancel=lambda: True)
        is_old = contents(folder) == contents(start)
        outcomes.append(is_old)
        if not is_old:
            assert version_of(folder / KINDS[new].name) == version
            assert names(folder) == names(whole)
    assert outcomes == sorted(outcomes, reverse=True)
    assert {True, False} == set(outcomes)


# --- moved, renamed, copied -------------------------------------------------------------------

RENAMES = [("bin", n) for n in range(4)] + [("series", n) for n in range(5)]
each_rename = pytest.mark.parametrize(("kind", "n"), RENAMES)


def interrupt(kind: str, folder: Path, n: int) -> None:
    """Kill a save of version 2 over version 1 before its n-th rename."""
    folder.mkdir()
    KINDS[kind].save(movie(1), folder)
    status, _, err = run_fork(DIE_AT_RENAME, kind, folder, n)
    assert status == 9, err


@each_rename
def test_a_renamed_folder_is_saved_to_again(kind: str, n: int, tmp_path: Path):
    interrupt(kind, tmp_path / "exp", n)
    folder = (tmp_path / "exp").rename(tmp_path / "monday")
    assert found(folder / KINDS[kind].name) in ("v1", "said")
    KINDS[kind].save(movie(3), folder, overwrite=True)
    assert version_of(folder / KINDS[kind].name) == 3
    assert len(names(folder)) == {"series": 3, "bin": 2}[kind]


@each_rename
def test_a_copied_folder_leaves_the_original_alone(kind: str, n: int, tmp_path: Path):
    interrupt(kind, tmp_path / "exp", n)
    shutil.copytree(tmp_path / "exp", tmp_path / "copy")
    KINDS[kind].save(movie(3), tmp_path / "exp", overwrite=True)
    original = tree(tmp_path / "exp")
    with pytest.raises(SaveCancelledError):
        KINDS[kind].save(movie(5), tmp_path / "copy", overwrite=True, cancel=lambda: True)
    assert version_of(tmp_path / "copy" / KINDS[kind].name) == (1 if n <= len(original) else 2)
    assert not leftovers(tmp_path / "copy")
    assert tree(tmp_path / "exp") == original


@each_rename
def test_files_that_were_restored_are_kept(kind: str, n: int, tmp_path: Path):
    """The user restores a copy of the old files, unaware of the hidden folder."""
    interrupt(kind, tmp_path / "exp", n)
    (tmp_path / "backup").mkdir()
    KINDS[kind].save(movie(3), tmp_path / "backup")
    shutil.copytree(tmp_path / "backup", tmp_path / "exp", dirs_exist_ok=True)
    assert version_of(tmp_path / "exp" / KINDS[kind].name) == 3
    with pytest.raises(SaveCancelledError):
        KINDS[kind].save(movie(2), tmp_path / "exp", overwrite=True, cancel=lambda: True)
    assert contents(tmp_path / "exp") == contents(tmp_path / "backup")
    assert not leftovers(tmp_path / "exp")


@pytest.mark.parametrize(
    ("n", "gone", "lost"),
    [
        (2, "old-0", "movie.bin"),
        (2, "old-1", "movie.json"),
        (3, "../movie.bin", "movie.bin"),
        (3, "new-1.json", None),
        (3, "old-0", None),
        (2, "new-0.bin", "movie.bin"),
        (1, "../movie.json", "movie.json"),
    ],
)
def test_what_is_left_of_lost_files_is_not_deleted(
    n: int, gone: str, lost: str | None, tmp_path: Path
):
    """A copy of the folder is incomplete, or the user has deleted a file."""
    interrupt("bin", tmp_path / "exp", n)
    path = tmp_path / "exp" / "movie.bin"
    (partial_folder(path) / gone).unlink()
    before = tree(tmp_path)
    if lost:
        with pytest.raises(TargetError, match=f"{lost}' is gone"):
            KINDS["bin"].save(movie(1), tmp_path / "exp", overwrite=True)
        assert tree(tmp_path) == before
    else:
        KINDS["bin"].save(movie(1), tmp_path / "exp", overwrite=True)
        assert version_of(path) == 1


def test_a_journal_that_lost_its_moves_deletes_nothing(tmp_path: Path):
    interrupt("bin", tmp_path / "exp", 2)
    journal = partial_folder(tmp_path / "exp" / "movie.bin") / "journal.jsonl"
    journal.write_bytes(bytes(journal.stat().st_size))
    before = tree(tmp_path)
    with pytest.raises(TargetError, match="set aside"):
        KINDS["bin"].save(movie(1), tmp_path / "exp", overwrite=True)
    assert tree(tmp_path) == before


def test_a_torn_line_does_not_hide_those_that_follow(tmp_path: Path):
    """A save resumed after a truncated line can be interrupted again."""
    code = DIE_AT_RENAME.replace("movie(2)", "movie(1)")
    status, _, err = run_fork(code, "series", tmp_path, 0)
    assert status == 9, err
    journal = partial_folder(tmp_path / "movie_00000.tif") / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + b'{"moves": [["new-')
    status, _, err = run_fork(code, "series", tmp_path, 2)
    assert status == 9, err
    assert found(tmp_path / "movie_00000.tif") == "said"
    with pytest.raises(SaveCancelledError):
        KINDS["series"].save(movie(3), tmp_path, overwrite=True, cancel=lambda: True)
    assert version_of(tmp_path / "movie_00000.tif") == 1


@pytest.mark.parametrize("n", range(4))
def test_targets_in_several_folders(n: int, tmp_path: Path):
    """The sidecar is a link to a file in a folder below."""
    folder, elsewhere = tmp_path / "exp", tmp_path / "exp" / "meta"
    elsewhere.mkdir(parents=True)
    KINDS["bin"].save(movie(1), folder)
    (folder / "movie.json").rename(elsewhere / "about.json")
    (folder / "movie.json").symlink_to(elsewhere / "about.json")
    KINDS["bin"].save(movie(3), folder, overwrite=True)
    assert version_of(folder / "movie.bin") == 3
    assert names(elsewhere) == ["about.json"]
    status, _, err = run_fork(DIE_AT_RENAME, "bin", folder, n)
    assert status == 9, err
    if (folder / "movie.json").exists():
        KINDS["bin"].save(movie(1), folder, overwrite=True)
        assert version_of(folder / "movie.bin") == 1
        assert not leftovers(folder)
    else:  # a broken link may come from anyone
        with pytest.raises(TargetError, match=r"link to .*about.json, which does not exist"):
            KINDS["bin"].save(movie(1), folder, overwrite=True)
        assert found(folder / "movie.bin") == "said"
    assert (folder / "movie.json").is_symlink()


@pytest.mark.parametrize("n", range(4))
def test_a_data_file_that_is_a_link(n: int, tmp_path: Path):
    folder, elsewhere = tmp_path / "exp", tmp_path / "large"
    folder.mkdir()
    elsewhere.mkdir()
    KINDS["bin"].save(movie(1), folder)
    (folder / "movie.bin").rename(elsewhere / "run.bin")
    (folder / "movie.bin").symlink_to(elsewhere / "run.bin")
    status, _, err = run_fork(DIE_AT_RENAME, "bin", folder, n)
    assert status == 9, err
    KINDS["bin"].save(movie(3), folder, overwrite=True)
    assert version_of(folder / "movie.bin") == 3
    assert (folder / "movie.bin").is_symlink()
    assert names(elsewhere) == ["run.bin"]


@pytest.mark.parametrize("n", range(4))
def test_a_data_file_with_a_second_name(n: int, tmp_path: Path):
    """Backups with hard links give files additional names."""
    KINDS["bin"].save(movie(1), tmp_path)
    (tmp_path / "backup").hardlink_to(tmp_path / "movie.bin")
    before = (tmp_path / "backup").read_bytes()
    status, _, err = run_fork(DIE_AT_RENAME, "bin", tmp_path, n)
    assert status == 9, err
    KINDS["bin"].save(movie(3), tmp_path, overwrite=True)
    assert version_of(tmp_path / "movie.bin") == 3
    assert (tmp_path / "backup").read_bytes() == before
    assert not leftovers(tmp_path)


# --- interrupts between the moves -------------------------------------------------------------


@contextmanager
def interrupted_moves(*numbers: int, is_done: bool) -> Iterator[None]:
    """Interrupt the moves with these numbers, before they are done or just after."""
    count, replace = itertools.count(1), os.replace

    def interrupted(*paths: Any) -> None:
        is_chosen = next(count) in numbers
        if is_done or not is_chosen:
            replace(*paths)
        if is_chosen:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        yield


@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_an_interrupted_move_is_undone(n: int, is_done: bool, tmp_path: Path):
    KINDS["series"].save(movie(1), tmp_path)
    before = contents(tmp_path)
    with interrupted_moves(n, is_done=is_done), pytest.raises(KeyboardInterrupt):
        KINDS["tif"].save(movie(2), tmp_path, overwrite=True)
    assert contents(tmp_path) == before
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("n", range(2, 4))
@pytest.mark.filterwarnings("ignore:A save of movie.tif was stopped")
def test_a_second_interrupt_keeps_the_earlier_files(n: int, tmp_path: Path):
    KINDS["series"].save(movie(1), tmp_path)
    with interrupted_moves(n, n + 1, is_done=False), pytest.raises(KeyboardInterrupt):
        KINDS["tif"].save(movie(2), tmp_path, overwrite=True)
    with pytest.raises(FerryError, match=r"the new movie\.tif and the earlier files are still in"):
        imload(tmp_path / "movie_00000.tif")
    KINDS["tif"].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / "movie.tif") == 2
    assert not leftovers(tmp_path)


def test_a_file_that_appears_during_the_moves_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    KINDS["series"].save(movie(1, frames=4), tmp_path)
    before, replace = contents(tmp_path), os.replace

    def acquire(*paths: Any) -> None:
        (tmp_path / "movie_00002.tif").write_bytes(b"acquired meanwhile")
        replace(*paths)

    monkeypatch.setattr(os, "replace", acquire)
    with pytest.raises(TargetExistsError, match="by another"):
        KINDS["series"].save(movie(3, frames=6), tmp_path, overwrite=True)
    assert contents(tmp_path) == before | {"movie_00002.tif": b"acquired meanwhile"}
