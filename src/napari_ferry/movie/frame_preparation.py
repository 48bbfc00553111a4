"""Reading of frames from an image, a few at a time, and their preparation for an encoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region, split_by_frames
from napari_ferry.arrays.array_layout import chunk_lengths
from napari_ferry.arrays.region_grid import RegionGrid
from napari_ferry.arrays.regions import largest_chunk, region_bytes, region_shape
from napari_ferry.movie.intensity import IntensityMapping
from napari_ferry.saving.stream import frames_per_task


@dataclass(frozen=True, kw_only=True)
class FramePreparation:
    """Reads frames, maps their samples and encodes them.

    Parameters
    ----------
    intensity : IntensityMapping
        Mapping of the samples.
    lead : int
        Number of leading axes, before those of a frame.
    is_rgb : bool
        True if frames have the axes y, x, s.
    encode : callable, optional
        Converts prepared frames, axes (frames, y, x) or (frames, y, x, s).
    """

    intensity: IntensityMapping
    lead: int
    is_rgb: bool
    encode: Callable[[NDArray[Any]], Any] | None

    def __call__(self, pixels: BlockReader) -> Any:
        """Return all frames of a region, prepared and encoded."""
        prepared = pixels.read_whole(self._prepare)
        return self.encode(prepared) if self.encode else prepared

    def parts(self, pixels: BlockReader) -> Iterator[Any]:
        """Yield the frames of a long region in order, a few at a time."""
        for region in split_frames(pixels.array, pixels.region, self.lead):
            yield self(pixels.within(region))

    def _prepare(self, pixels: NDArray[Any]) -> NDArray[Any]:
        frames = pixels.reshape(-1, *pixels.shape[self.lead :])
        return self.intensity(frames, is_rgb=self.is_rgb)


def split_frames(array: Array, region: Region, lead: int, least: int = 1) -> RegionGrid:
    """Split a region into regions of a few frames, in order, along the chunks of the array.

    Parameters
    ----------
    array : array
        Array of the region.
    region : Region
        Frames along one of the leading axes, and one index on the others.
    lead : int
        Number of leading axes, before those of a frame.
    least : int
        Number of frames of each result, unless a chunk has more or the frames are small.
    """
    counts = region_shape(region)[:lead]
    frame_bytes = region_bytes(array, region) // math.prod(counts)
    longest = largest_chunk(array)[:lead]
    chunks = [side for side, n in zip(longest, counts, strict=True) if n > 1]
    most = frames_per_task(frame_bytes, max(chunks, default=1))
    return split_by_frames(region, lead, max(least, most), chunk_lengths(array)[:lead])
