"""PNG files made chunk by chunk, and by Pillow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image as Pictures

from napari_ferry.codecs.png.chunks import SIGNATURE, make_chunk

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16)}
DEPTHS[RGBA] = (8, 16)
STORED = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}


def build(
    color: int,
    depth: int,
    size: tuple[int, int] = (5, 7),
    *,
    chunks: Sequence[bytes] = (),
    seed: int = 0,
    end: bytes = b"",
) -> bytes:
    """Return a file with random samples, and a palette if it needs one."""
    height, width = size
    rng = np.random.default_rng(seed)
    nbytes = -(-width * STORED[color] * depth // 8)
    rows = b"".join(b"\0" + rng.bytes(nbytes) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [SIGNATURE, make_chunk(b"IHDR", header)]
    if color == PALETTE:
        parts.append(make_chunk(b"PLTE", rng.bytes(3 * 2**depth)))
    parts += [*chunks, make_chunk(b"IDAT", zlib.compress(rows)), end, make_chunk(b"IEND", b"")]
    return b"".join(parts)


def every_kind() -> Iterator[tuple[int, int]]:
    """Yield each color type with each of its depths."""
    for color, depths in DEPTHS.items():
        for depth in depths:
            yield color, depth


def with_pillow(path: Path) -> np.ndarray:
    """Return the pixels that Pillow reads."""
    with Pictures.open(path) as picture:
        return np.asarray(picture)


def frames_with_pillow(path: Path, mode: str = "RGBA") -> np.ndarray:
    """Return the frames of an animation that Pillow composes."""
    with Pictures.open(path) as picture:
        frames = []
        for k in range(getattr(picture, "n_frames", 1)):
            picture.seek(k)
            frames.append(np.asarray(picture.convert(mode)))
        return np.stack(frames)


def frames_with_ffmpeg(path: Path, form: str, dtype: str, frame: tuple[int, ...]) -> np.ndarray:
    """Return the frames of an animation, or of a sequence, that FFmpeg composes."""
    nbytes = np.dtype(dtype).itemsize * (frame[2] if len(frame) > 2 else 1)
    source = ["-f", "apng"] if path.suffix == ".apng" else []
    reader = imageio_ffmpeg.read_frames(
        str(path), pix_fmt=form, bits_per_pixel=8 * nbytes, input_params=source
    )
    next(reader)  # facts about the file
    frames = [np.frombuffer(data, dtype).reshape(frame) for data in reader]
    reader.close()
    return np.stack(frames)


def save_with_pillow(path: Path, frames: Sequence[np.ndarray], **options: object) -> Path:
    """Save an animation of parts that change, with the options of Pillow."""
    first, *others = (Pictures.fromarray(frame) for frame in frames)
    first.save(path, "PNG", save_all=True, append_images=others, **options)
    return path


def moving_spots(count: int = 6, samples: int = 4) -> list[np.ndarray]:
    """Return frames of which small parts change, some of them transparent."""
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (24, 31, samples), np.uint8)
    frame[..., 3:] = rng.choice([0, 255], (24, 31, 1))
    frames = []
    for k in range(count):
        frame = frame.copy()
        spot = rng.integers(0, 256, samples, np.uint8)
        spot[3:] = 255
        frame[3 * k : 3 * k + 5, 4 * k : 4 * k + 6] = spot
        frames.append(frame)
    return frames
