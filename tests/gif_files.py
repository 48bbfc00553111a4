"""Moving waves, GIF files built block by block, and their pixels, for several tests."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

import napari_ferry
from napari_ferry.codecs.gif.frame_encoder import compress
from napari_ferry.codecs.gif.scan import NO_INDEX
from napari_ferry.image import Image

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)

SIZE = (32, 40)


def movie(count: int, samples: int = 1, seed: int = 0, size: tuple[int, int] = SIZE) -> Any:
    """Return moving waves with noise, axes (t, y, x) or (t, y, x, 3), uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    waves = [np.sin((x + 3 * s + np.arange(count)[:, None, None]) / (4 + s)) for s in range(3)]
    noisy = 128 + 60 * np.stack(waves, -1) + 20 * np.cos(y / 5)[..., None]
    colors = np.clip(noisy + rng.normal(0, 6, noisy.shape), 0, 255).astype(np.uint8)
    return colors[..., 0].copy() if samples == 1 else colors


def save(images: Any, path: Path, **options: Any) -> Path:
    images = Image.from_array(images, "tyxs" if images.ndim == 4 else None)
    return imsave(images, path, overwrite=True, **options)[0]


def read_with_pillow(path: Path, mode: str = "RGB") -> tuple[NDArray[Any], list[int]]:
    """Read frames, axes (t, y, x, s), and their display times in milliseconds with Pillow."""
    with PillowImage.open(path) as image:
        frames, times = [], []
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert(mode)))
            times.append(image.info["duration"])
    return np.stack(frames), times


def with_holes(frames: NDArray[np.uint8], radius: int = 8) -> NDArray[np.uint8]:
    """Return colors with alpha: 0 in a disk that moves to the right, otherwise 255."""
    y, x = np.mgrid[: frames.shape[1], : frames.shape[2]]
    distance = [np.hypot(y - radius, x - radius - 2 * k) for k in range(len(frames))]
    alpha = np.where(np.stack(distance) < radius, 0, 255).astype(np.uint8)
    return with_alpha(np.concatenate([frames, alpha[..., None]], -1))


@dataclass
class Part:
    """One frame of a GIF file built by a test."""

    pixels: NDArray[np.uint8]
    left: int = 0
    top: int = 0
    disposal: int = 0
    transparent: int = NO_INDEX
    delay: int = 10
    palette: NDArray[np.uint8] | None = None
    interlaced: bool = False


COLORS = np.random.default_rng(5).integers(0, 256, (8, 3), np.uint8)


def build(parts: list[Part], size: tuple[int, int] = (2, 2), tail: bytes = b";") -> bytes:
    """Build a GIF file according to the specification; size is (height, width)."""
    blocks = [b"GIF89a", struct.pack("<HHBBB", size[1], size[0], 0x82, 0, 0), COLORS.tobytes()]
    for part in parts:
        # graphic control extension
        flags = part.disposal << 2 | (part.transparent != NO_INDEX)
        blocks.append(
            b"!\xf9\x04" + struct.pack("<BHBB", flags, part.delay, max(0, part.transparent), 0)
        )

        # image descriptor, palette and pixels
        height, width = part.pixels.shape
        own = b"" if part.palette is None else part.palette.tobytes()
        flags = (0x82 if own else 0) | (0x40 if part.interlaced else 0)
        blocks.append(struct.pack("<BHHHHB", 0x2C, part.left, part.top, width, height, flags) + own)
        pixels = part.pixels
        if part.interlaced:
            order = [y for a, b in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(a, height, b)]
            pixels = pixels[order]
        blocks.append(compress(pixels))
    return b"".join(blocks) + tail


def with_alpha(frames: NDArray[Any]) -> NDArray[Any]:
    """Return colors with alpha, set to 0 at transparent pixels."""
    if frames.shape[-1] == 3:
        frames = np.concatenate([frames, np.full_like(frames[..., :1], 255)], -1)
    return np.where(frames[..., 3:] > 0, frames, 0)


def sha256_of(frame: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest()
