"""Images of OME-NGFF: axes, transformations, channels, levels and labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryWarning, Image, imload
from napari_ferry.errors import UnreadableFileError
from napari_ferry.layers import to_layers
from zarr_files import write_array, write_group, write_image, write_labels

DATA = pixels((2, 3, 16, 20))
LEVELS = (DATA, DATA[..., ::2, ::2], DATA[..., ::4, ::4])
VERSIONS = ("0.4", "0.5")
UNITS = {"t": "second", "y": "micrometer", "x": "um"}


def open_quietly(path: Path) -> list[Image]:
    """Open a store whose warnings do not matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        return imload(path)


@pytest.mark.parametrize("version", VERSIONS)
def test_scale_units_and_levels(version: str, tmp_path: Path) -> None:
    path = write_image(
        tmp_path / "a.ome.zarr",
        LEVELS,
        "tcyx",
        version,
        scale=(0.5, 1, 0.25, 0.125),
        translation=(1, 0, -3, 4),
        units=UNITS,
    )
    (image,) = imload(path)
    assert image.name == "a"
    assert [(axis.name, axis.scale, axis.unit, axis.translation) for axis in image.axes] == [
        ("t", 0.5, "second", 1.0),
        ("c", 1.0, None, 0.0),
        ("y", 0.25, "micrometer", -3.0),
        ("x", 0.125, "micrometer", 4.0),
    ]
    for level, expected in zip(image.levels, LEVELS, strict=True):
        assert_same_pixels(np.asarray(level), expected)


def test_transformations_of_the_multiscale_apply_after_those_of_the_dataset(
    tmp_path: Path,
) -> None:
    outer = [
        {"type": "scale", "scale": [10, 1, 2, 4]},
        {"type": "translation", "translation": [1, 0, 5, 6]},
    ]
    path = write_image(
        tmp_path / "a.zarr",
        DATA,
        "tcyx",
        scale=(0.5, 1, 1, 1),
        translation=(2, 0, 3, 4),
        multiscale={"coordinateTransformations": outer},
    )
    (image,) = imload(path)
    assert [axis.scale for axis in image.axes] == [5, 1, 2, 4]
    assert [axis.translation for axis in image.axes] == [21, 0, 11, 22]


@pytest.mark.parametrize("axes", ["xyz", "zxy", "cyxt", "pqyx"])
def test_axes_of_any_order_and_name(axes: str, tmp_path: Path) -> None:
    data = pixels(tuple(range(2, 2 + len(axes))))
    (image,) = imload(write_image(tmp_path / "a.zarr", data, axes))
    assert image.axis_names == tuple(axes)
    assert_same_pixels(np.asarray(image.array), data)


AXES: list[tuple[Any, tuple[str, ...] | None]] = [
    (["t", "c", "y", "x"], ("t", "c", "y", "x")),  # as in version 0.3
    ([{"name": "T"}, {"name": "C"}, {"name": "Y"}, {"name": "X"}], ("t", "c", "y", "x")),
    (
        [
            {"name": "time", "type": "time"},
            {"name": "channel", "type": "channel"},
            {"name": "y"},
            {"name": "x"},
        ],
        ("t", "c", "y", "x"),
    ),
    (None, None),
    ([], None),
    (["y", "x"], None),
    (["y", "y", "y", "x"], None),
    ([1, {}, None, "x"], None),
    ("tcyx", None),
]


@pytest.mark.parametrize(("axes", "names"), AXES)
def test_short_or_invalid_axes_are_named_by_their_order(
    axes: Any, names: Any, tmp_path: Path
) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", multiscale={"axes": axes})
    if names is None:
        with pytest.warns(FerryWarning, match="are opened as t z y x"):
            (image,) = imload(path)
        assert image.axis_names == ("t", "z", "y", "x")
    else:
        (image,) = imload(path)
        assert image.axis_names == names


TRANSFORMATIONS: list[Any] = [
    [{"type": "scale", "scale": ["1", "1", "1", "1"]}],
    [{"type": "scale", "scale": [2.0]}],
    [{"type": "scale", "scale": [0, 0, 0, 0]}],
    [{"type": "scale", "scale": [float("nan")] * 4}],
    [{"type": "scale", "scale": [10**400, 1, 1, 1]}],
    [{"type": "scale", "path": "x"}],
    [{"type": "affine", "affine": [[1, 0]]}],
    [None],
    [5],
]


@pytest.mark.parametrize("transformations", TRANSFORMATIONS)
def test_invalid_transformations_are_left_out(transformations: Any, tmp_path: Path) -> None:
    datasets = [{"path": "0", "coordinateTransformations": transformations}]
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", multiscale={"datasets": datasets})
    with pytest.warns(FerryWarning, match=r"a\.zarr"):
        (image,) = imload(path)
    assert [axis.scale for axis in image.axes] == [1, 1, 1, 1]
    to_layers([image])


