"""Interrupted saves, found by the name of their target.

Their folders may come from anyone, in an archive or on a shared disk.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import xxhash

from napari_ferry.saving.disk import is_plain
from napari_ferry.saving.journal import Journal, JournalError, read_journal
from napari_ferry.saving.recovery import pending_files

SUFFIX = ".ferry-partial"
_NONCE = re.compile(r"[0-9a-f]{32}")


def partial_folder(target: Path) -> Path:
    """Return the folder of an unfinished save to `target`."""
    # short regardless of the target: on Windows a whole path may have 260 characters
    digest = xxhash.xxh3_64_hexdigest(_comparable(target.name).encode("utf-8", "surrogatepass"))
    return target.with_name(f".{digest[:8]}{SUFFIX}")


def _comparable(name: str) -> str:
    """Return a name as the file systems of this platform compare it."""
    if sys.platform in ("win32", "darwin"):
        return unicodedata.normalize("NFC", name).casefold()
    return name


def interrupted_save(target: Path) -> str | None:
    """Return a message about a save to `target` stopped while moving files in place.

    Returns
    -------
    str or None
        A sentence with the names of the files not in place, ``None`` without such a save.
    """
    folder = _folder_of(target)
    journal = _usable_journal(folder)
    pending = pending_files(folder, journal)
    if all(os.path.exists(target.with_name(name)) for name in pending):  # noqa: PTH110 - any name
        return None

    names = [name for file, name in journal.moves if is_plain(folder / file)]
    return (
        f"A save of {target.name} was stopped while its files were moved in place: the new "
        f"{_join_names(names)} and the earlier files are still in {folder}; "
        "save again, or move them by hand."
    )


def interrupted_files(target: Path) -> dict[str, Path]:
    """Return the pending files of an interrupted save to `target`, by their final names.

    The files may come from anyone.
    """
    folder = _folder_of(target)
    return pending_files(folder, _usable_journal(folder))


def resumable_nonce(target: Path) -> str | None:
    """Return the nonce of an interrupted save to `target`, or ``None`` if it cannot be resumed."""
    nonce = _usable_journal(_folder_of(target)).nonce
    return nonce if _NONCE.fullmatch(nonce) else None


def _folder_of(target: Path) -> Path:
    """Return the folder of an unfinished save to a file, or to the target of a link."""
    is_link = os.path.islink(target)  # noqa: PTH114 - returns False for impossible names
    return partial_folder(Path(os.path.realpath(target)) if is_link else target)


def _usable_journal(folder: Path) -> Journal:
    """Return the journal of an interrupted save, an empty one if it is missing or damaged."""
    try:
        return read_journal(folder) if stat.S_ISDIR(folder.lstat().st_mode) else Journal()
    except (OSError, JournalError):
        return Journal()


def _join_names(names: Sequence[str]) -> str:
    first = ", ".join(name if name.isprintable() else ascii(name) for name in names[:3])
    return f"{first} and {len(names) - 3} more" if len(names) > 3 else first
