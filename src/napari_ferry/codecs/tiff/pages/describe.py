"""Description of one page of a TIFF file by tifffile, independent of the pages before it.

tifffile always reads the first page of a file, with its ImageDescription, which may be 40 MB of
OME-XML. So tifffile receives a patched view of the file, in which the requested page is the first
one and has no description.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from napari_ferry.codecs.tiff.pages.directory import MAX_ENTRIES
from napari_ferry.codecs.tiff.pages.ifd_chain import open_tiff, read_magic
from napari_ferry.codecs.tiff.pages.page_table import DESCRIPTION_TAG
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile

if TYPE_CHECKING:
    import tifffile

_MAX_TEXT = 1 << 20
"""Maximum number of bytes of the text of a page among many."""
_COUNT_OFFSET = 4
"""Bytes of tag and type in an entry, before its count."""


@contextmanager
def describe_page(path: Path, ifd: int) -> Iterator[tifffile.TiffPage]:
    """Describe the page whose directory is at an offset; the file is open in the context.

    Raises
    ------
    Exception
        An error of tifffile on a damaged file; see `TIFFFILE_ERRORS`.
    """
    import tifffile

    with silent_tifffile(), open_tiff(path) as file:
        order, is_big, _ = read_magic(path, file)
        link, start = ("Q", 8) if is_big else ("I", 4)
        patches = {
            start: struct.pack(order + link, ifd),
            **_empty_description(file, ifd, order, is_big),
        }

        file.seek(0)
        patched = io.BufferedReader(_PatchedFile(file, patches))
        with patched, tifffile.TiffFile(patched, name=path.name) as tif:
            yield tif.pages.first


def _empty_description(file: BinaryIO, ifd: int, order: str, is_big: bool) -> dict[int, bytes]:
    """Return the patch for an empty description, by its offset.

    It replaces the count and the value of the entry. A page without a description needs none.
    """
    offset = _find_entry(file, ifd, (DESCRIPTION_TAG,), order, is_big)
    return {} if offset is None else {offset: struct.pack(order + ("QQ" if is_big else "II"), 1, 0)}


def _find_entry(
    file: BinaryIO, ifd: int, tags: Collection[int], order: str, is_big: bool
) -> int | None:
    """Return the offset of the count in the first entry of some tags, or None without one."""
    head, entry = (struct.Struct(order + f) for f in (("Q", "HHQQ") if is_big else ("H", "HHII")))
    file.seek(ifd)
    raw = file.read(head.size)
    n = head.unpack(raw)[0] if len(raw) == head.size else 0
    raw = file.read(min(n, MAX_ENTRIES) * entry.size)
    for k in range(len(raw) // entry.size):
        if entry.unpack_from(raw, k * entry.size)[0] in tags:
            return ifd + head.size + k * entry.size + _COUNT_OFFSET
    return None


def description_head(path: Path, nbytes: int) -> str:
    """Read the beginning of the description of the first page, empty if it has none.

    Parameters
    ----------
    path : Path
        The file.
    nbytes : int
        Number of bytes to read at most.

    Raises
    ------
    UnreadableFileError
        The file does not begin like a TIFF file.
    ArithmeticError, OSError, ValueError, struct.error
        The file is damaged, or cannot be read.
    """
    with open_tiff(path) as file:
        order, is_big, ifd = read_magic(path, file)
        offset = _find_entry(file, ifd, (DESCRIPTION_TAG,), order, is_big)
        return _read_text(file, offset, nbytes, order, is_big)


def page_texts(path: Path, ifds: Iterable[int], tags: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Yield the texts of some tags of each page, empty without the tag.

    Parameters
    ----------
    path : Path
        The file.
    ifds : iterable of int
        Offset of the directory of each page, in bytes.
    tags : sequence of int
        Numbers of the tags.

    Raises
    ------
    UnreadableFileError
        The file does not begin like a TIFF file.
    """
    with open_tiff(path) as file:
        order, is_big, _ = read_magic(path, file)
        for ifd in ifds:
            offsets = [_find_entry(file, ifd, (tag,), order, is_big) for tag in tags]
            yield tuple(_read_text(file, at, _MAX_TEXT, order, is_big) for at in offsets)


def pages_with(path: Path, ifds: Iterable[int], tags: Collection[int]) -> list[int]:
    """Return the offsets of the directories with one of some tags.

    Raises
    ------
    UnreadableFileError
        The file does not begin like a TIFF file.
    """
    with open_tiff(path) as file:
        order, is_big, _ = read_magic(path, file)
        return [ifd for ifd in ifds if _find_entry(file, ifd, tags, order, is_big) is not None]


def _read_text(file: BinaryIO, offset: int | None, nbytes: int, order: str, is_big: bool) -> str:
    """Read the beginning of the text of an entry, given the offset of its count."""
    if offset is None:
        return ""
    field = struct.Struct(order + ("QQ" if is_big else "II"))
    file.seek(offset)
    raw = file.read(field.size)
    count, start = field.unpack(raw) if len(raw) == field.size else (0, 0)
    inline = field.size // 2
    file.seek(start if count > inline else offset + inline)
    return file.read(min(count, nbytes)).rstrip(b"\0").decode("utf-8", "replace")


class _PatchedFile(io.RawIOBase):
    """A file for reading, with some of its bytes replaced.

    The file itself is not changed, and stays open when this view is closed.

    Parameters
    ----------
    file : binary file
        The file.
    patches : dict of int to bytes
        Replaced bytes, by their offset.
    """

    def __init__(self, file: BinaryIO, patches: dict[int, bytes]) -> None:
        self._file = file
        self._patches = patches

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset, and return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset."""
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer with the patches; return their number."""
        start = self._file.tell()
        size = self._file.readinto(buffer)  # type: ignore[attr-defined]
        for offset, patch in self._patches.items():
            first, last = max(start, offset), min(start + size, offset + len(patch))
            if first < last:
                buffer[first - start : last - start] = patch[first - offset : last - offset]
        return int(size)
