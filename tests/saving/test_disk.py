"""The lock of a save: excludes other saves, and never minds readers."""

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import fork
from napari_ferry.saving.disk.plain_files import is_locked, lock_open

_HOLD = """
import os, signal, sys
from napari_ferry.saving.disk.plain_files import lock_open
fd = os.open(sys.argv[1], os.O_RDWR)
lock_open(fd, sys.argv[1])
print("locked", flush=True)
signal.pause()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


@pytest.fixture
def fd(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def test_a_lock_of_this_process_is_seen(path: Path, fd: int):
    assert not is_locked(path)
    lock_open(fd, path)
    assert is_locked(path)
    assert is_locked(path), "looking at a lock has released it"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed by its parent")
def test_a_lock_of_another_process_is_seen_until_it_ends(path: Path):
    with fork(_HOLD, path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        assert is_locked(path)
    assert not is_locked(path)


def test_a_lock_is_taken_once(path: Path, fd: int):
    lock_open(fd, path)
    other = os.open(path, os.O_RDWR)
    with pytest.raises(BlockingIOError):
        lock_open(other, path)
    os.close(other)
    assert is_locked(path)


def test_looking_for_a_missing_lock_creates_nothing(tmp_path: Path):
    assert not is_locked(tmp_path / "folder" / "lock")
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_in_its_place_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="locks of a forked process")
def test_a_fork_does_not_keep_the_lock_of_a_reader(
    path: Path, fd: int, monkeypatch: pytest.MonkeyPatch
):
    """A process forked while a reader looks at a lock inherits its open file."""
    inherited = []
    close = os.close
    monkeypatch.setattr(os, "close", lambda fd: (inherited.append(os.dup(fd)), close(fd)))
    assert not is_locked(path)
    monkeypatch.undo()
    lock_open(fd, path)
    os.close(inherited[0])


def test_readers_do_not_make_a_save_fail(path: Path):
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            is_locked(path)

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(50):
            fd = os.open(path, os.O_RDWR)
            try:
                lock_open(fd, path)
            finally:
                os.close(fd)
    finally:
        done.set()
        for reader in readers:
            reader.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="made the POSIX way")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_locks_of_a_file_system_without_locks_are_not_known(
    code: int, path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert is_locked(path) is None
