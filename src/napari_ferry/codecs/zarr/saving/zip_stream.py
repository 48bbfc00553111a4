"""A new store in one ZIP file, whose chunks are appended as they are encoded.

OME-NGFF RFC-9 (``.ozx``): entries are not compressed again, the metadata of the root come first,
and the comment of the file names the version of OME-NGFF.
"""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from napari_ferry.arrays import BlockReader
from napari_ferry.arrays.regions import array_bytes, region_bytes
from napari_ferry.codecs.zarr.saving.planned_block import BlockGrid, StoreBlock
from napari_ferry.saving.encode_tasks import EncodeTask, EncodeTasks, TaskGroup
from napari_ferry.saving.stream import Results, Stream

ENTRY_BYTES = 256
"""Maximum size of the two headers of one entry in bytes, without the name of its image."""

Files = dict[str, bytes]
"""The bytes of files by their keys."""


def plan_stream(
    path: Path, grids: Sequence[BlockGrid], documents: Sequence[tuple[str, str]], version: str
) -> Stream:
    """Return the stream of a store.

    Parameters
    ----------
    path : Path
        The ZIP file.
    grids : sequence of BlockGrid
        Blocks of all images.
    documents : sequence of (str, str)
        Keys and texts of the metadata, the root last.
    version : str
        Version of OME-NGFF.
    """
    ordered = sorted(grids, key=lambda grid: grid.stage)
    tasks = EncodeTasks(tuple(_group_blocks(grid) for grid in ordered if grid[0].source is None))
    later = tuple(grid for grid in ordered if grid[0].source is not None)
    comment = json.dumps({"ome": {"version": version}})
    assemble = partial(_assemble, later=later, documents=tuple(documents), comment=comment)
    return Stream(paths=(path,), tasks=tasks, assemble=assemble)


def _group_blocks(grid: BlockGrid) -> TaskGroup:
    """Return the tasks of blocks whose source is not in the store."""
    return TaskGroup(
        array=grid.array,
        count=len(grid),
        make=partial(_encode_block, grid=grid),
        nbytes=array_bytes(grid.array),
        largest=region_bytes(grid.array, grid[0].region),  # only the last of an axis is smaller
        key=repr(grid),
    )


def _encode_block(index: int, *, grid: BlockGrid) -> EncodeTask:
    """Return the task of a block."""
    block = grid[index]
    return EncodeTask(block.array, block.region, partial(_encode, block=block))


def _encode(reader: BlockReader, *, block: StoreBlock) -> Files:
    """Return the files of a block."""
    files: Files = {}
    block.make(partial(_MemoryFile, files), reader)
    return files


class _MemoryFile(io.BytesIO):
    """A file in memory, added to the other files when it is closed."""

    def __init__(self, files: Files, key: str) -> None:
        super().__init__()
        self._files, self._key = files, key

    def close(self) -> None:
        """Add the bytes to the files, and close."""
        if not self.closed:
            self._files[self._key] = self.getvalue()
        super().close()


def _assemble(
    partials: Sequence[Path],
    results: Results,
    *,
    later: Sequence[BlockGrid],
    documents: Sequence[tuple[str, str]],
    comment: str,
) -> int:
    """Write the file from the results of the first section, and carry out the later ones."""
    with (
        partials[0].open("w+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        archive.comment = comment.encode()
        store = _UnfinishedStore(partials[0].name, file, archive)
        for key, text in reversed(documents):
            store.append({key: text.encode()})
        for files in results:
            store.append(files)
        for _, grids in groupby(later, lambda grid: grid.stage):
            blocks = (grid[index] for grid in grids for index in range(len(grid)))
            for files in results.work(partial(_make_later, block, store) for block in blocks):
                store.append(files)
    return 1


def _make_later(block: StoreBlock, store: _UnfinishedStore) -> Files:
    """Return the files of a block whose source is in the store."""
    assert block.source is not None
    return _encode(BlockReader(block.source.open(store), block.region), block=block)


class _UnfinishedStore:
    """The entries of an unfinished ZIP file, as the source of smaller levels.

    One thread appends while others read, so that each waits for the other.

    Parameters
    ----------
    name : str
        Name of the file.
    file : binary file
        The file, open for writing and reading.
    archive : zipfile.ZipFile
        Writer of its entries.
    """

    is_remote = False

    def __init__(self, name: str, file: BinaryIO, archive: zipfile.ZipFile) -> None:
        self.name = name
        self._file = file
        self._archive = archive
        self._ends: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def append(self, files: Files) -> None:
        """Append entries with a constant time, so that equal saves are equal files."""
        for key, data in files.items():
            entry = zipfile.ZipInfo(key)
            entry.external_attr = 0o644 << 16  # others may read it when it is unpacked
            with self._lock:
                self._archive.writestr(entry, data)
                self._ends[key] = self._file.tell(), len(data)

    def read(self, key: str, most: int) -> bytes | None:
        """Return a whole entry, or ``None`` if it is missing."""
        nbytes = self.size(key)
        return None if nbytes is None else self.read_part(key, 0, nbytes)

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        """Return bytes of an entry, or ``None`` if it is missing; see `Store.read_part`."""
        with self._lock:
            if key not in self._ends:
                return None
            end, size = self._ends[key]
            self._file.seek(end - size + (start if start >= 0 else size + start))
            return self._file.read(nbytes)

    def size(self, key: str) -> int | None:
        """Return the size of an entry in bytes, or ``None`` if it is missing."""
        found = self._ends.get(key)
        return None if found is None else found[1]

    def list_names(self, key: str) -> list[str]:
        """Return no names: only files with known keys are read."""
        return []

    def stamp(self, key: str) -> object:
        """Return ``None``: the file is written by this save only."""
        return None

    def close(self) -> None:
        """Do nothing: the file is still being written."""
