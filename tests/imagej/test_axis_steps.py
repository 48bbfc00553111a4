"""Calibration of the axes of an ImageJ hyperstack."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from hyperstacks import calibrate, make, parse, read, save
from napari_ferry import plan
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis
from napari_ferry.imagej import to_imagej, unsupported_reason


@pytest.mark.parametrize(
    ("steps", "unseen"),
    [
        ({"x": (-1.0, "micrometer"), "t": (-0.5, "second")}, "xt"),
        (
            {"t": (1e15 + 1, "zettasecond")},
            "t",
        ),  # a huge number of seconds
        ({"t": (1e-13, "yoctosecond")}, "t"),
        ({"t": (2.0, "micrometer"), "x": (1.0, "micrometer")}, "tx"),
        ({"t": (1e14, "zettasecond"), "x": (2.0, "inch"), "y": (5.0, "nanometer")}, ""),
    ],
)
def test_an_unsupported_step_is_reported_as_a_loss(
    steps: dict[str, tuple[float, str]], unseen: str, tmp_path: Path
) -> None:
    image = calibrate(make("tyx", (2, 5, 7)), **steps)
    assert unsupported_reason(image) is None
    save(image, tmp_path / "a.tif")
    assert read(tmp_path / "a.tif").axes == image.axes
    said = [
        f"other programs see axis {axis.name} without its step ({axis.scale:g} {axis.unit}), which "
        "an ImageJ hyperstack cannot hold; napari-ferry restores it"
        for axis in image.axes
        if axis.name in unseen
    ]
    assert list(plan(image, tmp_path / "b.tif").losses) == said


def test_an_uncalibrated_image_is_not_calibrated() -> None:
    for image in (make("tzyx", (2, 2, 5, 7)), calibrate(make("yx", (5, 7)), x=(1, "micrometer"))):
        tags = to_imagej(image)
        assert tags.resolution is None
        assert not {"unit", "yunit", "spacing", "finterval", "fps"} & tags.metadata.keys()


def test_a_time_along_y_has_a_unit_of_its_own() -> None:
    kymograph = calibrate(make("yx", (5, 7)), y=(20.0, "millisecond"), x=(0.5, "micrometer"))
    tags = to_imagej(kymograph)
    assert tags.resolution == (2, 0.05)
    assert (tags.metadata["unit"], tags.metadata["yunit"]) == ("micron", "ms")


def test_lengths_are_written_in_micrometers() -> None:
    image = calibrate(
        make("tzyx", (2, 2, 5, 7)),
        t=(2.0, "minute"),
        z=(1.0, "millimeter"),
        y=(65.0, "nanometer"),
        x=(0.065, "micrometer"),
    )
    tags = to_imagej(image)
    assert tags.resolution == pytest.approx((1 / 0.065, 1 / 0.065))
    assert tags.metadata["spacing"] == pytest.approx(1000)
    assert [tags.metadata.get(key) for key in ("unit", "yunit", "zunit")] == ["micron", None, None]
    assert tags.metadata["finterval"] == 120.0
    assert "tunit" not in tags.metadata


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"unit": "micron"}, Axis("x", 0.25, "micrometer")),
        ({"unit": r"\u00B5m"}, Axis("x", 0.25, "micrometer")),
        ({"unit": "um", "yunit": "nm"}, Axis("y", 0.5, "nanometer")),
        ({"unit": "inch"}, Axis("y", 0.5, "inch")),
        ({"unit": "pixel"}, Axis("x")),
        ({}, Axis("x")),
        ({"unit": "um", "spacing": 2}, Axis("z", 2.0, "micrometer")),
        ({"unit": "um", "spacing": 2, "zunit": "mm"}, Axis("z", 2.0, "millimeter")),
        ({"spacing": 2}, Axis("z", 2.0)),
        ({"unit": "um"}, Axis("z")),
        ({"finterval": 0.5}, Axis("t", 0.5, "second")),
        ({"finterval": 5, "tunit": "ms"}, Axis("t", 5.0, "millisecond")),
        ({"finterval": 0}, Axis("t")),
        ({"fps": 5}, Axis("t")),
    ],
)
def test_calibrations(metadata: dict[str, Any], expected: Axis) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = parse({"images": 6, "frames": 2, "slices": 3, **metadata})
    assert expected in found.axes


@pytest.mark.parametrize(
    ("metadata", "resolution", "named"),
    [
        ({"spacing": float("nan")}, None, "spacing"),
        ({"spacing": -1.0}, None, "spacing"),
        ({"finterval": float("inf")}, None, "finterval"),
        ({"finterval": "soon"}, None, "finterval"),
        ({"unit": "um"}, (0.0, 0.0), "XResolution"),
        ({"unit": "um"}, (float("nan"), -1.0), "YResolution"),
        ({"unit": "furlong"}, (2.0, 2.0), "furlong"),
        ({"finterval": 1e308}, None, "finterval"),
    ],
)
def test_invalid_calibrations_are_omitted_with_a_warning(
    metadata: dict[str, Any], resolution: Any, named: str
) -> None:
    with pytest.warns(FerryWarning) as caught:
        found = parse({"images": 6, "frames": 2, "slices": 3, **metadata}, resolution=resolution)
    assert any(named in str(warning.message) for warning in caught)
    assert {(axis.scale, axis.unit) for axis in found.axes} == {(1.0, None)}
    if named == "furlong":
        assert found.metadata == {"unit": "furlong"}
