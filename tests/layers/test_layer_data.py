"""Layer data to images and back: round trips of one layer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.colormaps import (
    Colormap,
    CyclicLabelColormap,
    DirectLabelColormap,
    label_colormap,
)

from layer_files import assert_same, every_suffix, open_layers, pixels, round_trip, save
from napari_ferry import Image, imload, imsave, plan
from napari_ferry.image import Axis
from napari_ferry.layers.layer_data import from_layers, to_layers

IMAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "calibrated": {
        "scale": (0.1, 2, 0.5, 0.25),
        "translate": (3, -20, 0.5, 7),
        "units": ("s", "um", "um", "um"),
        "axis_labels": ("t", "z", "y", "x"),
    },
    "odd labels": {"axis_labels": ("Time", "Z", "a", "x"), "units": ("ms", "nm", "nm", "nm")},
    "labels out of order": {"axis_labels": ("x", "t", "z", "y")},
    "half named": {"axis_labels": ("-4", "z", "-2", "x")},
    "channel slider": {"axis_labels": ("c", "t", "y", "x")},
    "strange names": {"axis_labels": ("λ", "angle", "row", "column")},
    "named colormap": {"colormap": "magma"},
    "primary colormap": {"colormap": "cyan", "blending": "additive"},
    "two colors": {"colormap": Colormap([[0, 0, 0, 1], [0.2, 0.4, 0.6, 1]], name="steel")},
    "custom colormap": {
        "colormap": Colormap(
            [[0, 0, 0, 1], [1, 0, 0, 0.5], [1, 1, 1, 1]],
            name="mine",
            controls=[0, 0.3, 1],
            interpolation="linear",
        )
    },
    "steps": {
        "colormap": Colormap([[1, 0, 0, 1], [0, 0, 1, 1]], name="steps", interpolation="zero")
    },
    "shown": {
        "contrast_limits": (3.5, 201),
        "gamma": 0.7,
        "opacity": 0.35,
        "blending": "minimum",
        "visible": False,
        "rendering": "iso",
        "interpolation2d": "cubic",
        "interpolation3d": "nearest",
        "iso_threshold": 90.5,
        "attenuation": 0.2,
        "depiction": "volume",
        "projection_mode": "mean",
    },
    "metadata": {"metadata": {"laser": 488, "notes": ["a", "µ\n"], "nested": {"on": True}}},
    "named": {"name": "GFP / 488 nm (µm) \u4e2d\u6587 'x' <&>"},
    "other units": {
        "units": ("degree", "1 / second", "volt", "micrometer ** 2"),
        "scale": (15, 1, 1, 1),
    },
    "plane": {
        "depiction": "plane",
        "plane": {"position": (1, 2, 3), "normal": (0, 0.6, 0.8), "thickness": 4},
    },
    "clipped": {
        "experimental_clipping_planes": [
            {"position": (1, 2, 3), "normal": (0, 1, 0)},
            {"position": (1, 2, 3), "normal": (1, 0, 0), "enabled": False},
        ]
    },
    "rotated": {"rotate": 30},
    "sheared": {"shear": [0.5]},
    "affine": {"affine": np.array([[1, 0.5, 3], [0.2, 1, -4], [0, 0, 1]])},
}


@pytest.mark.sample(8)
@every_suffix
@pytest.mark.parametrize("what", IMAGES)
def test_image_layers_round_trip(what: str, suffix: str, tmp_path: Path, messages):
    before = ImageLayer(pixels(2, 3, 16, 20), **{"name": "cells", **IMAGES[what]})
    (after,) = round_trip(tmp_path / f"cells{suffix}", before)
    assert_same(before, after)
    if what in ("plain", "calibrated", "shown", "rotated"):
        assert not messages["warning"]


@pytest.mark.sample(4)
@every_suffix
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint32", "f4", "f8"])
def test_types_and_ranks_round_trip(dtype: str, suffix: str, tmp_path: Path):
    for shape in [(16, 20), (5, 16, 20), (1, 1, 16, 20), (2, 3, 2, 9, 7)]:
        before = ImageLayer(pixels(*shape, dtype=dtype), name="cells")
        (after,) = round_trip(tmp_path / f"cells{len(shape)}{suffix}", before)
        assert_same(before, after)


LABELS: dict[str, dict[str, Any]] = {
    "plain": {},
    "calibrated": {
        "scale": (2, 0.5, 0.25),
        "units": ("um", "um", "um"),
        "axis_labels": ("z", "y", "x"),
        "opacity": 0.2,
        "blending": "translucent",
        "visible": False,
    },
    "shuffled": {"colormap": label_colormap(num_colors=50, seed=0.123)},
    "fewer colors": {"colormap": label_colormap(num_colors=7, seed=0.5)},
    "background": {"colormap": label_colormap(num_colors=50, seed=0.5, background_value=3)},
    "cyclic": {
        "colormap": CyclicLabelColormap(
            colors=[[0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0.5]], seed=0.25, name="mine"
        )
    },
    "direct": {
        "colormap": DirectLabelColormap(
            color_dict={None: "gray", 0: "transparent", 1: "red", 200: [0.1, 0.2, 0.3, 0.4]}
        )
    },
    "plane": {"depiction": "plane", "plane": {"position": (1, 2, 3), "normal": (0, 1, 0)}},
    "gaps": {"properties": {"area": np.array([1.5, np.nan, 2])}},
    "properties": {"properties": {"area": np.arange(250.0), "class": np.array(["a", "b"] * 125)}},
    "rotated": {"rotate": 30, "metadata": {"by": "cellpose"}},
}


@pytest.mark.sample(6)
@every_suffix
@pytest.mark.parametrize("what", LABELS)
def test_labels_layers_round_trip(what: str, suffix: str, tmp_path: Path, messages):
    before = Labels(pixels(3, 16, 20), **{"name": "nuclei", **LABELS[what]})
    (after,) = round_trip(tmp_path / f"nuclei{suffix}", before)
    assert isinstance(after, Labels)
    assert_same(before, after)
    assert not messages["warning"]


@every_suffix
def test_types_of_labels_round_trip(suffix: str, tmp_path: Path):
    dtypes = ["uint8", "int8", "uint16", "int32", "uint32"]
    for dtype in dtypes + ["int64", "uint64"] * (suffix != ".ome.tif"):
        before = Labels(pixels(16, 20).clip(0, 99).astype(dtype), name="nuclei")
        (after,) = round_trip(tmp_path / f"{dtype}{suffix}", before)
        assert_same(before, after)


@every_suffix
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_color_round_trips(dtype: str, suffix: str, tmp_path: Path):
    for samples in (3, 4):
        data = pixels(5, 16, 20, samples, dtype=dtype)
        data = data / np.float32(250) if dtype == "float32" else data
        before = ImageLayer(data, rgb=True, name="stained", scale=(2, 0.5, 0.5))
        (after,) = round_trip(tmp_path / f"stained{samples}{suffix}", before)
        assert after.rgb
        assert_same(before, after)


@every_suffix
@pytest.mark.parametrize("shape", [(3, 3), (5, 40, 3), (40, 50, 4)])
def test_a_short_last_axis_is_not_a_color_axis(shape: tuple[int, ...], suffix: str, tmp_path: Path):
    before = ImageLayer(pixels(*shape), rgb=False, name="slit")
    (after,) = round_trip(tmp_path / f"slit{suffix}", before)
    assert not after.rgb
    assert_same(before, after)


@every_suffix
def test_a_pyramid_is_saved_from_full_resolution(suffix: str, tmp_path: Path, messages):
    full = pixels(64, 80)
    before = ImageLayer([full, full[::2, ::2]], multiscale=True, name="slide", scale=(0.5, 0.5))
    (after,) = round_trip(tmp_path / f"slide{suffix}", before)
    assert np.array_equal(after.data, full)
    assert np.array_equal(after.scale, before.scale)
    assert "smaller levels are left out" in messages["warning"][0]


@every_suffix
def test_lazy_layers_are_saved_and_opened_lazily(suffix: str, tmp_path: Path):
    da = pytest.importorskip("dask.array")
    data = pixels(6, 16, 20)
    before = ImageLayer(da.from_array(data, (2, 16, 20)), contrast_limits=(0, 250), name="lazy")
    (after,) = round_trip(tmp_path / f"lazy{suffix}", before)
    assert np.array_equal(after.data, data)
    assert not isinstance(after.data, np.ndarray) or isinstance(origin_of(after.data), np.memmap)


def origin_of(array: np.ndarray) -> Any:
    """Return the base array of nested views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_losses_are_reported(tmp_path: Path, messages):
    layer = ImageLayer(pixels(16, 20), name="cells", metadata={"model": object(), "laser": 488})
    (after,) = round_trip(tmp_path / "cells.tif", layer)
    assert after.metadata == {"laser": 488}
    assert len(messages["warning"]) == 1
    assert "cells.tif" in messages["warning"][0]
    assert "model cannot be stored" in messages["warning"][0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_the_frame_rate_of_a_movie_is_reported(suffix: str, tmp_path: Path, messages):
    layer = ImageLayer(pixels(4, 16, 20, dtype="u1"), scale=(30, 1, 1), units=("s", "um", "um"))
    layer.axis_labels = ("t", "y", "x")
    save(tmp_path / f"a{suffix}", layer)
    (words,) = [*messages["info"], *messages["warning"]]
    assert "the movie plays at 10 per second, 300 x real time" in words


def test_metadata_of_layers_is_not_changed_before_saving():
    model = object()
    layers = [ImageLayer(pixels(16, 20), metadata={"model": model}) for _ in range(2)]
    images = from_layers([layer.as_layer_data_tuple() for layer in layers])
    assert [meta["metadata"] for _, meta, _ in to_layers(images)] == [{"model": model}] * 2


@every_suffix
@pytest.mark.parametrize("bad", ["t", "z", "y", "x"])
def test_an_invalid_scale_does_not_affect_other_axes(bad: str, suffix: str, tmp_path: Path):
    axes = tuple(Axis(name, 0.5, "second" if name == "t" else "micrometer") for name in "tzyx")
    for scale in (float("nan"), 0.0, float("inf")):
        broken = tuple(Axis(a.name, scale, a.unit) if a.name == bad else a for a in axes)
        image = Image((pixels(2, 3, 16, 20),), broken)
        path = tmp_path / f"{scale}{suffix}"
        losses = plan(image, path).losses
        assert f"axis {bad} has an invalid scale ({scale}): 1 is stored, without its unit" in losses
        imsave(image, path)
        assert imload(path)[0].axes == tuple(Axis(bad) if a.name == bad else a for a in axes)


def test_an_axis_without_a_unit_is_in_pixels():
    image = Image((pixels(16, 20),), (Axis("y", 1, "px"), Axis("x", 1, "micrometer")))
    assert Layer.create(*to_layers([image])[0]).units == ("pixel", "micrometer")


def test_an_assumption_is_reported(tmp_path: Path, messages):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "plain.tif", pixels(5, 16, 20), metadata=None)
    (layer,) = open_layers(tmp_path / "plain.tif")
    assert layer.axis_labels == ("t", "y", "x")
    assert messages["info"] == [
        "plain: the first axis is assumed to be time because the file does not specify it."
    ]


def test_known_axes_are_not_reported(tmp_path: Path, messages):
    round_trip(tmp_path / "cells.tif", ImageLayer(pixels(5, 16, 20), axis_labels=("t", "y", "x")))
    (saved,) = [*messages["info"], *messages["warning"]]
    assert saved.startswith("Saved cells.tif ")


def test_layer_data_can_lack_all_settings():
    (image,) = from_layers([(pixels(2, 3, 4), {}, "image")])
    assert image.axis_names == ("z", "y", "x")
    ((data, meta, kind),) = to_layers([image])
    assert kind == "image"
    assert_same(ImageLayer(pixels(2, 3, 4), name=""), Layer.create(data, meta, kind))


def test_losses_are_known_before_saving(tmp_path: Path):
    layer = ImageLayer(pixels(16, 20), metadata={"model": object()})
    planned = plan(from_layers([layer.as_layer_data_tuple()]), tmp_path / "cells.ome.tif")
    assert any("model cannot be stored" in loss for loss in planned.losses)
    assert list(tmp_path.iterdir()) == []
