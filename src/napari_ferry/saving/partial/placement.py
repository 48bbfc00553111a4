"""Moves of complete files from the folder of a save to their targets.

A single file is replaced in one step, and a folder is exchanged with the new one in one step where
the file system can. With several files, the earlier ones are set aside before the new ones are
moved, so that old and new files are never mixed; the journal lists these moves.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from napari_ferry.errors import SaveError, TargetExistsError, warn
from napari_ferry.saving.disk.exchange import exchange
from napari_ferry.saving.disk.flush import sync_folders
from napari_ferry.saving.disk.plain_files import is_identical
from napari_ferry.saving.disk.replacement import (
    is_held_open,
    keep_finished,
    remove_file,
    replace_file,
    replace_files,
)
from napari_ferry.saving.partial.interruption import stopped_save
from napari_ferry.saving.partial.journal import JOURNAL, add_line, old_name


class Placement:
    """The moves of one save.

    Parameters
    ----------
    folder : Path
        Folder of the save.
    target : Path
        First file of the save.
    name : str
        Name that the user gave for the data set.
    names : mapping of Path to str
        Target of each file that the save may create or remove -> its name in the journal.
    """

    def __init__(self, folder: Path, target: Path, name: str, names: Mapping[Path, str]) -> None:
        self.folder = folder
        self.target = target
        self.name = name
        self.names = names
        self.is_mixed = False
        """True while some files are old and others new."""
        self.has_replaced = False
        """True if the folder of the save contains earlier data, which the new have replaced."""
        self._aside: list[tuple[Path, Path]] = []
        self._steps: list[tuple[Path, Path]] = []

    @property
    def has_begun(self) -> bool:
        """True from the first move on, when the save can no longer be resumed."""
        return bool(self._steps)

    @property
    def has_earlier_file(self) -> bool:
        """True if an earlier file is still set aside by an interrupted swap."""
        return any(os.path.lexists(old) and not os.path.lexists(new) for new, old in self._aside)

    def commit(self, moves: Sequence[tuple[str, Path]], stale: Sequence[Path]) -> None:
        """Move complete files in place, and set `stale` files aside.

        Parameters
        ----------
        moves : sequence of (str, Path)
            Name in the folder of the save, and target.
        stale : sequence of Path
            Files of the replaced data set that the new one does not contain.

        Raises
        ------
        SaveError
            A program has a target open; the finished files are in another folder.
        OSError
            A file could not be moved; the earlier files are back in place.
        """
        every = [(self.folder / name, target) for name, target in moves]
        try:
            self._put_in_place(every, stale)
        except OSError as error:
            if not is_held_open(error):
                raise
            self._keep_finished(every, error)
        try:
            sync_folders(every)
        except OSError as error:  # the new files are in place, so this is not a failed save
            warn(
                f"{self.target.name} was saved, but its folder was not flushed "
                f"({error.strerror or error}): check the disk."
            )

    def note_changes(self, interrupt: KeyboardInterrupt) -> None:
        """Note the lasting changes on an interrupt, and warn of earlier files in the folder."""
        text = stopped_save(self.target) if self.is_mixed else None
        is_saved = self._steps and not any(os.path.lexists(file) for file, _ in self._steps)
        if text:
            warn(text)
            interrupt.add_note("the save was stopped while its files were moved in place")
        elif is_saved or self.has_replaced:
            interrupt.add_note(f"{self.name} was saved before")

    def _keep_finished(self, every: list[tuple[Path, Path]], error: OSError) -> NoReturn:
        """Raise `SaveError` for a held file, after moving the finished files to a safe place."""
        moved = [file for file in (error.filename, error.filename2) if file]
        held = next((file for file in moved if Path(file).parent != self.folder), self.target)
        with contextlib.suppress(FileNotFoundError):
            remove_file(self.folder / JOURNAL)  # its moves were undone
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
        elif steps and steps[0][0].is_dir():
            self._place_folder(*steps[0])
        else:
            replace_files(steps)

    def _place_folder(self, file: Path, target: Path) -> None:
        """Move a folder in place, or exchange it with the earlier one."""
        if not os.path.lexists(target):
            replace_file(file, target)
            return
        # a folder in this line is not resumed, and removed by the next save
        self._note_moves([(file, target)], [])
        self.has_replaced = exchange(file, target)
        if not self.has_replaced:
            self._swap([(file, target)], [])

    def _note_moves(self, steps: list[tuple[Path, Path]], aside: list[tuple[Path, Path]]) -> None:
        """Write moves to the journal, before the first of them."""
        moves = [[file.name, self.names.get(target, "")] for file, target in steps]
        old = [self.names.get(target, "") for target, _ in aside]
        add_line(self.folder, {"moves": moves, "aside": old, "name": self.name})

    def _swap(self, steps: list[tuple[Path, Path]], stale: Sequence[Path]) -> None:
        """Set aside existing files, then move the new ones in place."""
        existing = [target for _, target in steps if target.exists()] + list(stale)
        aside = [(target, self.folder / old_name(i)) for i, target in enumerate(existing)]
        self._note_moves(steps, aside)

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
        self._aside, self.has_replaced = [], bool(aside)

    def _move_back(self, moved: list[tuple[Path, Path]]) -> None:
        """Undo all moves; keep the folder on failure, or if interrupted again."""
        self.is_mixed = True
        try:
            for source, destination in reversed(moved):
                if os.path.lexists(destination) and not os.path.lexists(source):
                    replace_file(destination, source)
        except OSError as error:
            raise SaveError(
                stopped_save(self.target) or f"{self.folder} contains files that were not moved."
            ) from error
        self.is_mixed = False
