"""Scan of the block structure of a GIF: positions and times of its frames, without decoding.

Block layout as in the GIF89a specification (CompuServe, 1990), sections 15 to 27.
"""

from __future__ import annotations

import os
import struct
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.arrays.stamp import Stamp, changed, open_unchanged
from napari_ferry.codecs.gif.data_blocks import join_blocks, skip_blocks
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import other_format

MAX_PIXELS = 1 << 25
"""Maximum number of pixels of a canvas: composing a larger one takes half a gigabyte of memory.

A file with a larger canvas is treated as damaged.
"""

MAX_SIDE = 65535
_MAX_COMMENT_BYTES = 16 << 20
_HEADER_BYTES = 13
_HEAD_BYTES = 14
"""Bytes read at once from the start of a block; application blocks have the longest start."""

NO_INDEX = -1
"""Transparent index of a frame without transparency."""

CLEARS, RESTORES = 2, 3
"""Disposal methods: clear the area of the frame, or restore its previous content."""


class FrameRow(NamedTuple):
    """One frame of a `FrameTable` as plain numbers; offsets count bytes from the file start."""

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


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameTable:
    """Content of a GIF without its pixels.

    Parameters
    ----------
    path : Path
        The file.
    stamp : Stamp
        Stamp of the file when it was scanned; a file with another one is refused.
    width, height : int
        Size of the canvas, in pixels.
    declared : (int, int)
        Width and height of the canvas in the header, in pixels; 0 for the size of the first frame.
    rows : numpy.ndarray
        Axes (frame, field of `FrameRow`), int64. Delays are in hundredths of a second. ``start``
        is the offset of the code size, ``stop`` the offset of the block terminator.
    loop : int, optional
        Number of repetitions, 0 for endless; ``None`` for a movie that plays once.
    texts : tuple of bytes
        The comments.
    damage : str
        Description of the damage after the last whole frame; empty for a whole file.
    is_gray : bool
        True if all palettes are gray.
    """

    path: Path
    stamp: Stamp
    width: int
    height: int
    declared: tuple[int, int]
    rows: NDArray[np.int64]
    loop: int | None = None
    texts: tuple[bytes, ...] = ()
    damage: str = ""
    is_gray: bool = True

    def open(self) -> BinaryIO:
        """Open the file, unless it changed since it was scanned."""
        return open_unchanged(self.path, self.stamp)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, i: int) -> FrameRow:
        """Return the row of frame i."""
        return FrameRow(*self.rows[i].tolist())

    def column(self, name: str) -> NDArray[np.int64]:
        """Return one field of all frames."""
        values: NDArray[np.int64] = self.rows[:, FrameRow._fields.index(name)]
        return values


def scan(path: Path) -> FrameTable:
    """Read all blocks of a file once, with about 100 bytes of memory per frame.

    Raises
    ------
    UnreadableFileError
        The file is not a GIF, has no whole frame, specifies an impossible size, or changed
        meanwhile.
    """
    with path.open("rb", buffering=0) as file:
        stamp = Stamp.of(file.fileno())
        header = file.read(_HEADER_BYTES)
        if header[:6] not in (b"GIF87a", b"GIF89a") or len(header) < _HEADER_BYTES:
            raise UnreadableFileError(_not_gif(path, header))
        width, height = struct.unpack_from("<HH", header, 6)
        _check_size(path, width or 1, height or 1, "its canvas")  # 0 for the first frame

        blocks = _BlockScan(path, stamp, FileWindow(file), width, height)
        blocks.read_all(header[10])
        if not stamp.matches(os.fstat(file.fileno())):
            raise changed(path)
    return blocks.table()


def _not_gif(path: Path, header: bytes) -> str:
    """Return the message about a file of another format."""
    clause = other_format(path, "GIF") or (
        f"it begins with {repr(header[:6])[1:]} instead of a whole header: get a complete copy of "
        "it"
    )
    return f"{path.name} is not a GIF file; {clause}."


def _check_size(path: Path, width: int, height: int, subject: str) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise UnreadableFileError(
            f"{path.name} is damaged: {subject} has {width} by {height} pixels, but 1 to "
            f"{MAX_PIXELS:,} pixels in total are allowed; create the file again."
        )


class _DamagedError(Exception):
    """The blocks cannot be followed any further."""


