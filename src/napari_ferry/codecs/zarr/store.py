"""The files of a Zarr store by their keys, in a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_ferry.arrays.stamp import Stamp, unreadable
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.errors import UnreadableFileError

METADATA_FILES = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
"""Names of the files in the folder of a Zarr array or group, version 3 first."""

ZIP_SUFFIX = ".ozx"
"""Suffix of a saved store in a ZIP file."""

TOO_SHORT = "it is too short"


class Store(Protocol):
    """Files by keys: paths with ``/`` inside the store."""

    @property
    def name(self) -> str:
        """Name of the store, for messages."""

    @property
    def is_remote(self) -> bool:
        """True if each read waits for a server, and parallel reads take less time."""

    def read(self, key: str, most: int) -> bytes | None:
        """Return a whole file, or ``None`` if it is missing.

        Raises
        ------
        DamageError
            The file has more than `most` bytes.
        UnreadableFileError
            The system does not permit reading it.
        """

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        """Return bytes of a file from an offset, or ``None`` if the file is missing.

        A negative offset counts from the end of the file.

        Raises
        ------
        DamageError
            The file does not contain them.
        UnreadableFileError
            The file cannot be read.
        """

    def size(self, key: str) -> int | None:
        """Return the size of a file in bytes, or ``None`` if it is missing."""

    def list_names(self, key: str) -> list[str]:
        """Return the names of the files and folders in a folder, in any order."""

    def stamp(self, key: str) -> object:
        """Return the identity of a file's content, or ``None`` if it is missing."""

    def close(self) -> None:
        """Release the file of the store until the next use."""


@dataclass(frozen=True)
class FolderStore:
    """The store in a folder.

    Parameters
    ----------
    folder : str
        Absolute path.
    """

    folder: str
    is_remote = False

    @property
    def name(self) -> str:
        """Name of the folder."""
        return Path(self.folder).name

    def read(self, key: str, most: int) -> bytes | None:
        """Return a whole file, or ``None`` if it is missing; see `Store.read`."""
        try:
            with open(self._path(key), "rb", 0) as file:  # noqa: PTH123 - thousands of files
                size = os.fstat(file.fileno()).st_size
                if size > most:
                    raise DamageError(f"it has {size} bytes, expected at most {most}")
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(f"{self.name}/{key}", error) from error

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        """Return bytes of a file, or ``None`` if it is missing; see `Store.read_part`."""
        try:
            with open(self._path(key), "rb", 0) as file:  # noqa: PTH123 - thousands of files
                size = os.fstat(file.fileno()).st_size
                first = start if start >= 0 else size + start
                if first < 0 or first + nbytes > size:
                    raise DamageError(TOO_SHORT)
                file.seek(first)
                return file.read(nbytes)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(f"{self.name}/{key}", error) from error

    def size(self, key: str) -> int | None:
        """Return the size of a file in bytes, or ``None`` if it is missing."""
        stamp = self.stamp(key)
        return None if stamp is None else stamp.nbytes

    def list_names(self, key: str) -> list[str]:
        """Return the names of the files and folders in a folder, in any order."""
        try:
            return os.listdir(self._path(key))  # noqa: PTH208 - folders may be large
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise unreadable(f"{self.name}/{key}", error) from error

    def stamp(self, key: str) -> Stamp | None:
        """Return the stamp of a file, or ``None`` if it is missing."""
        try:
            return Stamp.of(self._path(key))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(f"{self.name}/{key}", error) from error

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, key)  # noqa: PTH118 - a tenth of the time of `Path`


def join_keys(key: str, path: object) -> str:
    """Return the key of a path in the metadata of a group.

    Raises
    ------
    DamageError
        The path is not text, or leads out of the store.
    """
    if not isinstance(path, str) or not path or "\0" in path:
        raise DamageError(f"{path!r:.60} is not the path of an array or group")
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts:
        raise DamageError(f"{path!r:.60} is not the path of an array or group")
    if path.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise DamageError(f"the path {path[:60]!r} leads out of the store")
    return "/".join((key, *parts) if key else parts)


def refuse_changed(store: Store, key: str, stamp: object) -> None:
    """Refuse an array or a group whose metadata changed since it was opened.

    Raises
    ------
    UnreadableFileError
        Its metadata file was changed or removed.
    """
    now = store.stamp(key)
    if now == stamp:
        return
    change = "can no longer be read: put it back, or" if now is None else "has changed:"
    raise UnreadableFileError(
        f"{store.name} {change} open it again ({key} is not as it was when it was opened)."
    )
