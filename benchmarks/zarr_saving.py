"""Saving OME-Zarr, beside the compressor alone (no file), zarr-python and tensorstore."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
SIDE, CHUNK = 2048, 1024
LEVELS = {"zstd": 1, "lz4": 5}


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write a stack of planes, and return one group for each compression, and for pyramids."""
    count, rounds = (2, 1) if quick else (32, 5)
    source = folder / "source.raw"
    _write_source(source, count)
    nbytes = count * SIDE * SIDE * 2
    settings = {"source": str(source), "count": count}
    limits = {"none": 2.2, "lz4": 1.9, "zstd": 1.3}
    found = [
        Group(
            f"save {nbytes / 1e6:.0f} MB as OME-Zarr, {compression}",
            _cases({**settings, "compression": compression}, {"cpu": most, "peak": 100}),
            rounds,
        )
        for compression, most in limits.items()
    ]
    one = {**settings, "compression": "lz4", "levels": 1}
    pyramids = [
        Case("one level", "zarr_saving:ferry", one),
        Case("the same again (A/A)", "zarr_saving:ferry", one),
        Case(
            "**napari-ferry**, 5 levels",
            "zarr_saving:ferry",
            {**one, "levels": 5},
            1,
            {"cpu": 1.7, "peak": 100},
        ),
        Case(
            "**napari-ferry**, 5 levels in shards",
            "zarr_saving:ferry",
            {**one, "levels": 5, "shards": True},
            1,
            {"peak": 256},
        ),
    ]
    return [*found, Group("smaller levels in the same pass", pyramids, rounds)]


def _cases(settings: Mapping[str, Any], goals: Mapping[str, float]) -> list[Case]:
    alone = "one file, no compression" if settings["compression"] == "none" else "compressor alone"
    cases = [
        Case(alone, "zarr_saving:alone", dict(settings)),
        Case("the same again (A/A)", "zarr_saving:alone", dict(settings)),
        Case("**napari-ferry**", "zarr_saving:ferry", {**settings, "levels": 1}, 1, dict(goals)),
        Case("zarr-python, chunk by chunk", "zarr_saving:zarr_python", dict(settings)),
    ]
    if find_spec("tensorstore") is not None:
        cases.append(
            Case("tensorstore, chunk by chunk", "zarr_saving:tensor_store", dict(settings))
        )
    return cases


def _write_source(path: Path, count: int) -> None:
    """Write planes of round spots with the noise of photons."""
    random = np.random.default_rng(0)
    centers, sizes = np.split(random.uniform((0, 0, 20), (SIDE, SIDE, 60), (60, 3)), [2], 1)
    offsets = (np.arange(SIDE) - centers[:, :, None]) / sizes[:, :, None]
    y, x = np.exp(-(offsets**2) / 2).transpose(1, 0, 2)
    mean = 100 + 800 * y.T @ x
    with path.open("wb") as file:
        for _ in range(count):
            random.poisson(mean).astype(np.uint16).tofile(file)


def _open(source: str, count: int) -> NDArray[np.uint16]:
    return np.memmap(source, np.uint16, "r", shape=(count, SIDE, SIDE))


def _chunks(planes: NDArray[np.uint16]) -> Iterator[tuple[tuple[slice, ...], NDArray[np.uint16]]]:
    for z, i, j in itertools.product(range(len(planes)), *[range(0, SIDE, CHUNK)] * 2):
        key = slice(z, z + 1), slice(i, i + CHUNK), slice(j, j + CHUNK)
        yield key, np.ascontiguousarray(planes[key])


def alone(out: str, source: str, count: int, compression: str) -> Job:
    """Compress each chunk, or write all pixels to one file."""
    import imagecodecs

    planes = _open(source, count)
    if compression == "none":
        return lambda: planes.tofile(Path(out, "a.raw"))
    options = {"level": LEVELS[compression], "compressor": compression, "numthreads": 1}
    encode: Any = imagecodecs.blosc_encode
    return lambda: sum(
        len(encode(chunk, shuffle=2, typesize=2, **options)) for _, chunk in _chunks(planes)
    )


def ferry(
    out: str, source: str, count: int, compression: str, levels: int, shards: bool = False
) -> Job:
    """Save with napari-ferry in one thread."""
    from napari_ferry import Image, imsave

    image = Image.from_array(_open(source, count), "zyx")
    options: dict[str, Any] = {"compression": compression, "levels": levels, "shards": shards}
    imsave(Image.from_array(_open(source, 1), "zyx"), Path(out, "warm.ome.zarr"), **options)
    return lambda: imsave(image, Path(out, "a.ome.zarr"), workers=1, **options)


def zarr_python(out: str, source: str, count: int, compression: str) -> Job:
    """Save with zarr-python, a call for each chunk, which is faster than one for all."""
    import zarr

    codec = zarr.codecs.BloscCodec(
        cname=compression if compression in LEVELS else "lz4",
        clevel=LEVELS.get(compression, 0),
        shuffle="bitshuffle",
    )
    planes = _open(source, count)

    def job() -> None:
        shutil.rmtree(Path(out, "z.zarr"), ignore_errors=True)
        array = zarr.create_array(
            str(Path(out, "z.zarr")),
            shape=planes.shape,
            chunks=(1, CHUNK, CHUNK),
            dtype=planes.dtype,
            compressors=None if compression == "none" else codec,
            config={"write_empty_chunks": True},
        )
        for key, chunk in _chunks(planes):
            array[key] = chunk

    return job


def tensor_store(out: str, source: str, count: int, compression: str) -> Job:
    """Save with tensorstore, a call for each chunk."""
    import tensorstore

    blosc = {"cname": compression, "clevel": LEVELS.get(compression, 0), "shuffle": "bitshuffle"}
    codecs = [] if compression == "none" else [{"name": "blosc", "configuration": blosc}]
    planes = _open(source, count)
    grid = {"name": "regular", "configuration": {"chunk_shape": [1, CHUNK, CHUNK]}}
    described = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(Path(out, "t.zarr"))},
        "metadata": {
            "shape": list(planes.shape),
            "data_type": "uint16",
            "chunk_grid": grid,
            "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, *codecs],
        },
    }

    def job() -> None:
        array = tensorstore.open(described, create=True, delete_existing=True).result()
        for key, chunk in _chunks(planes):
            array[key].write(chunk).result()

    return job
