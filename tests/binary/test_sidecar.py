"""Sidecars of raw files: as CalSciPy writes them, with more keys, and damaged ones."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import (
    assert_same_image,
    assert_same_pixels,
    make_full_image,
    make_image,
    pixels,
    snapshot,
)
from napari_ferry import imload, imsave, load_binary
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    TargetExistsError,
    UnreadableFileError,
)
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import KEY
from raw_files import SIDECAR


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


@pytest.mark.parametrize(
    "change",
    [
        {"extra": {"a": [1]}},
        {"dtype": "<u2"},
        {"dtype": "u2"},
        {"offset": 0},
    ],
    ids=str,
)
def test_harmless_changes_are_read(change: dict[str, Any], recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | change))
    (image,) = imload(recording)
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    assert image.axis_names == ("t", "y", "x")


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        *(({"frames": value}, "frames: 5") for value in (None, 0, -1)),
        ({"y": 0}, "y: 12"),
        ({"x": None}, "x: 16"),
    ],
    ids=str,
)
def test_a_computed_dimension_is_reported(
    change: dict[str, Any], computed: str, recording: Path
) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | change))
    with pytest.warns(FerryWarning, match=rf"cells\.bin does not give {computed} is computed"):
        (image,) = imload(recording)
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    assert load_binary(recording, missing_metadata=SIDECAR | change).shape == (5, 12, 16)


def test_a_byte_order_mark_is_read(recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR), "utf-8-sig")
    assert imload(recording)[0].shape == (5, 12, 16)


def test_a_header_is_skipped(recording: Path) -> None:
    recording.write_bytes(b"header" + recording.read_bytes())
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | {"offset": 6}))
    assert_same_pixels(imload(recording)[0].array, pixels((5, 12, 16)))


def test_a_dimension_is_computed_without_the_header(recording: Path) -> None:
    recording.write_bytes(b"header" + recording.read_bytes())
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | {"offset": 6, "frames": -1}))
    with pytest.warns(FerryWarning, match="does not give frames: 5"):
        assert_same_pixels(imload(recording)[0].array, pixels((5, 12, 16)))


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
@pytest.mark.filterwarnings("ignore:.*is damaged and ignored:napari_ferry.FerryWarning")
def test_a_malformed_record_of_ours_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path, sidecar = imsave(make_image("tzyx", x=4), tmp_path / "cells.bin")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text("utf-8")) | change))
    assert_refused(path)


def test_a_record_without_a_plane_leaves_the_four_keys(tmp_path: Path) -> None:
    image = make_image("tzyx", x=4)
    path, sidecar = imsave(image, tmp_path / "cells.bin")
    change = {"axes": [{"name": "y", "size": image.array.size}]}
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text("utf-8")) | change))
    with pytest.warns(FerryWarning, match="is damaged and ignored"):
        (found,) = imload(path)
    assert found.axis_names == ("t", "y", "x")
    assert np.array_equal(found.load(), image.load().reshape(-1, *image.shape[-2:]))


@pytest.mark.parametrize("change", [{KEY: "broken"}, {KEY: 1, "axes": "none"}, {KEY: 99}], ids=str)
def test_a_damaged_record_is_reported(change: dict[str, Any], recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | change))
    with pytest.warns(FerryWarning, match=r"in cells\.json is damaged and ignored"):
        (image,) = imload(recording)
    assert_same_pixels(image.array, pixels((5, 12, 16)))
    assert image.axis_names == ("t", "y", "x")


@pytest.mark.parametrize("dtype", ["a", "a2", "<a4", "u2,a", {"names": ["x"], "formats": ["a"]}])
def test_the_old_code_of_text_is_refused(dtype: Any, recording: Path) -> None:
    recording.with_suffix(".json").write_text(json.dumps(SIDECAR | {"dtype": dtype}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_refused(recording)


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
@pytest.mark.filterwarnings("ignore:.* is computed from:napari_ferry.FerryWarning")
@pytest.mark.filterwarnings("ignore:.*is damaged and ignored:napari_ferry.FerryWarning")
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
