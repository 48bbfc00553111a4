"""Check of a folder before a new store replaces it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from napari_ferry.codecs.zarr.store import METADATA_FILES

_OWN_FILES = frozenset({*METADATA_FILES, ".zmetadata", "METADATA.ome.xml"})
_BACKUP = re.compile(r"(.+)\.bak(-\d+)?")
"""Copy of a document, made by a repair."""

_CHUNK = re.compile(r"(c\.|c)?\d+(\.\d+)*|c")


def is_pure_store(folder: Path) -> bool:
    """Return True for a folder of nothing but metadata and chunks of Zarr, or an empty one.

    Anything else in it would be lost if the folder were replaced. Links are not followed.
    """
    folders = [os.fspath(folder)]
    is_store, is_empty = False, True

    while folders:
        current = folders.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                is_empty = False
                if entry.is_symlink():
                    return False
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.name in _OWN_FILES:
                    is_store = True
                elif not (_CHUNK.fullmatch(entry.name) or _is_backup(entry.name)):
                    return False
    return is_store or is_empty


def _is_backup(name: str) -> bool:
    found = _BACKUP.fullmatch(name)
    return found is not None and found[1] in _OWN_FILES
