"""What a source of 100,000 compressed pages sends to a cluster, at once and with each step."""

from __future__ import annotations

import itertools
import pickle  # noqa: TID251 - our own steps
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry import imload, plan
from napari_ferry.arrays.array_layout import ArrayLayout

PAGES = 100_000
_STEPS = 50
"""Number of steps whose size is compared."""


def measure_sent(folder: Path, formats: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the bytes of the source, sent once to each worker, and of the largest step."""
    (image,) = imload(make_pages(folder / "pages.tif", PAGES))
    print(f"source of {PAGES} pages: {len(pickle.dumps(image.array))} bytes, once to each worker")
    print("| format | bytes a step |")
    print("|---|---|")
    for name, options in formats.items():
        planned = plan(image, folder / name, **options)
        tasks = planned.stream.tasks if planned.stream else planned.writes
        steps = [
            replace(task, array=ArrayLayout(task.array)) for task in itertools.islice(tasks, _STEPS)
        ]
        print(f"| {name} | {max(len(pickle.dumps(step)) for step in steps)} |")


def make_pages(path: Path, count: int) -> Path:
    """Write a TIFF file of many compressed pages of 16 x 16 pixels."""
    import tifffile

    pixels = np.random.default_rng(0).integers(0, 99, (16, 16), np.uint16)
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for k in range(count):
            writer.write(pixels + k % 7, compression="zlib", contiguous=False, metadata=None)
    return path
