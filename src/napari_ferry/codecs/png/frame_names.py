"""Names of PNG files: numbered frames, and families of names with different numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

from napari_ferry.files.natural_order import natural_sorted

SUFFIXES = (".png", ".apng")

_FRAME_NAME = re.compile(r"(?P<stem>.+)_(?P<number>\d{4,})(?P<suffix>\.png)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_LEAST_DIGITS = 4


class FrameName(NamedTuple):
    """Name of one frame of a sequence, ``<stem>_0001.png``.

    Parameters
    ----------
    stem : str
        Common name of all frames.
    number : int
        Number of the frame, from 1.
    suffix : str
        ``.png``, in the spelling of the file.
    """

    stem: str
    number: int
    suffix: str

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Parse the name of a file, or None if it is not the name of a frame."""
        match = _FRAME_NAME.fullmatch(path.name)
        return cls(match["stem"], int(match["number"]), match["suffix"]) if match else None


def frame_paths(path: Path, count: int) -> tuple[Path, ...]:
    """Return the paths of the frames of a sequence; a single frame has the given path.

    >>> [str(path) for path in frame_paths(Path("cells.png"), 2)]
    ['cells_0001.png', 'cells_0002.png']
    """
    if count == 1:
        return (path,)
    digits = max(_LEAST_DIGITS, len(str(count)))
    start = os.path.join(path.parent, path.stem)  # noqa: PTH118 - faster for thousands of frames
    return tuple(Path(f"{start}_{k:0{digits}d}{path.suffix}") for k in range(1, count + 1))


def frames_of(name: FrameName, paths: Iterable[Path]) -> dict[int, Path]:
    """Return the files with names of one sequence, by their numbers in increasing order."""
    named = ((other, path) for path in paths if (other := FrameName.of(path)))
    return dict(sorted((other.number, path) for other, path in named if other.stem == name.stem))


def png_files(folder: Path) -> list[Path]:
    """Return the PNG files of a folder in natural order, without hidden files."""
    return natural_sorted(path for path in all_png_files(folder) if not path.name.startswith("."))


def all_png_files(folder: Path) -> list[Path]:
    """Return the PNG files of a folder in any order, with hidden files."""
    start = os.path.join(folder, "")  # noqa: PTH118 - ``folder / name`` takes twice as long
    with os.scandir(folder) as entries:
        return [
            Path(start + entry.name)
            for entry in entries
            if entry.name.lower().endswith(SUFFIXES) and entry.is_file()
        ]


def split_families(paths: Iterable[Path]) -> list[list[Path]]:
    """Split files into families of names equal except for numbers, in the given order."""
    families: dict[str, list[Path]] = {}
    for path in paths:
        families.setdefault(_DIGITS.sub("#", path.name.lower()), []).append(path)
    return [*families.values()]
