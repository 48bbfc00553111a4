"""Storage of the pixels of a TIFF file: compression, tiles or strips, and byte order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.codecs.tiff.pages.describe import describe_page
from napari_ferry.codecs.tiff.pages.ifd_chain import open_tiff, read_magic
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS

if TYPE_CHECKING:
    import tifffile


_SPELLINGS = {"adobe_deflate": "zlib", "deflate": "zlib"}
"""tifffile's names of compressions -> the names of options for saving."""


def read_storage(path: Path) -> dict[str, str]:
    """Return the storage of the first page of a TIFF file, in words; empty if it is damaged.

    Raises
    ------
    UnreadableFileError
        The file is not a TIFF file.
    """
    with open_tiff(path) as file:
        order, is_big, first = read_magic(path, file)
    try:
        with describe_page(path, first) as page:
            stored = {"compression": _compression(page), **_segments(page)}
    except TIFFFILE_ERRORS:
        return {}
    stored["byte order"] = "big" if order == ">" else "little"
    return {**stored, "offsets": "64 bits (BigTIFF)"} if is_big else stored


def _compression(page: tifffile.TiffPage) -> str:
    """Return the names of the compression and the predictor of a page."""
    name = str(getattr(page.compression, "name", page.compression)).lower()
    name = _SPELLINGS.get(name, name)
    predictor = str(getattr(page.predictor, "name", page.predictor)).lower()
    return name if predictor in ("none", "1") else f"{name}, {predictor} predictor"


def _segments(page: tifffile.TiffPage) -> dict[str, str]:
    """Return the size of the tiles or strips of a page."""
    if page.is_tiled:
        return {"tiles": f"{page.tilelength} x {page.tilewidth}"}
    return {"strips": f"{min(page.rowsperstrip, page.imagelength)} rows"}
