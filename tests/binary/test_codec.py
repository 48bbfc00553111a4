"""Raw binary: sidecars as CalSciPy writes them, our own with more keys, and damaged ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from napari_ferry.errors import (
    FerryError,
    InvalidImageError,
    MissingMetadataError,
    TargetExistsError,
    UnreadableFileError,
)
from napari_ferry.image import Axis, Image

SIDECAR = {"frames": 5, "y": 12, "x": 16, "dtype": "uint16"}
GOLDEN = read_golden("calscipy", lambda entry: "bin" in entry["id"])
CORPUS = read_corpus("bin", lambda entry: bool(entry["sidecar"]))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return a raw file of 5 x 12 x 16 uint16 with its sidecar."""
    path = tmp_path / "cells.bin"
    pixels((5, 12, 16)).tofile(path)
    path.with_suffix(".json").write_text(json.dumps(SIDECAR))
    return path


# --- what is written


@pytest.mark.parametrize(
    ("dtype", "word"),
    [
        *(("uint16", "uint16"), ("uint8", "uint8"), ("bool", "bool"), (">u2", ">u2")),
        *(("<f8", "float64"), ("complex64", "complex64"), (">f4", ">f4"), ("int64", "int64")),
    ],
)
def test_a_plain_stack_has_the_sidecar_of_calscipy(dtype: str, word: str, tmp_path: Path) -> None:
    data = pixels((5, 12, 16), dtype)
    made = imsave(data, tmp_path / "cells.bin")
    assert [path.name for path in made] == ["cells.bin", "cells.json"]
    text = f'{{"frames": 5, "y": 12, "x": 16, "dtype": "{word}"}}'
    assert made[1].read_bytes() == text.encode()
    assert made[0].read_bytes() == data.tobytes()


@pytest.mark.parametrize(
    "image",
    [
        make_image("zyx"),
        make_image("yx"),
        make_image("tczyx"),
        make_image("tyxs", "uint8"),
        replace(make_image("tyx"), name="named"),
        replace(make_image("tyx"), kind="labels"),
        replace(make_image("tyx"), metadata={"a": 1}),
        replace(make_image("tyx"), axes=(Axis("t", 0.1, "second"), Axis("y"), Axis("x"))),
        make_full_image("tczyx"),
    ],
    ids=lambda image: "".join(image.axis_names),
)
def test_any_other_image_has_more_keys(image: Image, tmp_path: Path) -> None:
    data, sidecar = imsave(image, tmp_path / "cells.bin")
    record = json.loads(sidecar.read_text("utf-8"))
    assert list(record)[:4] == ["frames", "y", "x", "dtype"]
    assert record["napari-ferry"] == 1
    assert record["offset"] == 0
    shape = [record[key] for key in ("frames", "y", "x")]
    assert np.fromfile(data, record["dtype"]).reshape(shape).size == np.prod(image.shape)
    assert_same_image(imload(data)[0], image, "cells")


def test_the_sidecar_of_others_is_a_subset_of_ours(tmp_path: Path) -> None:
    data, sidecar = imsave(make_full_image("tzyx"), tmp_path / "cells.bin")
    record = json.loads(sidecar.read_text("utf-8"))
    sidecar.write_text(json.dumps({key: record[key] for key in SIDECAR}))
    assert_same_pixels(load_binary(data), np.reshape(make_image("tzyx").array, (12, 5, 7)))


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


@pytest.mark.parametrize("text", ["{}", "[1, 2]", "not json", "", '{"dtype": "uint8"}', '{"y": 3}'])
def test_a_json_file_that_is_not_a_sidecar_is_never_changed(text: str, tmp_path: Path) -> None:
    foreign = tmp_path / "cells.json"
    foreign.write_text(text)
    before = snapshot(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(TargetExistsError, match=r"cells\.json"):
            imsave(make_image("tyx"), tmp_path / "cells.bin", overwrite=overwrite)
    assert snapshot(tmp_path) == before


def test_the_sidecar_of_another_recording_is_never_changed(recording: Path) -> None:
    before = snapshot(recording.parent)
    with pytest.raises(TargetExistsError, match=r"cells\.json"):
        imsave(make_image("tyx"), recording.with_suffix(".raw"), overwrite=True)
    assert snapshot(recording.parent) == before


def test_one_stale_file_is_named(recording: Path) -> None:
    other = recording.with_name("other.bin")
    imsave(pixels((2, 3, 4)), other)
    recording.with_suffix(".json").write_bytes(other.with_suffix(".json").read_bytes())
    with pytest.raises(UnreadableFileError, match=r"cells\.bin holds 1920 bytes, but cells\.json"):
        imload(recording)


# --- what is read


@pytest.mark.parametrize(
    "change",
    [
        {"extra": {"a": [1]}},
        {"frames": None},
        {"frames": 0},
        {"frames": -1},
        {"y": 0},
        {"x": None},
        {"dtype": "<u2"},
        {"dtype": "u2"},
        {"offset": 0},
        {"napari-ferry": "broken"},
        {"napari-ferry": 1, "axes": "none"},
        {"napari-ferry": 99},
    ],
    ids=str,
)
def test_harmless_changes_are_read(change: dict[str, Any], recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | change))
    (image,) = imload(recording)
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    assert image.axis_names == ("t", "y", "x")


