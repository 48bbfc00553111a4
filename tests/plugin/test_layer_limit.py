"""Limits on the number of layers of opened files, and notices about them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer

from helpers import make_image
from napari_ferry import FerryWarning, Image, UnreadableFileError, imload, imsave
from napari_ferry.image import Channel
from napari_ferry.layers.layer_data import LayerData, from_layers, to_layers
from napari_ferry.plugin.commands import get_folder_reader, get_gif_reader, get_tiff_reader
from napari_ferry.plugin.layer_limit import open_layers, open_remaining

SUFFIXES = (".tif", ".ome.tif", ".bin")


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages displayed by napari as notices."""
    shown: list[str] = []
    monkeypatch.setattr("napari_ferry.plugin.layer_limit.notify", shown.append)
    monkeypatch.setattr("napari_ferry.plugin.layer_limit._remaining", [])
    return shown


def opened(reader: Callable[..., Any], path: Path) -> list[LayerData]:
    """Open a path as napari does."""
    read = reader(str(path))
    assert read is not None
    layers: list[LayerData] = read(str(path))
    return layers


def channels(count: int, *, names: bool = False, color: str | None = None) -> Image:
    """Return an image with channels."""
    image = make_image("cyx", c=count)
    if not names and color is None:
        return image
    described = [Channel(f"dye {i}" if names else None, color) for i in range(count)]
    return replace(image, channels=tuple(described))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("image", "layers", "reason"),
    [
        (channels(3), 3, ""),
        (channels(16), 16, "Merge to Stack"),
        (channels(17), 1, "neither names nor colors"),
        (channels(17, names=True), 17, ""),
        (channels(17, color="#00ff00"), 17, ""),
        (channels(17, color="#ffffff"), 1, "neither names nor colors"),
        (channels(64, names=True), 64, ""),
        (channels(65, names=True), 1, "more than 64"),
    ],
)
def test_many_channels_are_one_layer(tmp_path, notices, suffix, image, layers, reason):
    imsave(image, tmp_path / f"a{suffix}")
    found = open_layers(lambda: imload(tmp_path / f"a{suffix}"))
    assert len(found) == layers
    (notice,) = notices or [""]
    assert reason in notice
    assert layers > 1 or f"its {image.shape[0]} channels are shown as one layer" in notice


