"""Where the samples lie in a raw file, and how they are mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arguments import is_count
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.memmap import Mapped, Mode, map_strided
from napari_ferry.errors import InvalidImageError, UnreadableFileError


class Padding(NamedTuple):
    """The bytes of a raw file that are no samples.

    Parameters
    ----------
    offset : int
        Those before the first sample.
    gap : int
        Those between one index of the first axis and the next, as some cameras write them.
    rest : int
        Those after the last sample: of a frame that was cut off, for example.
    """

    offset: int = 0
    gap: int = 0
    rest: int = 0

    def room(self, nbytes: int, count: int) -> int:
        """Return how many bytes of samples a file of `nbytes` holds with `count` frames."""
        return nbytes - self.offset - self.rest - self.gap * max(0, count - 1)

    def frames_in(self, nbytes: int, frame: int) -> int:
        """Return how many frames of `frame` bytes a file of `nbytes` has room for."""
        return (self.room(nbytes, 1) + self.gap) // (frame + self.gap)

    def record(self) -> dict[str, int]:
        """Return the keys of a sidecar that say so; none of what is 0."""
        return {key: value for key, value in self._asdict().items() if value}


def read_padding(record: Mapping[str, Any], sidecar: Path, nbytes: int) -> Padding:
    """Read from a sidecar where the samples lie in a file of `nbytes`.

    Raises
    ------
    UnreadableFileError
        It says what cannot be.
    """
    place = Padding(*(record.get(key, 0) for key in Padding._fields))
    for key, value in place._asdict().items():
        if not is_count(value) or value > nbytes:
            raise UnreadableFileError(
                f"{sidecar} gives the {key} {str(value)[:40]} in {nbytes} bytes: correct it."
            )
    if place.offset + place.rest > nbytes:
        raise UnreadableFileError(
            f"{sidecar} gives {place.offset + place.rest} bytes that are no samples, and the file "
            f"has {nbytes}: correct it."
        )
    return place


def map_samples(
    path: Path, dtype: DTypeLike, shape: Sequence[int], place: Padding, mode: Mode = "r"
) -> NDArray[Any]:
    """Map the samples of a raw file, in C order.

    Parameters
    ----------
    path : Path
        The raw file.
    dtype, shape
        Of the array.
    place : Padding
        Where its samples lie.
    mode : {"r", "r+", "c"}
        Read only, read and write through to the file, or changes kept in memory.

    Raises
    ------
    InvalidImageError
        Frames with gaps between them are to be changed.
    """
    dtype = np.dtype(dtype)
    if 0 in shape:
        return np.empty(shape, dtype)
    if not place.gap:
        return Mapped(path, dtype, mode, place.offset, shape)
    if mode != "r":
        raise InvalidImageError(
            f"Mode {mode!r} cannot change {path.name}, which has {place.gap} bytes between its "
            "frames: use 'r', and save a copy to change it."
        )
    first, *others = c_strides(shape, dtype.itemsize)
    return map_strided(path, place.offset, shape, (first + place.gap, *others), dtype)
