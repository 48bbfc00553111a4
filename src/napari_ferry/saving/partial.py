"""The folder beside a target in which a save grows, and the step that puts it in place.

A save to ``movie.tif`` grows in ``.movie.tif.ferry-partial/``, which holds the unfinished files, a
lock and a journal. When everything is whole and flushed, the files are moved to their places. One
file is replaced in one step. Of several, the old ones are set aside first and the new ones moved in
after, so that old and new are never mixed; the journal says what was on its way.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import xxhash

from napari_ferry.errors import SaveError, TargetError
from napari_ferry.saving.disk import is_plain, open_plain, sync_folder
from napari_ferry.saving.journal import (
    LOCK,
    Journal,
    JournalError,
    add_line,
    cut_torn_line,
    in_sweeping_order,
    old_name,
    read_journal,
)
from napari_ferry.saving.recovery import check_folder, recovery_steps, unplaced_files

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX = ".ferry-partial"
_SMALL = 1 << 20
_NONCE = re.compile(r"[0-9a-f]{32}")


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
    folder = _left_folder(target)
    journal = _left_journal(folder)
    unplaced = unplaced_files(folder, journal)
    if all(os.path.exists(target.with_name(name)) for name in unplaced):  # noqa: PTH110 - any name
        return None
    waiting = [name for file, name in journal.moves if is_plain(folder / file)]
    return (
        f"A save of {target.name} was stopped while its files were moved in place: the new "
        f"{_listed(waiting)} and the earlier files are still in {folder}; "
        "save again, or move them by hand."
    )


def interrupted_files(target: Path) -> dict[str, Path]:
    """Return the files of an interrupted save to `target` that the next one will put in place.

    Returns
    -------
    dict
        Name beside the target -> file, which may have been made by anyone.
    """
    folder = _left_folder(target)
    return unplaced_files(folder, _left_journal(folder))


def kept_nonce(target: Path) -> str | None:
    """Return the nonce of an interrupted save to `target` that may be taken up again."""
    nonce = _left_journal(_left_folder(target)).nonce
    return nonce if _NONCE.fullmatch(nonce) else None


def _left_folder(target: Path) -> Path:
    """Return the folder of an interrupted save, which of a link is beside what it points at."""
    is_link = os.path.islink(target)  # noqa: PTH114 - false of names that no file can have
    return partial_folder(Path(os.path.realpath(target)) if is_link else target)


def _left_journal(folder: Path) -> Journal:
    """Return the journal that a save left, an empty one where there is none that can be used."""
    try:
        return read_journal(folder) if stat.S_ISDIR(folder.lstat().st_mode) else Journal()
    except (OSError, JournalError):
        return Journal()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


class PartialFolder:
    """The folder of one save, locked while it is used.

    Parameters
    ----------
    target : Path
        The first file of the save; the folder stands beside it.
    places : mapping of str to Path
        Name of each file that the save may make or take away -> where it stands. Of what an
        interrupted save left, only files of these names are put in place.
    fingerprint : str
        What the save is. A folder that an interrupted save of the same fingerprint left is
        taken up again; any other is swept away.
    nonce : str
        What the files of the save carry to be told from those of others.
    """

    def __init__(
        self, target: Path, places: Mapping[str, Path], fingerprint: str, nonce: str = ""
    ) -> None:
        self.target = target
        self.path = partial_folder(target)
        self.places = places
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.done: dict[str, str] = {}
        self._lock_fd = -1
        self._is_torn = False

    def open(self) -> None:
        """Make or take over the folder.

        Raises
        ------
        TargetError
            Another save to the same target is under way, or what stands there was not left by a
            save to this target.
        """
        try:
            self.path.mkdir(0o755)  # for nobody else to put files in
        except FileExistsError:
            check_folder(self.path)
            if not os.path.lexists(self.path / LOCK):  # what is refused gets no lock, either
                recovery_steps(self.path, self.places)
        self._lock_fd = open_plain(self.path / LOCK, os.O_RDWR | os.O_CREAT)
        if not self._lock():
            os.close(self._lock_fd)
            raise TargetError(
                f"Another save to {self.target} is under way: wait for it, or choose another name."
            )
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._lock_fd)
            check_folder(self.path)
            steps = recovery_steps(self.path, self.places)
            self._move(steps)
            self._sync(steps)
            undo.pop_all()
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._take_over()
            undo.pop_all()

    def _take_over(self) -> None:
        """Take up what an interrupted save left, or sweep it away."""
        journal = read_journal(self.path)
        is_same = (journal.plan, journal.nonce) == (self.fingerprint, self.nonce)
        if is_same and not journal.moves:
            cut_torn_line(self.path, journal)
            self.done = journal.files
            return
        self._sweep()
        # The first file that is whole flushes this line with its own.
        add_line(self.path, {"plan": self.fingerprint, "nonce": self.nonce}, flush=False)

    def file(self, name: str) -> Path:
        """Return where the unfinished file of that name grows."""
        return self.path / name

    def note_whole(self, name: str, digest: str) -> None:
        """Note that a file is whole and flushed, and what pixels it was made of."""
        self.done[name] = digest
        add_line(self.path, {"file": name, "digest": digest})

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
        every = [(self.file(name), place) for name, place in moves]
        steps = [(file, place) for file, place in every if not _same(file, place)]
        if stale:
            self._swap(every, stale)
        elif len(steps) > 1:
            self._swap(steps, stale)
        else:
            self._move(steps)
        self._sync(every)

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
            (self.path / LOCK).unlink()
            self.path.rmdir()

    def _swap(self, steps: list[tuple[Path, Path]], stale: Sequence[Path]) -> None:
        """Set aside everything that stands in the way, then move the new files in."""
        standing = [place for _, place in steps if place.exists()] + list(stale)
        aside = [(place, self.file(old_name(i))) for i, place in enumerate(standing)]
        names = {place: name for name, place in self.places.items()}
        moves = [[file.name, names.get(place, "")] for file, place in steps]
        add_line(self.path, {"moves": moves, "aside": [names.get(a, "") for a, _ in aside]})
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
    def _move(steps: Sequence[tuple[Path, Path]]) -> None:
        for partial, place in steps:
            partial.replace(place)

    @staticmethod
    def _sync(steps: Sequence[tuple[Path, Path]]) -> None:
        for folder in {place.parent for _, place in steps}:
            sync_folder(folder)

    def _sweep(self) -> None:
        for name in in_sweeping_order(os.listdir(self.path)):  # noqa: PTH208 - names are enough
            self.file(name).unlink()

    def _lock(self) -> bool:
        """Lock the folder, and make sure that it was not removed meanwhile."""
        try:
            if sys.platform == "win32":
                msvcrt.locking(self._lock_fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            standing = (self.path / LOCK).stat()
        except OSError:
            return False
        return os.path.samestat(os.fstat(self._lock_fd), standing)


def _same(partial: Path, place: Path) -> bool:
    """Whether a small file stands in its place already, byte for byte."""
    if not place.is_file() or partial.stat().st_size > _SMALL:
        return False
    sizes_agree = partial.stat().st_size == place.stat().st_size
    return sizes_agree and partial.read_bytes() == place.read_bytes()
