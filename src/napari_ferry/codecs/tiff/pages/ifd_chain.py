"""The chain of directories of a TIFF file: where its pages are.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_ferry.arguments import cure_of
from napari_ferry.errors import FerryWarning, UnreadableFileError

_MAX_PAGES = 1 << 24


class Stamp(NamedTuple):
    """What tells that a file is still the one that was opened."""

    nbytes: int
    modified_ns: int

    @classmethod
    def of(cls, file: int | str | Path) -> Stamp:
        """Look at an open file, or at a path."""
        status = os.stat(file)  # noqa: PTH116 - also of an open file
        return cls(status.st_size, status.st_mtime_ns)


def open_unchanged(path: str | Path, stamp: Stamp, *, buffering: int = -1) -> BinaryIO:
    """Open a file for reading, unless it changed since it was looked at.

    Parameters
    ----------
    path : str or Path
        The file.
    stamp : Stamp
        What it was.
    buffering : int
        As for `open`; 0 where all that is read is read at once.

    Raises
    ------
    UnreadableFileError
        It is gone, or another file stands there now.
    """
    try:
        file: BinaryIO = open(path, "rb", buffering)  # noqa: PTH123, SIM115 - thousands of files
    except OSError as error:
        cure = cure_of(error, "put it back, or open it anew")
        raise UnreadableFileError(
            f"{path} cannot be read any more ({error.strerror}): {cure}."
        ) from error
    if Stamp.of(file.fileno()) != stamp:
        file.close()
        raise UnreadableFileError(f"{path} changed since it was opened: open it again.")
    return file


@contextmanager
def map_file(file: BinaryIO) -> Iterator[mmap.mmap]:
    """Map an open file, to be looked at; no array may look at it any more at the end."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


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
    link, start = ("Q", 8) if is_big else ("I", 4)
    place = struct.unpack_from(order + link, header, start)[0]
    ifds: list[tuple[int, bytes]] = []
    back: set[int] = set()  # a circle goes back somewhere, so only such steps are remembered
    is_circle = False
    with map_file(file) as data:
        read = _directory_reader(data, order, is_big)
        while place:
            entries, following = read(place)
            if not entries or is_circle or len(ifds) > _MAX_PAGES:
                _broken_chain(path, len({place for place, _ in ifds}), is_circle)
                break
            ifds.append((place, entries))
            if following <= place:
                is_circle = following in back
                back.add(following)
            place = following
    return order, is_big, ifds


def _directory_reader(
    data: mmap.mmap, order: str, is_big: bool
) -> Callable[[int], tuple[bytes, int]]:
    """Return what reads the entries of a directory, and where the next one is.

    Neighbors mostly have as many entries, so that is assumed, and looked at afterwards.
    It gives no entries where there is no whole directory.
    """
    head, entry, link = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    counter = struct.Struct(order + head)
    around, size = counter.size + struct.calcsize(order + link), len(data)
    assumed, whole, last = 0, counter.unpack_from, size

    def read(place: int) -> tuple[bytes, int]:
        nonlocal assumed, whole, last
        if assumed and place <= last:
            n, entries, following = whole(data, place)
            if n == assumed:
                return entries, following
        n = counter.unpack_from(data, place)[0] if place + around <= size else 0
        if not n or place + around + entry * n > size:
            return b"", 0
        assumed, last = n, size - around - entry * n
        whole = struct.Struct(f"{order}{head}{entry * n}s{link}").unpack_from
        _, entries, following = whole(data, place)
        return entries, following

    return read


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
