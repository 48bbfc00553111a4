"""The block structure of a GIF: where its frames lie and how they are shown, nothing decoded.

Block layout as in the GIF89a specification (CompuServe, 1990), sections 15 to 27.
"""

from __future__ import annotations

import mmap
import struct
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import UnreadableFileError

MAX_PIXELS = 1 << 26
"""A larger canvas is taken for a damaged one: it would need a quarter of a gigabyte a frame."""

MAX_SIDE = 65535
_MAX_TEXT = 16 << 20
_HEADER = 13

NO_INDEX = -1
"""Transparent index of a frame that has none."""

CLEARS, RESTORES = 2, 3
"""Disposal methods: to transparent, and to what stood there before."""


class Row(NamedTuple):
    """One frame of a `Table`, as plain numbers; offsets are bytes from the file's beginning."""

    left: int
    top: int
    width: int
    height: int
    is_interlaced: int
    delay: int
    disposal: int
    transparent: int
    palette: int
    colors: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Table:
    """All that a GIF says but its pixels.

    Parameters
    ----------
    path : Path
        The file.
    width, height : int
        Of the canvas, in pixels.
    rows : numpy.ndarray
        Axes (frame, field of `Row`), int64. Delays are in hundredths of a second. ``start`` is
        that of the byte that gives the code size, ``stop`` that of the block terminator.
    loop : int, optional
        How often it starts again, 0 for ever; ``None`` where it is played once.
    texts : tuple of bytes
        The comments.
    damage : str
        What is wrong with what follows the last whole frame; empty when nothing is.
    is_gray : bool
        Whether all palettes are gray.
    """

    path: Path
    width: int
    height: int
    rows: NDArray[np.int64]
    loop: int | None = None
    texts: tuple[bytes, ...] = ()
    damage: str = ""
    is_gray: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, i: int) -> Row:
        """Return what is known of frame i."""
        return Row(*self.rows[i].tolist())

    def column(self, name: str) -> NDArray[np.int64]:
        """Return one field of all frames."""
        values: NDArray[np.int64] = self.rows[:, Row._fields.index(name)]
        return values


