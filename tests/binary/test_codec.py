"""Codec of raw files: pairs of files, modes of access, missing metadata, and files of others."""

from __future__ import annotations

import errno
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import (
    SHARED,
    Entry,
    assert_same_image,
    assert_same_pixels,
    entry_id,
    make_full_image,
    make_image,
    pixels,
    read_corpus,
    read_golden,
    sha256,
    snapshot,
)
from napari_ferry import imload, imsave, load_binary
from napari_ferry.codecs.binary import codec as binary
from napari_ferry.codecs.binary.codec import open_binary
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
    UnreadableFileError,
)
from operations import Operations, fail
from raw_files import SIDECAR

GOLDEN = read_golden("calscipy", lambda entry: "bin" in entry["id"])
CORPUS = read_corpus("bin", lambda entry: bool(entry["sidecar"]))


def test_more_than_one_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="one image, but 2"):
        imsave([make_image("tyx"), make_image("yx")], tmp_path / "cells.bin")
    assert not snapshot(tmp_path)


def test_the_pair_is_replaced_together(recording: Path) -> None:
    imsave(make_full_image("zyx", "float32"), recording, overwrite=True)
    assert_same_image(imload(recording)[0], make_full_image("zyx", "float32"))
    imsave(pixels((2, 3, 4)), recording, overwrite=True)
    assert recording.with_suffix(".json").read_text() == (
        '{"frames": 2, "y": 3, "x": 4, "dtype": "uint16"}'
    )


def test_the_path_of_the_sidecar_opens_the_raw_file(recording: Path) -> None:
    (image,) = binary.open(recording.with_suffix(".json"))
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    recording.unlink()
    with pytest.raises(UnreadableFileError, match=r"none of cells\.bin"):
        binary.open(recording.with_suffix(".json"))


@pytest.mark.parametrize("entry", CORPUS, ids=entry_id)
@pytest.mark.filterwarnings("ignore:.* is computed from:napari_ferry.FerryWarning")
def test_files_of_the_corpus(entry: Entry) -> None:
    path = SHARED / "corpus" / entry["file"]
    expected = entry["expect"]
    try:
        found = load_binary(path)
    except FerryError:
        assert not isinstance(expected, dict)
        return
    if isinstance(expected, dict):
        assert list(found.shape) == expected["shape"]
        assert found.dtype.name == expected["dtype"]
        assert sha256(found) == expected["sha256_le"]
    else:  # what can be computed exactly is no guess
        assert expected != "error"
        assert found.nbytes == path.stat().st_size


@pytest.mark.parametrize("missing", [None, {"dtype": "uint8", "frames": 0, "y": 4, "x": 5}])
def test_a_file_without_samples_is_opened_with_a_warning(
    missing: dict[str, Any] | None, tmp_path: Path
) -> None:
    (tmp_path / "a.bin").touch()
    (tmp_path / "a.json").write_text('{"dtype": "uint8", "y": 4, "x": 5}')
    with pytest.warns(FerryWarning, match=r"a\.bin is empty: an image without pixels"):
        assert load_binary(tmp_path / "a.bin", missing_metadata=missing).shape == (0, 4, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="faults are made the POSIX way")
def test_a_sidecar_that_cannot_be_read_is_not_taken_for_another_file(recording: Path) -> None:
    sidecar = recording.with_suffix(".json")
    actions = {
        "imload": lambda: imload(sidecar),
        "imsave": lambda: imsave(pixels((2, 3, 4)), recording, overwrite=True),
    }
    for action in actions.values():
        refused = Operations(folder=sidecar, at=1, fault=fail(errno.EIO))
        with refused.watched(), pytest.raises(UnreadableFileError, match=r"json cannot be read"):
            action()


@pytest.mark.parametrize("entry", GOLDEN, ids=entry_id)
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.filterwarnings("ignore:.* is empty:napari_ferry.FerryWarning")
@pytest.mark.filterwarnings("ignore:.* is computed from:napari_ferry.FerryWarning")
def test_files_of_calscipy(entry: Entry, mapped: bool) -> None:
    path = SHARED / "earlier-systems" / "calscipy" / entry["open"]
    found = load_binary(path, mapped=mapped, missing_metadata=entry.get("missing_metadata"))
    assert (list(found.shape), found.dtype) == (entry["shape"], entry["dtype"])
    assert sha256(found) == entry["sha256_c_order"]
    if "missing_metadata" not in entry:
        (image,) = imload(path) if path.suffix or path.is_dir() else [open_binary(path)]
        assert image.axis_names == ("t", "y", "x")
        assert sha256(image.array) == entry["sha256_c_order"]


@pytest.mark.usefixtures("shared_data")
def test_files_of_others_exist() -> None:
    assert len(GOLDEN) >= 11
    assert len(CORPUS) >= 25


def test_a_file_is_read_only_by_default(recording: Path) -> None:
    found = load_binary(recording, mapped=True)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    before = recording.read_bytes()
    np.asarray(imload(recording)[0].array)[...] = 0  # a copy in memory
    assert recording.read_bytes() == before
    assert load_binary(recording).flags.owndata


