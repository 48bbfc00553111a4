"""Metadata that the user overrules: `Image.replace`, and mappings of metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Channel, FerryWarning, Image, InvalidImageError
from napari_ferry.image.user_metadata import override_all

IMAGE = Image(
    (np.zeros((3, 2, 8, 9)),),
    (Axis("t"), Axis("c"), Axis("y", 0.5, "um", 3), Axis("x", 0.5, "um")),
    channels=(Channel("GFP", "#00ff00", (0, 9)), Channel("RFP", "#ff0000")),
    name="cells",
    metadata={"objective": "20x"},
)


def test_scale_unit_and_translation_by_name_leave_other_axes_unchanged() -> None:
    image = IMAGE.replace(
        scale={"T": 20, "x": np.float32(2)}, unit={"t": "ms"}, translation={"x": 1}
    )
    assert image.axes == (
        Axis("t", 20, "millisecond"),
        Axis("c"),
        Axis("y", 0.5, "micrometer", 3),
        Axis("x", 2, "micrometer", 1),
    )
    assert image.array is IMAGE.array


def test_values_for_each_axis() -> None:
    image = IMAGE.replace(axes="ZCYX", scale=(3, 1, 0.2, 0.2), unit=[None, None, "nm", "nm"])
    assert image.axes[0] == Axis("z", 3)
    assert image.axes[2] == Axis("y", 0.2, "nanometer", 3)
    assert image.channels == IMAGE.channels


def test_a_single_length_is_that_of_space_and_a_single_time_that_of_t() -> None:
    assert [axis.unit for axis in IMAGE.replace(unit="nm").axes] == [None, None] + 2 * ["nanometer"]
    assert IMAGE.replace(unit="ms").axes[0].unit == "millisecond"


def test_channels_by_name_keep_their_colors() -> None:
    image = IMAGE.replace(channels=["nuclei", Channel("actin", "#0000ff")])
    assert image.channels == (Channel("nuclei", "#00ff00", (0, 9)), Channel("actin", "#0000ff"))


def test_the_channel_of_an_image_without_channel_axis() -> None:
    image = Image.from_array(np.zeros((4, 5)), name="cells").replace(channels=["GFP"])
    assert (image.name, image.metadata) == ("cells", {"channel": "GFP"})
    image = image.replace(channels=[Channel("RFP", "#ff0000")], name="a")
    assert (image.name, image.metadata) == ("a", {"channel": "RFP"})
    assert image.display == {"colormap": "#ff0000"}


def test_metadata_are_added() -> None:
    image = IMAGE.replace(name="a", metadata={"n": np.int64(3)})
    assert (image.name, image.metadata) == ("a", {"objective": "20x", "n": 3})


def test_another_channel_axis_has_no_channels() -> None:
    assert IMAGE.replace(axes="ctyx").channels == ()


def test_a_mapping_may_use_spacing_units_and_coordinates() -> None:
    (image,) = override_all(
        [IMAGE],
        {
            "axes": "icyx",
            "spacing": {"y": 0.3},
            "spacing_units": {"y": "nm"},
            "coords": {"c": ["nuclei", "actin"], "i": ["a", "b", "c"], "x": np.arange(9) * 2 + 1},
            "objective": "40x",
        },
    )
    assert image.axes == (
        Axis("i"),
        Axis("c"),
        Axis("y", 0.3, "nanometer", 3),
        Axis("x", 2, "micrometer", 1),
    )
    assert [channel.name for channel in image.channels] == ["nuclei", "actin"]
    assert image.metadata == {"objective": "40x", "labels": {"i": ["a", "b", "c"]}}


def test_a_mapping_may_have_attributes_of_ome_as_tifffile_takes_them() -> None:
    (image,) = override_all(
        [IMAGE],
        {
            "TimeIncrement": 20.0,
            "TimeIncrementUnit": "ms",
            "PhysicalSizeX": 6.5e-8,
            "PhysicalSizeXUnit": "m",
            "PhysicalSizeY": 0.065,
            "Channel": {"Name": ["red", "green"], "Fluor": ["RFP", "GFP"]},
            "notes": "run 3",
        },
    )
    assert image.axis("t") == replace(IMAGE.axes[0], scale=20.0, unit="ms")
    assert image.axis("y") == replace(IMAGE.axes[2], scale=0.065, unit="um")
    assert image.axis("x") == replace(IMAGE.axes[3], scale=6.5e-8, unit="m")
    assert [channel.name for channel in image.channels] == ["red", "green"]
    fluors = {"Fluor": ["RFP", "GFP"]}
    assert image.metadata == {"objective": "20x", "notes": "run 3", "Channel": fluors}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("nm", (None, "nanometer", "nanometer")),
        ({"y": "nm"}, ("second", "nanometer", "micrometer")),
        (None, ("second", "micrometer", "micrometer")),
    ],
)
@pytest.mark.parametrize("key", ["unit", "units", "spacing_units"])
def test_a_unit_has_precedence_over_those_that_ome_assumes(
    key: str, unit: Any, expected: tuple[str | None, ...]
) -> None:
    image = Image.from_array(np.zeros((3, 8, 9)), "tyx")
    steps = {"PhysicalSizeX": 65, "PhysicalSizeY": 65, "TimeIncrement": 2}
    (found,) = override_all([image], {**steps, key: unit})
    assert tuple(axis.unit for axis in found.axes) == expected
    assert [axis.scale for axis in found.axes] == [2, 65, 65]


def test_metadata_without_a_form_in_json_are_named() -> None:
    metadata = {"f": print, "n": float("nan"), "kept": np.arange(2)}
    with pytest.warns(FerryWarning) as caught:
        (image,) = override_all([Image.from_array(np.zeros((8, 9)))], metadata)
    assert image.metadata == {"n": None, "kept": [0, 1]}
    assert "metadata, f cannot be stored" in str(caught[0].message)
    assert "metadata, n is not finite: null" in str(caught[1].message)


def test_one_name_for_each_image() -> None:
    images = override_all([IMAGE, IMAGE], {"name": ["a", "b"]})
    assert [image.name for image in images] == ["a", "b"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"axes": "yx"}, "axes y x were given: name one axis"),
        ({"scale": (1, 2)}, "give one value for each"),
        ({"scale": 2}, "give one value for each"),
        ({"scale": {"q": 2}}, "axis 'q', but the image has the axes t c y x"),
        ({"scale": {"x": 0}}, "give a finite number other than 0"),
        ({"translation": {"x": float("nan")}}, "give a finite number"),
        ({"unit": "furlongs"}, "which is not known"),
        ({"channels": ["a"]}, "1 channels are given, but the image has 2"),
        ({"channels": [1, 2]}, "1 is not a channel"),
        ({"name": 3}, "give one for each"),
        ({"name": ["a", "b"]}, "give one for each"),
        ({"name": [3]}, "give a str"),
        ({"scale": {"x": 2}, "spacing": {"x": 2}}, "omit one"),
        ({"scale": {"x": 2}, "PhysicalSizeX": 2}, "scale twice"),
        ({"unit": "nm", "PhysicalSizeX": 2, "PhysicalSizeXUnit": "um"}, "unit twice"),
        ({"Channel": {"Name": ["a"]}}, "1 channels are given, but the image has 2"),
        ({"coords": {"t": [1]}}, "has the length 3"),
        ({"coords": [1]}, "give a list for each axis"),
        ({3: 4}, "give a mapping"),
        ("tyx", "give a mapping"),
    ],
)
def test_what_does_not_fit_is_refused(metadata: Any, message: str) -> None:
    with pytest.raises(InvalidImageError, match=message):
        override_all([IMAGE], metadata)


def test_metadata_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(InvalidImageError, match="The metadata are 5: give a mapping of names"):
        IMAGE.replace(metadata=5)
