"""The folder beside a target in which a save grows, and the step that puts it in place.

A save to ``movie.tif`` grows in ``.movie.tif.ferry-partial/``, which holds the unfinished files, a
lock and a journal. When everything is whole and flushed, the files are moved to their places. One
file is replaced in one step. Of several, the old ones are set aside first and the new ones moved in
after, so that old and new are never mixed; the journal says what was on its way.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xxhash

from napari_ferry.disk import sync_folder, sync_open
from napari_ferry.errors import SaveError, TargetError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX = ".ferry-partial"
_LOCK, _JOURNAL = "lock", "journal.jsonl"
_SMALL = 1 << 20


def partial_folder(target: Path) -> Path:
    """Return the folder in which a save to `target` grows."""
    name = target.name
    if len(os.fsencode(name)) > 200:
        name = xxhash.xxh3_64_hexdigest(os.fsencode(name))
    return target.with_name(f".{name}{SUFFIX}")


def interrupted_save(target: Path) -> str | None:
    """Say which files a save left behind when it was stopped while moving them in place.

    Returns
    -------
    str or None
        A sentence that names the files still on their way, ``None`` when there are none.
    """
    folder = partial_folder(target)
    moves = [(folder / a, Path(b)) for a, b in _read_journal(folder).get("moves", [])]
    waiting = [final.name for partial, final in moves if partial.exists()]
    if not waiting:
        return None
    return (
        f"A save of {target.name} was stopped while its files were moved in place: the new "
        f"{', '.join(waiting)} and the earlier files are still in {folder}; "
        "save again, or move them by hand."
    )


def kept_nonce(target: Path) -> str | None:
    """Return the nonce of an interrupted save to `target` that may be taken up again."""
    nonce = _read_journal(partial_folder(target)).get("nonce")
    return nonce if isinstance(nonce, str) and nonce else None


class PartialFolder:
    """The folder of one save, locked while it is used.

    Parameters
    ----------
    target : Path
        The first file of the save; the folder stands beside it.
    fingerprint : str
        What the save is. A folder that an interrupted save of the same fingerprint left is
        taken up again; any other is swept away.
    nonce : str
        What the files of the save carry to be told from those of others.
    """

    def __init__(self, target: Path, fingerprint: str, nonce: str = "") -> None:
        self.target = target
        self.path = partial_folder(target)
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.done: dict[str, list[str]] = {}
        self._lock_fd = -1
        self._is_torn = False

    def open(self) -> None:
        """Make or take over the folder.

        Raises
        ------
        TargetError
            Another save to the same target is under way.
        """
        self.path.mkdir(exist_ok=True)
        self._lock_fd = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        if not self._lock():
            os.close(self._lock_fd)
            raise TargetError(
                f"Another save to {self.target} is under way: wait for it, or choose another name."
            )
        with contextlib.ExitStack() as undo:
            undo.callback(lambda: self.close(keep="moves" in _read_journal(self.path)))
            self._take_over()
            undo.pop_all()

    def _take_over(self) -> None:
        """Finish or take up what an interrupted save left, or sweep it away."""
        journal = _read_journal(self.path)
        if "moves" in journal:
            self._move([(self.path / a, Path(b)) for a, b in journal["moves"]])
            for stale in journal.get("stale", []):
                Path(stale).unlink(missing_ok=True)
        is_same = (journal.get("plan"), journal.get("nonce")) == (self.fingerprint, self.nonce)
        if is_same and "moves" not in journal:
            self.done = journal["files"]
            return
        self._sweep()
        # The first file that is whole flushes this line with its own.
        self._note({"plan": self.fingerprint, "nonce": self.nonce}, flush=False)

    def file(self, name: str) -> Path:
        """Return where the unfinished file of that name grows."""
        return self.path / name

    def note_whole(self, name: str, digests: list[str]) -> None:
        """Note that a file is whole and flushed, and what pixels it was made of."""
        self.done[name] = digests
        self._note({"file": name, "digests": digests})

    def commit(self, moves: Sequence[tuple[str, Path]], stale: Sequence[Path]) -> None:
        """Put the finished files in their places, and take away `stale` ones.

        Parameters
        ----------
        moves : sequence of (str, Path)
            Name in this folder, and place.
        stale : sequence of Path
            Files of the data set that is replaced, which the new one does not have.

        Raises
        ------
        OSError
            A file could not be moved; the earlier files are back in their places.
        """
        steps = [(self.file(n), place) for n, place in moves if not _same(self.file(n), place)]
        if len(steps) == 1 and not stale:
            self._move(steps)
        elif steps or stale:
            self._swap(steps, stale)
        sync_folder(self.target.parent)

    def close(self, *, keep: bool = False) -> None:
        """Remove the folder, unless it is kept for taking the save up again."""
        keep = keep or self._is_torn
        try:
            if not keep:
                self._sweep()
            if not keep and sys.platform != "win32":
                self._remove()
        finally:
            os.close(self._lock_fd)
        if not keep and sys.platform == "win32":  # where what is open cannot be removed
            self._remove()

    def _remove(self) -> None:
        # While it is locked, so that no other save takes this lock that is about to go.
        with contextlib.suppress(OSError):
            (self.path / _LOCK).unlink()
            self.path.rmdir()

    def _swap(self, steps: list[tuple[Path, Path]], stale: Sequence[Path]) -> None:
        """Set aside everything that stands in the way, then move the new files in."""
        standing = [place for _, place in steps if place.exists()] + list(stale)
        aside = [(place, self.path / f"old-{i}") for i, place in enumerate(standing)]
        moves = [[a.name, os.fspath(b)] for a, b in steps]
        self._note({"moves": moves, "stale": [os.fspath(path) for path in stale]})
        moved: list[tuple[Path, Path]] = []
        with contextlib.ExitStack() as undo:
            undo.callback(self._move_back, moved)
            for a, b in [*aside, *steps]:
                a.replace(b)
                moved.append((a, b))
            undo.pop_all()

    def _move_back(self, moved: list[tuple[Path, Path]]) -> None:
        """Put everything back where it was; where that fails, nothing is swept away."""
        try:
            for a, b in reversed(moved):
                b.replace(a)
        except OSError as error:
            self._is_torn = True
            raise SaveError(
                interrupted_save(self.target) or f"{self.path} holds files that were not moved."
            ) from error

    @staticmethod
    def _move(steps: list[tuple[Path, Path]]) -> None:
        for partial, place in steps:
            if partial.exists():
                partial.replace(place)

    def _note(self, line: dict[str, Any], *, flush: bool = True) -> None:
        with (self.path / _JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            if flush:
                sync_open(file.fileno(), self.path / _JOURNAL)

    def _sweep(self) -> None:
        import shutil  # costs as much as half of this package

        for entry in self.path.iterdir():
            if entry.name != _LOCK:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _lock(self) -> bool:
        """Lock the folder, and make sure that it was not removed meanwhile."""
        try:
            if sys.platform == "win32":
                msvcrt.locking(self._lock_fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            standing = (self.path / _LOCK).stat()
        except OSError:
            return False
        return os.path.samestat(os.fstat(self._lock_fd), standing)


def _same(partial: Path, place: Path) -> bool:
    """Whether a small file stands in its place already, byte for byte."""
    if not place.is_file() or partial.stat().st_size > _SMALL:
        return False
    sizes_agree = partial.stat().st_size == place.stat().st_size
    return sizes_agree and partial.read_bytes() == place.read_bytes()


def _read_journal(folder: Path) -> dict[str, Any]:
    """Read a journal as far as it is whole: keys ``plan``, ``files``, and ``moves`` if any."""
    state: dict[str, Any] = {"files": {}}
    try:
        lines = (folder / _JOURNAL).read_text("utf-8").splitlines()
    except OSError:
        return state
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if "file" in entry:
            state["files"][entry["file"]] = entry["digests"]
        else:
            state |= entry
    return state
