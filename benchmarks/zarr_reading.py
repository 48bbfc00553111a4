"""Planes and tiles of a pyramid in OME-Zarr, each read once, and the first plane of a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
SIDE, TILE = 2048, 512

_COLD = {
    "zarr": "import zarr; zarr.open_group(PATH, mode='r')['0'][0].max()",
    "ferry": "from napari_ferry import imload; imload(PATH)[0].array[0].max()",
    "tensorstore": """if True:
        import tensorstore
        store = {"driver": "file", "path": f"{PATH}/0"}
        array = tensorstore.open({"driver": "zarr3", "kvstore": store}).result()
        array[0].read().result().max()
    """,
}
"""Programs that import nothing else."""


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write two stores, and return groups for planes, tiles, and the first plane."""
    count, rounds = (4, 1) if quick else (33, 5)
    chunks, shards = folder / "chunks.zarr", folder / "shards.zarr"
    write_pyramid(chunks, count, {"chunks": (1, SIDE // 2, SIDE // 2)})
    write_pyramid(shards, count, {"chunks": (1, 256, 256), "shards": (1, SIDE, SIDE)})
    most = {"cpu": 1.2}
    tile = most if quick else {**most, "cpu_seconds": 0.003 * (count - 1)}
    cold = {} if quick else {"cpu_seconds": 1.0}
    return [
        Group(f"{count - 1} planes of 4 chunks", _cases("planes", chunks, most), rounds),
        Group(f"{count - 1} random tiles, chunks of 1024", _cases("tiles", chunks, tile), rounds),
        Group(f"{count - 1} random tiles, shards", _cases("tiles", shards, tile), rounds),
        Group("first plane of a new process", _cases("cold", chunks, cold), rounds),
    ]


def _cases(job: str, path: Path, goals: Mapping[str, float]) -> list[Case]:
    made = []
    for name, title in (
        ("zarr", "zarr-python"),
        ("zarr", "the same again (A/A)"),
        ("ferry", "**napari-ferry**"),
        ("tensorstore", "tensorstore"),
    ):
        settings = {"library": name, "path": str(path)}
        if find_spec("napari_ferry" if name == "ferry" else name) is not None:
            given = goals if name == "ferry" else {}
            made.append(Case(title, f"zarr_reading:{job}", settings, 1, given))
    return made


def write_pyramid(path: Path, count: int, options: Mapping[str, Any]) -> None:
    """Write planes of uint16 and their smaller levels with zarr-python, compressed by LZ4."""
    import zarr

    codec = zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")
    group = zarr.open_group(str(path), mode="w")
    noise = np.random.default_rng(0).poisson(40, (SIDE, SIDE)).astype(np.uint16)
    datasets = []
    for k in range(5):
        level = noise[:: 2**k, :: 2**k]
        sizes = {key: tuple(min(n, SIDE >> k) for n in value) for key, value in options.items()}
        array = group.create_array(
            str(k), shape=(count, *level.shape), dtype="u2", compressors=codec, **sizes
        )
        for z in range(count):
            array[z] = np.roll(level, z)
        scale = [{"type": "scale", "scale": [1, 2**k, 2**k]}]
        datasets.append({"path": str(k), "coordinateTransformations": scale})
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    group.attrs["ome"] = ome


def _open_zarr(path: str) -> Any:
    import zarr

    return zarr.open_group(path, mode="r")["0"]


def _open_ferry(path: str) -> Any:
    from napari_ferry import imload

    return imload(path)[0].array


class _TensorStore:
    """An array of tensorstore with the indexing of the others."""

    def __init__(self, path: str) -> None:
        import tensorstore

        store = {"driver": "file", "path": str(Path(path) / "0")}
        self._array = tensorstore.open({"driver": "zarr3", "kvstore": store}).result()
        self.shape = self._array.shape

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return self._array[key].read().result()


OPENERS: dict[str, Callable[[str], Any]] = {
    "zarr": _open_zarr,
    "ferry": _open_ferry,
    "tensorstore": _TensorStore,
}


def _open_warm(library: str, path: str) -> Any:
    """Open an array, and read a sample of the first plane, which imports what is needed."""
    array = OPENERS[library](path)
    np.asarray(array[0, :1, :1])
    return array


def planes(out: str, library: str, path: str) -> Job:
    """Read every plane but the first once."""
    array = _open_warm(library, path)
    return lambda: sum(int(np.asarray(array[z]).max()) for z in range(1, array.shape[0]))


def tiles(out: str, library: str, path: str) -> Job:
    """Read one tile of each plane but the first, at a random place."""
    array = _open_warm(library, path)
    corners = np.random.default_rng(1).integers(0, SIDE - TILE, (array.shape[0] - 1, 2)).tolist()

    def job() -> int:
        parts = (array[z, y : y + TILE, x : x + TILE] for z, (y, x) in enumerate(corners, 1))
        return sum(int(np.asarray(part).max()) for part in parts)

    return job


def cold(out: str, library: str, path: str) -> Job:
    """Start Python, import what is needed, and read one plane."""
    command = [sys.executable, "-c", f"PATH = {path!r}\n{_COLD[library]}"]
    return lambda: subprocess.run(command, check=True)
