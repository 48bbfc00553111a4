"""The reference of Python: every public name is in it, and has an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import napari_ferry
from napari_ferry import layers

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
NAMES = [("napari_ferry", name) for name in napari_ferry.__all__]
NAMES += [("napari_ferry.layers", name) for name in layers.__all__]
"""Modules with their public names."""


def test_the_reference_has_every_public_name_once():
    found = re.findall(r"^\.\. auto(\w+):: ([\w.]+)\.(\w+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted((module, name) for _, module, name in found) == sorted(NAMES)
    for kind, module, name in found:
        value = getattr(importlib.import_module(module), name)
        is_error = inspect.isclass(value) and issubclass(value, Exception)
        assert kind == (
            "exception" if is_error else "class" if inspect.isclass(value) else "function"
        )


def _kind_of(value: object) -> str:
    """Return the word for an object in directives of Sphinx."""
    if not inspect.isclass(value):
        return "function"
    return "exception" if issubclass(value, Exception) else "class"


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_has_an_example_that_runs(module: str, name: str):
    text = inspect.getdoc(getattr(importlib.import_module(module), name))
    assert "Examples\n--------\n" in text
    examples = doctest.DocTestParser().get_examples(text)
    assert examples
    assert not [each for each in examples if each.options.get(doctest.SKIP)]
