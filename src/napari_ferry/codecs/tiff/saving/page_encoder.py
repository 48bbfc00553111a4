"""Encoding of frames as strips or tiles of TIFF pages, with halved copies for a pyramid.

TIFF 6.0 (Adobe, 1992): sections 13 (LZW), 14 (horizontal predictor) and 15 (tiles); deflate and
zstd as numbers 8 and 50000 of the Compression tag.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader
from napari_ferry.codecs.tiff.saving.lzw import encode_lzw
from napari_ferry.codecs.tiff.tiff_options import Compression

_TILE = 512
"""Length of the sides of a tile in pixels."""

_STRIP_BYTES = 16 << 20
"""Size in bytes above which a plane is split into strips or tiles and encoded in bands."""

_LARGE = 4096 * 4096
"""Number of pixels above which planes are tiled, if the format allows it."""

_SMALLEST = 1024
"""Longest side of the last level of a pyramid in pixels."""

_GROWTH = {"none": 1.0, "zlib": 1.001, "zstd": 1.004, "lzw": 1.55}
"""Maximum size of an encoded byte; each segment adds up to `_SEGMENT_BYTES`."""

_SEGMENT_BYTES, _PAGE_BYTES = 64 + 16, 1024
"""Upper bound of the additional bytes of each segment, and of each page."""


@dataclass(frozen=True, kw_only=True)
class PageFormat:
    """Format of the encoded pages of one image.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, and samples if there are several.
    dtype : data type
        Type of one sample, little-endian.
    compression : {"none", "zlib", "zstd", "lzw"}
        Lossless compression.
    tile : int
        Number of columns of a tile; 0 for strips.
    rows : int
        Number of rows of a strip or tile.
    levels : int
        Number of halved copies of each page.
    is_labels : bool
        True if pixels are numbers of objects, which cannot be averaged.
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
        """Size of the decoded pixels of one page in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_encoded(self) -> bool:
        """True if pages are compressed or tiled, not just rows of pixels."""
        return self.compression != "none" or bool(self.tile)

    @property
    def has_predictor(self) -> bool:
        """True if differences of neighbors in a row are stored, to save about 5 %.

        ImageJ ignores the predictor of zlib, and of wide types. It does not read tiles.
        """
        is_narrow = self.dtype.kind in "iu" and self.dtype.itemsize <= 2
        is_portable = self.compression in ("zstd", "lzw") or (
            self.compression == "zlib" and self.tile
        )
        return bool(is_narrow and is_portable)

    @property
    def band_rows(self) -> int | None:
        """Number of rows encoded at once, or ``None`` for whole frames."""
        if self.nbytes <= _STRIP_BYTES and not self.levels:
            return None
        segments = max(1, _STRIP_BYTES * self.shape[0] // (self.nbytes * self.rows))
        return self.rows * segments

    @property
    def segments(self) -> int:
        """Number of strips or tiles of one page."""
        columns = -(-self.shape[1] // self.tile) if self.tile else 1
        return columns * -(-self.shape[0] // self.rows)

    @property
    def max_bytes(self) -> int:
        """Upper bound of the size of one page, with halved copies and directories, in bytes."""
        samples = self.rows * (self.tile or self.shape[1]) * math.prod(self.shape[2:])
        raw = self.segments * samples * self.dtype.itemsize
        encoded = (
            int(raw * _GROWTH[self.compression]) + _SEGMENT_BYTES * self.segments + _PAGE_BYTES
        )
        return encoded + (self.halved().max_bytes if self.levels else 0)

    def halved(self) -> PageFormat:
        """Return the format of the next level of the pyramid."""
        y, x, *samples = self.shape
        shape = ((y + 1) // 2, (x + 1) // 2, *samples)
        return replace(self, shape=shape, levels=self.levels - 1)


def page_format(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    compression: Compression,
    *,
    may_tile: bool,
    pyramid: bool | None,
    is_labels: bool = False,
) -> PageFormat:
    """Choose strips or tiles for pages with a shape of rows, columns, and samples if several.

    Parameters
    ----------
    may_tile : bool
        True if the intended readers of the file support tiles.
    pyramid : bool, optional
        True to add halved copies; ``None`` for large planes only.
    """
    is_large = math.prod(shape[:2]) > _LARGE
    levels = 0
    if pyramid or (pyramid is None and is_large):
        levels = max(0, math.ceil(math.log2(max(shape[:2]) / _SMALLEST)))

    if may_tile and (is_large or levels):
        rows, tile = (min(_TILE, -(-n // 16) * 16) for n in shape[:2])
    else:
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        fits = row_bytes * shape[0] <= _STRIP_BYTES
        rows, tile = shape[0] if fits else max(1, _STRIP_BYTES // row_bytes), 0
    return PageFormat(
        shape=shape,
        dtype=dtype.newbyteorder("<"),
        compression=compression,
        tile=tile,
        rows=rows,
        levels=levels,
        is_labels=is_labels,
    )


class Band(NamedTuple):
    """Encoded rows of a frame: strips or tiles, and the same rows at half the size."""

    segments: list[bytes]
    half: NDArray[Any] | None


@dataclass(frozen=True)
class EncodeFrames:
    """Encoder of a region of an image: whole frames, or rows of one frame.

    Parameters
    ----------
    page : PageFormat
        Format of the pages.
    order : tuple of int
        Leading axes in the order of storage.
    """

    page: PageFormat
    order: tuple[int, ...]

    def __call__(self, pixels: BlockReader) -> list[Band]:
        return pixels.read_whole(self._encode)

    def _encode(self, pixels: NDArray[Any]) -> list[Band]:
        n = len(self.order)
        stored = pixels.transpose(*self.order, *range(n, pixels.ndim))
        height = self.page.band_rows or stored.shape[n]
        return [
            encode_band(stored[position][y : y + height], self.page)
            for position in np.ndindex(stored.shape[:n])
            for y in range(0, stored.shape[n], height)
        ]


def encode_band(pixels: NDArray[Any], page: PageFormat) -> Band:
    """Encode rows of a frame, and halve them if the page has halved copies.

    Parameters
    ----------
    pixels : array
        Axes y, x, and s if there are several samples; whole strips or rows of tiles.
    """
    half = halve(pixels, is_labels=page.is_labels) if page.levels else None
    return Band(encode_rows(pixels, page), half)


def encode_rows(pixels: NDArray[Any], page: PageFormat) -> list[bytes]:
    """Encode complete strips, or complete rows of tiles, of a frame.

    Parameters
    ----------
    pixels : array
        Axes y, x, and s if there are several samples.
    """
    compress, stored = _compressor(page.compression), pixels.astype(page.dtype, copy=False)
    return [compress(_predicted(segment, page)) for segment in _segments(stored, page)]


def _segments(pixels: NDArray[Any], page: PageFormat) -> Iterator[NDArray[Any]]:
    """Yield strips, or tiles padded with zeros, in the order of TIFF."""
    for y in range(0, len(pixels), page.rows):
        band = pixels[y : y + page.rows]
        if not page.tile:
            yield band
            continue
        for x in range(0, pixels.shape[1], page.tile):
            tile = np.zeros((page.rows, page.tile, *page.shape[2:]), page.dtype)
            covered = band[:, x : x + page.tile]
            tile[: covered.shape[0], : covered.shape[1]] = covered
            yield tile


def _predicted(segment: NDArray[Any], page: PageFormat) -> NDArray[Any]:
    import imagecodecs

    if not page.has_predictor:
        return np.ascontiguousarray(segment)
    return np.ascontiguousarray(imagecodecs.delta_encode(segment, axis=1))


def _compressor(compression: Compression) -> Callable[[Any], bytes]:
    """Return a function to compress a C-contiguous array, without holding Python's global lock."""
    import imagecodecs

    if compression == "zlib":
        # libdeflate writes the same format in half the time of zlib
        return lambda data: bytes(imagecodecs.deflate_encode(data, level=1))
    if compression == "zstd":
        return lambda data: bytes(imagecodecs.zstd_encode(data, level=1))
    if compression == "lzw":
        return encode_lzw
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

    # integers are summed in a wider type and rounded half up
    kind = pixels.dtype.kind
    wide = np.dtype(np.int64) if kind in "iu" else np.result_type(pixels.dtype, np.float64)
    if kind in "iu" and pixels.dtype.itemsize <= 2:
        wide = np.dtype(np.int32)

    total = even[::2, ::2].astype(wide)
    for part in (even[1::2, ::2], even[::2, 1::2], even[1::2, 1::2]):
        total += part
    mean: NDArray[Any] = (total + 2) >> 2 if kind in "iu" else total / 4
    return mean.astype(pixels.dtype)
