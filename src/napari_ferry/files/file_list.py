"""Lists of files of one folder, whose paths are made when they are used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload


class FileList(Sequence[Path]):
    """Files of one folder, in order.

    Making the paths of thousands of files takes longer than listing their folder.

    Parameters
    ----------
    folder : Path
        The folder.
    names : sequence of str
        Names of files in it.

    Examples
    --------
    >>> files = FileList(Path("day1"), ["a.tif", "b.tif"])
    >>> files[-1].name, files[:1].names
    ('b.tif', ['a.tif'])
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        self.names = names

    @property
    def texts(self) -> list[str]:
        """Paths as texts."""
        start = os.path.join(self.folder, "")  # noqa: PTH118 - `Path` takes no separator at the end
        return [start + name for name in self.names]

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Path]:
        return map(Path, self.texts)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> FileList: ...
    def __getitem__(self, index: int | slice) -> Path | FileList:
        if isinstance(index, slice):
            return FileList(self.folder, self.names[index])
        return self.folder / self.names[index]

    def __repr__(self) -> str:
        return f"FileList({self.folder}, {len(self)} files)"


def names_of(paths: Sequence[Path]) -> Sequence[str]:
    """Return the names of files."""
    return paths.names if isinstance(paths, FileList) else [path.name for path in paths]


def texts_of(paths: Sequence[Path]) -> Sequence[str]:
    """Return paths as texts."""
    return paths.texts if isinstance(paths, FileList) else [*map(os.fspath, paths)]
