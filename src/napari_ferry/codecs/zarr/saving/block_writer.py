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
from napari_ferry.codecs.zarr.options import Method
from napari_ferry.codecs.zarr.saving.chunk_encoder import Buffer, ChunkEncoder
from napari_ferry.codecs.zarr.saving.chunk_layout import Level, Section
from napari_ferry.codecs.zarr.saving.downsampling import halve
from napari_ferry.codecs.zarr.saving.store_files import ChunkWriter, create_in_folder


@dataclass(frozen=True, kw_only=True)
class BlockMaker:
    """Everything about the writes of a section but their places.

    Parameters
    ----------
    section : Section
        Levels, blocks and units.
    encoder : ChunkEncoder
        Encoder of all chunks.
    method : {"mean", "nearest", "mode"}
        Method of downsampling.
    order : tuple of int
        Axes of the source in the order of those in the store.
    prefix : str
        Part of the keys of chunks before their numbers.
    """

    section: Section
    encoder: ChunkEncoder
    method: Method
    order: tuple[int, ...]
    prefix: str


class _Unit(NamedTuple):
    """Pixels that are processed at once, and the index of the first one in the array."""

    origin: tuple[int, ...]
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
    native = encoder.dtype.newbyteorder("=")
    buffer = np.empty(max(encoder.most_bytes(level.chunks) for level in maker.section.made), "u1")
    with ChunkWriter(create, maker.prefix) as writer:
        for unit in _read_units(reader, maker, origin):
            pixels = unit.pixels.astype(native, copy=False)
            for k, level in enumerate(maker.section.levels):
                if k:
                    pixels = halve(pixels, level.halved, maker.method)
                if k or not maker.section.is_stored:
                    _write_chunks(writer, level, unit._replace(pixels=pixels), encoder, buffer)
            del unit, pixels  # before the next ones are read
    return writer.digest


def _write_chunks(
    writer: ChunkWriter,
    level: Level,
    unit: _Unit,
    encoder: ChunkEncoder,
    buffer: Buffer,
) -> None:
    """Write the chunks of a unit at one level; its origin is that in the first level."""
    pixels = unit.pixels
    first = [
        start // factor // chunk
        for start, factor, chunk in zip(unit.origin, level.factors, level.chunks, strict=True)
    ]
    sides = [range(0, n, chunk) for n, chunk in zip(pixels.shape, level.chunks, strict=True)]
    for start in itertools.product(*sides):
        part = pixels[
            tuple(slice(i, i + chunk) for i, chunk in zip(start, level.chunks, strict=True))
        ]
        numbers = [
            number + i // chunk for number, i, chunk in zip(first, start, level.chunks, strict=True)
        ]
        writer.put(level, numbers, encoder.encode(part, level.chunks, buffer))


def _read_units(reader: BlockReader, maker: BlockMaker, origin: tuple[int, ...]) -> Iterator[_Unit]:
    """Yield the units of a block, each as soon as all of its pixels are read.

    Pixels that were read together are not copied if they contain a whole unit.
    """
    unit = maker.section.unit
    extent = maker.section.extent(origin)
    incomplete: dict[tuple[int, ...], _Incomplete] = {}
    for start, pixels in reader:
        start = tuple(start[axis] for axis in maker.order)  # noqa: PLW2901
        pixels = pixels.transpose(maker.order)  # noqa: PLW2901
        for corner, part, inside in _split(start, pixels, unit):
            shape = tuple(min(u, n - i) for u, n, i in zip(unit, extent, corner, strict=True))
            place = tuple(a + b for a, b in zip(origin, corner, strict=True))
            if part.shape == shape:
                yield _Unit(place, part)
                continue
            if corner not in incomplete:
                incomplete[corner] = _Incomplete(np.empty(shape, part.dtype), math.prod(shape))
            if incomplete[corner].fill(inside, part):
                yield _Unit(place, incomplete.pop(corner).pixels)


@dataclass
class _Incomplete:
    """A unit of which some pixels were read, and the number of others."""

    pixels: NDArray[Any]
    missing: int

    def fill(self, inside: tuple[slice, ...], part: NDArray[Any]) -> bool:
        """Copy a part into the unit; return True if it is complete."""
        self.pixels[inside] = part
        self.missing -= part.size
        return self.missing == 0


def _split(
    start: Sequence[int], pixels: NDArray[Any], unit: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], NDArray[Any], tuple[slice, ...]]]:
    """Yield the parts of pixels in each unit: its corner, the part, and its place inside."""
    sides = [range(i - i % u, i + n, u) for i, n, u in zip(start, pixels.shape, unit, strict=True)]
    for corner in itertools.product(*sides):
        bounds = [
            (max(i, c), min(i + n, c + u))
            for i, n, c, u in zip(start, pixels.shape, corner, unit, strict=True)
        ]
        source = tuple(slice(a - i, b - i) for (a, b), i in zip(bounds, start, strict=True))
        inside = tuple(slice(a - c, b - c) for (a, b), c in zip(bounds, corner, strict=True))
        yield corner, pixels[source], inside
