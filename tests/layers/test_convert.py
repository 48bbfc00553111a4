"""Round trips of napari layers through our readers and writers."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import LayerList, ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points
from napari.utils.colormaps import (
    AVAILABLE_COLORMAPS,
    Colormap,
    CyclicLabelColormap,
    DirectLabelColormap,
    label_colormap,
)
from napari.utils.colormaps.colormap_utils import ALL_COLORMAPS
from npe2 import PluginManager, PluginManifest

from napari_ferry import FerryWarning, Image, SaveError, TargetExistsError, imload, imsave, plan
from napari_ferry.cli.demo import differences
from napari_ferry.image import Axis, Channel
from napari_ferry.layers.layer_data import from_layers, to_layers
from napari_ferry.plugin import commands
from napari_ferry.plugin.commands import get_binary_reader, get_folder_reader, get_tiff_reader
from napari_ferry.plugin.recently_opened import RecentlyOpened

PLUGIN = "napari-ferry"
SUFFIXES = (".tif", ".ome.tif", ".bin")
READERS = (get_tiff_reader, get_binary_reader, get_folder_reader)

every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    """Plugin manager with only napari's own readers and writers and ours."""
    manager = PluginManager()
    manager.register(PluginManifest.from_distribution("napari"))
    manager.register(PluginManifest.from_distribution(PLUGIN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManager, "instance", lambda: manager)
        yield


@pytest.fixture(scope="module", autouse=True)
def quick_garbage() -> Iterator[None]:
    """Exclude objects of imported modules from garbage collection after each test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Messages displayed by napari, by kind."""
    shown: dict[str, list[str]] = {"info": [], "warning": []}
    for kind, messages in shown.items():
        monkeypatch.setattr(f"napari.utils.notifications.show_{kind}", messages.append)
    return shown


class Clock:
    """Clock with a time set by tests."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Clock of the record of recently opened files."""
    clock = Clock()
    monkeypatch.setattr("napari_ferry.plugin.commands._recent", RecentlyOpened(clock=clock))
    return clock


def pixels(*shape: int, dtype: str = "uint16", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)


def save(path: Path, *layers: Layer, plugin: str | None = PLUGIN) -> list[Path]:
    return [Path(saved) for saved in LayerList(layers).save(str(path), plugin=plugin)]


def open_layers(*paths: Path, stack: bool = False) -> list[Layer]:
    viewer = ViewerModel()
    viewer.open([str(path) for path in paths], plugin=PLUGIN, stack=stack)
    return list(viewer.layers)


def round_trip(path: Path, *layers: Layer) -> list[Layer]:
    return open_layers(save(path, *layers)[0])


def assert_same(before: Layer, after: Layer) -> None:
    """Compare pixels, types and all properties passed to writers."""
    assert after.data.shape == before.data.shape
    assert differences(before, after) == []


# --- one layer --------------------------------------------------------------------------------

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


@every_suffix
@pytest.mark.parametrize("what", IMAGES)
def test_image_layers_round_trip(what: str, suffix: str, tmp_path: Path, said):
    before = ImageLayer(pixels(2, 3, 16, 20), **{"name": "cells", **IMAGES[what]})
    (after,) = round_trip(tmp_path / f"cells{suffix}", before)
    assert_same(before, after)
    if what in ("plain", "calibrated", "shown", "rotated"):
        assert not said["warning"]


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


@every_suffix
@pytest.mark.parametrize("what", LABELS)
def test_labels_layers_round_trip(what: str, suffix: str, tmp_path: Path, said):
    before = Labels(pixels(3, 16, 20), **{"name": "nuclei", **LABELS[what]})
    (after,) = round_trip(tmp_path / f"nuclei{suffix}", before)
    assert isinstance(after, Labels)
    assert_same(before, after)
    assert not said["warning"]


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
def test_colormaps_round_trip_in_a_new_session(suffix: str, tmp_path: Path):
    ends = {"low_color": "lime", "high_color": "blue", "nan_color": "red"}
    own = Colormap([[0, 0, 0.25], [1, 0.5, 0], [1, 1, 1]], name="own", **ends)
    saved = []
    for k, colormap in enumerate((own, "cividis", "HiLo")):
        layer = ImageLayer(pixels(16, 20), colormap=colormap)
        saved.append((layer, save(tmp_path / f"{k}{suffix}", layer)[0]))
    for name in AVAILABLE_COLORMAPS.keys() - ALL_COLORMAPS.keys():
        del AVAILABLE_COLORMAPS[name]
    for layer, path in saved:
        (after,) = open_layers(path)
        assert after.colormap == layer.colormap


@every_suffix
@pytest.mark.parametrize("shape", [(3, 3), (5, 40, 3), (40, 50, 4)])
def test_a_short_last_axis_is_not_a_color_axis(shape: tuple[int, ...], suffix: str, tmp_path: Path):
    before = ImageLayer(pixels(*shape), rgb=False, name="slit")
    (after,) = round_trip(tmp_path / f"slit{suffix}", before)
    assert not after.rgb
    assert_same(before, after)


@every_suffix
def test_a_pyramid_is_saved_from_full_resolution(suffix: str, tmp_path: Path, said):
    full = pixels(64, 80)
    before = ImageLayer([full, full[::2, ::2]], multiscale=True, name="slide", scale=(0.5, 0.5))
    (after,) = round_trip(tmp_path / f"slide{suffix}", before)
    assert np.array_equal(after.data, full)
    assert np.array_equal(after.scale, before.scale)
    assert "smaller levels are left out" in said["warning"][0]


@every_suffix
def test_lazy_layers_are_saved_and_opened_lazily(suffix: str, tmp_path: Path):
    da = pytest.importorskip("dask.array")
    data = pixels(6, 16, 20)
    before = ImageLayer(da.from_array(data, (2, 16, 20)), contrast_limits=(0, 250), name="lazy")
    (after,) = round_trip(tmp_path / f"lazy{suffix}", before)
    assert np.array_equal(after.data, data)
    assert not isinstance(after.data, np.ndarray) or isinstance(_origin(after.data), np.memmap)


def _origin(array: np.ndarray) -> Any:
    """Return the base array of nested views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_losses_are_reported(tmp_path: Path, said):
    layer = ImageLayer(pixels(16, 20), name="cells", metadata={"model": object(), "laser": 488})
    (after,) = round_trip(tmp_path / "cells.tif", layer)
    assert after.metadata == {"laser": 488}
    assert len(said["warning"]) == 1
    assert "cells.tif" in said["warning"][0]
    assert "model cannot be stored" in said["warning"][0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_the_frame_rate_of_a_movie_is_reported(suffix: str, tmp_path: Path, said):
    layer = ImageLayer(pixels(4, 16, 20, dtype="u1"), scale=(30, 1, 1), units=("s", "um", "um"))
    layer.axis_labels = ("t", "y", "x")
    save(tmp_path / f"a{suffix}", layer)
    (words,) = said["warning"]
    assert "the movie plays at 10 per second, 300 x real time" in words


def test_losses_of_channels_are_reported(tmp_path: Path, said):
    layers = [
        ImageLayer(pixels(16, 20), name="GFP", metadata={"laser": {"model": object(), "nm": 488}}),
        ImageLayer(pixels(16, 20), name="RFP", metadata={1: "one", "gain": float("nan")}),
    ]
    green, red = round_trip(tmp_path / "cells.tif", *layers)
    assert green.metadata == {"laser": {"nm": 488}}
    assert red.metadata == {"1": "one", "gain": None}
    (warning,) = said["warning"]
    assert "of the metadata of GFP, laser.model cannot be stored" in warning
    assert "of the metadata of RFP, 1 has an int as its key" in warning
    assert "of the metadata of RFP, gain is not finite" in warning


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


BROKEN: list[dict[str, Any]] = [
    {"blending": "zz"},
    {"blending": ["additive"]},
    {"rendering": 3},
    {"rendering": "iso_categorical"},
    {"depiction": {}},
    {"projection_mode": "zz"},
    {"interpolation2d": "spline99"},
    {"interpolation3d": "custom"},
    {"opacity": 2},
    {"opacity": "1"},
    {"visible": "no"},
    {"gamma": -1},
    {"gamma": 10**400},
    {"iso_threshold": True},
    {"attenuation": [1]},
    *({"contrast_limits": limits} for limits in (["a", "b"], 5, [1], [2, 1], [None, 1], "ab")),
    *({"colormap": colormap} for colormap in (5, "#zzzzzz", "#12", "zz", {}, [], True)),
    *({"colormap": {"colors": colors}} for colors in (5, [], [["a"]], [[1]], [[0, 0, 0], [1]])),
    {"colormap": {"colors": [[0, 0, 0], [1, 1, 1]], "controls": [0, 0.5]}},
    {"colormap": {"colors": [[0, 0, 0], [1, 1, 1]], "interpolation": "zz"}},
    {"affine": [[1]]},
    {"affine": 5},
    {"affine": [[0, 0, 0]] * 3},
    {"affine": [[1, 0, 0], [0, 1, 0], [0, 1, 1]]},
    {"rotate": "x"},
    {"rotate": [[0, 0], [0, 0]]},
    {"rotate": [1, 2, 3]},
    {"shear": [1, 2]},
    {"shear": [[1, 1], [1, 2]]},
    {"axis_labels": 5},
    {"axis_labels": ["y"]},
    {"axis_labels": [1, 2]},
    {"plane": 5},
    {"plane": {"zz": 1}},
    {"plane": {"position": [1, 2], "normal": [0, 0, 1]}},
    {"plane": {"position": [1, 2, 3], "normal": [0, 0, 0]}},
    {"plane": {"position": [1, 2, 3], "normal": [0, 0, 1], "thickness": -1}},
    {"experimental_clipping_planes": [5]},
    {"experimental_clipping_planes": {"a": 1}},
]


@pytest.mark.parametrize("display", BROKEN, ids=str)
def test_invalid_values_of_a_record_are_ignored(display: dict[str, Any], tmp_path: Path):
    save(tmp_path / "cells.bin", ImageLayer(pixels(16, 20), name="cells", opacity=0.5))
    sidecar = tmp_path / "cells.json"
    record = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(record | {"display": {"opacity": 0.5, "gamma": 2} | display}))
    (key,) = display
    with pytest.warns(FerryWarning, match=rf"cells: .* {key} that napari does not accept"):
        (layer,) = open_layers(sidecar)
    assert key == "gamma" or layer.gamma == 2
    assert key == "opacity" or layer.opacity == 0.5


@pytest.mark.parametrize(
    "display",
    [
        {"rendering": "mip"},
        {"iso_gradient_mode": "zz"},
        *({"properties": table} for table in (5, {"a": 5}, {"a": [1], "b": []}, {"a": [[1]]})),
        *({"colormap": colormap} for colormap in ("gray", 5, {}, {"cyclic": 5}, {"direct": 5})),
        *({"colormap": {"drawn": n, "seed": 0.5, "background_value": 0}} for n in ("x", -5, 10**9)),
        {"colormap": {"direct": [[1, "zz"]]}},
        {"colormap": {"cyclic": [[1, 0, 0, 1]], "seed": "x", "background_value": 0, "name": "a"}},
    ],
    ids=str,
)
def test_invalid_values_of_labels_are_ignored(display: dict[str, Any]):
    image = Image.from_array(pixels(16, 20), name="nuclei", kind="labels")
    broken = Image(image.levels, image.axes, (), "nuclei", "labels", display)
    with pytest.warns(FerryWarning, match=f"nuclei: .* {next(iter(display))} that napari does not"):
        ((data, meta, kind),) = to_layers([broken])
    Layer.create(data, meta, kind)


@pytest.mark.parametrize("channels", [["a", "b"], [{}, 5], [{"metadata": 5}, {}]], ids=str)
def test_invalid_displays_of_channels_are_ignored(channels: list[Any]):
    image = Image.from_array(pixels(2, 16, 20), "cyx", name="cells")
    broken = Image(image.levels, image.axes, (), "cells", display={"channels": channels})
    with pytest.warns(FerryWarning, match="cells: .* channels that napari does not"):
        assert [Layer.create(*layer).name for layer in to_layers([broken])] == [
            "cells 0",
            "cells 1",
        ]


def test_a_channel_with_an_invalid_color_is_gray():
    channels = (Channel("GFP", "#zzzzzz"), Channel("RFP", "#ff0000"))
    image = Image((pixels(2, 16, 20),), tuple(map(Axis, "cyx")), channels)
    with pytest.warns(FerryWarning, match="GFP: .* colormap"):
        layers = [Layer.create(*layer) for layer in to_layers([image])]
    assert [layer.colormap.name for layer in layers] == ["gray", "red"]


def test_an_axis_without_a_unit_is_in_pixels():
    image = Image((pixels(16, 20),), (Axis("y", 1, "px"), Axis("x", 1, "micrometer")))
    assert Layer.create(*to_layers([image])[0]).units == ("pixel", "micrometer")


def test_an_assumption_is_reported(tmp_path: Path, said):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "plain.tif", pixels(5, 16, 20), metadata=None)
    (layer,) = open_layers(tmp_path / "plain.tif")
    assert layer.axis_labels == ("t", "y", "x")
    assert said["info"] == [
        "plain: the first axis is assumed to be time because the file does not specify it."
    ]


def test_known_axes_are_not_reported(tmp_path: Path, said):
    round_trip(tmp_path / "cells.tif", ImageLayer(pixels(5, 16, 20), axis_labels=("t", "y", "x")))
    assert said == {"info": [], "warning": []}


def test_layer_data_can_lack_all_settings():
    (image,) = from_layers([(pixels(2, 3, 4), {}, "image")])
    assert image.axis_names == ("z", "y", "x")
    ((data, meta, kind),) = to_layers([image])
    assert kind == "image"
    assert_same(ImageLayer(pixels(2, 3, 4), name=""), Layer.create(data, meta, kind))


# --- several layers ---------------------------------------------------------------------------


def _channels(**options: Any) -> list[Layer]:
    shown = [
        {"colormap": "green", "contrast_limits": (3, 100), "metadata": {"laser": 488}},
        {"colormap": "magma", "gamma": 0.5, "opacity": 0.5, "metadata": {"laser": 561}},
        {"colormap": "gray", "visible": False, "blending": "additive"},
    ]
    return [
        ImageLayer(pixels(4, 16, 20, seed=i), **{"name": name, **own, **options})
        for i, (name, own) in enumerate(zip(("GFP", "RFP", "DIC"), shown, strict=True))
    ]


@every_suffix
@pytest.mark.parametrize("labels", [("z", "y", "x"), ("t", "y", "x"), ("-3", "-2", "-1")])
def test_compatible_layers_become_channels(labels: tuple[str, ...], suffix, tmp_path: Path, said):
    layers = _channels(axis_labels=labels, scale=(2, 0.5, 0.5))
    saved = save(tmp_path / f"cells{suffix}", *layers)
    (image,) = imload(saved[0])
    assert image.size("c") == 3
    assert [channel.name for channel in image.channels] == ["GFP", "RFP", "DIC"]
    after = open_layers(saved[0])
    assert len(after) == 3
    for one, other in zip(layers, after, strict=True):
        assert_same(one, other)
    assert not said["warning"]


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_incompatible_layers_become_images_of_one_file(suffix: str, tmp_path: Path):
    layers = [
        *_channels()[:2],
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
def test_layers_keep_their_order(suffix: str, tmp_path: Path):
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


def test_images_with_ambiguous_order_keep_their_order():
    images = [Image.from_array(pixels(16, 20), name=name) for name in "ab"]
    for orders in ((1, None), (1, 1), ("b", "a"), (None, 0)):
        said = [
            Image(image.levels, image.axes, name=image.name, display={"order": order})
            for image, order in zip(images, orders, strict=True)
        ]
        assert [meta["name"] for _, meta, _ in to_layers(said)] == ["a", "b"]


def test_several_images_are_refused_for_raw_binary(tmp_path: Path):
    layers = [ImageLayer(pixels(16, 20)), ImageLayer(pixels(16, 21))]
    with pytest.raises(SaveError, match="raw file holds one image"):
        save(tmp_path / "all.bin", *layers)
    assert list(tmp_path.iterdir()) == []


def test_other_layers_are_refused_by_name():
    with pytest.raises(ValueError, match="spots is a points layer"):
        from_layers([Points([[1, 2]], name="spots").as_layer_data_tuple()])


def test_compatible_pyramids_become_channels(tmp_path: Path):
    layers = [
        ImageLayer([full, full[::2, ::2]], multiscale=True, name=name)
        for name, full in (("a", pixels(64, 80)), ("b", pixels(64, 80, seed=1)))
    ]
    for one, other in zip(layers, round_trip(tmp_path / "both.ome.tif", *layers), strict=True):
        assert np.array_equal(one.data[0], other.data)
        assert one.name == other.name


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"), [("cells.ome.tif", 1), ("cells.ome.tiff", 2), ("cells.tif", 2)]
)
def test_napari_chooses_our_writer(name: str, count: int, tmp_path: Path):
    (path,) = save(tmp_path / name, *_channels()[:count], plugin=None)
    assert len(open_layers(path)) == count
    assert imload(path)[0].channels or count == 1
    assert open_layers(path)[0].name == "GFP"


def test_upper_case_is_the_same_format(tmp_path: Path):
    (after,) = round_trip(tmp_path / "CELLS.TIF", ImageLayer(pixels(4, 16, 20), name="cells"))
    assert after.name == "cells"


class TestSaveDialog:
    """Replacement of files: napari's dialog confirms only the exact name entered."""

    writers = pytest.mark.parametrize(
        ("command", "suffix", "count"),
        [("write_tiff", ".tif", 1), ("write_ome_tiff", ".ome.tif", 1), ("write_binary", ".bin", 2)],
    )

    def write(self, command: str, path: Path, value: int = 1) -> list[str]:
        from napari_ferry.plugin import commands

        layer = ImageLayer(np.full((4, 8, 8), value, np.uint8), name="cells")
        return getattr(commands, command)(str(path), [layer.as_layer_data_tuple()])

    @writers
    def test_a_missing_suffix_is_added(self, command, suffix, count, tmp_path: Path):
        paths = self.write(command, tmp_path / "cells 1.5")
        assert paths[0] == str(tmp_path / f"cells 1.5{suffix}")
        assert len(paths) == len(list(tmp_path.iterdir())) == count

    @writers
    def test_then_nothing_is_replaced(self, command, suffix, count, tmp_path: Path):
        self.write(command, tmp_path / "cells", 1)
        with pytest.raises(TargetExistsError, match=rf"cells\{suffix}"):
            self.write(command, tmp_path / "cells", 2)
        assert imload(tmp_path / f"cells{suffix}")[0].load()[0, 0, 0] == 1

    @writers
    def test_a_typed_name_is_replaced(self, command, suffix, count, tmp_path: Path):
        for value in (1, 2):
            self.write(command, tmp_path / f"cells{suffix}", value)
        assert imload(tmp_path / f"cells{suffix}")[0].load()[0, 0, 0] == 2

    @writers
    @pytest.mark.parametrize("name", ["cells.png", "cells.ome.zarr"])
    def test_another_suffix_is_refused(self, command, suffix, count, name, tmp_path: Path):
        with pytest.raises(SaveError, match=rf"but \{suffix} was chosen"):
            self.write(command, tmp_path / name)
        assert list(tmp_path.iterdir()) == []

    @writers
    @pytest.mark.parametrize("name", ["cells.v2", "day.3", "a.b c"])
    def test_a_dot_in_a_name_is_not_a_suffix(self, command, suffix, count, name, tmp_path: Path):
        self.write(command, tmp_path / name)
        assert (tmp_path / f"{name}{suffix}").exists()

    def test_an_unconfirmed_sidecar_is_not_replaced(self, tmp_path: Path):
        (tmp_path / "cells.json").write_text('{"dtype": "uint8", "frames": 1}')
        with pytest.raises(TargetExistsError, match=r"cells\.json"):
            self.write("write_binary", tmp_path / "cells.bin")
        assert [path.name for path in tmp_path.iterdir()] == ["cells.json"]

    def test_ome_is_not_written_under_a_plain_name(self, tmp_path: Path):
        with pytest.raises(SaveError, match=r"\.ome\.tif"):
            self.write("write_ome_tiff", tmp_path / "cells.tif")


# --- readers ----------------------------------------------------------------------------------


@pytest.fixture
def strange(tmp_path: Path) -> list[Any]:
    """Paths of other formats."""
    (tmp_path / "large.json").write_text(json.dumps(list(range(1_500_000))))
    (tmp_path / "broken.json").write_text('{"dtype": ')
    (tmp_path / "settings.json").write_text('{"dtype": 3, "frames": 1}')
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").touch()
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "store.zarr").mkdir()
    (tmp_path / "store.zarr" / "0.tif").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    paths = [str(path) for path in tmp_path.iterdir()]
    return [
        *paths,
        paths,
        [],
        "",
        "None",
        "\0.tif.png",
        "x" * 5000,
        str(tmp_path / "missing"),
        str(tmp_path / "missing.json"),
        str(tmp_path / "missing" / "deeper.json"),
        "https://example.org/cells.png",
        [str(tmp_path / "missing.tif"), str(tmp_path / "missing.png")],
    ]


