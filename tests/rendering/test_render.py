"""Drawing from samples without a window: geometry, selection of frames, colors, and reading.

What the pictures look like beside napari's own is in test_canvas_pictures.py.
"""

from __future__ import annotations

import math
import pickle  # noqa: TID251 - our own
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import make_unreadable
from napari_ferry import imload, imsave
from napari_ferry.arrays import Frames
from napari_ferry.errors import FerryWarning, InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.layers.layer_data import from_layers, to_layers
from napari_ferry.rendering.blend import BlendMode, blend, make_packed_blend
from napari_ferry.rendering.render import POSITION, render
from napari_ferry.rendering.sampling import AxisSampling, make_sampling, sample
from napari_ferry.rendering.style import choose_paint

FULL = {"contrast_limits": [0, 255]}


def gray(shape: tuple[int, ...], axes: str | None = None, **more: Any) -> Image:
    """Return an 8-bit image displayed like its samples."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return replace(Image.from_array(pixels, axes), display=FULL, **more)


def placed(image: Image, **axes: tuple[Any, ...]) -> Image:
    """Return an image with new axes, given as (scale, unit, translation) by name."""
    return replace(image, axes=tuple(Axis(a.name, *axes.get(a.name, ())) for a in image.axes))


def seen(image: Image) -> NDArray[np.uint8]:
    """Return the pixels of a gray picture, without the color axis."""
    pixels = np.asarray(image.array)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


class Counting:
    """Reader of the frames of an array, with a counter for each frame."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        self.pixels, self.reads = pixels, Counter[int]()

    def __call__(self, i: int) -> NDArray[Any]:
        self.reads[i] += 1
        return self.pixels[i]


def counted(shape: tuple[int, ...], dtype: str = "uint8") -> tuple[Image, Counter[int]]:
    """Return an image of frames, and the counts of reads."""
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    read = Counting(pixels)
    image = Image.from_array(Frames(read, shape, dtype, 1))
    return replace(image, display=FULL), read.reads


# --- geometry --------------------------------------------------------------------------------


def test_a_picture_is_the_samples():
    image = gray((20, 30))
    picture = render(image)
    assert picture.axis_names == ("y", "x", "s")
    assert picture.dtype == np.uint8
    assert np.array_equal(seen(picture), image.array)


@pytest.mark.parametrize(
    ("y", "x", "shape"),
    [
        (1, 1, (20, 30)),
        (2, 1, (40, 30)),
        (0.25, 0.5, (20, 60)),
        (1.7, 1, (34, 30)),
        (-3, 1, (60, 30)),
    ],
)
def test_the_finest_axis_determines_the_pixel_size(y: float, x: float, shape: tuple[int, int]):
    picture = render(placed(gray((20, 30)), y=(y,), x=(x,)))
    assert picture.shape == (*shape, 3)
    assert picture.axes[0].scale == picture.axes[1].scale == pytest.approx(min(abs(y), abs(x)))


def test_coarse_samples_are_repeated():
    image = gray((20, 30))
    found = seen(render(placed(image, y=(2.0,))))
    assert np.array_equal(found, np.repeat(np.asarray(image.array), 2, 0))


def test_a_negative_scale_mirrors():
    image = gray((20, 30))
    found = seen(render(placed(image, y=(-1.0, None, 5.0))))
    assert np.array_equal(found, np.asarray(image.array)[::-1])


def test_pixels_are_enlarged():
    image = gray((20, 30))
    picture = render(image, scale=3)
    assert np.array_equal(seen(picture), np.kron(image.array, np.ones((3, 3), np.uint8)))
    assert picture.axes[0].scale == pytest.approx(1 / 3)
    assert picture.axes[0].translation == pytest.approx(-1 / 3)


def test_a_picture_has_the_translation_of_its_image():
    image = placed(gray((20, 30)), y=(0.5, "micrometer", 7.0), x=(0.5, "micrometer", -2.0))
    down, right, _ = render(image).axes
    assert (down.scale, down.unit, down.translation) == pytest.approx((0.5, "micrometer", 7.0))
    assert (right.scale, right.unit, right.translation) == pytest.approx((0.5, "micrometer", -2.0))


