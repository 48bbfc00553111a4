"""Images with axes partitioned over files by name."""

from __future__ import annotations

from pathlib import Path

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from tiff_files import SECOND, write_two


def test_several_images_of_a_partition_remain_several(tmp_path: Path) -> None:
    data = pixels((3, 20, 33))
    for i, frame in enumerate(data):
        write_two(tmp_path / f"exp.I_{i}.tif", frame, SECOND[i])
    first, second = imload(tmp_path)
    assert (first.axis_names[0], second.axis_names[0]) == ("i", "i")
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), SECOND[:3])
