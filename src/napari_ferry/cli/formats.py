"""Options of formats on the command line, from the signatures of their functions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from napari_ferry.cli.terminal import in_command_words
from napari_ferry.io.protocol import Codec
from napari_ferry.io.search import codecs
from napari_ferry.rendering.save import option_sources
from napari_ferry.signatures import Option, options_of


def add_format_options(
    parser: argparse.ArgumentParser, formats: Sequence[Codec], *, skipped: Sequence[str] = ()
) -> list[str]:
    """Add the options of formats except the skipped ones; return the names of all.

    The options of a single format get a title.
    """
    sources = [source for codec in formats for source in option_sources(codec)]
    title = f"options of {' '.join(formats[0].SUFFIXES)}" if len(formats) == 1 else ""
    return add_function_options(parser, sources, title, skipped=skipped)


def add_function_options(
    parser: argparse.ArgumentParser,
    functions: Sequence[Callable[..., Any]],
    title: str = "",
    *,
    skipped: Sequence[str] = (),
) -> list[str]:
    """Add the options of functions, under a title if there is one; return the names of all."""
    options = options_of(functions)
    words = _words_of(functions)
    group = parser.add_argument_group(title) if title else parser
    for option in options:
        if option.name in skipped:
            continue
        group.add_argument(
            flag_of(option.name),
            dest=option.name,
            default=option.default,
            help=help_of(option),
            **_kind_of(replace(option, words=words[option.name])),
        )
    return [option.name for option in options]


def _words_of(functions: Sequence[Callable[..., Any]]) -> Mapping[str, tuple[str, ...]]:
    """Return the words to choose from for each option, in any of the functions."""
    words: dict[str, tuple[str, ...]] = {}
    for function in functions:
        for option in options_of([function]):
            known = words.get(option.name, ())
            words[option.name] = tuple(dict.fromkeys((*known, *option.words)))
    return words


def to_command_line(text: object) -> str:
    """Return a message in the words of the command line instead of Python."""
    return in_command_words(str(text), [*_format_options(), "as_seen"])


@cache
def _format_options() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the options of all formats, with the suffixes of their formats."""
    found: dict[str, tuple[str, ...]] = {}
    for codec in codecs():
        for option in options_of(option_sources(codec)) if codec.SUFFIXES else ():
            found[option.name] = (*found.get(option.name, ()), *codec.SUFFIXES)
    return found


def format_flags() -> list[str]:
    """Return the flags of all formats."""
    return [flag_of(name) for name in _format_options()]


def explain_unknown(arguments: Sequence[str], flags: Sequence[str]) -> str:
    """Return a message about unrecognized arguments.

    Parameters
    ----------
    arguments : sequence of str
        The arguments.
    flags : sequence of str
        Flags of the command, also those for other formats.
    """
    word = next((each for each in arguments if each.startswith("-")), None)
    if word is None:
        return f"{arguments[0]} is one argument too many; put names with spaces in quotes"
    flag = word.partition("=")[0]
    own = {flag_of(name): suffixes for name, suffixes in _format_options().items()}
    if flag in own and flag in flags:
        return f"{flag} is an option for {', '.join(own[flag])}, not for this format"
    nearest = get_close_matches(flag, flags, 1)
    if not nearest:
        return f"{word} is not an option of this command; --help lists the options"
    formats = f" (an option for {', '.join(own[nearest[0]])})" if nearest[0] in own else ""
    return f"{word} is not an option of this command: did you mean {nearest[0]}{formats}?"


def flag_of(name: str) -> str:
    """Return the flag of an option.

    >>> flag_of("size_cap")
    '--size-cap'
    """
    return f"--{name.replace('_', '-')}"


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
        """Return the value of an option, None for ``none``."""
        return None if text.lower() == "none" else kind(text)

    name = getattr(kind, "__name__", "value")
    convert.__name__ = f"{name} or none"  # in the message of argparse: invalid float or none value
    return convert


def help_of(option: Option) -> str:
    """Return the help text of an option, with its default."""
    text = option.help.replace("%", "%%")
    is_plain = option.default is None or option.default is False or option.default == ""
    return text if is_plain else f"{text} (default: {option.default})"
