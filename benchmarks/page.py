"""The page of the documentation with the results."""

from __future__ import annotations

import re
from pathlib import Path


def write_section(page: Path, name: str, text: str) -> None:
    """Replace what is between two comments with a name in a Markdown page.

    Raises
    ------
    ValueError
        The page has no such comments.
    """
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    old = page.read_text("utf-8")
    if pattern.search(old) is None:
        raise ValueError(f'{page} has no comments "{name}" and "end of {name}"')
    page.write_text(pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", old), "utf-8")
