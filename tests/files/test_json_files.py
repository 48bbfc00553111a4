"""JSON from files that may come from anyone."""

import json

import pytest

from napari_ferry.files.json_files import parse_json


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "[" * 500 + "]" * 500, "9" * 5000, "[1", '"\ud800'],
    ids=lambda text: text[:12],
)
def test_json_that_exhausts_a_parser_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested|is not JSON|digits"):
        parse_json(text)


def test_json_of_usual_depth_is_parsed() -> None:
    text = '{"a":' * 90 + "1" + "}" * 90
    assert parse_json(text) == json.loads(text)
