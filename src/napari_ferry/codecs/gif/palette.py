"""Palettes: which colors a frame has, and the index of each pixel among them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader, Region
from napari_ferry.codecs.gif.quantize import find_nearest, quantize
from napari_ferry.movie.intensity import sampled_indices
from napari_ferry.movie.movie import Movie

_SAMPLED_PIXELS = 1 << 18
_PROBED_PIXELS = 1 << 12
_FEW_TONES = 64
_MISFIT = 3.0
_UNKNOWN = 0xFFFF


def pack(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return colors, axes (..., s), as one number each."""
    packed = colors[..., 0].astype(np.uint32)
    for s in range(1, colors.shape[-1]):
        packed <<= 8
        packed |= colors[..., s]
    return packed


@dataclass(frozen=True, eq=False)
class Palette:
    """Some colors.

    Parameters
    ----------
    colors : numpy.ndarray
        Axes (index, s), uint8, in ascending order and without doubles; s is 1 for gray, else 3.
    error : float
        Mean of the squared differences to what it was made of; 0 where it has all its colors.
    """

    colors: NDArray[np.uint8]
    error: float = 0.0

    @cached_property
    def packed(self) -> NDArray[np.uint32]:
        """The colors, one number each."""
        return pack(self.colors)

    @cached_property
    def bits(self) -> int:
        """Bits of an index, 1 to 8."""
        return max(1, int(len(self.colors) - 1).bit_length())

    @cached_property
    def table(self) -> bytes:
        """The color table (GIF89a, section 19), filled up to a power of two."""
        rgb = np.zeros((1 << self.bits, 3), np.uint8)
        rgb[: len(self.colors)] = self.colors
        return rgb.tobytes()

    def exact(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Return the indices of a frame, axes (y, x, s); ``None`` if it has other colors."""
        packed = pack(frame)
        factor, places = self._places
        indices = places[packed * factor >> np.uint32(14)] if factor else places[packed]
        return indices if np.array_equal(self.packed[indices], packed) else None

    @cached_property
    def _places(self) -> tuple[np.uint32, NDArray[np.uint8]]:
        """Return a table of indices, and the factor that scatters packed colors over it.

        The factor is sought until no two colors meet; for gray tones none is needed.
        """
        if self.colors.shape[1] == 1:
            places = np.zeros(256, np.uint8)
            places[self.packed] = np.arange(len(self.packed))
            return np.uint32(0), places
        rng = np.random.default_rng(0)
        while True:
            factor = np.uint32(rng.integers(1, 1 << 31) * 2 + 1)
            hashed = (self.packed * factor) >> np.uint32(14)
            if len(np.unique(hashed)) == len(hashed):
                places = np.zeros(1 << 18, np.uint8)
                places[hashed] = np.arange(len(hashed))
                return factor, places

    def nearest(self, frame: NDArray[np.uint8], offsets: NDArray[Any] | None) -> NDArray[np.uint8]:
        """Return the index of the nearest color of each pixel, axes (y, x, s).

        Parameters
        ----------
        offsets : numpy.ndarray, optional
            Axes (y, x), in units of the palette's spacing: what is added to dither.
        """
        if offsets is not None:
            step = offsets * np.sqrt(12 * self.error)
            frame = np.clip(np.rint(frame + step[..., None]), 0, 255).astype(np.uint8)
        key = frame[..., 0].astype(np.uint32)
        if frame.shape[-1] == 3:
            high = frame & np.uint8(0xFE)
            key = high[..., 0].astype(np.uint32) << np.uint32(13)
            key |= high[..., 1].astype(np.uint32) << np.uint32(6)
            key |= high[..., 2] >> np.uint8(1)
        indices = self._known[key]
        if (indices == _UNKNOWN).any():
            self._learn(np.unique(key[indices == _UNKNOWN]))
            indices = self._known[key]
        return indices.astype(np.uint8)

    @cached_property
    def _known(self) -> NDArray[np.uint16]:
        """Nearest color of each cell of colors; they are found when they are needed."""
        return np.full(256 if self.colors.shape[1] == 1 else 1 << 21, _UNKNOWN, np.uint16)

    def _learn(self, keys: NDArray[np.uint32]) -> None:
        if self.colors.shape[1] == 1:
            points = keys[:, None].astype(np.float32)
        else:
            cells = np.stack([keys >> 14, keys >> 7 & 127, keys & 127], 1)
            points = (2 * cells + 0.5).astype(np.float32)
        self._known[keys] = find_nearest(points, self.colors.astype(np.float32))[0]


def make_palette(pixels: NDArray[np.uint8], count: int) -> Palette:
    """Return the palette of some pixels, axes (pixel, s): all of their colors if they are few."""
    few = few_colors(pixels, count)
    return few if few is not None else Palette(*quantize(pixels, count))


def few_colors(pixels: NDArray[np.uint8], count: int) -> Palette | None:
    """Return the palette that has every color, ``None`` where they are more than `count`."""
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
    """The palette of a movie, chosen from some of its frames when it is first asked for.

    Parameters
    ----------
    movie : Movie
        Whose it is.
    count : int
        Most colors that it may have.
    """

    def __init__(self, movie: Movie, count: int) -> None:
        self.movie = movie
        self.count = count
        self._found: Palette | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[SharedPalette], tuple[Movie, int]]:
        return SharedPalette, (self.movie, self.count)

    def find(self) -> Palette:
        """Return it, reading the frames the first time."""
        with self._lock:
            if self._found is None:
                self._found = self._choose()
            return self._found

    def _choose(self) -> Palette:
        movie = self.movie
        regions = [movie.region(i, i + 1) for i in sampled_indices(movie.nframes)]
        most = _SAMPLED_PIXELS // len(regions)
        pixels = np.concatenate([self._sample(region, most) for region in regions])
        tones = len(np.unique(pixels)) if pixels.shape[1] == 1 else 0
        if self.count == 256 and tones > _FEW_TONES:  # frames between may have any of the others
            return Palette(np.arange(256, dtype=np.uint8)[:, None])
        return make_palette(pixels, self.count)

    def _sample(self, region: Region, most: int) -> NDArray[np.uint8]:
        """Return some pixels of one frame, axes (pixel, s)."""
        movie = self.movie
        frame = BlockReader(movie.image.array, region).read_whole(
            lambda found: movie.intensity(
                found.reshape(-1, *found.shape[len(movie.position) :]), is_rgb=movie.is_rgb
            )
        )
        pixels: NDArray[np.uint8] = frame.reshape(-1, frame.shape[-1] if movie.is_rgb else 1)
        return pixels[:: -(-len(pixels) // most) | 1]  # odd, so that it meets every column


@dataclass(frozen=True)
class Fit:
    """Finds the palette and the indices of each frame.

    Parameters
    ----------
    shared : SharedPalette
        That of the movie, which serves wherever it fits.
    count : int
        Most colors of a frame.
    offsets : numpy.ndarray, optional
        Of a dither, axes (y, x).
    """

    shared: SharedPalette
    count: int
    offsets: NDArray[Any] | None = None

    def __call__(self, frame: NDArray[np.uint8]) -> tuple[Palette, NDArray[np.uint8]]:
        """Return the palette of a frame, axes (y, x, s), and indices, axes (y, x).

        Colors stay exact wherever there are few enough of them.
        """
        palette = self.shared.find()
        if not palette.error:
            indices = palette.exact(frame)
            if indices is not None:
                return palette, indices
        pixels = frame.reshape(-1, frame.shape[-1])
        own = few_colors(pixels, self.count)
        if own is None and palette.error and self._serves(palette, pixels):
            return palette, palette.nearest(frame, self.offsets)
        own = own or Palette(*quantize(pixels[:: max(1, len(pixels) >> 18)], self.count))
        exact = None if own.error else own.exact(frame)
        return own, own.nearest(frame, self.offsets) if exact is None else exact

    def _serves(self, palette: Palette, pixels: NDArray[np.uint8]) -> bool:
        """Whether a frame looks about as good in a palette as what that was made of."""
        some = pixels[:: max(1, len(pixels) // _PROBED_PIXELS)][:, None]
        found = palette.colors[palette.nearest(some, None)].astype(np.float32)
        return float(((found - some) ** 2).mean()) <= _MISFIT * (palette.error + 1)


def dither_offsets(shape: Sequence[int]) -> NDArray[np.float32]:
    """Return an ordered dither (Bayer, 1973), axes (y, x), from -0.5 to 0.5.

    It is the same in every frame, so that what rests does not flicker, and stays small.
    """
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    offsets = (matrix + 0.5) / matrix.size - 0.5
    tiles = (-(-shape[0] // 8), -(-shape[1] // 8))
    found: NDArray[np.float32] = np.tile(offsets, tiles)[: shape[0], : shape[1]].astype(np.float32)
    return found
