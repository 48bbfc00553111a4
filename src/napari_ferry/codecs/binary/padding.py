"""Padding of a raw file, and lazy arrays of its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from napari_ferry.arguments import is_count
from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.file_array import open_file_array
from napari_ferry.arrays.memmap import Mapped, Mode, map_strided
from napari_ferry.errors import InvalidImageError, UnreadableFileError


class Padding(NamedTuple):
    """Number of bytes of a raw file around its samples.

    Parameters
    ----------
    offset : int
        Bytes before the first sample: the header.
    gap : int
        Bytes between two indices of the first axis, as some cameras write them.
    rest : int
        Bytes after the last sample, of a truncated frame for example.
    """

    offset: int = 0
    gap: int = 0
    rest: int = 0

    def room(self, nbytes: int, count: int) -> int:
        """Return the bytes of samples in a file of `nbytes` with `count` frames."""
        return nbytes - self.offset - self.rest - self.gap * max(0, count - 1)

    def frames_in(self, nbytes: int, frame: int) -> int:
        """Return the number of whole frames of `frame` bytes in a file of `nbytes`."""
        return (self.room(nbytes, 1) + self.gap) // (frame + self.gap)

    def record(self) -> dict[str, int]:
        """Return the keys of a sidecar for this padding, except keys of 0 bytes."""
        return {key: value for key, value in self._asdict().items() if value}


def read_padding(record: Mapping[str, Any], sidecar: Path, nbytes: int) -> Padding:
    """Read the padding of a file of `nbytes` from its sidecar.

    Raises
    ------
    UnreadableFileError
        A size is not a whole number, or the file is too short.
    """
    padding = Padding(*(record.get(key, 0) for key in Padding._fields))
    for key, value in padding._asdict().items():
        if not is_count(value) or value > nbytes:
            raise UnreadableFileError(
                f"{sidecar.name} gives the {key} {str(value)[:40]}, but the file holds {nbytes} "
                "bytes: give a whole number of bytes between 0 and this size."
            )
    if padding.offset + padding.rest > nbytes:
        raise UnreadableFileError(
            f"{sidecar.name} gives {padding.offset + padding.rest} bytes around the samples, but "
            f"the file holds {nbytes} bytes: correct the offset and the rest."
        )
    return padding


def open_samples(
    path: Path,
    dtype: DTypeLike,
    shape: Sequence[int],
    padding: Padding,
    mode: Mode | None = None,
    *,
    strides: Sequence[int] | None = None,
) -> Array:
    """Open the samples of a raw file.

    Parameters
    ----------
    path : Path
        The raw file.
    dtype, shape
        Data type and shape of the array.
    padding : Padding
        Bytes around the samples.
    mode : {"r", "r+", "c"}, optional
        Map the file to read only, to read and write, or to copy on write: changes stay in memory.
        When absent, samples are read at each use, which never ends the program if the file becomes
        shorter.
    strides : sequence of int, optional
        Bytes between neighbors along each axis; by default, the samples are in C order with the
        gaps of `padding`.

    Raises
    ------
    InvalidImageError
        `mode` allows changes, and the samples have gaps or another order.
    """
    dtype = np.dtype(dtype)
    if 0 in shape:
        return np.empty(shape, dtype)
    first, *others = plain = c_strides(shape, dtype.itemsize)
    if strides is None:
        strides = (first + padding.gap, *others)
    if mode is None:
        return open_file_array(path, padding.offset, shape, strides, dtype)
    if tuple(strides) == tuple(plain):
        return Mapped(path, dtype, mode, padding.offset, shape)
    if mode != "r":
        reason = (
            f"{padding.gap} bytes between frames" if padding.gap else "its samples in another order"
        )
        raise InvalidImageError(
            f"Mode {mode!r} is not possible for {path.name}, which has {reason}: use 'r', and save "
            "a copy to change it."
        )

    return map_strided(path, padding.offset, shape, strides, dtype)
