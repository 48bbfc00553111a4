"""What several tests share: images to save, sources to save them from, and how to compare them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import dask.array
import numpy as np
import zarr
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.stack import Stack
from napari_ferry.image import Axis, Channel, Image, describe
from napari_ferry.image.image import Array, Kind

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Files of other programs, where they are at hand; see the fixture `shared_data`."""

SIZES = {"t": 3, "c": 2, "z": 4, "y": 5, "x": 7, "s": 3}

Entry = dict[str, Any]


def pixels(shape: tuple[int, ...], dtype: DTypeLike = "uint16", seed: int = 0) -> NDArray[Any]:
    """Return noise over the whole range of a type; floats with infinities and not-a-numbers."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        return np.stack([pixels(shape, part, seed + i) for i in (0, 1)], -1).view(dtype)[..., 0]
    if dtype.kind == "f":
        noise = rng.normal(0, 1000, shape).astype(dtype)
        special = [np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).tiny]
        noise.flat[: len(special)] = special[: noise.size]
        return noise
    count = int(np.prod(shape))
    if dtype.kind == "b":
        return rng.integers(0, 2, count).astype(bool).reshape(shape)
    noise = np.frombuffer(rng.bytes(count * dtype.itemsize), dtype).reshape(shape).copy()
    extremes = np.iinfo(dtype).min, np.iinfo(dtype).max
    noise.flat[:2] = extremes[: noise.size]
    return noise


def make_image(axes: str, dtype: DTypeLike = "uint16", **sizes: int) -> Image:
    """Return an image of noise whose axes are named by letters and have the usual `SIZES`."""
    return Image.from_array(pixels(tuple((SIZES | sizes).get(a, 2) for a in axes), dtype), axes)


def make_full_image(
    axes: str = "tczyx", dtype: DTypeLike = "uint16", kind: Kind = "image"
) -> Image:
    """Return an image that says everything that an image can say."""
    image = make_image(axes, dtype)
    told = {
        "t": Axis("t", 0.5, "second", 3.0),
        "z": Axis("z", 2.5, "micrometer", -10.0),
        "y": Axis("y", 0.325, "micrometer", 100.25),
        "x": Axis("x", 0.65, "micrometer", -7.5),
    }
    looks = (Channel("GFP", "#00ff00", (3.0, 4000.0)), Channel("µ, 赤", "#ff0080", (0.0, 65535.0)))
    return replace(
        image,
        axes=tuple(told.get(axis.name, axis) for axis in image.axes),
        channels=looks if "c" in axes else (),
        name="cells of Ähtäri, no. 1",
        kind=kind,
        display={"channels": [{"gamma": 0.5, "visible": False}, {"blending": "additive"}]},
        metadata={"objective": "20x", "laser": [488, 561], "nested": {"a": None, "b": [True, 1.5]}},
    )


def make_sources(data: NDArray[Any], folder: Path) -> dict[str, Array]:
    """Return arrays of every kind that hold the same pixels; chunks do not fit the frames."""
    odd = tuple(max(1, n // 2 + 1) for n in data.shape)
    wide = np.zeros((*data.shape[:-1], 2 * data.shape[-1]), data.dtype)
    wide[..., ::2] = data
    data.tofile(folder / "source.raw")
    lead = data.ndim - 2
    flat = data.reshape(-1, *data.shape[lead:])
    parts = [Frames(data[i].__getitem__, data.shape[1:], data.dtype, 1) for i in range(len(data))]
    found: dict[str, Array] = {
        "numpy": data,
        "memmap": np.memmap(folder / "source.raw", data.dtype, "r", shape=data.shape),
        "zarr": zarr.array(data, chunks=odd),
        "dask": dask.array.from_array(data, chunks=odd),
        "uneven dask": dask.array.from_array(data, chunks=tuple((n - 1, 1) for n in data.shape)),
        "strided": wide[..., ::2],
        "transposed": np.ascontiguousarray(data.T).T,
        "reversed": data[::-1].copy()[::-1],
        "frames": Frames(flat.__getitem__, data.shape, data.dtype, lead),
    }
    if data.ndim == 3:
        return found | {"stack": Stack([data[i] for i in range(len(data))], 0)}
    inner = [zarr.array(data[:, i], chunks=odd[:1] + odd[2:]) for i in range(data.shape[1])]
    return (
        found
        | {
            "stack": Stack([Frames(p.__getitem__, p.shape, p.dtype, 1) for p in data], 0),
            "stack within": Stack(inner, 1),
            "stack of stacks": Stack([Stack(list(part), 0) for part in data], 0),
        }
        if parts
        else found
    )


def make_unreadable(shape: tuple[int, ...], dtype: DTypeLike = "uint16", lead: int = 1) -> Frames:
    """Return an array whose pixels must not be read."""

    def refuse(index: int) -> NoReturn:
        raise AssertionError(f"frame {index} was read")

    return Frames(refuse, shape, dtype, lead)


def make_terabytes() -> Image:
    """Return an image of 100 TB, none of which may be read."""
    return Image.from_array(make_unreadable((2980, 2, 500, 4096, 4096), "uint16", 3), "tczyx")


def assert_same_pixels(found: Array, expected: Array) -> None:
    """Compare values, shape and type bit by bit, but for the byte order."""
    a, b = np.asarray(found), np.asarray(expected)
    assert a.shape == b.shape
    assert a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
    native = a.dtype.newbyteorder("=")
    np.testing.assert_array_equal(
        np.ascontiguousarray(a, native).reshape(-1).view(np.uint8),
        np.ascontiguousarray(b, native).reshape(-1).view(np.uint8),
    )


def assert_same_image(found: Image, expected: Image, name: str | None = None) -> None:
    """Compare pixels and everything that the images say; the name only where it is given."""
    assert_same_pixels(found.array, expected.array)
    records = [describe(found), describe(expected)]
    for record in records:
        record.pop("dtype")
    records[1]["name"] = expected.name or name
    assert records[0] == records[1]


def sha256(array: Array) -> str:
    """Return the hash that the golden files record: C order, little-endian."""
    data = np.ascontiguousarray(array)
    return hashlib.sha256(data.astype(data.dtype.newbyteorder("<")).tobytes()).hexdigest()


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of every file in a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_golden(system: str, wanted: Callable[[Entry], bool]) -> list[Entry]:
    """Return the entries of one earlier system; none where the shared folder is absent."""
    index = SHARED / "earlier-systems" / system / "golden.json"
    if not index.is_file():
        return []
    entries: list[Entry] = json.loads(index.read_text("utf-8"))["entries"]
    return [entry for entry in entries if wanted(entry)]


def read_corpus(form: str, wanted: Callable[[Entry], bool]) -> list[Entry]:
    """Return the entries of one format in the corpus; none where the shared folder is absent."""
    index = SHARED / "corpus" / "index.json"
    if not index.is_file():
        return []
    files: list[Entry] = json.loads(index.read_text("utf-8"))["files"]
    return [entry for entry in files if entry["format"] == form and wanted(entry)]


def entry_id(entry: Mapping[str, Any]) -> str:
    """Return what a recorded file is called in the output of pytest."""
    if not isinstance(entry, dict):
        return "none"  # of an empty set of parameters, for pytest before 9
    return str(entry.get("id") or Path(entry["file"]).name)


def number_of(frame: np.ndarray) -> int:
    """Return the number that a frame shows."""
    gray = frame if frame.ndim == 2 else frame[..., 1]
    half = (int(gray.max()) + int(gray.min())) / 2
    first, inverse = gray[8, 8::16] > half, gray[24, 8::16] > half
    assert (first != inverse).all(), "no frame of ours"
    return int(sum(int(bit) << k for k, bit in enumerate(first)))
