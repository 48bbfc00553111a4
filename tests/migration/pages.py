"""Pages for people of earlier systems: their tables as rows, and how a row is run."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from helpers import SHARED
from napari_ferry import Image

FOLDER = Path(__file__).parents[2] / "docs" / "coming-from"
RECORDED = SHARED / "earlier-systems"

_CODE = re.compile(r"`([^`]+)`")
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OURS = "napari-ferry"

Names = dict[str, Any]
"""What the code of a page defines."""

Check = Callable[[Any, Names], object]
"""Returns whether a result is right; the current folder has the files of the page."""


@dataclass(frozen=True)
class Row:
    """One row of a table: the call in the earlier system, and ours, empty if there is none."""

    theirs: str
    ours: str

    def __str__(self) -> str:
        return self.theirs


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page, and what its tables have to contain.

    Parameters
    ----------
    name : str
        Name of the page.
    system : str
        Folder of the files that the earlier system wrote.
    signatures : mapping of str to str
        Functions of the earlier system, and their parameters; those in parentheses are in every
        call by their position.
    files : mapping of str to str
        Files that the code of the page makes, and those that the earlier system wrote.
    checks : mapping of str to Check
        What each of our calls gives.
    """

    name: str
    system: str
    signatures: Mapping[str, str]
    files: Mapping[str, str]
    checks: Mapping[str, Check]

    @property
    def text(self) -> str:
        """Markdown of the page."""
        return (FOLDER / f"{self.name}.md").read_text("utf-8")

    def rows(self) -> list[Row]:
        """Return the rows of all tables whose second column is ours."""
        rows: list[Row] = []
        is_ours = False
        for line in self.text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if not line.startswith("|"):
                is_ours = False
            elif cells[1:2] == [_OURS]:
                is_ours = True
            elif is_ours and not cells[0].startswith("---"):
                found = [_CODE.fullmatch(cell) for cell in cells[:2]]
                rows.append(Row(*(code[1] if code else "" for code in found)))
        return rows

    def missing(self) -> list[str]:
        """Return functions and parameters of the earlier system that no row names."""
        calls = [row.theirs for row in self.rows()]
        lacking = []
        for function, parameters in self.signatures.items():
            own = [call for call in calls if re.search(rf"\b{function}\b", call)]
            named = [p for p in parameters.split() if not p.startswith("(")]
            lacking += [] if own else [function]
            lacking += [
                f"{function}({name})" for name in named if not any(name in call for call in own)
            ]
        return lacking

    def make(self, folder: Path) -> Names:
        """Run the code of the page in a folder, and return what it defines."""
        names: Names = {}
        with contextlib.chdir(folder):
            for code in _BLOCK.findall(self.text):
                exec(compile(code, self.name, "exec"), names)
        close_images(names)
        return names

    def replace_files(self, folder: Path) -> None:
        """Replace files of the page by those that the earlier system wrote."""
        for made, recorded in self.files.items():
            source, target = RECORDED / self.system / recorded, folder / made
            if source.is_dir():
                shutil.rmtree(target)
                shutil.copytree(source, target)
            else:
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(source, target)

    def run(self, row: Row, names: Names) -> None:
        """Run our call of a row in the current folder, and check its result."""
        found = eval(row.ours, dict(names))
        assert self.checks[row.ours](found, names), found
        close_images(names)


def close_images(names: Names) -> None:
    """Close the images among the names of a page."""
    for value in names.values():
        if isinstance(value, Image):
            value.close()


def same(found: Any, expected: Any) -> bool:
    """Return True for arrays of the same values and type."""
    found, expected = np.asarray(found), np.asarray(expected)
    return found.dtype == expected.dtype and np.array_equal(found, expected)


def paths_of(found: list[Path]) -> list[str]:
    """Return paths as texts, with slashes on every system."""
    return [path.as_posix() for path in found]


def of_tifffile(*patterns: str) -> Check:
    """Return a check of the pages of TIFF files, those of a pattern in order of their names."""

    def check(found: Any, names: Names) -> bool:
        pages = []
        for path in (path for pattern in patterns for path in sorted(Path().glob(pattern))):
            with tifffile.TiffFile(path) as tif:
                pages += [page.asarray() for page in tif.pages]
        return same(found, np.stack(pages))

    return check
