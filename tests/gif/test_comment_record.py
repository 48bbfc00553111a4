"""Our own record in a comment of a GIF file."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial

import pytest

import napari_ferry
from gif_files import movie, save
from helpers import assert_same_image, make_full_image
from napari_ferry import imload
from napari_ferry.codecs.gif.comment_record import split_record
from napari_ferry.image import Axis

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)


@pytest.mark.parametrize("axes", ["yx", "tyx", "zyx", "cyx", "tyxs", "yxs", "syx"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_metadata_are_preserved(axes, kind, tmp_path):
    image = make_full_image(axes, "uint8", kind)
    channels = tuple(replace(channel, contrast_limits=None) for channel in image.channels)
    image = replace(image, channels=channels, display={"gamma": 0.5, "visible": False})
    found = imload(imsave(image, tmp_path / "a.gif")[0])[0]
    assert_same_image(found, image)


def test_a_given_frame_rate_calibrates_the_time_axis(tmp_path):
    (found,) = imload(save(movie(3), tmp_path / "a.gif", frame_rate=29.97))
    assert found.axis("t") == Axis("t", 1001 / 30000, "second")
    image = replace(make_full_image("tyx", "uint8"))
    (found,) = imload(imsave(image, tmp_path / "b.gif", frame_rate=40)[0])
    assert found.axes == image.axes


def test_times_changed_by_another_program_are_used(tmp_path):
    image = make_full_image("tyx", "uint8")
    path = imsave(image, tmp_path / "a.gif")[0]
    data = path.read_bytes()
    path.write_bytes(
        data.replace(struct.pack("<H", 10) + b"\0\0,", struct.pack("<H", 8) + b"\0\0,")
    )
    (found,) = imload(path)
    assert found.axes == (Axis("t", 0.08, "second"), *image.axes[1:])
    assert found.name == image.name
    assert found.metadata == image.metadata


def test_a_record_of_another_size_is_ignored(tmp_path):
    path = imsave(make_full_image("tyx", "uint8"), tmp_path / "a.gif")[0]
    path.write_bytes(path.read_bytes().replace(b'"size": 3', b'"size": 4'))
    (found,) = imload(path)
    assert found.name == "a"
    assert found.shape == (3, 5, 7)


@pytest.mark.parametrize(
    "rate", ['"1e999999999"', '"1/0"', "[]", "NaN", '"' + "9" * 5000 + '"', "[" * 100_000]
)
def test_a_damaged_rate_in_a_comment_is_ignored(rate):
    text = '{"frame rate": ' + rate + "}"
    assert split_record(text.encode()) == (text, None)
