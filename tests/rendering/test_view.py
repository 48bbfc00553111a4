"""Plane, frame axis and position of a movie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_ferry import Axis, Image, InvalidImageError, render
from napari_ferry.rendering.render import POSITION
from pictures import FULL, gray, noise, placed, seen


@pytest.mark.parametrize("plane", ["y x", "x y", "z x", "x z", "z y", "y z"])
def test_any_two_axes_can_be_displayed(plane: str):
    image = gray((5, 20, 30), "zyx")
    picture = render(image, plane=plane)
    running = next(name for name in "zyx" if name not in plane)
    order = ["zyx".index(name) for name in (running, *plane.split())]
    assert np.array_equal(seen(picture), np.asarray(image.array).transpose(order))
    assert picture.axis_names[1:] == ("y", "x", "s")
    assert picture.axis_names[0] not in ("y", "x", "s")


def test_frames_are_selected():
    image = placed(gray((10, 4, 6)), t=(0.5, "second", 3.0))
    picture = render(image, start=2, stop=9, step=3)
    assert np.array_equal(seen(picture), np.asarray(image.array)[2:9:3])
    assert picture.axes[0] == Axis("t", 1.5, "second", 4.0)


def test_numpy_integers_select_frames():
    image = gray((10, 4, 6))
    found = seen(render(image, start=np.int64(2), stop=np.int64(4)))
    assert np.array_equal(found, np.asarray(image.array)[2:4])


def test_position_selects_an_index_on_other_axes():
    image = gray((3, 4, 5, 6), "tzyx")
    picture = render(image, axis="z", position="t=2")
    assert np.array_equal(seen(picture), np.asarray(image.array)[2])
    assert picture.metadata[POSITION] == {"t": 2}
    assert picture.axis_names[0] == "z"


def test_an_image_without_an_axis_is_visible_at_each_position():
    found = seen(render([gray((5, 20, 30)), gray((20, 30))]))
    assert (found == found[0]).all()


def test_an_image_is_not_visible_outside_its_extent():
    image = gray((3, 4, 6), "zyx")
    above = placed(image, z=(1.0, None, 2.0))
    found = seen(render([image, replace(above, display={**FULL, "blending": "additive"})]))
    pixels = np.asarray(image.array)
    assert len(found) == 5
    assert np.array_equal(found[:2], pixels[:2])
    assert np.array_equal(found[3:], pixels[1:])
    assert np.array_equal(found[2], np.minimum(pixels[2].astype(int) + pixels[0], 255))


def test_a_speed_becomes_a_frame_rate():
    image = placed(gray((10, 4, 6)), t=(2.0, "second"))
    assert render(image).frame_rate == pytest.approx(0.5)
    assert render(image, speed=5).frame_rate == pytest.approx(2.5)
    assert render(image, speed=5, step=2).frame_rate == pytest.approx(1.25)
    minutes = placed(gray((10, 4, 6)), t=(1.0, "minute"))
    assert render(minutes, speed=60).frame_rate == pytest.approx(1)


def test_an_ambiguous_frame_axis_or_position_is_refused():
    image = gray((3, 4, 5, 6), "tzyx")
    with pytest.raises(InvalidImageError, match=r"the position on the axes z \(4\) is not given"):
        render(image)
    with pytest.raises(InvalidImageError, match="Any of the axes"):
        render(gray((3, 4, 5, 6), "azyx"))


def test_a_plane_missing_from_an_image_is_refused():
    with pytest.raises(
        InvalidImageError, match="mask has no axis z, which is an axis of the plane"
    ):
        render([gray((5, 20, 30), "zyx"), gray((20, 30), name="mask")], plane="z x")


def test_axis_names_can_contain_spaces():
    named = Image((noise(3, 4, 5, 6),), (Axis("my time"), Axis("z, up"), Axis("y"), Axis("x")))
    found = render(named, axis="my time", position="z, up=2")
    np.testing.assert_array_equal(np.asarray(found.array)[..., 0], named.levels[0][:, 2])
    side = render(named, axis="my time", position="y=1", plane="z, up x")
    np.testing.assert_array_equal(np.asarray(side.array)[..., 0], named.levels[0][:, :, 1])
    with pytest.raises(InvalidImageError, match="The position names the axis z, but"):
        render(named, axis="my time", position="z=2")
    with pytest.raises(InvalidImageError, match="The plane is 'my x'"):
        render(named, plane="my x", position="y=0")


def test_positions_are_parsed_with_any_separators():
    image = Image.from_array(noise(2, 3, 4, 5, 6), ["t", "z", "d", "y", "x"])
    expected = np.asarray(image.array)[:, 1, 3]
    for text in ("z=1 d=3", "z = 1, d =3", " d=3,z=1 "):
        np.testing.assert_array_equal(
            np.asarray(render(image, axis="t", position=text).array)[..., 0], expected
        )


def test_a_speed_requires_a_frame_axis():
    with pytest.raises(InvalidImageError, match="A playback speed of 3 requires a frame axis"):
        render(Image.from_array(noise(6, 8)), speed=3)


def test_a_range_of_frames_requires_a_frame_axis():
    with pytest.raises(InvalidImageError, match="require a frame axis: omit these"):
        render([Image.from_array(np.zeros((4, 4), np.uint8))], stop=3)
