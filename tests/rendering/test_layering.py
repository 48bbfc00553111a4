"""Layers of a picture: order, channels and hidden images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers import make_unreadable
from napari_ferry import load_video, save_video
from napari_ferry.image import Channel, Image
from napari_ferry.layers.layer_data import from_layers, to_layers
from napari_ferry.rendering.render import render
from pictures import FULL, gray, noise, seen


def test_a_hidden_image_is_not_read():
    hidden = replace(gray((5, 20, 30)), levels=(make_unreadable((5, 20, 30), "uint8"),))
    hidden = replace(hidden, display={"visible": False})
    shown = gray((5, 20, 30))
    assert np.array_equal(seen(render([shown, hidden])), shown.array)


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


def test_arrays_of_colors_are_layers(tmp_path):
    colors = [noise(3, 8, 10, 3), noise(3, 8, 10, 3)]
    save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(tmp_path / "a.mkv"), colors[1])
