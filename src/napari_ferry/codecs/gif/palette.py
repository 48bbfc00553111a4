"""Palettes: the colors of a frame, and the palette index of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.gif.quantize import find_nearest, quantize
from napari_ferry.codecs.gif.scan import NO_INDEX
from napari_ferry.codecs.gif.transparency import opaque_colors

MOST_COLORS = 256
PROBED_PIXELS = 1 << 12
"""Number of pixels of a frame examined before all of them."""

_QUANTIZED_PIXELS = 1 << 18
_UNKNOWN = 0xFFFF
_HASH_BITS = 18


def pack(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Pack colors, axes (..., s), uint8, into one number each."""
    if colors.shape[-1] == 4:
        big_endian: NDArray[np.uint32] = colors.view(">u4")[..., 0].astype(np.uint32)
        return big_endian
    packed = colors[..., 0].astype(np.uint32)
    for s in range(1, colors.shape[-1]):
        packed <<= 8
        packed |= colors[..., s]
    return packed


@dataclass(frozen=True, eq=False)
class Palette:
    """Colors of a frame or of a movie.

    Parameters
    ----------
    colors : numpy.ndarray
        Axes (index, s), uint8, in ascending order and without duplicates. s is 1 for gray, 3 for
        colors, 4 for colors with alpha: 255, or 0 for the first one if it is transparent.
    error : float
        Mean squared difference to the source pixels; 0 if the palette has all their colors.
    """

    colors: NDArray[np.uint8]
    error: float = 0.0

    @cached_property
    def packed(self) -> NDArray[np.uint32]:
        """The colors as one number each."""
        return pack(self.colors)

    @cached_property
    def transparent(self) -> int:
        """Index of transparent pixels: 0, or `NO_INDEX` if all colors are opaque."""
        return 0 if self.colors.shape[1] == 4 and not self.colors[0, 3] else NO_INDEX

    @cached_property
    def bits(self) -> int:
        """Bits of an index, 1 to 8."""
        return max(1, int(len(self.colors) - 1).bit_length())

    @cached_property
    def table(self) -> bytes:
        """The color table (GIF89a, section 19), padded to a power of two."""
        rgb = np.zeros((1 << self.bits, 3), np.uint8)
        rgb[: len(self.colors)] = self.colors[:, :3]
        return rgb.tobytes()

    def exact(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Return the indices of a frame, axes (y, x, s); ``None`` if it has other colors."""
        packed = pack(frame)
        indices = self._hash_table.find(packed)
        return indices if np.array_equal(self.packed[indices], packed) else None

    @cached_property
    def _hash_table(self) -> _HashTable:
        return _make_hash_table(self.packed, is_gray=self.colors.shape[1] == 1)

    def nearest(self, frame: NDArray[np.uint8], offsets: NDArray[Any] | None) -> NDArray[np.uint8]:
        """Return the index of the nearest color of each pixel, axes (y, x).

        Only transparent pixels get the index of transparent pixels.

        Parameters
        ----------
        frame : numpy.ndarray
            Axes (y, x, s), uint8.
        offsets : numpy.ndarray, optional
            Offsets to add for dithering, axes (y, x), in units of the spacing of the palette.
        """
        colors = frame[..., :3]
        if offsets is not None:
            step = offsets * np.sqrt(12 * self.error)
            colors = np.clip(np.rint(colors + step[..., None]), 0, 255).astype(np.uint8)

        # cells of 2 x 2 x 2 colors share their nearest color
        key = colors[..., 0].astype(np.uint32)
        if colors.shape[-1] == 3:
            high = colors & np.uint8(0xFE)
            key = high[..., 0].astype(np.uint32) << np.uint32(13)
            key |= high[..., 1].astype(np.uint32) << np.uint32(6)
            key |= high[..., 2] >> np.uint8(1)

        indices = self._cell_indices[key]
        if (indices == _UNKNOWN).any():
            self._find_cell_indices(np.unique(key[indices == _UNKNOWN]))
            indices = self._cell_indices[key]
        found: NDArray[np.uint8] = indices.astype(np.uint8)
        if self.transparent != NO_INDEX and frame.shape[-1] == 4:
            found[frame[..., 3] == 0] = self.transparent
        return found

    @cached_property
    def _cell_indices(self) -> NDArray[np.uint16]:
        """Index of the nearest palette color of each color cell, found on demand."""
        return np.full(256 if self.colors.shape[1] == 1 else 1 << 21, _UNKNOWN, np.uint16)

    def _find_cell_indices(self, keys: NDArray[np.uint32]) -> None:
        if self.colors.shape[1] == 1:
            points = keys[:, None].astype(np.float32)
        else:
            cells = np.stack([keys >> 14, keys >> 7 & 127, keys & 127], 1)
            points = (2 * cells + 0.5).astype(np.float32)
        first = 0 if self.transparent == NO_INDEX else 1
        opaque = self.colors[first:, :3].astype(np.float32)
        self._cell_indices[keys] = find_nearest(points, opaque)[0] + first


class _HashTable(NamedTuple):
    """Palette index of each packed color, for packed colors spread by a factor, or 0 for none.

    Packed colors outside the palette give any index.
    """

    factor: np.uint32
    indices: NDArray[np.uint8]

    def find(self, packed: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """Return the palette indices of packed colors."""
        if not self.factor:
            return self.indices[packed]
        return self.indices[_hash(packed, self.factor)]


def _hash(packed: NDArray[np.uint32], factor: np.uint32) -> NDArray[np.uint32]:
    return packed * factor >> np.uint32(32 - _HASH_BITS)


def _make_hash_table(packed: NDArray[np.uint32], *, is_gray: bool) -> _HashTable:
    """Make a hash table without collisions; gray levels are their own hash."""
    if is_gray:
        indices = np.zeros(256, np.uint8)
        indices[packed] = np.arange(len(packed))
        return _HashTable(np.uint32(0), indices)

    rng = np.random.default_rng(0)
    while True:
        factor = np.uint32(rng.integers(1, 1 << 31) * 2 + 1)
        hashed = _hash(packed, factor)
        if len(np.unique(hashed)) == len(hashed):
            indices = np.zeros(1 << _HASH_BITS, np.uint8)
            indices[hashed] = np.arange(len(hashed))
            return _HashTable(factor, indices)


def make_palette(pixels: NDArray[np.uint8], count: int) -> Palette:
    """Return a palette for some pixels, axes (pixel, s), exact if they have few colors."""
    exact = exact_palette(pixels, count)
    return exact if exact is not None else best_palette(pixels, count)


def exact_palette(pixels: NDArray[np.uint8], count: int) -> Palette | None:
    """Return a palette with all colors of some pixels, or ``None`` for more than `count` colors.

    Transparent pixels do not count, but use one of the 256 indices.
    """
    step = max(1, len(pixels) // PROBED_PIXELS)
    packed = pack(pixels[::step])
    samples = pixels.shape[1]
    if len(np.unique(packed)) > _index_count(count, has_transparent=samples == 4):
        return None
    colors = np.unique(packed if step == 1 else pack(pixels))
    if len(colors) > _index_count(count, has_transparent=samples == 4 and colors[0] == 0):
        return None
    shifts = range(8 * (samples - 1), -1, -8)
    return Palette(np.stack([(colors >> s & 255).astype(np.uint8) for s in shifts], 1))


def _index_count(count: int, *, has_transparent: bool) -> int:
    """Return the largest number of indices of a palette with at most `count` colors."""
    return min(count + 1, MOST_COLORS) if has_transparent else count


def best_palette(pixels: NDArray[np.uint8], count: int) -> Palette:
    """Return the best palette of `count` colors for some pixels, axes (pixel, s), with more."""
    opaque = opaque_colors(pixels)
    has_transparent = len(opaque) < len(pixels)
    most = min(count, MOST_COLORS - 1) if has_transparent else count
    colors, error = quantize(opaque[:: max(1, len(opaque) // _QUANTIZED_PIXELS)], most)
    if pixels.shape[1] == 4:
        colors = _with_alpha(colors, has_transparent=has_transparent)
    return Palette(colors, error)


def _with_alpha(colors: NDArray[np.uint8], *, has_transparent: bool) -> NDArray[np.uint8]:
    """Return opaque colors, axes (index, 3), with alpha, after a transparent one if needed."""
    opaque = np.pad(colors, ((0, 0), (0, 1)), constant_values=255)
    return np.pad(opaque, ((1, 0), (0, 0))) if has_transparent else opaque


def reserve_transparent(
    palette: Palette, counts: NDArray[np.int64]
) -> tuple[Palette, NDArray[np.uint8]]:
    """Return an opaque palette with a transparent color, and the new index of each old one.

    The rarest of 256 colors is replaced by the nearest of the others.

    Parameters
    ----------
    palette : Palette
        Colors with alpha.
    counts : numpy.ndarray
        Number of pixels of each color, axis index.
    """
    colors = palette.colors[:, :3]
    index = np.arange(1, len(colors) + 1)
    if len(colors) == MOST_COLORS:
        rarest = int(counts.argmin())
        color, colors = colors[rarest : rarest + 1], np.delete(colors, rarest, 0)
        index[rarest + 1 :] -= 1
        index[rarest] = 1 + find_nearest(color.astype(np.float32), colors.astype(np.float32))[0][0]
    extended = Palette(_with_alpha(colors, has_transparent=True), palette.error)
    return extended, index.astype(np.uint8)