def test_units_of_one_quantity_are_converted():
    one = placed(gray((20, 30)), y=(0.5, "micrometer"), x=(0.5, "micrometer"))
    two = placed(gray((20, 30)), y=(500.0, "nanometer"), x=(500.0, "nanometer"))
    both = render([one, replace(two, display={**FULL, "visible": False})])
    assert np.array_equal(seen(both), seen(render(one)))
    assert (both.axes[0].scale, both.axes[0].unit) == (500.0, "nanometer")


def test_units_of_different_quantities_are_ignored():
    one = placed(gray((20, 30)), y=(1.0, "micrometer"), x=(1.0, "micrometer"))
    both = render([one, replace(gray((40, 60)), display={"visible": False})])
    assert both.shape == (40, 60, 3)
    assert np.array_equal(seen(both)[:20, :30], one.array)


def test_images_are_aligned_by_translation():
    above = placed(gray((4, 6)), y=(1.0, None, 15.0), x=(1.0, None, 28.0))
    found = seen(render([gray((20, 30)), above]))
    assert found.shape == (20, 34)
    assert np.array_equal(found[15:19, 28:], above.array)
    assert not found[:15, 30:].any()


@pytest.mark.parametrize(("scale", "which"), [(2, 0), (1, 0), (0.5, 1), (0.3, 1), (0.25, 2)])
def test_the_smallest_sufficient_level_is_read(scale: float, which: int):
    shapes = [(3, 64, 96), (3, 32, 48), (3, 16, 24)]
    levels: list[Any] = [make_unreadable(shape, "uint8") for shape in shapes]
    levels[which] = gray(shapes[which]).array
    image = replace(gray(shapes[0]), levels=tuple(levels))
    picture = render(image, scale=scale)
    size = (int(64 * scale), int(96 * scale))
    assert picture.array[1].shape == (*size, 3)
    if size == shapes[which][1:]:
        assert np.array_equal(picture.array[1][..., 0], levels[which][1])


def test_a_hidden_image_is_not_read():
    hidden = replace(gray((5, 20, 30)), levels=(make_unreadable((5, 20, 30), "uint8"),))
    hidden = replace(hidden, display={"visible": False})
    shown = gray((5, 20, 30))
    assert np.array_equal(seen(render([shown, hidden])), shown.array)


# --- selection of frames ----------------------------------------------------------------------


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


def test_layers_are_drawn_in_their_recorded_order():
    look = {**FULL, "blending": "translucent_no_depth", "colormap": "gray"}
    dark, bright = replace(gray((4, 6)), display=look), replace(gray((4, 6)), display=look)
    dark = replace(dark, levels=(np.zeros((4, 6), np.uint8),))
    labels = Image.from_array(np.ones((4, 6), np.int32), kind="labels")
    layers = to_layers([dark]) + to_layers([labels]) + to_layers([bright])
    images = from_layers(layers)
    assert [image.kind for image in images] == ["image", "labels"], "the two became channels"
    assert np.array_equal(seen(render(images)), bright.array)


def test_channels_are_layers():
    channels = (Channel("a", "#ff0000", (0, 255)), Channel("b", "#00ff00", (0, 255)))
    image = replace(gray((2, 4, 6), "cyx"), channels=channels, display={})
    found = np.asarray(render(image).array)
    assert np.array_equal(np.moveaxis(found[..., :2], -1, 0), image.array)
    assert not found[..., 2].any()


