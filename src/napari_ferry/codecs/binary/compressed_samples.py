"""Samples of a raw file that are compressed as a whole, as NRRD and MetaImage store them.

Such a stream cannot be read from its middle, so all samples are decompressed at the first use.
"""

from __future__ import annotations

import bz2
import gzip
import math
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.array_protocol import Closable
from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.binary.headers.foreign_header import Header
from napari_ferry.errors import UnreadableFileError

_MAX_RATIO = {"gzip": 1032, "zlib": 1032, "bzip2": 50_000}
"""Encoding -> maximum number of bytes from one compressed byte, with room for headers."""

_PART_BYTES = 1 << 20

_LOCK = threading.Lock()
"""Lock of the decompression of files, one at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CompressedReader(Closable):
    """Reader of the frames of a compressed raw file, which keeps all samples in memory.

    Parameters
    ----------
    path : Path
        The file.
    stamp : Stamp
        Its stamp when it was opened.
    start : int
        Offset of the compressed stream, in bytes.
    encoding : {"gzip", "zlib", "bzip2"}
        Compression of the stream.
    dtype : numpy.dtype
        Type of a sample in the file.
    sizes : tuple of int
        Lengths of the axes in the order of the file.
    order : tuple of int
        Permutation of these axes into those of the image.
    lead : int
        Number of leading axes of the image, before those of a frame.
    """

    is_stamped: ClassVar[Literal[True]] = True

    path: Path
    stamp: Stamp
    start: int
    encoding: str
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    order: tuple[int, ...]
    lead: int
    _whole: list[NDArray[Any]] = field(default_factory=list, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, and to identify the file, without its samples."""
        return {**self.__dict__, "_whole": []}

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame `i`.

        Raises
        ------
        UnreadableFileError
            The file changed or is damaged.
        """
        with _LOCK:
            if not self._whole:
                self._whole.append(self._decompress().transpose(self.order))
            whole = self._whole[0]
        return np.array(whole[np.unravel_index(i, whole.shape[: self.lead])])

    def close(self) -> None:
        """Release the samples until the next use."""
        with _LOCK:
            self._whole.clear()

    def _decompress(self) -> NDArray[Any]:
        """Return all samples, with the axes of the file."""
        nbytes = math.prod(self.sizes) * self.dtype.itemsize
        out = np.empty(nbytes, np.uint8)
        with open_unchanged(self.path, self.stamp) as file:
            file.seek(self.start)
            try:
                done, is_longer = _read_into(_open_stream(file, self.encoding), out)
            except (EOFError, OSError, zlib.error) as error:
                raise self._damaged(f"its samples cannot be decompressed ({error})") from error
        if done < nbytes or is_longer:
            amount = "more than the" if is_longer else f"{done} of the"
            raise self._damaged(f"it holds {amount} {nbytes} bytes of samples in its header")
        return out.view(self.dtype).reshape(self.sizes)

    def _damaged(self, reason: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"{self.path.name} is damaged: {reason}; get a complete copy of the file."
        )


class _ZlibStream:
    """A stream in the format of zlib (RFC 1950), with the interface of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # also of gzip

    def read(self, nbytes: int) -> bytes:
        """Return up to `nbytes` bytes, none at the end of the stream."""
        part = b""
        while not part and not self._decoder.eof:
            data = self._decoder.unconsumed_tail or self._file.read(_PART_BYTES)
            part = self._decoder.decompress(data, nbytes)
            if not data and not part and not self._decoder.eof:
                raise EOFError("it ends too early")
        return part


def _open_stream(file: BinaryIO, encoding: str) -> IO[bytes]:
    """Return the decompressed bytes of a file from its position on."""
    if encoding == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    return cast("IO[bytes]", bz2.BZ2File(file) if encoding == "bzip2" else _ZlibStream(file))


def _read_into(stream: IO[bytes], out: NDArray[np.uint8]) -> tuple[int, bool]:
    """Fill an array from a stream; return the number of bytes, and whether there are more."""
    done = 0
    while done < len(out) and (part := stream.read(min(_PART_BYTES, len(out) - done))):
        out[done : done + len(part)] = np.frombuffer(part, np.uint8)
        done += len(part)
    return done, bool(stream.read(1))  # which also checks the end of the stream


def open_compressed(header: Header) -> Frames:
    """Open the compressed samples of a header, in the order of its description.

    Raises
    ------
    UnreadableFileError
        The header describes more samples than the file can hold.
    """
    stamp, description = Stamp.of(header.data), header.description
    if header.nbytes > _MAX_RATIO[header.encoding] * max(0, stamp.nbytes - header.offset):
        raise UnreadableFileError(
            f"{header.data.name} has {stamp.nbytes} bytes, which cannot be the {header.nbytes} "
            f"bytes of samples in {header.path.name}: get a complete copy of the file."
        )
    names = [dimension.axis.name for dimension in header.dimensions]
    lead = len(description.shape) - description.frame_ndim
    read = CompressedReader(
        path=header.data,
        stamp=stamp,
        start=header.offset,
        encoding=header.encoding,
        dtype=header.dtype,
        sizes=tuple(size for _, size in header.dimensions),
        order=tuple(names.index(axis.name) for axis in description.axes),
        lead=lead,
    )
    return Frames(read, description.shape, header.dtype, lead)
