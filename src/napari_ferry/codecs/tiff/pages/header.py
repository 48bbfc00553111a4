"""First page of a TIFF file, and its description of the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_ferry.arguments import cure_of
from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.tiff.pages.cut_tags import find_cut_tags
from napari_ferry.codecs.tiff.pages.describe import description_head
from napari_ferry.codecs.tiff.pages.directory import read_directory
from napari_ferry.codecs.tiff.pages.ifd_chain import (
    Magic,
    check_first_page,
    open_tiff,
    read_magic,
)
from napari_ferry.codecs.tiff.pages.page_kind import (
    PALETTE,
    TIFFFILE_ERRORS,
    has_color,
    unreadable_tiff,
)
from napari_ferry.codecs.tiff.pages.pixel_size import PixelSize, read_pixel_size
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.errors import FerryError, UnreadableFileError

if TYPE_CHECKING:
    import tifffile

FLAVORS = (
    *("lsm", "micromanager", "fluoview", "stk", "sis", "svs", "scn", "qpi", "ndpi", "bif"),
    *("avs", "eer", "philips", "scanimage", "indica", "nih", "mdgel"),
)
"""tifffile's names of the formats of microscopes and scanners, in the order of its tests."""

_RESOLUTION = (282, 283)
"""Tags of the resolution along x and y; by number, as tifffile searches names one by one."""

_ORIENTATION = 274

_MAX_DESCRIPTION = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Header:
    """First page of a TIFF file, and its description of the file.

    Parameters
    ----------
    path : Path
        The file.
    stamp : Stamp
        Its size and modification time when it was read.
    shape, axes, dtype
        Of the first page; axes as lower-case letters.
    photometric : int
        The photometric interpretation.
    is_color : bool
        True if the samples are a color.
    has_palette : bool
        True if the samples are indices of a color table.
    raw_dtype : data type or None
        Type of the pixels in the file; None unless they are stored uncompressed in one block.
    start : int
        Offset of the pixels, in bytes.
    next_page, third_page : int
        Offsets of the directories of the second and of the third page, 0 without such a page, -1
        for a third page after a second one that does not exist.
    description, software : str
        The tags ImageDescription and Software.
    imagej : dict or None
        Metadata of an ImageJ hyperstack.
    resolution : (float, float) or None
        Pixels along x and y per unit of resolution.
    pixel_size : PixelSize or None
        Size of the pixels, from the resolution or the tags of an electron microscope.
    orientation : int
        The tag Orientation: 1 if the first row is the top, and the first column the left side.
    subifds : tuple of int
        Offsets of the directories of the pages below the first.
    flavor : str
        One of `FLAVORS`, or empty.
    cut_metadata : tuple of str
        Metadata that continue beyond the end of the file, such as ``"the description"``.
    """

    path: Path
    stamp: Stamp
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    photometric: int
    is_color: bool
    has_palette: bool
    raw_dtype: np.dtype[Any] | None
    start: int
    next_page: int
    third_page: int
    description: str
    software: str
    imagej: dict[str, Any] | None
    resolution: tuple[float, float] | None
    pixel_size: PixelSize | None
    orientation: int
    subifds: tuple[int, ...]
    flavor: str
    cut_metadata: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels of one page."""
        return math.prod(self.shape) * self.dtype.itemsize


@silent_tifffile()
def read_header(path: Path) -> Header:
    """Read the directory of the first page and the description of the file, but no pixels.

    Raises
    ------
    UnreadableFileError
        The file cannot be opened, is not a TIFF file, or is damaged.

    Warns
    -----
    FerryWarning
        The size of the first page is damaged, but its pixels are complete.
    """
    import tifffile

    try:
        with open_tiff(path) as file:
            stamp = Stamp.of(file.fileno())
            magic = check_first_page(path, file, stamp.nbytes)
            with tifffile.TiffFile(file, name=path.name) as tif:
                return _convert(path, stamp, file, tif, magic)
    except TIFFFILE_ERRORS as error:
        raise unreadable_tiff(path, error) from error
    except FerryError:
        raise
    except OSError as error:
        cure = cure_of(error, "check its name and permissions")
        raise UnreadableFileError(
            f"{path.name} cannot be read ({error.strerror or error}): {cure}."
        ) from error


def _convert(
    path: Path, stamp: Stamp, file: BinaryIO, tif: tifffile.TiffFile, magic: Magic
) -> Header:
    """Convert tifffile's description of the first page and of the file."""
    page = tif.pages.first
    order, is_big, _ = magic
    entries, following = read_directory(file, page.offset, order, is_big)
    second = max(0, following)
    third = read_directory(file, second, order, is_big).next if second else 0
    raw = page.is_final and page.bitspersample % 8 == 0 and page.dtype is not None
    x, y = (page.tags.valueof(tag) for tag in _RESOLUTION)
    cut = find_cut_tags(entries, stamp.nbytes, order, is_big)
    description = page.description
    if cut.get("the description") == 1:  # tifffile omits it if only the final null is missing
        del cut["the description"]
        description = description_head(path, _MAX_DESCRIPTION)
    if raw:
        _check_size(path, stamp.nbytes, page)

    return Header(
        path=path,
        stamp=stamp,
        shape=tuple(int(n) for n in page.shape),
        axes=page.axes.lower(),
        dtype=np.dtype(page.dtype or "V").newbyteorder("="),
        photometric=int(page.photometric),
        is_color=has_color(page),
        has_palette=page.photometric == PALETTE,
        raw_dtype=np.dtype(page.dtype).newbyteorder(tif.byteorder) if raw else None,
        start=int(page.dataoffsets[0]) if page.dataoffsets else 0,
        next_page=second,
        third_page=third,
        description=description,
        software=page.software,
        imagej=dict(tif.imagej_metadata) if tif.is_imagej and tif.imagej_metadata else None,
        resolution=(_ratio(x), _ratio(y)) if x and y else None,
        pixel_size=read_pixel_size(page),
        orientation=_orientation(page),
        subifds=tuple(page.subifds or ()),
        flavor=_flavor(tif, has_two_pages=second > 0 and third == 0),
        cut_metadata=tuple(cut),
    )


