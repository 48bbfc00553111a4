"""Tags of a page whose values continue beyond the end of a file.

Programs that write the description last, as Bio-Formats does, lose it first when a copy of the file
is interrupted.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import struct

from napari_ferry.codecs.tiff.pages.page_table import DESCRIPTION_TAG, TYPE_SIZES

_METADATA_TAGS = {
    DESCRIPTION_TAG: "the description",
    282: "the resolution",
    283: "the resolution",
    50838: "the ImageJ metadata",
    50839: "the ImageJ metadata",
    51123: "the Micro-Manager metadata",
}
"""Metadata tags in use; a cut-off tag of the layout is reported with its page."""


def find_cut_tags(entries: bytes, nbytes: int, order: str, is_big: bool) -> dict[str, int]:
    """Return the names of truncated metadata in a directory, and their numbers of missing bytes.

    Parameters
    ----------
    entries : bytes
        The raw entries of the directory.
    nbytes : int
        Size of the file.
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    """
    form, size = ("HHQQ", 20) if is_big else ("HHII", 12)
    room = 8 if is_big else 4
    missing: dict[str, int] = {}
    whole = entries[: len(entries) // size * size]
    for tag, kind, count, offset in struct.iter_unpack(order + form, whole):
        if tag not in _METADATA_TAGS:
            continue
        length = count * TYPE_SIZES.get(kind, 1)
        # short values are stored in the entry itself
        if length > room and offset + length > nbytes:
            missing[_METADATA_TAGS[tag]] = offset + length - nbytes
    return missing
