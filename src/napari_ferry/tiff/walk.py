"""The chain of directories of a TIFF file: where its pages are, and which are alike.

TIFF 6.0 (Adobe, 1992) and BigTIFF. Only the tags that say where pixels lie, and how, are looked at.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import FerryWarning, UnreadableFileError

_OFFSETS, _COUNTS = (273, 324), (279, 325)


_LAYOUT_TAGS = (254, 256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, 32997)


VALUE_TYPES = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}


_MAX_PAGES = 1 << 24


class Stamp(NamedTuple):
    """What tells that a file is still the one that was opened."""

    nbytes: int
    modified_ns: int

    @classmethod
    def of(cls, file: int | Path) -> Stamp:
        """Look at an open file, or at a path."""
        status = os.stat(file)  # noqa: PTH116 - also of an open file
        return cls(status.st_size, status.st_mtime_ns)


@contextmanager
def open_unchanged(path: Path, stamp: Stamp) -> Iterator[BinaryIO]:
    """Open a file for reading, unless it changed since it was looked at.

    Raises
    ------
    UnreadableFileError
        It is gone, or another file stands there now.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFileError(
            f"{path} cannot be read any more ({error.strerror}): put it back, or open it anew."
        ) from error
    with file:
        if Stamp.of(file.fileno()) != stamp:
            raise UnreadableFileError(f"{path} changed since it was opened: open it again.")
        yield file


class PageTable(NamedTuple):
    """Where the pages of a file are.

    Parameters
    ----------
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        Whether this is BigTIFF.
    ifds, kinds : array of int64, axis page
        Where each directory begins, and which kind of page it describes.
    where : array of int64, axes page, (offsets, counts), (type, count, value)
        The two tags that say where pixels lie, as they stand in the directory.
    """

    order: str
    is_big: bool
    ifds: NDArray[np.int64]
    kinds: NDArray[np.int64]
    where: NDArray[np.int64]


def walk(path: Path, file: BinaryIO) -> tuple[str, bool, list[tuple[int, bytes]]]:
    """Follow the chain of directories.

    Returns
    -------
    order : str
        ``"<"`` or ``">"``.
    is_big : bool
        Whether this is BigTIFF.
    ifds : list of (int, bytes)
        Offset and raw entries of each directory.
    """
    order, version, header = read_magic(path, file)
    is_big = version == 43
    count_of = struct.Struct(order + ("Q" if is_big else "H")).unpack_from
    next_of = struct.Struct(order + ("Q" if is_big else "I")).unpack_from
    head, entry, tail = (8, 20, 8) if is_big else (2, 12, 4)
    place = next_of(header, 8 if is_big else 4)[0]
    ifds: list[tuple[int, bytes]] = []
    seen: set[int] = set()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size = len(data)
        while place:
            end = place + head
            n = count_of(data, place)[0] if end <= size else 0
            end += entry * n
            if end + tail > size or not n or place in seen or len(ifds) > _MAX_PAGES:
                _broken_chain(path, len(ifds), place in seen)
                break
            seen.add(place)
            ifds.append((place, data[place + head : end]))
            place = next_of(data, end)[0]
    return order, is_big, ifds


