"""Images drawn without a window: refusals, reading, threads and memory.

test_canvas_pictures.py compares the pictures with napari's own.
"""

from __future__ import annotations

import math
import pickle  # noqa: TID251 - our own
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from numpy.typing import NDArray

from napari_ferry import Axis, Image, InvalidImageError, SaveError, imload, imsave, render, run
from napari_ferry.arrays import Frames
from napari_ferry.rendering.save import plan
from pictures import counted, gray, noise, placed

SIMPLE = gray((5, 20, 30), "zyx")
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("The plane is 'y': name two of the axes z y x", {"plane": "y"}),
    ("The plane is 'y y': name two", {"plane": "y y"}),
    ("The plane is 'q x': name two", {"plane": "q x"}),
    ("The plane is 5: name two", {"plane": 5}),
    ("The frame axis is 'q', but the image has z: choose one", {"axis": "q"}),
    ("The frame axis is 'x', but the image has z: choose one", {"axis": "x"}),
    ("The axis z is the frame axis and also has a position", {"axis": "z", "position": "z=1"}),
    ("The position is 'z': give an index for each axis", {"position": "z"}),
    ("The position is z=9, but z has 5 indices", {"position": "z=9"}),
    ("The position names the axis q", {"position": "q=1"}),
    ("names an axis twice", {"position": "z=1 z=2"}),
    ("from 5 to before 5, but z has 5: choose a start and a stop between 0 and 5", {"start": 5}),
    ("from -1 to before 5", {"start": -1}),
    ("from 3 to before 2", {"start": 3, "stop": 2}),
    ("from 0 to before 6", {"stop": 6}),
    ("in steps of 0: give integers", {"step": 0}),
    ("in steps of 1.5: give integers", {"step": 1.5}),
    ("from 'a' to None", {"start": "a"}),
    ("The playback speed is 0, expected a positive number", {"speed": 0}),
    ("The playback speed is nan, expected", {"speed": math.nan}),
    ("The playback speed is 'x', expected", {"speed": "x"}),
    ("The axis z is not calibrated in time, so a playback speed of 5 x", {"speed": 5}),
    ("The scale is 0: give a positive number", {"scale": 0}),
    ("The scale is -1: give a positive number", {"scale": -1}),
    ("The scale is inf: give a positive number", {"scale": math.inf}),
    ("The scale is 'x': give a positive number", {"scale": "x"}),
    ("The scale is 2 with a fit", {"scale": 2, "fit": "4K"}),
    ("0 x 0 pixels: choose a scale other than 0.001", {"scale": 0.001}),
    ("3000000 x 2000000 pixels: choose a scale other", {"scale": 1e5}),
    ("The fit is '720p': choose one of 1080p, 4K", {"fit": "720p"}),
    (r"The fit is \['4K'\]: choose one of", {"fit": ["4K"]}),
    ("The background is 'sky': give the name of a color", {"background": "sky"}),
    ("The background is None: give", {"background": None}),
    ("The background is 5: give", {"background": 5}),
]


@pytest.mark.parametrize(("message", "options"), WRONG)
def test_an_invalid_option_is_refused(message: str, options: dict[str, Any]):
    with pytest.raises(InvalidImageError, match=message) as caught:
        render(SIMPLE, **options)
    assert str(caught.value).endswith(".")


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


def test_nothing_is_read_before_a_frame_is_requested():
    image, reads = counted((20, 8, 9))
    picture = render(image, start=3, step=4)
    assert not reads
    picture.array[1]
    assert reads == {7: 1}
    picture.array[[0, 2]]
    assert reads == {7: 1, 3: 1, 11: 1}


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


def test_a_warning_of_a_source_is_shown_once(tmp_path):
    def fail(block: Any) -> Any:
        raise KeyError("the disk is gone")

    zeros = da.zeros((6, 8, 8), chunks=(3, 8, 8), dtype=np.uint8)
    broken = zeros.map_blocks(fail, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    with pytest.raises(SaveError) as caught:
        run(plan(Image.from_array(broken, "tyx"), tmp_path / "a.mp4", text="a"))
    assert str(caught.value).count("could not be read") == 1
    assert "the disk is gone" in str(caught.value)


def test_colors_in_front_are_refused():
    planar = Image.from_array(noise(3, 6, 8), "syx")
    with pytest.raises(InvalidImageError, match="transpose the array first"):
        render(planar)


@pytest.mark.thorough
def test_a_movie_of_very_many_frames_begins_at_once():
    steps = da.zeros((10**8, 4, 4), chunks=(10**6, 4, 4), dtype=np.uint8)
    image = render(Image.from_array(steps, "tyx"), step=10**3)
    assert image.array[99_999].shape == (4, 4, 3)


def test_too_many_frames_are_refused():
    fine, coarse = (
        Image((noise(300, 4, 4),), (Axis("t", step, "second"), Axis("y"), Axis("x")))
        for step in (1e-6, 1.0)
    )
    with pytest.raises(InvalidImageError, match="The movie would have 299000001 frames"):
        render([fine, coarse])
    assert render([fine, coarse], stop=300).shape == (300, 4, 4, 3)
