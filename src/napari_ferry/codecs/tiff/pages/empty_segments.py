"""Missing strips and tiles, as after an interrupted save or in sparse files.

TIFF 6.0 (Adobe, 1992) requires all of them; libtiff and GDAL mark omitted ones with an offset or a
size of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.codecs.tiff.pages.page_table import COUNTS, OFFSETS, batches, values_of_pages
from napari_ferry.codecs.tiff.pages.pages import Pages, TiffPages
from napari_ferry.errors import warn

_MAX_SEGMENTS = 1 << 22
"""Number of strips and tiles of a file above which only its last pages are checked."""

_MAX_LISTS = 100
"""Number of pages with several strips or tiles above which only the last ones are checked.

An interrupted save leaves these pages incomplete.
"""


def warn_empty_segments(files: Sequence[Pages | None], table: NDArray[np.int64]) -> None:
    """Warn of pages with missing strips or tiles, in files whose directories are known already.

    Parameters
    ----------
    files, table
        As for `PageReader`.

    Warns
    -----
    FerryWarning
        Strips or tiles are missing; the fill value of the file is shown in their place.
    """
    for number, file in enumerate(files):
        if not isinstance(file, TiffPages) or file.subifd is not None or not file.is_indexed:
            continue

        pages = table[table[:, 0] == number, 1]
        is_used = np.zeros(len(file), bool)
        is_used[pages[(pages >= 0) & (pages < len(file))]] = True
        empty = _empty_pages(file, np.flatnonzero(is_used))
        if len(empty):
            fill = file.kind_of(int(empty[0])).fill
            warn(
                f"{file.path.name} lacks some or all pixels of {len(empty)} of its {len(file)} "
                f"pages, first of page {empty[0]}: {fill:g} is shown in their place; get a "
                "complete copy of the file unless they were left out on purpose."
            )


def _empty_pages(file: TiffPages, pages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pages with a strip or tile without an offset or size."""
    lengths, n_offsets = (file.table.entries[pages, tag, 1] for tag in (COUNTS, OFFSETS))
    # other lists are damaged, which is reported when a page is read
    lengths = np.where(lengths == n_offsets, lengths, 0)
    possible = lengths[(lengths > 0) & (lengths <= min(_MAX_SEGMENTS, file.stamp.nbytes))]

    empty = [np.empty(0, np.int64)]
    with file.open() as opened:
        data = FileWindow(opened)
        for length in np.unique(possible).tolist():
            most = len(pages) if length == 1 else min(_MAX_LISTS, _MAX_SEGMENTS // length)
            same = pages[lengths == length][-most:]
            for tag in (COUNTS, OFFSETS):
                for batch in batches(same, length):
                    try:
                        values = values_of_pages(data, file.table, batch, tag)
                    except ValueError:  # lists beyond the end, reported when a page is read
                        continue
                    empty.append(batch[(values == 0).any(1)])
    return np.unique(np.concatenate(empty))
