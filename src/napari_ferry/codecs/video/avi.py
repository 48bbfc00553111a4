"""AVI files: encodings unknown to FFmpeg, and chunks without data.

Microsoft, AVI RIFF file reference; BITMAPINFOHEADER of the Windows API.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HEADER_BYTES = 1 << 14

_RGB = bytes(4)
"""``BI_RGB``: uncompressed colors, gray levels or indices, from the lowest row to the highest."""

_RGB_NAMES = (b"DIB ", b"RGB ", b"RAW ")

_WORDS = b"RV16"
"""FFmpeg's name of uncompressed colors of 16 bits per pixel, whose bytes it does not change."""

_GRAY_BITS = {b"Y16 ": 16, b"Y14 ": 14, b"Y12 ": 12, b"Y10 ": 10}
"""Encoding with one word of 16 bits per pixel -> significant bits."""

_FRAME_CHUNKS = (b"db", b"dc")
_LISTS = (b"RIFF", b"LIST")


@dataclass(frozen=True, kw_only=True)
class AviPatch:
    """Another name for the encoding in the header of a file, known to FFmpeg.

    Parameters
    ----------
    offsets : tuple of int
        Positions of the name in the file, in bytes.
    name : bytes
        The name for FFmpeg, a FOURCC.
    gray_bits : int
        Significant bits of gray levels of 16 bits; 0 for other samples.
    """

    offsets: tuple[int, int]
    name: bytes
    gray_bits: int = 0


def find_patch(path: Path) -> AviPatch | None:
    """Return the patch for an AVI file in an encoding unknown to FFmpeg, or ``None``."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return None  # reported when the file is opened as a video
    stream = header.find(b"vids")
    bitmap = header.find(b"strf", max(stream, 0)) + 8
    if header[:4] != b"RIFF" or header[8:12] != b"AVI " or stream < 0 or bitmap < 8:
        return None

    offsets = (stream + 4, bitmap + 16)
    name, bits = header[bitmap + 16 : bitmap + 20], header[bitmap + 14 : bitmap + 16]
    if name in _RGB_NAMES:
        return AviPatch(offsets=offsets, name=_RGB)
    if name in _GRAY_BITS and bits == b"\x10\x00":
        return AviPatch(offsets=offsets, name=_WORDS, gray_bits=_GRAY_BITS[name])
    return None


class PatchedAvi(io.FileIO):
    """A file for FFmpeg: the file on the disk with a patch.

    Parameters
    ----------
    path : Path
        The file.
    patch : AviPatch
        The bytes to replace.
    """

    def __init__(self, path: Path, patch: AviPatch) -> None:
        super().__init__(path)
        self._patch = patch

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes from the current position."""
        start = self.tell()
        data = super().read(size) or b""
        if start >= max(self._patch.offsets) + 4:
            return data
        patched = bytearray(data)
        for offset in self._patch.offsets:
            for k, value in enumerate(self._patch.name):
                if 0 <= offset + k - start < len(patched):
                    patched[offset + k - start] = value
        return bytes(patched)


def find_empty_chunks(path: Path, stream: int) -> list[int] | None:
    """Return the numbers of the chunks of a stream without data.

    Parameters
    ----------
    path : Path
        An AVI file.
    stream : int
        Number of the stream.

    Returns
    -------
    list of int or None
        ``None`` if the file is truncated, or not a sequence of whole chunks.
    """
    names = [f"{stream:02d}".encode() + kind for kind in _FRAME_CHUNKS]
    try:
        with path.open("rb") as file:
            chunks = _chunks(file, path.stat().st_size)
            sizes = [nbytes for name, nbytes in chunks if name in names]
    except (struct.error, ValueError):
        return None
    return [number for number, nbytes in enumerate(sizes) if not nbytes]


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the name and size of each chunk, including chunks in lists.

    Raises
    ------
    ValueError, struct.error
        A chunk extends beyond the end of the file, or its header does.
    """
    offset = 0
    while offset < end:
        file.seek(offset)
        name, nbytes = struct.unpack("<4sI", file.read(8))
        if offset + 8 + nbytes > end:
            raise ValueError("a chunk extends beyond the end of the file")
        yield name, nbytes
        # the chunks of a list follow its type
        offset += 12 if name in _LISTS else 8 + nbytes + nbytes % 2
