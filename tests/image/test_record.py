"""The JSON record of an image: round trips, malformed fields, and later changes."""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from json_examples import FLOATS, INF, NAN, PLAIN, TEXT
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis, Channel, Image, common_losses, describe
from napari_ferry.image.record import (
    KEY,
    Description,
    merge_axes,
    merge_value,
    parse_description,
    read_record,
)

UNITS = st.sampled_from([None, "micrometer", "second", "minute", "degree", "1 / second"])

MAPPINGS = st.dictionaries(TEXT, PLAIN, max_size=3)
CHANNELS = st.builds(
    Channel, st.none() | TEXT, st.none() | TEXT, st.none() | st.tuples(FLOATS, FLOATS)
)

HUGE = 10**400
RECORD: dict[str, Any] = {
    KEY: 1,
    "dtype": "uint16",
    "name": "cells",
    "kind": "labels",
    "axes": [
        {"name": "c", "size": 2, "scale": 1.0, "unit": None, "translation": 0.0},
        {"name": "y", "size": 5, "scale": 0.25, "unit": "micrometer", "translation": 1.5},
        {"name": "x", "size": 7, "scale": 0.5, "unit": "micrometer", "translation": -2.0},
    ],
    "channels": [
        {"name": "GFP", "color": "#00ff00", "contrast_limits": [0, 4095]},
        {"name": None, "color": None, "contrast_limits": None},
    ],
    "display": {"gamma": 0.5},
    "metadata": {"k": [1, None]},
}


@st.composite
def images(draw: st.DrawFn) -> Image:
    names = draw(st.lists(st.sampled_from("tzcpa"), unique=True, max_size=3))
    names = [*draw(st.permutations([*names, "y", "x"])), *["s"] * draw(st.booleans())]
    shape = [draw(st.integers(0, 3)) for _ in names]
    count = dict(zip(names, shape, strict=True)).get("c", 1)
    dtype = draw(st.sampled_from(["bool", "uint8", "<u2", ">u2", "float32", ">f8", "complex64"]))
    return Image(
        (np.zeros(shape, dtype),),
        tuple(Axis(name, draw(FLOATS.filter(bool)), draw(UNITS), draw(FLOATS)) for name in names),
        tuple(draw(st.lists(CHANNELS, min_size=count, max_size=count))),
        draw(TEXT),
        draw(st.sampled_from(["image", "labels"])),
        draw(MAPPINGS),
        draw(MAPPINGS),
    )


def parse(**changes: Any) -> Description:
    found = parse_description(RECORD | changes)
    assert found is not None
    return found


def parse_x(**changes: Any) -> Description | None:
    c, y, x = RECORD["axes"]
    return parse_description(RECORD | {"axes": [c, y, x | changes]})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(image=images())
def test_every_image_is_read_back_unchanged(image: Image) -> None:
    found = read_record(json.dumps(describe(image)))
    assert found is not None
    assert found.shape == image.shape
    assert np.dtype(found.dtype) == image.dtype
    back = found.to_image(image.array)
    for field in ("axes", "channels", "name", "kind", "display", "metadata"):
        assert getattr(back, field) == getattr(image, field), field
    assert describe(back) == describe(image)


def test_a_record_has_all_fields_of_a_description() -> None:
    found = parse()
    assert all(getattr(found, field.name) for field in fields(Description))
    assert describe(found.to_image(np.zeros(found.shape, found.dtype))) == RECORD
    assert found.sizes == {"c": 2, "y": 5, "x": 7}


def test_values_of_numpy_become_plain() -> None:
    image = Image(
        (np.zeros((2, 2), np.uint8),),
        (Axis("y", np.float32(0.5)), Axis("x", 2, None, np.int64(3))),  # type: ignore[arg-type]
        (Channel("a", None, (np.uint16(1), np.float64(9.5))),),  # type: ignore[arg-type]
        metadata={"table": np.eye(2), "date": object()},
    )
    record = describe(image)
    assert json.loads(json.dumps(record)) == record
    assert [axis["scale"] for axis in record["axes"]] == [0.5, 2.0]
    assert record["display"]["contrast_limits"] == [1, 9.5]
    assert record["metadata"] == {"table": [[1.0, 0.0], [0.0, 1.0]]}


