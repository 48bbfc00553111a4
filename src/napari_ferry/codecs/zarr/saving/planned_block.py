"""One block of a new store: the source of its pixels, and the write for its chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.regions import array_bytes
from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.array_metadata import parse_v2, parse_v3
from napari_ferry.codecs.zarr.saving.block_writer import BlockMaker, make_block, write_block
from napari_ferry.codecs.zarr.saving.store_files import stored_digest
from napari_ferry.codecs.zarr.store import FolderStore, Store
from napari_ferry.saving import Write
from napari_ferry.saving.write_groups import WriteGroup


class StoreBlock(Protocol):
    """A part of a new store: the files made by one write."""

    @property
    def array(self) -> Array:
        """Source of the pixels, or its shape and type if it is stored first."""

    @property
    def region(self) -> Region:
        """Region of the source."""

    @property
    def stage(self) -> int:
        """Number of the stage."""

    @property
    def source(self) -> StoredLevel | None:
        """The source of later stages."""

    def to_write(self, path: Path) -> Write:
        """Return the write of this block to the folder of a store."""

    def make(self, create: Callable[[str], BinaryIO], reader: BlockReader) -> str:
        """Make the files, each created by its key; return their digest."""


class BlockGrid(Protocol):
    """All blocks of one section of an image, or of one level that is copied."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> StoreBlock: ...

    @property
    def array(self) -> Array:
        """Source of the pixels of all blocks."""

    @property
    def stage(self) -> int:
        """Number of the stage of all blocks."""

    @property
    def extra_memory(self) -> int:
        """Memory to make a block in addition to the pixels that are read at once, in bytes."""


def to_group(blocks: BlockGrid, path: Path) -> WriteGroup:
    """Return the writes of blocks to the folder of a store."""
    return WriteGroup(
        path=path,
        count=len(blocks),
        make=partial(_make_write, blocks=blocks),
        nbytes=array_bytes(blocks.array),
        key=repr(blocks),
        arrays=(blocks.array,),
        stage=blocks.stage,
        extra_memory=blocks.extra_memory,
    )


def _make_write(path: Path, index: int, *, blocks: BlockGrid) -> Write:
    return blocks[index].to_write(path)


class StoredLevel(NamedTuple):
    """A level made by an earlier section: the key of the array, and its metadata."""

    key: str
    document: Mapping[str, Any]

    def open(self, store: Store) -> Array:
        """Open the level in a store, even if its documents are not written yet."""
        is_v3 = self.document["zarr_format"] == 3
        metadata = (parse_v3 if is_v3 else parse_v2)(self.document)
        name = f"{self.key}/{'zarr.json' if is_v3 else '.zarray'}"
        return ZarrArray(store, self.key, metadata, name, None, is_complete=True)


@dataclass(frozen=True, kw_only=True)
class PlannedBlocks:
    """All blocks of one section.

    Parameters
    ----------
    maker : BlockMaker
        Everything about the blocks but their places.
    array, stage, source
        As for `PlannedBlock`.
    """

    maker: BlockMaker
    array: Array = field(repr=False)
    stage: int
    source: StoredLevel | None

    def __len__(self) -> int:
        return len(self.maker.section.blocks)

    @property
    def extra_memory(self) -> int:
        """Memory of the parts that are put together for a block, in bytes."""
        return self.maker.memory

    def __getitem__(self, index: int, /) -> PlannedBlock:
        origin = tuple(side.start for side in self.maker.section.blocks[index])
        return PlannedBlock(
            maker=self.maker, origin=origin, array=self.array, stage=self.stage, source=self.source
        )


@dataclass(frozen=True, kw_only=True)
class PlannedBlock:
    """One block.

    Parameters
    ----------
    maker : BlockMaker
        Common properties of the blocks of a section.
    origin : tuple of int
        Index of its first pixel, with the axes of the store.
    array : array
        Source, or its shape and type if it is stored first.
    stage : int
        Number of the section.
    source : StoredLevel, optional
        The source of later sections.
    """

    maker: BlockMaker
    origin: tuple[int, ...]
    array: Array
    stage: int
    source: StoredLevel | None

    @property
    def region(self) -> Region:
        """Region of the source."""
        sides = [slice(0, 1)] * len(self.origin)
        extent = self.maker.section.extent(self.origin)
        for axis, start, n in zip(self.maker.order, self.origin, extent, strict=True):
            sides[axis] = slice(start, start + n)
        return tuple(sides)

    def to_write(self, path: Path) -> Write:
        """Return the write of this block to the folder of a store."""
        return Write(
            path=path,
            array=self.array,
            region=self.region,
            put=partial(write_block, maker=self.maker, origin=self.origin),
            stored=partial(
                stored_digest,
                section=self.maker.section,
                origin=self.origin,
                prefix=self.maker.prefix,
            ),
            stage=self.stage,
            reopen=partial(_reopen, level=self.source) if self.source else None,
        )

    def make(self, create: Callable[[str], BinaryIO], reader: BlockReader) -> str:
        """Make the files, each created by its key; return their digest."""
        return make_block(create, reader, maker=self.maker, origin=self.origin)


def _reopen(folder: Path, *, level: StoredLevel) -> Array:
    """Open a level in the folder of a store."""
    return level.open(FolderStore(str(folder)))