def scan(path: Path) -> Table:
    """Walk the blocks of a file once; about 100 bytes of memory a frame.

    Raises
    ------
    UnreadableFileError
        No GIF, one without a whole frame, or one too large to be true.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER)
        if head[:6] not in (b"GIF87a", b"GIF89a") or len(head) < _HEADER:
            raise UnreadableFileError(
                f"{path} begins with {head[:6]!r}, and a GIF with GIF87a or GIF89a: it is another "
                "file, or damaged."
            )
        width, height = struct.unpack_from("<HH", head, 6)
        _check_size(path, width, height, "its canvas")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            walk = _Walk(path, data, width, height)
            walk.run(head[10])
    return walk.table()


def _check_size(path: Path, width: int, height: int, what: str) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise UnreadableFileError(
            f"{path} is damaged: {what} has {width} by {height} pixels, expected 1 to "
            f"{MAX_PIXELS:,} of them; make the file anew."
        )


class _DamagedError(Exception):
    """The blocks cannot be followed any further."""


@dataclass
class _Walk:
    """The state of one pass through the blocks."""

    path: Path
    data: mmap.mmap
    width: int
    height: int
    found: array[int] = field(default_factory=lambda: array("q"))
    loop: int | None = None
    texts: list[bytes] = field(default_factory=list)
    damage: str = ""
    is_gray: bool = True
    shared: tuple[int, int] = (0, 0)
    control: tuple[int, int, int] = (0, 0, NO_INDEX)

    def run(self, flags: int) -> None:
        """Follow the blocks up to the trailer, the end of the file, or the first broken one."""
        try:
            at = self._shared_palette(flags)
            while (at := self._block(at)) > 0:
                pass
        except (IndexError, struct.error):
            self.damage = "it ends within a block"
        except _DamagedError as error:
            self.damage = str(error)

    def table(self) -> Table:
        """Return what was found.

        Raises
        ------
        UnreadableFileError
            Not one whole frame.
        """
        rows = np.array(self.found, np.int64).reshape(-1, len(Row._fields))
        if not len(rows):
            raise UnreadableFileError(
                f"{self.path} holds no whole frame ({self.damage or 'it has no image block'}): "
                "copy it anew from where it came."
            )
        return Table(
            self.path,
            self.width,
            self.height,
            rows,
            self.loop,
            tuple(self.texts),
            self.damage,
            self.is_gray,
        )

    def _shared_palette(self, flags: int) -> int:
        if flags & 0x80:
            self.shared = (_HEADER, 2 << (flags & 7))
        return _HEADER + 3 * self.shared[1]

    def _block(self, at: int) -> int:
        """Read one block, and return where the next begins; 0 at the end."""
        if at >= len(self.data):  # the trailer is missing from many files that are whole
            return 0
        kind = self.data[at]
        if kind == 0x2C:
            return self._frame(at)
        if kind == 0x21:
            return self._extension(at)
        if kind == 0x3B:
            return 0
        raise _DamagedError(f"byte {at} is {kind:#04x}, which begins no block")

    def _frame(self, at: int) -> int:
        """Read an image descriptor (section 20), and pass over the image behind it."""
        left, top, width, height, flags = struct.unpack_from("<HHHHB", self.data, at + 1)
        if not width * height:
            raise _DamagedError(f"a frame has {width} by {height} pixels")
        _check_size(self.path, width, height, f"frame {len(self.found) // len(Row._fields)}")
        if not self.found:  # browsers make room for a first frame that is larger than the canvas
            self.width, self.height = max(self.width, left + width), max(self.height, top + height)
            _check_size(self.path, self.width, self.height, "its canvas")
        palette, colors = (at + 10, 2 << (flags & 7)) if flags & 0x80 else self.shared
        start = at + 10 + (3 * colors if flags & 0x80 else 0)
        stop = self._pass_over(start + 1)
        delay, disposal, transparent = self.control
        self.control = (0, 0, NO_INDEX)
        self.is_gray = self.is_gray and self._is_gray(palette, colors, transparent)
        self.found.extend(
            Row(
                left, top, width, height, flags >> 6 & 1,
                delay, disposal, transparent, palette, colors, start, stop,
            )
        )  # fmt: skip
        return stop + 1

    def _is_gray(self, palette: int, colors: int, transparent: int) -> bool:
        """Whether all colors that a frame can show are gray."""
        found = self.data[palette : palette + 3 * colors]
        if 0 <= transparent < colors:
            found = found[: 3 * transparent] + found[3 * transparent + 3 :]
        return found[::3] == found[1::3] == found[2::3]

    def _extension(self, at: int) -> int:
        """Read an extension (sections 23 to 26), and pass over it."""
        kind, size = self.data[at + 1], self.data[at + 2]
        if kind == 0xF9 and size >= 4:
            flags, delay, index = struct.unpack_from("<BHB", self.data, at + 3)
            self.control = (delay, flags >> 2 & 7, index if flags & 1 else NO_INDEX)
        stop = self._pass_over(at + 2)
        if kind == 0xFE:
            self._comment(at + 2, stop)
        elif kind == 0xFF and self.data[at + 3 : at + 14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
            self._application(at + 3 + size)
        return stop + 1

    def _application(self, at: int) -> None:
        """Read how often the movie starts again."""
        if self.data[at] >= 3 and self.data[at + 1] & 7 == 1:
            self.loop = struct.unpack_from("<H", self.data, at + 2)[0]

    def _comment(self, at: int, stop: int) -> None:
        if stop - at <= _MAX_TEXT:
            self.texts.append(join_blocks(self.data[at:stop]))

    def _pass_over(self, at: int) -> int:
        """Return where the terminator of the sub-blocks (section 15) is that begin here."""
        data = self.data
        while size := data[at]:
            at += size + 1
        return at


def join_blocks(data: bytes) -> bytes:
    """Return the content of data sub-blocks, without their sizes."""
    parts, at = [], 0
    while at < len(data):
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts)


def split_blocks(content: bytes) -> bytes:
    """Return content as data sub-blocks, with the terminator."""
    parts = (content[i : i + 255] for i in range(0, len(content), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
