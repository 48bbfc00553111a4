"""The writes of a plan are made when they are needed, and are those that a list would have."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own writes
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

from folder_format import plan_folder, read_folder
from helpers import make_terabytes, pixels
from napari_ferry import Image, plan, run
from napari_ferry.arrays.stack import Stack
from napari_ferry.saving import uncompressed, write
from napari_ferry.saving.write_groups import Writes


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.bin", {}),
        ("a.ome.tif", {"size_cap": 2000}),
        ("a.ome.zarr", {"shards": True}),
        ("a.ome.zarr", {"shards": False}),
        ("zlib.ome.tif", {"compression": "zlib", "size_cap": 2000}),
        ("a.ozx", {}),
    ],
)
def test_the_plan_of_a_hundred_terabytes_is_small(name: str, options: dict[str, Any]) -> None:
    image = make_terabytes()
    plan(Image.from_array(pixels((2, 4, 4)), "tyx"), name, **options)  # imports
    tracemalloc.start()
    try:
        planned = plan(image, name, **options)
        assert planned.source_bytes > 99e12
        assert planned.fingerprint
        assert len(planned.writes) <= 200_000
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()
    for k in (0, len(planned.writes) // 2, -1) if planned.writes else ():
        assert planned.writes[k].nbytes <= 4e9


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide small saves into many writes."""
    monkeypatch.setattr(uncompressed, "_WRITE_BYTES", 1000)


SOURCES = {
    "memory": pixels((7, 3, 16, 17)),
    "chunks": da.from_array(pixels((7, 3, 16, 17)), chunks=((2, 4, 1), 2, 9, 17)),
    "stack": Stack([pixels((3, 16, 17)), pixels((3, 16, 17)) + 1]),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["a.bin", "a.tif"])
@pytest.mark.parametrize("source", SOURCES)
def test_lazy_writes_are_those_of_a_tuple(tmp_path: Path, name: str, source: str) -> None:
    image = Image.from_array(SOURCES[source], "tzyx")
    planned = plan(image, tmp_path / name)
    writes = planned.writes
    assert isinstance(writes, Writes)
    listed = tuple(writes)
    assert len(writes) == len(listed) > 5
    assert sum(each.nbytes for each in listed) == planned.source_bytes == image.nbytes
    for k, each in enumerate(listed):
        assert pickle.dumps(writes[k]) == pickle.dumps(each)
    assert pickle.dumps(writes[-1]) == pickle.dumps(listed[-1])
    assert [each.region for each in writes[1:3]] == [each.region for each in listed[1:3]]
    with pytest.raises(IndexError):
        writes[len(listed)]
    again = pickle.loads(pickle.dumps(writes))
    assert [each.region for each in again] == [each.region for each in listed]

    run(planned)
    expected = (tmp_path / name).read_bytes()
    run(replace(planned, writes=listed), overwrite=True)
    assert (tmp_path / name).read_bytes() == expected


@pytest.mark.usefixtures("small")
def test_the_fingerprint_differs_for_any_other_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = Image.from_array(pixels((4, 32, 32)), "tyx")
    path = tmp_path / "a.bin"
    first = plan(movie, path)
    assert plan(movie, path).fingerprint == first.fingerprint
    others = [
        plan(movie, tmp_path / "b.bin"),
        plan(movie, tmp_path / "a.raw"),
        plan(Image.from_array(pixels((5, 32, 32)), "tyx"), path),
        plan(Image.from_array(pixels((4, 32, 32), "int16"), "tyx"), path),
        plan(Image.from_array(pixels((4, 32, 32), ">u2"), "tyx"), path),
        plan(Image.from_array(pixels((4, 32, 32)), "zyx"), path),
        replace(first, writes=first.writes[:-1]),
    ]
    monkeypatch.setattr(uncompressed, "_WRITE_BYTES", 2000)
    others.append(plan(movie, path))
    monkeypatch.setattr(write, "_MOST_WRITES", 2)
    others.append(plan(movie, path))
    assert len({first.fingerprint, *(each.fingerprint for each in others)}) == len(others) + 1


@pytest.mark.parametrize(
    "option",
    [
        {"chunks": "3D"},
        {"shards": True},
        {"levels": 1},
        {"downsample": "nearest"},
        {"compression": "lz4"},
        {"version": "0.4"},
    ],
    ids=str,
)
def test_the_fingerprint_differs_for_any_option_of_a_store(
    tmp_path: Path, option: dict[str, Any]
) -> None:
    image = Image.from_array(pixels((3, 1100, 16)), "zyx")
    usual = plan(image, tmp_path / "a.ome.zarr")
    assert plan(image, tmp_path / "a.ome.zarr").fingerprint == usual.fingerprint
    assert plan(image, tmp_path / "a.ome.zarr", **option).fingerprint != usual.fingerprint


def test_stages_of_listed_writes_are_kept(tmp_path: Path) -> None:
    data = pixels((6, 4, 5))
    planned = plan_folder(data, tmp_path / "a")
    writes = planned.grouped_writes
    assert writes.stages == (0, 1)
    assert [each.stage for each in writes] == [0] * 6 + [1] * 3
    run(planned)
    assert np.array_equal(read_folder(tmp_path / "a"), data)
