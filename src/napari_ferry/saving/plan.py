"""Plans of saves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from napari_ferry.arrays.progress import size_text
from napari_ferry.saving.stream import EncodeTask, Stream
from napari_ferry.saving.write import PlannedFile, Write

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A save to be carried out by `napari_ferry.saving.run`, planned without reading pixels.

    Parameters
    ----------
    files : tuple of PlannedFile
        Every file or folder of the save, first the one that the data set is named after.
    writes : tuple of Write
        Writes to fill the files, in any order within a stage.
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
    writes: tuple[Write, ...] = ()
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
        count = "1 file" if len(self.files) == 1 else f"{len(self.files)} files"
        limit = "at most " if self.is_encoded else ""
        size = f"{limit}{size_text(self.nbytes)}"
        losses = f", losses: {'; '.join(self.losses)}" if self.losses else ""
        return f"Plan({self.paths[0].name}, {count}, {size}, {self.nframes} frames{losses})"

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
        return sum(step.nbytes for step in self.steps)

    @property
    def steps(self) -> tuple[Write | EncodeTask, ...]:
        """Writes, and tasks of the stream."""
        return (*self.writes, *(self.stream.tasks if self.stream else ()))

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
        """Digest to identify this save."""
        parts = [f"{file.path.name}:{file.nbytes}" for file in self.files]
        parts += [f"{write.path.name}:{write.region}" for write in self.writes]
        parts += [f"{task.region}" for task in self.stream.tasks] if self.stream else []
        text = "\n".join([self.identity, *parts])
        return xxhash.xxh3_128_hexdigest(text.encode(errors="surrogatepass"))