def test_a_byte_order_mark_is_read(recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR), "utf-8-sig")
    assert imload(recording)[0].shape == (5, 12, 16)


def test_a_header_is_skipped(recording: Path) -> None:
    recording.write_bytes(b"header" + recording.read_bytes())
    for record in (SIDECAR, {k: v for k, v in SIDECAR.items() if k != "frames"}):
        recording.with_suffix(".json").write_text(json.dumps(record | {"offset": 6}))
        assert_same_pixels(imload(recording)[0].array, pixels((5, 12, 16)))


def test_the_path_of_the_sidecar_opens_the_raw_file(recording: Path) -> None:
    (image,) = binary.open(recording.with_suffix(".json"))
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    recording.unlink()
    with pytest.raises(UnreadableFileError, match=r"none of cells\.bin"):
        binary.open(recording.with_suffix(".json"))


MALFORMED: dict[str, Any] = {
    **{f"{key}={value!r}": SIDECAR | {key: value} for key in ("frames", "y", "x") for value in (
        *(-2, 1.0, 5.5, "5", True, [5], {}, 10**30, 2**47, 1, 4),
    )},
    **{f"y={value}": SIDECAR | {"y": value} for value in (-1,)},
    **{f"dtype={value!r}": SIDECAR | {"dtype": value} for value in (
        *("O", "object", "U", "U8", "S2", "V2", "M8[s]", "m8[ns]", "u2,u2", "(2,)u2", "", "x"),
        *("uint8", "float64", "\ud800", "\0", "u2" * 1000, "None", "__import__('os')", "('u2',)"),
        *(2, 2.0, True, [], {}, ["u2"], [["a", "u2"]], {"names": ["a"], "formats": ["u2"]}),
        *([["a"]], {"a": 1}, {"a": ["u2", 0]}, {"names": 3, "formats": 4}),
    )},
    **{f"{key}={value!r}": SIDECAR | {key: value} for value in (
        *(-1, 1, 1920, 1921, 10**30, 1.0, "0", None, True, [0]),
    ) for key in ("offset", "gap", "rest")},
    "no dtype": {k: v for k, v in SIDECAR.items() if k != "dtype"},
    "two dimensions missing": {"frames": 5, "dtype": "uint16"},
    "two dimensions computed": SIDECAR | {"frames": -1, "y": 0},
    "swapped and short": SIDECAR | {"frames": 4, "y": 16, "x": 12},
    "no keys": {},
    "a list": [5, 12, 16, "uint16"],
    "a number": 5,
    "null": None,
    "a string": "uint16",
}  # fmt: skip
TEXTS = {
    "empty": b"",
    "no json": b"frames,y,x",
    "cut off": json.dumps(SIDECAR).encode()[:-3],
    "NaN": b'{"frames": NaN, "y": 12, "x": 16, "dtype": "uint16"}',
    "Infinity": b'{"frames": Infinity, "y": 12, "x": 16, "dtype": "uint16"}',
    "1e400": b'{"frames": 1e400, "y": 12, "x": 16, "dtype": "uint16"}',
    "a key twice": b'{"frames": 5, "frames": 5, "y": 12, "x": 16, "dtype": "uint16"}',
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep list": b"[" * 1_000_000,
    "5000 digits": b'{"frames": ' + b"9" * 5000 + b', "y": 12, "x": 16, "dtype": "uint16"}',
    "utf-16": json.dumps(SIDECAR).encode("utf-16"),
    "not utf-8": b'{"frames": 5, "y": 12, "x": 16, "dtype": "\xff"}',
    "17 MB": b" " * (17 << 20) + json.dumps(SIDECAR).encode(),
}


def assert_refused(path: Path) -> None:
    """Open a raw file in every way; each must be one clean error that names a file."""
    ways: list[Callable[[], Any]] = [
        lambda: imload(path),
        lambda: load_binary(path),
        *(lambda mode=mode: load_binary(path, mapped=True, mode=mode) for mode in ("r", "r+", "c")),
    ]
    before = snapshot(path.parent)
    for way in ways:
        with pytest.raises(FerryError, match="cells") as caught:
            way()
        assert len(str(caught.value)) < 500
    assert snapshot(path.parent) == before


@pytest.mark.parametrize("record", MALFORMED.values(), ids=map(ascii, MALFORMED))
def test_a_malformed_sidecar_is_refused(record: Any, recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(record))
    assert_refused(recording)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_sidecar_that_is_not_json_is_refused(text: bytes, recording: Path) -> None:
    recording.with_suffix(".json").write_bytes(text)
    assert_refused(recording)


@pytest.mark.parametrize("off", [-1920, -384, -1, 1, 2, 384])
@pytest.mark.parametrize("axes", ["tyx", "zyx"])
def test_a_file_of_another_size_is_refused(off: int, axes: str, tmp_path: Path) -> None:
    path, _ = imsave(Image.from_array(pixels((5, 12, 16)), axes), tmp_path / "cells.bin")
    data = path.read_bytes()
    path.write_bytes(data[:off] if off < 0 else data + bytes(off))
    assert_refused(path)


@pytest.mark.parametrize(
    "change",
    [
        *({"dtype": "O"}, {"dtype": ""}, {"dtype": "u4"}, {"dtype": None}, {"offset": 2}),
        {"axes": None, "frames": 7},
        {"axes": [{"name": "y", "size": 4}] * 2, "y": 7},
        *({"axes": [{"name": a, "size": n} for a in "yx"]} for n in (0, 4, 2**47)),
        {"axes": [{"name": "y", "size": 560}], "frames": 7},
    ],
    ids=str,
)
def test_a_malformed_record_of_ours_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path, sidecar = imsave(make_image("tzyx", x=4), tmp_path / "cells.bin")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text("utf-8")) | change))
    assert_refused(path)


