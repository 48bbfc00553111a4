"""Pages of a file as described by the series of tifffile.

Used for formats whose directories alone are not correct: tifffile unwraps the offsets of LSM and
NDPI files above 4 GB, and corrects the sizes of the levels in Philips files.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.stamp import Stamp, open_unchanged
from napari_ferry.codecs.tiff.names import sibling_path
from napari_ferry.codecs.tiff.pages.page_kind import PageKind, Segments, convert_page
from napari_ferry.codecs.tiff.pages.pages import Pages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.files.links import leads_outside

if TYPE_CHECKING:
    import tifffile


_NDTIFF_INDEX = "NDTiff.index"


class SeriesLevel(NamedTuple):
    """Position of a level among the series of a file.

    Parameters
    ----------
    path : Path
        The file that was opened.
    series, level : int
        Index of the series in the file, and of the level in the series.
    """

    path: Path
    series: int
    level: int


class SeriesPage(NamedTuple):
    """One page of a series: its strips or tiles, and the index of its kind."""

    segments: Segments
    kind: int


class SeriesPages(Pages):
    """Pages of one level of a series in one file.

    It is pickled as the position of the level, the index of this file among the files of the
    level, and the stamps of both files at the time of opening.

    Parameters
    ----------
    path : Path
        The file that contains the pages.
    pages : sequence of SeriesPage
        The pages in order.
    kinds : sequence of PageKind
        The kinds that the pages refer to.
    origin : SeriesLevel
        The level to which the pages belong.
    file_index : int
        Index of this file among the files of the level.
    """

    def __init__(
        self,
        path: Path,
        pages: Sequence[SeriesPage],
        kinds: Sequence[PageKind],
        origin: SeriesLevel,
        file_index: int,
    ) -> None:
        self.path = path
        self.stamp = Stamp.of(path)
        self._segments = [page.segments for page in pages]
        self._kinds = np.array([page.kind for page in pages], np.int64)
        self._known = tuple(kinds)
        self._origin = origin
        self._file_index = file_index
        self._origin_stamp = Stamp.of(origin.path)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self._origin, self._file_index, self._origin_stamp, self.stamp)

    def __len__(self) -> int:
        return len(self._kinds)

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Number of the kind of each page."""
        return self._kinds

    def kind(self, number: int) -> PageKind:
        """Return the kind with a number."""
        return self._known[number]

    def segments(self, file: BinaryIO, page: int) -> Segments:
        """Return the offsets and sizes of the strips or tiles of a page."""
        return self._segments[page]


@silent_tifffile()
def open_series(path: Path) -> tifffile.TiffFile:
    """Open a file for its series, without files in other folders.

    Raises
    ------
    ValueError
        The index of a data set in NDTiff names a path, or a link out of the folder.
    """
    import tifffile

    with ExitStack() as undo:
        tif = undo.enter_context(tifffile.TiffFile(path, _multifile=False))
        if tif.is_ndtiff:
            _check_ndtiff(Path(tif.filehandle.path))
        undo.pop_all()
    return tif


def _check_ndtiff(path: Path) -> None:
    """Refuse a data set in NDTiff with an index or a file outside its folder."""
    import tifffile

    index = path.with_name(_NDTIFF_INDEX)
    names = [] if leads_outside(index, path) else tifffile.read_ndtiff_index(index)
    for name in (_NDTIFF_INDEX, *{row[1] for row in names}):
        file = sibling_path(path, name)
        if file is None or leads_outside(file, path):
            raise ValueError(f"{name!r} is not a file in its folder")


class LevelPages(NamedTuple):
    """Files of one level of a series, and the frames of the level.

    Parameters
    ----------
    files : list of SeriesPages
        The files that contain the pages of the level.
    table : array of int64, axes frame, (file, page)
        Location of each frame; negative for a missing page. See `pages_array`.
    """

    files: list[SeriesPages]
    table: NDArray[np.int64]


def read_level_pages(level: tifffile.TiffPageSeries, origin: SeriesLevel) -> LevelPages:
    """Find the pages of one level of a series.

    Parameters
    ----------
    level : tifffile.TiffPageSeries
        The level, as described by tifffile.
    origin : SeriesLevel
        Position of the level, from which it is found again after unpickling.
    """
    kinds: list[PageKind] = []
    numbers: dict[int, int] = {}  # index of a kind, by the identity of its key frame
    files: dict[str, list[SeriesPage]] = {}
    table = []
    for page in level:
        if page is None or page.keyframe is None:
            table.append((-1, -1))
            continue

        # all pages of a kind share one key frame
        key = page.keyframe
        if id(key) not in numbers:
            numbers[id(key)] = len(kinds)
            kinds.append(convert_page(key))

        name = page.parent.filehandle.path
        rows = files.setdefault(name, [])
        table.append((list(files).index(name), len(rows)))
        segments = Segments.of(page.dataoffsets, page.databytecounts)
        rows.append(SeriesPage(segments, numbers[id(key)]))

    sources = [
        SeriesPages(Path(name), rows, kinds, origin, i)
        for i, (name, rows) in enumerate(files.items())
    ]
    return LevelPages(sources, np.array(table, np.int64).reshape(-1, 2))


@silent_tifffile()
def _reopen(origin: SeriesLevel, file_index: int, origin_stamp: Stamp, stamp: Stamp) -> SeriesPages:
    """Find the pages again after unpickling.

    Raises
    ------
    UnreadableFileError
        The file does not exist any more, or changed.
    """
    open_unchanged(origin.path, origin_stamp).close()
    with open_series(origin.path) as tif:
        level = tif.series[origin.series].levels[origin.level]
        pages = read_level_pages(level, origin).files[file_index]
    pages.stamp = stamp
    return pages
