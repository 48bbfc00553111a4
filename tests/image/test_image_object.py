"""Images as objects at a prompt: their text, pixels, length and context."""

import base64
import io
import re
from pathlib import Path

import dask.array
import numpy as np
import pytest
from PIL import Image as Pictures

from napari_ferry import Axis, Image, imload, imsave

PIXELS = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)


def cells(array: object = PIXELS) -> Image:
    """Return a calibrated image."""
    axes = (
        Axis("t", 0.5, "second"),
        Axis("y", 0.25, "micrometer"),
        Axis("x", 0.25, "micrometer"),
    )
    return Image((array,), axes, name="cells")


class Unreadable:
    """A lazy array that must not be read."""

    shape, dtype, ndim = PIXELS.shape, PIXELS.dtype, PIXELS.ndim

    def __getitem__(self, key: object) -> np.ndarray:
        raise OSError("it was read")


def test_the_text_of_an_image_is_one_line_of_facts_and_reads_nothing():
    assert repr(cells(Unreadable())) == (
        "Image('cells', t 3, y 40, x 50, uint16, t step 0.5 second, y step 0.25 micrometer, "
        "x step 0.25 micrometer)"
    )


def test_the_text_tells_labels_and_levels():
    axes = (Axis("y"), Axis("x"))
    image = Image((PIXELS[0], PIXELS[0, ::2, ::2]), axes, kind="labels")
    assert repr(image) == "Image(y 40, x 50, uint16, labels, 2 levels)"


def test_a_notebook_shows_a_table_and_a_picture():
    text = cells()._repr_html_()
    assert "<img" in text
    assert "cells" in text
    assert "t 3, y 40, x 50" in text


def test_a_name_in_a_notebook_is_text():
    image = Image.from_array(PIXELS, "tyx", name="<script>")
    assert "<script>" not in image._repr_html_()


@pytest.mark.parametrize("array", [Unreadable(), np.zeros((0, 4, 4)), np.full((2, 4, 4), np.nan)])
def test_a_notebook_shows_images_without_a_picture_too(array: object):
    image = Image.from_array(array, "tyx")
    assert "<table>" in image._repr_html_()


@pytest.mark.parametrize("dtype", [bool, np.int16, np.float32, np.complex64, np.uint8])
def test_a_picture_of_any_type(dtype: type):
    assert "<img" in cells(PIXELS.astype(dtype))._repr_html_()


def test_a_picture_of_colors_has_these_colors():
    colors = np.zeros((1, 2, 3), np.uint8)
    colors[0, :, 1] = 7, 200
    text = Image.from_array(colors, "yxs")._repr_html_()
    data = base64.b64decode(re.search("base64,([^\"']*)", text)[1])
    with Pictures.open(io.BytesIO(data)) as picture:
        assert np.asarray(picture.convert("RGB")).tolist() == colors.tolist()


def test_a_huge_plane_is_not_read_for_a_picture():
    plane = np.broadcast_to(np.uint8(0), (9000, 9000))
    assert "<img" not in Image.from_array(plane, "yx")._repr_html_()
    assert "<img" in Image.from_array(plane[:900], "yx")._repr_html_()


def test_an_array_of_dask_stays_as_it_is():
    array = dask.array.zeros((3, 40, 50), chunks=(2, 20, 50))
    assert cells(array).to_dask() is array


def test_an_image_is_an_array_of_its_pixels(tmp_path: Path):
    (path,) = imsave(cells(), tmp_path / "cells.tif", compression="zlib")
    for image in (cells(), imload(path)[0]):
        assert np.array_equal(np.asarray(image), PIXELS)
        assert np.array_equal(np.asarray(image, np.float32), PIXELS.astype(np.float32))
        assert np.array_equal(image[1], PIXELS[1])
        assert np.array_equal(image[..., 5], PIXELS[..., 5])
        assert np.mean(image) == PIXELS.mean()
        assert len(image) == 3
        assert [frame[0, 0] for frame in image] == [0, 2000, 4000]
    with pytest.raises(ValueError, match="copy"):
        np.array(imload(path)[0], copy=False)


def test_a_context_closes_the_file(tmp_path: Path):
    (path,) = imsave(cells(), tmp_path / "cells.tif")
    with imload(path)[0] as image:
        image.load()
        assert image.is_loaded
    assert not image.is_loaded


def test_pixels_in_memory_are_used_after_loading(tmp_path: Path):
    (path,) = imsave(cells(), tmp_path / "cells.tif")
    image = imload(path)[0]
    assert np.shares_memory(image.load(), image[1])


def test_levels_of_a_pyramid_have_the_same_dimensions():
    with pytest.raises(ValueError, match="dimensions"):
        Image((PIXELS, PIXELS[0]), cells().axes)
