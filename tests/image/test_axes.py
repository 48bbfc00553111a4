"""Axes of an image."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image
from napari_ferry.errors import InvalidImageError


@pytest.mark.parametrize(
    "words", [("t", "a"), ("t", None), ("t", 1.0, 5), (3,), ("t", 1, "s", "b")]
)
def test_an_axis_of_wrong_types_is_refused(words: Any) -> None:
    with pytest.raises(InvalidImageError, match="axis"):
        Axis(*words)


def test_a_fraction_is_a_number() -> None:
    axis = Axis("t", Fraction(1, 25), "s", Fraction(1, 2))
    assert (axis.scale, axis.translation) == (0.04, 0.5)
    image = Image.from_array(np.zeros((2, 8, 8)), "tyx")
    assert image.replace(scale={"t": Fraction(1, 25)}, unit={"t": "s"}).frame_rate == 25
