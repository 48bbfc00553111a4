"""Saved stores: pixels at every level, as other programs read them, and metadata."""

from __future__ import annotations

import itertools
import json
import pickle  # noqa: TID251 - our own writes
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import ome_types
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import (
    assert_same_image,
    assert_same_pixels,
    make_full_image,
    make_image,
    make_unreadable,
    pixels,
)
from napari_ferry import Axis, Channel, FerryWarning, Image, imload, imsave, plan
from napari_ferry.arrays import Frames
from napari_ferry.codecs.zarr import codec
from napari_ferry.codecs.zarr.ome_documents import store_order
from napari_ferry.codecs.zarr.saving import chunk_encoder, chunk_layout, pyramid, sections
from napari_ferry.codecs.zarr.saving.downsampling import halve
from napari_ferry.errors import (
    FerryError,
    InvalidImageError,
    SaveError,
    TargetError,
    TargetExistsError,
)
from napari_ferry.saving.document_repair import run_repair
from zarr_files import edit_json

VERSIONS = ("0.4", "0.5")
each_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make chunks and their parts, blocks and planes small, so that small images have many."""
    monkeypatch.setattr(chunk_layout, "_CHUNK_SIDE", 8)
    monkeypatch.setattr(chunk_layout, "_CUBE_DEPTH", 4)
    monkeypatch.setattr(sections, "BLOCK_BYTES", 2048)
    monkeypatch.setattr(sections, "SHARD_BYTES", 4096)
    monkeypatch.setattr(chunk_encoder, "_PART_BYTES", 20)
    monkeypatch.setattr(pyramid, "_ONE_LEVEL_SIDE", 16)
    monkeypatch.setattr(pyramid, "_SMALLEST_SIDE", 4)


def levels_of(path: Path, key: str = "") -> list[NDArray[Any]]:
    """Return the levels of an image as zarr-python reads them."""
    group = zarr.open_group(str(path), path=key, mode="r")
    return [np.asarray(group[name][...]) for name in sorted(group.array_keys(), key=int)]


def attributes_of(path: Path, key: str = "", version: str = "0.5") -> dict[str, Any]:
    """Return the attributes of OME-NGFF of a group."""
    folder = path / key
    if version == "0.4":
        found: dict[str, Any] = json.loads((folder / ".zattrs").read_text("utf-8"))
        return found
    attributes: dict[str, Any] = json.loads((folder / "zarr.json").read_text("utf-8"))
    return dict(attributes["attributes"]["ome"])


def assert_pyramid(levels: Sequence[NDArray[Any]], method: Any) -> None:
    """Check that each level is made of the one before it."""
    for before, after in itertools.pairwise(levels):
        halved = tuple(n > m for n, m in zip(before.shape, after.shape, strict=True))
        assert any(halved)
        assert_same_pixels(after, halve(before, halved, method))


@pytest.mark.slow
@pytest.mark.usefixtures("small")
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_level_is_complete(data: st.DataObject, tmp_path_factory: Any) -> None:
    axes = data.draw(st.sampled_from(["yx", "tyx", "czyx", "tczyx", "ctzyx", "xyz", "yxs", "pyx"]))
    lengths = {"x": 45, "y": 45, "z": 11}
    shape = tuple(3 if a == "s" else data.draw(st.integers(1, lengths.get(a, 4))) for a in axes)
    dtype = data.draw(st.sampled_from(["uint8", "int16", "uint16", "float32", ">u2", "bool"]))
    version = data.draw(st.sampled_from(VERSIONS))
    options: dict[str, Any] = {
        "version": version,
        "chunks": data.draw(st.sampled_from(["2D", "3D"])),
        "shards": version == "0.5" and data.draw(st.booleans()),
        "levels": data.draw(st.sampled_from([None, 1, 3, 20])),
        "downsample": data.draw(st.sampled_from([None, "nearest", "mode"])),
        "compression": data.draw(st.sampled_from(["zstd", "lz4", "none"])),
    }
    image = Image.from_array(pixels(shape, dtype), axes)
    if data.draw(st.booleans()):  # nearly cubic voxels, so that z is halved, too
        step = {"z": 1.5, "y": 1.0, "x": 1.0}
        image = replace(
            image,
            axes=tuple(Axis(a, step.get(a, 1.0), "um" if a in step else None) for a in axes),
        )
    path = tmp_path_factory.mktemp("store") / "a.ome.zarr"
    planned = plan(image, path, **options)
    assert all(pickle.loads(pickle.dumps(write.put)) for write in planned.writes)
    imsave(image, path, **options)

    levels = levels_of(path)
    order = store_order(axes)
    assert order is not None
    assert_same_pixels(levels[0], np.asarray(image.array).transpose(order))
    assert_pyramid(levels, options["downsample"] or "mean")
    (found,) = imload(path)
    assert_same_image(found, image, "a")
    back = np.argsort(order)
    for ours, theirs in zip(found.levels, levels, strict=True):
        assert_same_pixels(np.asarray(ours), theirs.transpose(back))
    files = [file for file in path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= planned.nbytes
    for write in planned.writes:
        assert write.stored is not None
        assert write.stored(path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("side", [7, 8])
def test_levels_of_odd_chunks_are_complete(
    side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_layout, "_CHUNK_SIDE", side)
    data = pixels((3, 45, 40), "uint16")
    imsave(Image.from_array(data, "zyx"), tmp_path / "a.ome.zarr", levels=3)
    levels = levels_of(tmp_path / "a.ome.zarr")
    assert len(levels) == 3
    assert_same_pixels(levels[0], data)
    assert_pyramid(levels, "mean")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shards", [True, False])
def test_no_two_writes_touch_one_file(tmp_path: Path, shards: bool) -> None:
    image = Image.from_array(pixels((2, 3, 9, 45, 41)), "tczyx")
    image = replace(image, axes=tuple(Axis(a, 1.0, "um" if a in "zyx" else None) for a in "tczyx"))
    planned = plan(image, tmp_path / "a.ome.zarr", shards=shards)
    taken: set[tuple[str, tuple[int, ...]]] = set()
    for write in planned.writes:
        section, origin = write.stored.keywords["section"], write.stored.keywords["origin"]  # type: ignore[union-attr]
        for level in section.made:
            for numbers in level.files_of(origin, section.extent(origin)):
                assert (level.key, numbers) not in taken
                taken.add((level.key, numbers))
    assert {write.stage for write in planned.writes} >= {0, 1}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shards", [True, False])
@pytest.mark.parametrize("change", ["flip", "truncate", "remove"])
def test_a_digest_tells_a_damaged_file(tmp_path: Path, change: str, shards: bool) -> None:
    image = make_image("tyx", y=40, x=40)
    path = tmp_path / "a.ome.zarr"
    planned = plan(image, path, shards=shards)
    imsave(image, path, shards=shards)
    before = [write.stored(path) for write in planned.writes if write.stored]
    chunk = next(file for file in sorted(path.rglob("*")) if "c" in file.parts and file.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    if change == "remove":
        chunk.unlink()
    else:
        chunk.write_bytes(data if change == "flip" else data[:-1])
    after = [write.stored(path) for write in planned.writes if write.stored]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert (None in after) == (change == "remove")


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_a_flipped_bit_is_an_error(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave(pixels((40, 50)), path, compression=compression)
    chunk = path / "0" / "c" / "0" / "0"
    data = bytearray(chunk.read_bytes())
    for place in range(20, len(data), len(data) // 10):
        damaged = data.copy()
        damaged[place] ^= 4
        chunk.write_bytes(damaged)
        with pytest.raises(FerryError, match="damaged"):
            np.asarray(imload(path)[0].array)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("compression", ["zstd", "lz4", "best"])
def test_chunks_that_cannot_be_compressed_have_the_planned_size(
    tmp_path: Path, compression: str
) -> None:
    image = Image.from_array(pixels((10, 5, 6), "float32"), "xyz")
    path = tmp_path / "a.ome.zarr"
    planned = plan(image, path, compression=compression)
    imsave(image, path, compression=compression)
    nbytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert nbytes <= planned.nbytes


@each_version
def test_transformations_of_every_level(tmp_path: Path, version: Any) -> None:
    axes = (Axis("z", 2.0, "um", 5.0), Axis("y", 0.5, "um", 10.0), Axis("x", 0.25, "um", -3.0))
    image = Image((pixels((4, 65, 66)),), axes)
    for method, shifts in (
        ("mean", (0, 0.5, 1.5)),
        ("nearest", (0, 0, 0)),
        ("mode", (0, 0.5, 1.5)),
    ):
        path = tmp_path / f"{method}.ome.zarr"
        imsave(image, path, levels=3, version=version, downsample=method)
        (multiscale,) = attributes_of(path, version=version)["multiscales"]
        assert multiscale["type"] == method
        for k, (dataset, shift) in enumerate(zip(multiscale["datasets"], shifts, strict=True)):
            scale, translation = dataset["coordinateTransformations"]
            assert scale["scale"] == [2.0, 0.5 * 2**k, 0.25 * 2**k]
            assert translation["translation"] == [5.0, 10 + shift * 0.5, -3 + shift * 0.25]
        assert [level.shape for level in levels_of(path)] == [(4, 65, 66), (4, 33, 33), (4, 17, 17)]


def test_z_is_halved_once_voxels_are_nearly_cubic(tmp_path: Path) -> None:
    axes = (Axis("z", 2.0, "um"), Axis("y", 500, "nm"), Axis("x", 0.5, "um"))
    path = tmp_path / "a.ome.zarr"
    imsave(Image((pixels((9, 80, 80)),), axes), path, levels=4)
    shapes = [level.shape for level in levels_of(path)]
    assert shapes == [(9, 80, 80), (9, 40, 40), (9, 20, 20), (5, 10, 10)]
    (multiscale,) = attributes_of(path)["multiscales"]
    _, translation = multiscale["datasets"][3]["coordinateTransformations"]
    assert translation["translation"] == [1.0, 1750.0, 1.75]


@each_version
def test_axes_channels_and_consolidated_metadata(tmp_path: Path, version: Any) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave(make_full_image("zctyx"), path, version=version)
    ome = attributes_of(path, version=version)
    (multiscale,) = ome["multiscales"]
    assert multiscale["axes"] == [
        {"name": "t", "type": "time", "unit": "second"},
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    first, second = ome["omero"]["channels"]
    assert (first["label"], first["color"], first["active"]) == ("GFP", "00FF00", False)
    assert first["window"] == {"min": 0.0, "max": 65535.0, "start": 3.0, "end": 4000.0}
    assert second["active"]
    group = zarr.open_consolidated(str(path))
    assert group["0"].shape == levels_of(path)[0].shape
    if version == "0.5":
        assert group["0"].metadata.dimension_names == ("t", "c", "z", "y", "x")


@each_version
@pytest.mark.parametrize("axes", ["tczyx", "ctzyx", "yxs", "pqtyx", "tczyxs", "yx"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_everything_comes_back(tmp_path: Path, version: Any, axes: str, kind: Any) -> None:
    image = make_full_image(axes, "uint8", kind)
    imsave(image, tmp_path / "a.ome.zarr", version=version)
    (found,) = imload(tmp_path / "a.ome.zarr")
    assert_same_image(found, image)


def test_changes_of_other_programs_are_kept(tmp_path: Path) -> None:
    image = make_full_image("ctzyx")
    path = tmp_path / "a.zarr"
    imsave(image, path, version="0.4")
    ome = attributes_of(path, version="0.4")
    ome["omero"]["channels"][0] |= {"color": "0000FF", "active": True}
    ome["omero"]["channels"][1]["label"] = "mCherry"
    multiscale = ome["multiscales"][0]
    multiscale["name"] = "renamed"
    multiscale["datasets"][0]["coordinateTransformations"][0]["scale"][3] = 9.5
    edit_json(path / ".zattrs", **ome, by="another program")
    (found,) = imload(path)
    first, second = image.channels
    assert found.channels == (replace(first, color="#0000ff"), replace(second, name="mCherry"))
    assert found.display["channels"][0] == {"gamma": 0.5, "visible": True}
    assert found.name == "renamed"
    assert [axis.name for axis in found.axes] == [*"ctzyx"]
    assert found.axes[3] == replace(image.axes[3], scale=9.5)
    assert found.axes[2] == image.axes[2]
    assert found.metadata == {**image.metadata, "by": "another program"}


def test_changes_of_a_single_channel_are_kept(tmp_path: Path) -> None:
    image = make_image("zyx")
    image = replace(image, display={"colormap": "green", "contrast_limits": [5, 90], "gamma": 0.7})
    path = tmp_path / "a.zarr"
    imsave(image, path, version="0.4")
    assert imload(path)[0].display == image.display
    ome = attributes_of(path, version="0.4")
    assert ome["omero"]["channels"][0]["color"] == "00FF00"
    ome["omero"]["channels"][0]["window"] |= {"start": 7}
    edit_json(path / ".zattrs", **ome)
    assert imload(path)[0].display == {**image.display, "contrast_limits": [7, 90]}


def test_a_single_channel_hidden_by_another_program_is_hidden(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    imsave(replace(make_image("zyx"), display={"contrast_limits": [5, 90]}), path, version="0.4")
    ome = attributes_of(path, version="0.4")
    ome["omero"]["channels"][0]["active"] = False
    edit_json(path / ".zattrs", **ome)
    assert imload(path)[0].display["visible"] is False


def test_a_record_of_another_shape_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    imsave(replace(make_image("zyx"), metadata={"mouse": 4}), path, version="0.4")
    assert imload(path)[0].metadata["mouse"] == 4
    shape = json.loads((path / "0" / ".zarray").read_text())["shape"]
    edit_json(path / "0" / ".zarray", shape=[shape[0] + 1, *shape[1:]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        (image,) = imload(path)
    assert image.shape == (shape[0] + 1, *shape[1:])
    assert "mouse" not in image.metadata


def test_a_damaged_record_is_ignored_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    imsave(make_full_image("tyx"), path, version="0.4")
    edit_json(path / ".zattrs", **{"napari-ferry": {"napari-ferry": 1}})
    with pytest.warns(FerryWarning, match="record"):
        (found,) = imload(path)
    assert found.axes == make_full_image("tyx").axes


@each_version
def test_an_image_and_labels_are_one_image(tmp_path: Path, version: Any) -> None:
    image = make_full_image("tcyx")
    colors = [[None, [0.5, 0.5, 0.5, 1.0]], [0, [0.0] * 4], [3, [1.0, 0.0, 0.2, 1.0]]]
    labels = [
        replace(
            make_image("tyx", "uint32"),
            name=name,
            kind="labels",
            display={"colormap": {"direct": colors}, "opacity": 0.4},
        )
        for name in ("cells/nuclei", "cells/nuclei")
    ]
    mask = replace(make_image("tyx", "bool"), name="mask", kind="labels")
    path = tmp_path / "a.ome.zarr"
    losses = plan([image, *labels, mask], path, levels=2, version=version).losses
    assert [loss for loss in losses if "bool" in loss] == list(losses)
    imsave([image, *labels, mask], path, levels=2, version=version)
    names = attributes_of(path, "labels", version)["labels"]
    assert names == ["cells_nuclei", "cells_nuclei 2", "mask"]
    described = attributes_of(path, "labels/cells_nuclei", version)["image-label"]
    assert described["source"] == {"image": "../../"}
    assert {"label-value": 3, "rgba": [255, 0, 51, 255]} in described["colors"]
    assert_pyramid(levels_of(path, "labels/cells_nuclei"), "nearest")
    found = imload(path)
    for each, expected in zip(found[:3], [image, *labels], strict=True):
        assert_same_image(each, expected)
    assert (found[3].kind, found[3].dtype) == ("labels", np.uint8)
    assert [len(each.levels) for each in found] == [2, 2, 2, 2]


@each_version
def test_other_images_are_a_series(tmp_path: Path, version: Any) -> None:
    images = [
        replace(make_full_image("tyx"), name="one"),
        replace(make_full_image("zyx", "float32"), name="two"),
        replace(make_full_image("ptczyx"), name="three"),
        replace(make_image("yx", "uint8", y=3), name="four", kind="labels"),
    ]
    path = tmp_path / "a.ome.zarr"
    imsave(images, path, version=version)
    assert attributes_of(path, "OME", version)["series"] == ["0", "1", "2", "3"]
    for found, expected in zip(imload(path), images, strict=True):
        assert_same_image(found, expected)


@each_version
def test_a_series_has_ome_xml(tmp_path: Path, version: Any) -> None:
    images = [
        replace(make_full_image("ctyx"), name="one & <two>"),
        replace(make_image("yxs", "uint8", s=3), name="photo"),
        replace(make_image("qyx", "float32", q=2), name="named"),
        replace(make_image("yx", "bool"), name="mask", kind="labels"),
    ]
    path = tmp_path / "a.ome.zarr"
    assert not [loss for loss in plan(images, path, version=version).losses if "OME-XML" in loss]
    imsave(images, path, version=version)
    ome = ome_types.from_xml(path / "OME" / "METADATA.ome.xml", validate=True)
    assert [each.id for each in ome.images] == ["Image:0", "Image:1", "Image:2", "Image:3"]
    assert [each.name for each in ome.images] == [each.name for each in images]
    assert [len(each.pixels.channels) for each in ome.images] == [images[0].size("c"), 3, 2, 1]
    for number, each in enumerate(ome.images):
        shape = dict(zip("tczyx", (1, 1, 1, 1, 1), strict=True))
        names = [axis["name"] for axis in axes_of(path, str(number), version)]
        stored = levels_of(path, str(number))[0].shape
        shape |= zip(["c" if name == "q" else name for name in names], stored, strict=True)
        sizes = {name: getattr(each.pixels, f"size_{name}") for name in "tczyx"}
        assert sizes == shape
    assert [each.name for each in ome.images[1].pixels.channels] == ["R", "G", "B"]


def axes_of(path: Path, key: str, version: str) -> list[dict[str, Any]]:
    """Return the axes of an image in the attributes of its group."""
    found: list[dict[str, Any]] = attributes_of(path, key, version)["multiscales"][0]["axes"]
    return found


def test_a_series_that_ome_xml_cannot_describe_is_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    images = [make_image("yx", "int64"), make_image("yx", "uint8")]
    (loss,) = (each for each in plan(images, path).losses if "OME-XML" in each)
    assert "napari-ome-zarr" in loss
    imsave(images, path)
    assert not (path / "OME" / "METADATA.ome.xml").exists()
    assert len(imload(path)) == 2


def test_stores_that_few_programs_open_are_a_loss(tmp_path: Path) -> None:
    image, path = make_image("yx"), tmp_path / "a.ome.zarr"
    assert plan(image, path).losses == ()
    (loss,) = plan(image, tmp_path / "a.ozx").losses
    assert "ZIP" in loss
    (loss,) = plan([image, image], path).losses
    assert "several images" in loss


def test_labels_that_are_not_integers_are_a_loss(tmp_path: Path) -> None:
    labels = replace(make_image("yx", "float32"), kind="labels")
    (loss,) = plan(labels, tmp_path / "a.ome.zarr").losses
    assert loss.startswith("labels of float32 are stored as an image")


def test_windows_without_a_range_are_those_of_the_type(tmp_path: Path) -> None:
    channels = (Channel("a", None, (5, 5)), Channel("b", None, (5, 9)))
    imsave(replace(make_image("cyx"), channels=channels), tmp_path / "a.ome.zarr")
    listed = attributes_of(tmp_path / "a.ome.zarr", version="0.5")["omero"]["channels"]
    windows = [(each["window"]["start"], each["window"]["end"]) for each in listed]
    assert windows == [(0, 65535), (5, 9)]


def test_a_shard_whose_pixels_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    def fail(i: int) -> np.ndarray:
        raise ValueError("no")

    image = Image.from_array(Frames(fail, (2, 64, 64), np.uint8, 1))
    with pytest.raises(SaveError):
        imsave(image, tmp_path / "a.ome.zarr", shards=True)
    assert not [*tmp_path.iterdir()]


def test_colors_of_labels_that_another_program_changed_are_kept(tmp_path: Path) -> None:
    labels = replace(make_image("yx"), kind="labels", display={"opacity": 0.4})
    path = tmp_path / "a.zarr"
    imsave(labels, path, version="0.4")
    described = {"colors": [{"label-value": 1, "rgba": [0, 255, 0, 255]}]}
    edit_json(path / ".zattrs", **{"image-label": described})
    (found,) = imload(path)
    assert found.display["opacity"] == 0.4
    assert [1, [0, 1, 0, 1]] in found.display["colormap"]["direct"]


def test_axes_that_ome_zarr_cannot_hold_are_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    (loss,) = plan(make_image("pqyx"), path).losses
    assert "p q y x" in loss
    imsave(make_image("pqyx"), path)
    group = zarr.open_group(str(path), mode="r")
    assert group["0"].metadata.dimension_names == ("p", "q", "y", "x")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"version": "0.6"}, "0.6"),
        ({"shards": True, "version": "0.4"}, "no shards"),
        ({"levels": 0}, "levels"),
        ({"compression": "lzw"}, "lzw"),
        ({"chunks": "4D"}, "4D"),
        ({"downsample": "median"}, "median"),
        ({"shards": 3}, "shards"),
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, options: Any, words: str) -> None:
    with pytest.raises(InvalidImageError, match=words):
        plan(make_image("tyx"), tmp_path / "a.ome.zarr", **options)


def test_an_image_without_a_plane_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="y and x"):
        plan(make_image("tcz"), tmp_path / "a.ome.zarr")


def test_a_target_inside_a_store_is_refused(tmp_path: Path) -> None:
    imsave(make_image("tyx"), tmp_path / "a.ome.zarr")
    with pytest.raises(TargetError, match=r"inside a\.ome\.zarr, which is one data set"):
        plan(make_image("tyx"), tmp_path / "a.ome.zarr" / "a.ome.zarr")


def test_a_stray_group_far_above_the_target_is_no_obstacle(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path))
    (tmp_path / "results").mkdir()
    imsave(make_image("tyx"), tmp_path / "results" / "a.ome.zarr")
    with pytest.raises(TargetError, match="inside"):
        imsave(make_image("tyx"), tmp_path / "b.ome.zarr")


def test_only_a_folder_of_nothing_but_zarr_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave([make_image("tyx"), replace(make_image("tyx"), kind="labels")], path)
    imsave(make_image("zyx"), path, overwrite=True, version="0.4")
    run_repair(codec.repair(path, name="new"))  # leaves a copy of the old metadata
    imsave(make_image("zyx"), path, overwrite=True)
    (path / "0" / "keep.txt").write_text("mine")
    with pytest.raises(TargetExistsError):
        imsave(make_image("zyx"), path, overwrite=True)
    assert (path / "0" / "keep.txt").read_text() == "mine"
    (path / "0" / "keep.txt").rename(tmp_path / "keep.txt")
    try:
        (path / "0" / "c.0").symlink_to(tmp_path)
    except OSError:
        pytest.skip("links are not allowed")
    with pytest.raises(TargetExistsError):
        imsave(make_image("zyx"), path, overwrite=True)
    assert (tmp_path / "keep.txt").read_text() == "mine"
    assert imload(path)[0].axis_names == ("z", "y", "x")


def test_many_small_files_become_shards(tmp_path: Path) -> None:
    image = Image((make_unreadable((2500, 64, 64)),), tuple(map(Axis, "tyx")))
    assert len(plan(image, tmp_path / "a.ome.zarr").writes) == 1
    finish = plan(image, tmp_path / "a.ome.zarr").files[0].finish
    texts = dict(finish.keywords["documents"])  # type: ignore[union-attr]
    assert "sharding_indexed" in texts["0/zarr.json"]
    few = replace(image, levels=(make_unreadable((1900, 64, 64)),))
    finish = plan(few, tmp_path / "a.ome.zarr").files[0].finish
    assert "sharding_indexed" not in dict(finish.keywords["documents"])["0/zarr.json"]  # type: ignore[union-attr]


def test_channels_without_limits_have_no_window(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave(make_image("cyx"), path)
    assert "omero" not in attributes_of(path)
    image = replace(make_image("cyx", c=2), channels=(Channel("a"), Channel(None, "#FF0000")))
    imsave(image, tmp_path / "b.ome.zarr")
    assert_same_image(imload(tmp_path / "b.ome.zarr")[0], image, "b")


def traced_peak(data: NDArray[Any], axes: str, path: Path) -> int:
    """Save an array, and return the most memory that Python and numpy took for it, in bytes."""
    tracemalloc.start()
    try:
        imsave(Image.from_array(data, axes), path, workers=1, compression="lz4")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_image(tmp_path: Path) -> None:
    data = np.zeros((24, 1024, 2048), np.uint16)
    assert traced_peak(data, "zyx", tmp_path / "a.ome.zarr") < data.nbytes / 4


def test_a_block_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    data = np.zeros((4096, 4096), np.uint16)
    assert traced_peak(data, "yx", tmp_path / "a.ome.zarr") < data.nbytes * 0.6


@pytest.mark.parametrize("shards", [True, False])
def test_a_missing_file_is_an_error(tmp_path: Path, shards: bool) -> None:
    path = tmp_path / "a.ome.zarr"
    imsave(np.zeros((3, 40, 50), np.uint8), path, shards=shards)
    next(
        file for file in (path / "0").rglob("*") if file.name.isdigit() and file.is_file()
    ).unlink()
    with pytest.raises(FerryError, match="missing"):
        np.asarray(imload(path)[0].array)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shards", [None, True])
@pytest.mark.parametrize("chunks", ["2D", "3D"])
def test_a_zip_file_has_the_same_levels_as_a_folder(
    tmp_path: Path, shards: Any, chunks: Any
) -> None:
    labels = replace(make_image("zyx", "uint8", z=5, y=45, x=70), kind="labels", name="cells")
    image = replace(make_image("zyx", z=5, y=45, x=70), name="one")
    for suffix in ("ozx", "ome.zarr"):
        imsave([image, labels], tmp_path / f"a.{suffix}", shards=shards, chunks=chunks)
    with zipfile.ZipFile(tmp_path / "a.ozx") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "zarr.json"
        assert json.loads(archive.comment) == {"ome": {"version": "0.5"}}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        folder = tmp_path / "a.ome.zarr"
        files = {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
        assert {name: archive.read(name) for name in archive.namelist()} == files
    for found, expected in zip(imload(tmp_path / "a.ozx"), [image, labels], strict=True):
        assert_same_image(found, expected)
        found.close()
    planned = plan([image, labels], tmp_path / "b.ozx", shards=shards, chunks=chunks)
    assert (tmp_path / "a.ozx").stat().st_size <= planned.nbytes


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("shards", "side"), [(True, 265), (False, 130)])
def test_levels_in_a_zip_file_are_read_while_others_are_written(
    tmp_path: Path, shards: bool, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_slowly(self: zipfile.ZipFile, entry: zipfile.ZipInfo, data: bytes) -> None:
        with self.open(entry, "w") as file:
            time.sleep(0.001)  # for the threads that read
            file.write(data)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", write_slowly)
    image = Image.from_array(pixels((4, side, side + 1)), "zyx")
    planned = plan(image, tmp_path / "a.ome.zarr", shards=shards)
    assert max(write.stage for write in planned.writes) > 1
    imsave(image, tmp_path / "a.ozx", shards=shards, workers=4)
    (found,) = imload(tmp_path / "a.ozx")
    assert_pyramid([np.asarray(level) for level in found.levels], "mean")
    with zipfile.ZipFile(tmp_path / "a.ozx") as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}


def test_a_zip_file_with_long_names_has_the_planned_size(tmp_path: Path) -> None:
    labels = replace(make_image("yx"), kind="labels", name="細胞" * 30)
    images = [make_image("yx"), *[labels] * 9]
    planned = plan(images, tmp_path / "a.ozx", compression="none")
    imsave(images, tmp_path / "a.ozx", compression="none")
    assert (tmp_path / "a.ozx").stat().st_size <= planned.nbytes


def test_a_zip_file_of_an_old_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="ZIP files begin"):
        plan(make_image("tyx"), tmp_path / "a.ozx", version="0.4")


@pytest.mark.parametrize("name", ["frame", "Position", "P"])
def test_an_axis_of_any_name_comes_back(tmp_path: Path, name: str) -> None:
    axes = (Axis("z", 2.0, "um"), Axis(name, 3.0), Axis("y"), Axis("x"))
    image = Image((pixels((2, 3, 4, 5)),), axes)
    imsave(image, tmp_path / "a.ome.zarr")
    assert_same_image(imload(tmp_path / "a.ome.zarr")[0], image, "a")
