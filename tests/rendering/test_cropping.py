"""Part of the plane that a picture shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry import Axis, Image, InvalidImageError, render
from napari_ferry.rendering.cropping import find_crop
from napari_ferry.rendering.world import make_world

SHAPE = (12, 18)


def image(scale: tuple[float, float] = (1, 1)) -> Image:
    pixels = np.arange(SHAPE[0] * SHAPE[1], dtype=np.uint8).reshape(SHAPE)
    axes = (Axis("y", scale[0], None, 3.0), Axis("x", scale[1], None, -2.0))
    return Image((pixels,), axes, display={"contrast_limits": [0.0, 255.0]})


def drawn(**options: object) -> np.ndarray:
    return np.asarray(render(image(), **options).array)


@given(
    rows=st.tuples(st.integers(0, 11), st.integers(1, 12)).filter(lambda ends: ends[0] < ends[1]),
    columns=st.tuples(st.integers(0, 17), st.integers(1, 18)).filter(lambda e: e[0] < e[1]),
)
def test_a_crop_is_that_part_of_the_picture(rows: tuple[int, int], columns: tuple[int, int]):
    crop = f"{rows[0]}:{rows[1]} {columns[0]}:{columns[1]}"
    np.testing.assert_array_equal(drawn(crop=crop), drawn()[slice(*rows), slice(*columns)])


def test_ends_can_be_omitted_and_the_picture_enlarged():
    np.testing.assert_array_equal(drawn(crop=":5, 3:"), drawn()[:5, 3:])
    large = drawn(crop="2:6 3:9", scale=3)
    np.testing.assert_array_equal(large[1::3, 1::3], drawn()[2:6, 3:9])


def test_a_flipped_picture_is_cropped_by_rows_of_the_image():
    np.testing.assert_array_equal(drawn(crop="2:6 3:9", flip="both"), drawn()[2:6, 3:9][::-1, ::-1])


def test_the_axes_of_the_picture_are_those_of_the_part():
    picture = render(image((0.5, 0.5)), crop="2:6 4:9")
    assert picture.axis("y").translation == 4.0
    assert picture.axis("x").translation == 0.0


@pytest.mark.parametrize("crop", ["", "1:2", "a:b c:d", "0:13 0:3", "5:5 0:3", "6:5 0:3", 3])
def test_an_invalid_crop_is_refused(crop: object):
    with pytest.raises(InvalidImageError, match="The crop is"):
        drawn(crop=crop)


@given(data=st.data())
def test_a_drawn_rectangle_is_found(data: st.DataObject):
    scale = data.draw(st.sampled_from([(1.0, 1.0), (0.5, 0.5), (2.0, 1.0)]))
    start = data.draw(st.sampled_from([None, "2:10 4:16"]))
    picture = render(image(scale), crop=start)
    world = make_world([image(scale)])
    height, width = picture.shape[:2]
    whole = find_crop(world, (0, 1), picture.axes[:2], ((0, height), (0, width)))
    assert whole == (start or "0:12 0:18")
    inner = find_crop(world, (0, 1), picture.axes[:2], ((0, height / 2), (0, width / 2)))
    rows, columns = ([int(end) for end in span.split(":")] for span in inner.split())
    first = [0, 0] if start is None else [2, 4]
    assert [rows[0], columns[0]] == first
    assert rows[1] - rows[0] == (6 if start is None else 4)
    assert columns[1] - columns[0] == (9 if start is None else 6)