def open_tiff(path: Path) -> BinaryIO:
    """Open a file for reading; refuse what is no file, or does not begin like a TIFF file.

    Raises
    ------
    UnreadableFileError
        A folder, pipe or device, an empty file, or one of another format.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableFileError(f"{path} is no file: name a file, or a folder of TIFF files.")
    with ExitStack() as undo:
        file = undo.enter_context(path.open("rb"))
        read_magic(path, file)
        undo.pop_all()
    file.seek(0)
    return file


def read_magic(path: Path, file: BinaryIO) -> tuple[str, int, bytes]:
    """Return byte order, version (42, or 43 for BigTIFF) and the first 16 bytes."""
    header = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(header[:2], "")
    version = struct.unpack(order + "H", header[2:4])[0] if order and len(header) >= 8 else 0
    if version not in (42, 43) or (version == 43 and len(header) < 16):
        found = f"it begins with {header[:8]!r}" if header else "it is empty"
        raise UnreadableFileError(
            f"{path} is no TIFF file ({found}): check what it really is, and open it as that."
        )
    return order, version, header


def _broken_chain(path: Path, found: int, is_circle: bool) -> None:
    """Say that a chain of directories ends in the void; refuse where nothing can be had."""
    what = "run in a circle" if is_circle else "go on behind the end of the file"
    if is_circle or not found:
        raise UnreadableFileError(
            f"{path} is damaged: its pages {what} after {found}; get a whole copy of the file."
        )
    warnings.warn(
        f"{path} is cut off: its pages {what}, only the first {found} are there.",
        FerryWarning,
        stacklevel=2,
    )


def index_pages(
    walked: Sequence[tuple[int, bytes]], order: str, is_big: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell kinds of pages apart, and find where each says its pixels lie.

    Returns
    -------
    kinds : array of int64, axis page
        Pages of one kind have the same number; counted in order of appearance.
    where : array of int64, axes page, (offsets, counts), (type, count, value)
        The two tags as they stand in the directory.
    """
    value = "u8" if is_big else "u4"
    entry = np.dtype([("tag", "u2"), ("type", "u2"), ("count", value), ("value", value)])
    entry = entry.newbyteorder(">" if order == ">" else "<")
    kinds = np.empty(len(walked), np.int64)
    where = np.zeros((len(walked), 2, 3), np.int64)
    known: dict[bytes, int] = {}
    lengths = np.array([len(raw) for _, raw in walked])
    for length in np.unique(lengths):
        members = np.nonzero(lengths == length)[0]
        joined = b"".join(walked[i][1] for i in members.tolist())
        table = np.frombuffer(joined, entry).reshape(len(members), -1)
        for same in _alike(np.stack([table["tag"], table["type"]], -1)):
            rows, pages = table[same], members[same]
            tags = rows["tag"][0]
            layout = np.nonzero(np.isin(tags, _LAYOUT_TAGS))[0]
            columns = [_values_of(rows[:, k], order, is_big) for k in layout]
            for k, pair in enumerate((_OFFSETS, _COUNTS)):
                found = np.nonzero(np.isin(tags, pair))[0]
                if found.size:
                    column = rows[:, found[0]]
                    first = _values_of(column, order, is_big, inline=1)
                    where[pages, k] = np.stack([column["type"], column["count"], first], -1)
            for group in _alike(np.stack([*columns, where[pages, 0, 1]], -1)):
                key = _columns_key(tags[layout], [column[group[0]] for column in columns])
                kinds[pages[group]] = known.setdefault(
                    key + int(where[pages[group[0]], 0, 1]).to_bytes(8, "little"), len(known)
                )
    return _by_appearance(kinds), where


def _columns_key(tags: NDArray[Any], values: Sequence[Any]) -> bytes:
    """Return bytes that are equal for equal tags and values."""
    return np.asarray(tags, np.int64).tobytes() + np.asarray(values, np.int64).tobytes()


def _values_of(
    column: NDArray[Any], order: str, is_big: bool, inline: int | None = None
) -> NDArray[np.int64]:
    """Return the values of one tag on many pages; its count where the values lie elsewhere.

    With `inline`, tags of more than that many values give the raw field, which may be a pointer.
    """
    field = np.ascontiguousarray(column["value"])
    kind = VALUE_TYPES.get(int(column["type"][0]), "u4")
    size = np.dtype(kind).itemsize
    values = field.view(order + kind).reshape(len(field), -1)[:, 0].astype(np.int64)
    if inline is not None:
        return np.where(column["count"] == 1, values, field.astype(np.int64))
    fits = column["count"].astype(np.int64) * size <= (8 if is_big else 4)
    return np.where(fits, values, column["count"].astype(np.int64))


def _alike(rows: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Return groups of equal rows, by index, the first row's group first."""
    flat = rows.reshape(len(rows), -1)
    equal = (flat == flat[0]).all(1)
    if equal.all():
        return [np.arange(len(rows))]
    _, inverse = np.unique(flat, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    return [np.nonzero(inverse == k)[0] for k in range(inverse.max() + 1)]


def _by_appearance(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return kinds numbered in the order in which they first appear."""
    _, first, inverse = np.unique(kinds, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]
