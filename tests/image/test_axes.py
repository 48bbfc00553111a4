"""Axes of an image."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Channel, Image
from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import complete_steps


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


def test_axes_and_channels_that_contradict_the_array_are_refused() -> None:
    array = np.zeros((2, 8, 8))
    with pytest.raises(InvalidImageError, match="axes y y x repeat a name"):
        Image((array,), (Axis("y"), Axis("y"), Axis("x")))
    with pytest.raises(InvalidImageError, match="3 channels are described, but axis c has 2"):
        Image((array,), (Axis("c"), Axis("y"), Axis("x")), (Channel(),) * 3)
    with pytest.raises(InvalidImageError, match="2 channels are described, but axis c has 1"):
        Image((array,), (Axis("t"), Axis("y"), Axis("x")), (Channel(),) * 2)


def test_no_frames_complete_no_steps() -> None:
    assert complete_steps((3, 2), 0) == (1, 1)
