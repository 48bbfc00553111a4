"""What a TIFF file says of itself on its first page."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_ferry.arguments import cure_of
from napari_ferry.codecs.tiff.pages.ifd_chain import Stamp, open_tiff, read_magic
from napari_ferry.codecs.tiff.pages.page_kind import COLOR, PALETTE, TIFFFILE_ERRORS
from napari_ferry.errors import FerryError, UnreadableFileError

if TYPE_CHECKING:
    import tifffile

FLAVORS = (
    *("lsm", "micromanager", "fluoview", "stk", "sis", "svs", "scn", "qpi", "ndpi", "bif"),
    *("avs", "eer", "philips", "scanimage", "indica", "nih", "mdgel"),
)
"""What tifffile tells microscopes' and scanners' files by, in the order in which it asks."""

_RESOLUTION = (282, 283)
"""Tags of the resolution along x and y; by number, as names are searched for one by one."""


@dataclass(frozen=True)
class Header:
    """The first page of a TIFF file, and what the file says of itself.

    Parameters
    ----------
    shape, axes, dtype
        Of the first page; axes as lower-case letters.
    is_color : bool
        Whether its samples are those of a color.
    has_palette : bool
        Whether its samples are the numbers of colors in a table.
    raw_dtype : data type or None
        How its pixels lie in the file when they lie there as they are, in one piece.
    start : int
        Where they begin, in bytes.
    next_page : int
        Where the next page's directory begins, 0 when there is none.
    subifds : tuple of int
        Where the directories of the pages below the first begin.
    flavor : str
        One of `FLAVORS`, or empty.
    """

    path: Path
    stamp: Stamp
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    is_color: bool
    has_palette: bool
    raw_dtype: np.dtype[Any] | None
    start: int
    next_page: int
    description: str
    software: str
    imagej: dict[str, Any] | None
    resolution: tuple[float, float] | None
    subifds: tuple[int, ...]
    flavor: str

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels of one page."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(path: Path) -> Header:
    """Read the first page's directory and the file's own description, no pixels.

    Raises
    ------
    UnreadableFileError
        The file cannot be opened, or is no sound TIFF file.
    """
    import tifffile

    try:
        stamp = Stamp.of(path)
        with open_tiff(path) as file, tifffile.TiffFile(file, name=path.name) as tif:
            page = tif.pages.first
            raw = page.is_final and page.bitspersample % 8 == 0 and page.dtype is not None
            x, y = (page.tags.valueof(tag) for tag in _RESOLUTION)
            return Header(
                path,
                stamp,
                tuple(int(n) for n in page.shape),
                page.axes.lower(),
                np.dtype(page.dtype or "V").newbyteorder("="),
                page.photometric in COLOR,
                page.photometric == PALETTE,
                np.dtype(page.dtype).newbyteorder(tif.byteorder) if raw else None,
                int(page.dataoffsets[0]) if page.dataoffsets else 0,
                max(0, _next_page(path, file, page.offset)),
                page.description,
                page.software,
                dict(tif.imagej_metadata) if tif.is_imagej and tif.imagej_metadata else None,
                (_ratio(x), _ratio(y)) if x and y else None,
                tuple(page.subifds or ()),
                _flavor(path, file, tif),
            )
    except TIFFFILE_ERRORS as error:
        raise UnreadableFileError(
            f"{path} is damaged or of a kind that is not known ({error}): get a whole copy, or "
            "save it as plain TIFF with the program that wrote it."
        ) from error
    except FerryError:
        raise
    except OSError as error:
        cure = cure_of(error, "check its name and permissions")
        raise UnreadableFileError(
            f"{path} cannot be read ({error.strerror or error}): {cure}."
        ) from error


def _flavor(path: Path, file: BinaryIO, tif: tifffile.TiffFile) -> str:
    """Return which microscope or scanner a file comes from; MD Gel may say so on a second page."""
    page = tif.pages.first
    flavor = next((name for name in FLAVORS if getattr(page, f"is_{name}")), "")
    second = _next_page(path, file, page.offset)
    if not flavor and second > 0 and _next_page(path, file, second) == 0 and tif.is_mdgel:
        return "mdgel"
    return flavor


def _ratio(value: tuple[int, int]) -> float:
    return value[0] / value[1] if value[1] else 0.0


def next_page(path: Path, ifd: int) -> int:
    """Return where the directory after the one at `ifd` begins.

    Returns
    -------
    int
        Offset in bytes; 0 when it is the last, -1 when there is no directory at `ifd`.
    """
    with path.open("rb") as file:
        return _next_page(path, file, ifd)


def _next_page(path: Path, file: BinaryIO, ifd: int) -> int:
    file.seek(0)
    order, version, _ = read_magic(path, file)
    head, entry, tail = ("Q", 20, "Q") if version == 43 else ("H", 12, "I")
    file.seek(max(0, ifd))
    raw = file.read(struct.calcsize(order + head))
    n = struct.unpack(order + head, raw)[0] if len(raw) == struct.calcsize(order + head) else 0
    if not 0 < n < 4096:
        return -1
    file.seek(entry * n, 1)
    raw = file.read(struct.calcsize(order + tail))
    return int(struct.unpack(order + tail, raw)[0]) if len(raw) == struct.calcsize(tail) else -1
