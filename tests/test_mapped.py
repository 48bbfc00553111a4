"""Mapped files: what became shorter is said, never touched; a map travels as its path."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - what is read here was written here
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels
from napari_ferry import Image, UnreadableFileError, imload, imsave
from napari_ferry.mapped import Mapped, map_strided

MOVIE = np.arange(60 * 64 * 64, dtype=np.uint16).reshape(60, 64, 64)


def write_interleaved(path: Path) -> None:
    """Write pages evenly spaced, with their directories between them."""
    with tifffile.TiffWriter(path) as writer:
        for frame in MOVIE:
            writer.write(frame, metadata=None, contiguous=False)


def write_ours(path: Path) -> None:
    imsave(MOVIE, path)


def write_imagej(path: Path) -> None:
    tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "TYX"})


WAYS = {"a.tif": write_interleaved, "b.tif": write_ours, "c.tif": write_imagej, "d.bin": write_ours}
each_way = pytest.mark.parametrize(("name", "write"), WAYS.items())


@each_way
def test_what_became_shorter_is_said(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    """Without a word from us, the system would end the program."""
    path = tmp_path / name
    write(path)
    (image,) = imload(path)
    assert isinstance(image.array, Mapped)
    assert_same_pixels(image.array[40], MOVIE[40])
    turned: Any = image.array.transpose(2, 0, 1)
    os.truncate(path, 9000)
    for read in (
        lambda: image.array[40],
        lambda: turned[3],
        image.load,
        lambda: image.extract_patch(0, None, (0, 0), (5, 5)),
    ):
        with pytest.raises(UnreadableFileError, match=rf"{name}.* has become shorter"):
            read()


@each_way
def test_a_map_travels_as_its_path(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    (image,) = imload(path)
    whole: Any = image.array
    for view in (whole, whole[3:50:7, ::2], whole.transpose(1, 0, 2), whole[5]):
        packed = pickle.dumps(view)
        assert len(packed) < 2000
        again = pickle.loads(packed)
        assert_same_pixels(again, view)
        assert isinstance(again, Mapped)
    back = pickle.loads(pickle.dumps(whole[::-1]))
    assert_same_pixels(back, MOVIE[::-1])
    packed = pickle.dumps(whole)
    path.unlink()
    with pytest.raises(UnreadableFileError, match=name):
        pickle.loads(packed)


def test_a_computed_array_is_no_map(tmp_path: Path) -> None:
    MOVIE.tofile(tmp_path / "a.raw")
    mapped = map_strided(tmp_path / "a.raw", 0, MOVIE.shape, MOVIE.strides, MOVIE.dtype)
    doubled = mapped * 2
    os.truncate(tmp_path / "a.raw", 10)
    assert_same_pixels(doubled[3], MOVIE[3] * 2)
    assert_same_pixels(pickle.loads(pickle.dumps(doubled)), MOVIE * 2)


def test_what_is_written_to_a_map_in_memory_stays(tmp_path: Path) -> None:
    MOVIE.tofile(tmp_path / "a.raw")
    mapped = Mapped(tmp_path / "a.raw", np.uint16, "c", 0, MOVIE.shape)
    mapped[0] = 7
    assert_same_pixels(pickle.loads(pickle.dumps(mapped))[0], np.full((64, 64), 7, np.uint16))


def test_dask_takes_tiles_as_chunks() -> None:
    class Tiled:
        shape, dtype, ndim, chunks = (3, 40, 50), np.dtype(np.uint8), 3, (1, 16, 16)

        def __getitem__(self, key: Any) -> np.ndarray:
            return np.ones(self.shape, np.uint8)[key]

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return np.ones(self.shape, np.uint8)

    found = Image.from_array(Tiled(), "zyx").to_dask()
    assert found.chunksize == (1, 16, 16)
    assert int(found.sum().compute()) == 3 * 40 * 50
