"""Stores as a whole: plates, series, groups of arrays, ZIP files, paths in a store."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels, snapshot
from napari_ferry import FerryError, FerryWarning, imload
from napari_ferry.codecs.zarr import codec, store_images
from napari_ferry.errors import UnreadableFileError, UnsupportedFormatError
from napari_ferry.image.record import ASSUMED
from napari_ferry.io.protocol import format_name
from napari_ferry.io.search import find_source_codec
from zarr_files import write_array, write_group, write_image, write_labels, zip_store

DATA = pixels((2, 3, 16, 20))
VERSIONS = ("0.4", "0.5")


def write_plate(path: Path, version: str = "0.5") -> Path:
    """Write a plate of two wells with two fields each."""
    wells = ["A/1", "B/2"]
    write_group(path, {"plate": {"wells": [{"path": well} for well in wells]}}, version)
    for well in wells:
        fields = {"well": {"images": [{"path": "0"}, {"path": "1"}]}}
        write_group(path / well, fields, version)
        for field in "01":
            write_image(path / well / field, DATA + int(field), "tcyx", version)
    return path


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_opens_every_field(version: str, tmp_path: Path) -> None:
    images = imload(write_plate(tmp_path / "plate.ome.zarr", version))
    assert [image.name for image in images] == ["A/1/0", "A/1/1", "B/2/0", "B/2/1"]
    assert_same_pixels(np.asarray(images[3].array), DATA + 1)


def test_a_well_and_a_field_open_by_their_paths(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "plate.ome.zarr")
    assert [image.name for image in imload(path / "B" / "2")] == ["2/0", "2/1"]
    assert len(imload(path / "B" / "2" / "0")) == 1


def test_missing_wells_and_fields_are_named(tmp_path: Path) -> None:
    path = write_plate(tmp_path / "plate.zarr")
    (path / "A" / "1").rename(tmp_path / "elsewhere")
    (path / "B" / "2" / "0" / "zarr.json").unlink()
    with pytest.warns(FerryWarning) as caught:
        images = imload(path)
    assert [image.name for image in images] == ["B/2/1"]
    texts = " ".join(str(one.message) for one in caught)
    assert "well A/1 is missing" in texts
    assert "field 0 is missing" in texts


def test_a_well_without_fields_is_refused(tmp_path: Path) -> None:
    write_group(tmp_path / "well.zarr", {"well": {"images": ["0", 1]}})
    with pytest.raises(UnreadableFileError, match=r"^well\.zarr is a well that lists no images"):
        imload(tmp_path / "well.zarr")


def test_a_plate_without_wells_is_refused(tmp_path: Path) -> None:
    write_group(tmp_path / "plate.zarr", {"plate": {"wells": [{"path": "../x"}]}})
    with pytest.raises(UnreadableFileError, match=r"^plate\.zarr is a plate without a well"):
        imload(tmp_path / "plate.zarr")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_listed", [False, True])
def test_a_series_of_bioformats2raw(version: str, is_listed: bool, tmp_path: Path) -> None:
    path = write_group(tmp_path / "scan.zarr", {"bioformats2raw.layout": 3}, version)
    for k in range(3):
        write_image(path / str(k), DATA[k % 2, k], "yx", version)
    if is_listed:
        write_group(path / "OME", {"series": ["0", "2"]}, version)
    images = imload(path)
    expected = ["0", "2"] if is_listed else ["0", "1", "2"]
    assert [image.name for image in images] == [f"scan {k}" for k in expected]
    assert_same_pixels(np.asarray(images[-1].array), DATA[0, 2])


def test_a_series_without_images_is_refused(tmp_path: Path) -> None:
    path = write_group(tmp_path / "scan.zarr", {"bioformats2raw.layout": 3})
    with pytest.raises(UnreadableFileError, match="lists no series"):
        imload(path)


def test_a_plain_array_says_that_its_axes_are_assumed(tmp_path: Path) -> None:
    (image,) = imload(write_array(tmp_path / "stack.zarr", DATA))
    assert image.name == "stack"
    assert image.axis_names == ("t", "z", "y", "x")
    assert "named by their order" in image.metadata[ASSUMED]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_names_of_dimensions_are_those_of_axes(zarr_format: int, tmp_path: Path) -> None:
    dims = ["time", "Channel", "y", "x"]
    options: dict[str, Any] = {"attributes": {"_ARRAY_DIMENSIONS": dims, "a": 1}}
    if zarr_format == 3:
        options = {"dimension_names": dims, "attributes": {"a": 1}}
    path = write_array(tmp_path / "stack.zarr", DATA, zarr_format=zarr_format, **options)
    (image,) = imload(path)
    assert image.axis_names == ("t", "c", "y", "x")
    assert image.metadata == {"a": 1}


def test_arrays_of_a_group_are_images(tmp_path: Path) -> None:
    path = tmp_path / "group.zarr"
    zarr.open_group(str(path), mode="w", attributes={"mine": 1})
    write_array(path / "b10", DATA[0])
    write_array(path / "b2", DATA[1])
    write_array(path / "deep" / "er" / "a", DATA[0, 0])
    write_array(path / "numbers", np.arange(5))
    zarr.open_group(str(path / "deep"), mode="a")
    zarr.open_group(str(path / "deep" / "er"), mode="a")
    with pytest.warns(FerryWarning, match="numbers has the shape"):
        images = imload(path)
    assert {image.name for image in images} == {"b2", "b10", "deep/er/a"}
    assert [image.name for image in images][:2] == ["b2", "b10"]
    assert [image.name for image in imload(path / "deep" / "er")] == ["a"]


def test_images_of_a_group_are_opened_with_its_arrays(tmp_path: Path) -> None:
    path = tmp_path / "group.zarr"
    zarr.open_group(str(path), mode="w")
    zarr.open_group(str(path / "empty"), mode="w")
    with pytest.raises(UnreadableFileError, match=r"^group\.zarr holds no images"):
        imload(path)
    write_image(path / "cells", DATA, "tcyx")
    assert [image.name for image in imload(path)] == ["cells"]
    write_array(path / "plain", DATA[0])
    assert {image.name for image in imload(path)} == {"cells", "plain"}


def test_a_group_of_arrays_that_are_not_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "group.zarr"
    zarr.open_group(str(path), mode="w")
    write_array(path / "numbers", np.arange(5))
    with pytest.raises(UnreadableFileError, match="numbers has the shape"):
        imload(path)


def test_consolidated_metadata_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "group.zarr"
    zarr.open_group(str(path), mode="w", zarr_format=2)
    write_array(path / "a", DATA, zarr_format=2)
    zarr.consolidate_metadata(str(path))
    (image,) = imload(path)
    assert_same_pixels(np.asarray(image.array), DATA)


def write_xarray(path: Path, data: NDArray[Any], coords: dict[str, tuple[Any, str]]) -> Path:
    """Write an array as xarray does: each coordinate is an array named like its axis."""
    zarr.open_group(str(path), mode="w", zarr_format=2)
    dims = {"_ARRAY_DIMENSIONS": [*"tcyx"]}
    write_array(path / "cells", data, zarr_format=2, attributes=dims)
    for name, (values, unit) in coords.items():
        raw = np.asarray(values)
        metadata = {"zarr_format": 2, "shape": raw.shape, "chunks": raw.shape, "order": "C"}
        metadata |= dict.fromkeys(("compressor", "filters", "fill_value"))
        (path / name).mkdir()
        (path / name / "0").write_bytes(raw.tobytes())
        (path / name / ".zarray").write_text(json.dumps({**metadata, "dtype": raw.dtype.str}))
        attributes = {"_ARRAY_DIMENSIONS": [name], "units": unit}
        (path / name / ".zattrs").write_text(json.dumps(attributes))
    return path


def test_coordinates_of_xarray_are_scales_and_names(tmp_path: Path) -> None:
    t, y = np.arange(2) * 0.5 + 3, np.arange(16) * 0.25
    names = ["red", "green", "blue"]
    path = write_xarray(
        tmp_path / "x.zarr", DATA, {"t": (t, "s"), "y": (y, "um"), "c": (names, "")}
    )
    (image,) = imload(path)
    assert image.name == "cells"
    assert [(axis.name, axis.scale, axis.unit, axis.translation) for axis in image.axes] == [
        ("t", 0.5, "second", 3.0),
        ("c", 1.0, None, 0.0),
        ("y", 0.25, "micrometer", 0.0),
        ("x", 1.0, None, 0.0),
    ]
    assert [channel.name for channel in image.channels] == names


def test_coordinates_that_do_not_describe_an_axis_are_left_out(tmp_path: Path) -> None:
    coords = {"c": ([0.1, 0.2, 0.3], ""), "y": (np.arange(5.0), "um"), "x": (["a"] * 20, "")}
    (image,) = imload(write_xarray(tmp_path / "x.zarr", DATA, coords))
    assert [(axis.scale, axis.unit) for axis in image.axes] == [(1, None)] * 4
    assert not image.channels


def test_uneven_coordinates_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    zarr.open_group(str(path), mode="w")
    write_array(path / "a", DATA[0], dimension_names=["z", "y", "x"])
    write_array(path / "z", np.array([0.0, 1.0, 5.0]), dimension_names=["z"])
    with pytest.warns(FerryWarning, match="not evenly spaced"):
        (image,) = imload(path)
    assert image.axes[0].scale == 1


def test_a_group_without_ome_metadata_says_so(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.ome.zarr", DATA, "tcyx")
    write_group(path, {})
    with pytest.warns(FerryWarning, match="no metadata of OME-NGFF"):
        (image,) = imload(path)
    assert image.axis_names == ("t", "c", "y", "x")


def test_folders_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "loop.zarr"
    zarr.open_group(str(path), mode="w")
    try:
        for name in "abc":
            (path / name).symlink_to(path, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made")
    with pytest.raises(FerryError, match=r"loop\.zarr (has more than|holds no images)"):
        imload(path)
    monkeypatch.setattr(store_images, "_MOST_NODES", 20)
    with pytest.raises(FerryError, match="has more than 20"):
        imload(path)


@pytest.mark.parametrize("name", ["zarr.json", ".zattrs", ".zgroup"])
def test_a_metadata_file_opens_its_folder(name: str, tmp_path: Path) -> None:
    version = "0.5" if name == "zarr.json" else "0.4"
    path = write_image(tmp_path / "a.ome.zarr", DATA, "tcyx", version)
    (image,) = imload(path / name)
    assert image.name == "a"


def test_an_array_in_a_store_opens_by_its_path(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.ome.zarr", DATA, "tcyx")
    (image,) = imload(path / "0")
    assert image.axis_names == ("t", "c", "y", "x")


@pytest.mark.parametrize("name", ["a.zarr", "a", "a.b"])
def test_a_store_is_known_by_its_files(name: str, tmp_path: Path) -> None:
    path = write_image(tmp_path / name, DATA, "tcyx")
    assert format_name(find_source_codec(path)) == "zarr"
    write_array(path / "1.tif", DATA)
    assert format_name(find_source_codec(path)) == "zarr"


def test_a_folder_that_is_not_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(UnsupportedFormatError, match=r"a\.zarr"):
        imload(tmp_path / "a.zarr")
    with pytest.raises(UnreadableFileError, match="is not a Zarr store"):
        codec.open(tmp_path / "a.zarr")


DAMAGED = (b"", b"{", b"[]", b"1", b"\xff\xfe", b'{"zarr_format": 3}', b"[" * 100_000)


@pytest.mark.parametrize("content", DAMAGED, ids=[repr(each[:20]) for each in DAMAGED])
def test_damaged_metadata_are_refused(content: bytes, tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.ome.zarr", DATA, "tcyx")
    (path / "zarr.json").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"^a\.ome\.zarr .*zarr\.json"):
        imload(path)


def test_opening_never_writes(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.ome.zarr", DATA, "tcyx")
    before = snapshot(path)
    (image,) = imload(path)
    image.load()
    assert snapshot(path) == before


# --- ZIP files


@pytest.mark.parametrize("name", ["a.ozx", "a.ome.zarr.zip"])
@pytest.mark.parametrize("is_nested", [False, True])
def test_a_zip_file_opens_as_its_folder(name: str, is_nested: bool, tmp_path: Path) -> None:
    path = write_image(tmp_path / "b.ome.zarr", DATA, "tcyx")
    write_labels(path, {"cells": DATA[0, 0].astype("u1")})
    options = {"base_dir": "b.ome.zarr"} if is_nested else {}
    folder = tmp_path if is_nested else path
    zipped = zip_store(folder, tmp_path / name, **options)
    image, labels = imload(zipped)
    assert (image.name, labels.name) == ("a", "cells")
    assert_same_pixels(np.asarray(image.array), DATA)
    assert_same_pixels(np.asarray(labels.array), DATA[0, 0].astype("u1"))
    image.close()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_shards_in_a_zip_file(compression: int, tmp_path: Path) -> None:
    path = write_array(tmp_path / "b.zarr", DATA, chunks=(1, 1, 8, 10), shards=(2, 3, 16, 20))
    with zipfile.ZipFile(tmp_path / "a.ozx", "w", compression) as file:
        for each in sorted(path.rglob("*")):
            file.write(each, each.relative_to(path))
    (image,) = imload(tmp_path / "a.ozx")
    assert_same_pixels(np.asarray(image.array), DATA)
    image.close()


def test_plain_arrays_in_a_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "b.zarr"
    zarr.open_group(str(path), mode="w")
    write_array(path / "one", DATA)
    (image,) = imload(zip_store(path, tmp_path / "a.ozx"))
    assert (image.name, image.shape) == ("one", DATA.shape)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"II*\0", b"PK\x03\x04 and nothing more"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cells.ozx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"^cells\.ozx is not a Zarr store in a ZIP file"):
        imload(path)


def test_a_damaged_entry_of_a_zip_file_is_named(tmp_path: Path) -> None:
    path = write_array(tmp_path / "b.zarr", DATA, chunks=DATA.shape, compressors=None)
    with zipfile.ZipFile(tmp_path / "a.ozx", "w") as file:
        for each in sorted(path.rglob("*")):
            file.write(each, each.relative_to(path))
    content = bytearray((tmp_path / "a.ozx").read_bytes())
    at = content.find(DATA.tobytes()[:16])
    content[at + 20] ^= 1
    (tmp_path / "a.ozx").write_bytes(content)
    (image,) = imload(tmp_path / "a.ozx")
    with pytest.raises(UnreadableFileError, match=r"a\.ozx is damaged: c/0/0/0/0 .*checksum"):
        np.asarray(image.array)


def zip_last(folder: Path, key: str, target: Path, method: int = zipfile.ZIP_STORED) -> Path:
    """Put a store into a ZIP file, one of its files last and with a compression of its own."""
    with zipfile.ZipFile(target, "w") as file:
        for each in sorted(path for path in folder.rglob("*") if path.is_file()):
            if each != folder / key:
                file.write(each, each.relative_to(folder))
        file.write(folder / key, key, method)
    return target


def damage_entry(path: Path, offset: int, value: bytes, *, is_local: bool = False) -> None:
    """Change bytes of the header of the last entry, in the directory or before its content."""
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x03\x04" if is_local else b"PK\x01\x02") + offset
    content[at : at + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "value", "is_local", "message"),
    [
        (8, b"\1", False, "it is encrypted in the ZIP file"),
        (10, b"\x0c", False, "it is compressed by method 12 in the ZIP file"),
        (0, b"XX", True, "its header in the ZIP file is invalid"),
        (42, b"\xff\xff\xff\x7f", False, "the ZIP file ends before it"),
        (20, b"\xff\xff\xff\x0f", False, "it has 268435455 bytes, expected at most"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(
    offset: int, value: bytes, is_local: bool, message: str, tmp_path: Path
) -> None:
    path = write_array(tmp_path / "b.zarr", DATA, chunks=DATA.shape, compressors=None)
    zipped = zip_last(path, "c/0/0/0/0", tmp_path / "a.ozx")
    damage_entry(zipped, offset, value, is_local=is_local)
    (image,) = imload(zipped)
    with pytest.raises(UnreadableFileError, match=rf"a\.ozx .*c/0/0/0/0.*{message}"):
        np.asarray(image.array)
    image.close()


def test_shards_in_a_zip_file_may_be_missing_or_short(tmp_path: Path) -> None:
    path = write_array(tmp_path / "b.zarr", DATA, chunks=(1, 1, 8, 10), shards=(1, 3, 16, 20))
    (path / "c" / "1" / "0" / "0" / "0").unlink()
    (image,) = imload(zip_store(path, tmp_path / "a.ozx"))
    assert_same_pixels(np.asarray(image.array[0]), DATA[0])
    assert not image.array[1].any()
    image.close()
    (path / "c" / "0" / "0" / "0" / "0").write_bytes(b"short")
    (image,) = imload(zip_store(path, tmp_path / "b.ozx"))
    with pytest.raises(UnreadableFileError, match=r"b\.ozx is damaged: .*c/0/0/0/0"):
        image.array[0]
    image.close()


def test_groups_in_a_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "b.zarr"
    zarr.open_group(str(path), mode="w")
    zarr.open_group(str(path / "deep"), mode="w")
    write_array(path / "deep" / "one", DATA)
    assert [image.name for image in imload(zip_store(path, tmp_path / "a.ozx"))] == ["deep/one"]


def test_a_zip_file_of_other_things_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.ozx", "w") as file:
        file.writestr("notes.txt", json.dumps({}))
    with pytest.raises(UnreadableFileError, match=r"a\.ozx is not a Zarr store"):
        imload(tmp_path / "a.ozx")
