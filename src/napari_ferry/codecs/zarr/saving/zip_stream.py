"""A new store in one ZIP file, whose chunks are appended as they are encoded.

OME-NGFF RFC-9 (``.ozx``): entries are not compressed again, the metadata of the root come first,
and the comment of the file names the version of OME-NGFF.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from napari_ferry.arrays import BlockReader
from napari_ferry.codecs.zarr.saving.block_writer import make_block
from napari_ferry.codecs.zarr.saving.planned_block import PlannedBlock
from napari_ferry.saving.stream import EncodeTask, Results, Stream

ENTRY_BYTES = 256
"""Most bytes of the headers of one entry."""

Files = dict[str, bytes]
"""The bytes of files by their keys."""


def plan_stream(
    path: Path, blocks: Sequence[PlannedBlock], documents: Sequence[tuple[str, str]], version: str
) -> Stream:
    """Return the stream of a store.

    Parameters
    ----------
    path : Path
        The ZIP file.
    blocks : sequence of PlannedBlock
        Blocks of all images.
    documents : sequence of (str, str)
        Keys and texts of the metadata, that of the root last.
    version : str
        Version of OME-NGFF.
    """
    ordered = sorted(blocks, key=lambda block: block.stage)
    tasks = tuple(
        EncodeTask(block.array, block.region, partial(_encode, block=block))
        for block in ordered
        if block.source is None
    )
    later = tuple(block for block in ordered if block.source is not None)
    comment = json.dumps({"ome": {"version": version}})
    assemble = partial(_assemble, later=later, documents=tuple(documents), comment=comment)
    return Stream(paths=(path,), tasks=tasks, assemble=assemble)


def _encode(reader: BlockReader, *, block: PlannedBlock) -> Files:
    """Return the files of a block."""
    files: Files = {}
    make_block(partial(_MemoryFile, files), reader, maker=block.maker, origin=block.origin)
    return files


class _MemoryFile(io.BytesIO):
    """A file that adds its bytes to others when it is closed."""

    def __init__(self, files: Files, key: str) -> None:
        super().__init__()
        self._files, self._key = files, key

    def close(self) -> None:
        if not self.closed:
            self._files[self._key] = self.getvalue()
        super().close()


def _assemble(
    partials: Sequence[Path],
    results: Results,
    *,
    later: Sequence[PlannedBlock],
    documents: Sequence[tuple[str, str]],
    comment: str,
) -> int:
    """Write the file from the results of the first section, and carry out the later ones."""
    with zipfile.ZipFile(partials[0], "w", zipfile.ZIP_STORED) as archive:
        archive.comment = comment.encode()
        for key, text in reversed(documents):
            _append(archive, {key: text.encode()})
        _append_all(archive, results)
        for _, blocks in groupby(later, lambda block: block.stage):
            store = _UnfinishedStore(archive)
            _append_all(archive, results.work(partial(_make_later, b, store) for b in blocks))
    return 1


def _make_later(block: PlannedBlock, store: _UnfinishedStore) -> Files:
    """Return the files of a block whose source is in the store."""
    assert block.source is not None
    return _encode(BlockReader(block.source.open(store), block.region), block=block)


def _append_all(archive: zipfile.ZipFile, results: Iterable[Files]) -> None:
    for files in results:
        _append(archive, files)


def _append(archive: zipfile.ZipFile, files: Files) -> None:
    """Append entries, with a time that does not depend on that of the save."""
    for key, data in files.items():
        archive.writestr(zipfile.ZipInfo(key), data)


class _UnfinishedStore:
    """The entries of a ZIP file that is being written, as the source of smaller levels."""

    is_remote = False

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.name = Path(archive.filename or "").name

    def read(self, key: str, most: int) -> bytes | None:
        try:
            return self._archive.read(key)
        except KeyError:
            return None

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        data = self.read(key, 0)
        if data is None:
            return None
        first = start if start >= 0 else len(data) + start
        return data[first : first + nbytes]

    def size(self, key: str) -> int | None:
        data = self.read(key, 0)
        return None if data is None else len(data)

    def list_names(self, key: str) -> list[str]:
        return []

    def stamp(self, key: str) -> object:
        return None

    def close(self) -> None:
        """Do nothing: the file is still being written."""
