"""Repair of the metadata of stores: each kind of damage, and what is never touched."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from helpers import assert_same_pixels, pixels
from napari_ferry import Axis, FerryWarning, Image, imload, imsave
from napari_ferry.codecs.zarr import codec
from napari_ferry.codecs.zarr.repair import node_search
from napari_ferry.errors import InvalidImageError, UnreadableFileError, UnsupportedFormatError
from napari_ferry.saving.document_repair import Repair, run_repair
from zarr_files import edit_json, write_array, write_group, write_image, write_labels, zip_store

DATA = pixels((3, 16, 20))
LEVELS = (DATA, DATA[:, ::2, ::2])
VERSIONS = ("0.4", "0.5")
NAN = float("nan")
Edit = Callable[[dict[str, Any]], object]


def attributes_file(path: Path) -> Path:
    return path / (".zattrs" if (path / ".zgroup").exists() else "zarr.json")


def ome_in(document: dict[str, Any]) -> dict[str, Any]:
    ome: dict[str, Any] = document.get("attributes", {}).get("ome", document)
    return ome


def ome_of(path: Path) -> dict[str, Any]:
    return ome_in(json.loads(attributes_file(path).read_text()))


def damage(path: Path, edit: Edit) -> Path:
    """Change the attributes of OME-NGFF of a group."""
    document = json.loads(attributes_file(path).read_text())
    edit(ome_in(document))
    attributes_file(path).write_text(json.dumps(document))
    return path


def image(tmp_path: Path, version: str, edit: Edit | None = None, **options: Any) -> Path:
    """Write a pyramid of three axes, and damage it."""
    options = {"scale": (2, 0.5, 0.25), "translation": (0, 0, 0), **options}
    path = write_image(tmp_path / "a.zarr", LEVELS, "zyx", version, **options)
    return damage(path, edit) if edit else path


def multiscale(ome: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ome["multiscales"][0]
    return found


def steps(level: int, *values: Any, kind: str = "scale") -> Edit:
    """Return the damage of the scale or the translation of a level."""

    def edit(ome: dict[str, Any]) -> None:
        listed = multiscale(ome)["datasets"][level]["coordinateTransformations"]
        listed[kind == "translation"] = {"type": kind, kind: list(values)}

    return edit


def snapshot(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def mend(path: Path, **options: Any) -> Repair:
    """Repair a store, and check what holds for every repair."""
    before = snapshot(path)
    repair = codec.repair(path, **options)
    assert snapshot(path) == before  # nothing is written to plan it
    run_repair(repair)

    after = snapshot(path)
    changed = {name for name in before if before[name] != after[name]}
    names = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
    assert {Path(name).name for name in changed} <= names
    assert all(before[name] == after[f"{name}.bak"] for name in changed)
    for document in repair.documents:
        json.loads(document.text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert codec.repair(path, **options).changes == ()
    assert codec.repair(path).changes == ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        zarr.open(str(path), mode="r")
    return repair


def test_a_valid_store_is_left_as_it_is(tmp_path: Path) -> None:
    for version in VERSIONS:
        path = image(tmp_path / version, version)
        write_labels(path, {"cells": DATA}, version)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            zarr.consolidate_metadata(str(path))
        assert codec.repair(path) == Repair()


SCALES: list[tuple[Edit, list[str]]] = [
    (
        steps(1, 2, "1.0", 0.5),
        ["scale of level 1: '1.0' (text) -> 1.0"],
    ),
    (
        steps(0, "2", "0,5", "0.25"),
        ['scale of level 0: ["2", "0,5", "0.25"] (text) -> [2.0, 0.5, 0.25]'],
    ),
    (steps(0, 2, 0, 0.25), ["scale of level 0, axis y: 0 -> 0.5 (from level 1)"]),
    (
        steps(1, 2, NAN, math.inf),
        [
            "scale of level 1, axis y: NaN -> 1.0 (from the sizes of the levels)",
            "scale of level 1, axis x: Infinity -> 0.5 (from the sizes of the levels)",
        ],
    ),
    (steps(0, 2, "wide", 0.25), ["scale of level 0, axis y: 'wide' -> 0.5 (from level 1)"]),
    (
        steps(1, 0.5),
        ["scale of level 1: [0.5] -> [2.0, 1.0, 0.5] (from the sizes of the levels)"],
    ),
    (
        steps(1, 0, "0.25", 0.125, kind="translation"),
        ["translation of level 1: '0.25' (text) -> 0.25"],
    ),
    (
        steps(1, 0, NAN, 0, kind="translation"),
        ["translation of level 1: [0, NaN, 0] -> [0, 0, 0]"],
    ),
]


@pytest.mark.sample(4)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("edit", "lines"), SCALES)
def test_scales_and_translations(
    edit: Edit, lines: list[str], version: str, tmp_path: Path
) -> None:
    path = image(tmp_path, version, edit)
    assert [*mend(path).changes] == lines
    (opened,) = imload(path)
    assert [axis.scale for axis in opened.axes] == [2, 0.5, 0.25]
    for dataset in multiscale(ome_of(path))["datasets"]:
        kinds = [each["type"] for each in dataset["coordinateTransformations"]]
        assert kinds == ["scale", "translation"]


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_transformations_come_from_the_other_level(version: str, tmp_path: Path) -> None:
    def edit(ome: dict[str, Any]) -> None:
        del multiscale(ome)["datasets"][1]["coordinateTransformations"]

    path = image(tmp_path, version, edit)
    (line,) = mend(path).changes
    assert line == "scale of level 1: missing -> [2.0, 1.0, 0.5] (from the sizes of the levels)"


def test_an_unknown_scale_has_no_unit(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5", units={"y": "micrometer", "x": "micrometer"})
    for level in (0, 1):
        damage(path, steps(level, 2, NAN, 0.25 * (1 + level)))
    repair = mend(path)
    assert repair.changes[0] == "unit of axis y: 'micrometer' -> none (its scale is unknown)"
    assert "assumed; if you know it, give the scale" in repair.changes[1]
    (opened,) = imload(path)
    assert [(axis.scale, axis.unit) for axis in opened.axes[1:]] == [
        (1, None),
        (0.25, "micrometer"),
    ]


def test_a_translation_without_a_scale_is_kept(tmp_path: Path) -> None:
    moved = [{"type": "translation", "translation": [1, 2, 3]}]
    path = image(tmp_path, "0.5")
    damage(
        path,
        lambda ome: multiscale(ome).update(
            datasets=[{"path": "0", "coordinateTransformations": moved}]
        ),
    )
    (line,) = mend(path).changes
    assert line.endswith("-> [1.0, 1.0, 1.0], translation [1.0, 2.0, 3.0]")
    assert [axis.translation for axis in imload(path)[0].axes] == [1, 2, 3]


@pytest.mark.parametrize("steps_in_file", [[{"type": "identity"}], [], "none"])
def test_other_transformations_become_a_scale(steps_in_file: Any, tmp_path: Path) -> None:
    path = image(tmp_path, "0.5")
    for level in (0, 1):
        damage(
            path,
            lambda ome, k=level: multiscale(ome)["datasets"][k].update(
                coordinateTransformations=steps_in_file
            ),
        )
    mend(path)
    scale = multiscale(ome_of(path))["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scale == [1, 1, 1]


def test_transformations_of_unknown_kinds_are_left(tmp_path: Path) -> None:
    affine = [{"type": "affine", "affine": [[1, 0, 0]]}]
    path = image(tmp_path, "0.5")
    damage(
        path,
        lambda ome: multiscale(ome)["datasets"][1].update(coordinateTransformations=affine),
    )
    repair = mend(path)
    assert not repair.changes
    assert "unknown kind (affine)" in repair.remarks[0]


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ([{"type": "scale", "scale": [4, 1, 0.5]}], [4, 1, 0.5]),
        ([{"type": "scale", "scale": [4, "x", 1]}], [2, 0.5, 0.25]),  # that of the other level
        ([5], [2, 0.5, 0.25]),
    ],
)
def test_a_sequence_of_transformations_becomes_a_scale(
    inner: list[Any], found: list[float], tmp_path: Path
) -> None:
    sequence = [{"type": "sequence", "transformations": inner}]
    path = image(tmp_path, "0.5")
    damage(
        path,
        lambda ome: multiscale(ome)["datasets"][0].update(coordinateTransformations=sequence),
    )
    mend(path)
    first = multiscale(ome_of(path))["datasets"][0]["coordinateTransformations"][0]
    assert first == {"type": "scale", "scale": found}


def test_a_transformation_of_the_image_of_an_unknown_kind_is_left(tmp_path: Path) -> None:
    outer = [{"type": "affine", "affine": [[1, 0, 0]]}]
    path = image(tmp_path, "0.5", multiscale={"coordinateTransformations": outer})
    repair = codec.repair(path, scale="1,1,1")
    assert not repair.changes
    assert "unknown kind (affine)" in repair.remarks[0]


def test_levels_without_pixels_have_the_scale_of_the_first(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5")
    for level, width in (("0", 20), ("1", 10)):
        edit_json(path / level / "zarr.json", shape=[3, 0, width])
    damage(path, steps(1, None, None, None))
    mend(path, scale="2,3,4")
    scales = [
        each["coordinateTransformations"][0]["scale"]
        for each in multiscale(ome_of(path))["datasets"]
    ]
    assert scales == [[2, 3, 4], [2, 3, 8]]


def test_the_transformation_of_the_image_is_mended(tmp_path: Path) -> None:
    outer = [{"type": "scale", "scale": [1, "2", NAN]}]
    path = image(tmp_path, "0.4", multiscale={"coordinateTransformations": outer})
    assert len(mend(path).changes) == 2
    assert [axis.scale for axis in imload(path)[0].axes] == [2, 1, 0.25]


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_axes_are_named(version: str, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", LEVELS, "zyx", version, translation=(0, 0, 0))
    damage(path, lambda ome: multiscale(ome).pop("axes"))
    if version == "0.5":  # the arrays name their axes, which is no guess
        (line,) = codec.repair(path).changes
        assert line.startswith("axes: missing -> z y x")
        return
    (line,) = codec.repair(path).changes
    assert line == "axes: missing -> t y x (assumed; if they are others, give the axes)"
    assert codec.repair(path, axes="zyx").changes == ("axes: missing -> z y x",)
    mend(path, axes="z,Y,x", scale="3,0.5,0.25", unit="um", name="cells")
    (opened,) = imload(path)
    assert opened.name == "cells"
    assert [(axis.name, axis.scale, axis.unit) for axis in opened.axes] == [
        ("z", 3, "micrometer"),
        ("y", 0.5, "micrometer"),
        ("x", 0.25, "micrometer"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_axes_that_are_only_names(version: str, tmp_path: Path) -> None:
    path = image(tmp_path, version, multiscale={"axes": ["z", "y", "x"]})
    damage(path, lambda ome: multiscale(ome).update(version=version))
    assert mend(path).changes == ("axes: z y x (names only) -> z y x",)
    assert multiscale(ome_of(path))["axes"][0] == {"name": "z", "type": "space"}


def test_missing_axes_have_channels_where_omero_counts_them(tmp_path: Path) -> None:
    channel = {"color": "FF0000", "window": {"min": 0, "max": 255, "start": 0, "end": 255}}
    attributes = {"omero": {"channels": [channel] * 3}}
    path = write_image(tmp_path / "a.zarr", DATA, "cyx", "0.4", attributes=attributes)
    damage(path, lambda ome: multiscale(ome).pop("axes"))
    mend(path)
    assert imload(path)[0].axis_names == ("c", "y", "x")


def test_units_are_named_as_in_the_specification(tmp_path: Path) -> None:
    units: Mapping[str, Any] = {"z": 5, "y": "um", "x": "fortnights"}
    path = image(tmp_path, "0.5", units=units)
    repair = mend(path)
    assert repair.changes == ("unit of axis z: 5 -> none", "unit of axis y: 'um' -> 'micrometer'")
    assert "'fortnights', is not known: give the unit" in repair.remarks[0]
    run_repair(codec.repair(path, unit="x=nm"))
    assert [axis.unit for axis in imload(path)[0].axes] == [None, "micrometer", "nanometer"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scale_of_the_user_applies_to_all_levels_and_labels(version: str, tmp_path: Path) -> None:
    path = image(tmp_path, version)
    write_labels(path, {"cells": DATA}, version)
    damage(path, steps(1, 0, 0.25, 0.125, kind="translation"))
    mend(path, scale="z=4,x=1", unit="z=um,y=um,x=um")
    listed = [each["coordinateTransformations"] for each in multiscale(ome_of(path))["datasets"]]
    assert [each[0]["scale"] for each in listed] == [[4, 0.5, 1], [4, 1, 2]]
    assert listed[1][1]["translation"] == [0, 0.25, 0.5]
    assert [axis.scale for axis in imload(path)[1].axes] == [4, 1, 1]


@pytest.mark.parametrize("version", VERSIONS)
def test_translations_are_added_to_averaged_levels_only(version: str, tmp_path: Path) -> None:
    path = image(tmp_path, version, translation=None)
    repair = codec.repair(path)
    assert not repair.changes
    assert "choose the option averaged" in repair.remarks[0]

    damage(path, lambda ome: multiscale(ome).update(type="nearest"))
    assert codec.repair(path) == Repair()
    damage(path, lambda ome: multiscale(ome).update(type="local mean"))
    (line,) = mend(path).changes
    assert line.startswith("translation of level 1: missing -> [0.0, 0.25, 0.125]")
    damage(path, lambda ome: multiscale(ome).update(type=None))
    assert codec.repair(path) == Repair()


def test_translations_start_at_that_of_full_resolution(tmp_path: Path) -> None:
    def edit(ome: dict[str, Any]) -> None:
        listed = multiscale(ome)["datasets"][0]["coordinateTransformations"]
        listed.append({"type": "translation", "translation": [1, 2, 3]})

    path = image(tmp_path, "0.5", edit, translation=None)
    mend(path, averaged=True)
    listed = multiscale(ome_of(path))["datasets"][1]["coordinateTransformations"]
    assert listed[1]["translation"] == [1, 2.25, 3.125]


@pytest.mark.parametrize("version", VERSIONS)
def test_levels_are_sorted_and_missing_ones_removed(version: str, tmp_path: Path) -> None:
    def edit(ome: dict[str, Any]) -> None:
        datasets = multiscale(ome)["datasets"]
        datasets.reverse()
        datasets.append({**datasets[0], "path": "2"})

    path = image(tmp_path, version, edit)
    assert mend(path).changes == (
        "level 2: listed, but missing in the store -> removed from the list",
        "order of the levels: 1, 0 -> 0, 1 (full resolution first)",
    )
    assert_same_pixels(np.asarray(imload(path)[0].levels[1]), LEVELS[1])


def test_a_missing_full_resolution_is_named(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5")
    (path / "0").rename(tmp_path / "elsewhere")
    repair = mend(path)
    assert "probably the full resolution" in repair.remarks[0]
    assert_same_pixels(np.asarray(imload(path)[0].array), LEVELS[1])


def test_a_store_without_levels_is_not_changed(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5")
    for level in "01":
        (path / level / "zarr.json").unlink()
    repair = codec.repair(path)
    assert not repair.changes
    assert "none of the levels can be opened" in repair.remarks[0]


@pytest.mark.parametrize("given", [..., "."])
def test_nested_chunks_are_found(given: Any, tmp_path: Path) -> None:
    path = image(tmp_path, "0.4")
    edit_json(path / "0" / ".zarray", dimension_separator=given)
    (line,) = mend(path).changes
    assert line.startswith("0: names of the chunks (dimension_separator): ")
    assert line.endswith("-> '/' (they are in nested folders, such as 0/0)")
    stored = zarr.open_array(str(path / "0"), mode="r")
    assert_same_pixels(np.asarray(stored[:]), DATA)


@pytest.mark.parametrize("given", ["-", {}])
def test_other_names_of_chunks_are_left(given: Any, tmp_path: Path) -> None:
    path = image(tmp_path, "0.4")
    edit_json(path / "0" / ".zarray", dimension_separator=given)
    repair = codec.repair(path)
    assert not repair.changes
    assert "is neither '/' nor '.'" in repair.remarks[0]


def test_flat_chunks_are_found(tmp_path: Path) -> None:
    encoding = {"name": "v2", "separator": "."}
    path = write_array(tmp_path / "a.zarr", DATA, zarr_format=2, chunk_key_encoding=encoding)
    assert not codec.repair(path).changes
    edit_json(path / ".zarray", dimension_separator=...)
    assert not codec.repair(path).changes  # the default of the format
    edit_json(path / ".zarray", dimension_separator="/")
    mend(path)
    assert_same_pixels(np.asarray(imload(path)[0].array), DATA)


@pytest.mark.parametrize("version", VERSIONS)
def test_numbers_that_are_not_json(version: str, tmp_path: Path) -> None:
    path = image(tmp_path, version)
    data = write_array(
        path / "raw", DATA.astype("f4"), zarr_format=2 if version == "0.4" else 3, fill_value=NAN
    )
    document = data / (".zarray" if version == "0.4" else "zarr.json")
    document.write_text(document.read_text().replace('"NaN"', "NaN"))
    own = attributes_file(path)
    content = json.loads(own.read_text())
    holder = content if version == "0.4" else content["attributes"]
    holder["stats"] = {"low": -math.inf, "mean": [1, NAN], "many": [NAN] * 9}
    own.write_text(json.dumps(content, indent=4))
    lines = mend(path).changes
    assert [line for line in lines if "fill_value" in line] == [
        f"fill_value of raw/{document.name}: NaN (not JSON) -> 'NaN'"
    ]
    assert any("low" in line and line.endswith("-Infinity (not JSON) -> null") for line in lines)
    assert any(line.startswith("8 more such numbers") for line in lines)
    assert '\n    "' in own.read_text()  # indented as before
    assert np.isnan(zarr.open_array(str(data), mode="r").fill_value)


@pytest.mark.parametrize("version", VERSIONS)
def test_channels(version: str, tmp_path: Path) -> None:
    full = {"min": 0, "max": 255, "start": 10, "end": 200}
    channels: list[Any] = [
        {"label": "a", "color": "#00ff0080", "window": {**full, "start": 200, "end": 10}},
        {"label": "b", "color": "red", "window": {"start": "5", "end": 9}},
        {"label": "c", "color": "0000FF", "active": False},
        {"label": "d", "color": "0000FF", "window": full},
        None,
    ]
    attributes = {"omero": {"channels": channels, "rdefs": {"model": "color"}}}
    data = pixels((6, 8, 8))
    path = write_image(tmp_path / "a.zarr", data, "cyx", version, attributes=attributes)
    lines = mend(path).changes
    assert [line.partition(":")[0] for line in lines] == [
        "color of channel 0",
        "window of channel 0",
        "color of channel 1",
        "window of channel 1",
        "window of channel 2",
        "channel 4",
        "channel 5",
    ]
    found = ome_of(path)["omero"]["channels"]
    assert [each["color"] for each in found] == [
        "00ff00",
        "FFFFFF",
        *["0000FF"] * 2,
        *["FFFFFF"] * 2,
    ]
    most = np.iinfo(data.dtype).max
    assert found[0]["window"] == full
    assert found[1]["window"] == {"min": 0, "max": most, "start": 5, "end": 9}
    assert found[2]["window"] == {"min": 0, "max": most, "start": 0, "end": most}
    assert found[2]["active"] is False
    (opened,) = imload(path)
    assert [channel.name for channel in opened.channels[:4]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("channels", "remark"),
    [(5, "the channels in omero are not a list"), ([{}] * 9, "omero describes 9 channels, but")],
)
def test_channels_that_do_not_fit_are_left(channels: Any, remark: str, tmp_path: Path) -> None:
    attributes = {"omero": {"channels": channels}}
    path = write_image(tmp_path / "a.zarr", DATA, "cyx", attributes=attributes)
    assert any(line.startswith(remark) for line in codec.repair(path).remarks)


WINDOWS: list[tuple[Any, dict[str, float]]] = [
    ({"min": 9, "max": 1}, {"min": 1, "max": 9, "start": 1, "end": 9}),
    ({"min": 0, "max": 5, "start": 3, "end": 3}, {"min": 0, "max": 5, "start": 0, "end": 5}),
    ({"start": NAN, "end": 7}, {"min": 0, "max": 7, "start": 0, "end": 7}),
    (5, {"min": 0, "max": 1, "start": 0, "end": 1}),
]


@pytest.mark.parametrize(("window", "expected"), WINDOWS)
def test_windows_of_floating_point_pixels(
    window: Any, expected: dict[str, float], tmp_path: Path
) -> None:
    attributes = {"omero": {"channels": [{"color": "FF0000", "window": window}]}}
    data = DATA.astype("f4")
    path = write_image(tmp_path / "a.zarr", data, "zyx", attributes=attributes)
    mend(path)
    assert ome_of(path)["omero"]["channels"][0]["window"] == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_consolidated_metadata_agree(version: str, tmp_path: Path) -> None:
    path = image(tmp_path, version, steps(0, "2", 0.5, 0.25))
    write_labels(path, {"cells": DATA}, version)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        zarr.consolidate_metadata(str(path))
        damage(path / "labels" / "cells", lambda ome: multiscale(ome).update(name="new"))
        write_array(path / "later", DATA, zarr_format=2 if version == "0.4" else 3)
        lines = mend(path).changes
        assert any("(consolidated metadata): " in line for line in lines)
        group = zarr.open_group(str(path), mode="r", use_consolidated=True)
        assert_same_pixels(np.asarray(group["later"][:]), DATA)
        inner = dict(group["labels/cells"].attrs)
        assert inner.get("ome", inner)["multiscales"][0]["name"] == "new"
        attributes = dict(group.attrs)
        found = attributes.get("ome", attributes)["multiscales"][0]["datasets"][0]
        assert found["coordinateTransformations"][0]["scale"] == [2, 0.5, 0.25]


def test_a_part_of_a_store_renews_the_copies_of_the_whole(tmp_path: Path) -> None:
    path = image(tmp_path, "0.4")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        zarr.consolidate_metadata(str(path))
    edit_json(path / "0" / ".zarray", dimension_separator=...)
    run_repair(codec.repair(path / "0"))
    copies = json.loads((path / ".zmetadata").read_text())["metadata"]
    assert copies["0/.zarray"]["dimension_separator"] == "/"
    assert not codec.repair(path).changes


def test_old_documents_are_kept_each_time(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5", steps(0, "2", 0.5, 0.25))
    first = (path / "zarr.json").read_bytes()
    mend(path)
    second = (path / "zarr.json").read_bytes()
    run_repair(codec.repair(path, name="new"))
    assert (path / "zarr.json.bak").read_bytes() == first
    assert (path / "zarr.json.bak-2").read_bytes() == second
    assert sorted(each.name for each in path.iterdir()) == [
        *("0", "1", "zarr.json", "zarr.json.bak", "zarr.json.bak-2"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_plain_arrays_stay_plain(version: str, tmp_path: Path) -> None:
    kind = 2 if version == "0.4" else 3
    path = write_array(tmp_path / "a.zarr", DATA, zarr_format=kind)
    assert codec.repair(path) == Repair()
    mend(path, axes="zyx")
    assert imload(path)[0].axis_names == ("z", "y", "x")
    with pytest.raises(InvalidImageError, match="place for scale and unit: choose the option ome"):
        codec.repair(path, scale="1,1,1", unit="um")
    with pytest.raises(InvalidImageError, match="but the array has 3: name one axis"):
        codec.repair(path, axes="yx")
    with pytest.raises(InvalidImageError, match="is an array, and an image of OME-Zarr is a group"):
        codec.repair(path, ome=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_plain_arrays_become_an_image(version: str, tmp_path: Path) -> None:
    kind = 2 if version == "0.4" else 3
    path = write_group(tmp_path / "a.zarr", {}, version)
    if version == "0.5":
        edit_json(path / "zarr.json", attributes={})
    else:
        (path / ".zattrs").unlink()
    for name, level in zip(("s0", "s1"), LEVELS, strict=True):
        write_array(path / name, level, zarr_format=kind)
    options = {"axes": "zyx", "scale": "2,0.5,0.5", "unit": "um", "name": "cells"}
    mend(path, ome=True, averaged=True, **options)
    (opened,) = imload(path)
    assert opened.name == "cells"
    assert [(axis.name, axis.scale, axis.unit) for axis in opened.axes] == [
        ("z", 2, "micrometer"),
        ("y", 0.5, "micrometer"),
        ("x", 0.5, "micrometer"),
    ]
    for level, expected in zip(opened.levels, LEVELS, strict=True):
        assert_same_pixels(np.asarray(level), expected)


def test_a_group_without_attributes_becomes_an_image(tmp_path: Path) -> None:
    path = write_group(tmp_path / "a.zarr", {})
    edit_json(path / "zarr.json", attributes=...)
    write_array(path / "s0", DATA)
    write_array(path / "counts", np.arange(5))
    mend(path, ome=True, axes="zyx")
    assert imload(path)[0].axis_names == ("z", "y", "x")


def test_axes_are_written_into_the_arrays_that_have_them(tmp_path: Path) -> None:
    path = write_group(tmp_path / "a.zarr", {})
    edit_json(path / "zarr.json", attributes={})
    write_array(path / "cells", DATA)
    write_array(path / "counts", np.arange(5))
    mend(path, axes="zyx")
    names = [json.loads((path / each / "zarr.json").read_text()) for each in ("cells", "counts")]
    assert [each.get("dimension_names") for each in names] == [["z", "y", "x"], None]


def test_channels_among_the_axes_may_be_absent(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", DATA)
    mend(path, axes="czyx")
    assert imload(path)[0].axis_names == ("z", "y", "x")


def test_a_name_is_given_to_one_image_only(tmp_path: Path) -> None:
    path = write_group(tmp_path / "a.zarr", {"bioformats2raw.layout": 3})
    for name in ("0", "1"):
        write_image(path / name, DATA, "zyx")
    with pytest.raises(InvalidImageError, match="there are 2 images: give the path of one of them"):
        codec.repair(path, name="cells")


def test_a_level_that_is_none_is_left(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5")
    other = write_array(tmp_path / "other.zarr", DATA.astype("f4"))
    shutil.rmtree(path / "1")
    other.rename(path / "1")
    repair = codec.repair(path, scale="1,1,1")
    assert any("float32, and does not fit (3, 16, 20) and uint16" in r for r in repair.remarks)


def test_groups_with_too_many_names_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_search, "_MOST_NAMES", 1)
    with pytest.raises(UnreadableFileError, match=r"a\.zarr has more than 1 arrays, groups or"):
        codec.repair(image(tmp_path, "0.5"))


def test_an_image_in_folders_that_are_not_groups_is_repaired(tmp_path: Path) -> None:
    root = write_group(tmp_path / "a.zarr", {}, "0.4")
    path = write_image(root / "folder" / "cells", DATA, "zyx", "0.4", translation=(0, 0, 0))
    (root / "folder" / ".zattrs").write_text("{}")
    damage(path, steps(0, "2", 1, 1))
    assert len(codec.repair(path).changes) == 1


def test_several_arrays_are_not_one_image(tmp_path: Path) -> None:
    path = write_group(tmp_path / "a.zarr", {})
    for name in ("a", "b"):
        write_array(path / name, DATA)
    with pytest.raises(InvalidImageError, match="has the arrays a, b, expected one image"):
        codec.repair(path, ome=True)
    (path / "b" / "zarr.json").unlink()
    with pytest.raises(InvalidImageError, match="in this order"):
        codec.repair(path, ome=True, axes="xyz")


VALUES: list[tuple[dict[str, Any], str]] = [
    ({"axes": "zyxx"}, "give a different name for each axis"),
    ({"axes": "yx"}, "name one axis for each dimension"),
    ({"scale": "1,2"}, "give a value for each of them, or by name, such as z=2"),
    ({"scale": "q=2"}, "but the axes are z y x"),
    ({"scale": "1,0,2"}, "give a number other than 0"),
    ({"scale": "1,x,2"}, "give a number other than 0"),
    ({"unit": "fortnights"}, "which is not known"),
]


@pytest.mark.parametrize(("values", "message"), VALUES)
def test_values_that_do_not_fit(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=message):
        codec.repair(image(tmp_path, "0.5"), **values)


def test_other_versions(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5", lambda ome: ome.update(version="0.6"))
    repair = codec.repair(path)
    assert not repair.changes
    assert "is newer than 0.5" in repair.remarks[0]
    with pytest.raises(InvalidImageError, match="has no image of OME-Zarr"):
        codec.repair(path, name="b")
    old = {"version": "0.3", "axes": ["z", "y", "x"], "datasets": [{"path": "0"}, {"path": "1"}]}
    path = image(tmp_path / "old", "0.4", lambda ome: ome.update(multiscales=[old]))
    assert codec.repair(path) == Repair()
    assert "no place for scales" in codec.repair(path, scale="1,2,3").remarks[0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("axes", ["tczyx", "pqyx", "yxs"])
def test_stores_of_our_own_are_valid(axes: str, version: str, tmp_path: Path) -> None:
    data = pixels((2, 3, 4, 8, 8)[-len(axes) :] if axes != "yxs" else (8, 8, 3))
    path = tmp_path / "a.ome.zarr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        imsave(Image((data,), tuple(Axis(name, 0.5) for name in axes)), path, version=version)
    assert codec.repair(path) == Repair()
    if axes == "pqyx":
        with pytest.raises(InvalidImageError, match="has no image of OME-Zarr"):
            codec.repair(path, scale="1,1,1,1")
    else:
        mend(path, scale="x=0.7")
        assert imload(path)[0].axes[axes.index("x")].scale == 0.7


def test_a_version_that_is_not_json_is_unknown(tmp_path: Path) -> None:
    path = image(tmp_path, "0.4", steps(0, "2", 0.5, 0.25))
    damage(path, lambda ome: multiscale(ome).update(version=math.inf))
    assert len(mend(path).changes) == 2


def test_zip_files_and_others_are_refused(tmp_path: Path) -> None:
    path = zip_store(image(tmp_path, "0.5"), tmp_path / "a.ozx")
    with pytest.raises(UnsupportedFormatError, match="ZIP file, in which nothing can be replaced"):
        codec.repair(path)
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(UnreadableFileError, match="is not a Zarr store"):
        codec.repair(tmp_path / "b.zarr")


def test_a_pyramid_is_left_if_its_full_resolution_cannot_be_read(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5", steps(1, "2", 1, 0.5))
    edit_json(path / "0" / "zarr.json", codecs=["bytes", {"name": "other"}])
    repair = codec.repair(path, scale="1,1,1")
    assert not repair.changes
    assert "codec 'other'" in repair.remarks[0]
    assert "is left as it is" in repair.remarks[1]


def test_a_damaged_document_is_named_and_the_others_repaired(tmp_path: Path) -> None:
    path = image(tmp_path, "0.5", steps(0, "2", 0.5, 0.25))
    (path / "1" / "zarr.json").write_text("{")
    repair = codec.repair(path)
    assert len(repair.changes) == 1
    assert "1/zarr.json cannot be read" in repair.remarks[0]
