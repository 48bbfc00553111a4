"""LZW codes of TIFF: as libtiff writes them, so that every decoder reads them."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from napari_ferry.codecs.tiff.saving.lzw import encode_lzw

_CLEAR, _END = 256, 257
_MOST_CODES = 3837
"""Codes until table entry 4094 is added (TIFF 6.0, section 13)."""


def codes_between_clears(strip: bytes) -> list[int]:
    """Count the codes before each ClearCode; codes grow one entry early, as TIFF requires."""
    total, bits = len(strip) * 8, int.from_bytes(strip, "big")
    counts, count, position, width = [], 0, 0, 9
    while position + width <= total:
        code = (bits >> (total - position - width)) & ((1 << width) - 1)
        position += width
        if code == _CLEAR:
            counts.append(count)
            count, width = 0, 9
        elif code == _END:
            return [*counts, count]
        else:
            count += 1
            width = max(9, (257 + count + 1).bit_length())
    raise AssertionError("there is no EndOfInformation")


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<f4"])
@pytest.mark.parametrize("high", [1, 4, 200])
def test_the_table_is_cleared_in_time(dtype: str, high: int) -> None:
    data = np.random.default_rng(0).integers(0, high, (61, 307)).astype(dtype)
    strip = encode_lzw(data)
    assert max(codes_between_clears(strip)) <= _MOST_CODES
    assert imagecodecs.lzw_decode(strip) == data.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 5, 3), (1, 70_001)])
def test_any_shape_is_one_strip(shape: tuple[int, ...]) -> None:
    data = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert imagecodecs.lzw_decode(encode_lzw(data)) == data.tobytes()
