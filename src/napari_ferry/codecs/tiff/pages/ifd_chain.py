"""Chain of directories of a TIFF file, with the offsets of its pages.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import other_format

_MAX_PAGES = 1 << 24
_MAGIC_BYTES = 16

_USUAL_ENTRIES = 12
"""Number of entries assumed for the first directory before it is known."""


class Magic(NamedTuple):
    """Beginning of a TIFF file.

    Parameters
    ----------
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    first : int
        Offset of the first directory, in bytes.
    """

    order: str
    is_big: bool
    first: int


class IfdChain(NamedTuple):
    """Directories of a TIFF file, in the order of their chain.

    Parameters
    ----------
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    offsets : list of int
        Offset of each directory in the file; 0 for a page that does not exist.
    entries : list of bytes
        Raw entries of each directory.
    lost : int
        Offset of the next directory if it is beyond the end of the file, otherwise 0.
    """

    order: str
    is_big: bool
    offsets: list[int]
    entries: list[bytes]
    lost: int = 0


def read_ifd_chain(path: Path, file: BinaryIO) -> IfdChain:
    """Follow the chain of directories.

    Parameters
    ----------
    path : Path
        The file, for messages.
    file : binary file
        Open for reading, at its beginning.

    Raises
    ------
    UnreadableFileError
        The file is not a TIFF file, or its chain is broken at the start or circular.
    """
    order, is_big, first = read_magic(path, file)
    offsets: list[int] = []
    entries: list[bytes] = []

    # a circle contains a step backward, so only the targets of such steps are remembered
    backward: set[int] = set()
    is_circle = False
    lost = 0
    for offset, raw, following in _directories(FileWindow(file), order, is_big, first):
        if not raw or is_circle or len(offsets) > _MAX_PAGES:
            _refuse_broken_chain(path, len(set(offsets)), is_circle)
            lost = offset
            break
        offsets.append(offset)
        entries.append(raw)
        if following <= offset:
            is_circle = following in backward
            backward.add(following)
    return IfdChain(order, is_big, offsets, entries, lost)


def _directories(
    data: FileWindow, order: str, is_big: bool, offset: int
) -> Iterator[tuple[int, bytes, int]]:
    """Yield the offset of each directory, its entries, and the offset of the next one.

    Adjacent directories mostly have the same number of entries, so this number is assumed, and
    verified after reading. The entries are empty if the directory is incomplete, which ends the
    chain.
    """
    assumed, directory = _USUAL_ENTRIES, _directory_struct(order, is_big, _USUAL_ENTRIES)
    # the attributes of the window are local: looking them up for each page takes a third longer
    window, start, last = b"", 0, -1
    while offset:
        if not start <= offset <= last:
            data.move(offset, directory.size)
            window, start = data.window, data.start
            last = start + len(window) - directory.size
        n, raw, following = (0, b"", 0)
        if offset <= last:
            n, raw, following = directory.unpack_from(window, offset - start)

        if n != assumed:
            assumed = _count_entries(data, offset, order, is_big)
            directory = _directory_struct(order, is_big, assumed)
            content = data.read(offset, directory.size)
            window, start = data.window, data.start
            last = start + len(window) - directory.size
            is_whole = assumed and len(content) == directory.size
            _, raw, following = directory.unpack(content) if is_whole else (0, b"", 0)
        yield offset, raw, following
        offset = following


def _directory_struct(order: str, is_big: bool, n_entries: int) -> struct.Struct:
    """Return the layout of a directory: number of entries, entries, offset of the next one."""
    head, entry, link = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    return struct.Struct(f"{order}{head}{entry * n_entries}s{link}")


def _count_entries(data: FileWindow, offset: int, order: str, is_big: bool) -> int:
    """Read the number of entries of a directory; 0 if they would end beyond the file."""
    counter, entry = struct.Struct(order + ("Q" if is_big else "H")), 20 if is_big else 12
    raw = data.read(offset, counter.size)
    n = int(counter.unpack(raw)[0]) if len(raw) == counter.size else 0
    return n if offset + entry * n <= data.size else 0


def open_tiff(path: Path) -> BinaryIO:
    """Open a TIFF file for reading.

    Raises
    ------
    UnreadableFileError
        A folder, pipe or device, an empty file, or a file of another format.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableFileError(
            f"{path.name} is not a file: name a file, or a folder of TIFF files."
        )
    with ExitStack() as undo:
        file = undo.enter_context(path.open("rb"))
        read_magic(path, file)
        undo.pop_all()
    file.seek(0)
    return file


def read_magic(path: Path, file: BinaryIO) -> Magic:
    """Read the header of a file.

    Raises
    ------
    UnreadableFileError
        The file does not begin like a TIFF file, or ends within its header.
    """
    header = file.read(_MAGIC_BYTES)
    order = {b"II": "<", b"MM": ">"}.get(header[:2], "")
    version = struct.unpack(order + "H", header[2:4])[0] if order and len(header) >= 4 else 0
    if version not in (42, 43):
        raise UnreadableFileError(_not_tiff(path, header))
    if len(header) < (8 if version == 42 else _MAGIC_BYTES):
        raise UnreadableFileError(
            f"{path.name} is cut off: it ends after {len(header)} bytes, within the header; get a "
            "complete copy of the file."
        )
    is_big = version == 43
    link, start = ("Q", 8) if is_big else ("I", 4)
    return Magic(order, is_big, struct.unpack_from(order + link, header, start)[0])


def _not_tiff(path: Path, header: bytes) -> str:
    """Return the message about a file of another format."""
    if header and (clause := other_format(path, "TIFF")):
        return f"{path.name} is not a TIFF file; {clause}."
    beginning = f"it begins with {repr(header[:8])[1:]}" if header else "it is empty"
    return (
        f"{path.name} is not a TIFF file ({beginning}): check its format, and give it the suffix "
        "of that format."
    )


def check_first_page(path: Path, file: BinaryIO, nbytes: int) -> Magic:
    """Return the beginning of a file, and refuse a file without its first page.

    Parameters
    ----------
    path : Path
        The file, for messages.
    file : binary file
        Open for reading, at its beginning, where it is left.
    nbytes : int
        Size of the file.

    Raises
    ------
    UnreadableFileError
        The file is cut off.
    """
    magic = read_magic(path, file)
    if magic.first >= nbytes:
        _refuse_broken_chain(path, 0, False)
    file.seek(0)
    return magic


def _refuse_broken_chain(path: Path, n_pages: int, is_circle: bool) -> None:
    """Refuse an unusable chain.

    Raises
    ------
    UnreadableFileError
        The chain is circular, or has no page at all.
    """
    if is_circle:
        raise UnreadableFileError(
            f"{path.name} is damaged: its chain of pages is circular after {n_pages} pages; get a "
            "complete copy of the file."
        )

    if not n_pages:
        raise UnreadableFileError(
            f"{path.name} is cut off: its first page is beyond the end of the file; get a complete "
            "copy of the file."
        )


def warn_lost(path: Path, n_pages: int) -> None:
    """Warn of a chain that continues beyond the end of the file, after a number of pages."""
    first = "page" if n_pages == 1 else f"{n_pages} pages"
    warn_incomplete(
        f"{path.name} is cut off: its pages continue beyond the end of the file, and only the "
        f"first {first} can be read.",
    )
