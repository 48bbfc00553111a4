"""Text files of paths as inputs of a conversion, such as ``@list.txt``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_ferry.arguments import reading
from napari_ferry.errors import MissingFileError

_MARK = "@"


def is_list(source: str) -> bool:
    """Return True for the name of a list, unless a file has exactly this name."""
    return source.startswith(_MARK) and not os.path.lexists(source)


def expand_lists(sources: Sequence[str]) -> list[str]:
    """Return sources with the paths of each list in its place.

    A list has one path in each line; empty lines are skipped. Relative paths are relative to the
    working folder, as those on a command line.

    Raises
    ------
    MissingFileError
        A list does not exist, or has no paths.
    UnreadableFileError
        A list cannot be read.
    """
    return [path for source in sources for path in _paths_in(source)]


def _paths_in(source: str) -> Iterator[str]:
    """Yield a source, or the paths of a list."""
    if not is_list(source):
        yield source
        return
    path = Path(source.removeprefix(_MARK)).expanduser()
    if not path.is_file():
        raise MissingFileError(
            f"{path} does not exist: {source} is a list of paths, one in each line; check its name."
        )
    with reading(path):
        text = os.fsdecode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    # names may contain the other characters at which `str.splitlines` splits
    found = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if not found:
        raise MissingFileError(f"{path} names no files: write one path in each line.")
    yield from found
