"""A tiny format for tests of saves to folders: a folder with a file for each frame."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader
from napari_ferry.saving import Plan, PlannedFile, Write

INDEX = "index.json"
"""Written last: a folder without it is not a data set."""


def plan_folder(array: Array, path: Path, *, label: str = "") -> Plan:
    """Plan a folder with the frames of an array (frame, y, x), and means of pairs of frames.

    The means are a second stage, whose source is the partial folder.
    """
    count = array.shape[0]
    writes = [_write(path, array, i, f"frames/{i}") for i in range(count)]
    writes += [
        replace(
            _write(path, array, 2 * i, f"means/{i}", length=2),
            stage=1,
            reopen=partial(_reopen, shape=array.shape, dtype=array.dtype),
        )
        for i in range(count // 2)
    ]
    file = PlannedFile(
        path=path,
        nbytes=2 * array.shape[0] * array.shape[1] * array.shape[2] * array.dtype.itemsize,
        create=_create,
        may_replace=is_folder_store,
        is_encoded=True,
        is_folder=True,
        finish=partial(_finish, shape=array.shape, dtype=str(array.dtype), label=label),
    )
    return Plan(files=(file,), writes=tuple(writes), nframes=count, identity=label)


def _write(path: Path, array: Array, first: int, key: str, *, length: int = 1) -> Write:
    region = slice(first, first + length), *(slice(0, n) for n in array.shape[1:])
    nbytes = array.shape[1] * array.shape[2] * array.dtype.itemsize
    return Write(
        path=path,
        array=array,
        region=region,
        put=partial(_put, key=key),
        stored=partial(_stored, key=key, nbytes=nbytes),
    )


def read_folder(path: Path) -> NDArray[Any]:
    """Return the frames of a folder; anything that is not whole is an error."""
    index = json.loads((path / INDEX).read_text())
    shape, dtype = tuple(index["shape"]), np.dtype(index["dtype"])
    frames = np.stack([np.fromfile(path / "frames" / str(i), dtype) for i in range(shape[0])])
    means = [np.fromfile(path / "means" / str(i), dtype) for i in range(shape[0] // 2)]
    assert len(list((path / "frames").iterdir())) == shape[0]
    assert len(list((path / "means").iterdir())) == shape[0] // 2
    for i, mean in enumerate(means):
        assert np.array_equal(mean, _mean(frames[2 * i : 2 * i + 2])), "means of other frames"
    return frames.reshape(shape)


def read_label(path: Path) -> str:
    """Return the name of a data set."""
    return json.loads((path / INDEX).read_text())["label"]


def is_folder_store(path: Path) -> bool:
    """Return True for a folder of this format."""
    return (path / INDEX).is_file()


def _create(partial_path: Path) -> None:
    for name in ("frames", "means"):
        (partial_path / name).mkdir(parents=True, exist_ok=True)


def _put(partial_path: Path, pixels: BlockReader, *, key: str) -> str:
    data = pixels.read_whole(lambda frames: _mean(frames).tobytes())
    (partial_path / key).write_bytes(data)
    return xxhash.xxh3_64_hexdigest(data)


def _stored(partial_path: Path, *, key: str, nbytes: int) -> str | None:
    file = partial_path / key
    data = file.read_bytes() if file.is_file() else b""
    return xxhash.xxh3_64_hexdigest(data) if len(data) == nbytes else None


def _mean(frames: NDArray[Any]) -> NDArray[Any]:
    return frames.mean(axis=0).astype(frames.dtype)


def _reopen(partial_path: Path, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    paths = [partial_path / "frames" / str(i) for i in range(shape[0])]
    return np.stack([np.fromfile(path, dtype) for path in paths]).reshape(shape)


def _finish(partial_path: Path, *, shape: tuple[int, ...], dtype: str, label: str) -> None:
    index = {"shape": shape, "dtype": dtype, "label": label}
    (partial_path / INDEX).write_text(json.dumps(index))
