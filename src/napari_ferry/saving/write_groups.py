"""The writes of a plan as a sequence, each made on access.

A plan of 100 TB has 100,000 writes. In memory there is one group for each source and file, with the
function to make any of its writes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np
import xxhash

from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import BLOCK_BYTES
from napari_ferry.arrays.regions import is_sent_by_path, largest_chunk
from napari_ferry.saving.write import Write


@dataclass(frozen=True, kw_only=True)
class WriteGroup:
    """Writes of one stage to one file.

    Parameters
    ----------
    path : Path
        The file, as in `Plan.files`.
    count : int
        Number of writes, at least 1.
    make : callable
        Returns a write, given the path and its number in the group; a `functools.partial` of a
        function of a module, so that it can be pickled.
    nbytes : int
        Size of the pixels that all writes read, in bytes.
    key : str
        Text that determines all writes, apart from their path, stage and sources.
    arrays : tuple of array
        Sources of the writes, at least one.
    stage : int
        Stage of all writes.
    extra_memory : int
        Memory of a write in progress in addition to the blocks that it reads, in bytes.
    program_memory : int
        Memory of a program that each write runs, in bytes, which limits the number of writes in
        progress on this computer.
    """

    path: Path
    count: int
    make: Callable[[Path, int], Write]
    nbytes: int
    key: str
    arrays: tuple[Array, ...]
    stage: int = 0
    extra_memory: int = 0
    program_memory: int = 0

    def writes(self) -> Iterator[Write]:
        """Yield the writes in order."""
        return (self.make(self.path, index) for index in range(self.count))

    @property
    def memory(self) -> int:
        """Memory of a write on a worker, in bytes.

        It has two blocks or chunks, or all pixels of the write if they are sent from memory, and
        the extra memory and that of a program.
        """
        extra = self.extra_memory + self.program_memory
        if not all(map(is_sent_by_path, self.arrays)):
            return self.nbytes // self.count + extra
        chunks = (
            math.prod(largest_chunk(source)) * np.dtype(source.dtype).itemsize
            for source in self.arrays
        )
        block = min(self.nbytes, max(BLOCK_BYTES, *chunks))
        return 2 * block + extra

    @property
    def identity(self) -> str:
        """Text different for any other writes; pixels are compared when a write is resumed."""
        sources = [(tuple(source.shape), str(source.dtype)) for source in self.arrays]
        return f"{self.path.name} {self.stage} {self.count} {sources} {self.key}"


@dataclass(frozen=True)
class MadeGroups(Sequence[WriteGroup]):
    """Groups made on access, such as those of a series of many files.

    Parameters
    ----------
    length : int
        Number of groups.
    make : callable
        Returns a group, given its number; see `WriteGroup.make`.
    """

    length: int
    make: Callable[[int], WriteGroup]

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> WriteGroup: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[WriteGroup]: ...
    def __getitem__(self, index: int | slice) -> WriteGroup | Sequence[WriteGroup]:
        numbers = range(self.length)[index]
        return self.make(numbers) if isinstance(numbers, int) else [*map(self.make, numbers)]

    def __iter__(self) -> Iterator[WriteGroup]:
        return map(self.make, range(self.length))


class Writes(Sequence[Write]):
    """The writes of several groups, in order.

    Parameters
    ----------
    groups : iterable of WriteGroup
        The groups.

    Attributes
    ----------
    nbytes : int
        Size of the pixels that all writes read, in bytes.
    arrays : tuple of array
        All sources, each once.
    stages : tuple of int
        All stages, in order.
    memory, program_memory : int
        Memory of the largest write in progress, and of its program alone, in bytes.
    fingerprint : str
        Digest that differs for any other writes, computed from what determines those of a group.
    """

    def __init__(self, groups: Iterable[WriteGroup]) -> None:
        self.groups = groups if isinstance(groups, Sequence) else tuple(groups)
        ends = []
        self.nbytes = self.memory = self.program_memory = 0
        hasher, count = xxhash.xxh3_128(), 0
        arrays: dict[int, Array] = {}
        stages: set[int] = set()

        for group in self.groups:
            count += group.count
            ends.append(count)
            self.nbytes += group.nbytes
            self.memory = max(self.memory, group.memory)
            self.program_memory = max(self.program_memory, group.program_memory)
            hasher.update(f"{group.identity}\n".encode(errors="surrogatepass"))
            arrays |= {id(source): source for source in group.arrays}
            stages.add(group.stage)

        self.arrays, self.stages = tuple(arrays.values()), tuple(sorted(stages))
        self._ends = np.array(ends, np.int64)
        self.fingerprint = hasher.hexdigest()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, index: int) -> Write: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Write]: ...
    def __getitem__(self, index: int | slice) -> Write | Sequence[Write]:
        numbers = range(len(self))[index]
        return self._make(numbers) if isinstance(numbers, int) else [*map(self._make, numbers)]

    def __iter__(self) -> Iterator[Write]:
        return itertools.chain.from_iterable(group.writes() for group in self.groups)

    def __repr__(self) -> str:
        return f"Writes({len(self)} in {len(self.groups)} groups)"

    def _make(self, number: int) -> Write:
        k = int(np.searchsorted(self._ends, number, "right"))
        group = self.groups[k]
        return group.make(group.path, number - int(self._ends[k]) + group.count)

    def replace_paths(self, targets: Mapping[Path, Path]) -> Writes:
        """Return the same writes to other paths, given for each path."""
        move = partial(_move_group, groups=self.groups, targets=targets)
        moved = copy(self)
        moved.groups = MadeGroups(len(self.groups), move)
        return moved


def _move_group(
    index: int, *, groups: Sequence[WriteGroup], targets: Mapping[Path, Path]
) -> WriteGroup:
    """Return a group of writes to another path."""
    group = groups[index]
    return replace(group, path=targets[group.path])


def group_writes(writes: Sequence[Write]) -> Writes:
    """Return writes in groups, including writes listed one by one by a format."""
    if isinstance(writes, Writes):
        return writes
    runs = itertools.groupby(writes, lambda write: (write.path, write.stage))
    return Writes(_list_group(path, stage, tuple(run)) for (path, stage), run in runs)


def _list_group(path: Path, stage: int, writes: tuple[Write, ...]) -> WriteGroup:
    """Return the group of some writes to one file."""
    return WriteGroup(
        path=path,
        count=len(writes),
        make=partial(_pick, writes=writes),
        nbytes=sum(write.nbytes for write in writes),
        key="\n".join(str(write.region) for write in writes),
        arrays=tuple({id(write.array): write.array for write in writes}.values()),
        stage=stage,
    )


def join_groups(path: Path, writes: Writes) -> WriteGroup:
    """Return all writes to one file in one stage as one group, also those of several sources."""
    return WriteGroup(
        path=path,
        count=len(writes),
        make=partial(_pick, writes=writes),
        nbytes=writes.nbytes,
        key=writes.fingerprint,
        arrays=writes.arrays,
    )


def _pick(path: Path, index: int, *, writes: Sequence[Write]) -> Write:
    """Return one of some writes."""
    write = writes[index]
    return write if write.path is path else replace(write, path=path)