SIMPLE = gray((5, 20, 30), "zyx")
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("The plane is 'y': name two of the axes z y x", {"plane": "y"}),
    ("The plane is 'y y': name two", {"plane": "y y"}),
    ("The plane is 'q x': name two", {"plane": "q x"}),
    ("The plane is 5: name two", {"plane": 5}),
    ("The frame axis is 'q', but the image has z: choose one", {"axis": "q"}),
    ("The frame axis is 'x', but the image has z: choose one", {"axis": "x"}),
    ("The axis z is the frame axis and has a position, too", {"axis": "z", "position": "z=1"}),
    ("The position is 'z': give an index for each axis", {"position": "z"}),
    ("The position is z=9, but z has 5 indices", {"position": "z=9"}),
    ("The position names the axis q", {"position": "q=1"}),
    ("names an axis twice", {"position": "z=1 z=2"}),
    ("from 5 to before 5, but z has 5: choose a start and a stop between 0 and 5", {"start": 5}),
    ("from -1 to before 5", {"start": -1}),
    ("from 3 to before 2", {"start": 3, "stop": 2}),
    ("from 0 to before 6", {"stop": 6}),
    ("in steps of 0: enter integers", {"step": 0}),
    ("in steps of 1.5: enter integers", {"step": 1.5}),
    ("from 'a' to None", {"start": "a"}),
    ("The playback speed is 0, expected a positive number", {"speed": 0}),
    ("The playback speed is nan, expected", {"speed": math.nan}),
    ("The playback speed is 'x', expected", {"speed": "x"}),
    ("The axis z is not calibrated in time, so a playback speed of 5 x", {"speed": 5}),
    ("The scale is 0: specify a positive number", {"scale": 0}),
    ("The scale is -1: specify a positive number", {"scale": -1}),
    ("The scale is inf: specify a positive number", {"scale": math.inf}),
    ("The scale is 'x': specify a positive number", {"scale": "x"}),
    ("The scale is 2 with a fit", {"scale": 2, "fit": "4K"}),
    ("0 x 0 pixels: choose a scale other than 0.001", {"scale": 0.001}),
    ("3000000 x 2000000 pixels: choose a scale other", {"scale": 1e5}),
    ("The fit is '720p': choose one of 1080p, 4K", {"fit": "720p"}),
    (r"The fit is \['4K'\]: choose one of", {"fit": ["4K"]}),
    ("The background is 'sky': enter the name of a color", {"background": "sky"}),
    ("The background is None: enter", {"background": None}),
    ("The background is 5: enter", {"background": 5}),
]


@pytest.mark.parametrize(("message", "options"), WRONG)
def test_an_invalid_option_is_refused(message: str, options: dict[str, Any]):
    with pytest.raises(InvalidImageError, match=message) as caught:
        render(SIMPLE, **options)
    assert str(caught.value).endswith(".")


def test_an_ambiguous_frame_axis_or_position_is_refused():
    image = gray((3, 4, 5, 6), "tzyx")
    with pytest.raises(InvalidImageError, match=r"the position on the axes z \(4\) is not given"):
        render(image)
    with pytest.raises(InvalidImageError, match="Any of the axes"):
        render(gray((3, 4, 5, 6), "azyx"))


def bad_axis(**axes: tuple[Any, ...]) -> Image:
    return placed(gray((20, 30)), **axes)


REFUSED: list[tuple[str, Callable[[], Any]]] = [
    ("There is nothing to save or draw", list),
    ("has the axes x y; to be drawn, y and x come last", lambda: gray((20, 30), "xy")),
    ("has the axes y x t; to be drawn", lambda: gray((4, 5, 6), "yxt")),
    ("has the axes y x s; to be drawn", lambda: gray((4, 5, 2), "yxs")),
    ("with a scale of 0 or a scale that is not finite", lambda: bad_axis(y=(0.0,))),
    ("with a scale of 0 or a scale that is not finite", lambda: bad_axis(x=(math.nan,))),
    ("with a translation that is not finite", lambda: bad_axis(y=(1.0, None, math.inf))),
    ("with a translation that is not finite", lambda: bad_axis(x=(1.0, None, math.nan))),
    (r"has the shape \(0, 20, 30\) and therefore no samples", lambda: gray((0, 20, 30))),
    (r"has the shape \(0, 30\) and therefore no samples", lambda: gray((0, 30))),
    ("complex128, and complex numbers", lambda: Image.from_array(np.ones((4, 5), complex))),
    ("samples of <U1, expected real numbers", lambda: Image.from_array(np.full((4, 5), "a"))),
    (
        "labels of float64, expected integers",
        lambda: Image.from_array(np.ones((4, 5)), kind="labels"),
    ),
    (
        r"is transformed \(rotate\)",
        lambda: replace(gray((20, 30)), display={"rotate": [[0, 1], [-1, 0]]}),
    ),
]