def _orientation(page: tifffile.TiffPage) -> int:
    """Return the tag Orientation of a page, 1 if it is missing or invalid."""
    value = page.tags.valueof(_ORIENTATION)
    return int(value) if value in range(1, 9) else 1


def _check_size(path: Path, nbytes: int, page: tifffile.TiffPage) -> None:
    """Warn of a raw strip with its end beyond the file, if all pixels are in the file."""
    end = page.dataoffsets[-1] + page.databytecounts[-1]
    if end > nbytes >= page.dataoffsets[0] + page.nbytes:
        warn_incomplete(
            f"{path.name} is damaged: a strip of its first page ends at byte {end}, beyond the end "
            f"of the file at byte {nbytes}; its pixels are complete and are shown.",
        )


def _flavor(tif: tifffile.TiffFile, *, has_two_pages: bool) -> str:
    """Identify the microscope or scanner of a file, empty if unknown.

    MD Gel may be identified by the second of two pages only.
    """
    page = tif.pages.first
    flavor = next((name for name in FLAVORS if getattr(page, f"is_{name}")), "")
    return "mdgel" if not flavor and has_two_pages and tif.is_mdgel else flavor


def _ratio(value: tuple[int, int]) -> float:
    return value[0] / value[1] if value[1] else 0.0


def next_page(path: Path, ifd: int, stamp: Stamp) -> int:
    """Read the offset of the directory after the one at `ifd`.

    Parameters
    ----------
    path : Path
        The file.
    ifd : int
        Offset of a directory in bytes.
    stamp : Stamp
        Stamp of the file when its first page was read.

    Returns
    -------
    int
        Offset in bytes; 0 after the last directory, -1 if no directory exists at `ifd`.

    Raises
    ------
    UnreadableFileError
        The file was replaced, changed or removed meanwhile.
    """
    with open_unchanged(path, stamp) as file:
        order, is_big, _ = read_magic(path, file)
        return read_directory(file, ifd, order, is_big).next
