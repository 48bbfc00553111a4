"""Axes of length 1, which layers leave out and files keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image as ImageLayer

from layer_files import open_layers, pixels, round_trip, save
from napari_ferry import Axis, Channel, Image, imload, imsave
from napari_ferry.layers.layer_data import from_layers, to_layers

AXES = (
    Axis("t", 30, "second", 5),
    Axis("c"),
    Axis("z", 2.5, "micrometer", 10),
    Axis("y", 0.5, "micrometer"),
    Axis("x", 0.5, "micrometer"),
)


def make_image(*sizes: int, **options: Any) -> Image:
    """Return an image with axes t, c, z, y, x."""
    return Image((pixels(*sizes),), AXES, **options)


def assert_equal(image: Image, other: Image) -> None:
    assert (image.axes, image.shape) == (other.axes, other.shape)
    described = [(channel.name, channel.color) for channel in image.channels]
    assert [(channel.name, channel.color) for channel in other.channels] == described
    assert np.array_equal(image.load(), other.load())


@pytest.mark.sample(3)
@pytest.mark.parametrize("suffix", [".ome.tif", ".tif", ".bin"])
@pytest.mark.parametrize(
    ("sizes", "ndim"),
    [((1, 2, 1, 16, 20), 2), ((1, 3, 4, 16, 20), 3), ((5, 2, 1, 16, 20), 3)],
)
def test_layers_leave_them_out_and_files_keep_them(suffix, sizes, ndim, tmp_path: Path):
    channels = tuple(Channel(f"dye {i}", "#00ff00") for i in range(sizes[1]))
    image = make_image(*sizes, channels=channels, name="cells")
    imsave(image, tmp_path / f"a{suffix}")
    layers = open_layers(tmp_path / f"a{suffix}")
    assert {layer.ndim for layer in layers} == {ndim}
    names = [axis.name for axis, n in zip(AXES, sizes, strict=True) if n > 1 and axis.name != "c"]
    assert {layer.axis_labels for layer in layers} == {tuple(names)}

    (path, *_) = save(tmp_path / f"b{suffix}", *layers)
    (found,) = imload(path)
    assert_equal(found, image)
    assert [layer.ndim for layer in open_layers(path)] == [ndim] * len(layers)


def test_an_ome_tiff_of_another_program_keeps_its_axes(tmp_path: Path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        pixels(1, 2, 1, 16, 20),
        metadata={"axes": "TCZYX", "PhysicalSizeX": 0.25, "PhysicalSizeZ": 2.0},
    )
    (image,) = imload(tmp_path / "a.ome.tif")
    layers = open_layers(tmp_path / "a.ome.tif")
    assert [layer.data.shape for layer in layers] == [(16, 20)] * 2
    (path,) = save(tmp_path / "b.ome.tif", *layers)
    (found,) = imload(path)
    assert (found.axes, found.shape) == (image.axes, (1, 2, 1, 16, 20))
    assert np.array_equal(found.load(), image.load())
    with tifffile.TiffFile(path) as file:
        assert file.series[0].get_axes(squeeze=False).startswith("TCZYX")


def test_pyramids_colors_and_labels(tmp_path: Path):
    full = pixels(1, 64, 80, dtype="u1")
    pyramid = Image((full, full[:, ::2, ::2]), AXES[2:], name="pyramid")
    color = Image((pixels(1, 64, 80, 3, dtype="u1"),), (*AXES[2:], Axis("s")), name="color")
    labels = Image((full,), AXES[2:], name="labels", kind="labels")
    layers = to_layers([pyramid, color, labels])
    assert [np.shape(data[0] if meta.get("multiscale") else data) for data, meta, _ in layers] == [
        (64, 80),
        (64, 80, 3),
        (64, 80),
    ]
    for image, other in zip([pyramid, color, labels], from_layers(layers), strict=True):
        assert_equal(image, other)
        assert len(image.levels) == len(other.levels)
        assert not other.metadata


def test_axes_that_a_layer_had_are_sliders_again(tmp_path: Path):
    layer = ImageLayer(pixels(1, 4, 16, 20), name="cells", axis_labels=tuple("tzyx"))
    (after,) = round_trip(tmp_path / "a.tif", layer)
    assert after.data.shape == (1, 4, 16, 20)
    (plain,) = round_trip(tmp_path / "b.tif", ImageLayer(pixels(1, 16, 20), name="cells"))
    assert plain.data.shape == (1, 16, 20)


def test_transformed_images_keep_their_axes():
    image = Image((pixels(1, 16, 20),), AXES[2:], display={"rotate": np.eye(3)[::-1].tolist()})
    ((data, _, _),) = to_layers([image])
    assert data.shape == (1, 16, 20)


@pytest.mark.parametrize(
    "records",
    [5, "t", [5], [{"name": "t"}], [{"name": 3, "index": 0}], [{"name": "y", "index": 0}]],
)
def test_records_that_are_not_valid_are_ignored(records):
    meta = {"metadata": {"napari-ferry:axes": records}}
    (image,) = from_layers([(pixels(16, 20), meta, "image")])
    assert image.axis_names == ("y", "x")
    assert not image.metadata


def test_an_axis_that_a_layer_has_by_now_is_its_own():
    ((data, meta, kind),) = to_layers([Image((pixels(1, 16, 20),), AXES[2:])])
    stack = np.stack([data, data])
    meta = {"axis_labels": tuple("zyx"), "metadata": meta["metadata"]}
    (image,) = from_layers([(stack, meta, kind)])
    assert image.shape == (2, 16, 20)


def test_nothing_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    imsave(make_image(1, 2, 1, 16, 20), tmp_path / "a.ome.tif", compression="zlib")
    images = imload(tmp_path / "a.ome.tif")
    monkeypatch.setattr("numpy.asarray", lambda *_: pytest.fail("pixels are read"))
    assert len(to_layers(images)) == 2
