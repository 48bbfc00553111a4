"""Axes of an image."""

from __future__ import annotations

from typing import Any

import pytest

from napari_ferry import Axis
from napari_ferry.errors import InvalidImageError


@pytest.mark.parametrize(
    "words", [("t", "a"), ("t", None), ("t", 1.0, 5), (3,), ("t", 1, "s", "b")]
)
def test_an_axis_of_wrong_types_is_refused(words: Any) -> None:
    with pytest.raises(InvalidImageError, match="axis"):
        Axis(*words)
