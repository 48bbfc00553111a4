"""Display settings of layers: colormaps, and invalid values."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap
from napari.utils.colormaps.colormap_utils import ALL_COLORMAPS

from layer_files import every_suffix, open_layers, pixels, save
from napari_ferry import FerryWarning, Image, imload, imsave
from napari_ferry.image import Axis, Channel
from napari_ferry.layers.layer_data import from_layers, to_layers


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


def test_an_angle_of_a_plane_is_kept(tmp_path: Path) -> None:
    layer = ImageLayer(pixels(16, 20), name="cells", rotate=30)
    save(tmp_path / "cells.bin", layer)
    sidecar = tmp_path / "cells.json"
    record = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(record | {"display": {"rotate": 30.0}}))
    (found,) = open_layers(sidecar)
    np.testing.assert_allclose(found.rotate, layer.rotate)


@pytest.mark.sample(6)
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