def test_a_negative_scale_is_kept(tmp_path: Path) -> None:
    (image,) = imload(write_image(tmp_path / "a.zarr", DATA, "tcyx", scale=(1, 1, -2, 3)))
    assert [axis.scale for axis in image.axes] == [1, 1, -2, 3]


def test_an_unknown_unit_is_left_out(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", units={"y": "fortnights", "x": 5})  # type: ignore[dict-item]
    with pytest.warns(FerryWarning, match="unit") as caught:
        (image,) = imload(path)
    assert len(caught) == 2
    assert image.axes[2].unit is image.axes[3].unit is None


@pytest.mark.parametrize("version", ["0.6", "0.6rc0", "9.9"])
def test_a_newer_version_is_read_with_a_warning(version: str, tmp_path: Path) -> None:
    systems = [{"name": "world", "axes": [{"name": name} for name in "tcyx"]}]
    steps = [{"type": "scale", "scale": [1, 1, 2, 3]}, {"type": "identity"}]
    sequence = [{"type": "sequence", "transformations": steps}]
    multiscale = {
        "axes": None,
        "coordinateSystems": systems,
        "datasets": [{"path": "0", "coordinateTransformations": sequence}],
    }
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", version, multiscale=multiscale)
    with pytest.warns(FerryWarning, match=f"version {version}"):
        (image,) = imload(path)
    assert image.axis_names == ("t", "c", "y", "x")
    assert [axis.scale for axis in image.axes] == [1, 1, 2, 3]


def channel(**values: Any) -> dict[str, Any]:
    window = {"min": 0, "max": 65535, "start": 10, "end": 400}
    return {"label": "GFP", "color": "00FF00", "window": window, "active": True} | values


@pytest.mark.parametrize("version", VERSIONS)
def test_channels(version: str, tmp_path: Path) -> None:
    listed = [channel(), channel(label="DAPI", color="0000ff", active=False), channel(label=3)]
    attributes = {"omero": {"channels": listed}}
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", version, attributes=attributes)
    (image,) = imload(path)
    assert [one.name for one in image.channels] == ["GFP", "DAPI", "3"]
    assert [one.color for one in image.channels] == ["#00ff00", "#0000ff", "#00ff00"]
    assert image.channels[0].contrast_limits == (10, 400)
    shown = [meta["visible"] for _, meta, _ in to_layers([image]) if "visible" in meta]
    assert shown == [False]
    assert [meta["name"] for _, meta, _ in to_layers([image])] == ["GFP", "DAPI", "3"]


def test_gray_rendering_has_no_colors(tmp_path: Path) -> None:
    omero = {"channels": [channel(color="808080")] * 3, "rdefs": {"model": "greyscale"}}
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", attributes={"omero": omero})
    assert [one.color for one in imload(path)[0].channels] == [None] * 3


def test_the_channel_of_an_image_without_their_axis(tmp_path: Path) -> None:
    omero = {"channels": [channel(active=False)]}
    path = write_image(tmp_path / "a.zarr", DATA[0, 0], "yx", attributes={"omero": omero})
    (image,) = imload(path)
    assert image.display["contrast_limits"] == [10, 400]
    assert image.display["visible"] is False


OMERO: list[Any] = [
    {"channels": [channel()]},
    {"channels": [channel()] * 5},
    {"channels": "x"},
    {"channels": [channel(color="green"), channel(), channel()]},
    {"channels": [channel(color=5), channel(), channel()]},
    {"channels": [channel(label=[]), channel(), channel()]},
    {"channels": [channel(window={}), channel(), channel()]},
    {"channels": [channel(window=3), channel(), channel()]},
    {"channels": [channel(window={"start": 9, "end": 1}), channel(), channel()]},
    {"channels": [channel(window={"start": "a", "end": 1}), channel(), channel()]},
    {"channels": [None, 5, {}]},
]


@pytest.mark.parametrize("omero", OMERO)
def test_invalid_channels_are_reported_and_opened(omero: Any, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", attributes={"omero": omero})
    is_silent = omero["channels"] == [None, 5, {}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (image,) = imload(path)
        assert len(to_layers([image])) == 3
    assert bool([one for one in caught if one.category is FerryWarning]) != is_silent


@pytest.mark.parametrize("omero", [None, 5, {}, {"channels": None}])
def test_images_without_channels(omero: Any, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", attributes={"omero": omero})
    assert imload(path)[0].channels == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_are_labels_with_colors(version: str, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", version)
    cells = (DATA[0, 0] % 3).astype("i4")
    write_labels(path, {"cells": cells, "mask": cells > 1}, version)
    image, labels, mask = imload(path)
    assert (image.kind, labels.kind, mask.kind) == ("image", "labels", "labels")
    assert (labels.name, labels.axis_names) == ("cells", ("y", "x"))
    assert_same_pixels(np.asarray(labels.array), cells)
    assert_same_pixels(np.asarray(mask.array), (cells > 1).astype("u1"))
    layers = to_layers([labels])
    assert layers[0][2] == "labels"
    colormap = layers[0][1]["colormap"]
    np.testing.assert_allclose(colormap.color_dict[1], [1, 0, 0.2, 1])
    assert colormap.color_dict[None][3] == 1, "other labels are visible"


def test_labels_open_by_themselves(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx")
    write_labels(path, {"cells": DATA[0, 0]})
    (labels,) = imload(path / "labels" / "cells")
    assert labels.kind == "labels"
    (labels,) = imload(path / "labels")
    assert labels.kind == "labels"


def test_labels_that_cannot_be_opened_are_named(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx")
    write_labels(path, {"cells": DATA[0, 0], "floats": DATA[0, 0].astype("f4")})
    write_group(path / "labels", {"labels": ["cells", "floats", "none", "../../x", 5]})
    with pytest.warns(FerryWarning) as caught:
        images = imload(path)
    assert [image.kind for image in images] == ["image", "labels", "image"]
    texts = " ".join(str(one.message) for one in caught)
    assert "not integers" in texts
    assert "none is missing" in texts
    assert "leads out of the store" in texts


COLORS: list[Any] = [
    [{"label-value": 1, "rgba": [255, 0, 0]}],
    [{"label-value": "1", "rgba": [255, 0, 0, 0]}],
    [{"label-value": 1, "rgba": [256, 0, 0, 0]}],
    [5],
]


def test_a_label_without_a_color_is_not_invalid(tmp_path: Path) -> None:
    colors = [{"label-value": 1, "rgba": [255, 0, 0, 255]}, {"label-value": 2}]
    attributes = {"image-label": {"colors": colors}}
    path = write_image(tmp_path / "a.zarr", DATA[0, 0].astype("u1"), "yx", attributes=attributes)
    (labels,) = imload(path)
    listed = [value for value, _ in labels.display["colormap"]["direct"]]
    assert listed == [None, 0, 1]


@pytest.mark.parametrize("colors", COLORS)
def test_invalid_colors_of_labels_are_left_out(colors: Any, tmp_path: Path) -> None:
    attributes = {"image-label": {"colors": colors, "properties": [{"label-value": 1, "area": 3}]}}
    path = write_image(tmp_path / "a.zarr", DATA[0, 0], "yx", attributes=attributes)
    with pytest.warns(FerryWarning, match="colors of the labels"):
        (labels,) = imload(path)
    assert labels.display == {}
    assert labels.metadata["properties"] == [{"label-value": 1, "area": 3}]


def test_missing_and_unfitting_levels_are_left_out(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", LEVELS, "tcyx")
    (path / "1" / "zarr.json").unlink()
    with pytest.warns(FerryWarning, match="1 levels are left out .the array 1 is missing"):
        (image,) = imload(path)
    assert [level.shape for level in image.levels] == [LEVELS[0].shape, LEVELS[2].shape]
    write_array(path / "1", LEVELS[1].astype("f4"))
    with pytest.warns(FerryWarning, match="does not fit"):
        (image,) = imload(path)
    assert len(image.levels) == 2


def test_a_missing_full_resolution_is_refused(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", LEVELS, "tcyx")
    (path / "0" / "zarr.json").unlink()
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr cannot be opened: the array 0 is"):
        imload(path)


@pytest.mark.parametrize("key", ["../0", "/etc", "a/../../0", "..\\0", "C:/x", "", ".", None, "\0"])
def test_paths_out_of_the_store_are_refused(key: Any, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", multiscale={"datasets": [{"path": key}]})
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr cannot be opened: .*path"):
        imload(path)


@pytest.mark.parametrize("multiscale", [{"datasets": []}, {"datasets": None}, {"datasets": [5]}])
def test_a_multiscale_without_arrays_is_refused(multiscale: Any, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", multiscale=multiscale)
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr"):
        imload(path)


def test_several_multiscales_are_several_images(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", LEVELS, "tcyx")
    axes = [{"name": name} for name in "tcyx"]
    listed = [{"axes": axes, "datasets": [{"path": str(k)}], "name": f"n{k}"} for k in range(2)]
    write_group(path, {"multiscales": listed})
    images = imload(path)
    assert [(image.name, image.shape) for image in images] == [
        ("n0", LEVELS[0].shape),
        ("n1", LEVELS[1].shape),
    ]


def test_other_attributes_are_metadata(tmp_path: Path) -> None:
    multiscale = {"name": "cells", "type": "mean", "metadata": {"method": "x"}}
    path = write_image(tmp_path / "a.zarr", DATA, "tcyx", "0.4", multiscale=multiscale)
    (image,) = imload(path)
    assert image.name == "cells"
    assert image.metadata == {"multiscales": {"type": "mean", "metadata": {"method": "x"}}}