@pytest.mark.parametrize("get_reader", READERS, ids=lambda reader: reader.__name__)
def test_readers_decline_other_files(get_reader, strange: list[Any]):
    assert {get_reader(path) for path in strange} == {None}


@pytest.mark.parametrize(
    ("get_reader", "name"),
    [(get_tiff_reader, "x.tif"), (get_tiff_reader, "X.OME.TIFF"), (get_binary_reader, "x.RAW")],
)
def test_readers_accept_their_suffixes(get_reader, name: str, tmp_path: Path):
    assert get_reader(str(tmp_path / name)) is not None
    assert get_reader([str(tmp_path / name)]) is not None


def test_a_missing_file_is_reported_while_reading(tmp_path: Path):
    reader = get_tiff_reader(str(tmp_path / "missing.tif"))
    assert reader is not None
    with pytest.raises(OSError, match=r"missing\.tif is not there"):
        reader(str(tmp_path / "missing.tif"))


@pytest.mark.parametrize("order", [("raw.bin", "raw.json"), ("raw.json", "raw.bin")])
def test_a_raw_file_and_its_sidecar_are_one_layer(order: tuple[str, str], tmp_path: Path):
    data = pixels(4, 16, 20)
    save(tmp_path / "raw.bin", ImageLayer(data, name="recording"))
    (layer,) = open_layers(*(tmp_path / name for name in order))
    assert layer.name == "recording"
    assert np.array_equal(layer.data, data)


