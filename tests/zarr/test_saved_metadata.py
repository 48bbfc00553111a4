"""Metadata of saved stores that come back, or are valid, in unusual cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from helpers import assert_same_image, assert_same_pixels, make_full_image, make_image, pixels
from napari_ferry import Axis, Image, imload, imsave, plan
from napari_ferry.codecs.zarr import codec
from napari_ferry.saving.document_repair import run_repair
from napari_ferry.units import METERS


def attributes_of(path: Path, key: str = "") -> dict[str, Any]:
    """Return the attributes of a group."""
    found: dict[str, Any] = json.loads((path / key / "zarr.json").read_text("utf-8"))
    return dict(found["attributes"])


def edit_record(path: Path, **changes: Any) -> None:
    """Change values in the record of an image."""
    document = json.loads((path / "zarr.json").read_text("utf-8"))
    document["attributes"]["napari-ferry"] |= changes
    (path / "zarr.json").write_text(json.dumps(document), "utf-8")


def test_labels_never_have_means(tmp_path: Path) -> None:
    image = make_image("yx", y=40, x=40)
    labels = replace(image, kind="labels", name="cells")
    path = tmp_path / "a.ome.zarr"
    imsave([image, labels], path, levels=2, downsample="mean")
    group = zarr.open_group(str(path), path="labels/cells", mode="r")
    assert_same_pixels(np.asarray(group["1"][...]), np.asarray(image.array)[::2, ::2])
    (multiscale,) = attributes_of(path, "labels/cells")["ome"]["multiscales"]
    assert multiscale["type"] == "nearest"


@pytest.mark.parametrize("name", ["zarr.json", "ZARR.json", ".zgroup", "__private"])
def test_labels_may_have_the_names_of_documents(tmp_path: Path, name: str) -> None:
    labels = replace(make_image("yx"), kind="labels", name=name)
    path = tmp_path / "a.ome.zarr"
    imsave([make_image("yx"), labels], path)
    assert imload(path)[1].name == name
    (group,) = attributes_of(path, "labels")["ome"]["labels"]
    assert group.casefold() not in ("zarr.json", ".zgroup")
    assert not group.startswith(("__", "."))


def test_groups_of_labels_have_names_that_every_system_allows(tmp_path: Path) -> None:
    names = ["Zelle\u0308", "Zell\u00eb", "ZELL\u00cb", "aux", "CON"]
    labels = [replace(make_image("yx"), kind="labels", name=name) for name in names]
    path = tmp_path / "a.ome.zarr"
    imsave([make_image("yx"), *labels], path)
    groups = attributes_of(path, "labels")["ome"]["labels"]
    assert groups == ["Zell\u00eb", "Zell\u00eb 2", "ZELL\u00cb 3", "aux 2", "CON 2"]
    assert [image.name for image in imload(path)[1:]] == names


def test_names_from_files_that_are_not_in_utf_8_are_replaced(tmp_path: Path) -> None:
    image = replace(make_image("yx"), name="caf\udce9", metadata={"from": "\udce9.tif"})
    path = tmp_path / "a.ome.zarr"
    (loss,) = plan(image, path).losses
    assert "not Unicode" in loss
    imsave([image, replace(image, kind="labels")], path)
    for found in imload(path):
        assert found.name == "caf\ufffd"
        assert found.metadata == {"from": "\ufffd.tif"}
    assert b"\\ud" not in (path / "zarr.json").read_bytes()  # other programs refuse this escape


def test_text_that_is_not_unicode_stays_as_it_is_in_a_repair(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave(make_image("yx"), path)
    edit_record(path, metadata={"from": "\udce9"})
    run_repair(codec.repair(path, name="new"))
    assert imload(path)[0].metadata == {"from": "\udce9"}


def test_negative_scales_are_a_loss(tmp_path: Path) -> None:
    axes = (Axis("y", -2.0, "um"), Axis("x", 2.0, "um"))
    (loss,) = plan(Image((pixels((4, 5)),), axes), tmp_path / "a.ome.zarr").losses
    assert loss.startswith("axis y has a negative scale")


@pytest.mark.parametrize("name", ["time", "channel", "depth", "frame", "C"])
def test_axes_with_long_names_come_back(tmp_path: Path, name: str) -> None:
    image = make_full_image("pyx")
    image = replace(image, axes=(Axis(name, 2.0, "um", 3.0), *image.axes[1:]))
    imsave(image, tmp_path / "a.ome.zarr")
    assert_same_image(imload(tmp_path / "a.ome.zarr")[0], image)


@pytest.mark.parametrize(("axes", "count"), [("yxs", 7), ("syx", 3)])
def test_samples_that_are_not_colors_have_no_colors(tmp_path: Path, axes: str, count: int) -> None:
    shape = tuple({"s": count}.get(axis, 9) for axis in axes)
    image = Image.from_array(pixels(shape), axes, name="spectra")
    image = replace(image, display={"contrast_limits": [1.0, 9.0]})
    imsave(image, tmp_path / "a.ome.zarr")
    assert "omero" not in attributes_of(tmp_path / "a.ome.zarr")["ome"]
    assert_same_image(imload(tmp_path / "a.ome.zarr")[0], image)


def test_steps_that_readers_refuse_are_in_the_record_only(tmp_path: Path) -> None:
    axes = (Axis("y", 1e300, "um", 1e308), Axis("x", 1e-40, "um"))
    image = Image((pixels((40, 40)),), axes, name="steps")
    imsave(image, tmp_path / "a.ome.zarr", levels=3)
    (multiscale,) = attributes_of(tmp_path / "a.ome.zarr")["ome"]["multiscales"]
    scale, _ = multiscale["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == [1.0, 1.0]
    assert not any(each.get("unit") in METERS for each in multiscale["axes"])
    assert imload(tmp_path / "a.ome.zarr")[0].axes == axes


@pytest.mark.parametrize(
    "direct",
    [
        [[1, "red"], [2, [1.0, 0.0, 0.0, 1.0]]],
        [1, [2, [1.0, 0.0, 0.0, 1.0]]],
        [[1, [1.0, 0.0, 0.0]], [1, None], [2, [1.0, 0.0, 0.0, 1.0]]],
        [[2, [0.0] * 4], [2**70, [0.0] * 4], [2, [1.0, 0.0, 0.0, 1.0]]],
    ],
)
def test_only_labels_with_a_color_are_described(tmp_path: Path, direct: list[Any]) -> None:
    labels = replace(make_image("yx"), kind="labels", display={"colormap": {"direct": direct}})
    path = tmp_path / "a.ome.zarr"
    imsave(labels, path)
    (color,) = attributes_of(path)["ome"]["image-label"]["colors"]
    assert color == {"label-value": 2, "rgba": [255, 0, 0, 255]}
    assert imload(path)[0].display == labels.display


@pytest.mark.parametrize("kind", ["image", "labels"])
def test_a_record_with_values_of_other_kinds_opens(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "a.ome.zarr"
    image = make_full_image("cyx", kind=kind)
    imsave(image, path)
    edit_record(path, display={"colormap": {"direct": [1, 2]}, "channels": [3]}, dtype="text")
    (found,) = imload(path)
    assert (found.axes, found.kind, found.name) == (image.axes, kind, image.name)