@pytest.mark.parametrize(
    ("dtype", "said"),
    [("<u2", "uint16"), (">u2", ">u2"), ("u1", "uint8"), ("?", "bool"), (">f4", ">f4")],
)
def test_a_big_endian_byte_order_is_recorded(dtype: str, said: str) -> None:
    record = describe(Image.from_array(np.zeros((2, 2), dtype)))
    found = parse_description(record)
    assert record["dtype"] == said
    assert found is not None
    assert found.has_dtype(["int8", np.dtype(dtype).name])
    assert not found.has_dtype(["int8", "float64"])


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text",
        {},
        {KEY: 1},
        {KEY: "1", "axes": []},
        {KEY: 1, "axes": "yx"},
        {KEY: 1, "axes": ["y", "x"]},
        {KEY: 1, "axes": [{"name": "y"}]},
        *({KEY: 1, "axes": [{"name": "y", "size": size}]} for size in (-1, 1.0, True, "5", HUGE)),
        {KEY: 1, "axes": [{"name": "y", "size": 1}, {"name": "y", "size": 1}]},
        {KEY: 1, "axes": []},
        {KEY: 1, "axes": [{"name": "y", "size": 1}]},
        {KEY: 1, "axes": [{"name": "z", "size": 1}, {"name": "x", "size": 1}]},
    ],
    ids=lambda record: str(record)[:40],
)
def test_a_record_without_valid_axes_is_ignored(record: object) -> None:
    assert parse_description(record) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1e999", "NaN", "\ud800", "[" * 100_000, "9" * 5000, '{"a": 1}']
)
def test_other_text_is_not_a_record(text: str) -> None:
    assert read_record(text) is None


@pytest.mark.parametrize("number", [HUGE, -HUGE, float("nan"), float("inf"), "1", True, None, [1]])
def test_impossible_numbers_are_left_out(number: object) -> None:
    found = parse_x(scale=number, translation=number)
    assert found is not None
    assert found.axes[-1] == Axis("x", 1.0, "micrometer", 0.0)
    limits = [{"contrast_limits": pair} for pair in ([0, number], [number, 1])]
    assert parse(channels=limits).channels == (Channel(), Channel())


def test_very_long_numbers_are_read() -> None:
    x = RECORD["axes"][2] | {"scale": HUGE}
    found = read_record(json.dumps(RECORD | {"axes": [*RECORD["axes"][:2], x]}))
    assert found is not None
    assert found.axes[-1].scale == 1.0