@pytest.mark.parametrize("order", [("raw.bin", "raw.json"), ("raw.json", "raw.bin")])
def test_a_list_of_both_is_one_layer(order: tuple[str, str], tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20), name="recording"))
    paths = [str(tmp_path / name) for name in order]
    reader = get_binary_reader(paths)
    assert reader is not None
    ((_, meta, kind),) = reader(paths)
    assert (meta["name"], kind) == ("recording", "image")


@pytest.mark.parametrize("name", ["raw.bin", "raw.json"])
def test_a_raw_file_can_be_opened_again_at_once(name: str, tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20)))
    assert len(open_layers(tmp_path / name)) == 1
    assert len(open_layers(tmp_path / name)) == 1


def test_only_the_companion_is_skipped_and_only_once(tmp_path: Path, clock: Clock):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20)))
    opened = [len(open_layers(tmp_path / f"raw{suffix}")) for suffix in (".bin", ".json") * 2]
    assert opened == [1, 0, 1, 0]
    opened = [len(open_layers(tmp_path / f"raw{suffix}")) for suffix in (".bin", ".bin", ".json")]
    assert opened == [1, 1, 0]
    open_layers(tmp_path / "raw.json")
    clock.now += 5.1
    assert len(open_layers(tmp_path / "raw.bin")) == 1


