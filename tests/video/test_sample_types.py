"""Videos of all sample types and sizes, and interrupted saves of videos."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from faults import contents, leftovers, python
from napari_ferry import Image, SaveError, imload, imsave
from napari_ferry.arrays import Frames

SIZES = [(1, 1), (2, 2), (3, 5), (1, 64), (16, 16), (101, 151)]
FRAMES = 3

KINDS: dict[str, tuple[str, tuple[float, float], int]] = {
    "uint8": ("uint8", (0, 255), 0),
    "uint16": ("uint16", (100, 60_000), 0),
    "int16": ("int16", (-3000, 3000), 0),
    "uint32": ("uint32", (7, 4e9), 0),
    "float32": ("float32", (-1, 1), 0),
    "float64": ("float64", (1e-9, 3e-9), 0),
    "bool": ("bool", (0, 1), 0),
    "RGB": ("uint8", (0, 255), 3),
    "RGBA": ("uint8", (0, 255), 4),
    "RGB of 16 bits": ("uint16", (0, 65_535), 3),
    "labels": ("int32", (0, 70_000), 0),
}
"""Name -> type, lowest and highest value, samples of a color."""


def ramp(name: str, size: tuple[int, int]) -> np.ndarray:
    """Return a smooth movie from the lowest value to the highest: axes t y x, or t y x s."""
    dtype, (low, high), samples = KINDS[name]
    height, width = size
    slope = 0.2 if samples else 1  # colors have half the resolution
    gradient = np.linspace(0, slope, height)[:, None] * 0.5 + np.linspace(0, slope, width) * 0.5
    levels = (gradient + np.arange(FRAMES)[:, None, None]) / FRAMES
    levels = (levels - levels.min()) / np.ptp(levels)
    if samples:
        levels = np.stack([levels, 1 - levels / 2, 0 * levels + 0.3, levels][:samples], -1)
    values = low + levels * (high - low)
    return values > 0.5 if dtype == "bool" else values.astype(dtype)


def expected_samples(name: str, movie: np.ndarray, *, keeps_16_bits: bool) -> np.ndarray:
    """Compute the samples of a saved movie in float64, by a simple formula."""
    dtype, _, samples = KINDS[name]
    values = movie.astype(np.float64)
    if samples == 4:
        return values[..., :3] * values[..., 3:] / 255
    if dtype == "uint8" or (keeps_16_bits and dtype == "uint16"):
        return values
    return (values - values.min()) / np.ptp(values) * 255


PAIRS = [
    (name, size, (".mp4", ".mkv")[(i + k) % 2])
    for i, name in enumerate(KINDS)
    for k, size in enumerate(SIZES)
]


@pytest.mark.parametrize(("name", "size", "suffix"), PAIRS)
def test_every_type_and_size_is_preserved(
    name: str, size: tuple[int, int], suffix: str, tmp_path: Path
) -> None:
    movie, samples = ramp(name, size), KINDS[name][2]
    kind = "labels" if name == "labels" else "image"
    image = Image.from_array(movie, "tyxs" if samples else "tyx", kind=kind)
    (path,) = imsave(image, tmp_path / f"a{suffix}", as_seen=False)
    (found,) = imload(path)
    is_exact = suffix == ".mkv"
    expected = expected_samples(name, movie, keeps_16_bits=is_exact)
    assert found.shape == expected.shape
    assert found.axis_names == (("t", "y", "x", "s") if samples else ("t", "y", "x"))
    assert found.dtype == ("uint16" if is_exact and movie.dtype == np.uint16 else "uint8")
    error = np.abs(np.asarray(found.array) - expected)
    if is_exact and movie.dtype in (np.uint8, np.uint16) and samples != 4:
        assert error.max() == 0
    elif is_exact:
        assert error.max() <= 0.51  # rounding alone
    else:
        assert error.mean() <= 5


class FailingDisk:
    """A source with an error at one frame."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __call__(self, i: int) -> np.ndarray:
        if i == self.last:
            raise OSError("disk gone")
        return np.full((64, 80), i % 256, np.uint8)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_failing_source_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    imsave(np.zeros((3, 16, 16), np.uint8), tmp_path / f"a{suffix}")
    old = contents(tmp_path)
    source = Frames(FailingDisk(2500), (4000, 64, 80), "uint8", 1)
    with pytest.raises(SaveError, match="disk gone"):
        imsave(source, tmp_path / f"a{suffix}", overwrite=True)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)
    assert not psutil.Process().children()


_SAVE_SLOWLY = """
import sys, time
import numpy as np
from napari_ferry import imsave
from napari_ferry.arrays import Frames

def frame(i):
    if i == 300:
        print("reading", flush=True)
    time.sleep(0.2 if i >= 300 else 0)
    return np.zeros((200, 200), np.uint8)

imsave(Frames(frame, (4000, 200, 200), "uint8", 1), sys.argv[1], overwrite=True)
"""


def children_of(child: subprocess.Popen[Any]) -> list[psutil.Process]:
    """Wait for a child to start processes and return them."""
    until = time.monotonic() + 10
    while not (found := psutil.Process(child.pid).children()):
        assert time.monotonic() < until, "no encoder"
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_an_interrupt_leaves_the_old_file_and_no_encoder(suffix: str, tmp_path: Path) -> None:
    imsave(np.zeros((3, 16, 16), np.uint8), tmp_path / f"a{suffix}")
    old = contents(tmp_path)
    with python(_SAVE_SLOWLY, tmp_path / f"a{suffix}") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        encoders = children_of(child)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert err.strip().endswith("KeyboardInterrupt")
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)
    assert not any(encoder.is_running() for encoder in encoders)
