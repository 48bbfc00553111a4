"""Records of images that are split over files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_ferry import Image
from napari_ferry.image import describe
from napari_ferry.image.split_axes import KEY, SplitRecord

WHOLE = Image.from_array(np.zeros((2, 4, 5), np.uint8), "tyx", name="cells")
RECORD = {"image": describe(WHOLE), "labels": {"t": ["0", "1"]}, "number": 3}


def part_with(record: Any) -> Image:
    """Return a part of an image with a record."""
    return Image.from_array(np.zeros((4, 5), np.uint8), "yx").replace(metadata={KEY: record})


def test_a_part_describes_the_whole_image() -> None:
    record = SplitRecord.of(part_with(RECORD))
    assert record is not None
    assert (record.whole.shape, record.number) == ((2, 4, 5), 3)
    assert {axis: [*labels] for axis, labels in record.labels.items()} == {"t": ["0", "1"]}
    assert SplitRecord.of(WHOLE) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"image": None},
        {"labels": ["0", "1"]},
        {"labels": {"q": ["0", "1"]}},
        {"labels": {"t": ["0"]}},
        {"labels": {"t": ["0", "0"]}},
    ],
)
def test_a_damaged_record_is_ignored(changes: dict[str, Any]) -> None:
    assert SplitRecord.of(part_with({**RECORD, **changes})) is None
