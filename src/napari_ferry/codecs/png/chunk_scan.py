"""Scan of the chunks of a PNG file: its pictures and metadata, without decoding.

Chunks as in PNG (third edition, W3C 2025), section 11, which includes animations (APNG).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.arrays.stamp import Stamp, changed
from napari_ferry.codecs.png.chunks import SIGNATURE, Chunk, DamagedError, find_chunks, read_chunk
from napari_ferry.codecs.png.picture_header import PALETTE, Header
from napari_ferry.codecs.png.png_table import CLEARS, RESTORES, Picture, PngTable, damaged
from napari_ferry.codecs.png.resolution import unpack_resolution
from napari_ferry.codecs.png.texts import parse_text
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import other_format

_MOST_EXPANSION = 1032
"""Maximum number of bytes from one compressed byte (RFC 1951: 258 bytes from two bits)."""

_MAX_METADATA_BYTES = 16 << 20
"""Maximum size of a chunk of metadata to read, in bytes."""


def scan(path: Path) -> PngTable:
    """Read the chunks of a file except for its pixels.

    Raises
    ------
    UnreadableFileError
        The file is not a PNG file, is damaged, or changed meanwhile.
    """
    with path.open("rb", buffering=0) as file:
        return scan_open(path, file)


def scan_open(path: Path, file: BinaryIO) -> PngTable:
    """Do the same with an open file."""
    stamp = Stamp.of(file.fileno())
    window = FileWindow(file)
    if window.read(0, len(SIGNATURE)) != SIGNATURE:
        raise UnreadableFileError(_not_png(path, window.read(0, len(SIGNATURE))))
    scanned = _ChunkScan(window)
    try:
        scanned.read_all()
    except DamagedError as error:
        scanned.damage = str(error)

    if Stamp.of(file.fileno()) != stamp:
        raise changed(path)
    return scanned.table(path, stamp)


def _not_png(path: Path, start: bytes) -> str:
    """Return the message about a file of another format."""
    clause = other_format(path, "PNG") or (
        f"it begins with {repr(start)[1:]} instead of a signature: get a complete copy of it"
    )
    return f"{path.name} is not a PNG file; {clause}."


@dataclass
class _ChunkScan:
    """A single pass through the chunks of one file, and its state."""

    window: FileWindow
    header: Header | None = None
    pictures: list[Picture] = field(default_factory=list)
    current: Picture | None = None
    """Control of the picture with expected or partly collected pixels."""
    still: list[Chunk] = field(default_factory=list)
    """Pixels of a still picture, which an animation may show, too."""
    pixels: list[Chunk] = field(default_factory=list)
    """Pixels of the current picture."""
    palette: bytes = b""
    transparency: bytes = b""
    resolution: tuple[int, int] | None = None
    texts: dict[str, str] = field(default_factory=dict)
    animation: tuple[int, int] | None = None
    """Declared numbers of frames and of repetitions of an animation."""
    damage: str = ""
    ignored: str = ""

    def read_all(self) -> None:
        """Read the chunks, and collect their content.

        Raises
        ------
        DamagedError
            The chunks end too early, or one is damaged.
        """
        for chunk in find_chunks(self.window):
            if self.header is None:
                if chunk.kind != b"IHDR":
                    raise DamagedError("it does not begin with its header")
                self.header = Header.parse(read_chunk(self.window, chunk))
            elif chunk.kind == b"IDAT":
                self._add_still(chunk)
            elif chunk.kind == b"fdAT":
                self._add_pixels(chunk)
            elif chunk.kind in _REQUIRED:
                _REQUIRED[chunk.kind](self, self._read(chunk))
            elif chunk.kind in _OPTIONAL:
                self._add_optional(chunk)
        self._finish()

        if self.animation and self.pictures and self.animation[0] != len(self.pictures):
            self.damage = f"it claims {self.animation[0]} frames but has {len(self.pictures)}"

    def table(self, path: Path, stamp: Stamp) -> PngTable:
        """Return the content, or raise an error without a whole picture."""
        header, pictures = self.header, tuple(self.pictures)
        if header is not None and not pictures and self.still and not self.damage:
            whole = Picture(width=header.width, height=header.height, chunks=tuple(self.still))
            pictures = (whole,)
        if header is None or not pictures:
            raise damaged(path, self.damage or "it has no pixels")
        if header.color == PALETTE and not self.palette:
            raise damaged(path, "it has indexed colors but no palette")

        try:
            for picture in pictures:
                _check_claim(header, picture)
        except DamagedError as error:
            raise damaged(path, error) from error
        return PngTable(
            path=path,
            stamp=stamp,
            header=header,
            pictures=pictures,
            palette=self.palette,
            transparency=self.transparency,
            resolution=self.resolution,
            texts=self.texts,
            loop=self.animation[1] if self.animation and self.pictures else None,
            damage=self.damage,
            ignored=self.ignored,
        )

    def _add_optional(self, chunk: Chunk) -> None:
        """Read metadata, or note their damage: the pixels do not depend on them."""
        try:
            data = self._read(chunk)
        except DamagedError as error:
            self.ignored = self.ignored or str(error)
            return
        if chunk.kind == b"pHYs":
            self.resolution = unpack_resolution(data)
        else:
            keyword, text = parse_text(chunk.kind, data)
            if keyword:
                self.texts.setdefault(keyword, text)

    def _read(self, chunk: Chunk) -> bytes:
        if chunk.nbytes > _MAX_METADATA_BYTES:
            raise DamagedError(f"its chunk {chunk.kind.decode()} has {chunk.nbytes:,} bytes")
        return read_chunk(self.window, chunk)

    def _add_still(self, chunk: Chunk) -> None:
        self.still.append(chunk)
        if self.current is not None:
            self.pixels.append(chunk)

    def _add_pixels(self, chunk: Chunk) -> None:
        """Add pixels to the current picture; in animations, they begin with a sequence number."""
        if self.current is None or chunk.nbytes < 4:
            raise DamagedError(f"it has pixels of no frame at byte {chunk.start}")
        self.pixels.append(chunk)

    def _finish(self) -> None:
        """Add the current picture to the finished ones."""
        if self.current is not None and self.pixels:
            self.pictures.append(replace(self.current, chunks=tuple(self.pixels)))
        self.current, self.pixels = None, []

    def _control_animation(self, data: bytes) -> None:
        if len(data) != 8:
            raise DamagedError("its animation control is not valid")
        self.animation = struct.unpack(">II", data)

    def _control_frame(self, data: bytes) -> None:
        """Begin a picture of an animation."""
        self._finish()
        assert self.header is not None
        if len(data) != 26:
            raise DamagedError("a frame control is not valid")
        width, height, left, top, time, per, disposal, blends = struct.unpack(">4xIIIIHHBB", data)
        right, bottom = left + width, top + height
        is_inside = right <= self.header.width and bottom <= self.header.height
        if not (width and height and is_inside and disposal <= RESTORES and blends <= 1):
            raise DamagedError(
                f"frame {len(self.pictures)} covers {width} by {height} pixels from "
                f"({left}, {top}), which is not within its canvas"
            )
        if not self.pictures and disposal == RESTORES:  # there is nothing before the first one
            disposal = CLEARS
        self.current = Picture(
            left=left,
            top=top,
            width=width,
            height=height,
            delay=Fraction(time, per or 100),
            disposal=disposal,
            blends=bool(blends),
        )

    def _set_palette(self, data: bytes) -> None:
        if not data or len(data) % 3 or len(data) > 768:
            raise DamagedError(f"its palette has {len(data)} bytes")
        self.palette = data

    def _set_transparency(self, data: bytes) -> None:
        self.transparency = data


_REQUIRED = {
    b"acTL": _ChunkScan._control_animation,
    b"fcTL": _ChunkScan._control_frame,
    b"PLTE": _ChunkScan._set_palette,
    b"tRNS": _ChunkScan._set_transparency,
}
"""Chunk required to read the pixels -> its method."""

_OPTIONAL = (b"pHYs", b"tEXt", b"zTXt", b"iTXt")
"""Chunks of metadata."""


def _check_claim(header: Header, picture: Picture) -> None:
    """Refuse a picture too large for its compressed pixels."""
    claimed = replace(header, width=picture.width, height=picture.height).nbytes
    stored = sum(chunk.nbytes for chunk in picture.chunks)
    if claimed > _MOST_EXPANSION * stored:
        raise DamagedError(
            f"it claims {picture.width} by {picture.height} pixels, more than its {stored:,} bytes "
            "of compressed pixels can hold"
        )