@pytest.mark.parametrize(("message", "make"), REFUSED)
def test_images_that_cannot_be_drawn_are_refused(message: str, make: Callable[[], Any]):
    with pytest.raises(InvalidImageError, match=message):
        render(make())


def test_a_plane_missing_from_an_image_is_refused():
    with pytest.raises(
        InvalidImageError, match="mask has no axis z, which is an axis of the plane"
    ):
        render([gray((5, 20, 30), "zyx"), gray((20, 30), name="mask")], plane="z x")


# --- fitted into a screen ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "fit", "factor"),
    [
        ((270, 480), "1080p", 4),
        ((270, 300), "1080p", 4),
        ((300, 300), "1080p", 3),
        ((300, 300), "4K", 7),
        ((1080, 1920), "1080p", 1),
        ((1080, 100), "4K", 2),
    ],
)
def test_a_small_picture_is_enlarged_by_an_integer(shape: tuple[int, int], fit: Any, factor: int):
    image = gray(shape)
    found = seen(render(image, fit=fit))
    assert np.array_equal(found, np.asarray(image.array).repeat(factor, 0).repeat(factor, 1))


@pytest.mark.parametrize(
    ("shape", "fit", "factor"),
    [
        ((2160, 3840), "1080p", 2),
        ((1081, 1000), "1080p", 2),
        ((2161, 3999), "1080p", 3),
        ((101, 7681), "4K", 3),
    ],
)
def test_a_large_picture_is_reduced_to_means_of_blocks(
    shape: tuple[int, int], fit: Any, factor: int
):
    image = gray(shape)
    rows, columns = shape[0] // factor, shape[1] // factor
    whole = np.asarray(image.array)[: rows * factor, : columns * factor]
    blocks = whole.reshape(rows, factor, columns, factor).astype(int).sum((1, 3))
    means = (blocks + factor**2 // 2) // factor**2
    picture = render(image, fit=fit)
    assert np.array_equal(seen(picture), means)
    assert picture.axes[1].scale == pytest.approx(factor)
    assert picture.axes[1].translation == pytest.approx((factor - 1) / 2)


def test_a_picture_narrower_than_a_block_keeps_a_line():
    image = replace(gray((3, 13000)), levels=(np.full((3, 13000), 255, np.uint8),))
    picture = render(image, fit="1080p")
    assert picture.shape == (1, 1857, 3)
    assert (seen(picture) == 255).all()


# --- display settings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("opacity", value) for value in ("x", -1, 2, math.nan, None, True, [1])),
        *(("gamma", value) for value in ("x", 0, -1, math.nan, math.inf)),
        *(("visible", value) for value in (0, "no", None)),
        *(("blending", value) for value in ("x", 5, None)),
        *(("interpolation2d", value) for value in ("nearest",)),
        *(("contrast_limits", value) for value in ("ab", [9, 1], [5, 5], [0, math.nan], [1])),
    ],
)
@pytest.mark.parametrize("axes", ["yx", "yxs"])
def test_an_invalid_display_value_is_ignored(key: str, value: Any, axes: str):
    pixels = np.arange(48, dtype=np.uint8).reshape((4, 4, 3) if axes == "yxs" else (6, 8))
    plain = Image.from_array(pixels, axes)
    found = np.asarray(render(replace(plain, display={key: value})).array)
    assert np.array_equal(found, np.asarray(render(plain).array))


