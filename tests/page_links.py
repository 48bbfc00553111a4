"""Links between the pages of the project: to files and folders of it, with their anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPOSITORY = "https://github.com/napari-ferry/napari-ferry"
LINK = re.compile(r"\]\(([^)\s]+)\)")

_OWN_PAGES = (
    f"{REPOSITORY}/blob/main/",
    f"{REPOSITORY}/tree/main/",
    "https://raw.githubusercontent.com/napari-ferry/napari-ferry/main/",
)


def local_target(page: Path, link: str) -> Path | None:
    """Return the file or folder of a link; None for pages of other people."""
    prefix = next((prefix for prefix in _OWN_PAGES if link.startswith(prefix)), None)
    if prefix is not None:
        return ROOT / link.removeprefix(prefix)
    return None if link.startswith("http") else page.parent / link


def links_of(page: Path) -> Iterator[tuple[Path, str]]:
    """Return each link of a page to another page of the project, or in itself, with its anchor."""
    for link in LINK.findall(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = local_target(page, name) if name else page
        if target is not None:
            yield target.resolve(), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in words}