def test_changes_of_a_copy_stay_in_memory(recording: Path) -> None:
    before = recording.read_bytes()
    found = load_binary(recording, mapped=True, mode="c")
    found[...] = 7
    assert (found == 7).all()
    assert recording.read_bytes() == before


def test_changes_are_written_to_the_file_on_request(recording: Path) -> None:
    found = load_binary(recording, mapped=True, mode="r+")
    found[2] = 7
    found.flush()
    expected = pixels((5, 12, 16))
    expected[2] = 7
    assert_same_pixels(load_binary(recording), expected)


@pytest.mark.parametrize("mode", ["w+", "w", "a", "", None, "rb"])
def test_modes_that_empty_the_file_are_refused(mode: Any, recording: Path) -> None:
    before = snapshot(recording.parent)
    with pytest.raises(InvalidImageError, match="Mode"):
        load_binary(recording, mapped=True, mode=mode)
    assert snapshot(recording.parent) == before


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("form", ["file", "stem", "folder"])
@pytest.mark.parametrize("known", [*combinations(("frames", "y", "x"), 2), ("frames", "y", "x")])
@pytest.mark.parametrize("dtype", ["uint16", np.uint16, np.dtype("u2"), "<u2"], ids=str)
def test_the_third_dimension_is_computed(
    mapped: bool, form: str, known: tuple[str, ...], dtype: Any, tmp_path: Path
) -> None:
    path = tmp_path / "binary_video.bin"
    pixels((5, 12, 16)).tofile(path)
    told = {"dtype": dtype} | {key: np.int64(SIDECAR[key]) for key in known}
    target = {"file": path, "stem": path.with_suffix(""), "folder": tmp_path}[form]
    found = load_binary(str(target), mapped, missing_metadata=told)
    assert_same_pixels(found, pixels((5, 12, 16)))
    assert isinstance(found, np.memmap) == mapped


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ({"y": 12, "x": 16}, MissingMetadataError, "dtype"),
        ({"y": 12, "dtype": "uint16"}, MissingMetadataError, "frames and x"),
        ({"frames": 5, "dtype": "uint16"}, MissingMetadataError, "y and x"),
        ({"dtype": "uint16"}, MissingMetadataError, "frames and y and x"),
        ({}, MissingMetadataError, "dtype"),
        ({"y": 11, "x": 16, "dtype": "uint16"}, UnreadableFileError, "160 bytes remain"),
        ({"frames": 7, "y": 12, "dtype": "float64"}, UnreadableFileError, "576 bytes remain"),
        ({"y": 12, "x": 16, "dtype": "O"}, UnreadableFileError, "numeric dtype"),
        ({"y": 12, "x": 16.0, "dtype": "u2"}, UnreadableFileError, "whole number"),
        ({"y": -12, "x": 16, "dtype": "u2"}, UnreadableFileError, "whole number"),
        ({"frames": 6, "y": 12, "x": 16, "dtype": "u2"}, UnreadableFileError, "2304"),
        ({"y": 10**9, "x": 10**9, "dtype": "u2"}, UnreadableFileError, "remain"),
    ],
    ids=str,
)
@pytest.mark.parametrize("mapped", [False, True])
def test_errors_name_missing_dimensions_and_remaining_bytes(
    told: dict[str, Any], error: type[FerryError], words: str, mapped: bool, recording: Path
) -> None:
    before = snapshot(recording.parent)
    with pytest.raises(error, match=words):
        load_binary(recording, mapped, missing_metadata=told)
    assert snapshot(recording.parent) == before


def test_the_error_without_a_sidecar_names_the_cure(recording: Path) -> None:
    recording.with_suffix(".json").unlink()
    for target in (recording, recording.parent):
        with pytest.raises(MissingMetadataError, match="missing_metadata="):
            load_binary(target)
        with pytest.raises(MissingMetadataError, match=r"cells\.bin has no sidecar cells\.json"):
            imload(target)


def test_a_folder_of_several_recordings(recording: Path) -> None:
    imsave(make_image("tyx"), recording.with_name("other.raw"))
    assert [image.name for image in imload(recording.parent)] == ["cells", "other"]
    with pytest.raises(MissingMetadataError, match=r"2 raw files \(cells\.bin, other\.raw\)"):
        load_binary(recording.parent)
    imsave(pixels((2, 3, 4)), recording.with_name("binary_video.bin"))
    assert load_binary(recording.parent).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.9, "likely layouts are"), (0.1, "guesses are")]
)
def test_a_guess_is_not_called_likely(
    confidence: float, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(dtype=np.dtype("u2"), offset=0, frames=2, y=4, x=5, confidence=confidence)
    monkeypatch.setattr(
        "napari_ferry.codecs.binary.layout.find.find_layouts", lambda *_, **__: [layout]
    )
    (tmp_path / "a.bin").write_bytes(bytes(80))
    with pytest.raises(MissingMetadataError, match=words) as caught:
        load_binary(tmp_path / "a.bin")
    assert ("repair a.bin --write" in str(caught.value)) == (confidence > 0.5)
