"""Geometry of a new store: the chunks and files of its levels, and the blocks to make them from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from napari_ferry.arrays.region_grid import EvenCuts, RegionGrid
from napari_ferry.codecs.zarr.saving.pyramid import Step
from napari_ferry.codecs.zarr.zarr_options import ChunkKind

_CHUNK_BYTES = 2 << 20
"""Maximum number of bytes of pixels in a chunk."""

_CHUNK_SIDE = 1024
_CUBE_DEPTH = 64

MOST_FILES = 2000
"""Number of files above which chunks are stored in shards by default."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """One array of a pyramid.

    Parameters
    ----------
    key : str
        Key of the array in the store.
    shape : tuple of int
        Its shape.
    chunks : tuple of int
        Shape of a chunk.
    file : tuple of int
        Shape of the chunk or the shard in one file.
    halved : tuple of bool
        Axes that are halved from the level before.
    factors : tuple of int
        Downsampling factor of each axis, from the first level of the section.
    """

    key: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    file: tuple[int, ...]
    halved: tuple[bool, ...]
    factors: tuple[int, ...]

    @property
    def is_sharded(self) -> bool:
        """True if a file contains several chunks."""
        return self.file != self.chunks

    @property
    def shard_counts(self) -> tuple[int, ...]:
        """Number of chunks in a file along each axis."""
        return tuple(n // chunk for n, chunk in zip(self.file, self.chunks, strict=True))

    @property
    def n_files(self) -> int:
        """Number of its files."""
        return math.prod(-(-n // side) for n, side in zip(self.shape, self.file, strict=True))

    def region_of(self, origin: Sequence[int], block: Sequence[int]) -> list[tuple[int, int]]:
        """Return start and stop by axis of the region made from a block of the first level."""
        return [
            (start // factor, min(-(-(start + n) // factor), size))
            for start, n, factor, size in zip(origin, block, self.factors, self.shape, strict=True)
        ]

    def files_of(self, origin: Sequence[int], block: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Yield the numbers along each axis of the files with pixels of a block."""
        return itertools.product(
            *(
                range(start // n, -(-stop // n))
                for (start, stop), n in zip(self.region_of(origin, block), self.file, strict=True)
            )
        )


@dataclass(frozen=True, kw_only=True)
class Section:
    """Levels made in one pass over a source.

    Parameters
    ----------
    levels : tuple of Level
        The first has the resolution of the source.
    is_stored : bool
        True if the source is the first level in the store; otherwise that is written, too.
    block : tuple of int
        Shape of the block of one write.
    unit : tuple of int
        Shape of the part of a block of which the smaller levels are made at once.
    """

    levels: tuple[Level, ...]
    is_stored: bool
    block: tuple[int, ...]
    unit: tuple[int, ...]

    @property
    def strip(self) -> tuple[int, ...]:
        """Shape of the part of a unit to halve at once: chunks side by side.

        Windows of two samples do not reach into the next strip.
        """
        sides = list(self.unit)
        halved = self.levels[1].halved if len(self.levels) > 1 else (False,) * len(sides)
        for axis, chunk in enumerate(self.levels[0].chunks):
            if sides[axis] > chunk:
                sides[axis] = sides[axis] if halved[axis] and chunk % 2 else chunk
                break
        return tuple(sides)

    @property
    def made(self) -> tuple[Level, ...]:
        """Levels to write."""
        return self.levels[1:] if self.is_stored else self.levels

    @property
    def blocks(self) -> RegionGrid:
        """The region of each block in the first level."""
        sides = zip(self.levels[0].shape, self.block, strict=True)
        return RegionGrid(tuple(EvenCuts(0, n, 0, side) for n, side in sides))

    def extent(self, origin: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the block at an index, smaller at the edge of the array."""
        return tuple(
            min(side, n - start)
            for side, n, start in zip(self.block, self.levels[0].shape, origin, strict=True)
        )


def choose_chunks(
    shape: Sequence[int], names: Sequence[str], itemsize: int, kind: ChunkKind
) -> tuple[int, ...]:
    """Return the shape of a chunk: a plane or a part of it, or nearly a cube."""
    sides = dict.fromkeys(names, 1)
    lengths = dict(zip(names, shape, strict=True))
    if kind == "3D" and lengths.get("z", 1) > 1:
        sides["z"] = min(_CUBE_DEPTH, lengths["z"])
        side = 2 * _CUBE_DEPTH if itemsize <= 2 else _CUBE_DEPTH
    else:
        side = _CHUNK_SIDE
    sides |= {"y": side, "x": side}
    while sides["z" if "z" in sides else "y"] and _product(sides) * itemsize > _CHUNK_BYTES:
        largest = "y" if sides["y"] >= sides["x"] else "x"
        sides[largest] //= 2
    return tuple(min(sides[name], n) for name, n in lengths.items())


def _product(sides: dict[str, int]) -> int:
    return math.prod(sides.values())


def count_chunks(steps: Sequence[Step], chunks: Sequence[int]) -> int:
    """Return the number of chunks of all levels."""
    return sum(
        math.prod(-(-n // chunk) for n, chunk in zip(step.shape, chunks, strict=True))
        for step in steps
    )
