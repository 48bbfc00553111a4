"""Gray images and pictures of them, for several tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames, Region
from napari_ferry.image import Axis, Image

FULL = {"contrast_limits": [0, 255]}


def gray(shape: tuple[int, ...], axes: str | None = None, **more: Any) -> Image:
    """Return an 8-bit image displayed like its samples."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return replace(Image.from_array(pixels, axes), display=FULL, **more)


def placed(image: Image, **axes: tuple[Any, ...]) -> Image:
    """Return an image with new axes, given as (scale, unit, translation) by name."""
    return replace(image, axes=tuple(Axis(a.name, *axes.get(a.name, ())) for a in image.axes))


def seen(image: Image) -> NDArray[np.uint8]:
    """Return the pixels of a gray picture, without the color axis."""
    pixels = np.asarray(image.array)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


class Counting:
    """Reader of the frames of an array, with a counter for each frame."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        self.pixels, self.reads = pixels, Counter[int]()

    def __call__(self, i: int) -> NDArray[Any]:
        self.reads[i] += 1
        return self.pixels[i]


def counted(shape: tuple[int, ...], dtype: str = "uint8") -> tuple[Image, Counter[int]]:
    """Return an image of frames, and the counts of reads."""
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    read = Counting(pixels)
    image = Image.from_array(Frames(read, shape, dtype, 1))
    return replace(image, display=FULL), read.reads


class ChunkedArray:
    """Array in chunks, with counts of reads and the size of the largest region."""

    def __init__(self, pixels: Any, chunks: tuple[int, ...]) -> None:
        self.pixels, self.chunks = pixels, chunks
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim
        self.reads: Counter[tuple[int, ...]] = Counter()
        self.largest = 0

    def __getitem__(self, box: Region) -> Any:
        spans = [
            range(side.start // n, -(-side.stop // n))
            for side, n in zip(box, self.chunks, strict=True)
        ]
        for place in np.ndindex(*(len(span) for span in spans)):
            self.reads[tuple(span[k] for span, k in zip(spans, place, strict=True))] += 1
        found = self.pixels[box]
        self.largest = max(self.largest, found.nbytes)
        return found


def noise(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)
