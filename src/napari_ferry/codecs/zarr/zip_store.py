"""The files of a Zarr store by their keys, in a ZIP file.

OME-NGFF RFC-9 (``.ozx``), and the ``ZipStore`` of zarr-python.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from napari_ferry.arrays.shared_file import share_file
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.store import METADATA_FILES, TOO_SHORT
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import other_format

_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Signature of the header before the bytes of an entry, and the lengths of its name and extra."""


class _Entry(NamedTuple):
    """Position of an entry in the file, and its storage."""

    header: int
    stored: int
    nbytes: int
    method: int
    crc: int
    is_encrypted: bool


class ZipStore:
    """The store in a ZIP file, at its root or in its only folder.

    Parameters
    ----------
    path : str
        Absolute path.
    stamp : Stamp, optional
        Identity of its content; by default of the present file.

    Raises
    ------
    UnreadableFileError
        The file is not a ZIP file.
    """

    is_remote = False

    def __init__(self, path: str, stamp: Stamp | None = None) -> None:
        self.path = path
        self._file = share_file(path, stamp)
        entries = _read_directory(Path(path))
        self._root = _find_root(entries)
        self._entries = {
            name.removeprefix(self._root): entry
            for name, entry in entries.items()
            if name.startswith(self._root)
        }
        self._names: dict[str, list[str]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return ZipStore, (self.path, self._file.stamp)

    @property
    def name(self) -> str:
        """Name of the file."""
        return Path(self.path).name

    def read(self, key: str, most: int) -> bytes | None:
        """Return a whole entry, or ``None`` if it is missing; see `Store.read`."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        size = max(entry.nbytes, entry.stored)
        if size > most:
            raise DamageError(f"it has {size} bytes, expected at most {most}")
        data = self._read_stored(entry, 0, entry.stored)
        if entry.method == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.nbytes + 1)
            except zlib.error as error:
                raise DamageError("its deflated bytes are invalid") from error
        if len(data) != entry.nbytes or zlib.crc32(data) != entry.crc:
            raise DamageError("it differs from its checksum")
        return data

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        """Return bytes of an entry, or ``None`` if it is missing; see `Store.read_part`."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        start = start if start >= 0 else entry.nbytes + start
        if start < 0 or start + nbytes > entry.nbytes:
            raise DamageError(TOO_SHORT)
        if entry.method != zipfile.ZIP_STORED:
            whole = self.read(key, entry.nbytes + entry.stored) or b""
            return whole[start : start + nbytes]
        return self._read_stored(entry, start, nbytes)

    def _read_stored(self, entry: _Entry, start: int, nbytes: int) -> bytes:
        """Read bytes of an entry as they are stored."""
        if entry.is_encrypted or entry.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            kind = "encrypted" if entry.is_encrypted else f"compressed by method {entry.method}"
            raise DamageError(f"it is {kind} in the ZIP file, which is not supported")
        self._check_end(entry.header + _LOCAL_HEADER.size)
        header = self._file.read(entry.header, _LOCAL_HEADER.size).tobytes()
        signature, n_name, n_extra = _LOCAL_HEADER.unpack(header)
        if signature != b"PK\x03\x04":
            raise DamageError("its header in the ZIP file is invalid")
        first = entry.header + _LOCAL_HEADER.size + n_name + n_extra + start
        self._check_end(first + nbytes)
        return self._file.read(first, nbytes).tobytes()

    def _check_end(self, end: int) -> None:
        if end > self._file.stamp.nbytes:
            raise DamageError("the ZIP file ends before it")

    def size(self, key: str) -> int | None:
        """Return the size of an entry in bytes, or ``None`` if it is missing."""
        entry = self._entries.get(key)
        return None if entry is None else entry.nbytes

    def list_names(self, key: str) -> list[str]:
        """Return the names of the entries and folders in a folder, in any order."""
        if self._names is None:
            self._names = _list_folders(self._entries)
        return self._names.get(key, [])

    def stamp(self, key: str) -> Stamp | None:
        """Return the stamp of the ZIP file; each read compares it."""
        return self._file.stamp if key in self._entries else None

    def close(self) -> None:
        """Close the file until the next use."""
        self._file.close()


def _read_directory(path: Path) -> dict[str, _Entry]:
    """Return the entries of a ZIP file by name; of duplicates, the last."""
    try:
        with zipfile.ZipFile(path) as file:
            listed = file.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        reason = other_format(path, "zip") or "it is damaged: get a complete copy"
        raise UnreadableFileError(
            f"{path.name} is not a Zarr store in a ZIP file; {reason}."
        ) from error

    return {
        info.filename: _Entry(
            header=info.header_offset,
            stored=info.compress_size,
            nbytes=info.file_size,
            method=info.compress_type,
            crc=info.CRC,
            is_encrypted=bool(info.flag_bits & 1),
        )
        for info in listed
        if info.filename and not info.is_dir()
    }


def _find_root(entries: dict[str, _Entry]) -> str:
    """Return the prefix of all keys: empty, or the only folder if the store is inside it."""
    if any(name in entries for name in METADATA_FILES):
        return ""
    folders = {name.partition("/")[0] for name in entries if "/" in name}
    roots = [f for f in folders if any(f"{f}/{name}" in entries for name in METADATA_FILES)]
    return f"{roots[0]}/" if len(roots) == 1 else ""


def _list_folders(entries: dict[str, _Entry]) -> dict[str, list[str]]:
    """Return the names in each folder."""
    names: dict[str, dict[str, None]] = {}
    for key in entries:
        folder, _, name = key.rpartition("/")
        while name not in names.setdefault(folder, {}):
            names[folder][name] = None
            if not folder:
                break
            folder, _, name = folder.rpartition("/")
    return {folder: [*inside] for folder, inside in names.items()}
