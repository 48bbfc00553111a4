"""Positions along an axis, in its unit or another one, as indices."""

import numpy as np
import pytest

from napari_ferry import Axis, InvalidImageError
from napari_ferry.image.positions import convert_position, indices_between


@pytest.mark.parametrize("scale", [0.1, -0.1, 0.3, -7.0])
@pytest.mark.parametrize("ends", [(3, 9), (None, 4), (4, None), (-100, 100), (6, 6), (9, 3)])
def test_indices_are_those_of_positions_from_the_first_up_to_the_second(
    scale: float, ends: tuple[int | None, int | None]
) -> None:
    axis, size = Axis("x", scale, "um", 100.0), 12
    start, stop = (None if k is None else axis.translation + abs(scale) * k for k in ends)
    positions = axis.translation + axis.scale * np.arange(size)
    low = -np.inf if start is None else start - 1e-9
    high = np.inf if stop is None else stop - 1e-9
    expected = np.flatnonzero((positions >= low) & (positions < high))
    found = np.arange(size)[indices_between(axis, size, start, stop)]
    assert found.tolist() == expected.tolist()


def test_positions_are_converted_between_units_of_one_kind() -> None:
    assert convert_position(Axis("x", 1, "um"), 250, "nm") == pytest.approx(0.25)
    assert convert_position(Axis("t", 1, "ms"), 2, "min") == pytest.approx(120_000)
    assert convert_position(Axis("q", 1, "degree"), 2, "degree") == 2


@pytest.mark.parametrize(
    ("axis", "unit", "message"),
    [
        (Axis("x", 1, "um"), "s", "in s, but the axis has the unit micrometer"),
        (Axis("x"), "um", "in um, but the axis has no unit"),
        (Axis("x", 1, "um"), "furlongs", "in furlongs, but the axis has the unit micrometer"),
    ],
)
def test_positions_in_other_units_are_refused(axis: Axis, unit: str, message: str) -> None:
    with pytest.raises(InvalidImageError, match=message):
        convert_position(axis, 1, unit)
