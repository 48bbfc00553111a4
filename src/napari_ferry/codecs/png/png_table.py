"""Content of a PNG file without its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.png.chunks import Chunk
from napari_ferry.codecs.png.picture_header import Header
from napari_ferry.errors import UnreadableFileError

CLEARS, RESTORES = 1, 2
"""Disposal methods: clear the area of a picture, or restore its previous content."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a file; in an animation, it may be smaller than the canvas.

    Parameters
    ----------
    left, top, width, height : int
        Area on the canvas, in pixels.
    delay : Fraction
        Display time in seconds.
    disposal : int
        Change of the canvas after the picture: 0 for none, `CLEARS` or `RESTORES`.
    blends : bool
        True if the picture is blended over the canvas, False if it replaces its area.
    chunks : tuple of Chunk
        Chunks with its compressed pixels.
    """

    left: int = 0
    top: int = 0
    width: int
    height: int
    delay: Fraction = Fraction(0)
    disposal: int = 0
    blends: bool = False
    chunks: tuple[Chunk, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class PngTable:
    """Content of a PNG file without its pixels.

    Parameters
    ----------
    path : Path
        The file.
    stamp : Stamp
        Stamp of the file when it was scanned.
    header : Header
        Size and kind of the pixels.
    pictures : tuple of Picture
        The frames of an animation, or the only picture.
    palette, transparency : bytes
        Data of the chunks ``PLTE`` and ``tRNS``; empty without them.
    resolution : (int, int), optional
        Pixels per meter along y and x.
    texts : mapping of str to str
        Keyword -> text.
    loop : int, optional
        Number of times that an animation plays, 0 for endless; ``None`` for a still picture.
    damage : str
        Description of the damage after the last whole picture; empty for a whole file.
    ignored : str
        Description of the damage of metadata; empty without any.
    """

    path: Path
    stamp: Stamp
    header: Header
    pictures: tuple[Picture, ...] = ()
    palette: bytes = b""
    transparency: bytes = b""
    resolution: tuple[int, int] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    loop: int | None = None
    damage: str = ""
    ignored: str = ""

    def open(self) -> BinaryIO:
        """Open the file, unless it changed since it was scanned."""
        return open_unchanged(self.path, self.stamp)


def damaged(path: Path, damage: object) -> UnreadableFileError:
    """Return the error for a damaged file."""
    return UnreadableFileError(
        f"{path.name} is damaged: {damage}; get a complete copy, or create it again."
    )
