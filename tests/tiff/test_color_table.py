"""Color tables of indexed pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_a_colormap(bits: int, tmp_path: Path) -> None:
    colors = np.random.default_rng(1).integers(0, 65536, (3, 1 << bits)).astype("uint16")
    data = pixels((20, 30), f"uint{bits}")
    options = {"photometric": "palette", "colormap": colors, "metadata": None}
    tifffile.imwrite(tmp_path / "p.tif", data, **options)
    (image,) = imload(tmp_path / "p.tif")
    assert_same_pixels(image.array, data)
    shown = image.display["colormap"]["colors"]
    assert image.display["contrast_limits"] == [0, (1 << bits) - 1]
    assert len(shown) == min(256, 1 << bits)
    np.testing.assert_allclose(np.array(shown)[[0, -1], :3], colors.T[[0, -1]] / 65535)


@pytest.mark.parametrize("top", [255, 65535])
def test_a_gray_palette_is_not_a_colormap(top: int, tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, top, 256).astype("uint16"), (3, 1))
    data = pixels((20, 30), "uint8")
    tifffile.imwrite(tmp_path / "p.tif", data, photometric="palette", colormap=ramp, metadata=None)
    assert "colormap" not in imload(tmp_path / "p.tif")[0].display
