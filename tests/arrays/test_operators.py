"""Operators of lazy arrays: one sentence, and never all pixels unasked."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import pixels
from napari_ferry import Image, imload, imsave

PIXELS = pixels((6, 20, 30))
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.gt, operator.and_]


@pytest.fixture(params=["a.tif", "zlib.tif", "a.ome.zarr", "a.bin", "transposed"])
def operand(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    """An image whose pixels are in a file."""
    path = tmp_path / request.param
    if request.param == "transposed":
        imsave(Image.from_array(PIXELS, "tyx"), tmp_path / "b.tif", compression="zlib")
        return imload(tmp_path / "b.tif", order="tyx"[::-1])[0]
    options: Any = {"compression": "zlib"} if path.stem == "zlib" else {}
    imsave(Image.from_array(PIXELS, "tyx"), path, **options)
    return imload(path)[0]


@pytest.mark.parametrize("operate", OPERATORS)
@pytest.mark.parametrize("other", [2, np.float32(2), PIXELS], ids=["int", "scalar", "array"])
def test_lazy_arrays_name_the_cure(
    operand: Image, operate: Callable[[Any, Any], Any], other: Any
) -> None:
    for lazy in (operand, operand.array):
        for pair in ((lazy, other), (other, lazy), (lazy, lazy)):
            with pytest.raises(TypeError, match=r"does not calculate.*to_dask\(\)"):
                operate(*pair)
    with pytest.raises(TypeError, match="does not calculate"):
        operator.neg(operand)


def test_pixels_in_memory_and_dask_calculate(operand: Image) -> None:
    truth = np.asarray(operand)
    np.testing.assert_array_equal(operand[0] * 2, truth[0] * 2)
    np.testing.assert_array_equal(np.sqrt(operand), np.sqrt(truth))
    assert np.mean(operand) == truth.mean()
    np.testing.assert_array_equal((operand.to_dask() + 1).compute(), truth + 1)
    assert operand in [operand]
    operand.close()
