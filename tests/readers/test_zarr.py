"""What readers and validators that nobody here wrote see in the OME-Zarr that is written here.

zarr-python is a dependency of the tests; tensorstore, yaozarrs and ome-zarr-models are asked where
they are installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from helpers import make_full_image, make_image, pixels
from napari_ferry import Axis, Channel, Image, imsave
from napari_ferry.codecs.zarr.node import read_node
from napari_ferry.codecs.zarr.store import FolderStore


@dataclass(frozen=True)
class Case:
    """Images of one store, and how they are saved."""

    images: tuple[Image, ...]
    options: dict[str, Any] = field(default_factory=dict)


def cells() -> Image:
    """Return an image with everything that OME-Zarr holds, in odd sizes."""
    steps = {"t": (30.0, "second", 0.0), "z": (2.0, "micrometer", 5.0)}
    steps |= {"y": (0.325, "micrometer", 1.5), "x": (0.325, "micrometer", -2.5)}
    axes = tuple(Axis(name, *steps.get(name, ())) for name in "tczyx")
    limits = ((0.0, 700.0), (5.0, 800.0))
    colors = ("#0000ff", "#00ff00")
    channels = [Channel(f"Käse {i}", colors[i], limits[i]) for i in range(2)]
    return Image((pixels((2, 2, 3, 37, 41)),), axes, tuple(channels), name="cells")


def labels() -> list[Image]:
    """Return an image and labels of the same size."""
    image = make_image("zyx", "uint16", z=3, y=21, x=23)
    nuclei = replace(make_image("zyx", "int32", z=3, y=21, x=23), kind="labels", name="nuclei")
    mask = replace(make_image("zyx", "bool", z=3, y=21, x=23), kind="labels", name="mask")
    return [image, nuclei, mask]


def typed(dtype: str) -> Image:
    return make_image("tyx", dtype, t=2, y=17, x=19)


OLD: dict[str, Any] = {"version": "0.4"}
CASES = {
    "zstd": Case((cells(),), {"levels": 3}),
    "lz4 in shards": Case((cells(),), {"levels": 3, "compression": "lz4", "shards": True}),
    "best in cubes": Case((cells(),), {"levels": 3, "compression": "best", "chunks": "3D"}),
    "none": Case((cells(),), {"compression": "none"}),
    "0.4": Case((cells(),), {**OLD, "levels": 3}),
    "0.4 lz4": Case((cells(),), {**OLD, "compression": "lz4"}),
    "0.4 none": Case((cells(),), {**OLD, "compression": "none"}),
    "labels": Case(tuple(labels()), {"levels": 2}),
    "0.4 labels": Case(tuple(labels()), {**OLD, "levels": 2}),
    "labels alone": Case((labels()[1],)),
    "colors": Case((make_image("yxs", "uint8", s=3, y=17, x=19),), {"levels": 2}),
    "series": Case((make_full_image("tyx"), make_image("yx", "float64"))),
    "0.4 series": Case((make_full_image("tyx"), make_image("yx", "float64")), OLD),
    "another axis": Case((make_image("qyx", "uint8", q=3),)),
    "five axes of our own": Case((make_image("abcyx"),)),
    **{name: Case((typed(name),)) for name in ("bool", "int8", "uint32", "int64", "float32")},
    **{f"0.4 {name}": Case((typed(name),), OLD) for name in ("bool", "int8", "uint64")},
    **{name: Case((typed(name),)) for name in ("float16", "complex64")},
}

PLAIN = {"five axes of our own"}
"""Stores without metadata of OME-Zarr, because it cannot hold their axes."""

Arrays = dict[str, tuple[tuple[int, ...], str, str]]
"""Shape, data type and SHA-256 of each array by its key."""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Save all stores, and return their paths by the names of the cases."""
    folder = tmp_path_factory.mktemp("stores")
    paths = {name: folder / f"{i}.ome.zarr" for i, name in enumerate(CASES)}
    for name, case in CASES.items():
        imsave(list(case.images), paths[name], **case.options)
    return paths


def facts(array: NDArray[Any]) -> tuple[tuple[int, ...], str, str]:
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return array.shape, array.dtype.name, digest


def read_here(path: Path) -> Arrays:
    """Return all arrays as our own reader sees them."""
    found: Arrays = {}
    for name in ("zarr.json", ".zarray"):
        for document in path.rglob(name):
            key = document.parent.relative_to(path).as_posix()
            node = read_node(FolderStore(str(path)), "" if key == "." else key)
            if node is not None and node.array is not None:
                found[key] = facts(np.asarray(node.open_array()))
    return found


def read_with_zarr(path: Path, *, use_consolidated: bool) -> Arrays:
    group = zarr.open_group(str(path), mode="r", use_consolidated=use_consolidated)
    members = dict(group.members(max_depth=None))
    return {
        key: facts(np.asarray(each[...]))
        for key, each in members.items()
        if isinstance(each, zarr.Array)
    }


def read_with_tensorstore(path: Path) -> Arrays:
    tensorstore = pytest.importorskip("tensorstore")
    found: Arrays = {}
    for key in read_here(path):
        driver = "zarr" if (path / key / ".zarray").exists() else "zarr3"
        store = {"driver": "file", "path": f"{path / key}/"}
        array = tensorstore.open({"driver": driver, "kvstore": store}, open=True, read=True)
        found[key] = facts(np.asarray(array.result().read().result()))
    return found


READERS: dict[str, Callable[[Path], Arrays]] = {
    "zarr": lambda path: read_with_zarr(path, use_consolidated=False),
    "zarr, consolidated": lambda path: read_with_zarr(path, use_consolidated=True),
    "tensorstore": read_with_tensorstore,
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CASES)
def test_all_levels_are_read_exactly(reader: str, name: str, stores: dict[str, Path]) -> None:
    assert READERS[reader](stores[name]) == read_here(stores[name])


@pytest.mark.parametrize("name", CASES)
def test_the_full_resolution_is_what_was_saved(name: str, stores: dict[str, Path]) -> None:
    saved = [facts(np.asarray(image.array))[2] for image in CASES[name].images if not image.is_rgb]
    found = [digest for _, _, digest in read_here(stores[name]).values()]
    assert set(saved) <= set(found)


@pytest.mark.parametrize("name", CASES)
def test_yaozarrs_finds_the_metadata_valid(name: str, stores: dict[str, Path]) -> None:
    yaozarrs = pytest.importorskip("yaozarrs")
    if name in PLAIN:
        pytest.skip("the store is not OME-Zarr")
    yaozarrs.validate_zarr_store(str(stores[name]))


@pytest.mark.parametrize("name", CASES)
def test_ome_zarr_models_finds_the_metadata_valid(name: str, stores: dict[str, Path]) -> None:
    models = pytest.importorskip("ome_zarr_models")
    if name in PLAIN or name == "series":
        pytest.skip("the store is not OME-Zarr, or a series of 0.5, which it does not look for")
    models.open_ome_zarr(zarr.open_group(str(stores[name]), mode="r"))
