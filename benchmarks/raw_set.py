"""Raw files with known layouts: scenes, stored in the ways of common programs.

Each is made from a split and a number alone, so weights fitted on one split are tested on the
other, which has other sources and seeds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.raw_scenes import SIMULATED, movies, real, stills

POPULAR = (64, 96, 100, 128, 160, 200, 240, 256, 300, 320, 400, 480, 512, 600, 640)
HEADERS = (128, 352, 512, 1024, 4096)
GAPS = (8, 12, 16, 32, 64, 128, 256, 512)
MAX_SAMPLES = 6_000_000
CUTS = ("", "item", "byte")
FORMS = (*CUTS, "gap", "padded", "packed", "bayer", "large")
"""What a file may be: plain; its last frame cut off between samples, or anywhere; bytes between
frames; rows filled up to a multiple of bytes; two samples of 12 bits in three bytes; a mosaic; few
frames, each larger than what is read."""


@dataclass(frozen=True)
class Raw:
    """A raw file with its content, its layout and its bytes."""

    name: str
    kind: str
    stored: str
    dtype: np.dtype
    offset: int
    frames: int
    channels: int
    y: int
    x: int
    form: str
    data: bytes
    gap: int = 0

    def is_right(self, layout: object) -> bool:
        """Return True if all fields of a layout are right; signed without negatives is unsigned."""
        return self.is_type(layout) and all(
            getattr(layout, name) == getattr(self, name)
            for name in ("offset", "frames", "channels", "y", "x", "gap")
        )

    def is_type(self, layout: object) -> bool:
        """Return True if the type of a layout is right; signs count for negative pixels only."""
        dtype: np.dtype = layout.dtype  # type: ignore[attr-defined]
        if dtype.str == self.dtype.str:
            return True
        if "f" in dtype.str + self.dtype.str or dtype.itemsize != self.dtype.itemsize:
            return False
        same_order = dtype.str[0] == self.dtype.str[0]
        pixels = self._pixels().astype(np.int64)
        return (
            same_order
            and int(pixels.max()) < 2 ** (8 * dtype.itemsize - 1)
            and int(pixels.min()) >= 0
        )

    def _pixels(self) -> np.ndarray:
        """Return the samples of whole frames."""
        per = self.nbytes // self.frames
        at = [self.offset + t * (per + self.gap) for t in range(self.frames)]
        data = b"".join(self.data[start : start + per] for start in at)
        return np.frombuffer(data, self.dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole frames."""
        return self.frames * self.channels * self.y * self.x * self.dtype.itemsize


