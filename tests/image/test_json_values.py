"""Plain JSON values, converted from Python and numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from json_examples import INF, NAN, PLAIN
from napari_ferry.image.json_values import json_losses, to_json


@given(value=PLAIN)
def test_plain_values_are_unchanged(value: object) -> None:
    assert to_json(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        ((1, (2, None)), [1, [2, None]]),
        (frozenset([1]), [1]),
        ({1: {"a": np.int8(2)}}, {"1": {"a": 2}}),
        ({"a": None, "b": b"raw", "c": [b"raw", 1]}, {"a": None, "c": [None, 1]}),
        (b"raw", None),
        (object(), None),
    ],
)
def test_other_values_become_plain_or_are_left_out(value: object, expected: object) -> None:
    assert to_json(value) == expected


def test_lost_values_are_named() -> None:
    metadata = {"a": 1, "none": None, "raw": b"", "what": object(), "list": [b""], "of": {1: 2}}
    assert list(json_losses(metadata)) == ["raw", "what", "list.0", "of.1"]


def test_non_finite_numbers_become_null_and_are_named() -> None:
    metadata = {
        "a": NAN,
        "b": {"c": [1, INF]},
        "d": np.array([-INF, 2]),
        "e": np.float32("nan"),
        "f": None,
    }
    stored = {"a": None, "b": {"c": [1, None]}, "d": [None, 2.0], "e": None, "f": None}
    assert to_json(metadata) == stored
    assert list(json_losses(metadata)) == ["a", "b.c.1", "d.0", "e"]
    assert json_losses(stored) == {}
