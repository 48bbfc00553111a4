"""Options of formats on the command line, from the signatures of their functions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from napari_ferry.io import Codec
from napari_ferry.rendering.save import option_sources
from napari_ferry.signatures import Option, options_of


def add_format_options(parser: argparse.ArgumentParser, formats: Sequence[Codec]) -> list[str]:
    """Add the options of formats; return their names."""
    options = options_of([source for codec in formats for source in option_sources(codec)])
    for option in options:
        parser.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=option.name,
            default=option.default,
            help=_help_of(option),
            **_kind_of(option),
        )
    return [option.name for option in options]


def _kind_of(option: Option) -> dict[str, Any]:
    """Return the arguments of argparse for an option: words, a switch or a value."""
    if option.words:
        return {"choices": list(option.words)}
    if option.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": _or_none(option.kind) if option.is_optional else option.kind}


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a converter from text to a type, or from ``none`` to ``None``."""

    def convert(text: str) -> Any:
        return None if text.lower() == "none" else kind(text)

    name = getattr(kind, "__name__", "value")
    convert.__name__ = f"{name} or none"  # in the message of argparse: invalid float or none value
    return convert


def _help_of(option: Option) -> str:
    """Return the help text of an option, with its default."""
    text = option.help.replace("%", "%%")
    is_plain = option.default is None or option.default is False or option.default == ""
    return text if is_plain else f"{text} (default: {option.default})"
