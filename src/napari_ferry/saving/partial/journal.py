"""The journal of an unfinished save.

A journal has one JSON object per line: the identity of the save (``plan`` and ``nonce``), then
each file whose writes can be resumed (``ready``) and each finished write (``file``, ``write``,
``stored`` and ``source``), and finally, before the first file is moved in place, all moves
(``moves`` and ``aside``) and the ``name`` that the user gave. It contains names without folders:
that of a file in the folder of the save, and that of a target as given by the user. A journal next
to a target may have been written by anyone, so its content is checked before use.

Lines about writes are not flushed to the disk: their content is checked when a save is resumed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_ferry.saving.disk.flush import sync_open
from napari_ferry.saving.disk.plain_files import is_plain, name_length, open_plain
from napari_ferry.saving.partial.write_records import (
    MAX_LINE_BYTES,
    NEW_NAME,
    JournalError,
    WriteRecords,
    checked_new,
    parse_line,
    parse_write,
)

LOCK, JOURNAL, RUN = "lock", "journal.jsonl", "run"

_OLD = re.compile(r"old-[0-9]{1,9}")
_PROBE = re.compile(r"probe-[0-9a-f]{32}")
"""A file by which a worker of a cluster shows that it shares the folder."""

_MAX_BYTES = 64 << 20
"""Size of the largest journal to read; a save with 200,000 writes writes half of it."""

_MAX_NAME = 1024
"""Longest name of a target, in units of `name_length`; FAT allows 255 characters of any size."""


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The content of a journal.

    Parameters
    ----------
    plan, nonce : str
        Identity of the save.
    writes : dict
        Name in the folder -> records of its finished writes.
    ready : set of str
        Names of files that were created and flushed, so that their writes can be resumed.
    moves : tuple of (str, str)
        Name in the folder, and name of the target, of each file to move in place.
    aside : tuple of str
        Names of the earlier files to set aside first, as ``old-0`` and so on.
    name : str
        Name that the user gave for the data set; the files of a series have others. Empty in the
        journals of earlier versions.
    nbytes : int
        Length of the complete lines, in bytes; a crash may have truncated the next line.
    """

    plan: str = ""
    nonce: str = ""
    writes: dict[str, WriteRecords] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    moves: tuple[tuple[str, str], ...] = ()
    aside: tuple[str, ...] = ()
    name: str = ""
    nbytes: int = 0


def is_entry(name: str) -> bool:
    """Return True for the name of a file created by a save in its folder."""
    return name in (LOCK, JOURNAL, RUN) or bool(_PROBE.fullmatch(name)) or is_data(name)


def is_data(name: str) -> bool:
    """Return True for the name of an unfinished file, or of one set aside."""
    return bool(_OLD.fullmatch(name) or NEW_NAME.fullmatch(name))


def probe_name() -> str:
    """Return a new name for the file of a worker."""
    return f"probe-{os.urandom(16).hex()}"


def old_name(index: int) -> str:
    """Return the name of a file set aside."""
    return f"old-{index}"


def is_old(name: str) -> bool:
    """Return True for the name of a file set aside."""
    return bool(_OLD.fullmatch(name))


def removal_order(names: Iterable[str]) -> list[str]:
    """Return the files of a save except its lock, in an order of removal safe to interrupt.

    Files set aside come first, as only the journal identifies them. The journal precedes the new
    files, as a missing new file counts as moved in place.
    """
    removed = [name for name in names if is_entry(name) and name != LOCK]
    return sorted(removed, key=lambda name: (not is_old(name), name != JOURNAL))


def read_journal(folder: Path) -> Journal:
    """Read a journal up to its last complete line; a missing journal is empty.

    Raises
    ------
    JournalError
        The journal is damaged, too long, or not a plain file.
    OSError
        The journal cannot be read.
    """
    path = folder / JOURNAL
    if not os.path.lexists(path):
        return Journal()
    if not is_plain(path):
        raise JournalError(f"{path} is not a plain file")
    journal = Journal()
    with open(path, "rb", opener=open_plain) as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise JournalError(f"{path} has a line that is too long")
            end = journal.nbytes + len(line)
            if end > _MAX_BYTES:
                raise JournalError(f"{path} is too long")
            if not line.endswith(b"\n"):  # truncated by a crash
                break
            journal = replace(_with_line(journal, line, path), nbytes=end)
    return journal


def add_line(folder: Path, line: Mapping[str, object], *, flush: bool = True) -> None:
    """Append one line to the journal, and flush it to the disk unless `flush` is false."""
    path = folder / JOURNAL
    with open(path, "a", encoding="ascii", opener=open_plain) as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        if flush:
            sync_open(file.fileno(), path)


def cut_truncated_line(folder: Path, journal: Journal) -> None:
    """Remove a line truncated by a crash, before others are appended."""
    with open(folder / JOURNAL, "r+b", opener=open_plain) as file:
        file.truncate(journal.nbytes)


def _with_line(journal: Journal, line: bytes, path: Path) -> Journal:
    """Return a journal with one more line, after the others."""
    write = parse_write(line)
    if write is not None:
        name, index, _ = write
        journal.writes.setdefault(name, WriteRecords(path)).add(index, journal.nbytes)
        return journal

    entry = parse_line(line)
    match entry:
        case {"plan": str(plan), "nonce": str(nonce)}:
            return replace(journal, plan=plan, nonce=nonce)
        case {"ready": str(name)}:
            journal.ready.add(checked_new(name))
            return journal
        case {"file": str(name), "digest": str()}:  # of an earlier version, not resumed
            checked_new(name)
            return journal
        case {"moves": [*pairs], "aside": [*aside]}:
            given = _checked_targets([entry["name"]] if "name" in entry else [])
            journal = replace(journal, name="".join(given))
            return replace(journal, moves=_checked_moves(pairs), aside=_checked_targets(aside))
    raise JournalError(f"{line[:60]!r} is not a line of a journal")


def _checked_moves(pairs: list[object]) -> tuple[tuple[str, str], ...]:
    """Return the moves in a line, each of a different file to a different target."""
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise JournalError("not every move has two names")
    files = [checked_new(pair[0]) for pair in pairs if isinstance(pair, list)]
    targets = _checked_targets([pair[1] for pair in pairs if isinstance(pair, list)])
    if len(set(files)) < len(files):
        raise JournalError("one file is moved twice")
    return tuple(zip(files, targets, strict=True))


def _checked_targets(names: list[object]) -> tuple[str, ...]:
    """Return the names of targets in a line: different, without a folder."""
    plain = tuple(name for name in names if isinstance(name, str) and _is_plain_name(name))
    if len(set(plain)) < len(names):
        raise JournalError("not every target has a plain name of its own")
    return plain


def _is_plain_name(name: str) -> bool:
    try:
        length = name_length(name)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    is_path = name in (".", "..") or os.path.basename(name) != name or "\0" in name  # noqa: PTH119
    return 0 < length <= _MAX_NAME and not is_path
