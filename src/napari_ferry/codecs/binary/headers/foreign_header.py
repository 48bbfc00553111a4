"""Description of a raw file by the header of another program."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.links import base_name
from napari_ferry.image import Axis, Channel
from napari_ferry.image.record import Description

HEADER_BYTES = 4 << 20
"""Limit of the size of a header, enough for thousands of spectral bands."""

AT_END = -1
"""Offset of samples at the end of their file, after anything else."""

_AXIS_ORDER = "tczyxs"


class Dimension(NamedTuple):
    """One axis of a file and its length."""

    axis: Axis
    size: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """Description of a raw file by the header of another program.

    Parameters
    ----------
    path : Path
        The header; the raw file itself if its name is the description.
    data : Path
        The file of the samples.
    program : str
        Name of the format of the header.
    dtype : numpy.dtype
        Type of a sample, with its byte order.
    dimensions : tuple of Dimension
        The axes in the order of the file, the one with the smallest distance last.
    offset : int
        Bytes before the first sample or the compressed stream, or `AT_END`.
    encoding : {"", "gzip", "zlib", "bzip2"}
        Compression of all samples as one stream; empty for none.
    skipped : mapping
        Indices at the end of an axis that are not part of the image, by the name of the axis.
    channels : tuple of Channel
        The channels along c, or none.
    metadata : mapping
        The fields of the header.
    notes : tuple of str
        Sentences about assumptions and omissions.
    """

    path: Path
    data: Path
    program: str
    dtype: np.dtype[Any]
    dimensions: tuple[Dimension, ...]
    offset: int = 0
    encoding: str = ""
    skipped: Mapping[str, int] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of all samples."""
        return math.prod(size for _, size in self.dimensions) * self.dtype.itemsize

    @property
    def start(self) -> int:
        """Offset of the first sample in bytes; negative if the file is too short."""
        if self.offset == AT_END:
            return self.data.stat().st_size - self.nbytes
        return self.offset

    @property
    def description(self) -> Description:
        """The image, with its axes in the order of napari-ferry."""
        dimensions = self._ordered()
        return Description(
            shape=tuple(d.size - self.skipped.get(d.axis.name, 0) for d in dimensions),
            axes=tuple(dimension.axis for dimension in dimensions),
            dtype=self.dtype.str,
            channels=self.channels,
            name=self.data.stem,
            metadata=self.metadata,
        )

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes between neighbors along each axis of `description`."""
        steps = c_strides([size for _, size in self.dimensions], self.dtype.itemsize)
        by_name = {d.axis.name: step for d, step in zip(self.dimensions, steps, strict=True)}
        return tuple(by_name[dimension.axis.name] for dimension in self._ordered())

    def _ordered(self) -> list[Dimension]:
        """Return the dimensions in the order t, c, z, y, x, s, others first."""
        return sorted(self.dimensions, key=lambda d: _AXIS_ORDER.find(d.axis.name))

    def check_size(self) -> tuple[str, ...]:
        """Compare the samples with the size of their file; return a sentence about further bytes.

        Raises
        ------
        UnreadableFileError
            The file is shorter.
        """
        if self.encoding:
            return ()
        room = self.data.stat().st_size - max(0, self.start)
        sizes = " x ".join(str(size) for _, size in self.dimensions)
        samples = f"{sizes} of {self.dtype.name}"
        if room < self.nbytes:
            header = " after its header" if self.start > 0 else ""
            raise UnreadableFileError(
                f"{self.data.name} holds {room} bytes{header}, but {self.path.name} describes "
                f"{samples}, which is {self.nbytes} bytes: restore the file, or describe what it "
                f"holds with `napari-ferry repair {self.data.name} --write`."
            )

        if room == self.nbytes or self.offset == AT_END:
            return ()
        return (
            f"{self.data.name} holds {room - self.nbytes} bytes more than the {samples} that "
            f"{self.path.name} describes: they are left out.",
        )


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, at most `HEADER_BYTES`."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def fold_key(key: str) -> str:
    """Return a key in lower case without spaces, hyphens and underscores.

    >>> fold_key("Data-Type"), fold_key("header_offset")
    ('datatype', 'headeroffset')
    """
    return "".join(key.lower().replace("_", " ").replace("-", " ").split())


def refuse(path: Path, problem: str, cure: str) -> NoReturn:
    """Raise an error about a header.

    Raises
    ------
    UnreadableFileError
        Always.
    """
    raise UnreadableFileError(f"{path.name} {problem}: {cure}.")


def named_file(header: Path, name: str) -> Path:
    """Return the file named in a header; it must be in the same folder.

    Of a file in another folder, the one of the same name beside the header is returned, if it
    exists: folders are moved after recordings.

    Raises
    ------
    UnreadableFileError
        The file is in another folder, or does not exist.
    """
    own = base_name(name)
    data = header.parent / own
    if own in ("", ".", "..") or "\0" in own or not data.is_file():
        place = "" if own == name else ", outside its folder"
        refuse(
            header,
            f"names the file {name[:80]!r}, which is not beside it{place}",
            "put the file into the folder of the header",
        )
    return data


def read_counts(values: Sequence[Any], path: Path, key: str) -> list[int]:
    """Return sizes of at least 1.

    Raises
    ------
    UnreadableFileError
        A value is not such a number.
    """
    try:
        counts = [int(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        counts = []
    if not counts or not all(is_count(count, 1) for count in counts):
        refuse(
            path,
            f"gives {key} as {' '.join(map(str, values))[:60]!r}",
            "expected whole numbers above 0",
        )
    return counts


def read_offset(value: Any, path: Path, key: str, *, end_allowed: bool = False) -> int:
    """Return an offset in bytes, of at least 0 or `AT_END`.

    Raises
    ------
    UnreadableFileError
        The value is not such a number.
    """
    try:
        offset = int(value)
    except (TypeError, ValueError, OverflowError):
        offset = -2
    if not (is_count(offset) or (end_allowed and offset == AT_END)):
        refuse(path, f"gives {key} as {str(value)[:40]!r}", "expected a number of bytes")
    return offset
