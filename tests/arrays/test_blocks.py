"""Blocks of pixels that are read at once."""

from pathlib import Path

import numpy as np
import pytest

from helpers import assert_same_pixels, pixels
from napari_ferry.arrays import Array, BlockReader, blocks


@pytest.mark.parametrize(("is_mapped", "rows"), [(False, 80), (True, 20)])
def test_blocks_of_a_mapped_file_are_smaller_if_their_rows_are_far_apart(
    is_mapped: bool, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8000)
    data = pixels((100, 400), "u1")
    data.tofile(tmp_path / "a")
    array: Array = np.memmap(tmp_path / "a", np.uint8, "r", shape=data.shape) if is_mapped else data
    found = list(BlockReader(array, (slice(0, 100), slice(0, 100))))
    assert max(len(block.pixels) for block in found) == rows
    assert_same_pixels(np.concatenate([block.pixels for block in found]), data[:, :100])
