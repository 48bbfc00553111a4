"""Color tables of indexed pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryWarning, imload, imsave


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


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_white_at_zero_is_shown_so_and_kept(suffix: str, tmp_path: Path) -> None:
    gel = np.tile(np.arange(256, dtype="u1"), (64, 1))
    tifffile.imwrite(tmp_path / "gel.tif", gel, photometric="miniswhite", metadata=None)
    (image,) = imload(tmp_path / "gel.tif")
    assert image.display["colormap"] == "gray_r"
    (path,) = imsave(image, tmp_path / f"saved{suffix}")
    (found,) = imload(path)
    assert found.display["colormap"] == "gray_r"
    assert (np.asarray(found.array) == gel).all()


@pytest.mark.parametrize(
    ("photometric", "space", "names"),
    [
        ("separated", "CMYK", ["cyan", "magenta", "yellow", "black"]),
        ("cielab", "CIELAB", ["L*", "a*", "b*"]),
    ],
)
def test_other_colors_are_channels_with_a_warning(
    photometric: str, space: str, names: list[str], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, len(names)), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric, metadata=None)
    with pytest.warns(FerryWarning, match=rf"a\.tif has colors in {space}"):
        (image,) = imload(tmp_path / "a.tif")
    assert [channel.name for channel in image.channels] == names
    assert (np.moveaxis(np.asarray(image.array), 0, -1) == pixels).all()


def test_pages_with_one_palette_are_a_stack_with_a_colormap(tmp_path: Path) -> None:
    palette = np.random.default_rng(0).integers(0, 65536, (3, 256), np.uint16)
    data = pixels((3, 8, 9), "uint8")
    with tifffile.TiffWriter(tmp_path / "p.tif") as writer:
        for page in data:
            writer.write(
                page, photometric="palette", colormap=palette, metadata=None, compression="zlib"
            )
    (image,) = imload(tmp_path / "p.tif")
    assert image.axis_names == ("t", "y", "x")
    assert_same_pixels(np.asarray(image.array), data)
    assert len(image.display["colormap"]["colors"]) == 256