def make(split: str, number: int, folder: Path | None = None, *, form: str = "") -> Raw:
    """Return one raw file of a form; a few plain ones are cut off, too."""
    rng = np.random.default_rng([{"dev": 0, "test": 1}[split], number])
    scene = _drifting if form == "large" else _scene
    kind, name, pixels = scene(rng, split, folder)
    if pixels.ndim == 4 and rng.random() < 0.5 and len(pixels) > 1:
        pixels = pixels[..., 1]
    if form == "bayer":  # sensors have even sides
        pixels = pixels[:, : pixels.shape[1] // 2 * 2, : pixels.shape[2] // 2 * 2]
    pixels, channels = _colored(rng, pixels, form)
    stored, pixels = _stored(rng, pixels, kind, form)
    order = ">" if rng.random() < 0.2 and pixels.itemsize > 1 else "<"
    pixels = pixels.astype(pixels.dtype.newbyteorder(order))
    header = _header(rng)
    if not form and rng.random() < 0.04:
        form = str(rng.choice(CUTS[1:]))
    if len(pixels) < 2 and form in ("gap", *CUTS):
        form = ""
    if form == "padded":
        pixels = _padded(rng, pixels)
    if form == "packed":
        pixels = _packed(rng, pixels)
        channels = 3
    frames, y, x = pixels.shape[:3]
    body, gap = _body(rng, pixels, form)
    frames -= form in CUTS[1:]
    return Raw(
        name, kind, stored, pixels.dtype, len(header), frames, channels, y, x, form, header + body,
        gap,
    )  # fmt: skip


def _body(rng: np.random.Generator, pixels: np.ndarray, form: str) -> tuple[bytes, int]:
    """Return the bytes of frames, whole, cut off or with a gap after each, and of the gap."""
    data, per = pixels.tobytes(), pixels.nbytes // len(pixels)
    if form in CUTS[1:]:
        step = pixels.itemsize if form == "item" else 1
        return data[: len(data) - int(rng.integers(1, per // step)) * step], 0
    if form != "gap":
        return data, 0
    gap = int(rng.choice(GAPS)) if rng.random() < 0.7 else int(rng.integers(1, 1025)) * 4
    gap = max(8, min(gap, per // 32 * 4))  # a record of a frame is shorter than the frame
    gap += -gap % pixels.itemsize  # and what writes whole samples keeps them in step
    filled = rng.integers(0, 3)
    between = [
        bytes(gap) if filled == 0
        else (struct.pack("<2I", t, 33_000 * t) + b"\0" * gap)[:gap] if filled == 1
        else rng.bytes(gap)
        for t in range(len(pixels))
    ]  # fmt: skip
    last = len(pixels) - (rng.random() < 0.3)  # or between frames alone
    return b"".join(
        data[t * per : (t + 1) * per] + (between[t] if t < last else b"")
        for t in range(len(pixels))
    ), gap


def _padded(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Return pixels whose rows are filled up to a multiple of some bytes, with more columns."""
    pixel = pixels.itemsize * (pixels.shape[3] if pixels.ndim == 4 else 1)
    x = pixels.shape[2]
    wide = x
    for step in rng.permutation((4, 8, 16, 32, 64)):
        if step % pixel == 0 and x * pixel % step:
            wide = -(-x * pixel // int(step)) * int(step) // pixel
            break
    if wide == x:
        wide = x + int(rng.integers(1, 17))
    room = [(0, 0), (0, 0), (0, wide - x), *[(0, 0)] * (pixels.ndim - 3)]
    return np.pad(pixels, room)


def _packed(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Return samples of 12 bits, two of them in three bytes, shape (t, y, x / 2, 3).

    Both orders of GenICam's pixel format naming convention: ``Mono12p`` and ``Mono12Packed``.
    """
    pixels = pixels[:, :, : pixels.shape[2] // 2 * 2].astype(np.uint16)
    a, b = pixels[..., ::2], pixels[..., 1::2]
    if rng.random() < 0.5:
        three = (a & 255, a >> 8 | (b & 15) << 4, b >> 4)
    else:
        three = (a >> 4, (b & 15) << 4 | a & 15, b >> 4)
    return np.stack(three, -1).astype(np.uint8)


def _scene(
    rng: np.random.Generator, split: str, folder: Path | None
) -> tuple[str, str, np.ndarray]:
    drawn = rng.random()
    nt = int(1 if drawn < 0.25 else rng.integers(2, 8) if drawn < 0.45 else rng.integers(8, 101))
    native = bool(rng.random() < 0.5)
    shape = _shape(rng, nt, native=native)
    pool = stills(split, folder) if nt == 1 else movies(split, folder)
    if pool and rng.random() < 0.5:
        name, pixels = real(rng, None if native else shape, nt, pool)
        most = max(1, MAX_SAMPLES // pixels[0].size)
        return ("still" if nt == 1 else "movie"), name, pixels[:most]
    names = list(SIMULATED)
    weights = np.array([weight for _, weight in SIMULATED.values()])
    kind = str(rng.choice(names, p=weights / weights.sum()))
    return kind, kind, SIMULATED[kind][0](rng, shape)


def _drifting(
    rng: np.random.Generator, split: str, folder: Path | None
) -> tuple[str, str, np.ndarray]:
    """Return a few frames of a camera at rest or drifting over a large image."""
    pool = {name: one for name, one in stills(split, folder).items() if min(one.shape[:2]) > 400}
    name = str(rng.choice(sorted(pool)))
    image, nt = pool[name].astype(np.float32), int(rng.integers(2, 6))
    most = int(rng.choice([0, 1, 4]))
    at = np.cumsum(rng.integers(-most, most + 1, (nt, 2)), 0)
    at -= at.min(0)
    ny, nx = np.minimum(image.shape[:2] - at.max(0), rng.integers(400, 1281, 2))
    movie = np.stack([image[top : top + ny, left : left + nx] for top, left in at])
    return "movie", name, movie + rng.uniform(0, 3) * rng.standard_normal(movie.shape, np.float32)


def _shape(rng: np.random.Generator, nt: int, *, native: bool) -> tuple[int, int, int]:
    if native:
        y = x = int(rng.choice(POPULAR))
        if rng.random() < 0.5:
            y = int(rng.choice(POPULAR))
    else:
        y = x = int(rng.integers(50, 621))
        if rng.random() < 0.5:
            y = int(np.clip(x * rng.uniform(0.4, 2.5), 50, 620))
    nt = max(min(nt, MAX_SAMPLES // (y * x)), min(nt, 2))
    return nt, y, x


def _colored(rng: np.random.Generator, pixels: np.ndarray, form: str) -> tuple[np.ndarray, int]:
    """Return pixels as gray, RGB, RGBA or planes, and the number of adjacent channels."""
    if form == "bayer":
        return _mosaic(rng, pixels), 1
    if pixels.ndim < 4:
        return pixels, 1
    if form == "packed":
        return pixels[..., 1], 1

    drawn = rng.random()
    if drawn < 0.35:
        return pixels.mean(-1).astype(pixels.dtype), 1
    if drawn < 0.75:
        return pixels, 3
    if drawn < 0.87:
        alpha = np.full((*pixels.shape[:3], 1), 255, pixels.dtype)
        return np.concatenate([pixels, alpha], -1), 4
    return np.moveaxis(pixels, -1, 1).reshape(-1, *pixels.shape[1:3]), 1


def _mosaic(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Return the image of a sensor behind red, green, green and blue filters."""
    if pixels.ndim == 4:
        mosaic = pixels[..., 1].copy()
        mosaic[:, ::2, ::2] = pixels[:, ::2, ::2, 0]
        mosaic[:, 1::2, 1::2] = pixels[:, 1::2, 1::2, 2]
        return mosaic
    filters = rng.uniform(0.3, 1, (2, 2))
    filters[1, 0] = filters[0, 1]
    ny, nx = pixels.shape[1:]
    return pixels * np.tile(filters, (ny // 2 + 1, nx // 2 + 1))[:ny, :nx]


def _stored(
    rng: np.random.Generator, pixels: np.ndarray, kind: str, form: str
) -> tuple[str, np.ndarray]:
    """Return pixels as a program might store them, and the name of this."""
    way = str(rng.choice(_ways(pixels, kind, form)))
    as_is = kind in ("sim_dff", "sim_label") and form not in ("packed", "bayer")
    if as_is or (way == "u1" and pixels.dtype == np.uint8):
        return way, _typed(pixels, way)

    low, high = float(pixels.min()), float(pixels.max())
    unit = (pixels.astype(np.float64) - low) / max(high - low, 1e-9)
    noise = rng.standard_normal(unit.shape) / 400
    match way:
        case "u1":
            return way, np.round(unit * 255).astype(np.uint8)
        case "u2_12":
            return way, np.clip((unit + noise) * 3900 + 60, 0, 4095).astype(np.uint16)
        case "u2":
            return way, np.clip((unit + noise) * rng.uniform(2e3, 6e4) + 50, 0, 65535).astype("u2")
        case "i2n":
            return way, np.clip((unit + noise - 0.3) * 2e4, -32768, 32767).astype(np.int16)
        case "u4" | "i4":
            return way, np.maximum((unit + noise) * rng.uniform(3e3, 3e6), 0).astype(way)
        case "f4_01" | "f8_01":
            return way, unit.astype(way[:2])
        case "f4n":
            return way, ((unit - unit.mean()) / max(unit.std(), 1e-9)).astype("f4")
        case _:
            return way, _typed(pixels, way)


def _ways(pixels: np.ndarray, kind: str, form: str) -> list[str]:
    """Return the ways to store pixels, usual ones several times."""
    if form == "packed":
        return ["u2_12"]
    if form == "bayer":
        return ["u1", "u2_12", "u2"]
    if kind == "sim_dff":
        return ["f4", "f4", "f4", "f8"]
    if kind == "sim_label":
        return ["u1", "u2", "u2", "u4", "i4", "f4i"]
    ways = ["u1", "u1", "u2", "u2", "u2_12", "i2n", "u4", "i4", "f4", "f4_01", "f4n", "f8", "f8_01"]
    return ["u1", "u1", "u1", "u1", *ways] if pixels.dtype == np.uint8 else ways


def _typed(pixels: np.ndarray, way: str) -> np.ndarray:
    if way == "u1":
        return pixels if pixels.dtype == np.uint8 else (pixels % 256).astype(np.uint8)
    return pixels.astype("f4" if way == "f4i" else way)


def _header(rng: np.random.Generator) -> bytes:
    drawn = rng.random()
    if drawn < 0.4:
        return b""
    size = int(rng.choice(HEADERS)) if drawn < 0.78 else int(rng.integers(1, 8193))
    filled = rng.integers(0, 4)
    if filled == 0:
        return bytes(size)
    if filled == 1:
        text = "".join(f"key_{i} = {rng.integers(0, 10000)}\n" for i in range(size // 8))
        return text[:size].encode().ljust(size, b"\0" if rng.random() < 0.5 else b" ")
    if filled == 2:
        few = rng.integers(0, 2000, size // 8 + 1).astype("<i4")
        return np.pad(few[:, None], ((0, 0), (0, 1))).astype("<i4").tobytes()[:size]
    return rng.bytes(size)
