"""Mapping of samples of any type to 8-bit intensities, between the contrast limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.image import Image
from napari_ferry.movie.contrast_limits import contrast_limits_of, is_narrower

_SAMPLED = 9
"""Number of frames that are searched for their lowest and highest value."""


class LazyContrastLimits:
    """Contrast limits, known or read from a few frames on first use.

    Parameters
    ----------
    known : tuple of float, optional
        The limits, low and high.
    array, regions
        Pixels to search if the limits are unknown: they become the lowest and highest finite
        value of these regions.
    from_zero : bool
        True if the low limit is at most 0.
    """

    def __init__(
        self,
        known: tuple[float, float] | None,
        array: Array | None = None,
        regions: Sequence[Region] = (),
        *,
        from_zero: bool = False,
    ) -> None:
        self.known = known
        self.array = array
        self.regions = tuple(regions)
        self.from_zero = from_zero
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return the limits, found first, without the array, which would travel with each task."""
        self.find()
        hidden = ("_lock", "array")
        return {key: value for key, value in vars(self).items() if key not in hidden}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, array=None, _lock=threading.Lock())

    def find(self) -> tuple[float, float]:
        """Return the limits; unknown ones are read from the regions on the first call."""
        with self._lock:
            if self.known is None:
                ranges = [pair for region in self.regions for pair in self._read(region)]
                low = min((pair[0] for pair in ranges), default=0.0)
                high = max((pair[1] for pair in ranges), default=1.0)
                low = min(low, 0.0) if self.from_zero else low
                self.known = low, high if high > low else low + 1.0
            return self.known

    def _read(self, region: Region) -> list[tuple[float, float]]:
        assert self.array is not None
        return BlockReader(self.array, region).read_whole(_range)


