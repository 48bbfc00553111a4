"""Palettes: the colors of a frame, and the palette index of each pixel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader, Region
from napari_ferry.codecs.gif.quantize import find_nearest, quantize
from napari_ferry.movie.intensity import sampled_indices
from napari_ferry.movie.movie import Movie

_SAMPLED_PIXELS = 1 << 18
_PROBED_PIXELS = 1 << 12
_FEW_LEVELS = 64
"""Sampled gray levels above which all 256 levels are used."""

_MISFIT = 3.0
"""Largest error of a frame in the shared palette, relative to the error of the palette."""

_UNKNOWN = 0xFFFF
_HASH_BITS = 18


def pack(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Pack colors, axes (..., s), uint8, into one number each."""
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
        Axes (index, s), uint8, in ascending order and without duplicates; s is 1 for gray, else 3.
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
    def bits(self) -> int:
        """Bits of an index, 1 to 8."""
        return max(1, int(len(self.colors) - 1).bit_length())

    @cached_property
    def table(self) -> bytes:
        """The color table (GIF89a, section 19), padded to a power of two."""
        rgb = np.zeros((1 << self.bits, 3), np.uint8)
        rgb[: len(self.colors)] = self.colors
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

        Parameters
        ----------
        frame : numpy.ndarray
            Axes (y, x, s), uint8.
        offsets : numpy.ndarray, optional
            Offsets to add for dithering, axes (y, x), in units of the spacing of the palette.
        """
        if offsets is not None:
            step = offsets * np.sqrt(12 * self.error)
            frame = np.clip(np.rint(frame + step[..., None]), 0, 255).astype(np.uint8)

        # cells of 2 x 2 x 2 colors share their nearest color
        key = frame[..., 0].astype(np.uint32)
        if frame.shape[-1] == 3:
            high = frame & np.uint8(0xFE)
            key = high[..., 0].astype(np.uint32) << np.uint32(13)
            key |= high[..., 1].astype(np.uint32) << np.uint32(6)
            key |= high[..., 2] >> np.uint8(1)

        indices = self._cell_indices[key]
        if (indices == _UNKNOWN).any():
            self._find_cell_indices(np.unique(key[indices == _UNKNOWN]))
            indices = self._cell_indices[key]
        return indices.astype(np.uint8)

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
        self._cell_indices[keys] = find_nearest(points, self.colors.astype(np.float32))[0]


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
    return exact if exact is not None else Palette(*quantize(pixels, count))


def exact_palette(pixels: NDArray[np.uint8], count: int) -> Palette | None:
    """Return a palette with all colors of some pixels, or ``None`` for more than `count` colors."""
    step = max(1, len(pixels) // _PROBED_PIXELS)
    packed = pack(pixels[::step])
    if len(np.unique(packed)) > count:
        return None
    colors = np.unique(packed if step == 1 else pack(pixels))
    if len(colors) > count:
        return None
    shifts = range(8 * (pixels.shape[1] - 1), -1, -8)
    return Palette(np.stack([(colors >> s & 255).astype(np.uint8) for s in shifts], 1))


class SharedPalette:
    """The palette of a movie, chosen from some of its frames on first use.

    Parameters
    ----------
    movie : Movie
        The movie.
    count : int
        Largest number of colors.
    """

    def __init__(self, movie: Movie, count: int) -> None:
        self.movie = movie
        self.count = count
        self._palette: Palette | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[SharedPalette], tuple[Movie, int]]:
        return SharedPalette, (self.movie, self.count)

    def find(self) -> Palette:
        """Return the palette; read frames to choose it on the first call."""
        with self._lock:
            if self._palette is None:
                self._palette = self._choose()
            return self._palette

    def _choose(self) -> Palette:
        movie = self.movie
        regions = [movie.region(i, i + 1) for i in sampled_indices(movie.nframes)]
        count = _SAMPLED_PIXELS // len(regions)
        pixels = np.concatenate([self._sample(region, count) for region in regions])

        # the frames between the sampled ones may have any other gray level
        levels = len(np.unique(pixels)) if pixels.shape[1] == 1 else 0
        if self.count == 256 and levels > _FEW_LEVELS:
            return Palette(np.arange(256, dtype=np.uint8)[:, None])
        return make_palette(pixels, self.count)

    def _sample(self, region: Region, count: int) -> NDArray[np.uint8]:
        """Return about `count` pixels of one frame, axes (pixel, s), uint8."""
        movie = self.movie
        frame = BlockReader(movie.image.array, region).read_whole(
            lambda samples: movie.intensity(
                samples.reshape(-1, *samples.shape[len(movie.position) :]), is_rgb=movie.is_rgb
            )
        )
        pixels: NDArray[np.uint8] = frame.reshape(-1, frame.shape[-1] if movie.is_rgb else 1)
        return pixels[:: -(-len(pixels) // count) | 1]  # an odd step visits every column


@dataclass(frozen=True)
class PaletteFit:
    """Choice of the palette and the palette indices of each frame.

    Parameters
    ----------
    shared : SharedPalette
        Palette of the movie, used for every frame that it fits.
    count : int
        Largest number of colors of a frame.
    offsets : numpy.ndarray, optional
        Offsets for dithering, axes (y, x).
    """

    shared: SharedPalette
    count: int
    offsets: NDArray[Any] | None = None

    def __call__(self, frame: NDArray[np.uint8]) -> tuple[Palette, NDArray[np.uint8]]:
        """Return the palette of a frame, axes (y, x, s), and its indices, axes (y, x).

        The colors of a frame are exact if it has few enough.
        """
        palette = self.shared.find()
        if not palette.error:
            indices = palette.exact(frame)
            if indices is not None:
                return palette, indices

        pixels = frame.reshape(-1, frame.shape[-1])
        own = exact_palette(pixels, self.count)
        if own is None and palette.error and self._fits(palette, pixels):
            return palette, palette.nearest(frame, self.offsets)

        own = own or Palette(*quantize(pixels[:: max(1, len(pixels) >> 18)], self.count))
        exact = None if own.error else own.exact(frame)
        return own, own.nearest(frame, self.offsets) if exact is None else exact

    def _fits(self, palette: Palette, pixels: NDArray[np.uint8]) -> bool:
        """Return True if the error of a frame in a palette is about the error of the palette."""
        sampled = pixels[:: max(1, len(pixels) // _PROBED_PIXELS)][:, None]
        mapped = palette.colors[palette.nearest(sampled, None)].astype(np.float32)
        return float(((mapped - sampled) ** 2).mean()) <= _MISFIT * (palette.error + 1)


def dither_offsets(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return the offsets of an ordered dither (Bayer, 1973), axes (y, x), from -0.5 to 0.5.

    They are the same in every frame, so that static areas do not flicker and compress well.
    """
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    offsets = (matrix + 0.5) / matrix.size - 0.5
    tiles = (-(-shape[0] // 8), -(-shape[1] // 8))
    tiled: NDArray[np.float32] = np.tile(offsets, tiles)[: shape[0], : shape[1]].astype(np.float32)
    return tiled
