"""One block of a new store: the source of its pixels, and the write that makes its chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from napari_ferry.arrays import Array, Region
from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.array_metadata import parse_v2, parse_v3
from napari_ferry.codecs.zarr.saving.block_writer import BlockMaker, write_block
from napari_ferry.codecs.zarr.saving.store_files import stored_digest
from napari_ferry.codecs.zarr.store import FolderStore, Store
from napari_ferry.saving import Write


class StoredLevel(NamedTuple):
    """A level that an earlier section makes: the key of the array, and its metadata."""

    key: str
    document: Mapping[str, Any]

    def open(self, store: Store) -> Array:
        """Open the level in a store that may have no documents yet."""
        is_v3 = self.document["zarr_format"] == 3
        metadata = (parse_v3 if is_v3 else parse_v2)(self.document)
        name = f"{self.key}/{'zarr.json' if is_v3 else '.zarray'}"
        return ZarrArray(store, self.key, metadata, name, None, is_complete=True)


@dataclass(frozen=True, kw_only=True)
class PlannedBlock:
    """One block.

    Parameters
    ----------
    maker : BlockMaker
        Everything about the block but its place.
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


def _reopen(folder: Path, *, level: StoredLevel) -> Array:
    """Open a level in the folder of a store."""
    return level.open(FolderStore(str(folder)))
