"""From a path to the first frame of a contiguous stack: it must not depend on the file's size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
FRAME = (64, 64)
WRITERS = {
    "our .tif": ("ferry", ".tif"),
    "our .ome.tif": ("ferry", ".ome.tif"),
    "ImageJ": ("tifffile", {"imagej": True, "metadata": {"axes": "TYX"}}),
    "tifffile": ("tifffile", {}),
    "OME of tifffile": ("tifffile", {"ome": True, "metadata": {"axes": "TYX"}}),
}


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write every file, and return a group for each."""
    import tifffile

    from napari_ferry import imsave

    made = []
    for npages in (100, 1000) if quick else (100, 10_000, 100_000):
        for name, (writer, how) in list(WRITERS.items())[: 1 if quick else None]:
            path = folder / f"{len(made)}{how if isinstance(how, str) else '.tif'}"
            pixels = np.zeros((npages, *FRAME), np.uint16)
            if writer == "ferry":
                imsave(pixels, path)
            else:
                tifffile.imwrite(path, pixels, **how)
            made.append(_group(f"first frame, {name}, {npages:,} pages", path, npages, quick))
    return made


def _group(name: str, path: Path, npages: int, quick: bool) -> Group:
    is_large = npages > 10_000
    settings, repeats = {"path": str(path)}, 2 if quick or is_large else 9
    cases = [
        Case("tifffile.memmap", "opening:memmap", settings, repeats),
        Case("the same again (A/A)", "opening:memmap", settings, repeats),
        Case("**napari-ferry**", "opening:ferry", settings, repeats, {"wall": 1.5}),
    ]
    if "ImageJ" in name or (quick and npages == 100):
        cases.append(Case("Pillow", "opening:pillow", settings, repeats))
        cases.append(Case("napari built-in", "opening:builtin", settings, 1))
    return Group(name, cases, 1 if quick else 3 if is_large else 5)


def memmap(out: str, path: str) -> Job:
    import tifffile

    return _warm(lambda: np.array(tifffile.memmap(path, mode="r")[0]))


def ferry(out: str, path: str) -> Job:
    from napari_ferry import imload

    return _warm(lambda: np.array(imload(path)[0].array[0]))


def pillow(out: str, path: str) -> Job:
    from PIL import Image

    def job() -> Any:
        with Image.open(path) as image:
            return np.array(image)

    return _warm(job)


def builtin(out: str, path: str) -> Job:
    from napari_builtins.io import napari_get_reader

    return lambda: np.array(napari_get_reader(path)(path)[0][0][0])


def _warm(job: Job) -> Job:
    """Do a job once before it is measured: the libraries import on first use."""
    job()
    return job
