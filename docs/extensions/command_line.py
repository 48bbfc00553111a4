"""Reference of the command line, from its parsers: replaces a comment in a page of Markdown."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from napari_ferry.cli import make_parser
from napari_ferry.io.search import codecs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "<!-- the reference of the command line -->"

HEAD = "| option | meaning |\n|---|---|"


def describe_commands() -> str:
    """Return a section for each command, in Markdown."""
    parser, commands = make_parser(None)
    texts = {action.dest: action.help for action in _subcommands(parser)}
    sections = [
        line
        for name, command in commands.items()
        for line in (f"## {name}", f"{texts[name].capitalize()}.", *_sections(name, command))
    ]
    return "\n\n".join(sections)


def _subcommands(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the entries of the commands, with their help texts."""
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return actions[0]._choices_actions


def _sections(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    """Return the usage and the tables of options of a command."""
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    yield f"```text\n{usage}\n```"
    for title, options in _groups(name, command).items():
        if title:
            yield f"### {title[0].upper()}{title[1:]}"
        yield "\n".join([HEAD, *options])


def _groups(name: str, command: argparse.ArgumentParser) -> Mapping[str, list[str]]:
    """Return the rows of each group of options; those of formats by the formats that have them."""
    if name == "convert":  # with an output, the parser has the options of its format in a group
        own = {s: make_parser([name, "IN", f"OUT{s}"])[1][name] for s in _suffixes()}
        return {**_rows(own[".bin"]), **_format_rows(own)}
    return _rows(command)


def _suffixes() -> list[str]:
    """Return one suffix of each format that is saved."""
    return [codec.SUFFIXES[0] for codec in codecs() if codec.SUFFIXES]


def _rows(command: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Return the rows of each group of a command, first those without a title; -h is left out."""
    groups: dict[str, list[str]] = {"": []}
    for group in command._action_groups:
        title = "" if group.title in ("options", "positional arguments") else group.title
        rows = [_row(action) for action in group._group_actions if action.dest != "help"]
        groups.setdefault(title, []).extend(rows)
    return {title: rows for title, rows in groups.items() if rows}


def _format_rows(own: Mapping[str, argparse.ArgumentParser]) -> dict[str, list[str]]:
    """Return the rows of options of formats, grouped by the formats that share an option."""
    owners: dict[str, list[str]] = {}
    for command in own.values():
        for title, rows in _rows(command).items():
            for row in rows if title.startswith("options of") else ():
                owners.setdefault(row, []).append(title.removeprefix("options of "))
    groups: dict[str, list[str]] = {}
    for row, suffixes in owners.items():
        groups.setdefault(f"options of {' '.join(suffixes)}", []).append(row)
    return groups


def _row(action: argparse.Action) -> str:
    """Return the row of one option or argument."""
    if action.option_strings:
        value = _value(action)
        names = ", ".join(f"`{flag}{value}`" for flag in action.option_strings)
    else:
        names = f"`{_value(action).strip()}`"
    text = re.sub(r"([<>*_{}])", r"\\\1", (action.help or "").replace("|", "\\|"))
    return f"| {names} | {text[:1].upper()}{text[1:]} |"


def _value(action: argparse.Action) -> str:
    """Return the value that an option takes, as in its help."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    if action.choices is not None and action.metavar is None:
        return f" {{{','.join(map(str, action.choices))}}}"
    return f" {action.metavar or action.dest.upper()}"


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace the comment in a page."""
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, describe_commands())


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill the page when it is read."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}
