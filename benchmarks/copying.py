"""Copying a lazy source that is larger than memory should be, beside its chunks written raw."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Group

Job = Callable[[], Any]


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Make the sources, and return a group for each."""
    from benchmarks.pixels import BLOCK, FRAME, frames_of, noise, write_raw

    nbytes = 2 << 20 if quick else 4_000_000_000
    nframes = frames_of(nbytes)
    paths = {
        "memmap": folder / "a.raw",
        "frames": folder,
        "dask": folder,
        "zarr": folder / "a.zarr",
    }
    write_raw(paths["memmap"], nframes)
    if not quick:
        import zarr

        store = zarr.create_array(
            paths["zarr"],
            shape=(nframes, *FRAME),
            chunks=(BLOCK, *FRAME),
            dtype="uint16",
            compressors=zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle"),
        )
        for i in range(0, nframes, BLOCK):
            store[i : i + BLOCK] = noise(min(BLOCK, nframes - i))
    kinds = ("memmap", "frames") if quick else tuple(paths)
    return [
        Group(
            f"copy {nbytes / 1e9:.3g} GB from {kind}",
            _cases({"kind": kind, "path": str(paths[kind]), "nframes": nframes}),
            1 if quick else 3,
        )
        for kind in kinds
    ]


def _cases(settings: dict[str, Any]) -> list[Case]:
    return [
        Case("chunks, written raw, fsync", "copying:raw", settings),
        Case("the same again (A/A)", "copying:raw", settings),
        *(
            Case(
                f"**napari-ferry** {suffix}",
                "copying:ferry",
                {**settings, "suffix": suffix},
                1,
                {"peak": 300},
            )
            for suffix in (".tif", ".bin")
        ),
        Case("tifffile, iterator of frames, fsync", "copying:tiff", settings),
    ]


def raw(out: str, **source: Any) -> Job:
    array = _opened(out, source)

    def job() -> None:
        with Path(out, "a.bin").open("wb") as file:
            for chunk in _chunks(array):
                file.write(memoryview(chunk).cast("B"))
            file.flush()
            os.fsync(file.fileno())

    return job


def ferry(out: str, suffix: str, **source: Any) -> Job:
    import numpy as np

    from napari_ferry import imsave

    options = {"size_cap": None} if suffix == ".tif" else {}
    imsave(np.zeros((2, 8, 8), np.uint16), Path(out, "warm" + suffix))
    array = _opened(out, source)
    return lambda: imsave(array, Path(out, "a" + suffix), **options)


def tiff(out: str, **source: Any) -> Job:
    import tifffile

    array, path = _opened(out, source), Path(out, "a.tif")

    def job() -> None:
        frames = (frame for chunk in _chunks(array) for frame in chunk)
        tifffile.imwrite(path, frames, shape=array.shape, dtype="uint16", bigtiff=True)
        with path.open("r+b") as file:
            os.fsync(file.fileno())

    return job


def _opened(out: str, source: dict[str, Any]) -> Any:
    """Open a source and read a block of it, as libraries import on first use; then settle."""
    import numpy as np

    from benchmarks.pixels import BLOCK, open_source, settle

    array = open_source(**source)
    np.asarray(array[:BLOCK])
    settle(Path(out), array.nbytes)
    return array


def _chunks(array: Any) -> Any:
    """Read chunk by chunk; the pages of a memory map are given back, as they count as memory."""
    import mmap

    import numpy as np

    from benchmarks.pixels import BLOCK

    mapped = getattr(array, "_mmap", None)
    for i in range(0, array.shape[0], BLOCK):
        yield np.asarray(array[i : i + BLOCK])
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)
