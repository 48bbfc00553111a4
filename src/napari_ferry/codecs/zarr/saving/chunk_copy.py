"""Copies of the files of chunks and shards, whose bytes remain as they are."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.array_protocol import Shaped
from napari_ferry.arrays.region_grid import RegionGrid
from napari_ferry.arrays.regions import region_shape
from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.saving.byte_copy import BUFFER_BYTES, copy_file
from napari_ferry.codecs.zarr.saving.chunk_layout import Level
from napari_ferry.codecs.zarr.saving.existing_files import (
    DigestOfFiles,
    FileNames,
    Numbers,
    find_files,
)
from napari_ferry.codecs.zarr.saving.store_files import (
    create_in_folder,
    digest_of_file,
    file_key,
)
from napari_ferry.codecs.zarr.store import FolderStore, refuse_changed
from napari_ferry.errors import UnreadableFileError
from napari_ferry.saving import Write


class StoredChunks(Shaped):
    """The files of the chunks in a region of an array, with their present stamps.

    Parameters
    ----------
    array : ZarrArray
        The array.
    region : Region
        Region of whole files.
    """

    def __init__(self, array: ZarrArray, region: Region) -> None:
        self.array = array
        self.region = region
        self.shape = array.shape
        self.dtype = array.dtype
        self.chunks = array.files.file_shape

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self.array.__array__(dtype, copy)

    @property
    def ranges(self) -> list[range]:
        """Numbers of the files along each axis."""
        sides = zip(self.region, self.chunks, strict=True)
        return [range(s.start // n, -(-s.stop // n)) for s, n in sides]

    def numbers(self) -> Iterator[Numbers]:
        """Yield the number along each axis of every file, or of those that exist if few do."""
        files = self.array.files
        if files.is_complete:
            return itertools.product(*self.ranges)
        metadata = files.metadata
        names = FileNames(files.key, metadata.prefix, metadata.separator or ".")
        return find_files(files.store, names, self.ranges)

    def read_stamps(self) -> list[object]:
        """Return the array as it is pickled, and a digest of the stamps of its files."""
        files, digest = self.array.files, DigestOfFiles()
        for key in map(files.key_of, self.numbers()):
            stamp = files.store.stamp(key)
            if stamp is not None:
                digest.add(key, stamp)
        return [self.array, digest.hexdigest()]

    def read_size(self, limit: int) -> int:
        """Return the size of the files in bytes; one above `limit` is not exact."""
        files, nbytes = self.array.files, 0
        for key in map(files.key_of, self.numbers()):
            nbytes += files.store.size(key) or 0
            if nbytes > limit:
                break
        return nbytes


@dataclass(frozen=True, kw_only=True)
class CopiedBlocks:
    """All blocks of one level that is copied.

    Parameters
    ----------
    array : StoredChunks
        All files of the level.
    regions : RegionGrid
        Region of each block.
    level, prefix
        As for `CopiedBlock`.
    """

    array: StoredChunks = field(repr=False)
    regions: RegionGrid
    level: Level
    prefix: str
    stage = 0
    extra_memory = 0

    def __len__(self) -> int:
        return len(self.regions)

    def __getitem__(self, index: int, /) -> CopiedBlock:
        chunks = StoredChunks(self.array.array, self.regions[index])
        return CopiedBlock(chunks=chunks, level=self.level, prefix=self.prefix)


@dataclass(frozen=True, kw_only=True)
class CopiedBlock:
    """Files of one level, copied by one write.

    Parameters
    ----------
    chunks : StoredChunks
        The files.
    level : Level
        The level in the new store.
    prefix : str
        Part of the keys of its files before their numbers.
    """

    chunks: StoredChunks
    level: Level
    prefix: str
    stage = 0
    source = None

    @property
    def array(self) -> Array:
        """Source of the pixels."""
        return self.chunks

    @property
    def region(self) -> Region:
        """Region of the source."""
        return self.chunks.region

    def to_write(self, path: Path) -> Write:
        """Return the write of these files to the folder of a store."""
        return Write(
            path=path,
            array=self.chunks,
            region=self.region,
            put=partial(_copy_to_folder, block=self),
            stored=partial(_stored_digest, block=self),
        )

    def make(self, create: Callable[[str], BinaryIO], reader: BlockReader) -> str:
        """Copy the files, and return their digest; missing ones remain missing.

        Parameters
        ----------
        create : callable
            Creates the unbuffered file of a key.
        reader : BlockReader
            Reader of the block, which counts the pixels.

        Raises
        ------
        UnreadableFileError
            The metadata of the source changed, or a file cannot be read, or is missing in a store
            that contained all chunks.
        """
        self._refuse_changed()
        files = self.chunks.array.files
        buffer = memoryview(bytearray(BUFFER_BYTES))
        copied = DigestOfFiles()
        n_left = math.prod(region_shape(self.region))
        for numbers in self.chunks.numbers():
            source, target = files.key_of(numbers), self.key_of(numbers)
            digest = copy_file(files.store, source, partial(create, target), buffer)
            if digest is not None:
                copied.add(target, digest)
            elif files.is_complete:
                raise UnreadableFileError(
                    f"{files.store.name} is damaged: {source} is missing, although the store was "
                    "saved with all chunks; restore this file from a copy of the store."
                )
            n_left -= self._count(reader, self._samples_of(numbers))
        self._count(reader, n_left)
        self._refuse_changed()
        return copied.hexdigest()

    def _count(self, reader: BlockReader, n_samples: int) -> int:
        """Count samples that are not in memory, and return their number."""
        if reader.count and n_samples:
            reader.count(np.broadcast_to(np.zeros((), self.chunks.dtype), n_samples))
        return n_samples

    def _refuse_changed(self) -> None:
        array = self.chunks.array
        refuse_changed(array.files.store, array.document, array.stamp)

    def _samples_of(self, numbers: tuple[int, ...]) -> int:
        """Return the number of samples in a file inside the array."""
        sides = zip(numbers, self.chunks.chunks, self.chunks.shape, strict=True)
        return math.prod(min(side, n - i * side) for i, side, n in sides)

    def target_keys(self, folder: Path) -> Iterator[str]:
        """Yield the key of each file in the folder of a new store, or of those that exist."""
        names = FileNames(self.level.key, self.prefix, "/")
        found = find_files(FolderStore(os.fspath(folder)), names, self.chunks.ranges)
        return map(self.key_of, found)

    def key_of(self, numbers: tuple[int, ...]) -> str:
        """Return the key of a file in the new store."""
        return file_key(self.level, numbers, self.prefix)


def _copy_to_folder(folder: Path, reader: BlockReader, *, block: CopiedBlock) -> str:
    """Copy files to the folder of a store; return their digest."""
    # an interrupted save may have copied files that are missing now
    for key in block.target_keys(folder):
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(os.path.join(folder, key))  # noqa: PTH108, PTH118 - thousands of files
    return block.make(partial(create_in_folder, folder=os.fspath(folder)), reader)


def _stored_digest(folder: Path, *, block: CopiedBlock) -> str:
    """Return the digest of the copies; it differs if one is missing."""
    copied = DigestOfFiles()
    for key in block.target_keys(folder):
        digest = digest_of_file(folder / key)
        if digest is not None:
            copied.add(key, digest)
    return copied.hexdigest()
