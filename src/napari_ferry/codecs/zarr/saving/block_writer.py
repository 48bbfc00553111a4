"""Writing of one block: reading its pixels, and encoding its chunks at several levels."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader
from napari_ferry.codecs.zarr.saving.chunk_encoder import ChunkEncoder
from napari_ferry.codecs.zarr.saving.chunk_layout import Level, Section
from napari_ferry.codecs.zarr.saving.downsampling import half_shape, halve
from napari_ferry.codecs.zarr.saving.store_files import ChunkWriter, create_in_folder
from napari_ferry.codecs.zarr.zarr_options import Method


@dataclass(frozen=True, kw_only=True)
class BlockMaker:
    """Common properties of the writes of a section, apart from their positions.

    Parameters
    ----------
    section : Section
        Levels, blocks and units.
    encoder : ChunkEncoder
        Encoder of all chunks.
    method : {"mean", "nearest", "mode"}
        Method of downsampling.
    order : tuple of int
        Axes of the source in the order of the store.
    prefix : str
        Part of the keys of chunks before their numbers.
    """

    section: Section
    encoder: ChunkEncoder
    method: Method
    order: tuple[int, ...]
    prefix: str

    @property
    def memory(self) -> int:
        """Memory of the parts that are put together for a block, in bytes.

        These are a strip of the first level, a unit of each smaller one, and an encoded chunk.
        """
        strip, unit = math.prod(self.section.strip), math.prod(self.section.unit)
        smaller = unit if len(self.section.levels) > 1 else 0
        return (strip + smaller) * self.encoder.dtype.itemsize + self.encoder.most_bytes(
            self.section.levels[0].chunks
        )


class _Part(NamedTuple):
    """Pixels of a level, and the index of the first one in the block at this level."""

    start: tuple[int, ...]
    pixels: NDArray[Any]


def write_block(
    folder: Path, reader: BlockReader, *, maker: BlockMaker, origin: tuple[int, ...]
) -> str:
    """Write the chunks of a block to the folder of a store; return the digest of their files.

    Parameters
    ----------
    folder : Path
        Folder of the store.
    reader, maker, origin
        As for `make_block`.
    """
    create = partial(create_in_folder, folder=os.fspath(folder))
    return make_block(create, reader, maker=maker, origin=origin)


def make_block(
    create: Callable[[str], BinaryIO],
    reader: BlockReader,
    *,
    maker: BlockMaker,
    origin: tuple[int, ...],
) -> str:
    """Write the chunks of a block at all levels of a section; return the digest of their files.

    Parameters
    ----------
    create : callable
        Creates the unbuffered file of a key.
    reader : BlockReader
        Pixels of the block, with the axes of the source.
    maker : BlockMaker
        Levels and their encoding.
    origin : tuple of int
        Index of the first pixel, with the axes of the store.
    """
    encoder = maker.encoder
    buffer = np.empty(max(encoder.most_bytes(level.chunks) for level in maker.section.made), "u1")
    with ChunkWriter(create, maker.prefix) as writer:
        for level, part in _make_parts(reader, maker, maker.section.extent(origin)):
            for numbers, pixels in _split_chunks(part, level, origin):
                writer.put(level, numbers, encoder.encode(pixels, level.chunks, buffer))
    return writer.digest


def _split_chunks(
    part: _Part, level: Level, origin: tuple[int, ...]
) -> Iterator[tuple[list[int], NDArray[Any]]]:
    """Yield the chunks of a part of a block: the number along each axis, and the pixels."""
    first = [
        (corner // factor + start) // chunk
        for corner, factor, start, chunk in zip(
            origin, level.factors, part.start, level.chunks, strict=True
        )
    ]
    sides = [range(0, n, chunk) for n, chunk in zip(part.pixels.shape, level.chunks, strict=True)]
    for start in itertools.product(*sides):
        inside = tuple(slice(i, i + chunk) for i, chunk in zip(start, level.chunks, strict=True))
        numbers = [
            number + i // chunk for number, i, chunk in zip(first, start, level.chunks, strict=True)
        ]
        yield numbers, part.pixels[inside]


def _make_parts(
    reader: BlockReader, maker: BlockMaker, extent: tuple[int, ...]
) -> Iterator[tuple[Level, _Part]]:
    """Yield parts of all levels to write, in whole chunks.

    Strips of the first level are halved one by one, so that the largest part to assemble
    is one of the second level.
    """
    section = maker.section
    first, *smaller = section.levels
    if smaller:
        halved = smaller[0].halved
        units = _Assembly(half_shape(section.unit, halved), half_shape(extent, halved))
    for strip in _read_strips(reader, maker, extent):
        if not section.is_stored:
            yield first, strip
        if smaller:
            for unit in units.add(_halve(strip, smaller[0], maker.method)):
                yield from _make_smaller(unit, smaller, maker.method)


def _read_strips(
    reader: BlockReader, maker: BlockMaker, extent: tuple[int, ...]
) -> Iterator[_Part]:
    """Yield the strips of a block, each as soon as all of its pixels are read."""
    native = maker.encoder.dtype.newbyteorder("=")
    strips = _Assembly(maker.section.strip, extent)
    for start, pixels in reader:
        ordered = pixels.transpose(maker.order).astype(native, copy=False)
        yield from strips.add(_Part(tuple(start[axis] for axis in maker.order), ordered))


def _make_smaller(
    unit: _Part, levels: Sequence[Level], method: Method
) -> Iterator[tuple[Level, _Part]]:
    """Yield a part of one level, and its smaller versions at the next levels."""
    yield levels[0], unit
    for level in levels[1:]:
        unit = _halve(unit, level, method)
        yield level, unit


def _halve(part: _Part, level: Level, method: Method) -> _Part:
    """Return a part in the size of the next level."""
    start = tuple(i // 2 if half else i for i, half in zip(part.start, level.halved, strict=True))
    return _Part(start, halve(part.pixels, level.halved, method))


class _Assembly:
    """Parts of one shape, smaller at the edge of a block, assembled from parts of any shapes.

    Parameters
    ----------
    shape : tuple of int
        Shape of a part.
    extent : tuple of int
        Shape of the block.
    """

    def __init__(self, shape: tuple[int, ...], extent: tuple[int, ...]) -> None:
        self._shape = shape
        self._extent = extent
        self._incomplete: dict[tuple[int, ...], _Incomplete] = {}

    def add(self, part: _Part) -> Iterator[_Part]:
        """Add pixels, and yield the completed parts.

        Pixels of a whole part are passed on without copying.
        """
        for corner, pixels, inside in _split(part.start, part.pixels, self._shape):
            sides = zip(self._shape, self._extent, corner, strict=True)
            shape = tuple(min(side, n - i) for side, n, i in sides)
            if pixels.shape == shape:
                yield _Part(corner, pixels)
                continue
            if corner not in self._incomplete:
                empty = np.empty(shape, pixels.dtype)
                self._incomplete[corner] = _Incomplete(empty, math.prod(shape))
            if self._incomplete[corner].fill(inside, pixels):
                yield _Part(corner, self._incomplete.pop(corner).pixels)


@dataclass
class _Incomplete:
    """A part with some of its pixels, and the number of others."""

    pixels: NDArray[Any]
    missing: int

    def fill(self, inside: tuple[slice, ...], part: NDArray[Any]) -> bool:
        """Copy pixels into the part; return True if it is complete."""
        self.pixels[inside] = part
        self.missing -= part.size
        return self.missing == 0


def _split(
    start: Sequence[int], pixels: NDArray[Any], unit: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], NDArray[Any], tuple[slice, ...]]]:
    """Yield the pixels in each part: its corner, the pixels, and their place inside."""
    sides = [range(i - i % u, i + n, u) for i, n, u in zip(start, pixels.shape, unit, strict=True)]
    for corner in itertools.product(*sides):
        bounds = [
            (max(i, c), min(i + n, c + u))
            for i, n, c, u in zip(start, pixels.shape, corner, unit, strict=True)
        ]
        source = tuple(slice(a - i, b - i) for (a, b), i in zip(bounds, start, strict=True))
        inside = tuple(slice(a - c, b - c) for (a, b), c in zip(bounds, corner, strict=True))
        yield corner, pixels[source], inside