@pytest.mark.parametrize("number", [sys.float_info.max, -1.7e308, 10**308, 5e-324])
def test_the_largest_and_smallest_numbers_are_preserved(number: float) -> None:
    found = parse_x(scale=number, translation=number)
    assert found is not None
    assert (found.axes[-1].scale, found.axes[-1].translation) == (number, number)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"name": None}, {"name": ""}),
        ({"kind": "mesh"}, {"kind": "image"}),
        ({"dtype": None}, {"dtype": ""}),
        ({"display": [1]}, {"display": {}}),
        ({"metadata": "text"}, {"metadata": {}}),
        ({"channels": None}, {"channels": ()}),
        ({"channels": [{"name": "a"}]}, {"channels": ()}),
        ({"channels": ["a", {"name": "b"}]}, {"channels": (Channel(), Channel("b"))}),
        (
            {"channels": [{"name": 1, "color": 2, "contrast_limits": [3]}, {"color": "red"}]},
            {"channels": (Channel(), Channel(None, "red"))},
        ),
        ({KEY: 2, "later": True}, {}),
    ],
)
def test_malformed_fields_are_left_out(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    assert parse(**changes) == replace(parse(), **kept)


def test_a_scale_of_zero_and_an_invalid_unit_are_ignored() -> None:
    found = parse_x(scale=0, unit=["micrometer"])
    assert found is not None
    assert found.axes[-1] == Axis("x", 1.0, None, -2.0)


def test_records_with_any_unit_are_read() -> None:
    for word, unit in (
        ("um", "micrometer"),
        ("degree", "degree"),
        ("px", None),
        (" ms", "millisecond"),
    ):
        found = parse_x(unit=word)
        assert found is not None
        assert found.axes[-1].unit == unit
    with pytest.warns(FerryWarning, match="axis x has the unit 'fortnights', which is not known"):
        found = parse_x(unit="fortnights")
    assert found is not None
    assert found.axes[-1].unit is None


@settings(deadline=None)
@given(
    record=st.dictionaries(st.sampled_from(sorted(RECORD)), PLAIN),
    axis=st.dictionaries(st.sampled_from(["name", "size", "scale", "unit", "translation"]), PLAIN),
)
def test_malformed_records_raise_no_error(record: dict[str, Any], axis: dict[str, Any]) -> None:
    for broken in (record, RECORD | record, RECORD | {"axes": [*RECORD["axes"], axis]}):
        found = parse_description(broken)
        if found is not None and "axes" not in record:
            found.to_image(np.broadcast_to(np.uint8(0), found.shape))


def test_only_changed_values_win_over_the_record() -> None:
    assert merge_value("a\0", "a ", "a ") == "a\0"
    assert merge_value("a\0", "a ", "a\0") == "a\0"
    assert merge_value("a\0", "a ", "b") == "b"
    assert merge_value("a", None, None) == "a"


def test_only_changed_steps_win_over_the_record() -> None:
    own = (Axis("t", -1.0, "second", 3.0), Axis("p", 2.0, "degree"), Axis("x", 0.5, "micrometer"))
    wrote = (Axis("t"), Axis("p"), Axis("x", 0.5, "micrometer"))
    same = (Axis("x", 500.0, "nanometer"), Axis("t"), Axis("z", 9.0, "meter"))
    assert merge_axes(own, wrote, same) == own
    changed = (Axis("x", 0.6, "micrometer"), Axis("t", 2.0, "second"))
    assert merge_axes(own, wrote, changed) == (changed[1], own[1], changed[0])
    assert merge_axes(own, wrote, [Axis("x")]) == (*own[:2], Axis("x"))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_record_is_strict_json(bad: float) -> None:
    image = Image(
        (np.zeros((2, 2, 2)),),
        (Axis("c", bad), Axis("y", bad, "micrometer", bad), Axis("x", 2.0, "micrometer")),
        (Channel("a", None, (0, bad)), Channel("b", None, (0.0, 1.0))),
        display={"gamma": bad},
        metadata={"gain": bad},
    )
    found = read_record(json.dumps(describe(image), allow_nan=False))
    assert found is not None
    assert found.axes == (Axis("c"), Axis("y"), Axis("x", 2.0, "micrometer"))
    assert found.channels == (Channel("a"), Channel("b", None, (0.0, 1.0)))
    assert (found.display, found.metadata) == ({"gamma": None}, {"gain": None})


def test_losses_name_each_value_that_is_not_stored() -> None:
    image = Image(
        (np.zeros((2, 2, 2)),),
        (Axis("c"), Axis("y", 0.0, None, NAN), Axis("x", NAN, "micrometer")),
        (Channel("GFP"), Channel()),
        display={
            "odd": object(),
            "channels": [{"metadata": {"q": {"r": object()}}}, {"metadata": {"s": NAN}}, 5],
        },
        metadata={"gain": NAN, "ok": [1, (2, {"a"})]},
    )
    assert common_losses([image]) == [
        "of the metadata, gain is not finite: null is stored",
        "of the display, odd cannot be stored: it is not text, a number or a list",
        "of the metadata of GFP, q.r cannot be stored: it is not text, a number or a list",
        "of the metadata of channel 1, s is not finite: null is stored",
        "axis y has an invalid scale (0.0): 1 is stored",
        "axis y has an invalid origin (nan): 0 is stored",
        "axis x has an invalid scale (nan): 1 is stored, without its unit",
    ]
