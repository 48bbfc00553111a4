"""LZW compression of TIFF, by the libtiff in Pillow.

TIFF 6.0 (Adobe, 1992), section 13: the table is cleared as soon as entry 4094 is added, which is
after at most 3837 codes. imagecodecs clears it one code later, and some decoders in JavaScript
refuse such data.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray


def encode_lzw(data: NDArray[np.generic]) -> bytes:
    """Compress the bytes of a C-contiguous array of any shape and type."""
    from PIL import Image
    from PIL.TiffImagePlugin import STRIPBYTECOUNTS, STRIPOFFSETS, TiffImageFile

    # LZW ignores rows, and a TIFF file of one row has one strip
    row = data.reshape(1, -1).view(np.uint8)
    file = io.BytesIO()
    Image.fromarray(row).save(file, "TIFF", compression="tiff_lzw")

    file.seek(0)
    tags = TiffImageFile(file).tag_v2
    (offset,), (nbytes,) = tags[STRIPOFFSETS], tags[STRIPBYTECOUNTS]
    return file.getvalue()[offset : offset + nbytes]
