"""Plans of saves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from napari_ferry.arrays.array_layout import Placeholder
from napari_ferry.arrays.progress import size_text
from napari_ferry.files.short_texts import count_things
from napari_ferry.saving.stream import Stream
from napari_ferry.saving.write import PlannedFile, Write
from napari_ferry.saving.write_groups import Writes, group_writes

if TYPE_CHECKING:
    from fractions import Fraction

    from napari_ferry.arrays import Array


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A save to be carried out by `napari_ferry.saving.run`, planned without reading pixels.

    Parameters
    ----------
    files : tuple of PlannedFile
        Every file or folder of the save, first the one that the data set is named after.
    writes : sequence of Write
        Writes to fill the files, in any order within a stage. Those of a large save are made when
        they are needed, as those of `napari_ferry.saving.pixel_writes`.
    losses : tuple of str
        Sentences about everything that the format cannot store, and about an assumed frame rate.
    nframes : int
        Number of frames.
    identity : str
        Other properties that distinguish this save, such as the description that it stores.
    stale : tuple of Path
        Files of an earlier data set of this name, to be removed when it is replaced.
    nonce : str
        Identifier in the files of this save, if they have one; a resumed save has the nonce of the
        interrupted one.
    stream : Stream, optional
        Stream for files that must be written in order.
    frame_rate : Fraction, optional
        Frames per second of a movie.
    name : str
        Name that the user gave for the data set, set by `napari_ferry.plan`; files of a series
        have other names.
    details : tuple of str
        Sentences about the arrangement of the data in its files, such as the resolutions.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import plan
    >>> planned = plan(np.zeros((10, 64, 64), np.uint16), "cells.bin")
    >>> [file.path.name for file in planned.files], planned.losses
    (['cells.bin', 'cells.json'], ())
    """

    files: tuple[PlannedFile, ...]
    writes: Sequence[Write] = ()
    losses: tuple[str, ...] = ()
    nframes: int = 0
    identity: str = ""
    stale: tuple[Path, ...] = ()
    nonce: str = ""
    stream: Stream | None = None
    frame_rate: Fraction | None = None
    name: str = ""
    details: tuple[str, ...] = ()

    def __repr__(self) -> str:
        count = count_things(len(self.files), "file")
        limit = "at most " if self.is_encoded else ""
        size = f"{limit}{size_text(self.nbytes)}"
        frames = count_things(self.nframes, "frame")
        losses = f", losses: {'; '.join(self.losses)}" if self.losses else ""
        return f"Plan({self.paths[0].name}, {count}, {size}, {frames}{losses})"

    @property
    def nbytes(self) -> int:
        """Maximum size of all files, in bytes."""
        return sum(file.nbytes for file in self.files)

    @property
    def is_encoded(self) -> bool:
        """True if pixels are compressed, and `nbytes` is only a maximum."""
        return self.stream is not None or any(file.is_encoded for file in self.files)

    @property
    def source_bytes(self) -> int:
        """Size of the pixels to read, in bytes; the total of the progress."""
        return self.grouped_writes.nbytes + (self.stream.tasks.nbytes if self.stream else 0)

    @cached_property
    def grouped_writes(self) -> Writes:
        """The writes in groups, each for one file and stage."""
        return group_writes(self.writes)

    @property
    def sources(self) -> Iterator[Array]:
        """Arrays to read, without levels that the save stores first."""
        arrays = self.grouped_writes.arrays
        yield from (array for array in arrays if not isinstance(array, Placeholder))
        if self.stream:
            yield from (group.array for group in self.stream.tasks.groups)

    @property
    def step_memory(self) -> int:
        """Memory of the largest step in progress on a cluster, in bytes."""
        memory = self.stream.step_memory if self.stream else 0
        return max(self.grouped_writes.memory, memory)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Paths of the files; a compressed series may have fewer."""
        return tuple(file.path for file in self.files)

    @property
    def existing(self) -> tuple[Path, ...]:
        """Existing files to be replaced or removed."""
        return tuple(path for path in (*self.paths, *self.stale) if os.path.lexists(path))

    @property
    def fingerprint(self) -> str:
        """Digest to identify this save, computed from its files, writes and tasks."""
        hasher = xxhash.xxh3_128(self.identity.encode(errors="surrogatepass"))
        for text in self._identities():
            hasher.update(f"\n{text}".encode(errors="surrogatepass"))
        return hasher.hexdigest()

    def _identities(self) -> Iterator[str]:
        """Yield texts about the files, writes and tasks."""
        yield from (f"{file.path.name}:{file.nbytes}" for file in self.files)
        yield self.grouped_writes.fingerprint
        if self.stream:
            yield from (group.key for group in self.stream.tasks.groups)
