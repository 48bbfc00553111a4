"""The site: every page is in its navigation, and the references leave nothing out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from napari_ferry.cli import make_parser
from napari_ferry.cli.formats import format_flags

DOCS = Path(__file__).parents[1] / "docs"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


def contents_of(page: Path) -> list[Path]:
    """Return the pages that a page lists in the navigation."""
    lines = [line for text in TOCTREE.findall(page.read_text("utf-8")) for line in text.split("\n")]
    names = [re.sub(r".*<(.*)>$", r"\1", line) for line in lines if line and line[0] != ":"]
    return [DOCS / f"{name}.md" for name in names]


def test_every_page_is_once_in_the_navigation():
    pages = [*DOCS.glob("**/*.md")]
    listed = [each for page in pages for each in contents_of(page)]
    assert sorted([DOCS / "index.md", *listed]) == sorted(pages)


@pytest.fixture
def extensions(monkeypatch: pytest.MonkeyPatch):
    """Make the extensions of the site importable."""
    before = {*sys.modules}
    monkeypatch.syspath_prepend(DOCS / "extensions")
    yield
    for name in {*sys.modules} - before:
        if (DOCS / "extensions" / f"{name}.py").is_file():
            del sys.modules[name]


def test_the_reference_of_the_command_line_has_every_command_and_option(extensions):
    from command_line import MARK, describe_commands

    assert MARK in (DOCS / "options.md").read_text("utf-8")
    text = describe_commands()
    _, commands = make_parser(None)
    for name, command in commands.items():
        section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
        flags = {flag for action in command._actions for flag in action.option_strings}
        assert [flag for flag in flags - {"-h", "--help"} if f"`{flag}" not in section] == []
    assert [flag for flag in format_flags() if f"`{flag}" not in text] == []
