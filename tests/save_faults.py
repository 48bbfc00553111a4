"""Saves over an old file that are killed, refused or short of space at each file operation."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from faults import ALL_KINDS, Kind, contents, found, leftovers, movie, names, version_of
from napari_ferry import FerryError, FerryWarning
from napari_ferry.saving.partial.interruption import partial_folder
from operations import Operations, fail, interrupt

FAULTS = {name: fail(getattr(errno, name)) for name in ("EIO", "ENOSPC", "EACCES")}
FAULTS |= {"interrupt": interrupt}
"""What happens instead of an operation: an error of the system, or Ctrl+C."""


@dataclass
class Tally:
    """What was found after each fault, and sentences about what must not be."""

    found: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def check(self, event: str, kind: Kind, case: Path, start: Path, said: Ending) -> None:
        """Compare a folder with what was said about the save; save again, and look once more."""
        try:
            self.found[said.judge(kind, case, start)] += 1
        except AssertionError as error:
            self.wrong.append(f"{event}: {error}"[:400])
        try:
            _save_again(kind, case)
        except (AssertionError, FerryError, OSError) as error:
            self.wrong.append(f"{event}: then {type(error).__name__}: {error}"[:400])


@dataclass(kw_only=True)
class Ending:
    """How a save of version 2 over version 1 ended: its error, and what its warnings say."""

    error: BaseException | None = None
    text: str = ""
    cause: str = ""
    is_stopped: bool = False

    def judge(self, kind: Kind, case: Path, start: Path) -> str:
        """Return what is there: ``old``, ``new``, or ``said`` where a message names the files."""
        state = _state(kind, case, start, self.text)
        hidden = partial_folder(case / kind.name)
        if self.is_stopped:
            assert state != "torn", "neither the old nor the new is whole"
            return state
        if self.error is None:
            assert state in ("new", "kept"), f"the save succeeded, but {state} is there"
        elif isinstance(self.error, FerryError):
            assert self.cause in self.text, f"{self.text!r} does not say {self.cause!r}"
            assert state == "old" or str(hidden) in self.text, f"{self.text!r}, but {state}"
            assert state != "torn", self.text
        else:
            raise AssertionError(f"{type(self.error).__name__}: {self.error}")
        assert not hidden.exists() or str(hidden) in self.text, f"{self.text!r} leaves {hidden}"
        return state


def _state(kind: Kind, case: Path, start: Path, text: str) -> str:
    """Return which version is complete; ``kept`` if it is new and a file of the old is named."""
    if contents(case) == contents(start):
        return "old"
    try:
        state = found(case / kind.name)
    except (AssertionError, FerryError):
        return "torn"
    if state == "said":
        return state
    visible, expected = _visible(case), _names_of(kind, int(state[1:]))
    if visible != expected:
        is_named = all(name in text for name in {*visible} ^ {*expected})
        return "kept" if state == "v2" and {*expected} < {*visible} and is_named else "torn"
    return {"v1": "old", "v2": "new"}[state]


def _visible(folder: Path) -> list[str]:
    return [name for name in names(folder) if name not in leftovers(folder)]


@cache
def _names_of(kind: Kind, version: int) -> list[str]:
    """Return the names of the files of a version."""
    with tempfile.TemporaryDirectory() as folder:
        kind.save(movie(version), Path(folder))
        return names(Path(folder))


def _save_again(kind: Kind, case: Path) -> None:
    """Save version 1; nothing but its files may be left."""
    kind.save(movie(1), case, overwrite=True)
    assert version_of(case / kind.name) == 1
    assert names(case) == _names_of(kind, 1), f"{names(case)} are left"


def _start(name: str, folder: Path) -> Path:
    """Return a folder with version 1."""
    start = folder / "start"
    start.mkdir()
    ALL_KINDS[name].save(movie(1), start)
    return start


def fail_at_each(name: str, folder: Path, fault: str, *, step: int = 1) -> Tally:
    """Save over an old file, with a fault at each file operation, or at each of every few."""
    tally, kind, start = Tally(), ALL_KINDS[name], _start(name, folder)
    for n in itertools.count(1, step):
        case = folder / str(n)
        shutil.copytree(start, case)
        operations = Operations(folder=case, at=n, fault=FAULTS[fault])
        ending = _save(kind, case, operations)
        ending.cause = os.strerror(getattr(errno, fault)) if hasattr(errno, fault) else ""
        if len(operations.calls) < n:
            return tally
        tally.check(f"{n} {operations.calls[n - 1]}", kind, case, start, ending)
        shutil.rmtree(case)
    raise AssertionError


def _save(kind: Kind, case: Path, operations: Operations) -> Ending:
    """Save version 2, and return how that ended."""
    ending = Ending()
    with warnings.catch_warnings(record=True) as caught, operations.watched():
        warnings.simplefilter("always", FerryWarning)
        try:
            kind.save(movie(2), case, overwrite=True)
        except KeyboardInterrupt:
            ending.is_stopped = True
        except Exception as error:  # noqa: BLE001 - any other than ours is what this looks for
            ending.error = error
    said = [*(str(one.message) for one in caught), *([str(ending.error)] if ending.error else [])]
    ending.text = " ".join(said)
    return ending


def kill_at_each(name: str, folder: Path, *, step: int = 1) -> Tally:
    """Save over an old file in forks that die, each at another one of the file operations."""
    tally, kind, start = Tally(), ALL_KINDS[name], _start(name, folder)
    for n in itertools.count(1, step):
        case = folder / str(n)
        shutil.copytree(start, case)
        child = os.fork()
        if not child:
            with suppress(BaseException), Operations(folder=case, at=n).watched():
                kind.save(movie(2), case, overwrite=True)
            os._exit(0)  # not reached where the process has died
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if not status:
            return tally
        tally.check(f"{n}", kind, case, start, Ending(is_stopped=True))
        shutil.rmtree(case)
    raise AssertionError


def full_disks(name: str, folder: Path, sizes: int) -> Tally:
    """Save over an old file where a disk is full after some bytes, for several numbers of them."""
    tally, kind, start = Tally(), ALL_KINDS[name], _start(name, folder)
    counted = Operations(folder=folder / "counted")
    shutil.copytree(start, folder / "counted")
    _save(kind, folder / "counted", counted)
    for k in range(sizes):
        case = folder / str(k)
        shutil.copytree(start, case)
        room = counted.written * k // sizes
        full = Operations(folder=case, room=room, fault=fail(errno.ENOSPC))
        tally.check(f"room for {room} bytes", kind, case, start, _save(kind, case, full))
        shutil.rmtree(case)
    return tally


@contextmanager
def small_disk(folder: Path, nbytes: int) -> Iterator[Path]:
    """Mount a disk of some bytes in memory.

    Raises
    ------
    OSError
        Only root can do that, on Linux.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={nbytes}", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        folder.rmdir()
        raise OSError(errno.EPERM, "only root can make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


def small_disks(name: str, folder: Path, sizes: int) -> Tally:
    """Save over an old file on disks with room for it and for a part of a second one."""
    tally, kind, start = Tally(), ALL_KINDS[name], _start(name, folder)
    page = 4096
    used = sum(-(-path.stat().st_size // page) for path in start.rglob("*"))
    for k in range(sizes):
        room = page * (used + 1 + (2 * used + 6) * k // sizes)
        with small_disk(folder / str(k), room) as case:
            shutil.copytree(start, case, dirs_exist_ok=True)
            ending = _save(kind, case, Operations(folder=case))
            try:
                tally.found[ending.judge(kind, case, start)] += 1
                assert not leftovers(case), f"{leftovers(case)} are left"
            except AssertionError as error:
                tally.wrong.append(f"room for {room} bytes: {error}"[:400])
    return tally
