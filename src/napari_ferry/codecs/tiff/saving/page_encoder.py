"""Frames -> the encoded strips or tiles of TIFF pages, and the halved copies of a pyramid.

TIFF 6.0 (Adobe, 1992): sections 13 (LZW), 14 (horizontal predictor) and 15 (tiles); deflate and
zstd as numbers 8 and 50000 of the Compression tag.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader

Compression = Literal["none", "zlib", "zstd", "lzw"]

_TILE = 512
_STRIP_BYTES = 16 << 20
"""A plane of more bytes is cut into strips or tiles, and encoded some rows at a time."""

_LARGE = 4096 * 4096
"""Planes of more pixels are tiled, where the format allows it."""

_SMALLEST = 1024
"""A pyramid ends where both sides are at most this long."""

_GROWTH = {"none": 1.0, "zlib": 1.001, "zstd": 1.004, "lzw": 1.55}
"""Most that encoding can make of one byte; each segment has a few dozen bytes besides."""


@dataclass(frozen=True)
class PageFormat:
    """How the pages of one image are encoded.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, and samples where there are several.
    dtype : data type
        Of one sample, little-endian.
    compression : {"none", "zlib", "zstd", "lzw"}
        Without loss.
    tile : int
        Columns of a tile; 0 for strips.
    rows : int
        Rows of one strip or tile.
    levels : int
        Halved copies beside each page.
    is_labels : bool
        Whether pixels are numbers of objects, which have no mean.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    compression: Compression
    tile: int
    rows: int
    levels: int = 0
    is_labels: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels of one page, unencoded."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_encoded(self) -> bool:
        """Whether pages are anything but their pixels, row by row."""
        return self.compression != "none" or bool(self.tile)

    @property
    def has_predictor(self) -> bool:
        """Whether neighbors in a row are differenced, for about 5 % less.

        ImageJ, which reads no tiles, forgets to undo it after zlib, and of wide types.
        """
        is_narrow = self.dtype.kind in "iu" and self.dtype.itemsize <= 2
        is_undone = self.compression in ("zstd", "lzw") or (
            self.compression == "zlib" and self.tile
        )
        return bool(is_narrow and is_undone)

    @property
    def band_rows(self) -> int | None:
        """Rows that are encoded at a time, ``None`` where whole frames are."""
        if self.nbytes <= _STRIP_BYTES and not self.levels:
            return None
        together = max(1, _STRIP_BYTES * self.shape[0] // (self.nbytes * self.rows))
        return self.rows * together

    @property
    def segments(self) -> int:
        """Number of strips or tiles of one page."""
        columns = -(-self.shape[1] // self.tile) if self.tile else 1
        return columns * -(-self.shape[0] // self.rows)

    @property
    def most_bytes(self) -> int:
        """Most bytes that one page can have, encoded, with its halved copies and directories."""
        side = self.rows * (self.tile or self.shape[1]) * math.prod(self.shape[2:])
        raw = self.segments * side * self.dtype.itemsize
        encoded = int(raw * _GROWTH[self.compression]) + (64 + 16) * self.segments + 1024
        return encoded + (self.halved().most_bytes if self.levels else 0)

    def halved(self) -> PageFormat:
        """Return the format of the next level of the pyramid."""
        y, x, *samples = self.shape
        shape = ((y + 1) // 2, (x + 1) // 2, *samples)
        levels = self.levels - 1
        return replace(self, shape=shape, levels=levels)


def page_format(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    compression: Compression,
    *,
    may_tile: bool,
    pyramid: bool | None,
    is_labels: bool = False,
) -> PageFormat:
    """Choose strips or tiles for pages of some shape: rows, columns, and samples if several.

    Parameters
    ----------
    may_tile : bool
        Whether the readers that a file is meant for know tiles.
    pyramid : bool, optional
        Whether to add halved copies; of large planes only when absent.
    """
    is_large = math.prod(shape[:2]) > _LARGE
    levels = 0
    if pyramid or (pyramid is None and is_large):
        levels = max(0, math.ceil(math.log2(max(shape[:2]) / _SMALLEST)))
    little = dtype.newbyteorder("<")
    if may_tile and (is_large or levels):
        rows, tile = (min(_TILE, -(-n // 16) * 16) for n in shape[:2])
    else:
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        fits = row_bytes * shape[0] <= _STRIP_BYTES
        rows, tile = shape[0] if fits else max(1, _STRIP_BYTES // row_bytes), 0
    return PageFormat(shape, little, compression, tile, rows, levels, is_labels)


class Band(NamedTuple):
    """Some rows of a frame, encoded: strips or tiles, and the same rows at half the size."""

    segments: list[bytes]
    half: NDArray[Any] | None


@dataclass(frozen=True)
class EncodeFrames:
    """Encodes a piece of an image: some whole frames, or some rows of one.

    Parameters
    ----------
    page : PageFormat
        How.
    turn : tuple of int
        Order in which the leading axes are stored.
    """

    page: PageFormat
    turn: tuple[int, ...]

    def __call__(self, pixels: BlockReader) -> list[Band]:
        return pixels.read_whole(self._encode)

    def _encode(self, pixels: NDArray[Any]) -> list[Band]:
        n = len(self.turn)
        stored = pixels.transpose(*self.turn, *range(n, pixels.ndim))
        height = self.page.band_rows or stored.shape[n]
        return [
            encode_band(stored[place][y : y + height], self.page)
            for place in np.ndindex(stored.shape[:n])
            for y in range(0, stored.shape[n], height)
        ]


def encode_band(pixels: NDArray[Any], page: PageFormat) -> Band:
    """Encode some rows of a frame, and halve them where the page has smaller copies.

    Parameters
    ----------
    pixels : array
        Axes y, x, and s if there are several samples; whole strips or rows of tiles.
    """
    half = halve(pixels, is_labels=page.is_labels) if page.levels else None
    return Band(encode_rows(pixels, page), half)


def encode_rows(pixels: NDArray[Any], page: PageFormat) -> list[bytes]:
    """Encode rows of a frame that make up whole strips, or whole rows of tiles.

    Parameters
    ----------
    pixels : array
        Axes y, x, and s if there are several samples.
    """
    compress, stored = _compressor(page.compression), pixels.astype(page.dtype, copy=False)
    return [compress(_predicted(segment, page)) for segment in _segments(stored, page)]


def _segments(pixels: NDArray[Any], page: PageFormat) -> Iterator[NDArray[Any]]:
    """Yield strips, or tiles filled up to their full size with zeros, in the order of TIFF."""
    for y in range(0, len(pixels), page.rows):
        band = pixels[y : y + page.rows]
        if not page.tile:
            yield band
            continue
        for x in range(0, pixels.shape[1], page.tile):
            tile = np.zeros((page.rows, page.tile, *page.shape[2:]), page.dtype)
            part = band[:, x : x + page.tile]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def _predicted(segment: NDArray[Any], page: PageFormat) -> NDArray[Any]:
    import imagecodecs

    if not page.has_predictor:
        return np.ascontiguousarray(segment)
    return np.ascontiguousarray(imagecodecs.delta_encode(segment, axis=1))


def _compressor(compression: Compression) -> Callable[[Any], bytes]:
    """Return what encodes a C-contiguous array; all of them let other threads run meanwhile."""
    import imagecodecs

    if compression == "zlib":
        # libdeflate, twice as fast as zlib and in the same format
        return lambda data: bytes(imagecodecs.deflate_encode(data, level=1))
    if compression == "zstd":
        return lambda data: bytes(imagecodecs.zstd_encode(data, level=1))
    if compression == "lzw":
        return lambda data: bytes(imagecodecs.lzw_encode(data))
    return lambda data: data.tobytes()


def halve(pixels: NDArray[Any], *, is_labels: bool) -> NDArray[Any]:
    """Return pixels at half the size: means of four, or every second one of labels.

    Parameters
    ----------
    pixels : array
        Axes y, x, and s if there are several samples. Odd sides are rounded up.
    """
    if is_labels:
        return pixels[::2, ::2]
    odd = [(0, n % 2) for n in pixels.shape[:2]] + [(0, 0)] * (pixels.ndim - 2)
    even = np.pad(pixels, odd, mode="edge") if any(map(any, odd)) else pixels
    kind = pixels.dtype.kind
    wide = np.dtype(np.int64) if kind in "iu" else np.result_type(pixels.dtype, np.float64)
    if kind in "iu" and pixels.dtype.itemsize <= 2:
        wide = np.dtype(np.int32)
    total = even[::2, ::2].astype(wide)
    for part in (even[1::2, ::2], even[::2, 1::2], even[1::2, 1::2]):
        total += part
    mean: NDArray[Any] = (total + 2) >> 2 if kind in "iu" else total / 4
    return mean.astype(pixels.dtype)
