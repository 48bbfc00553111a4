"""The pages of a file as tifffile's series tell them, where directories alone are not the truth.

Offsets of LSM and NDPI files above 4 GB are unwrapped, and sizes of Philips' levels are mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.ifd_chain import Stamp, open_unchanged
from napari_ferry.codecs.tiff.pages.page_kind import PageKind, kind_of
from napari_ferry.codecs.tiff.pages.pages import Pages

if TYPE_CHECKING:
    import tifffile


class ToldPages(Pages):
    """Pages of one file that belong to one level of one of tifffile's series.

    Pickles as the path of the file whose series it is of, its place there, and what both files
    were when they were opened.

    Parameters
    ----------
    path : Path
        The file that the pages are in.
    pages : sequence of (offsets, byte counts, kind)
        Where the strips or tiles of each page lie, and which of the kinds it is.
    kinds : sequence of PageKind
        What pages there are.
    origin : (Path, int, int, int)
        The file that was opened; which series, level and file of it.
    """

    def __init__(
        self,
        path: Path,
        pages: Sequence[tuple[Sequence[int], Sequence[int], int]],
        kinds: Sequence[PageKind],
        origin: tuple[Path, int, int, int],
    ) -> None:
        self.path = path
        self.stamp = Stamp.of(path)
        self._offsets = [np.array(offsets, np.int64) for offsets, _, _ in pages]
        self._counts = [np.array(counts, np.int64) for _, counts, _ in pages]
        self._kinds = np.array([kind for _, _, kind in pages], np.int64)
        self._known = tuple(kinds)
        self._origin = origin
        self._origin_stamp = Stamp.of(origin[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (*self._origin, self._origin_stamp, self.stamp)

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def kinds(self) -> NDArray[np.int64]:
        return self._kinds

    def kind(self, kind: int) -> PageKind:
        return self._known[kind]

    def segments(self, file: BinaryIO, page: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._offsets[page], self._counts[page]


def told_pages(
    path: Path, series: tifffile.TiffPageSeries, place: tuple[int, int]
) -> tuple[list[ToldPages], NDArray[np.int64]]:
    """Return the files of one level of a series, and a table of its frames; see `pages_array`.

    Parameters
    ----------
    path : Path
        The file that was opened.
    series : tifffile.TiffPageSeries
        The level.
    place : (int, int)
        Which series, and which level of it.
    """
    kinds: dict[int, tuple[int, PageKind]] = {}
    found: dict[str, list[tuple[Sequence[int], Sequence[int], int]]] = {}
    table = []
    for page in series:
        if page is None or page.keyframe is None:
            table.append((-1, -1))
            continue
        key = page.keyframe
        number, _ = kinds.setdefault(id(key), (len(kinds), kind_of(key)))
        name = page.parent.filehandle.path
        rows = found.setdefault(name, [])
        table.append((list(found).index(name), len(rows)))
        rows.append((page.dataoffsets, page.databytecounts, number))
    known = [kind for _, kind in kinds.values()]
    files = [
        ToldPages(Path(name), rows, known, (path, *place, i))
        for i, (name, rows) in enumerate(found.items())
    ]
    return files, np.array(table, np.int64).reshape(-1, 2)


def _again(
    path: Path, series: int, level: int, file: int, path_stamp: Stamp, stamp: Stamp
) -> ToldPages:
    """Find the same pages once more, after they were pickled.

    Raises
    ------
    UnreadableFileError
        The file is gone, or changed.
    """
    import tifffile

    open_unchanged(path, path_stamp).close()
    with tifffile.TiffFile(path) as tif:
        files, _ = told_pages(path, tif.series[series].levels[level], (series, level))
    found = files[file]
    found.stamp = stamp
    return found