def test_parts_that_are_dropped_together_are_one_layer(tmp_path: Path, clock: Clock):
    data = pixels(6, 64, 64)
    cap = 2.5 * data[0].nbytes / 1e9
    for suffix in (".tif", ".ome.tif"):
        paths = imsave(data, tmp_path / f"long{suffix}", size_cap=cap)
        other = imsave(data, tmp_path / f"other{suffix}")
        for dropped in (paths, paths[::-1]):
            (layer, *others) = open_layers(*dropped, *other)
            assert np.array_equal(layer.data, data)
            assert len(others) == 1
        assert len(open_layers(paths[1])) == len(open_layers(paths[1])) == 1
        clock.now += 5.1
        assert len(open_layers(paths[2])) == 1


def test_companions_are_remembered_briefly_and_consumed_once(tmp_path: Path):
    clock = Clock()
    dropped = RecentlyOpened(seconds=5, clock=clock)
    a, b, c = (tmp_path / name for name in "abc")
    assert not dropped.consume(a)
    dropped.opened(a, [a, b, c])
    assert [dropped.consume(path) for path in (a, b, b)] == [False, True, False]
    clock.now += 5
    assert not dropped.consume(c)


def test_several_files_are_one_stack(tmp_path: Path):
    data = pixels(3, 16, 20)
    for i, frame in enumerate(data):
        imsave(frame, tmp_path / f"frame{i}.tif")
    (layer,) = open_layers(*(tmp_path / f"frame{i}.tif" for i in (2, 0, 1)), stack=True)
    assert np.array_equal(layer.data, data[[2, 0, 1]])


