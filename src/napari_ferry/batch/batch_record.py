"""The record of a batch: targets with their sources and options.

It is a file of JSON lines in the folder of the targets. A target is up to date if its line names
the same source and options, and neither the files of the source nor those of the target have
changed since. A line before each save (``started``) identifies a target that was put in place just
before the process was killed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import xxhash

from napari_ferry.arguments import reading, targeting
from napari_ferry.batch.output_names import RECORD_NAME
from napari_ferry.files.file_state import read_state
from napari_ferry.files.json_files import parse_json
from napari_ferry.image.json_values import to_json
from napari_ferry.saving.partial.interruption import is_unplaced
from napari_ferry.saving.target import check_folder, check_target

_CLOCK_STEP_NS = 2 * 10**9
"""Step of the modification times of FAT, the coarsest that file systems have."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Source and options of a target.

    Parameters
    ----------
    target : str
        Path of the target, relative to the folder of the record, with ``/``.
    source : str
        Absolute path, or address, of the source.
    state : str
        Digest of the files of the source; empty for an address, as its changes go unnoticed.
    options : str
        Digest of the options of the conversion.
    """

    target: str
    source: str
    state: str
    options: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """The start of a save: its time in nanoseconds since 1970, and the state of files before."""

    entry: Entry
    started: int
    before: str


@dataclass(frozen=True, kw_only=True)
class Made:
    """The end of a save: its files, relative to the folder of the record, and their state.

    A save that failed has no files.
    """

    entry: Entry
    files: tuple[str, ...]
    made: str


@dataclass(kw_only=True)
class Record:
    """Saves of earlier and of this batch, by target.

    Parameters
    ----------
    folder : Path
        Folder of all targets.
    is_kept : bool
        False for a record in memory alone.
    made : dict of str to Made
        The last finished save of each target.
    owners : dict of str to Made
        The finished save of each of its files.
    starts : dict of str to Start
        Saves that were started last, and were not finished.
    """

    folder: Path
    is_kept: bool = True
    made: dict[str, Made] = field(default_factory=dict)
    owners: dict[str, Made] = field(default_factory=dict)
    starts: dict[str, Start] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record in a folder; a missing one is empty, and damaged lines are left out.

        Raises
        ------
        UnreadableFileError
            The record cannot be read.
        """
        record, path = cls(folder=folder), folder / RECORD_NAME
        with reading(path):
            lines = path.read_bytes().splitlines() if path.is_file() else []
        for line in lines:
            parsed = _parse_line(line)
            if isinstance(parsed, Made):
                record._add_made(parsed)
            elif parsed is not None:
                record.starts[parsed.entry.target] = parsed
        return record

    def is_output(self, path: Path) -> bool:
        """Return True for an unchanged file of a finished save."""
        return self.find_output(path) is not None

    def find_output(self, path: Path) -> Entry | None:
        """Return the entry of the finished save that made an unchanged file; None for others."""
        made = self.owners.get(self._relative(path))
        return made.entry if made is not None and self._is_unchanged(made) else None

    def entry(self, target: Path, source: str | Path, files: Sequence[Path], options: str) -> Entry:
        """Return the entry of a target to be made from the present files of a source.

        Raises
        ------
        UnreadableFileError
            A file cannot be accessed.
        """
        with reading(Path(source)):
            state = read_state(files).digest if files else ""
        return Entry(
            target=self._relative(target), source=str(source), state=state, options=options
        )

    def is_current(self, entry: Entry) -> bool:
        """Return True if a target was made from these very files with these options."""
        made = self.made.get(entry.target)
        return (
            made is not None
            and made.entry == entry
            and bool(entry.state)
            and self._is_unchanged(made)
        )

    def may_replace(self, entry: Entry, existing: Sequence[Path]) -> bool:
        """Return True if existing files were made from the same source, and not changed since.

        Parameters
        ----------
        entry : Entry
            What is to be made.
        existing : sequence of Path
            Files that would be replaced.
        """
        made, start = self.made.get(entry.target), self.starts.get(entry.target)
        names = set(map(self._relative, existing))
        is_own = made is not None and made.entry.source == entry.source
        if made is not None and is_own and names <= set(made.files) and self._is_unchanged(made):
            return True
        if start is None or start.entry.source != entry.source:
            return False
        if any(map(is_unplaced, existing)):  # made by somebody else since
            return False
        now = read_state(existing)
        is_newer = now.newest_ns >= start.started - _CLOCK_STEP_NS
        return now.digest != start.before and is_newer

    def start(self, entry: Entry, existing: Sequence[Path]) -> Start:
        """Record the start of a save; return the line.

        Raises
        ------
        TargetError
            The record cannot be written.
        """
        start = Start(entry=entry, started=time.time_ns(), before=read_state(existing).digest)
        self._append({**asdict(entry), "started": start.started, "before": start.before})
        self.starts[entry.target] = start
        return start

    def end(self, entry: Entry, files: Sequence[Path]) -> None:
        """Record the end of a save, with all its files; without files it made nothing.

        Raises
        ------
        TargetError
            The record cannot be written.
        """
        names = tuple(map(self._relative, files))
        made = Made(entry=entry, files=names, made=read_state(files).digest)
        self._append({**asdict(entry), "files": names, "made": made.made})
        self._add_made(made)

    def check_writable(self) -> None:
        """Refuse a folder in which neither the record nor a target can be saved.

        Raises
        ------
        TargetError
            The folder, or a parent, is a file or write-protected.
        """
        path = self.folder.absolute() / RECORD_NAME
        if self.is_kept and check_folder(path.parent):
            check_target(path)

    def _add_made(self, made: Made) -> None:
        if made.files:
            self.made[made.entry.target] = made
            self.owners.update(dict.fromkeys(made.files, made))
        self.starts.pop(made.entry.target, None)

    def _is_unchanged(self, made: Made) -> bool:
        """Return True if all files of a finished save exist, as it left them."""
        files = [self.folder / name for name in made.files]
        return all(map(os.path.lexists, files)) and read_state(files).digest == made.made

    def _relative(self, path: Path) -> str:
        """Return a path relative to the folder; on another drive it is absolute."""
        try:
            return Path(os.path.relpath(path, self.folder)).as_posix()
        except ValueError:
            return path.as_posix()

    def _append(self, line: Mapping[str, Any]) -> None:
        """Append a line; it begins with a line end, as a crash may have cut off the last one."""
        if not self.is_kept:
            return
        text = json.dumps(line)
        path = self.folder / RECORD_NAME
        with targeting(path), path.open("ab") as file:
            file.write(f"\n{text}\n".encode())
            file.flush()
            os.fsync(file.fileno())


def digest_options(options: Mapping[str, Any]) -> str:
    """Return a digest of the options of a conversion, plain values by name."""
    text = json.dumps(to_json(options), sort_keys=True)
    return xxhash.xxh3_128_hexdigest(text.encode())


def _parse_line(line: bytes) -> Start | Made | None:
    """Return a line of a record; ``None`` for any other text."""
    try:
        parsed = parse_json(line.decode())
    except ValueError:
        return None
    match parsed:
        case {
            "target": str(target),
            "source": str(source),
            "state": str(state),
            "options": str(options),
            **rest,
        }:
            entry = Entry(target=target, source=source, state=state, options=options)
        case _:
            return None

    match rest:
        case {"started": int(started), "before": str(before)}:
            return Start(entry=entry, started=started, before=before)
        case {"files": [*files], "made": str(made)} if all(isinstance(f, str) for f in files):
            return Made(entry=entry, files=tuple(map(str, files)), made=made)
    return None
