"""Texts of fields: every option has a label in sentence case and a tooltip."""

import pytest

from napari_ferry.rendering.render import render
from napari_ferry.signatures import Option, options_of
from napari_ferry.widgets.form_words import OPTION_WORDS, words_of
from napari_ferry.widgets.plan_summary import formats

BY_VIEWER = {
    *("axis", "position", "plane", "speed"),
    *("flip", "grid", "grid_stride", "grid_spacing", "thickness", "projection"),
}
"""Options that follow from the viewer, or have fields of their own."""


def all_options() -> list[Option]:
    functions = [form.codec.plan for form in formats()]
    return [option for option in options_of([*functions, render]) if option.name not in BY_VIEWER]


@pytest.mark.parametrize("option", all_options(), ids=lambda option: option.name)
def test_every_option_has_words(option: Option) -> None:
    assert option.name in OPTION_WORDS
    words = words_of(option)
    assert words.label[0].isupper() or words.label.startswith("up to")
    assert words.tooltip.endswith(".")
    if option.words:
        assert set(option.words) <= set(words.choices)
        assert (None in words.choices) == option.is_optional or option.name == "text_corner"


def test_words_without_an_option_are_removed() -> None:
    assert set(OPTION_WORDS) == {option.name for option in all_options()}


def test_an_option_of_another_package_has_its_own_words() -> None:
    option = Option(
        name="block_size",
        kind=str,
        words=("small", "very_large"),
        is_optional=True,
        default=None,
        help="Size of a block",
    )
    words = words_of(option)
    assert (words.label, words.tooltip) == ("Block size", "Size of a block")
    assert words.choices == {None: "Automatic", "small": "small", "very_large": "very large"}
