"""Packed samples of 12 bits."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry import find_layouts
from napari_ferry.codecs.binary.layout.candidates.packed import unpack
from raw_files import brief, more, scene, write


def packed(pixels: np.ndarray, packing: str) -> np.ndarray:
    """Samples of 12 bits as GenICam packs them, shape (..., n / 2, 3)."""
    a, b = pixels[..., ::2].astype("u2"), pixels[..., 1::2].astype("u2")
    if packing == "Mono12p":
        return np.stack([a & 255, a >> 8 | (b & 15) << 4, b >> 4], -1).astype("u1")
    return np.stack([a >> 4, (b & 15) << 4 | a & 15, b >> 4], -1).astype("u1")


@pytest.mark.parametrize("packing", ["Mono12p", *more(("Mono12Packed",))])
def test_packed_samples_of_12_bits_are_named(tmp_path, packing):
    pixels = np.clip(scene() * 1500, 0, 4095).astype("u2")
    data = packed(pixels, packing)
    assert np.array_equal(unpack(data.ravel(), packing), pixels.ravel())
    best = find_layouts(write(tmp_path / "a.raw", data, bytes(512)))[0]
    assert brief(best) == ("u1", 512, 12, 90, 66, 3)
    assert any("12 bits" in reason and packing in reason for reason in best.reasons)
