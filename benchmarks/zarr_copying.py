"""Saving an opened Zarr store again, whose chunks are copied, beside ``cp -r`` and a flush."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
SIDE = 1024


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write a store of chunks of 2 MiB, and return groups for folders and for a ZIP file."""
    count, rounds = (2, 1) if quick else (512, 5)
    source = folder / "source.zarr"
    _write_store(source, count)
    settings = {"source": str(source)}
    goals = {"cpu": 1.5, "peak": 100}
    title = f"{count * SIDE * SIDE * 2 / 1e6:.0f} MB of chunks"
    copy = Case("cp -r, flush", "zarr_copying:copy", settings)
    again = Case("the same again (A/A)", "zarr_copying:copy", settings)
    cases = [
        Case("**napari-ferry**", "zarr_copying:ferry", {**settings, "name": "out.zarr"}, 1, goals),
        Case("**napari-ferry** .ozx", "zarr_copying:ferry", {**settings, "name": "out.ozx"}),
    ]
    return [Group(f"copy {title} from Zarr 2 to 3", [copy, again, *cases], rounds)]


def _write_store(path: Path, count: int) -> None:
    """Write an array of random planes without compression, as Zarr 2 with flat keys."""
    path.mkdir()
    array = {
        "zarr_format": 2,
        "shape": [count, SIDE, SIDE],
        "chunks": [1, SIDE, SIDE],
        "dtype": "<u2",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
    }
    (path / ".zarray").write_text(json.dumps(array))
    random = np.random.default_rng(0)
    for z in range(count):
        random.integers(0, 1 << 16, (SIDE, SIDE), np.uint16).tofile(path / f"{z}.0.0")


def copy(out: str, source: str) -> Job:
    """Copy the folder with the programs of the system."""
    command = f'cp -r "{source}" "{out}/copy" && sync -f "{out}/copy"'
    return lambda: subprocess.run(["sh", "-c", command], check=True)


def ferry(out: str, source: str, name: str) -> Job:
    """Save the opened store."""
    from napari_ferry import imload, imsave

    images = imload(source)
    return lambda: imsave(images, Path(out) / name)
