"""Codec of TIFF: files of earlier systems, damaged files, and other files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import tifffile

from helpers import (
    SHARED,
    Entry,
    assert_same_pixels,
    entry_id,
    pixels,
    read_corpus,
    read_golden,
    sha256,
)
from napari_ferry import imload, imsave, plan
from napari_ferry.codecs.tiff import codec
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    UnreadableFileError,
)
from napari_ferry.image import Image


def test_a_file_changed_while_open_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, pixels((5, 20, 33)), compression="zlib", photometric="minisblack")
    (image,) = imload(path)
    tifffile.imwrite(path, pixels((6, 20, 33)), compression="zlib", photometric="minisblack")
    with pytest.raises(UnreadableFileError, match="changed"):
        image.load()
    path.unlink()
    with pytest.raises(UnreadableFileError, match="can no longer be read"):
        np.asarray(image.array[0])


def is_tiff(entry: Entry) -> bool:
    return all(f.lower().endswith((".tif", ".tiff", ".json")) for f in entry["files"]) and any(
        ".tif" in f for f in entry["files"]
    )


GOLDEN = [
    pytest.param(system, entry, id=f"{system}-{entry_id(entry)}")
    for system in ("calscipy", "intake_io", "ams_bp", "careamics", "scout")
    for entry in read_golden(system, is_tiff)
    if not entry.get("trap")
]


@pytest.mark.usefixtures("shared_data")
def test_there_are_files_of_earlier_systems() -> None:
    assert len(GOLDEN) >= 40


@pytest.mark.filterwarnings("ignore:.*its description does not name a color")
@pytest.mark.parametrize(("system", "entry"), GOLDEN)
def test_files_of_earlier_systems(system: str, entry: Entry) -> None:
    path = SHARED / "earlier-systems" / system / entry["open"]
    axes = entry["axes"].replace("(file)", "T")
    found = imload(path)
    if "assumed" in found[0].metadata:
        found = imload(path, axes=axes)
    image = found[0]
    assert "".join(image.axis_names).upper() == axes
    array = np.asarray(image.array)
    assert (list(array.shape), array.dtype) == (entry["shape"], entry["dtype"])
    assert sha256(array) == entry["sha256_c_order"]
    _check_metadata(image, entry)
    for other, (name, variable) in zip(found, entry.get("variables", {}).items(), strict=False):
        assert (other.name, sha256(other.array)) == (name, variable["sha256_c_order"])


def _check_metadata(image: Image, entry: Entry) -> None:
    """Compare names and calibration with the record of the corpus."""
    names = entry.get("channel_names") or entry.get("coords", {}).get("c")
    if names:
        assert [channel.name for channel in image.channels] == names
    for key, value in entry.get("spacing", {}).items():
        assert image.axis(key) is None or image.axis(key).scale == pytest.approx(value, rel=1e-6)
    for key, value in entry.get("pixel_size_um", {}).items():
        factor = {"meter": 1e6, "nanometer": 1e-3, "micrometer": 1}[image.axis(key).unit]
        assert image.axis(key).scale * factor == pytest.approx(value)
    if entry.get("frame_rate"):
        assert image.frame_rate == pytest.approx(entry["frame_rate"])


HUGE = {"tiff/gen__bomb_deflate_3GB.tif"}
"""Files that would fill the memory; they open, and their pixels are not read here."""

DAMAGED = read_corpus("tiff", lambda entry: entry["kind"] != "valid")


@pytest.mark.usefixtures("shared_data")
def test_there_are_damaged_files() -> None:
    assert len(DAMAGED) > 50


@pytest.mark.parametrize("entry", DAMAGED, ids=entry_id)
def test_a_damaged_file_opens_or_is_refused(entry: Entry) -> None:
    start = monotonic()
    said = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        try:
            for image in imload(SHARED / "corpus" / entry["file"]):
                assert 0 not in image.shape
                if image.nbytes < 1e7:
                    image.load()
                elif image.nbytes > 1e18:
                    np.asarray(image.array)
        except FerryError as error:
            said = str(error)

    assert monotonic() - start < 5
    assert not said or len(said) > 20
    warned = any(warning.category is FerryWarning for warning in caught)
    if entry["expect"] == "error" and entry["file"] not in HUGE:
        assert said or warned
    if str(entry["expect"]).startswith("ok") or isinstance(entry["expect"], dict):
        assert not said


@pytest.mark.parametrize("flavor", ["imagej", "ome", "shaped", "deflate"])
@pytest.mark.parametrize("percent", [10, 50, 90, 99])
def test_a_truncated_file_is_never_short_without_a_warning(
    flavor: str, percent: int, tmp_path: Path
) -> None:
    path = tmp_path / "cells.tif"
    data = pixels((20, 30, 40))
    if flavor == "deflate":
        tifffile.imwrite(path, data, compression="zlib", photometric="minisblack")
    else:
        dtype = {"imagej": "uint16", "ome": "int16", "shaped": "uint64"}[flavor]
        imsave(data.astype(dtype), path)
    os.truncate(path, path.stat().st_size * percent // 100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            whole = imload(path)[0].load()
        except FerryError:
            return

    assert whole.shape == data.shape or any(w.category is FerryWarning for w in caught)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"<html><body>", "not a TIFF file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "not a TIFF file"),
        (b"II", "not a TIFF file"),
        (b"II*\0\x08\0\0\0", "cut off"),
        (b"II*\0\0\0\0\0", "damaged"),
        (b"MM\0\x2b\0\x08\0\0", "cut off"),
        (b"II*\0\xff\xff\xff\xff" + bytes(50), "cut off"),
    ],
    ids=repr,
)
def test_other_files_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=rf"x\.tif.*{message}"):
        imload(tmp_path / "x.tif")


def test_pipes_folders_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.tif").mkdir()
    for name, message in (
        ("pipe", "not a file"),
        ("folder", "no files"),
        ("gone", "not there"),
    ):
        with pytest.raises(FerryError, match=message):
            imload(tmp_path / f"{name}.tif")


@pytest.mark.parametrize(
    ("name", "dtype", "coding", "place"),
    [
        ("a.ome.tif", "uint16", "ascii", "the OME-XML"),
        ("a.tif", "uint16", "utf-16-le", "the ImageJ header"),
        ("a.tif", "int64", "ascii", "the JSON description"),
    ],
)
def test_a_damaged_record_is_named(
    name: str, dtype: str, coding: str, place: str, tmp_path: Path
) -> None:
    data = pixels((3, 20, 30), dtype)
    imsave(Image.from_array(data, "zyx"), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    old, new = (f'"{key}": [{{'.encode(coding) for key in ("axes", "a#es"))
    assert content.count(old) == 1
    (tmp_path / name).write_bytes(content.replace(old, new))
    with pytest.warns(FerryWarning, match=f"{name}: .*in {place} is damaged") as caught:
        (image,) = imload(tmp_path / name)
    assert len(caught) == 1
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


def test_an_unknown_choice_of_a_pyramid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="The pyramid is 'yes': give True, False or None"):
        plan(np.zeros((8, 8), np.uint8), tmp_path / "a.ome.tif", pyramid="yes")


def test_the_program_of_an_imagej_file_is_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 8, 8), np.uint8), imagej=True, software="")
    assert codec.written_by(tmp_path / "a.tif").startswith("ImageJ 1.")