@dataclass
class _BlockScan:
    """A single pass through the blocks of one file, and its state."""

    path: Path
    stamp: Stamp
    data: FileWindow
    width: int
    height: int
    rows: array[int] = field(default_factory=lambda: array("q"))
    loop: int | None = None
    texts: list[bytes] = field(default_factory=list)
    damage: str = ""
    is_gray: bool = True
    shared_palette: tuple[int, int] = (0, 0)
    shared_colors: bytes = b""
    control: tuple[int, int, int] = (0, 0, NO_INDEX)

    def __post_init__(self) -> None:
        self.declared = self.width, self.height

    def read_all(self, flags: int) -> None:
        """Read the blocks up to the trailer, the end of the file, or the first broken block."""
        try:
            offset = self._shared_palette(flags)
            while (offset := self._block(offset)) > 0:
                pass
        except (IndexError, struct.error):
            self.damage = "it ends within a block"
        except _DamagedError as error:
            self.damage = str(error)

    def table(self) -> FrameTable:
        """Return the table of the frames read.

        Raises
        ------
        UnreadableFileError
            The file has no whole frame.
        """
        rows = np.array(self.rows, np.int64).reshape(-1, len(FrameRow._fields))
        if not len(rows):
            raise UnreadableFileError(
                f"{self.path.name} holds no whole frame "
                f"({self.damage or 'it has no image block'}): get a complete copy of the file."
            )

        return FrameTable(
            path=self.path,
            stamp=self.stamp,
            width=self.width,
            height=self.height,
            declared=self.declared,
            rows=rows,
            loop=self.loop,
            texts=tuple(self.texts),
            damage=self.damage,
            is_gray=self.is_gray,
        )

    def _shared_palette(self, flags: int) -> int:
        if flags & 0x80:
            self.shared_palette = (_HEADER_BYTES, 2 << (flags & 7))
            self.shared_colors = self.data.read(_HEADER_BYTES, 3 * self.shared_palette[1])
        return _HEADER_BYTES + 3 * self.shared_palette[1]

    def _block(self, offset: int) -> int:
        """Read one block; return the offset of the next block, 0 at the end."""
        if offset >= self.data.size:  # many whole files lack the trailer
            return 0
        head = self.data.read(offset, _HEAD_BYTES)
        label = head[0]
        if label == 0x2C:
            return self._frame(offset, head)
        if label == 0x21:
            return self._extension(offset, head)
        if label == 0x3B:
            return 0
        raise _DamagedError(f"byte {offset} is {label:#04x}, which does not begin a block")

    def _frame(self, offset: int, head: bytes) -> int:
        """Read an image descriptor (section 20) and skip the image after it."""
        left, top, width, height, flags = struct.unpack_from("<HHHHB", head, 1)
        if not width * height:
            raise _DamagedError(f"a frame has {width} by {height} pixels")
        _check_size(self.path, width, height, f"frame {len(self.rows) // len(FrameRow._fields)}")
        if not self.rows:  # browsers enlarge the canvas for a larger first frame
            self.width, self.height = max(self.width, left + width), max(self.height, top + height)
            _check_size(self.path, self.width, self.height, "its canvas")

        has_palette = bool(flags & 0x80)
        palette, colors = (offset + 10, 2 << (flags & 7)) if has_palette else self.shared_palette
        start = offset + 10 + (3 * colors if has_palette else 0)
        stop = skip_blocks(self.data, start + 1)

        delay, disposal, transparent = self.control
        self.control = (0, 0, NO_INDEX)
        self.is_gray = self.is_gray and self._is_gray(palette, colors, transparent)
        self.rows.extend(
            FrameRow(
                left, top, width, height, flags >> 6 & 1,
                delay, disposal, transparent, palette, colors, start, stop,
            )
        )  # fmt: skip
        return stop + 1

    def _is_gray(self, palette: int, colors: int, transparent: int) -> bool:
        """Return True if all visible colors of a frame are gray."""
        is_shared = palette == _HEADER_BYTES
        samples = self.shared_colors if is_shared else self.data.read(palette, 3 * colors)
        if 0 <= transparent < colors:
            samples = samples[: 3 * transparent] + samples[3 * transparent + 3 :]
        return samples[::3] == samples[1::3] == samples[2::3]

    def _extension(self, offset: int, head: bytes) -> int:
        """Read an extension (sections 23 to 26); return the offset of the next block."""
        label, size = head[1], head[2]
        if label == 0xF9 and size >= 4:
            flags, delay, index = struct.unpack_from("<BHB", head, 3)
            self.control = (delay, flags >> 2 & 7, index if flags & 1 else NO_INDEX)

        stop = skip_blocks(self.data, offset + 2)
        name = head[3:]
        if label == 0xFE:
            self._comment(offset + 2, stop)
        elif label == 0xFF and name in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
            self._application(offset + 3 + size)
        return stop + 1

    def _application(self, offset: int) -> None:
        """Read the number of repetitions."""
        size, kind, loop = struct.unpack("<BBH", self.data.read(offset, 4))
        if size >= 3 and kind & 7 == 1:
            self.loop = loop

    def _comment(self, offset: int, stop: int) -> None:
        if stop - offset <= _MAX_COMMENT_BYTES:
            self.texts.append(join_blocks(self.data.read(offset, stop - offset)))
