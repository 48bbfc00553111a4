"""Several layers: channels of one image, or several images."""

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels

from layer_files import (
    assert_same,
    every_suffix,
    make_channels,
    open_layers,
    pixels,
    round_trip,
    save,
)
from napari_ferry import Axis, Channel, Image, SaveError, imload
from napari_ferry.layers.layer_data import to_layers


def test_losses_of_channels_are_reported(tmp_path: Path, messages):
    layers = [
        ImageLayer(pixels(16, 20), name="GFP", metadata={"laser": {"model": object(), "nm": 488}}),
        ImageLayer(pixels(16, 20), name="RFP", metadata={1: "one", "gain": float("nan")}),
    ]
    green, red = round_trip(tmp_path / "cells.tif", *layers)
    assert green.metadata == {"laser": {"nm": 488}}
    assert red.metadata == {"1": "one", "gain": None}
    (warning,) = messages["warning"]
    assert "of the metadata of GFP, laser.model cannot be stored" in warning
    assert "of the metadata of RFP, 1 has an int as its key" in warning
    assert "of the metadata of RFP, gain is not finite" in warning


@pytest.mark.sample(3)
@every_suffix
@pytest.mark.parametrize("labels", [("z", "y", "x"), ("t", "y", "x"), ("-3", "-2", "-1")])
def test_compatible_layers_become_channels(
    labels: tuple[str, ...], suffix, tmp_path: Path, messages
):
    units = ("second" if labels[0] == "t" else "micrometer", "micrometer", "micrometer")
    layers = make_channels(axis_labels=labels, scale=(2, 0.5, 0.5), units=units)
    saved = save(tmp_path / f"cells{suffix}", *layers)
    (image,) = imload(saved[0])
    assert image.size("c") == 3
    assert [channel.name for channel in image.channels] == ["GFP", "RFP", "DIC"]
    after = open_layers(saved[0])
    assert len(after) == 3
    for one, other in zip(layers, after, strict=True):
        assert_same(one, other)
    assert not messages["warning"]


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_incompatible_layers_become_images_of_one_file(suffix: str, tmp_path: Path):
    layers = [
        *make_channels()[:2],
        ImageLayer(pixels(4, 16, 20, dtype="uint8"), name="other type"),
        ImageLayer(pixels(4, 16, 21), name="other shape"),
        ImageLayer(pixels(4, 16, 20), name="other scale", scale=(1, 2, 2)),
        ImageLayer(pixels(16, 20, 3, dtype="uint8"), name="color", rgb=True),
        Labels(pixels(16, 20), name="nuclei", opacity=0.2),
    ]
    (path,) = save(tmp_path / f"all{suffix}", *layers)
    assert len(imload(path)) == 6
    after = open_layers(path)
    assert [layer.name for layer in after] == [layer.name for layer in layers]
    for one, other in zip(layers, after, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_the_order_of_layers_is_preserved(suffix: str, tmp_path: Path):
    layers = [
        ImageLayer(pixels(16, 20), name="i1"),
        Labels(pixels(16, 20), name="nuclei"),
        ImageLayer(pixels(16, 21), name="wide"),
        ImageLayer(pixels(16, 20, seed=1), name="i2"),
    ]
    for order in (layers, layers[::-1]):
        after = round_trip(tmp_path / f"{order[0].name}{suffix}", *order)
        assert [layer.name for layer in after] == [layer.name for layer in order]
        for one, other in zip(order, after, strict=True):
            assert_same(one, other)


def test_the_order_of_images_is_preserved_if_ambiguous():
    images = [Image.from_array(pixels(16, 20), name=name) for name in "ab"]
    for orders in ((1, None), (1, 1), ("b", "a"), (None, 0)):
        said = [
            Image(image.levels, image.axes, name=image.name, display={"order": order})
            for image, order in zip(images, orders, strict=True)
        ]
        assert [meta["name"] for _, meta, _ in to_layers(said)] == ["a", "b"]


CYCLE = ["cyan", "magenta", "yellow", "blue", "green", "red"]


@pytest.mark.parametrize(
    ("count", "colors"),
    [(1, [None]), (2, ["green", "magenta"]), (3, CYCLE[:3]), (7, [*CYCLE, "cyan"])],
)
@pytest.mark.parametrize("names", [(), "abcdefg"])
def test_channels_without_colors_can_be_told_apart(count, colors, names):
    channels = tuple(Channel(name) for name in names[:count])
    image = Image((pixels(count, 16, 20),), (Axis("c"), Axis("y"), Axis("x")), channels)
    layers = [ImageLayer(data, **meta) for data, meta, _ in to_layers([image])]
    assert [layer.colormap.name for layer in layers] == [color or "gray" for color in colors]
    assert {str(layer.blending) for layer in layers[1:]} <= {"additive"}


def test_the_cycle_of_colors_is_that_of_napari():
    from napari.components import ViewerModel

    layers = ViewerModel().add_image(pixels(7, 16, 20), channel_axis=0)
    assert [layer.colormap.name for layer in layers] == [*CYCLE, "cyan"]


def test_colors_of_a_file_are_not_changed():
    axes = (Axis("c"), Axis("y"), Axis("x"))
    channels = (Channel("a", "#ff0000"), Channel("b"))
    one = Image((pixels(2, 16, 20),), axes, channels)
    other = Image((pixels(2, 16, 20),), axes, display={"colormap": "magma"})
    maps = [meta.get("colormap") for _, meta, _ in to_layers([one, other])]
    assert [getattr(each, "name", each) for each in maps] == ["red", None, "magma", "magma"]


def test_several_images_are_refused_for_raw_binary(tmp_path: Path):
    layers = [ImageLayer(pixels(16, 20)), ImageLayer(pixels(16, 21))]
    with pytest.raises(SaveError, match="raw file holds one image"):
        save(tmp_path / "all.bin", *layers)
    assert list(tmp_path.iterdir()) == []


def test_compatible_pyramids_become_channels(tmp_path: Path):
    layers = [
        ImageLayer([full, full[::2, ::2]], multiscale=True, name=name)
        for name, full in (("a", pixels(64, 80)), ("b", pixels(64, 80, seed=1)))
    ]
    for one, other in zip(layers, round_trip(tmp_path / "both.ome.tif", *layers), strict=True):
        assert np.array_equal(one.data[0], other.data)
        assert one.name == other.name
