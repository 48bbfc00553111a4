"""One page of a TIFF file as tifffile describes it, whatever stands before it in the file.

tifffile always reads the first page of a file, with its ImageDescription, which may be 40 MB of
OME-XML. So it is shown the file as if the page that is wanted were the first one, and without its
description.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from napari_ferry.codecs.tiff.pages.ifd_chain import open_tiff, read_magic

if TYPE_CHECKING:
    import tifffile

_DESCRIPTION = 270
_MOST_ENTRIES = 4096


@contextmanager
def describe_page(path: Path, ifd: int) -> Iterator[tifffile.TiffPage]:
    """Describe the page whose directory is at an offset; the file is open meanwhile.

    Raises
    ------
    Exception
        What tifffile raises on damaged files; see `TIFFFILE_ERRORS`.
    """
    import tifffile

    with open_tiff(path) as file:
        order, version, _ = read_magic(path, file)
        is_big = version == 43
        link, start = ("Q", 8) if is_big else ("I", 4)
        patches = {start: struct.pack(order + link, ifd), **_emptied(file, ifd, order, is_big)}
        file.seek(0)
        shown = io.BufferedReader(_Patched(file, patches))
        with shown, tifffile.TiffFile(shown, name=path.name) as tif:
            yield tif.pages.first


def _emptied(file: BinaryIO, ifd: int, order: str, is_big: bool) -> dict[int, bytes]:
    """Return what makes the description of a page empty: the offset of its count, and zeros."""
    place = _description_place(file, ifd, order, is_big)
    return {} if place is None else {place: struct.pack(order + ("QQ" if is_big else "II"), 1, 0)}


def _description_place(file: BinaryIO, ifd: int, order: str, is_big: bool) -> int | None:
    """Return where a directory says how long the description is, and where it begins."""
    head, entry = (struct.Struct(order + f) for f in (("Q", "HHQQ") if is_big else ("H", "HHII")))
    file.seek(ifd)
    raw = file.read(head.size)
    n = head.unpack(raw)[0] if len(raw) == head.size else 0
    raw = file.read(min(n, _MOST_ENTRIES) * entry.size)
    for k in range(len(raw) // entry.size):
        if entry.unpack_from(raw, k * entry.size)[0] == _DESCRIPTION:
            return ifd + head.size + k * entry.size + 4
    return None


def description_head(path: Path, nbytes: int) -> str:
    """Return the beginning of the text that the first page carries, empty when it has none.

    Raises
    ------
    UnreadableFileError
        It does not begin like a TIFF file.
    ArithmeticError, OSError, ValueError, struct.error
        It is damaged, or cannot be read.
    """
    with open_tiff(path) as file:
        order, version, first = read_magic(path, file)
        is_big = version == 43
        (ifd,) = struct.unpack_from(order + ("Q" if is_big else "I"), first, 8 if is_big else 4)
        place = _description_place(file, ifd, order, is_big)
        if place is None:
            return ""
        field = struct.Struct(order + ("QQ" if is_big else "II"))
        file.seek(place)
        count, start = field.unpack(file.read(field.size))
        inline = field.size // 2
        file.seek(start if count > inline else place + inline)
        return file.read(min(count, nbytes)).decode("utf-8", "replace")


class _Patched(io.RawIOBase):
    """A file with other bytes at some places, for reading; closes with the file.

    Parameters
    ----------
    file : binary file
        What is shown.
    patches : dict of int to bytes
        Other bytes, by the offset at which they stand.
    """

    def __init__(self, file: BinaryIO, patches: dict[int, bytes]) -> None:
        self._file = file
        self._patches = patches

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        start = self._file.tell()
        size = self._file.readinto(buffer)  # type: ignore[attr-defined]
        for place, patch in self._patches.items():
            first, last = max(start, place), min(start + size, place + len(patch))
            if first < last:
                buffer[first - start : last - start] = patch[first - place : last - place]
        return int(size)