@pytest.mark.parametrize("value", ["x", math.inf, math.nan, -1, None, True])
def test_an_invalid_contour_fills_labels(value: Any):
    plain = Image.from_array(np.ones((4, 5), np.uint8), kind="labels")
    found = np.asarray(render(replace(plain, display={"contour": value})).array)
    assert np.array_equal(found, np.asarray(render(plain).array))


@pytest.mark.parametrize("value", ["nope", 5, {}, ["a"], {"colors": "x"}, {"colors": [[1]]}])
def test_an_unknown_colormap_is_gray_with_a_warning(value: Any):
    plain = gray((4, 5), name="cells")
    with pytest.warns(FerryWarning, match="cells: the file contains values of colormap"):
        found = render(replace(plain, display={**FULL, "colormap": value}))
    assert np.array_equal(seen(found), plain.array)


@pytest.mark.parametrize("value", [{}, {"direct": []}, {"drawn": 5}, {"drawn": -1, "seed": 0}])
def test_invalid_label_colors_are_replaced_by_defaults_with_a_warning(value: Any):
    plain = Image.from_array(np.arange(20).reshape(4, 5), kind="labels")
    with pytest.warns(FerryWarning, match="colormap"):
        found = render(replace(plain, display={"colormap": value}))
    assert np.array_equal(found.array, render(plain).array)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint32", "int64", "uint64", "bool"])
def test_labels_of_any_type_have_the_same_colors(dtype: str):
    numbers = np.arange(20).reshape(4, 5) % (2 if dtype == "bool" else 20)
    plain = Image.from_array(numbers.astype(np.uint8), kind="labels")
    found = render(Image.from_array(numbers.astype(dtype), kind="labels"))
    assert np.array_equal(found.array, render(plain).array)


@pytest.mark.parametrize(
    ("dtype", "numbers"),
    [
        ("uint64", (3, 2**63 + 5, 2**64 - 1)),
        ("int64", (-(2**63), -1, 2**63 - 1)),
        ("int8", (-128, -1, 127)),
    ],
)
def test_labels_with_individual_colors_can_be_any_integer(dtype: str, numbers: tuple[int, ...]):
    colors = [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]
    direct = [*zip(numbers, colors, strict=True), [None, [1, 1, 1, 1]]]
    labels = Image.from_array(np.array([[*numbers, 7]], dtype), kind="labels")
    found = render(replace(labels, display={"opacity": 1, "colormap": {"direct": direct}}))
    expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    assert np.array_equal(found.array, [expected])


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float64", -1e300, 1e300),
        ("float64", 1e300, 2e300),
        ("int32", 2**30, 2**30 + 10),
        ("uint64", 2**50, 2**50 + 10),
        ("float32", 0, 1e38),
        ("float64", 0, 1e-300),
    ],
)
def test_limits_not_representable_in_single_precision(dtype: str, low: float, high: float):
    steps = np.linspace(0, 1, 11)
    image = Image.from_array((low + steps * (high - low)).astype(dtype)[None].repeat(2, 0))
    image = replace(image, display={"contrast_limits": [float(low), float(high)]})
    assert np.abs(seen(render(image))[0] - steps * 255).max() <= 1.5


def test_colors_of_16_bits_and_their_alpha():
    pixels = np.zeros((1, 3, 4), np.uint16)
    pixels[0, :, 0], pixels[0, :, 3] = 65535, (0, 32768, 65535)
    found = np.asarray(render(Image.from_array(pixels, "yxs")).array)
    assert found[0, :, 0].tolist() == [0, 128, 255]
    assert not found[..., 1:].any()


@pytest.mark.parametrize("color", ["white", "#ffffff"])
def test_the_background_is_visible_around_images(color: str):
    hidden = replace(gray((4, 5)), display={"visible": False})
    assert (seen(render(hidden, background=color)) == 255).all()
    assert not seen(render(hidden)).any()


# --- reading ----------------------------------------------------------------------------------


