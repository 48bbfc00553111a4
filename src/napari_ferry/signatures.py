"""Options of a function, from its signature and its docstring, for flags and forms."""

from __future__ import annotations

import inspect
import itertools
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One keyword-only parameter.

    Parameters
    ----------
    name : str
        Name in the signature.
    kind : type
        Type of its values, except ``None``; ``str`` for a choice of words.
    words : tuple of str
        The words to choose from; empty for other options.
    is_optional : bool
        True if the value may be ``None``.
    default : object
        Default value.
    help : str
        First sentence of its description in the docstring.
    """

    name: str
    kind: type
    words: tuple[str, ...]
    is_optional: bool
    default: Any
    help: str


def option_names(planner: Callable[..., Any]) -> list[str]:
    """Return the names of the keyword-only parameters of a function."""
    parameters = inspect.signature(planner).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def options_of(functions: Sequence[Callable[..., Any]]) -> list[Option]:
    """Return the keyword-only parameters of functions, the first of each name."""
    options: dict[str, Option] = {}
    for function in functions:
        for parameter in inspect.signature(function, eval_str=True).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in options:
                options[parameter.name] = _option(function, parameter)
    return list(options.values())


def _option(function: Callable[..., Any], parameter: inspect.Parameter) -> Option:
    kinds = _kinds(parameter.annotation)
    known = [kind for kind in kinds if kind is not type(None)]
    words = tuple(typing.get_args(known[0])) if _is_literal(known[0]) else ()
    return Option(
        name=parameter.name,
        kind=str if words else known[0],
        words=words,
        is_optional=len(known) < len(kinds),
        default=parameter.default,
        help=_help(function, parameter.name),
    )


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or a single type."""
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else (annotation,)


def _is_literal(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Literal


def _help(function: Callable[..., Any], name: str) -> str:
    """Return the first sentence about a parameter in a docstring."""
    lines = (inspect.getdoc(function) or "").splitlines()
    headings = (line.partition(" :")[0].split(", ") for line in lines)
    index = next((i for i, names in enumerate(headings) if name in names), None)
    text = [] if index is None else [line.strip() for line in lines[index + 1 : index + 6]]
    return " ".join(text).split("; ")[0].split(". ")[0].replace("``", "")


def with_option_texts(
    planner: Callable[..., Any],
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Return a decorator to insert the options of a codec's `plan` into a docstring.

    Their text, written once in the docstring of `planner`, replaces the line ``{options}``.
    """
    options = _option_texts(planner)

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Replace the line in the docstring of a function."""
        if function.__doc__:  # absent under `python -OO`
            text = inspect.cleandoc(function.__doc__)  # Python dedents it since 3.13
            function.__doc__ = text.replace("{options}", options)
        return function

    return decorate


def _option_texts(planner: Callable[..., Any]) -> str:
    """Return the description of keyword-only parameters in a docstring's *Parameters*."""
    parameters = inspect.signature(planner).parameters
    names = [name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY]
    lines = inspect.cleandoc(planner.__doc__ or "").splitlines()
    starts = {
        name: i for i, line in enumerate(lines) for name in line.partition(" : ")[0].split(", ")
    }
    blocks = []
    for name in names:
        start = starts[name]
        text = itertools.takewhile(lambda line: line.startswith(" "), lines[start + 1 :])
        blocks += [lines[start], *text]
    return "\n".join(blocks)
