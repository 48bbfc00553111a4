"""Layouts of raw files without metadata, found from a bounded sample of their bytes.

This package exports `Layout` and its fields known to the user. `layout.find` contains the search:
`find_layouts` for one file, `find_common_layout` for the files of one camera. It is imported
separately, as only repairs need it.

The search has four groups of modules, each of which imports from those below it:

1. `find`, `evaluate` and `explain` join the steps and give the reasons.
2. `score` turns evidence into confidences; `verify` examines the bytes at the borders of a layout.
3. `candidates` lists the layouts that fit the size of the file.
4. `signals` measures sample types, row lengths, frame heights, borders and header ends.

Below them, `known_headers` reads the headers of other formats, and `source` reads parts of a file.
"""

from napari_ferry.codecs.binary.layout.layout import (
    POSSIBLE,
    ByteOrder,
    Interleaving,
    KnownFields,
    Layout,
    count_frames,
    frame_bytes,
    parse_known_fields,
    strip_evidence,
)

__all__ = [
    "POSSIBLE",
    "ByteOrder",
    "Interleaving",
    "KnownFields",
    "Layout",
    "count_frames",
    "frame_bytes",
    "parse_known_fields",
    "strip_evidence",
]
