"""`Image.close`: no format keeps a file open or pixels in memory after it, and all can be read."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile

from helpers import assert_same_pixels
from napari_ferry import FerryError, Image, imload, imsave
from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.stack import Stack, take, take_steps

MOVIE = np.repeat(np.arange(20, dtype=np.uint8), 64 * 64).reshape(20, 64, 64) * 12


def write_deflate(path: Path) -> None:
    tifffile.imwrite(path, MOVIE, compression="zlib", photometric="minisblack")


def write_tiles(path: Path) -> None:
    large = np.repeat(np.repeat(MOVIE[:2], 100, 1), 100, 2)
    tifffile.imwrite(path, large, compression="zlib", tile=(512, 512), photometric="minisblack")


def write_folder(path: Path) -> None:
    """Write files of one layout, some of which must be opened by themselves."""
    path.mkdir()
    for i, frame in enumerate(MOVIE):
        tifffile.imwrite(path / f"{i}.tif", frame, software="x" * (i % 3))


def save(path: Path) -> None:
    imsave(MOVIE, path)


WAYS: dict[str, Callable[[Path], None]] = {
    **dict.fromkeys(("a.tif", "a.ome.tif", "a.bin", "a.gif", "a.mp4", "a.mkv"), save),
    "deflate.tif": write_deflate,
    "tiles.tif": write_tiles,
    "folder": write_folder,
}
each_way = pytest.mark.parametrize(("name", "write"), WAYS.items(), ids=WAYS)


def held_files(folder: Path) -> list[str]:
    """Return the files in a folder that this process has open or mapped."""
    me = psutil.Process()
    maps = me.memory_maps() if hasattr(me, "memory_maps") else []
    paths = [file.path for file in (*me.open_files(), *maps)]
    return [path for path in paths if path.startswith(str(folder.resolve()))]


def read_some(image: Image) -> np.ndarray:
    return np.stack([np.asarray(image.array[i, :64, :64]) for i in (1, 0)])


@pytest.mark.sample(2)
@each_way
def test_after_close_nothing_is_held_and_everything_can_be_read(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / name)
    (image,) = imload(tmp_path / name)
    assert not held_files(tmp_path), "opening leaves nothing open"
    before = read_some(image)
    image.load()
    image.close()
    assert not held_files(tmp_path)
    assert not image.is_loaded
    assert_same_pixels(read_some(image), before)
    image.close()
    image.close()
    assert not held_files(tmp_path)


@pytest.mark.sample(2)
@each_way
def test_images_that_are_garbage_hold_no_file(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / name)
    images = imload(tmp_path / name) + imload(tmp_path / name)
    for image in images:
        read_some(image)
    del image, images
    gc.collect()
    until = time.monotonic() + 60  # a thread closes videos
    while held_files(tmp_path):
        assert time.monotonic() < until, "still open"
        time.sleep(0.01)


@each_way
def test_a_closed_image_of_a_changed_or_removed_file_is_refused(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    (image,) = imload(path)
    read_some(image)
    image.close()
    files = list(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        file.write_bytes(b"another file")
    with pytest.raises(FerryError, match="has changed since it was opened: open it again"):
        read_some(image)
    for file in files:
        file.unlink()
    with pytest.raises(FerryError, match="put it back, or open it again"):
        read_some(image)


@pytest.mark.parametrize("suffix", [".tif", ".bin", ".mkv", ".gif"])
def test_a_file_that_was_refused_is_closed(suffix: str, tmp_path: Path) -> None:
    """Even while its error is kept, as napari does."""
    path = tmp_path / f"a{suffix}"
    imsave(MOVIE, path)
    (image,) = imload(path)
    read_some(image)
    os.truncate(path, 3000)
    with pytest.raises(FerryError, match="has changed since it was opened") as kept:
        np.asarray(image.array[7])
    assert not held_files(tmp_path)
    assert kept.value.__traceback__ is not None


@pytest.mark.slow
def test_views_hand_close_down(tmp_path: Path) -> None:
    imsave(MOVIE, tmp_path / "a.mkv")
    (image,) = imload(tmp_path / "a.mkv")
    frames: Any = Frames(image.array.read, (4, 5, 64, 64), np.uint8, 2)
    views = [
        image.array,
        take(frames, 0, 2),
        take(frames, 3, 2),
        take_steps(frames, 0, range(0, 4, 2), 2),
        Stack([take(frames, 0, k) for k in range(4)]),
    ]
    for view in views:
        np.asarray(view[1])
        assert held_files(tmp_path)
        Image.from_array(view).close()
        assert not held_files(tmp_path)


def test_arrays_of_other_packages_stay_open() -> None:
    class Foreign:
        shape, dtype, ndim = (3, 4), np.dtype(np.uint8), 2

        def __getitem__(self, key: Any) -> np.ndarray:
            return np.ones(self.shape, np.uint8)[key]

        def close(self) -> None:
            pytest.fail("it cannot be opened again")

    Image.from_array(Foreign()).close()


@pytest.mark.parametrize("suffix", [".tif", ".mkv", ".gif"])
def test_close_while_other_threads_read(suffix: str, tmp_path: Path) -> None:
    imsave(MOVIE, tmp_path / f"a{suffix}")
    (image,) = imload(tmp_path / f"a{suffix}")
    expected = [np.asarray(image.array[i]) for i in range(20)]
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for i in [*range(20)] * 10:
                assert_same_pixels(np.asarray(image.array[i]), expected[i])
        except BaseException as error:  # noqa: BLE001 - reported by the test
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        image.close()
    assert not failures
    image.close()
    assert not held_files(tmp_path)
