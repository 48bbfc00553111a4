"""Bytes of files in windows: the same as those of the whole file, wherever they are read."""

from __future__ import annotations

import os
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_ferry import FerryError, imload, imsave
from napari_ferry.arrays import file_window
from napari_ferry.arrays.file_window import FileWindow

MOVIE = np.random.default_rng(0).integers(0, 255, (300, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("has_pread", [True, False])
def test_every_read_is_a_slice_of_the_file(
    has_pread: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_pread:
        monkeypatch.delattr(os, "pread", raising=False)
    monkeypatch.setattr(file_window, "_LARGE_BYTES", 300)
    monkeypatch.setattr(file_window, "_SMALL_BYTES", 40)
    monkeypatch.setattr(file_window, "_NEAR_BYTES", 20)
    content = random.Random(1).randbytes(2000)
    (tmp_path / "a").write_bytes(content)
    chance = random.Random(2)
    with (tmp_path / "a").open("rb") as file:
        data = FileWindow(file)
        assert data.size == 2000
        for _ in range(3000):
            offset, nbytes = chance.randrange(2100), chance.randrange(400)
            assert data.read(offset, nbytes) == content[offset : offset + nbytes]
        assert data.read(-5, 3) == data.read(1 << 70, 3) == b""


def test_neighbors_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(bytes(10_000_000))
    with (tmp_path / "a").open("rb") as file:
        data = FileWindow(file)
        sizes: list[int] = []
        load = data._load
        monkeypatch.setattr(data, "_load", lambda start, n: (sizes.append(n), load(start, n))[1])
        for offset in range(0, 1_000_000, 200):
            data.read(offset, 180)
        assert len(sizes) == 4
        sizes.clear()
        for offset in range(2_000_000, 9_000_000, 100_000):
            data.read(offset, 180)
        assert set(sizes) == {4096}


@pytest.mark.parametrize("suffix", [".gif", ".tif"])
def test_a_file_that_becomes_shorter_while_it_is_opened_is_refused(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory map would end the program."""
    path = tmp_path / f"a{suffix}"
    if suffix == ".gif":
        imsave(MOVIE, path)
    else:
        with tifffile.TiffWriter(path) as writer:
            for frame in MOVIE:
                writer.write(frame, metadata=None, contiguous=False, compression="zlib")
    move = FileWindow.move

    def move_and_shorten(data: FileWindow, offset: int, nbytes: int) -> None:
        move(data, offset, nbytes)
        if path.stat().st_size > 70_000:
            os.truncate(path, 70_000)

    monkeypatch.setattr(file_window, "_LARGE_BYTES", 4096)
    monkeypatch.setattr(FileWindow, "move", move_and_shorten)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*is cut off")
        with pytest.raises(FerryError, match="has changed since it was opened"):
            np.asarray(imload(path)[0].array)


@pytest.mark.parametrize("nbytes", [1, 7, 5000, 300_000])
@pytest.mark.parametrize("order", ["rising", "equal", "falling", "mixed"])
def test_bytes_at_many_offsets(order: str, nbytes: int, tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(0, 256, 1_000_000, np.uint8)
    (tmp_path / "a").write_bytes(data)
    offsets = np.arange(0, len(data) - nbytes + 1, 10_000)
    offsets = {
        "rising": offsets,
        "equal": offsets // 50_000 * 50_000,
        "falling": offsets[::-1],
        "mixed": np.random.default_rng(1).permutation(offsets),
    }[order]
    with (tmp_path / "a").open("rb") as file:
        found = FileWindow(file).gather(offsets, nbytes)
    assert np.array_equal(found, [data[offset : offset + nbytes] for offset in offsets])


@pytest.mark.parametrize("offset", [-1, 97, 100, 10**12])
def test_bytes_outside_the_file_are_refused(offset: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    with (tmp_path / "a").open("rb") as file, pytest.raises(ValueError, match=f"at byte {offset}"):
        FileWindow(file).gather(np.array([0, offset]), 4)
