"""Pixels that every benchmark uses: dim noise, as a camera gives it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME = (512, 512)
BLOCK = 20
"""Frames that are read at once from a chunked source."""


def noise(nframes: int, frame: tuple[int, int] = FRAME) -> NDArray[np.uint16]:
    """Return frames of 12-bit noise, axes t y x; they repeat after a while, to be made fast."""
    first = np.random.default_rng(0).integers(0, 4096, (min(nframes, 64), *frame), np.uint16)
    out = np.empty((nframes, *frame), np.uint16)
    for i in range(0, nframes, 64):
        out[i : i + 64] = first[: nframes - i]
    return out


def frames_of(nbytes: int, frame: tuple[int, int] = FRAME) -> int:
    """Return how many frames of uint16 have that many bytes."""
    return max(1, nbytes // (2 * frame[0] * frame[1]))


class Noise:
    """Makes frame i; a source that is no file."""

    def __init__(self) -> None:
        self.stock = noise(BLOCK)

    def __call__(self, i: int) -> NDArray[np.uint16]:
        return self.stock[i % BLOCK] + np.uint16(i % 7)


def write_raw(path: Path, nframes: int) -> None:
    """Write noise as raw binary."""
    with path.open("wb") as file:
        for i in range(0, nframes, 64):
            noise(min(64, nframes - i)).tofile(file)


def settle(folder: Path, nbytes: int) -> None:
    """Leave nothing waiting for the disk, and as much memory as a save fills, used before.

    Memory that a virtual machine touches for the first time costs it ten times the writing, and
    would be charged to whoever comes first.
    """
    scratch, block = folder / "scratch", bytes(8 << 20)
    with scratch.open("wb") as file:
        for start in range(0, nbytes, len(block)):
            file.write(block[: nbytes - start])
    scratch.unlink()
    os.sync()


def open_source(kind: str, path: str, nframes: int) -> Any:
    """Open a lazy source, axes t y x: a memory map, zarr or dask array, or `Frames`."""
    shape = (nframes, *FRAME)
    if kind == "memmap":
        return np.memmap(path, np.uint16, "r", shape=shape)
    if kind == "zarr":
        import zarr

        return zarr.open_array(path, mode="r")
    if kind == "frames":
        from napari_ferry.arrays import Frames

        return Frames(Noise(), shape, np.uint16, 1)
    import dask.array as da

    make = Noise()

    def block(block_info: Any = None) -> NDArray[np.uint16]:
        start, stop = block_info[None]["array-location"][0]
        return np.stack([make(i) for i in range(start, stop)])

    return da.map_blocks(block, chunks=(_chunks(nframes), *[(n,) for n in FRAME]), dtype=np.uint16)


def _chunks(nframes: int) -> tuple[int, ...]:
    return tuple(min(BLOCK, nframes - i) for i in range(0, nframes, BLOCK))
