"""Blocks of pixels that are read at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imsave
from napari_ferry.arrays import Array, BlockReader, Frames, blocks
from napari_ferry.errors import SaveError, UnreadableFileError


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


def test_a_complete_sentence_about_unreadable_pixels_is_kept(tmp_path: Path) -> None:
    def read(index: int) -> NDArray[Any]:
        raise UnreadableFileError("page 0 of a.tif is damaged: copy the file again.")

    source = Frames(read, (1, 4, 5), "uint8", 1)
    message = r"^The pixels \[0:1, 0:4, 0:5\] cannot be read: page 0 of a.tif is damaged: copy the"
    with pytest.raises(SaveError, match=message):
        imsave(source, tmp_path / "a.bin")
