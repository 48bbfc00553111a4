"""Tags of a page whose values continue beyond the end of a file.

Programs that write the description last, as Bio-Formats does, lose it first when a copy of the file
is interrupted.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from napari_ferry.codecs.tiff.pages.page_table import DESCRIPTION_TAG, TYPE_SIZES

_MAX_ENTRIES = 4096

_METADATA_TAGS = {
    DESCRIPTION_TAG: "the description",
    282: "the resolution",
    283: "the resolution",
    50838: "the ImageJ metadata",
    50839: "the ImageJ metadata",
    51123: "the Micro-Manager metadata",
}
"""Tags of metadata that are read; a cut-off tag of the layout is reported with its page."""


def find_cut_tags(file: BinaryIO, ifd: int, order: str, is_big: bool) -> dict[str, int]:
    """Return the metadata of a directory that is cut off, and the number of missing bytes.

    Parameters
    ----------
    file : binary file
        The file.
    ifd : int
        Offset of the directory, in bytes.
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    """
    head, entry = (struct.Struct(order + f) for f in (("Q", "HHQQ") if is_big else ("H", "HHII")))
    size = os.fstat(file.fileno()).st_size
    file.seek(ifd)
    raw = file.read(head.size)
    n = head.unpack(raw)[0] if len(raw) == head.size else 0
    raw = file.read(min(n, _MAX_ENTRIES) * entry.size)

    missing: dict[str, int] = {}
    for tag, kind, count, offset in entry.iter_unpack(raw[: len(raw) // entry.size * entry.size]):
        nbytes = count * TYPE_SIZES.get(kind, 1)
        # short values are stored in the entry itself
        is_cut = nbytes > (8 if is_big else 4) and offset + nbytes > size
        if is_cut and tag in _METADATA_TAGS:
            missing[_METADATA_TAGS[tag]] = offset + nbytes - size
    return missing
