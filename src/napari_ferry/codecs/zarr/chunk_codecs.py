"""Decoding of the bytes of one chunk.

Zarr version 2: ``compressor`` and ``filters``, as in numcodecs. Zarr version 3: ``codecs``: bytes,
transpose, blosc, gzip, zstd, crc32c, and codecs of numcodecs with the prefix ``numcodecs.``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.chunk_damage import DamageError

Bytes: TypeAlias = bytes | NDArray[np.uint8]

_MOST_RATIO = {"blosc": 1 << 16, "zstd": 1 << 16, "gzip": 1032, "zlib": 1032, "lz4": 255}
"""Maximum number of bytes from one encoded byte; lzma and bz2 have no useful limit."""

_SLACK = 1 << 20
"""Size up to which a chunk is decoded regardless of its header, in bytes."""

_CHECKED = frozenset({"crc32c", "zstd", "gzip", "zlib", "bz2", "lzma"})
"""Codecs with a checksum; zstd may leave it out."""


class Step(NamedTuple):
    """One step of decoding: the name of a codec, and the size of the shuffled items in bytes."""

    codec: str
    itemsize: int = 1


@dataclass(frozen=True, kw_only=True)
class ChunkDecoder:
    """Decoder of the chunks of an array.

    Parameters
    ----------
    shape : tuple of int
        Shape of a chunk.
    dtype : data type
        Type of the stored samples, in their byte order.
    order : tuple of int
        Axes of the chunk in the order in which they are stored.
    steps : tuple of Step
        Steps from the stored bytes to the samples.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def lacks_checksums(self) -> bool:
        """True if no codec can have a checksum."""
        return not any(step.codec in _CHECKED for step in self.steps)

    @property
    def nbytes(self) -> int:
        """Size of a decoded chunk, in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def most_bytes(self) -> int:
        """Size of the largest plausible encoded chunk, in bytes."""
        return self.nbytes + self.nbytes // 4 + _SLACK

    def decode(self, data: Bytes) -> NDArray[Any]:
        """Return the samples of a chunk.

        Raises
        ------
        DamageError
            The bytes are damaged, or are not one chunk.
        """
        for i, step in enumerate(self.steps, 1):
            is_last = all(other.codec == "shuffle" for other in self.steps[i:])
            data = _decode_step(step, data, self.nbytes if is_last else self.most_bytes)
        if len(data) != self.nbytes:
            raise DamageError(f"it has {len(data)} bytes, expected {self.nbytes}")
        stored = [self.shape[axis] for axis in self.order]
        flat = np.frombuffer(data, np.uint8)
        if self.dtype == bool:
            flat = (flat != 0).view(np.uint8)  # values other than 0 and 1 would be undefined
        return flat.view(self.dtype).reshape(stored).transpose(np.argsort(self.order))


def _decode_step(step: Step, data: Bytes, nbytes: int) -> Bytes:
    """Undo one codec; the result has at most `nbytes` bytes."""
    if step.codec == "crc32c":
        return strip_checksum(data)
    if step.codec == "shuffle":
        return _unshuffle(data, step.itemsize)

    most = len(data) * _MOST_RATIO.get(step.codec, 1 << 40) + _SLACK
    if nbytes > most:
        raise DamageError(f"its {len(data)} bytes cannot be a chunk of {nbytes} bytes")
    out = np.empty(nbytes, np.uint8)
    try:
        return _decompressors()[step.codec](data, out)
    except (RuntimeError, ValueError) as error:  # RuntimeError comes from imagecodecs
        if isinstance(error, DamageError):
            raise
        raise DamageError(f"{step.codec} cannot decode it") from error


_Decompress: TypeAlias = Callable[[Bytes, NDArray[np.uint8]], NDArray[np.uint8]]


@cache
def _decompressors() -> Mapping[str, _Decompress]:
    """Return functions to decompress bytes into an array; each returns the part in use."""
    import imagecodecs

    return {
        "blosc": partial(_decode_blosc, partial(imagecodecs.blosc_decode, numthreads=1)),
        "zstd": partial(_decode_into, imagecodecs.zstd_decode),
        "gzip": partial(_decode_into, imagecodecs.gzip_decode),
        "zlib": partial(_decode_into, imagecodecs.zlib_decode),
        "bz2": partial(_decode_into, imagecodecs.bz2_decode),
        "lzma": partial(_decode_into, imagecodecs.lzma_decode),
        "lz4": partial(_decode_lz4, imagecodecs.lz4_decode),
    }


def _decode_into(decode: Any, data: Bytes, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    decoded: NDArray[np.uint8] = decode(data, out=out)
    return decoded


def _decode_blosc(decode: Any, data: Bytes, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decode a Blosc 1 chunk, whose header contains its sizes: decoded, of a block, and stored."""
    nbytes, _, stored = np.frombuffer(data, "<u4", 3, 4).tolist()
    if stored > len(data):  # the decoder would read the memory after the data
        raise DamageError(f"it has {len(data)} bytes, expected {stored}")
    if nbytes > len(out):
        raise DamageError(f"it has {nbytes} bytes, expected {len(out)}")
    return _decode_into(decode, data, out[:nbytes])


