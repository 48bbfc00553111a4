"""Axes from the coordinates of xarray objects."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

from napari_ferry import Axis, Image
from napari_ferry.errors import FerryWarning
from stack_files import STACK


@pytest.mark.parametrize(
    ("units", "rate"), [("s", 50), ("seconds", 50), ("ms", 50_000), ("px", None), (None, None)]
)
def test_the_units_of_a_coordinate_are_those_of_its_axis(units: str | None, rate: float) -> None:
    t = ("t", np.arange(len(STACK)) * 0.02, {"units": units})
    image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.frame_rate == (rate and pytest.approx(rate))


def test_unknown_units_of_a_coordinate_are_left_out_with_a_warning() -> None:
    t = ("t", np.arange(len(STACK)) * 2.0, {"units": "seconds since 2000-01-01"})
    with pytest.warns(FerryWarning, match="coordinate t has the unit 'seconds since.*not known"):
        image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.axis("t") == Axis("t", 2.0)
