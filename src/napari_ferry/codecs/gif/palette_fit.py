"""Palettes of a movie and of its frames, and the choice for each frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader, Region
from napari_ferry.codecs.gif.palette import (
    PROBED_PIXELS,
    Palette,
    best_palette,
    exact_palette,
    make_palette,
)
from napari_ferry.codecs.gif.scan import NO_INDEX
from napari_ferry.codecs.gif.transparency import opaque_colors, threshold_alpha
from napari_ferry.movie.intensity import sampled_indices
from napari_ferry.movie.movie import Movie

_SAMPLED_PIXELS = 1 << 18
_FEW_LEVELS = 64
"""Sampled gray levels above which all 256 levels are used."""

_MISFIT = 3.0
"""Maximum error of a frame in the shared palette, relative to the error of the palette."""


class SharedPalette:
    """The palette of a movie, chosen from some of its frames on first use.

    Parameters
    ----------
    movie : Movie
        The movie.
    count : int
        Maximum number of colors.
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
        pixels = threshold_alpha(frame.reshape(-1, movie.samples))
        return pixels[:: -(-len(pixels) // count) | 1]  # an odd step visits every column


@dataclass(frozen=True)
class PaletteFit:
    """Choice of the palette and the palette indices of each frame.

    Parameters
    ----------
    shared : SharedPalette
        Palette of the movie, used for every frame that it fits.
    count : int
        Maximum number of colors of a frame.
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

        own = own or best_palette(pixels, self.count)
        exact = None if own.error else own.exact(frame)
        return own, own.nearest(frame, self.offsets) if exact is None else exact

    def _fits(self, palette: Palette, pixels: NDArray[np.uint8]) -> bool:
        """Return True if the error of a frame in a palette is about the error of the palette."""
        opaque = opaque_colors(pixels)
        if palette.transparent == NO_INDEX and len(opaque) < len(pixels):
            return False
        sampled = opaque[:: max(1, len(opaque) // PROBED_PIXELS)][:, None]
        mapped = palette.colors[palette.nearest(sampled, None), :3].astype(np.float32)
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
