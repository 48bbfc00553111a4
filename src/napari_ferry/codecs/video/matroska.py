"""Matroska and WebM files: the size in their header, and checksums (RFC 8794 and RFC 9559)."""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"

_CHECKSUM = b"\xbf\x84"
"""Identifier and size of a checksum, the first element in the part it protects."""

_UNKNOWN = 1 << 62
"""End of a segment of unknown size."""

_MOST_HEADER_BYTES = 24
"""Maximum size of the headers of an element and of its checksum."""

_BLOCK = 1 << 20
"""Bytes read at once for a checksum."""


def is_truncated_matroska(path: Path) -> bool:
    """Return True for a Matroska or WebM file shorter than its segment.

    RFC 8794, section 4, and RFC 9559, section 5.1.
    """
    with path.open("rb") as file:
        segment = _find_segment(file)
    return segment is not None and path.stat().st_size < segment[1] < _UNKNOWN


class _Cluster(NamedTuple):
    """Part of a file with the frames of a few seconds.

    Parameters
    ----------
    start, stop : int
        Range that the checksum protects, in bytes.
    checksum : int
        CRC-32 as stored.
    """

    start: int
    stop: int
    checksum: int


class ClusterChecksums:
    """Checksums of the clusters of a file, each compared when it is needed.

    FFmpeg writes them to `.mkv` files, and does not compare them. RFC 8794, section 11.3.1.

    Parameters
    ----------
    path : Path
        The file, without checksums if it is not a Matroska file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_valid: dict[_Cluster, bool] = {}

    def is_valid_at(self, offset: int) -> bool:
        """Return False if the cluster with this offset does not match its checksum."""
        k = bisect_right(self._clusters, offset, key=attrgetter("start")) - 1
        if k < 0 or offset >= self._clusters[k].stop:
            return True
        cluster = self._clusters[k]
        if cluster not in self._is_valid:
            self._is_valid[cluster] = self._compute(cluster) == cluster.checksum
        return self._is_valid[cluster]

    @cached_property
    def _clusters(self) -> list[_Cluster]:
        with self._path.open("rb") as file:
            return list(_find_clusters(file))

    def _compute(self, cluster: _Cluster) -> int:
        checksum = 0
        with self._path.open("rb") as file:
            file.seek(cluster.start)
            for left in range(cluster.stop - cluster.start, 0, -_BLOCK):
                checksum = zlib.crc32(file.read(min(left, _BLOCK)), checksum)
        return checksum


def _find_segment(file: BinaryIO) -> tuple[int, int] | None:
    """Return the range of the segment in bytes; ``None`` if it is not a Matroska file."""
    header = file.read(256)
    if header[:4] != _EBML:
        return None
    nbytes, offset = _read_vint(header, 4)
    offset += nbytes
    if header[offset : offset + 4] != _SEGMENT:
        return None
    nbytes, start = _read_vint(header, offset + 4)
    is_known = nbytes != (1 << 7 * (start - offset - 4)) - 1
    return start, start + nbytes if is_known else _UNKNOWN


def _find_clusters(file: BinaryIO) -> Iterator[_Cluster]:
    """Yield the clusters up to the first one without a checksum or beyond the end of the file."""
    offset, end = _find_segment(file) or (0, 0)
    end = min(end, file.seek(0, io.SEEK_END))
    while offset < end:
        file.seek(offset)
        header = file.read(_MOST_HEADER_BYTES).ljust(_MOST_HEADER_BYTES, b"\0")
        name_length = 9 - max(header[0], 1).bit_length()
        nbytes, start = _read_vint(header, name_length)
        stop = offset + start + nbytes

        if stop > end:
            return
        if header[:name_length] == _CLUSTER:
            if header[start : start + 2] != _CHECKSUM:
                return
            checksum = int.from_bytes(header[start + 2 : start + 6], "little")
            yield _Cluster(offset + start + 6, stop, checksum)
        offset = stop


def _read_vint(data: bytes, offset: int) -> tuple[int, int]:
    """Read an EBML number; return its value and the offset of its end."""
    length = 9 - max(data[offset], 1).bit_length()
    value = int.from_bytes(data[offset : offset + length], "big") & ((1 << 7 * length) - 1)
    return value, offset + length
