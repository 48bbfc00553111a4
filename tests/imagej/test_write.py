"""ImageJ hyperstacks of our own, written through tifffile and read back."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, example, given, settings

from hyperstacks import FULL, calibrate, images, make, read, save
from napari_ferry.image import Image
from napari_ferry.imagej import to_imagej, unsupported_reason


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", ">u2"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_supported_images(dtype: str, kind: Any) -> None:
    assert unsupported_reason(replace(make("ctzyx", (1, 2, 3, 5, 7), dtype), kind=kind)) is None


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (make("yx", (5, 7), "int16"), "int16"),
        (make("yx", (5, 7), "bool"), "bool"),
        (make("yx", (5, 7), "float64"), "float64"),
        (make("yxs", (5, 7, 3), "uint16"), "3 of uint16"),
        (make("yxs", (5, 7, 4), "uint8"), "4 of uint8"),
        (make("cyxs", (2, 5, 7, 3), "uint8"), "no channels"),
        (make("ptyx", (2, 2, 5, 7)), "not p"),
        (make("xy", (5, 7)), "last"),
        (make("yxt", (5, 7, 2)), "last"),
        (make("syx", (3, 5, 7), "uint8"), "last"),
        (make("tyx", (0, 5, 7)), "empty"),
    ],
)
def test_the_reason_for_an_unsupported_image(image: Image, reason: str) -> None:
    assert reason in (unsupported_reason(image) or "")


def test_tifffile_reads_the_written_values(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        found, page = tif.imagej_metadata, tif.pages.first
        assert tif.series[0].axes == "TZCYX"
        assert np.array_equal(tif.asarray(), np.transpose(FULL.array, (1, 2, 0, 3, 4)))
        ratio = page.tags["XResolution"].value
        assert ratio[1] / ratio[0] == pytest.approx(0.15, rel=1e-6)
        assert page.tags["ResolutionUnit"].value == 1
        assert page.tags["ImageDescription"].value.isascii()
    assert found is not None
    assert (found["frames"], found["slices"], found["channels"]) == (4, 3, 2)
    assert (found["unit"], found["spacing"], found["mode"]) == ("micron", 2.0, "composite")
    assert (found["finterval"], found["fps"]) == (0.02, 50.0)
    assert "yunit" not in found
    assert found["Ranges"] == (1.0, 9.5, 0.0, 4095.0)
    assert found["Labels"] == ["DAPI", "GFP"] * 12
    assert [lut[:, 255].tolist() for lut in found["LUTs"]] == [[0, 0, 255], [0, 255, 0]]
    assert found["LUTs"][0].shape == (3, 256)
    first, _, rest = found["Info"].partition("\nnapari-ferry: ")
    assert first == "mouse 4\n"
    assert json.loads(rest)["name"] == "cells"


def test_shape_and_order() -> None:
    tags = to_imagej(FULL)
    assert tags.shape6 == (4, 3, 2, 5, 7, 1)
    assert tags.order == (1, 2, 0)
    assert to_imagej(make("yxs", (5, 7, 3), "uint8")).shape6 == (1, 1, 1, 5, 7, 3)
    assert to_imagej(make("yx", (5, 7))).order == ()


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(image=images())
@example(image=calibrate(make("tyx", (2, 5, 7)), t=(1000000000000001.0, "zettasecond")))
def test_every_image_round_trips(image: Image, tmp_path: Path) -> None:
    assert unsupported_reason(image) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(image, tmp_path / "a.tif")
        found = read(tmp_path / "a.tif")
    assert found.shape == image.shape
    back = found.to_image(image.array)
    for field in ("axes", "channels", "name", "kind", "display", "metadata"):
        assert getattr(back, field) == getattr(image, field), field


def test_an_image_with_all_metadata_round_trips(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif").to_image(FULL.array)
    for field in ("axes", "channels", "name", "display", "metadata"):
        assert getattr(found, field) == getattr(FULL, field), field
