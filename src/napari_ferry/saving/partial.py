"""The folder of an unfinished save, and the moves of its files in place.

A save to ``movie.tif`` writes unfinished files, a lock and a journal to a hidden folder next to it,
whose name is a hash of that of the target, such as ``.1f0c83ab.ferry-partial/``. When all files are
complete and flushed, they are moved in place. A single file is replaced in one step. With several
files, the old files are set aside before the new ones are moved, so that old and new files are
never mixed; the journal lists these moves.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from napari_ferry.errors import FerryWarning, SaveError, TargetError, TargetExistsError
from napari_ferry.saving.disk import is_identical, lock_open, open_plain, sync_folders
from napari_ferry.saving.interruption import partial_folder, stopped_save
from napari_ferry.saving.journal import (
    JOURNAL,
    LOCK,
    add_line,
    cut_truncated_line,
    old_name,
    read_journal,
    removal_order,
)
from napari_ferry.saving.recovery import check_folder, recovery_steps
from napari_ferry.saving.replacement import (
    is_held_open,
    keep_finished,
    remove,
    remove_file,
    replace_file,
    replace_files,
)

_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
"""Errors of the system about the removal of a folder that is not empty."""


class PartialFolder:
    """The folder of one save, locked while it is used.

    Parameters
    ----------
    target : Path
        First file of the save; the folder is next to it.
    targets : mapping of str to Path
        Name of each file that the save may create or remove -> its path. Only files of an
        interrupted save with these names are put in place.
    fingerprint : str
        Identity of the save. The folder of an interrupted save is resumed if its fingerprint is
        the same, else cleared.
    nonce : str
        Identifier that distinguishes the files of this save from those of others.
    name : str
        Name that the user gave for the data set, for readers; that of `target` by default.
    """

    def __init__(
        self,
        target: Path,
        targets: Mapping[str, Path],
        fingerprint: str,
        nonce: str = "",
        name: str = "",
    ) -> None:
        self.target = target
        self.name = name or target.name
        self.path = partial_folder(target)
        self.targets = targets
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.completed: dict[str, str] = {}
        self._lock_fd = -1
        self._is_mixed = False
        self._aside: list[tuple[Path, Path]] = []
        self._steps: list[tuple[Path, Path]] = []

    def open(self) -> None:
        """Create the folder, or resume an interrupted save in it.

        Raises
        ------
        TargetError
            Another save to the target is in progress, or the folder is not from a save to it.
        """
        is_new = self._make()
        with contextlib.ExitStack() as undo:
            if is_new:
                undo.callback(self._remove_empty)
            if is_new and sys.platform == "win32":  # cannot remove an open file
                undo.callback(self._remove_lock)
            self._lock_fd = open_plain(self.path / LOCK, os.O_RDWR | os.O_CREAT)
            undo.callback(os.close, self._lock_fd)
            if is_new:
                undo.callback(self._remove_lock)
            if not self._lock():
                undo.pop_all()  # the folder belongs to another save
                os.close(self._lock_fd)
                raise TargetError(
                    f"Another save to {self.target.name} is in progress: wait, or choose another "
                    "name."
                )

            check_folder(self.path)
            steps = recovery_steps(self.path, self.targets)
            replace_files(steps)
            sync_folders(steps)
            undo.pop_all()

        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._resume()
            undo.pop_all()

    def _make(self) -> bool:
        """Create the folder; return False if it exists and can be used."""
        try:
            self.path.mkdir(0o755)  # other users cannot add files
        except FileExistsError:
            check_folder(self.path)
            if not os.path.lexists(self.path / LOCK):  # no lock in a folder that is refused
                recovery_steps(self.path, self.targets)
            return False
        return True

    def _resume(self) -> None:
        """Resume an interrupted save if it is the same one, else remove its files."""
        journal = read_journal(self.path)
        is_same = (journal.plan, journal.nonce) == (self.fingerprint, self.nonce)
        if is_same and not journal.moves:
            cut_truncated_line(self.path, journal)
            self.completed = journal.files
            return
        self._clear()
        # this line is flushed together with that of the first complete file
        add_line(self.path, {"plan": self.fingerprint, "nonce": self.nonce}, flush=False)

    def file(self, name: str) -> Path:
        """Return the path of an unfinished file."""
        return self.path / name

    def record_complete(self, name: str, digest: str) -> None:
        """Record a complete, flushed file and the digest of its pixels."""
        self.completed[name] = digest
        add_line(self.path, {"file": name, "digest": digest})

    def commit(self, moves: Sequence[tuple[str, Path]], stale: Sequence[Path]) -> None:
        """Move complete files in place, and remove `stale` files.

        Parameters
        ----------
        moves : sequence of (str, Path)
            Name in this folder, and target.
        stale : sequence of Path
            Files of the replaced data set that the new one does not contain.

        Raises
        ------
        SaveError
            A program has a target open; the finished files are in another folder.
        OSError
            A file could not be moved; the earlier files are back in place.
        """
        every = [(self.file(name), target) for name, target in moves]
        try:
            self._put_in_place(every, stale)
        except OSError as error:
            if not is_held_open(error):
                raise
            self._keep_finished(every, error)
        try:
            sync_folders(every)
        except OSError as error:  # the new files are in place, so this is not a failed save
            _warn(
                f"{self.target.name} was saved, but its folder was not flushed",
                "check the disk",
                error,
            )

    def _keep_finished(self, every: list[tuple[Path, Path]], error: OSError) -> NoReturn:
        """Raise `SaveError` for a held file, after moving the finished files to a safe place."""
        moved = [file for file in (error.filename, error.filename2) if file]
        held = next((file for file in moved if Path(file).parent != self.path), self.target)
        with contextlib.suppress(FileNotFoundError):
            remove_file(self.path / JOURNAL)  # its moves were undone
        folder = keep_finished(every)
        raise SaveError(
            f"{Path(held).name} is open in this or another program, or protected, and was not "
            f"replaced, but the new data is complete in {folder}: close the program and move it, "
            "or save again."
        ) from error

    def _put_in_place(self, every: list[tuple[Path, Path]], stale: Sequence[Path]) -> None:
        steps = [(file, target) for file, target in every if not is_identical(file, target)]
        self._steps = every if stale else steps
        if stale or len(steps) > 1:
            self._swap(self._steps, stale)
        else:
            replace_files(steps)

    def close(self, *, keep: bool = False) -> None:
        """Remove the folder, unless it is kept to resume the save or has an earlier file."""
        try:
            keep = keep or self._is_mixed or self._has_earlier_file()
            if not keep:
                self._clear()
            if not keep and sys.platform != "win32":  # locked, so that no other save uses it
                (self.path / LOCK).unlink()
                self.path.rmdir()
        except OSError as error:
            if error.errno not in _NOT_EMPTY:  # of another save, which has just begun
                _warn(f"{self.path} could not be removed", "the next save removes it", error)
        finally:
            os.close(self._lock_fd)
        if not keep and sys.platform == "win32":  # cannot remove an open file
            self._remove_lock()
            self._remove_empty()

    def _has_earlier_file(self) -> bool:
        """Return True if an earlier file is still set aside by an interrupted swap."""
        return any(os.path.lexists(old) and not os.path.lexists(new) for new, old in self._aside)

    def note_changes(self, interrupt: KeyboardInterrupt) -> None:
        """Note on an interrupt what it did not undo, and warn of earlier files in the folder."""
        text = stopped_save(self.target) if self._is_mixed else None
        if text:
            warnings.warn(text, FerryWarning, stacklevel=3)
            interrupt.add_note("the save was stopped while its files were moved in place")
        elif self._steps and not any(os.path.lexists(file) for file, _ in self._steps):
            interrupt.add_note(f"{self.name} was saved before")

    def _remove_lock(self) -> None:
        with contextlib.suppress(OSError):
            remove_file(self.path / LOCK)  # readers look at it

    def _remove_empty(self) -> None:
        """Remove the folder unless another save uses it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def _swap(self, steps: list[tuple[Path, Path]], stale: Sequence[Path]) -> None:
        """Set aside existing files, then move the new ones in place."""
        existing = [target for _, target in steps if target.exists()] + list(stale)
        aside = [(target, self.file(old_name(i))) for i, target in enumerate(existing)]
        names = {target: name for name, target in self.targets.items()}
        moves = [[file.name, names.get(target, "")] for file, target in steps]
        old = [names.get(target, "") for target, _ in aside]
        add_line(self.path, {"moves": moves, "aside": old, "name": self.name})

        moved: list[tuple[Path, Path]] = []
        self._aside = aside
        with contextlib.ExitStack() as undo:
            undo.callback(self._move_back, moved)
            for source, destination in [*aside, *steps]:
                if os.path.lexists(destination):
                    raise TargetExistsError(
                        f"{destination.name} was created by another program during the save and is "
                        "not replaced: move it away, or choose another name."
                    )
                moved.append((source, destination))  # an interrupt may follow the move at once
                replace_file(source, destination)
            undo.pop_all()
        self._aside = []

    def _move_back(self, moved: list[tuple[Path, Path]]) -> None:
        """Undo all moves; keep the folder on failure, or if interrupted again."""
        self._is_mixed = True
        try:
            for source, destination in reversed(moved):
                if os.path.lexists(destination) and not os.path.lexists(source):
                    replace_file(destination, source)
        except OSError as error:
            raise SaveError(
                stopped_save(self.target) or f"{self.path} contains files that were not moved."
            ) from error
        self._is_mixed = False

    def _clear(self) -> None:
        for name in removal_order(os.listdir(self.path)):  # noqa: PTH208 - names are sufficient
            remove(self.file(name))

    def _lock(self) -> bool:
        """Return True if the folder was locked, and not removed in the meantime."""
        try:
            lock_open(self._lock_fd, self.path)
            current = (self.path / LOCK).stat()
        except (BlockingIOError, FileNotFoundError):
            return False
        return os.path.samestat(os.fstat(self._lock_fd), current)


def _warn(event: str, cure: str, error: OSError) -> None:
    warnings.warn(f"{event} ({error.strerror or error}): {cure}.", FerryWarning, stacklevel=4)