def test_nothing_is_read_before_a_frame_is_requested():
    image, reads = counted((20, 8, 9))
    picture = render(image, start=3, step=4)
    assert not reads
    picture.array[1]
    assert reads == {7: 1}
    picture.array[[0, 2]]
    assert reads == {7: 1, 3: 1, 11: 1}


def test_unknown_limits_are_computed_lazily():
    image, reads = counted((20, 8, 9), "uint16")
    picture = render(replace(image, display={}))
    assert not reads
    picture.array[0]
    found = sorted(reads)
    assert len(found) == 9
    assert (found[0], found[-1]) == (0, 19)
    before = reads.copy()
    picture.array[1]
    assert reads - before == {1: 1}, "limits are found once"


def test_limits_are_computed_from_some_frames():
    pixels = np.full((20, 4, 5), 600, np.uint16)
    pixels[0, 0, 0], pixels[-1, 0, 0], pixels[1] = 100, 1100, 5000
    found = seen(render(Image.from_array(pixels)))
    assert (found[0, 0, 0], found[-1, 0, 0], found[1].min()) == (0, 255, 255)
    assert (found[10] == 128).all()


def test_limits_of_a_pyramid_are_computed_from_its_smallest_level():
    small = np.array([[0, 1000]], np.uint16)
    image = Image.from_array(make_unreadable((1, 64, 128), "uint16"))
    image = replace(image, levels=(image.array, small[None]))
    paint: Any = choose_paint(image)
    assert paint.limits.find() == (0, 1000)


def test_a_picture_can_be_pickled(tmp_path: Path):
    imsave(gray((6, 20, 30)), tmp_path / "a.tif")
    (image,) = imload(tmp_path / "a.tif")
    labels = Image.from_array(np.arange(600, dtype=np.int32).reshape(20, 30), kind="labels")
    picture = render([image, labels], scale=1.5)
    before = np.asarray(picture.array)
    again = pickle.loads(pickle.dumps(picture.array))
    assert np.array_equal(again, before)


def test_threads_see_the_same_frames():
    image, _ = counted((24, 40, 50), "uint16")
    labels = Image.from_array(np.arange(2000).reshape(40, 50) % 9, kind="labels")
    expected = np.asarray(render([image, labels]).array)
    array = render([replace(image, display={}), labels]).array
    fixed = render([image, labels]).array
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: fixed[i % 24], range(96)))
        first = list(pool.map(lambda i: array[i % 24], range(96)))
    assert all(np.array_equal(frame, expected[i % 24]) for i, frame in enumerate(found))
    assert all(np.array_equal(frame, first[i % 24]) for i, frame in enumerate(first))


class Noise:
    """Reader of generated frames, not kept in memory."""

    def __call__(self, i: int) -> NDArray[np.uint16]:
        return np.random.default_rng(i).integers(0, 4096, (256, 256), np.uint16)


def test_memory_does_not_grow_with_the_stack():
    image = Image.from_array(Frames(Noise(), (500, 256, 256), np.uint16, 1))
    image = replace(image, display={"contrast_limits": [0, 4095], "colormap": "viridis"})
    array = render(image).array
    array[0]
    tracemalloc.start()
    try:
        for i in range(500):
            array[i]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 25 * array[0].nbytes, "8 frames of each side are kept"


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".tif", ".ome.tif"])
def test_pictures_are_saved(suffix: str, tmp_path: Path):
    y, x = np.mgrid[:32, :48]
    pixels = (1000 + 500 * np.sin((x + np.arange(6)[:, None, None]) / 9) + 9 * y).astype(np.uint16)
    image = placed(Image.from_array(pixels), t=(0.1, "second"))
    image = replace(image, display={"contrast_limits": [500, 1800], "colormap": "magma"})
    picture = render(image, scale=2)
    imsave(picture, tmp_path / f"a{suffix}")
    (again,) = imload(tmp_path / f"a{suffix}")
    assert again.shape == picture.shape == (6, 64, 96, 3)
    assert again.frame_rate == pytest.approx(10)
    difference = np.abs(np.asarray(again.array).astype(int) - np.asarray(picture.array))
    assert difference.mean() < (0 if "tif" in suffix else 6) + 1e-9


