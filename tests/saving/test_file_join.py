"""Files that are joined from the parts that their writes make."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from faults import names
from napari_ferry import Plan, SaveCancelledError, SaveError, run
from napari_ferry.arrays import BlockReader
from napari_ferry.saving import PlannedFile, Write
from napari_ferry.saving.write import file_digest

PIXELS = np.arange(6, dtype=np.uint8)


def put(part: Path, pixels: BlockReader, *, first: threading.Event | None = None) -> str | None:
    """Write the pixels to a part of a file; the first part waits for the last one."""
    (start,) = (side.start for side in pixels.region)
    if first and start == 0:
        assert first.wait(60)
    part.write_bytes(pixels.read_whole(np.ndarray.tobytes))
    if first and start == len(PIXELS) - 1:
        first.set()
    return file_digest(part)


def join(target: Path, parts: Iterator[Path]) -> None:
    """Join the bytes of all parts."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))


def make_plan(folder: Path, joined=join, first: threading.Event | None = None) -> Plan:
    path = folder / "a.bytes"
    writes = [
        Write(
            path=path,
            array=PIXELS,
            region=(slice(i, i + 1),),
            put=partial(put, first=first),
            stored=file_digest,
        )
        for i in range(len(PIXELS))
    ]
    file = PlannedFile(path=path, nbytes=6, create=Path.touch, is_encoded=True, join=joined)
    return Plan(files=(file,), writes=writes)


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    run(make_plan(tmp_path, first=threading.Event()), workers=2)
    assert (tmp_path / "a.bytes").read_bytes() == PIXELS.tobytes()
    assert names(tmp_path) == ["a.bytes"]


@pytest.mark.parametrize("number", [0, 5])
def test_a_failed_join_ends_the_save(number: int, tmp_path: Path) -> None:
    def fail(target: Path, parts: Iterator[Path]) -> None:
        for _ in zip(range(number + 1), parts, strict=False):
            pass
        raise OSError("the disk is full")

    with pytest.raises(SaveError, match="the disk is full"):
        run(make_plan(tmp_path, fail), workers=2)
    assert names(tmp_path) == []


def test_a_cancelled_save_ends_its_join(tmp_path: Path) -> None:
    ended = threading.Event()

    def wait(target: Path, parts: Iterator[Path]) -> None:
        try:
            join(target, parts)
        finally:
            ended.set()

    with pytest.raises(SaveCancelledError):
        run(make_plan(tmp_path, wait), workers=1, cancel=lambda: True)
    assert ended.is_set()
    assert names(tmp_path) == []
