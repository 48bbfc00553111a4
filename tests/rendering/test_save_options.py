"""Types of options for type checkers, which must be those of the formats."""

from __future__ import annotations

import inspect
import pydoc
import textwrap
import types
import typing
from collections.abc import Callable
from typing import Any

import pytest

from napari_ferry.io import imload
from napari_ferry.io.protocol import Codec, hooks_of
from napari_ferry.io.search import codecs
from napari_ferry.rendering.render import render
from napari_ferry.rendering.save import imsave, option_sources, plan
from napari_ferry.rendering.save_options import SaveOptions
from napari_ferry.signatures import Option, option_names, options_of


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


def format_text(codec: Codec) -> str:
    """Return the lines about a format in the docstring of `imsave`."""
    own = [each for each in options_of([codec.plan]) if each.name not in option_names(render)]
    lines = [f"{' '.join(codec.SUFFIXES)}: {hooks_of(codec).SUMMARY}"]
    for option in own:
        lines += textwrap.wrap(option_text(option), 86, subsequent_indent="    ")
    return textwrap.indent("\n    ".join(lines), " " * 8)


def option_text(option: Option) -> str:
    """Return an option with its default, other words and meaning."""
    words = [repr(word) for word in option.words if word != option.default]
    others = f" or {', '.join(words)}" if words else ""
    return f"{option.name}={option.default!r}{others}: {option.help}".replace("'", '"')


def movie_text() -> str:
    """Return the lines about drawing in the docstring of `imsave`."""
    suffixes = [s for codec in codecs() if hooks_of(codec).IS_MOVIE for s in codec.SUFFIXES]
    text = f"{' '.join(suffixes)}: also the options of `render`, {', '.join(option_names(render))}"
    return textwrap.indent(textwrap.fill(text, 90, subsequent_indent="    "), " " * 8)


def test_the_help_of_imsave_has_the_options_of_every_format() -> None:
    text = "\n".join([*map(format_text, codecs()), movie_text()])
    expected = textwrap.indent(inspect.cleandoc(text), "    ")
    assert expected in (inspect.getdoc(imsave) or ""), f"it should contain\n{text}"


@pytest.mark.parametrize("function", [imload, imsave, plan])
def test_help_fits_two_screens_and_names_the_formats(function: Callable[..., Any]) -> None:
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    assert len(text.splitlines()) <= 100
    for word in ("losses" if function is not imload else "FerryWarning", "progress"):
        assert word in text or function is plan
    if function is not plan:
        assert all(codec.SUFFIXES[0] in text for codec in codecs())