# --- sampling, blending--------------------------------------------------------------------------


@st.composite
def lines(draw: Any) -> tuple[NDArray[np.float64], int]:
    """Draw evenly spaced positions and a number of samples."""
    first = draw(st.floats(-20, 20))
    step = draw(st.floats(0.05, 5)) * draw(st.sampled_from([1, -1]))
    return first + np.arange(draw(st.integers(1, 40))) * step, draw(st.integers(1, 20))


def reference(places: NDArray[np.float64], values: NDArray[Any], is_smooth: bool) -> list[Any]:
    """Return the value at each position inside an image, one by one."""
    found = []
    for place in places:
        if not -0.5 <= place < len(values) - 0.5:
            continue
        inside = min(max(place, 0), len(values) - 1)
        low = int(inside)
        high = min(low + 1, len(values) - 1)
        mixed = values[low] + (inside - low) * (values[high] - values[low])
        found.append(mixed if is_smooth else values[math.floor(place + 0.5)])
    return found


@given(lines(), lines(), st.booleans())
def test_sampling_matches_a_reference(
    down: tuple[NDArray[np.float64], int], right: tuple[NDArray[np.float64], int], is_smooth: bool
):
    values = np.random.default_rng(0).random((down[1], right[1]))
    rows, columns = (make_sampling(*side, is_smooth=is_smooth) for side in (down, right))
    found = sample(values[rows.needed, columns.needed], rows, columns)
    half = [reference(right[0], row, is_smooth) for row in values]
    expected = [reference(down[0], column, is_smooth) for column in zip(*half, strict=True)]
    assert found.shape == (len(rows.low), len(columns.low))
    if found.size:
        np.testing.assert_allclose(found, np.transpose(expected), atol=1e-6)
    covered = np.flatnonzero((down[0] >= -0.5) & (down[0] < down[1] - 0.5))
    assert covered.tolist() == list(range(rows.first, rows.stop))


@given(lines(), st.booleans(), st.integers(1, 7))
def test_bands_add_up_to_the_whole_picture(
    down: tuple[NDArray[np.float64], int], is_smooth: bool, height: int
):
    values = np.random.default_rng(0).random((down[1], 3))
    rows, columns = (
        make_sampling(*down, is_smooth=is_smooth),
        AxisSampling(first=0, low=np.arange(3), weight=None, size=3),
    )
    bands = [rows.crop(k, k + height) for k in range(rows.first, rows.stop, height)]
    parts = [sample(values[band.needed], band, columns) for band in bands]
    whole = sample(values[rows.needed], rows, columns)
    assert np.array_equal(np.concatenate([whole[:0], *parts]), whole)


@given(
    st.sampled_from(get_args(BlendMode)),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["opaque", "gaps", "faint"]),
    st.booleans(),
)
def test_packed_blending_equals_blending(
    mode: BlendMode, seed: int, alpha: str, is_on_opaque: bool
):
    rng = np.random.default_rng(seed)
    table = rng.random((50, 4), np.float32)
    table[:, 3] = {"opaque": 1, "gaps": table[:, 3] > 0.5, "faint": table[:, 3]}[alpha]
    is_lowest = mode in ("first", "faded")
    canvas = rng.integers(0, 256, (9, 7, 4), np.uint8)
    if is_on_opaque or is_lowest:
        canvas[..., 3] = 255
    packed = make_packed_blend(table, mode, is_on_opaque=is_on_opaque)
    index = rng.integers(0, 50, canvas.shape[:2])
    mixed = canvas.copy()
    blend(mixed, table[index], mode)
    if packed is None:
        assert mode == "multiply" or alpha == "faint" or not is_on_opaque
        return
    packed.apply(canvas, packed.colors[index])
    assert np.abs(canvas.astype(int) - mixed).max() <= 1
