"""The files of a save, and the writes to fill them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.regions import cut_to_region, region_bytes

_MOST_WRITES = 80_000
"""Number of writes above which they are made larger."""

_READ_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """One file of a save, or one folder that is a single data set.

    Parameters
    ----------
    path : Path
        Path of the file or folder.
    nbytes : int
        Size in bytes; the maximum if it depends on compression.
    create : callable, optional
        Creates the partial file: completely, or with header and length for the writes to fill.
        Absent if a `Stream` creates the file. That of a folder is also called to resume a save, and
        leaves existing files in the folder unchanged.
    may_replace : callable, optional
        Returns True if an existing file belongs to the same data set, for files with names that
        the user did not choose. By default any file may be replaced if `overwrite` is True.
    is_encoded : bool
        True if its writes compress pixels, so that its size is only a maximum.
    is_folder : bool
        True for a folder that is a single data set, such as a store of chunks.
    least_bytes : callable, optional
        Returns a lower bound of the size in bytes, such as that of files to be copied, if `nbytes`
        is only a maximum and exceeds the free space. It is given this space, and may stop there.
    finish : callable, optional
        Called once with the partial path when all writes are finished, before the file is flushed
        and moved in place; such as to write the metadata that make a folder a valid data set.
    join : callable, optional
        Makes the file of parts: each write then makes a file of its own, which is the path given to
        its `put` and `stored`. `join` is called in another thread with the partial path and with an
        iterator over these paths in order, which waits for writes that are not finished. It leaves
        the parts unchanged, as an interrupted save is resumed with them.
    """

    path: Path
    nbytes: int
    create: Callable[[Path], None] | None = None
    may_replace: Callable[[Path], bool] | None = None
    is_encoded: bool = False
    is_folder: bool = False
    least_bytes: Callable[[int], int] | None = None
    finish: Callable[[Path], None] | None = None
    join: Callable[[Path, Iterator[Path]], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Write:
    """One independent step of a save: a region of a source, to one file.

    A write can be repeated, and depends on its own pixels only.

    Parameters
    ----------
    path : Path
        The file, as in `Plan.files`.
    array : array
        Source of the pixels.
    region : Region
        Region of the source.
    put : callable
        Writes the pixels to the partial file, given its path. May return a digest of what it
        stored, in hexadecimal digits.
    stored : callable, optional
        Returns the same digest, computed from the partial file or folder; ``None`` or an empty
        string if something is missing. An interrupted save then resumes after this write.
    stage : int
        The write starts when all writes of lower stages are finished.
    stores_pixels : bool
        True if the digest of `put` is that of the pixels, as they are read block by block.
    reopen : callable, optional
        Opens the source in the partial file or folder, such as a level of a pyramid that writes of
        a lower stage made. `array` then gives only its shape and data type.
    """

    path: Path
    array: Array
    region: Region
    put: Callable[[Path, BlockReader], str | None]
    stored: Callable[[Path], str | None] | None = None
    stores_pixels: bool = False
    stage: int = 0
    reopen: Callable[[Path], Array] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle: of an array in memory, only the region."""
        if self.reopen:
            return {**self.__dict__, "array": ArrayLayout(self.array)}
        array, region = cut_to_region(self.array, self.region)
        return {**self.__dict__, "array": array, "region": region}

    @property
    def nbytes(self) -> int:
        """Size of the pixels to read, in bytes."""
        return region_bytes(self.array, self.region)


def write_bytes(usual: int, total: int) -> int:
    """Return the bytes of pixels in one write: the usual ones, or more for a very large save.

    The plan of 100 TB in writes of 64 MB would fill the memory, and the time of a scheduler.
    """
    return max(usual, total // _MOST_WRITES)


def write_text(path: Path, *, text: str) -> None:
    """Write a small text file, in UTF-8 and the same bytes on every platform."""
    path.write_text(text, "utf-8", newline="\n")


def file_digest(path: Path) -> str | None:
    """Return the digest of a file, for `Write.stored`; ``None`` if it cannot be read."""
    hasher = xxhash.xxh3_64()
    try:
        with path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                hasher.update(data)
    except OSError:
        return None
    return hasher.hexdigest()


def partial_name(index: int, path: Path) -> str:
    """Return the name of a file while it is written."""
    return f"new-{index}{path.suffix}"


def part_path(partial: Path, index: int) -> Path:
    """Return the path of a part of a partial file; see `PlannedFile.join`."""
    return partial.with_name(f"{partial.name}.{index}")