def test_color_frames_are_not_channels(tmp_path, notices):
    frames = np.zeros((6, 8, 9, 3), "uint8")
    tifffile.imwrite(tmp_path / "a.tif", frames, imagej=True)
    ((data, meta, _),) = opened(get_tiff_reader, tmp_path / "a.tif")
    assert (data.shape, meta["rgb"]) == (frames.shape, True)
    assert "color frames" in notices[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_channels_along_a_slider_keep_their_descriptions(tmp_path, suffix):
    image = channels(65, names=True, color="#00ff00")
    again = from_layers(to_layers([image]))
    assert again[0].channels == image.channels
    imsave(again, tmp_path / f"a{suffix}")
    (found,) = imload(tmp_path / f"a{suffix}")
    assert found.channels == image.channels
    assert len(to_layers([found])) == 1


def test_metadata_of_a_layer_called_channels_is_left_alone():
    layer = (np.zeros((2, 8, 9)), {"axis_labels": "cyx", "metadata": {"channels": [1, 2]}}, "image")
    (image,) = from_layers([layer])
    assert image.metadata == {"channels": [1, 2]}
    assert image.channels == ()


def test_a_file_of_many_images_opens_with_64_layers(tmp_path, notices):
    images = [make_image("yx", y=5 + i % 7, x=5 + i) for i in range(150)]
    imsave(images, tmp_path / "many.ome.tif")
    assert len(imload(tmp_path / "many.ome.tif")) == 150
    assert len(opened(get_tiff_reader, tmp_path / "many.ome.tif")) == 64
    (notice,) = notices
    assert "64 layers are added, and 86 more are not" in notice
    assert "Open remaining layers" in notice


def test_many_movies_of_a_folder_open_with_64_layers(tmp_path, notices):
    for i in range(66):
        imsave(np.full((1, 4, 5 + i), i, "uint8"), tmp_path / f"{i:02}.gif")
    assert len(opened(get_folder_reader, tmp_path)) == 64
    assert "2 more are not" in notices[0]
    found = get_gif_reader([str(path) for path in tmp_path.iterdir()])
    assert found is not None
    with pytest.warns(FerryWarning, match="not joined to a stack"):
        assert len(found([str(path) for path in tmp_path.iterdir()])) == 64


def test_remaining_layers_are_added_on_demand(tmp_path, notices, monkeypatch):
    viewer = ViewerModel()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    for data, meta, kind in open_layers(lambda: [make_image("yx", x=5 + i) for i in range(130)]):
        viewer._add_layer_from_data(data, meta, kind)
    open_remaining()
    assert len(viewer.layers) == 128
    assert "2 more are not" in notices[-1]
    open_remaining()
    assert [layer.data.shape[1] for layer in viewer.layers] == list(range(5, 135))
    open_remaining()
    assert notices[-1] == "All layers of the opened files are already in the viewer."
    assert len(viewer.layers) == 130


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_many_layers_keep_their_descriptions(tmp_path, suffix):
    limits = {"contrast_limits": (0, 100)}
    layers = [
        ImageLayer(np.zeros((8, 9), "u1"), name=f"dye {i}", gamma=0.5, metadata={"i": i}, **limits)
        for i in range(65)
    ]
    images = from_layers([layer.as_layer_data_tuple() for layer in layers])
    imsave(images, tmp_path / f"a{suffix}")
    ((data, meta, _),) = to_layers(imload(tmp_path / f"a{suffix}"))
    assert tuple(meta["contrast_limits"]) == (0, 100)

    layer = ImageLayer(data, **meta)
    layer.contrast_limits = (5, 50)
    imsave(from_layers([layer.as_layer_data_tuple()]), tmp_path / f"b{suffix}")
    (found,) = imload(tmp_path / f"b{suffix}")
    assert {channel.contrast_limits for channel in found.channels} == {(5.0, 50.0)}
    assert [channel.name for channel in found.channels] == [layer.name for layer in layers]
    shown = found.display["channels"][7]
    assert (shown["gamma"], shown["metadata"], shown["contrast_limits"]) == (0.5, {"i": 7}, [5, 50])
    assert found.metadata == {}


def test_remaining_layers_of_several_files_are_all_kept(notices, monkeypatch):
    for count in (70, 3, 66):
        open_layers(lambda n=count: [make_image("yx", x=5 + i) for i in range(n)])
    assert len([notice for notice in notices if "are not" in notice]) == 2
    viewer = ViewerModel()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    open_remaining()
    assert len(viewer.layers) == 6
    open_remaining()
    assert len(viewer.layers) == 8


@pytest.mark.parametrize("shown", [5, None, [1, 2], "ab", {"a": 1}])
def test_invalid_displays_are_ignored(tmp_path, shown):
    image = replace(channels(65, names=True), display={"channels": shown})
    path = tmp_path / "a.tif"
    imsave(replace(image, levels=(np.asarray(image.array, "int64"),)), path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        ((data, meta, _),) = to_layers(imload(path))
    meta |= {"contrast_limits": (1, 2)}
    (again,) = from_layers([(data, meta, "image")])
    assert {channel.contrast_limits for channel in again.channels} == {(1, 2)}


def test_remaining_layers_of_a_missing_file_are_kept(notices, monkeypatch):
    away = False

    def read() -> list[Image]:
        if away:
            raise UnreadableFileError("a.tif is not there: check its name.")
        return [make_image("yx", x=5 + i) for i in range(70)]

    open_layers(read)
    viewer = ViewerModel()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    away = True
    with pytest.raises(UnreadableFileError):
        open_remaining()
    away = False
    open_remaining()
    assert len(viewer.layers) == 6


def test_the_same_notice_is_shown_once(notices):
    images = [
        replace(make_image("tyx", t=n), metadata={"assumed": "it is a movie"}) for n in (2, 3)
    ]
    open_layers(lambda: [replace(image, name=f"m{i}") for i, image in enumerate(images)])
    assert notices == ["m0 and 1 more: it is a movie."]


@pytest.mark.parametrize(("count", "names", "said"), [(5, False, True), (5, True, False)])
def test_a_notice_reports_channels_that_may_be_frames(notices, count, names, said):
    assert len(open_layers(lambda: [channels(count, names=names)])) == count
    assert any("Merge to Stack" in notice for notice in notices) is said


def test_nothing_is_assumed_of_a_single_frame(tmp_path: Path, notices: list[str]) -> None:
    for count in (1, 2):
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((count, 20, 33), np.uint16))
        opened(get_tiff_reader, tmp_path / "a.tif")
        assert len(notices) == count - 1
