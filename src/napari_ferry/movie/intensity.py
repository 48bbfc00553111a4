"""Samples of any type -> the 256 tones of a screen, between the values shown black and white."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region

_SAMPLED = 9


class LazyContrastLimits:
    """The values that become black and white: known, or found in some frames when first asked for.

    Parameters
    ----------
    known : tuple of float, optional
        The values.
    array, regions
        Where they are found otherwise: the lowest and highest finite value of these regions.
    from_zero : bool
        Whether black is 0 whatever the lowest value is.
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
        return {key: value for key, value in vars(self).items() if key != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def find(self) -> tuple[float, float]:
        """Return the values, reading the regions the first time if they are not known."""
        with self._lock:
            if self.known is None:
                found = [pair for region in self.regions for pair in self._of(region)]
                low = min((pair[0] for pair in found), default=0.0)
                high = max((pair[1] for pair in found), default=1.0)
                low = min(low, 0.0) if self.from_zero else low
                self.known = low, high if high > low else low + 1.0
            return self.known

    def _of(self, region: Region) -> list[tuple[float, float]]:
        assert self.array is not None
        return BlockReader(self.array, region).read_whole(_range)


def _range(pixels: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the lowest and highest finite value, in a list that is empty where there is none."""
    if pixels.dtype.kind == "f":
        pixels = pixels[np.isfinite(pixels)]
    return [(float(pixels.min()), float(pixels.max()))] if pixels.size else []


@dataclass(frozen=True)
class IntensityMapping:
    """What becomes of the samples of frames.

    Parameters
    ----------
    dtype : data type
        Of the source.
    limits : LazyContrastLimits, optional
        What becomes black and white of 8 bits; samples stay as they are when absent.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits | None = None

    @property
    def out_dtype(self) -> np.dtype[Any]:
        """Type of what comes out, in native byte order."""
        return np.dtype(np.uint8) if self.limits else self.dtype.newbyteorder("=")

    def __call__(self, frames: NDArray[Any], *, is_rgb: bool = False) -> NDArray[Any]:
        """Return frames as they are saved, in C order; alpha is laid over black.

        Parameters
        ----------
        frames : numpy.ndarray
            Axes (frames, y, x), or (frames, y, x, s) of a color.
        is_rgb : bool
            Whether they are of a color.
        """
        if self.limits:
            tones = to_tones(frames, *self.limits.find())
        else:
            tones = np.asarray(frames, self.out_dtype)
        if is_rgb and tones.shape[-1] == 4:
            tones = _over_black(tones)
        return np.ascontiguousarray(tones)

    def losses(self) -> Iterator[str]:
        """Say between which values samples are mapped."""
        if self.limits is None:
            return
        what = f"{self.dtype.name} becomes 8 bit between"
        if self.limits.known:
            low, high = self.limits.known
            yield f"{what} {low:.6g} and {high:.6g}, as it is shown"
        else:
            low_word = "0" if self.limits.from_zero else "the lowest"
            count = len(self.limits.regions)
            frames = "the frame" if count == 1 else f"{count} frames, from the first to the last"
            yield f"{what} {low_word} and the highest value of {frames}"
        if self.dtype.kind == "f":
            yield "what is not a number becomes black"


def to_tones(samples: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return samples as uint8: `low` and below 0, `high` and above 255, not-a-number 0."""
    if is_small_dtype(samples.dtype):
        table = _table(samples.dtype.newbyteorder("="), low, high)
        small: NDArray[np.uint8] = table[table_indices(samples)]
        return small
    wide = np.float64 if samples.dtype.itemsize > 2 and samples.dtype.kind != "f" else None
    scaled = samples.astype(wide or np.result_type(samples.dtype, np.float32))
    return _scale(scaled, low, high)


@lru_cache(maxsize=8)
def _table(dtype: np.dtype[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return the tone of each bit pattern of a small type."""
    return _scale(all_values(dtype).astype(np.float64), low, high)


def is_small_dtype(dtype: np.dtype[Any]) -> bool:
    """Whether a type has so few values that a table of all is at hand."""
    return dtype.kind in "iub" and dtype.itemsize <= 2


def table_indices(samples: NDArray[Any]) -> NDArray[Any]:
    """Return samples of a small type as places in a table of `all_values`."""
    native = np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
    return native.view(f"u{native.dtype.itemsize}")


def all_values(dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the value of each bit pattern of a small type, in the order of the patterns."""
    patterns = np.arange(256**dtype.itemsize).astype(f"u{dtype.itemsize}")
    return patterns.astype(bool) if dtype.kind == "b" else patterns.view(dtype.newbyteorder("="))


def _scale(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Map floats, which are overwritten, to tones."""
    with np.errstate(over="ignore", invalid="ignore"):
        np.clip(values, low, high, out=values)
        values -= low
        # dividing first keeps differences of the largest floats finite
        values /= high - low if np.isfinite(high - low) else np.finfo(values.dtype).max
        values *= 255
        np.rint(values, out=values)
    np.nan_to_num(values, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    tones: NDArray[np.uint8] = values.astype(np.uint8)
    return tones


def _over_black(frames: NDArray[Any]) -> NDArray[Any]:
    """Return the colors of samples r g b a, of 8 or 16 bits, as they look over black."""
    most = np.iinfo(frames.dtype).max
    wide: NDArray[np.uint32] = frames.astype(np.uint32)  # of 8 or 16 bits there is room for it
    blended = (wide[..., :3] * wide[..., 3:] + most // 2) // most
    return blended.astype(frames.dtype)


def sampled_indices(count: int) -> list[int]:
    """Return which frames of so many are looked at for the range of values: first to last."""
    return sorted({round(k) for k in np.linspace(0, count - 1, _SAMPLED)})
