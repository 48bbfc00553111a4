"""Plans of saves that are killed and resumed, and a record of the frames that are read."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from folder_format import plan_folder
from napari_ferry import Image, plan
from napari_ferry.arrays import Frames

N = 8
FRAME = 32 * 32 * 2
"""Bytes of a frame."""


class FileFrames:
    """A reader of frames of a file by its path, with a record of those that were read."""

    is_stamped = True
    read: list[int] = []  # noqa: RUF012 - of the process, as readers are pickled

    def __init__(self, path: Path, die_at: int = N) -> None:
        self.path, self.die_at = path, die_at
        self.stamp = path.stat().st_mtime_ns

    def __reduce__(self):
        return FileFrames, (self.path,), {"stamp": self.stamp}

    def __setstate__(self, state):
        self.stamp = state["stamp"]

    def __call__(self, i: int) -> np.ndarray:
        if i == self.die_at:
            signal.raise_signal(signal.SIGKILL)
        self.read.append(i)
        return np.fromfile(self.path, np.uint16, FRAME // 2, offset=i * FRAME).reshape(32, 32)


def source(path: Path, version: int = 1) -> None:
    """Write the pixels of a source file."""
    pixels = np.random.default_rng(version).integers(0, 999, (N, 32, 32), np.uint16)
    pixels.tofile(path)


def make_plan(name: str, folder: Path, *, die_at: int = N, is_known: bool = True):
    """Plan to save the frames of the source, each with a write of its own."""
    reader = FileFrames(folder / "source", die_at)
    read = reader if is_known else reader.__call__
    frames = Frames(read, (N, 32, 32), np.uint16, 1)
    if name.endswith(".store"):
        return plan_folder(frames, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_ferry.saving.uncompressed._WRITE_BYTES", FRAME)
        patch.setattr("napari_ferry.codecs.zarr.saving.sections.BLOCK_BYTES", FRAME)
        patch.setattr("napari_ferry.codecs.video.segment._EXACT_BYTES", FRAME)
        for constant in ("_FEWEST_FRAMES", "_SEGMENT_PIXELS", "KEY_FRAMES"):
            patch.setattr(f"napari_ferry.codecs.video.segment.{constant}", 1)
        patch.setattr("napari_ferry.saving.stream._TASK_BYTES", FRAME)
        image = replace(Image.from_array(frames, "tyx"), display={"contrast_limits": [0, 999]})
        return plan(image, folder / name, as_seen=False)