def test_parts_and_their_folder_are_the_whole(tmp_path: Path, clock: Clock):
    data = pixels(6, 64, 64)
    image = from_layers([ImageLayer(data, name="long", gamma=0.5).as_layer_data_tuple()])
    paths = imsave(image, tmp_path / "long.tif", size_cap=2.5 * data[0].nbytes / 1e9)
    assert len(paths) == 3
    for opened in ([paths[0]], [paths[2]], [tmp_path]):
        clock.now += 60
        (layer,) = open_layers(*opened)
        assert np.array_equal(layer.data, data)
        assert (layer.name, layer.gamma) == ("long", 0.5)
    (layer,) = open_layers(*paths, stack=True)
    assert np.array_equal(layer.data, data)


def test_a_folder_of_raw_files_opens(tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20), name="recording"))
    (layer,) = open_layers(tmp_path)
    assert layer.name == "recording"


def test_losses_are_known_before_saving(tmp_path: Path):
    layer = ImageLayer(pixels(16, 20), metadata={"model": object()})
    planned = plan(from_layers([layer.as_layer_data_tuple()]), tmp_path / "cells.ome.tif")
    assert any("model cannot be stored" in loss for loss in planned.losses)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["calcium_movie", "moving_cells", "z_stacks"])
def test_samples_of_the_manifest_become_calibrated_layers(key):
    from npe2 import PluginManifest

    samples = PluginManifest.from_distribution("napari-ferry").contributions.sample_data or []
    assert key in [sample.key for sample in samples]
    layers = getattr(commands, f"sample_{key}")()
    assert len(layers) == 2
    for data, meta, kind in layers:
        assert kind in ("image", "labels")
        assert np.asarray(data).any()
        assert len(meta["units"]) == data.ndim


