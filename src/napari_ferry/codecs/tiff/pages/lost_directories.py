"""Directories lost at the end of a file that is cut off.

napari-ferry and tifffile store the pixels of all pages of a stack before its second directory, so
these pages may be complete in a file that ends before that directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.codecs.tiff.pages.ifd_chain import IfdChain
from napari_ferry.codecs.tiff.pages.page_table import (
    DESCRIPTION_TAG,
    first_values,
    parse_entries,
)

CONTIGUOUS_WRITERS = ("napari-ferry", "tifffile")
"""Software that stores the pixels of a stack in one block, in order."""

_COMPRESSION, _OFFSETS, _COUNTS, _SOFTWARE, _SUBIFDS = 259, 273, 279, 305, 330
_RAW = 1
"""No compression."""

_WRITERS = tuple(name.encode() for name in CONTIGUOUS_WRITERS)

_MAX_ALIGNMENT = 16
"""Maximum number of bytes between the pixels of the last page and the second directory."""


def restore_directories(chain: IfdChain, data: FileWindow) -> IfdChain:
    """Add copies of the first directory for complete pages whose own ones are lost.

    Only the offset of the pixels differs, and they have no description. The distance of the second
    directory shows how many pages have their pixels before it.

    Parameters
    ----------
    chain : IfdChain
        The directories of the file.
    data : FileWindow
        The file.
    """
    if not chain.lost:
        return chain
    entries = parse_entries(chain.entries[:1], chain.order, chain.is_big)[0]
    values, are_inline = first_values(entries, chain.order, chain.is_big)
    known = {int(entry["tag"]): k for k, entry in enumerate(entries)}
    single = {tag: int(values[k]) for tag, k in known.items() if are_inline[k]}
    if not _is_single_block(chain, data, entries, known) or single.get(_COMPRESSION) != _RAW:
        return chain

    start, nbytes = single[_OFFSETS], max(1, single[_COUNTS])
    second = [*chain.offsets, chain.lost][1]
    count, rest = divmod(second - start, nbytes)
    if count < 2 or rest > _MAX_ALIGNMENT:
        return chain
    kept = entries[entries["tag"] != DESCRIPTION_TAG]
    at = int(np.argmax(kept["tag"] == _OFFSETS))
    restored = []
    for page in range(len(chain.offsets), min(count, (data.size - start) // nbytes)):
        kept["value"][at] = start + page * nbytes
        restored.append(kept.tobytes())
    offsets = chain.offsets + chain.offsets[:1] * len(restored)
    return chain._replace(offsets=offsets, entries=chain.entries + restored)


def _is_single_block(
    chain: IfdChain, data: FileWindow, entries: NDArray[Any], known: Mapping[int, int]
) -> bool:
    """Return True if the first page has one strip, written by a program with a known layout.

    Parameters
    ----------
    chain, data
        As for `restore_directories`.
    entries : structured array, axis entry
        Entries of the first page.
    known : mapping of int to int
        Tag -> number of its entry.
    """
    if {_OFFSETS, _COUNTS, _SOFTWARE} - {*known} or _SUBIFDS in known:
        return False
    offsets, counts, software = (entries[known[tag]] for tag in (_OFFSETS, _COUNTS, _SOFTWARE))
    # an offset as wide as its field can be replaced as it is
    is_wide = int(offsets["type"]) in ((16, 18) if chain.is_big else (4, 13))
    is_one_strip = int(offsets["count"]) == int(counts["count"]) == 1
    writer = data.read(int(software["value"]), int(software["count"]))
    return is_wide and is_one_strip and writer.startswith(_WRITERS)
