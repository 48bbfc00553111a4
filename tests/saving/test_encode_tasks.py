"""The tasks of a stream are made when they are needed, and are those that a list would have."""

from __future__ import annotations

import itertools
import pickle  # noqa: TID251 - our own tasks
from typing import Any

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import pixels
from napari_ferry import Image, plan
from napari_ferry.arrays import split_by_frames
from napari_ferry.arrays.regions import region_shape
from napari_ferry.saving.encode_tasks import EncodeTasks

SOURCES: dict[str, Any] = {
    "array": Image.from_array(pixels((3, 2, 4, 40, 50)), "tczyx"),
    "other order": Image.from_array(pixels((3, 2, 4, 40, 50)), "cztyx"),
    "chunks": Image.from_array(da.zeros((9, 40, 50), chunks=(4, 17, 50), dtype="u2"), "tyx"),
    "uneven chunks": Image.from_array(
        da.zeros((9, 40, 50), chunks=((2, 7), (1, 39), 50), dtype="u2"), "tyx"
    ),
    "several": [
        Image.from_array(pixels((3, 40, 50)), "tyx"),
        Image.from_array(pixels((64, 80)), "yx"),
    ],
}
WAYS: dict[str, dict[str, Any]] = {
    "a.tif": {"compression": "zlib"},
    "a.ome.tif": {"compression": "zlib", "size_cap": 1e-5},
    "pyramid.ome.tif": {"pyramid": True, "compression": "zlib"},
    "a.ozx": {},
    "a.gif": {},
}


def tasks_of(source: Any, name: str, **options: Any) -> EncodeTasks:
    """Return the tasks to save images."""
    stream = plan(source, name, **options).stream
    assert stream is not None
    return stream.tasks


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("task_bytes", [1, 9000])
def test_tasks_read_each_pixel_once(
    source: str, name: str, task_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", task_bytes)
    images = SOURCES[source]
    if name == "a.gif" and not source.endswith("chunks"):
        images = Image.from_array(pixels((7, 40, 50)), "tyx")
    tasks = tasks_of(images, name, **WAYS[name])
    each = [*tasks]
    assert len(tasks) == len(each)
    assert tasks.nbytes == sum(task.nbytes for task in each)
    assert tasks.largest == max(task.nbytes for task in each)

    read = {id(group.array): np.zeros(group.array.shape, int) for group in tasks.groups}
    for task in each:
        read[id(task.array)][task.region] += 1
    assert all((counts == 1).all() for counts in read.values())
    assert [task.region for task in pickle.loads(pickle.dumps(tasks))] == [
        task.region for task in each
    ]


def _uneven(total: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Return a strategy for the lengths of chunks of a side."""
    inner = st.sets(st.integers(1, max(1, total - 1)), max_size=4)
    edges = inner.map(lambda found: sorted({0, total} | {edge for edge in found if edge < total}))
    return edges.map(lambda found: tuple(b - a for a, b in itertools.pairwise(found)) or (0,))


@given(data=st.data())
def test_frames_are_split_in_order(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 9), max_size=3))
    starts = [data.draw(st.integers(0, 5)) for _ in counts]
    most = data.draw(st.integers(1, 30))
    chunks = [
        data.draw(st.integers(1, 5) | _uneven(a + n)) for a, n in zip(starts, counts, strict=True)
    ]
    region = tuple(slice(a, a + n) for a, n in zip(starts, counts, strict=True))
    region = (*region, slice(0, 4), slice(0, 6))
    found = split_by_frames(region, len(counts), most, chunks)
    numbers = np.arange(np.prod([9 + 5] * len(counts))).reshape([9 + 5] * len(counts))
    frames = [numbers[each[: len(counts)]].ravel() for each in found]
    np.testing.assert_array_equal(np.concatenate(frames), numbers[region[: len(counts)]].ravel())
    assert len(found) == 1 or all(0 < len(each) <= most for each in frames)
    assert all(region_shape(each)[len(counts) :] == (4, 6) for each in found)


def test_the_tasks_belong_to_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", 1)
    found = set()
    for frames in (2, 4, 4):
        source = da.zeros((8, 40, 50), chunks=(frames, 40, 50), dtype="u2")
        found.add(plan(Image.from_array(source, "tyx"), "a.tif", compression="zlib").fingerprint)
    assert len(found) == 2
