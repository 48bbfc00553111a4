"""Show the options of all formats in the docstring of `imsave` as the text that `help` prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FORMAT = re.compile(r"( +)\.\w+[\w .]*: ")
"""First line of a format: its suffixes, and what it stores."""


def _quote(_app: Sphinx, _what: str, _name: str, _value: object, _options: Any, lines: list[str]):
    """Make a literal block of the lines from the first format to the next blank line."""
    first = next((i for i, line in enumerate(lines) if FORMAT.match(line)), None)
    if first is None:
        return
    last = lines.index("", first)
    indent = FORMAT.match(lines[first])[1]
    lines[first:last] = [f"{indent}::", "", *(f"    {line}" for line in lines[first:last])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Change docstrings before napoleon reads their sections."""
    app.connect("autodoc-process-docstring", _quote, priority=100)
    return {"parallel_read_safe": True}
