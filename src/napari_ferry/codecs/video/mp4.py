"""MP4 and QuickTime files: the sizes of their boxes (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

import struct
from pathlib import Path

_FIRST = (b"ftyp", b"moov", b"mdat", b"styp", b"moof", b"free", b"skip", b"wide", b"pnot")
"""Types of the first box of a file; QuickTime files may lack ``ftyp``."""

_TYPES = (*_FIRST, b"meta", b"mfra", b"sidx", b"uuid", b"udta")
"""Types of the boxes of a file; bytes of other types after them are ignored by players."""


def is_truncated_mp4(path: Path) -> bool:
    """Return True for an MP4 file cut off within a box."""
    nbytes, start = path.stat().st_size, 0
    with path.open("rb") as file:
        while start + 8 <= nbytes:
            file.seek(start)
            header = file.read(16)
            size, kind = struct.unpack_from(">I4s", header)
            if kind not in (_TYPES if start else _FIRST):
                return False
            if size == 1 and len(header) == 16:
                (size,) = struct.unpack_from(">Q", header, 8)
            if size < 8:  # 0 for a box that extends to the end of the file
                return False
            start += size
    return start > nbytes
