"""The options of formats as those of a command, from the signatures of their functions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from napari_ferry.io import Codec
from napari_ferry.rendering.save import option_sources
from napari_ferry.signatures import Option, options_of


def add_format_options(parser: argparse.ArgumentParser, formats: Sequence[Codec]) -> list[str]:
    """Add the options of formats; return their names."""
    found = options_of([source for codec in formats for source in option_sources(codec)])
    for option in found:
        parser.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=option.name,
            default=option.default,
            help=_help_of(option),
            **_kind_of(option),
        )
    return [option.name for option in found]


def _kind_of(option: Option) -> dict[str, Any]:
    """Return how an option of a type is given: as one of several words, as a switch, as a value."""
    if option.words:
        return {"choices": list(option.words)}
    if option.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": _or_none(option.kind) if option.is_optional else option.kind}


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what reads a text as a type, or as ``none``."""

    def convert(text: str) -> Any:
        return None if text.lower() == "none" else kind(text)

    name = getattr(kind, "__name__", "value")
    convert.__name__ = f"{name} or none"  # argparse says: invalid float or none value
    return convert


def _help_of(option: Option) -> str:
    """Return what an option does, and its default."""
    said = option.help.replace("%", "%%")
    is_said = option.default is None or option.default is False or option.default == ""
    return said if is_said else f"{said} (default: {option.default})"