@pytest.mark.parametrize("axes", ["yx", "tyx", "zyx", "tzyx"])
@pytest.mark.parametrize("colormap", ["gray", "green", "viridis", "I Blue"])
def test_fiji_shows_a_gray_layer_as_napari_does(axes: str, colormap: str, tmp_path: Path) -> None:
    data = np.arange(210, dtype=np.uint16).reshape(2, 3, 5, 7)[(0,) * (4 - len(axes))]
    layer = ImageLayer(
        data, colormap=colormap, contrast_limits=(10, 150), axis_labels=tuple(axes), name="cells"
    )
    (image,) = from_layers([layer.as_layer_data_tuple()])
    imsave(image, tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as tif:
        said = tif.imagej_metadata or {}
    assert (said["min"], said["max"]) == (10, 150)
    shown = 255 * layer.colormap.map(np.linspace(0, 1, 256))[:, :3].T
    np.testing.assert_allclose(np.reshape(said["LUTs"], (3, 256)), shown, atol=2)
    for suffix in (".tif", ".ome.tif", ".bin"):
        imsave(image, tmp_path / f"again{suffix}")
        _, meta, _ = to_layers(imload(tmp_path / f"again{suffix}"))[0]
        assert tuple(meta["contrast_limits"]) == (10, 150)
        assert meta["colormap"] == colormap
