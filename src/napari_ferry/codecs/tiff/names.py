"""What the names of TIFF files say: which part of a series a file is, and what order files have."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

PART = "ferry_part"
"""Key in the metadata of one file of a size-capped series: which part of what it is."""

_PART = re.compile(r"(?P<stem>.+)_(?P<index>\d{5,})(?P<suffix>(\.ome)?\.tiff?)", re.IGNORECASE)


_DIGITS = re.compile(r"(\d+)")


class PartName(NamedTuple):
    """The name of one part of a size-capped series, ``<stem>_00000.tif``.

    Parameters
    ----------
    stem : str
        What all parts are called.
    number : int
        Which part it is.
    suffix : str
        ``.tif`` or ``.ome.tif``, as it is spelled.
    """

    stem: str
    number: int
    suffix: str

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Read the name of a file, ``None`` where it is no such name."""
        match = _PART.fullmatch(path.name)
        return cls(match["stem"], int(match["index"]), match["suffix"]) if match else None

    @property
    def series(self) -> tuple[str, str]:
        """What the names of all parts have in common."""
        return self.stem, self.suffix.lower()

    def sibling(self, path: Path, index: int) -> Path:
        """Return where another part of the series stands, in the folder of `path`."""
        return path.with_name(f"{self.stem}_{index:05d}{self.suffix}")


def tiff_files(folder: Path) -> list[Path]:
    """Return the TIFF files of a folder in natural order, without hidden ones."""
    with os.scandir(folder) as entries:
        found = [
            entry.name
            for entry in entries
            if entry.name.lower().endswith((".tif", ".tiff"))
            and not entry.name.startswith(".")
            and entry.is_file()
        ]
    start = os.path.join(folder, "")  # noqa: PTH118 - ``folder / name`` takes twice as long
    return [Path(start + name) for name in sorted(found, key=natural_key)]


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix, ``.ome.tif`` taken as one.

    >>> stem_of(Path("a.b.ome.tiff"))
    'a.b'
    """
    return path.stem[:-4] if path.stem.lower().endswith(".ome") else path.stem


def natural_key(name: str) -> list[Any]:
    """Return a key that sorts names as a person would: 2 before 10.

    Returns
    -------
    list
        Words and whole numbers by turns, a word first, which may be empty.

    >>> sorted(["a10", "a2", "b1"], key=natural_key)
    ['a2', 'a10', 'b1']
    """
    key: list[Any] = _DIGITS.split(name.lower())
    key[1::2] = map(int, key[1::2])
    return key


def find_gap(names: Sequence[str]) -> tuple[str, str] | None:
    """Find two names between which one is missing, or which are the same but for their spelling.

    Names that count by one step have gaps where more than one step is between them, as long as
    two thirds of them are there; names that do not count, such as times of recording, have none.

    Parameters
    ----------
    names : sequence of str
        In natural order.

    >>> find_gap(["f1.tif", "f2.tif", "f4.tif", "f5.tif"])
    ('f2.tif', 'f4.tif')
    >>> find_gap(["f0.tif", "f10.tif", "f20.tif"]) is None
    True
    """
    keys = [natural_key(os.path.splitext(name)[0]) for name in names]  # noqa: PTH122 - of a name
    if len(names) < 3 or len({len(key) for key in keys}) > 1:
        return None
    varying = [column for column in zip(*keys, strict=True) if len(set(column)) > 1]
    duplicate = next((i for i, (a, b) in enumerate(pairwise(keys)) if a == b), None)
    if duplicate is not None:
        return names[duplicate], names[duplicate + 1]
    if len(varying) != 1 or isinstance(varying[0][0], str):
        return None
    steps = [b - a for a, b in pairwise(varying[0])]
    usual = Counter(steps).most_common(1)[0][0]
    missing = sum(step / usual - 1 for step in steps)
    if usual != min(steps) or 2 * missing >= len(names):
        return None
    gap = next((i for i, step in enumerate(steps) if step != usual), None)
    return None if gap is None else (names[gap], names[gap + 1])