def _range(pixels: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the lowest and highest finite value as one pair, or nothing without finite values."""
    if pixels.dtype.kind == "f":
        pixels = pixels[np.isfinite(pixels)]
    return [(float(pixels.min()), float(pixels.max()))] if pixels.size else []


@dataclass(frozen=True)
class IntensityMapping:
    """Mapping from the samples of an image to those of a movie.

    Parameters
    ----------
    dtype : data type
        Data type of the image.
    limits : LazyContrastLimits, optional
        Limits that are mapped to 0 and 255; without them, samples stay unchanged.
    keeps_alpha: bool
        True to keep the fourth sample of RGBA, False to blend colors over black.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits | None = None
    keeps_alpha: bool = False

    @property
    def out_dtype(self) -> np.dtype[Any]:
        """Data type of the movie, in native byte order."""
        return np.dtype(np.uint8) if self.limits else self.dtype.newbyteorder("=")

    def __call__(self, frames: NDArray[Any], *, is_rgb: bool = False) -> NDArray[Any]:
        """Return the frames to save, in C order; RGBA is blended over black if alpha is not kept.

        Parameters
        ----------
        frames : numpy.ndarray
            Axes (frames, y, x), or (frames, y, x, s) for RGB and RGBA; `dtype`.
        is_rgb : bool
            True for RGB and RGBA.

        Returns
        -------
        numpy.ndarray
            Axes (frames, y, x), or (frames, y, x, s) for RGB and RGBA, with four samples if alpha
            is kept, otherwise three; `out_dtype`.
        """
        if self.limits:
            mapped = scale_to_8_bits(frames, *self.limits.find())
        else:
            mapped = np.asarray(frames, self.out_dtype)
        if is_rgb and mapped.shape[-1] == 4 and not self.keeps_alpha:
            mapped = _blend_over_black(mapped)
        return np.ascontiguousarray(mapped)

    def losses(self) -> Iterator[str]:
        """Describe the loss of intensities."""
        if self.limits is None:
            return

        change = f"{self.dtype.name} is scaled to 8 bits between"
        if self.limits.known:
            low, high = self.limits.known
            yield f"{change} {low:.6g} and {high:.6g}, the contrast limits"
        else:
            lowest = "0" if self.limits.from_zero else "the lowest"
            count = len(self.limits.regions)
            frames = "the frame" if count == 1 else f"{count} frames, from the first to the last"
            yield f"{change} {lowest} and the highest value of {frames}"

        if self.dtype.kind == "f":
            yield "NaN becomes black"


def choose_intensity(
    image: Image, channel: int | None, regions: Sequence[Region], exact_dtypes: Sequence[str]
) -> IntensityMapping:
    """Choose the mapping from an image to a movie; no samples are read.

    Parameters
    ----------
    image : Image
        The image.
    channel : int, optional
        Index of the channel that is saved.
    regions : sequence of Region
        Frames to search for the lowest and highest value, if needed.
    exact_dtypes : sequence of str
        Data types that the format stores unchanged.
    """
    dtype = image.dtype
    native = dtype.newbyteorder("=")
    limits = contrast_limits_of(image, channel)
    if native.name in exact_dtypes and (
        len(exact_dtypes) > 1 or image.is_rgb or not is_narrower(limits, native)
    ):
        return IntensityMapping(dtype)

    # napari shows bool from 0 to 1, and RGB over the whole range of its dtype
    if limits is None and dtype.kind == "b":
        limits = (0.0, 1.0)
    if limits is None and image.is_rgb:
        limits = (0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)

    if limits is not None:
        return IntensityMapping(dtype, LazyContrastLimits(limits))
    from_zero = image.kind == "labels"
    return IntensityMapping(
        dtype, LazyContrastLimits(None, image.array, regions, from_zero=from_zero)
    )


def scale_to_8_bits(samples: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Scale samples to uint8: 0 for NaN and up to `low`, 255 from `high`."""
    if is_small_dtype(samples.dtype):
        table = _table(samples.dtype.newbyteorder("="), low, high)
        small: NDArray[np.uint8] = table[table_indices(samples)]
        return small
    wide = np.float64 if samples.dtype.itemsize > 2 and samples.dtype.kind != "f" else None
    scaled = samples.astype(wide or np.result_type(samples.dtype, np.float32))
    return _scale(scaled, low, high)


@lru_cache(maxsize=8)
def _table(dtype: np.dtype[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return the 8-bit intensity of each bit pattern of a small dtype."""
    return _scale(all_values(dtype).astype(np.float64), low, high)


def is_small_dtype(dtype: np.dtype[Any]) -> bool:
    """Return True for a dtype of at most 65,536 values, small enough for a lookup table."""
    return dtype.kind in "iub" and dtype.itemsize <= 2


def table_indices(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples of a small dtype as indices into a table of `all_values`."""
    native = np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
    return native.view(f"u{native.dtype.itemsize}")


def all_values(dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the value of each bit pattern of a small dtype, in the order of the patterns."""
    patterns = np.arange(256**dtype.itemsize).astype(f"u{dtype.itemsize}")
    return patterns.astype(bool) if dtype.kind == "b" else patterns.view(dtype.newbyteorder("="))


def _scale(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Scale floats to uint8; `values` is overwritten."""
    with np.errstate(over="ignore", invalid="ignore"):
        np.clip(values, low, high, out=values)
        values -= low
        # divide before multiplying: the difference of the largest floats stays finite
        values /= high - low if np.isfinite(high - low) else np.finfo(values.dtype).max
        values *= 255
        np.rint(values, out=values)
    np.nan_to_num(values, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    scaled: NDArray[np.uint8] = values.astype(np.uint8)
    return scaled


def _blend_over_black(frames: NDArray[Any]) -> NDArray[Any]:
    """Blend RGBA of 8 or 16 bits over black; return RGB."""
    most = np.iinfo(frames.dtype).max
    wide: NDArray[np.uint32] = frames.astype(np.uint32)  # products of 16 bits fit
    blended = (wide[..., :3] * wide[..., 3:] + most // 2) // most
    return blended.astype(frames.dtype)


def sampled_indices(count: int) -> list[int]:
    """Return the indices of a few frames, from the first to the last."""
    return sorted({round(k) for k in np.linspace(0, count - 1, _SAMPLED)})
