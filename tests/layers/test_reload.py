"""Layers whose pixels are replaced by those of their files, opened anew."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Layer

from helpers import make_image
from layer_files import make_channels, open_layers, pixels, save
from napari_ferry import Image, imsave
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.plugin.origins import origin_of
from napari_ferry.plugin.reload import (
    group_by_source,
    merge_axes,
    merge_mappings,
    missing_origin,
    open_source,
    read_frame,
    replace_layers,
)

KEYS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2))
NUMBERS = st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=2, max_size=5)


def reload(*layers, position=()):
    for source, members in group_by_source(layers, layers).items():
        replace_layers(source, members, open_source(source, position))


def test_frames_that_were_added_appear(tmp_path: Path):
    imsave(pixels(3, 8, 9), tmp_path / "a.tif")
    (layer,) = open_layers(tmp_path / "a.tif")
    now = pixels(7, 8, 9, seed=1)
    imsave(now, tmp_path / "a.tif", overwrite=True)
    reload(layer)
    assert np.array_equal(layer.data, now)
    assert layer.extent.data[1].tolist() == [6, 7, 8]


def test_what_the_user_sees_and_changed_stays(tmp_path: Path):
    image = replace(make_image("tyx"), metadata={"laser": 488, "site": 1})
    imsave(image, tmp_path / "a.tif")
    (layer,) = open_layers(tmp_path / "a.tif")
    layer.contrast_limits, layer.gamma, layer.opacity = (3, 77), 0.5, 0.25
    layer.colormap, layer.blending, layer.visible, layer.name = "magma", "additive", False, "mine"
    layer.metadata["note"] = "good"
    layer.scale = (*layer.scale[:2], 7)
    shown = layer.as_layer_data_tuple()[1]

    axes = [replace(axis, scale=axis.scale * 3) for axis in image.axes]
    changed = Image(image.levels, tuple(axes), metadata={"laser": 561})
    imsave(changed, tmp_path / "a.tif", overwrite=True)
    reload(layer)
    after = layer.as_layer_data_tuple()[1]
    for key in ("contrast_limits", "gamma", "opacity", "colormap", "blending", "visible", "name"):
        assert after[key] == shown[key]
    assert layer.scale.tolist() == pytest.approx([*(axis.scale for axis in axes[:2]), 7])
    assert (layer.metadata["laser"], layer.metadata["note"]) == (561, "good")
    assert "site" not in layer.metadata


def test_a_position_that_changed_in_the_file_is_applied(tmp_path: Path):
    image = make_image("tyx")
    imsave(image, tmp_path / "a.ome.tif")
    (layer,) = open_layers(tmp_path / "a.ome.tif")
    imsave(image.replace(translation={"y": 40.0}), tmp_path / "a.ome.tif", overwrite=True)
    before = layer.translate.copy()
    reload(layer)
    assert (layer.translate - before).tolist() == [0, 40, 0]


def test_layers_of_another_file_are_left(tmp_path: Path):
    for name in "ab":
        imsave(pixels(3, 8, 9), tmp_path / f"{name}.tif")
    a, b = (open_layers(tmp_path / f"{name}.tif")[0] for name in "ab")
    imsave(pixels(7, 8, 9), tmp_path / "a.tif", overwrite=True)
    ((source, members),) = group_by_source([a], [a]).items()
    own = Layer.create(np.zeros((2, 2)))
    replace_layers(source, [own, b, *members], open_source(source, ()))
    assert [layer.data.shape for layer in (own, a, b)] == [(2, 2), (7, 8, 9), (3, 8, 9)]


def test_channels_are_replaced_together_and_by_name(tmp_path: Path):
    channels = make_channels()
    save(tmp_path / "a.ome.tif", *channels)
    layers = open_layers(tmp_path / "a.ome.tif")
    (tmp_path / "a.ome.tif").unlink()
    save(tmp_path / "a.ome.tif", *channels[::-1])
    reload(*layers)
    for layer, channel in zip(layers, channels, strict=True):
        assert layer.name == channel.name
        assert np.array_equal(layer.data, channel.data)


def test_a_removed_channel_is_said_and_the_others_are_replaced(tmp_path: Path):
    channels = make_channels()
    save(tmp_path / "a.ome.tif", *channels)
    layers = open_layers(tmp_path / "a.ome.tif")
    (tmp_path / "a.ome.tif").unlink()
    save(tmp_path / "a.ome.tif", *channels[1:])
    before = layers[0].data
    with pytest.raises(InvalidImageError, match=r"no layer of type image named GFP"):
        reload(*layers)
    assert layers[0].data is before
    assert np.array_equal(layers[1].data, channels[1].data)


def test_labels_are_replaced(tmp_path: Path):
    from napari.layers import Labels

    save(tmp_path / "a.tif", Labels(pixels(8, 9)))
    (layer,) = open_layers(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    save(tmp_path / "a.tif", Labels(pixels(8, 9, seed=1)))
    reload(layer)
    assert np.array_equal(layer.data, pixels(8, 9, seed=1))


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_file_leaves_the_layer_as_it_is(tmp_path: Path, damage: str):
    path = tmp_path / "a.tif"
    imsave(pixels(3, 8, 9), path)
    (layer,) = open_layers(path)
    before = layer.data
    os.truncate(path, 3) if damage == "cut" else path.unlink()
    with pytest.raises(FerryError, match=r"^a.tif"):
        reload(layer)
    assert layer.data is before


def test_a_stack_gets_a_leading_axis(tmp_path: Path):
    imsave(pixels(8, 9), tmp_path / "a.tif")
    (layer,) = open_layers(tmp_path / "a.tif")
    layer.scale = (2, 3)
    imsave(make_image("tyx"), tmp_path / "a.tif", overwrite=True)
    reload(layer)
    assert layer.ndim == 3
    assert layer.axis_labels == ("t", "y", "x")
    assert layer.scale[1:].tolist() == [2, 3]


def test_color_in_place_of_gray_is_refused(tmp_path: Path):
    imsave(pixels(3, 8, 9), tmp_path / "a.tif")
    (layer,) = open_layers(tmp_path / "a.tif")
    imsave(make_image("tyxs", "uint8", s=3), tmp_path / "a.tif", overwrite=True)
    with pytest.raises(InvalidImageError, match=r"a.tif is now in color, unlike the layer a"):
        reload(layer)


def test_a_pyramid_is_replaced(tmp_path: Path):
    path = tmp_path / "a.ome.tif"

    def save_pyramid(whole):
        with tifffile.TiffWriter(path) as writer:
            writer.write(whole, subifds=1, tile=(16, 16), metadata={"axes": "ZYX"})
            writer.write(whole[:, ::2, ::2], subfiletype=1, tile=(16, 16))

    save_pyramid(pixels(2, 64, 80))
    (layer,) = open_layers(path)
    assert layer.multiscale
    now = pixels(3, 64, 80, seed=1)
    save_pyramid(now)
    reload(layer)
    assert [level.shape[-3:] for level in layer.data] == [(3, 64, 80), (3, 32, 40)]
    assert np.array_equal(np.squeeze(layer.data[0]), now)


def test_files_that_were_opened_twice_are_apart(tmp_path: Path):
    imsave(pixels(3, 8, 9), tmp_path / "a.tif")
    first, second = open_layers(tmp_path / "a.tif")[0], open_layers(tmp_path / "a.tif")[0]
    assert group_by_source([first], [first, second]) == {origin_of(first).source: [first]}
    duplicate = type(first).create(*first.as_layer_data_tuple())
    assert group_by_source([first], [duplicate, first]) == {
        origin_of(first).source: [duplicate, first]
    }


@pytest.mark.parametrize(
    ("position", "frame"),
    [
        ((), (0, 0)),
        ((1, 5, 5), (0, 1)),
        ((3, 2, 5, 5), (3, 2)),
        ((99, 99, 5, 5), (3, 2)),
        ((7, 3, 1, 5, 5), (3, 1)),
    ],
)
def test_the_displayed_frame_is_read_from_any_viewer(position, frame):
    reads = []

    class Recording:
        shape, dtype, ndim = (4, 3, 8, 9), np.dtype("u1"), 4

        def __getitem__(self, key):
            reads.append(key)
            return np.zeros((8, 9), "u1")

    read_frame((Recording(), {}, "image"), position)
    assert reads == [frame]


def test_the_sentence_about_other_layers_names_them():
    assert missing_origin("Points").startswith("Points cannot be loaded again: ")


@given(KEYS, KEYS, KEYS)
def test_metadata_of_the_user_win(current, before, now):
    merged = merge_mappings(current, before, now)
    for key in current.keys() | before.keys() | now.keys():
        is_users = current.get(key) != before.get(key)
        expected = current if is_users else now
        assert merged.get(key) == expected.get(key)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_numbers_of_the_user_win_per_axis(current, before, now):
    merged = merge_axes(current, before, now)
    assert len(merged) == len(now)
    for k in range(1, len(now) + 1):
        is_known = k <= len(current) and k <= len(before)
        is_users = is_known and current[-k] != before[-k]
        assert merged[-k] == (current[-k] if is_users else now[-k])
