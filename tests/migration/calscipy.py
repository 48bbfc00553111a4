"""CalSciPy: every function and parameter on its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageSequence

from migration.pages import Check, Names, Page, of_tifffile, paths_of, same
from napari_ferry import imload, load_binary, load_images


def of_numpy(pattern: str, *, mapped: bool = False, writeable: bool = True) -> Check:
    """Return a check of samples, which numpy reads; and of the kind of array."""

    def check(found: Any, names: Names) -> bool:
        (path,) = Path().glob(pattern)
        flat = np.fromfile(path, found.dtype)
        is_kind = isinstance(found, np.memmap) is mapped and found.flags.writeable is writeable
        return is_kind and found.shape[1:] == (12, 16) and same(found.reshape(-1), flat)

    return check


def of_pillow(path: str) -> Check:
    """Return a check of the frames of a gray GIF, which Pillow decodes."""

    def check(found: Any, names: Names) -> bool:
        with Pillow.open(path) as picture:
            frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(picture)]
        return same(found, np.stack(frames))

    return check


def is_gray_video(found: Any, names: Names) -> bool:
    return found.ndim == 3 and found.dtype == np.uint8 and found.max() > 200


def saved(read: Any, *paths: str) -> Check:
    """Return a check that files were written, and that the first one opens as the whole stack."""
    return lambda found, names: (
        paths_of(found) == [*paths] and same(read(found[0]), names["images"])
    )


def played(path: str, rate: float) -> Check:
    """Return a check that a movie was written with all frames and its rate."""
    return lambda found, names: (
        paths_of(found) == [path]
        and len(imload(path)[0]) == len(names["images"])
        and imload(path)[0].frame_rate == pytest.approx(rate)
    )


BARE = 'load_binary("bare.bin", missing_metadata={"y": 12, "x": 16, "dtype": np.uint16})'
MAPPED = 'load_binary("recording.bin", mapped=True'

PAGE = Page(
    name="calscipy",
    system="calscipy",
    signatures={
        "load_images": "(path)",
        "save_images": "(path) images name= size_cap=",
        "load_binary": "(path) mapped= mode= missing_metadata=",
        "save_binary": "(path) images name=",
        "load_video": "(path)",
        "save_video": "(path) images frame_rate= name=",
        "load_gif": "(path)",
        "save_gif": "(path) images frame_rate= name=",
    },
    files={
        "cells.tif": "tif_uint16.tif",
        "parts": "split_named",
        "recording.bin": "bin_uint16.bin",
        "recording.json": "bin_uint16.json",
        "recordings": "bin_folder_named",
        "bare.bin": "bin_nometa.bin",
        "movie.mp4": "video_gray.mp4",
        "movies": "video_folder",
        "movie.gif": "gray_imageio227.gif",
    },
    checks={
        'load_images("cells.tif")': of_tifffile("cells.tif"),
        'load_images("parts")': of_tifffile("parts/*.tif"),
        'save_images("new.tif", images)': saved(load_images, "new.tif"),
        'save_images("new", images)': saved(load_images, "new/images.tif"),
        'save_images("new", images, name="cells_1.5um")': saved(load_images, "new/cells_1.5um.tif"),
        'save_images("large.tif", images, size_cap=4e-6)': saved(
            load_images, *(f"large_{i:05}.tif" for i in range(3))
        ),
        'load_binary("recording.bin")': of_numpy("recording.bin"),
        'load_binary("recordings")': of_numpy("recordings/*.bin"),
        f"{MAPPED})": of_numpy("recording.bin", mapped=True, writeable=False),
        f'{MAPPED}, mode="r+")': of_numpy("recording.bin", mapped=True),
        BARE: of_numpy("bare.bin"),
        'save_binary("new.bin", images)': saved(load_binary, "new.bin", "new.json"),
        'save_binary("new", images)': saved(
            load_binary, "new/binary_video.bin", "new/binary_video.json"
        ),
        'save_binary("new", images, name="day1")': saved(
            load_binary, "new/day1.bin", "new/day1.json"
        ),
        'load_video("movie.mp4")': is_gray_video,
        'load_video("movies")': is_gray_video,
        'save_video("new.mp4", images, frame_rate=30)': played("new.mp4", 30),
        'save_video("new.mp4", images, frame_rate=12.5)': played("new.mp4", 12.5),
        'save_video("new", images, name="day1", frame_rate=30)': played("new/day1.mp4", 30),
        'load_gif("movie.gif")': of_pillow("movie.gif"),
        'save_gif("new.gif", images, frame_rate=5.0)': played("new.gif", 5),
        'save_gif("new", images, name="day1", frame_rate=30)': played("new/day1.gif", 30),
    },
)
