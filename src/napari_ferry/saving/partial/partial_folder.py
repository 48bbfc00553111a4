"""The folder of an unfinished save.

A save to ``movie.tif`` writes unfinished files, a lock and a journal to a hidden folder next to it,
whose name is a hash of that of the target, such as ``.1f0c83ab.ferry-partial/``. When all files are
complete and flushed, they are moved in place by a `Placement`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from napari_ferry.errors import TargetError, warn
from napari_ferry.saving.disk.flush import sync_folders
from napari_ferry.saving.disk.plain_files import lock_open, open_plain
from napari_ferry.saving.disk.replacement import remove, remove_file, replace_files
from napari_ferry.saving.partial.interruption import partial_folder
from napari_ferry.saving.partial.journal import (
    LOCK,
    Journal,
    add_line,
    cut_truncated_line,
    read_journal,
    removal_order,
)
from napari_ferry.saving.partial.placement import Placement
from napari_ferry.saving.partial.recovery import check_folder, check_trees, recovery_steps
from napari_ferry.saving.partial.write_records import WriteRecord

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
    has_folders : bool
        True if a file of the save is a folder, so that the folder may contain others.
    """

    def __init__(
        self,
        target: Path,
        targets: Mapping[str, Path],
        fingerprint: str,
        nonce: str = "",
        name: str = "",
        *,
        has_folders: bool = False,
    ) -> None:
        self.target = target
        self.name = name or target.name
        self.path = partial_folder(target)
        self.targets = targets
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.has_folders = has_folders
        self.records: Mapping[str, Mapping[int, WriteRecord]] = {}
        self.has_records = False
        self.ready: set[str] = set()
        names = {target: name for name, target in targets.items()}
        self.placement = Placement(self.path, target, self.name, names)
        self._lock_fd = -1

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

            check_folder(self.path, may_have_folders=self.has_folders)
            steps = recovery_steps(self.path, self.targets)
            replace_files(steps)
            sync_folders(steps)
            journal = self._own_journal()
            undo.pop_all()

        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._resume(journal)
            undo.pop_all()

    def _make(self) -> bool:
        """Create the folder; return False if it exists and can be used."""
        try:
            self.path.mkdir(0o755)  # other users cannot add files
        except FileExistsError:
            check_folder(self.path, may_have_folders=self.has_folders)
            if not os.path.lexists(self.path / LOCK):  # no lock in a folder that is refused
                recovery_steps(self.path, self.targets)
            return False
        return True

    def _own_journal(self) -> Journal | None:
        """Return the journal of the same save, or ``None`` if none can be resumed.

        Raises
        ------
        TargetError
            A folder to write to contains a link, or something else that is not from a save.
        """
        journal = read_journal(self.path)
        is_same = (journal.plan, journal.nonce) == (self.fingerprint, self.nonce)
        if not is_same or journal.moves:
            return None
        check_trees(self.path)
        return journal

    def _resume(self, journal: Journal | None) -> None:
        """Resume an interrupted save if it is the same one, else remove its files."""
        if journal:
            cut_truncated_line(self.path, journal)
            self.records, self.ready = journal.writes, journal.ready
            self.has_records = bool(journal.writes)
            return
        self._clear()
        # this line is flushed together with that of the first file
        add_line(self.path, {"plan": self.fingerprint, "nonce": self.nonce}, flush=False)

    def file(self, name: str) -> Path:
        """Return the path of an unfinished file."""
        return self.path / name

    @property
    def is_resumable(self) -> bool:
        """True if the save finished some writes, and has not begun to move its files."""
        return self.has_records and not self.placement.has_begun

    def record_ready(self, name: str) -> None:
        """Record a created and flushed file, whose writes can be resumed from now on."""
        add_line(self.path, {"ready": name})

    def record_write(self, name: str, index: int, record: WriteRecord) -> None:
        """Record a finished write without flushing, as its digest is checked later."""
        line = {"file": name, "write": index, **record._asdict()}
        add_line(self.path, line, flush=False)
        self.has_records = True

    def close(self, *, keep: bool = False) -> None:
        """Remove the folder, unless it is kept to resume the save or has an earlier file."""
        try:
            keep = keep or self.placement.is_mixed or self.placement.has_earlier_file
            if not keep:
                self._clear()
            if not keep and sys.platform != "win32":  # locked, so that no other save uses it
                (self.path / LOCK).unlink()
                self.path.rmdir()
        except OSError as error:
            if error.errno not in _NOT_EMPTY:  # of another save, which has just begun
                reason = error.strerror or error
                warn(f"{self.path} could not be removed ({reason}): the next save removes it.")
        finally:
            os.close(self._lock_fd)
        if not keep and sys.platform == "win32":  # cannot remove an open file
            self._remove_lock()
            self._remove_empty()

    def _remove_lock(self) -> None:
        with contextlib.suppress(OSError):
            remove_file(self.path / LOCK)  # readers look at it

    def _remove_empty(self) -> None:
        """Remove the folder unless another save uses it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

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
