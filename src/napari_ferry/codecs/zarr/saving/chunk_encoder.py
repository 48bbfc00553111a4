"""Encoding of chunks by Blosc or not at all, with a checksum, and the metadata that describe it.

Zarr version 3 codecs: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html. Version 2
compressors are those of numcodecs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.blocks import as_bytes

Compression = Literal["zstd", "lz4", "best", "none"]

Encoded: TypeAlias = list[bytes | memoryview]
"""The bytes of one chunk, in parts."""

OVERHEAD = 20
"""Most bytes that a chunk can grow by: the header of Blosc and the checksum."""

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

    def encode(self, pixels: NDArray[Any], chunk: Sequence[int]) -> Encoded:
        """Return the bytes of a chunk; one at the edge of the array is filled up with zeros.

        Parameters
        ----------
        pixels : numpy.ndarray
            Samples of the chunk, in any memory order.
        chunk : sequence of int
            Shape of a whole chunk.
        """
        if pixels.shape != tuple(chunk):
            whole = np.zeros(chunk, self.dtype)
            whole[tuple(slice(0, n) for n in pixels.shape)] = pixels
            pixels = whole
        data = as_bytes(np.ascontiguousarray(pixels, self.dtype))
        encoded = data if self.compression == "none" else self._compress(data)
        return [encoded, self._checksum(encoded)] if self.is_checked else [encoded]

    def _compress(self, data: memoryview) -> bytes:
        import imagecodecs

        blosc = _BLOSC[self.compression]
        buffer: Any = data  # it takes any buffer
        compressed: Any = imagecodecs.blosc_encode(
            buffer,
            level=blosc.level,
            compressor=blosc.name,
            shuffle=_BITSHUFFLE,
            typesize=self.dtype.itemsize,
            numthreads=1,
        )
        return bytes(compressed)

    @staticmethod
    def _checksum(data: bytes | memoryview) -> bytes:
        import google_crc32c

        readable = data if isinstance(data, bytes) else np.frombuffer(data, np.uint8)
        value: int = google_crc32c.value(readable)
        return value.to_bytes(4, "little")

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
