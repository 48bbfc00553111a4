"""Encoding of chunks by Blosc or not at all, with a checksum, and the metadata of the encoding.

Zarr version 3 codecs: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html. Version 2
compressors are named as in numcodecs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.zarr_options import Compression

Buffer: TypeAlias = NDArray[np.uint8]

Encoded: TypeAlias = Iterator[bytes | memoryview]
"""The bytes of one chunk, in parts, each of which is valid until the next one."""

_PART_BYTES = 1 << 18
"""Maximum number of bytes in a part of an uncompressed chunk.

From the copy of its pixels to the write to the file, a part stays in the cache of the processor.
"""

_HEADER = 16
"""Size of the header of Blosc, in bytes."""

OVERHEAD = _HEADER + 4
"""Maximum growth of a chunk in bytes: the header of Blosc and the checksum."""

_BITSHUFFLE = 2


class _Blosc(NamedTuple):
    """Settings of Blosc: the name of the compressor, and its level."""

    name: str
    level: int


_BLOSC = {"zstd": _Blosc("zstd", 1), "lz4": _Blosc("lz4", 5), "best": _Blosc("zstd", 9)}


@dataclass(frozen=True, kw_only=True)
class ChunkEncoder:
    """Encoder of the chunks of all levels of an image.

    Parameters
    ----------
    dtype : data type
        Type of the samples in the store, little-endian.
    compression : {"zstd", "lz4", "best", "none"}
        Compression, always after a shuffle of bits.
    is_checked : bool
        True for a CRC-32C after each chunk, which Zarr version 2 lacks. The compressors have no
        checksum of their own: most flipped bits would be wrong pixels without an error.
    """

    dtype: np.dtype[Any]
    compression: Compression
    is_checked: bool

    def encode(self, pixels: NDArray[Any], chunk: Sequence[int], buffer: Buffer) -> Encoded:
        """Yield the bytes of a chunk; one at the edge of the array is filled up with zeros.

        Parameters
        ----------
        pixels : numpy.ndarray
            Samples of the chunk, in any memory order.
        chunk : sequence of int
            Shape of a whole chunk.
        buffer : numpy.ndarray
            Memory of `most_bytes` for the result.
            New memory for each chunk would take a fifth of the time of the fastest compressor.
        """
        if pixels.shape != tuple(chunk):
            whole = np.zeros(chunk, self.dtype)
            whole[tuple(slice(0, n) for n in pixels.shape)] = pixels
            pixels = whole
        is_compressed = self.compression != "none"

        checksum = 0
        for part in [pixels] if is_compressed else _split(pixels):
            data = np.ascontiguousarray(part, self.dtype).reshape(-1).view(np.uint8)
            encoded = self._compress(data, buffer) if is_compressed else data
            if self.is_checked:
                checksum = _extend_checksum(checksum, encoded)
            yield memoryview(encoded.data)

        if self.is_checked:
            yield checksum.to_bytes(4, "little")

    def _compress(self, data: Buffer, buffer: Buffer) -> Buffer:
        import imagecodecs

        blosc = _BLOSC[self.compression]
        encode: Any = imagecodecs.blosc_encode  # it takes any buffers
        compressed = encode(
            data,
            level=blosc.level,
            compressor=blosc.name,
            shuffle=_BITSHUFFLE,
            typesize=self.dtype.itemsize,
            numthreads=1,
            out=buffer[: data.nbytes + _HEADER],  # it would grow by more if it could
        )
        return np.asarray(compressed)

    @cached_property
    def v3_codecs(self) -> list[dict[str, Any]]:
        """The codecs of a chunk in Zarr version 3."""
        steps: list[dict[str, Any]] = [{"name": "bytes"}]
        if self.dtype.itemsize > 1:
            steps[0]["configuration"] = {"endian": "little"}
        if self.compression != "none":
            blosc = _BLOSC[self.compression]
            settings = {
                "cname": blosc.name,
                "clevel": blosc.level,
                "shuffle": "bitshuffle",
                "typesize": self.dtype.itemsize,
                "blocksize": 0,
            }
            steps.append({"name": "blosc", "configuration": settings})
        return [*steps, {"name": "crc32c"}] if self.is_checked else steps

    @cached_property
    def v2_compressor(self) -> dict[str, Any] | None:
        """The compressor of a chunk in Zarr version 2."""
        if self.compression == "none":
            return None
        blosc = _BLOSC[self.compression]
        return {
            "id": "blosc",
            "cname": blosc.name,
            "clevel": blosc.level,
            "shuffle": _BITSHUFFLE,
            "blocksize": 0,
        }

    def most_bytes(self, chunk: Sequence[int]) -> int:
        """Return the size of the largest encoded chunk, in bytes."""
        return math.prod(chunk) * self.dtype.itemsize + OVERHEAD


def _split(pixels: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the samples of an array in C order, in parts small enough for the processor's cache."""
    if pixels.nbytes <= _PART_BYTES:
        yield pixels
        return
    n = max(1, _PART_BYTES * len(pixels) // pixels.nbytes)
    for start in range(0, len(pixels), n):
        part = pixels[start : start + n]
        yield from _split(part[0] if n == 1 else part)


def _extend_checksum(checksum: int, data: Buffer) -> int:
    """Extend the CRC-32C of preceding bytes by further bytes."""
    import google_crc32c

    readable: Any = data  # it takes arrays, too
    extended: int = google_crc32c.extend(checksum, readable)
    return extended
