"""The journal of an unfinished save.

A journal has one JSON object per line: what the save is (``plan`` and ``nonce``), then each file
that is whole (``file`` and ``digest``), and last, before the first file is moved in place, all that
will be moved (``moves`` and ``aside``). It names no folders: a file has its name in the folder of
the save, and a target the name that the user knows. Anyone may have written a journal that is found
beside a target, so everything in it is checked before it is used.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_ferry.image.json_values import parse_json
from napari_ferry.saving.disk import is_plain, open_plain, sync_open

LOCK, JOURNAL = "lock", "journal.jsonl"

_OLD = re.compile(r"old-[0-9]{1,9}")
_NEW = re.compile(r"new-[0-9]{1,9}(\.[^./\\:\0]+){0,2}")
"""An unfinished file, or what a format keeps beside one under a suffix more."""

_MOST_BYTES = 8 << 20
"""Of a journal that is read; a save of fifty thousand files writes less."""


class JournalError(ValueError):
    """A journal is damaged, or was not written by a save."""


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What a save has noted.

    Parameters
    ----------
    plan, nonce : str
        What the save is.
    files : dict
        Name in the folder -> digest of the pixels, of each file that is whole.
    moves : tuple of (str, str)
        Name in the folder, and name of the target, of each file that is moved in place.
    aside : tuple of str
        Names of the earlier files that are set aside first, as ``old-0`` and so on.
    nbytes : int
        Length of the lines that are whole; a crash may have torn the one after them.
    """

    plan: str = ""
    nonce: str = ""
    files: dict[str, str] = field(default_factory=dict)
    moves: tuple[tuple[str, str], ...] = ()
    aside: tuple[str, ...] = ()
    nbytes: int = 0


def is_entry(name: str) -> bool:
    """Whether a save makes files of this name in its folder."""
    return name in (LOCK, JOURNAL) or bool(_OLD.fullmatch(name) or _NEW.fullmatch(name))


def old_name(index: int) -> str:
    """Return the name under which a file is set aside."""
    return f"old-{index}"


def is_old(name: str) -> bool:
    """Whether a file of this name was set aside."""
    return bool(_OLD.fullmatch(name))


def in_sweeping_order(names: Iterable[str]) -> list[str]:
    """Return what a save has made, without its lock, in an order that may be stopped anywhere.

    Files that were set aside are explained by the journal only, and of a journal with moves, new
    files that are gone count as moved in place.
    """
    swept = [name for name in names if is_entry(name) and name != LOCK]
    return sorted(swept, key=lambda name: (not is_old(name), name != JOURNAL))


def read_journal(folder: Path) -> Journal:
    """Read a journal up to its last whole line; an empty one where there is none.

    Raises
    ------
    JournalError
        It is damaged, too long, or not a plain file.
    OSError
        It cannot be read.
    """
    path = folder / JOURNAL
    if not os.path.lexists(path):
        return Journal()
    if not is_plain(path):
        raise JournalError(f"{path} is not a plain file")
    with open(path, "rb", opener=open_plain) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise JournalError(f"{path} is too long")
    whole = content[: content.rfind(b"\n") + 1]
    journal = Journal(nbytes=len(whole))
    for line in io.BytesIO(whole):
        journal = _with_line(journal, line)
    return journal


def add_line(folder: Path, line: Mapping[str, object], *, flush: bool = True) -> None:
    """Append one line to the journal, and bring it to the disk unless `flush` is false."""
    path = folder / JOURNAL
    with open(path, "a", encoding="ascii", opener=open_plain) as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        if flush:
            sync_open(file.fileno(), path)


def cut_torn_line(folder: Path, journal: Journal) -> None:
    """Remove what a crash left of a line, so that the next one is read."""
    with open(folder / JOURNAL, "r+b", opener=open_plain) as file:
        file.truncate(journal.nbytes)


def _with_line(journal: Journal, line: bytes) -> Journal:
    """Return a journal with one line more."""
    try:
        entry = parse_json(line.decode("ascii"))
    except ValueError as error:
        raise JournalError(f"{line[:60]!r} is not JSON") from error
    match entry:
        case {"plan": str(plan), "nonce": str(nonce)}:
            return replace(journal, plan=plan, nonce=nonce)
        case {"file": str(name), "digest": str(digest)}:
            journal.files[_checked_new(name)] = digest
            return journal
        case {"moves": [*pairs], "aside": [*aside]}:
            return replace(journal, moves=_checked_moves(pairs), aside=_checked_targets(aside))
    raise JournalError(f"{line[:60]!r} is not a line of a journal")


def _checked_moves(pairs: list[object]) -> tuple[tuple[str, str], ...]:
    """Check moves, each of another file to another target."""
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise JournalError("not every move has two names")
    files = [_checked_new(pair[0]) for pair in pairs if isinstance(pair, list)]
    targets = _checked_targets([pair[1] for pair in pairs if isinstance(pair, list)])
    if len(set(files)) < len(files):
        raise JournalError("one file is moved twice")
    return tuple(zip(files, targets, strict=True))


def _checked_new(name: object) -> str:
    if not isinstance(name, str) or not _NEW.fullmatch(name):
        raise JournalError(f"{str(name)[:60]!r} is not the name of an unfinished file")
    return name


def _checked_targets(names: list[object]) -> tuple[str, ...]:
    """Check names of targets: plain names without a folder, each of them once."""
    plain = tuple(name for name in names if isinstance(name, str) and _is_plain_name(name))
    if len(set(plain)) < len(names):
        raise JournalError("not every target has a plain name of its own")
    return plain


def _is_plain_name(name: str) -> bool:
    try:
        nbytes = len(os.fsencode(name))
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    is_path = name in (".", "..") or os.path.basename(name) != name or "\0" in name  # noqa: PTH119
    return 0 < nbytes <= 255 and not is_path
