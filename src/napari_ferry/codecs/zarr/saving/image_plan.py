"""The arrays, attributes and writes of one image in a new store."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_ferry.arrays import Array
from napari_ferry.arrays.array_layout import Placeholder
from napari_ferry.arrays.regions import largest_chunk
from napari_ferry.codecs.zarr.ome_documents import store_name, store_order
from napari_ferry.codecs.zarr.saving.array_documents import describe_array, describe_v2_array
from napari_ferry.codecs.zarr.saving.block_writer import BlockMaker
from napari_ferry.codecs.zarr.saving.chunk_encoder import ChunkEncoder
from napari_ferry.codecs.zarr.saving.chunk_layout import (
    MOST_FILES,
    Level,
    Section,
    choose_chunks,
    count_chunks,
)
from napari_ferry.codecs.zarr.saving.planned_block import BlockGrid, PlannedBlocks, StoredLevel
from napari_ferry.codecs.zarr.saving.pyramid import Position, follow_pyramid, plan_pyramid
from napari_ferry.codecs.zarr.saving.sections import Geometry, plan_sections
from napari_ferry.codecs.zarr.zarr_options import Method, StoreOptions
from napari_ferry.image import Axis, Image

_METHODS = {
    "mean": "rounded mean of 2 samples along each axis that is halved",
    "nearest": "every second sample along each axis that is halved",
    "mode": "most frequent of 2 samples along each axis that is halved",
}


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """One image in a new store.

    Parameters
    ----------
    image : Image
        The image.
    key : str
        Key of its group, empty for the root.
    order : tuple of int
        Axes of the image in the order of the store.
    is_ome : bool
        True if OME-NGFF can hold its axes.
    sections : tuple of Section
        Its levels.
    encoder : ChunkEncoder
        Encoder of its chunks.
    method : {"mean", "nearest", "mode"}
        Method of downsampling.
    options : StoreOptions
        Options of the save.
    """

    image: Image
    key: str
    order: tuple[int, ...]
    is_ome: bool
    sections: tuple[Section, ...]
    encoder: ChunkEncoder
    method: Method
    options: StoreOptions

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Axes with the order and the names of the store."""
        return tuple(
            replace(axis, name=store_name(axis.name)) if self.is_ome else axis
            for axis in (self.image.axes[k] for k in self.order)
        )

    @property
    def levels(self) -> list[Level]:
        """All levels, full resolution first."""
        return [level for section in self.sections for level in section.made]

    @property
    def positions(self) -> list[Position]:
        """The position of each level."""
        positions = []
        factors = (1.0,) * len(self.axes)
        for level in self.levels:
            factors = tuple(
                f * (2 if half else 1) for f, half in zip(factors, level.halved, strict=True)
            )
            shifts = tuple(0.0 if self.method == "nearest" else (f - 1) / 2 for f in factors)
            positions.append(Position(factors, shifts))
        return positions

    @property
    def downsampling(self) -> Mapping[str, Any]:
        """Method of the smaller levels, as in ``multiscales``; empty if there are none."""
        if len(self.levels) == 1:
            return {}
        return {"type": self.method, "metadata": {"description": _METHODS[self.method]}}

    @property
    def keeps_levels(self) -> bool:
        """True if the levels of the source are saved."""
        return False

    @property
    def is_complete(self) -> bool:
        """True if every chunk has a file."""
        return True

    @property
    def is_encoded(self) -> bool:
        """True if its chunks are compressed."""
        return self.encoder.compression != "none"

    @property
    def nbytes(self) -> int:
        """Maximum size of all files of chunks, in bytes."""
        return sum(
            math.prod(-(-n // side) for n, side in zip(level.shape, level.chunks, strict=True))
            * self.encoder.most_bytes(level.chunks)
            + (_index_bytes(level) if level.is_sharded else 0)
            for level in self.levels
        )

    @property
    def n_files(self) -> int:
        """Number of files of chunks or shards."""
        return sum(level.n_files for level in self.levels)

    def least_bytes(self, limit: int) -> int:
        """Return a lower bound of the size of all chunks in bytes; `limit` is not used here."""
        return 0 if self.is_encoded else self.nbytes

    def array_documents(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of each array by its key."""
        names = [axis.name for axis in self.axes]
        return {level.key: self._document(level, names) for level in self.levels}

    def _document(self, level: Level, names: Sequence[str]) -> dict[str, Any]:
        if self.options.version == "0.4":
            return describe_v2_array(level, self.encoder)
        return describe_array(level, self.encoder, names)

    def block_grids(self) -> Iterator[BlockGrid]:
        """Yield the blocks of each section, in the order of their stages."""
        for stage, section in enumerate(self.sections):
            first = section.levels[0]
            if stage == 0:
                array, order, source = self.image.array, self.order, None
            else:
                array = Placeholder(first.shape, self.encoder.dtype)
                order = tuple(range(len(first.shape)))
                document = self._document(first, [axis.name for axis in self.axes])
                source = StoredLevel(first.key, document)

            maker = BlockMaker(
                section=section,
                encoder=self.encoder,
                method=self.method,
                order=order,
                prefix=self.options.prefix,
            )
            yield PlannedBlocks(maker=maker, array=array, stage=stage, source=source)


def _index_bytes(level: Level) -> int:
    """Return the size of the indices of all shards, in bytes."""
    return level.n_files * (16 * math.prod(level.shard_counts) + 4)


def plan_image(
    image: Image, key: str, options: StoreOptions, parent: ImagePlan | None = None
) -> ImagePlan:
    """Plan one image.

    Parameters
    ----------
    image : Image
        The image.
    key : str
        Key of its group, empty for the root.
    options : StoreOptions
        Options of the save.
    parent : ImagePlan, optional
        The image whose labels these are; they get the levels of the image.
    """
    found = store_order(image.axis_names)
    order = tuple(range(image.ndim)) if found is None else found
    names = tuple(image.axis_names[axis] for axis in order)
    shape = tuple(image.shape[axis] for axis in order)

    stored = _stored_type(image)
    steps = tuple(
        plan_pyramid(shape, [image.axes[axis] for axis in order], options.levels)
        if parent is None
        else follow_pyramid(shape, names, _halvings(parent))
    )
    chunks = choose_chunks(shape, names, stored.itemsize, options.chunks or "2D")
    is_sharded = options.shards
    if is_sharded is None:
        is_sharded = options.version == "0.5" and count_chunks(steps, chunks) > MOST_FILES

    geometry = Geometry(
        names=names,
        steps=steps,
        chunks=chunks,
        source_chunks=_source_chunks(image.array, order),
        undivided=frozenset({"s"} if image.is_rgb else ()),
        itemsize=stored.itemsize,
        is_sharded=is_sharded,
        key=key,
    )

    return ImagePlan(
        image=image,
        key=key,
        order=order,
        is_ome=found is not None,
        sections=tuple(plan_sections(geometry)),
        encoder=ChunkEncoder(
            dtype=stored,
            compression=options.compression or "zstd",
            is_checked=options.version == "0.5",
        ),
        method=_method_of(image, options.downsample),
        options=options,
    )


def _stored_type(image: Image) -> np.dtype[Any]:
    """Return the type of samples in the store: little-endian, and integers for labels."""
    is_mask = image.kind == "labels" and image.dtype == bool
    return np.dtype(np.uint8) if is_mask else image.dtype.newbyteorder("<")


def _method_of(image: Image, asked: Method | None) -> Method:
    """Return the method of downsampling; the mean of two labels would be a third one."""
    if image.kind == "labels":
        return asked if asked in ("nearest", "mode") else "nearest"
    return asked or "mean"


def _halvings(parent: ImagePlan) -> list[dict[str, bool]]:
    names = [axis.name for axis in parent.axes]
    return [dict(zip(names, level.halved, strict=True)) for level in parent.levels[1:]]


def _source_chunks(array: Array, order: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the largest chunk of a source, with the axes of the store."""
    sides = largest_chunk(array)
    return tuple(sides[axis] for axis in order)