def _decode_lz4(decode: Any, data: Bytes, out: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decode an LZ4 block after its size, as numcodecs writes it."""
    nbytes = int.from_bytes(bytes(data[:4]), "little")
    if nbytes > len(out):
        raise DamageError(f"it has {nbytes} bytes, expected {len(out)}")
    return _decode_into(decode, data[4:], out[:nbytes])


def strip_checksum(data: Bytes) -> Bytes:
    """Return bytes without the CRC-32C after them.

    Raises
    ------
    DamageError
        They differ from the checksum.
    """
    import google_crc32c

    content = bytes(data[:-4])
    if len(data) < 4 or google_crc32c.value(content) != int.from_bytes(bytes(data[-4:]), "little"):
        raise DamageError("it differs from its checksum")
    return content


def _unshuffle(data: Bytes, itemsize: int) -> Bytes:
    """Undo the byte shuffle of numcodecs; bytes after the last item are not shuffled."""
    flat = np.frombuffer(data, np.uint8)
    n_items = len(flat) // itemsize
    items = flat[: n_items * itemsize].reshape(itemsize, n_items).T
    return np.concatenate([items.reshape(-1), flat[n_items * itemsize :]])


def parse_step(name: object, configuration: Mapping[str, Any]) -> Step:
    """Return the step of a codec from bytes to bytes.

    Raises
    ------
    DamageError
        The codec is not supported.
    """
    word = name.removeprefix("numcodecs.") if isinstance(name, str) else ""
    if word == "shuffle":
        itemsize = configuration.get("elementsize", 4)
        if not isinstance(itemsize, int) or not 1 <= itemsize <= 64:
            raise DamageError(f"its codec shuffle has the element size {itemsize!r:.20}")
        return Step(word, itemsize)
    if word == "crc32c" or word in _COMPRESSORS:
        return Step(word)
    raise DamageError(f"its codec {name!r:.60} is not supported; known are {_KNOWN}")


_COMPRESSORS = ("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma")
_KNOWN = ", ".join((*_COMPRESSORS, "crc32c", "shuffle"))


def parse_order(order: object, ndim: int) -> tuple[int, ...]:
    """Return the stored axes of a version 3 transpose, or of the orders C and F.

    Raises
    ------
    DamageError
        It is not a permutation of the axes.
    """
    if order in ("C", None):
        return tuple(range(ndim))
    if order == "F":
        return tuple(reversed(range(ndim)))
    is_list = isinstance(order, Sequence) and all(type(axis) is int for axis in order)
    if not is_list or sorted(order) != list(range(ndim)):  # type: ignore[call-overload]
        raise DamageError(f"its order of axes {order!r:.40} is not a permutation of {ndim} axes")
    return tuple(order)  # type: ignore[arg-type]
