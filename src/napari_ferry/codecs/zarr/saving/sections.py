"""Sections of a save: the levels made in one pass, and the blocks of the pass.

A write reads one block, and makes all of its chunks at several levels in one pass. Blocks consist
of whole chunks of each of these levels, and of whole shards, so that no two writes touch one file.
Levels that would need larger blocks are made in a later section, from a level in the store.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_ferry.codecs.zarr.saving.chunk_layout import Level, Section
from napari_ferry.codecs.zarr.saving.pyramid import Step
from napari_ferry.saving.write import write_bytes

BLOCK_BYTES = 32 << 20
"""Maximum number of bytes of pixels in a block, unless a few chunks have more."""

SHARD_BYTES = 64 << 20
"""Maximum number of bytes of pixels in a shard, unless a few chunks have more."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Properties of an image and its store that determine the blocks.

    Parameters
    ----------
    names : tuple of str
        Names of the axes in the store.
    steps : tuple of Step
        The levels.
    chunks : tuple of int
        Shape of a chunk.
    source_chunks : tuple of int
        Shape of a chunk of the source, with the axes of the store; 1 where it has none.
    undivided : frozenset of str
        Axes along which a block contains everything: the samples of a color.
    itemsize : int
        Size of a sample, in bytes.
    is_sharded : bool
        True to store the chunks of a block in one file.
    key : str
        Key of the group in the store, empty for the root.
    """

    names: tuple[str, ...]
    steps: tuple[Step, ...]
    chunks: tuple[int, ...]
    source_chunks: tuple[int, ...]
    undivided: frozenset[str]
    itemsize: int
    is_sharded: bool
    key: str


def plan_sections(geometry: Geometry) -> list[Section]:
    """Return sections for all levels, each made from the full resolution or an earlier level."""
    sections: list[Section] = []
    first = 0
    while not sections or first < len(geometry.steps) - 1:
        section = _make_section(geometry, first, is_stored=bool(sections))
        if sections:  # the level is stored in the shards of the section that made it
            stored = replace(section.levels[0], file=sections[-1].levels[-1].file)
            section = replace(section, levels=(stored, *section.levels[1:]))
        sections.append(section)
        first += len(section.levels) - 1
    return sections


def _make_section(geometry: Geometry, first: int, *, is_stored: bool) -> Section:
    """Return the section with a level as its source, stored already or not."""
    steps = geometry.steps[first:]
    factors = _cumulative_factors(steps)
    block = _first_block(geometry, steps, is_source=not is_stored)

    count = 1
    for step_factors in factors[1:]:
        is_needed = is_stored and count == 1
        deeper = _deepen(geometry, steps[0], block, step_factors, is_needed=is_needed)
        if deeper is None:
            break
        block, count = deeper, count + 1

    unit = tuple(
        1 if name not in "zyx" else side for name, side in zip(geometry.names, block, strict=True)
    )
    block = _group(geometry, steps[0].shape, block)
    levels = [_make_level(geometry, first + k, factors[k], block) for k in range(count)]
    return Section(levels=tuple(levels), is_stored=is_stored, block=block, unit=unit)


def _cumulative_factors(steps: Sequence[Step]) -> list[tuple[int, ...]]:
    """Return the factors of each level from the first of these."""
    factors = [(1,) * len(steps[0].shape)]
    for step in steps[1:]:
        factors.append(
            tuple(f * (2 if half else 1) for f, half in zip(factors[-1], step.halved, strict=True))
        )
    return factors


def _first_block(geometry: Geometry, steps: Sequence[Step], *, is_source: bool) -> tuple[int, ...]:
    """Return the smallest useful block: one plane of chunks, or a tile of a large plane."""
    shape = dict(zip(geometry.names, steps[0].shape, strict=True))
    chunks = dict(zip(geometry.names, geometry.chunks, strict=True))
    sides = {
        name: n if name in "yx" or name in geometry.undivided else min(chunks[name], n)
        for name, n in shape.items()
    }

    depth = _source_depth(geometry) if is_source else 1
    smallest = 1 if is_source else 2
    while depth * math.prod(sides.values()) * geometry.itemsize > BLOCK_BYTES:
        name = "y" if sides["y"] >= sides["x"] else "x"
        if sides[name] <= smallest * chunks[name]:
            if depth == 1:
                break
            depth //= 2
            continue
        tiles = -(-sides[name] // chunks[name])
        sides[name] = chunks[name] << ((tiles - 1).bit_length() - 1)
    return tuple(sides.values())


def _source_depth(geometry: Geometry) -> int:
    """Return the number of planes in a chunk of the source."""
    return math.prod(
        side
        for name, side, chunk in zip(
            geometry.names, geometry.source_chunks, geometry.chunks, strict=True
        )
        if name not in "yx" and name not in geometry.undivided and side > chunk
    )


def _deepen(
    geometry: Geometry,
    first: Step,
    block: tuple[int, ...],
    factors: tuple[int, ...],
    *,
    is_needed: bool,
) -> tuple[int, ...] | None:
    """Return a block with whole chunks of a smaller level, or ``None`` if it would be too large.

    A level that is needed may have a larger block, because nothing else could make it.
    """
    wholes = [chunk * factor for chunk, factor in zip(geometry.chunks, factors, strict=True)]
    sides = tuple(
        side if side >= n or side % whole == 0 else min(n, whole)
        for side, n, whole in zip(block, first.shape, wholes, strict=True)
    )
    is_split = any(
        after > before and name != "z"
        for name, before, after in zip(geometry.names, block, sides, strict=True)
    )
    is_larger = sides != block and math.prod(sides) * geometry.itemsize > BLOCK_BYTES
    return sides if is_needed or not (is_split or is_larger) else None


def _group(geometry: Geometry, shape: Sequence[int], block: tuple[int, ...]) -> tuple[int, ...]:
    """Return a block of several planes, the innermost axes first, in whole chunks of the source."""
    usual = SHARD_BYTES if geometry.is_sharded else BLOCK_BYTES
    most = write_bytes(usual, math.prod(shape) * geometry.itemsize)
    sides = list(block)
    for axis in reversed(range(len(sides))):
        if geometry.names[axis] in "yx":
            continue
        fitting = max(1, most // (math.prod(sides) * geometry.itemsize))
        source = max(1, geometry.source_chunks[axis] // sides[axis])
        if fitting > source:
            fitting -= fitting % source
        sides[axis] = min(shape[axis], sides[axis] * fitting)
        if sides[axis] < shape[axis]:
            break
    return tuple(sides)


def _make_level(
    geometry: Geometry, index: int, factors: tuple[int, ...], block: Sequence[int]
) -> Level:
    step = geometry.steps[index]
    chunks = tuple(min(side, n) for side, n in zip(geometry.chunks, step.shape, strict=True))

    file = chunks
    if geometry.is_sharded:
        sides = [-(-side // factor) for side, factor in zip(block, factors, strict=True)]
        file = tuple(
            -(-min(side, n) // chunk) * chunk
            for side, n, chunk in zip(sides, step.shape, chunks, strict=True)
        )

    return Level(
        key=f"{geometry.key}/{index}" if geometry.key else str(index),
        shape=step.shape,
        chunks=chunks,
        file=file,
        halved=step.halved,
        factors=factors,
    )
