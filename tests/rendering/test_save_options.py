"""Types of options for type checkers, which must be those of the formats."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

import pytest

from napari_ferry.codec_search import codecs
from napari_ferry.rendering.save import imsave, option_sources, plan
from napari_ferry.rendering.save_options import SaveOptions


def members(annotation: Any) -> set[Any]:
    """Return the members of a union, and of a `Literal` its words."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return set().union(*map(members, typing.get_args(annotation)))
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {annotation}


def collect_options() -> dict[str, set[Any]]:
    """Return the members of the type of every option of every format."""
    options: dict[str, set[Any]] = {"compression": {bool}}  # `plan` takes it for every format
    for function in (function for codec in codecs() for function in option_sources(codec)):
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                options.setdefault(name, set()).update(members(parameter.annotation))
    return options


def field_text(name: str, kinds: set[Any]) -> str:
    """Return the line of an option in `SaveOptions`."""
    words = sorted(f'"{kind}"' for kind in kinds if isinstance(kind, str))
    others = sorted(kind.__name__ for kind in kinds if isinstance(kind, type))
    parts = [f"Literal[{', '.join(words)}]"] if words else []
    return f"    {name}: {' | '.join([*parts, *others]).replace('NoneType', 'None')}"


def test_types_are_those_of_the_formats() -> None:
    expected = collect_options()
    found = {name: members(hint) for name, hint in typing.get_type_hints(SaveOptions).items()}
    text = "\n".join(field_text(name, kinds) for name, kinds in sorted(expected.items()))
    assert found == expected, f"the options of SaveOptions should be\n{text}"


@pytest.mark.parametrize("function", [imsave, plan])
def test_imsave_and_plan_take_these_options(function: Callable[..., Any]) -> None:
    options = inspect.signature(function).parameters["options"]
    assert options.annotation == "Unpack[SaveOptions]"
    assert not SaveOptions.__required_keys__