def test_a_record_without_a_plane_leaves_the_four_keys(tmp_path: Path) -> None:
    image = make_image("tzyx", x=4)
    path, sidecar = imsave(image, tmp_path / "cells.bin")
    change = {"axes": [{"name": "y", "size": image.array.size}]}
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text("utf-8")) | change))
    (found,) = imload(path)
    assert found.axis_names == ("t", "y", "x")
    assert np.array_equal(found.load(), image.load().reshape(-1, *image.shape[-2:]))


def test_a_sidecar_is_strict_json(tmp_path: Path) -> None:
    image = Image((pixels((5, 12, 16)),), tuple(map(Axis, "tyx")), metadata={"gain": float("nan")})
    _, sidecar = imsave(image, tmp_path / "cells.bin")
    assert "NaN" not in sidecar.read_text("utf-8")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 400),
    cut=st.integers(0, 6),
    text=st.text('0123456789-+.eE{}[]",: <>truefalsnON\\', max_size=6),
    is_ours=st.booleans(),
)
def test_a_sidecar_of_any_text_never_gives_wrong_data(
    place: int, cut: int, text: str, is_ours: bool, tmp_path: Path
) -> None:
    path = tmp_path / "cells.bin"
    image = make_image("zyx" if is_ours else "tyx")
    _, sidecar = imsave(image, path, overwrite=True)
    whole = sidecar.read_text("utf-8")
    place %= len(whole)
    sidecar.write_text(whole[:place] + text + whole[place + cut :])
    try:
        (found,) = imload(path)
    except FerryError:
        pass
    else:
        assert found.dtype.kind in "biufc"
        assert path.read_bytes().endswith(np.asarray(found.array).tobytes())
    sidecar.write_text(whole)


@pytest.mark.parametrize("entry", CORPUS, ids=entry_id)
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


@pytest.mark.parametrize("entry", GOLDEN, ids=entry_id)
@pytest.mark.parametrize("mapped", [False, True])
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


# --- modes


def test_a_file_is_read_only_unless_asked(recording: Path) -> None:
    found = load_binary(recording, mapped=True)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    assert not np.asarray(imload(recording)[0].array).flags.writeable
    assert load_binary(recording).flags.owndata


def test_changes_of_a_copy_stay_in_memory(recording: Path) -> None:
    before = recording.read_bytes()
    found = load_binary(recording, mapped=True, mode="c")
    found[...] = 7
    assert (found == 7).all()
    assert recording.read_bytes() == before


def test_changes_go_to_the_file_when_asked(recording: Path) -> None:
    found = load_binary(recording, mapped=True, mode="r+")
    found[2] = 7
    found.flush()
    expected = pixels((5, 12, 16))
    expected[2] = 7
    assert_same_pixels(load_binary(recording), expected)


@pytest.mark.parametrize("mode", ["w+", "w", "a", "", None, "rb"])
def test_no_mode_empties_the_file(mode: Any, recording: Path) -> None:
    before = snapshot(recording.parent)
    with pytest.raises(InvalidImageError, match="Mode"):
        load_binary(recording, mapped=True, mode=mode)
    assert snapshot(recording.parent) == before


# --- missing metadata


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("form", ["file", "stem", "folder"])
@pytest.mark.parametrize("known", [*combinations(("frames", "y", "x"), 2), ("frames", "y", "x")])
@pytest.mark.parametrize("dtype", ["uint16", np.uint16, np.dtype("u2"), "<u2"], ids=str)
def test_two_of_three_dimensions_are_enough(
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
