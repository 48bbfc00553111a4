"""Files of chunks or shards that exist in a region of an array, which may be a tiny part of all."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import xxhash

from napari_ferry.codecs.zarr.store import FolderStore, Store

_MOST_TRIED = 10_000
"""Number of files in a region up to which each is looked up; above it, folders are listed."""

Numbers = tuple[int, ...]
"""Number of a file along each axis."""


class FileNames(NamedTuple):
    """How the files of an array are named.

    Parameters
    ----------
    key : str
        Key of the array in the store, empty for the root.
    prefix : str
        Part of the key before the numbers, empty for none.
    separator : str
        Separator of the numbers.
    """

    key: str
    prefix: str
    separator: str


def find_files(store: Store, names: FileNames, ranges: Sequence[range]) -> Iterator[Numbers]:
    """Yield the numbers of the files in some ranges; those of a large region exist.

    Parameters
    ----------
    store : Store
        The store.
    names : FileNames
        Names of the files.
    ranges : sequence of range
        Numbers along each axis.
    """
    # a server lists files no faster than it looks them up
    if math.prod(map(len, ranges)) <= _MOST_TRIED or store.is_remote:
        yield from itertools.product(*ranges)
        return

    def list_names(key: str) -> Iterable[str]:
        """Return the names in a folder."""
        return _scan(store, key) if isinstance(store, FolderStore) else store.list_names(key)

    parts = [part for part in (names.key, names.prefix) if part]
    if names.separator == "/":
        yield from _find_nested(list_names, "/".join(parts), tuple(ranges))
        return
    prefix = f"{names.prefix}{names.separator}" if names.prefix else ""
    for name in list_names(names.key):
        found = name.removeprefix(prefix).split(names.separator)
        if name.startswith(prefix) and len(found) == len(ranges):
            numbers = tuple(map(_number, found))
            if all(n in side for n, side in zip(numbers, ranges, strict=True)):
                yield numbers


def _find_nested(
    list_names: Callable[[str], Iterable[str]], folder: str, ranges: tuple[range, ...]
) -> Iterator[Numbers]:
    """Yield the numbers of files in folders, of which only those in the ranges are listed."""
    for name in list_names(folder):
        number = _number(name)
        if number not in ranges[0]:
            continue
        if len(ranges) == 1:
            yield (number,)
            continue
        key = f"{folder}/{name}" if folder else name
        yield from ((number, *rest) for rest in _find_nested(list_names, key, ranges[1:]))


def _scan(store: FolderStore, key: str) -> Iterator[str]:
    """Yield the names in a folder, which may have millions of them."""
    try:
        with os.scandir(os.path.join(store.folder, key)) as entries:  # noqa: PTH118
            for entry in entries:
                yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return


def _number(text: str) -> int:
    """Return the number in a name, -1 for another name."""
    is_number = text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")
    return int(text) if is_number and len(text) < 20 else -1


class DigestOfFiles:
    """Digest of any number of files in any order."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, key: str, content: object) -> None:
        """Add a file, given its key, and its digest or stamp."""
        self._sum += xxhash.xxh3_128_intdigest(f"{key} {content!r}".encode(errors="surrogatepass"))

    def hexdigest(self) -> str:
        """Return the digest of all files."""
        return f"{self._sum % 2**128:032x}"
