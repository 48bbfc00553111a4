"""Header of a PNG file: size and kind of its pixels (PNG, third edition, section 11.2.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_ferry.codecs.png.chunks import DamagedError

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""Color types."""

_DEPTHS = {
    GRAY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GRAY_ALPHA: (8, 16),
    RGBA: (8, 16),
}
"""Numbers of bits of a sample allowed for each color type."""

_STORED = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
"""Numbers stored for a pixel of each color type."""

MAX_SIDE = 1_000_000
"""Maximum side in pixels, as in libpng."""

_LAYOUT = ">IIBBBBB"


@dataclass(frozen=True, kw_only=True)
class Header:
    """Size and kind of the pixels of a file.

    Parameters
    ----------
    width, height : int
        Size in pixels.
    depth : int
        Bits of a sample.
    color : int
        Color type.
    interlace : int
        0 for rows in order, 1 for Adam7.
    """

    width: int
    height: int
    depth: int
    color: int
    interlace: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read the data of the chunk ``IHDR``.

        Raises
        ------
        DamagedError
            A value is not allowed.
        """
        if len(data) != struct.calcsize(_LAYOUT):
            raise DamagedError(f"its header has {len(data)} bytes instead of 13")
        width, height, depth, color, *methods = struct.unpack(_LAYOUT, data)
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
            raise DamagedError(
                f"its header claims {width} by {height} pixels, but 1 to {MAX_SIDE:,} per side "
                "are allowed"
            )
        if depth not in _DEPTHS.get(color, ()) or methods[:2] != [0, 0] or methods[2] > 1:
            raise DamagedError(
                f"its header has the color type {color} with {depth} bits and the methods "
                f"{methods}, which PNG does not define"
            )
        return cls(width=width, height=height, depth=depth, color=color, interlace=methods[2])

    def pack(self) -> bytes:
        """Return the data of the chunk ``IHDR``."""
        methods = (0, 0, self.interlace)
        return struct.pack(_LAYOUT, self.width, self.height, self.depth, self.color, *methods)

    @property
    def is_bool(self) -> bool:
        """True for black and white pixels."""
        return self.color == GRAY and self.depth == 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the samples; samples of fewer than 8 bits are scaled to 8."""
        return np.dtype(np.uint16 if self.depth == 16 else np.uint8)

    @property
    def nbytes(self) -> int:
        """Size of the pixels before compression, in bytes, without interlacing."""
        row = -(-self.width * _STORED[self.color] * self.depth // 8)
        return self.height * (1 + row)
