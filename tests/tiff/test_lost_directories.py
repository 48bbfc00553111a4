"""Pages of files that are cut off within or before the directories of these pages."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import make_image, pixels
from napari_ferry import FerryWarning, imload, imsave


@pytest.mark.parametrize("part", [0.1, 0.5, 0.97, 0.99])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"ome": True}])
def test_pages_with_lost_directories_are_shown(
    options: dict[str, Any], part: float, tmp_path: Path
) -> None:
    """The pixels of all pages come before the second directory, the description of OME last."""
    stack = np.arange(40 * 64 * 63, dtype=np.uint16).reshape(40, 64, 63)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, **options, photometric="minisblack", metadata={"axes": "TYX"})
    os.truncate(path, int(path.stat().st_size * part))

    n_complete = min(40, (path.stat().st_size - 500) // stack[0].nbytes)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (image,) = imload(path)
    assert f"only the first {n_complete} pages can be read" in " ".join(map(str, caught))
    assert image.shape == (n_complete, 64, 63)
    np.testing.assert_array_equal(image, stack[:n_complete])


def test_steps_of_an_ome_tiff_with_lost_directories_are_shown(tmp_path: Path) -> None:
    image = make_image("tczyx", t=5, c=2, z=3, y=40, x=50)
    path = imsave(image, tmp_path / "a.ome.tif")[0]
    os.truncate(path, path.stat().st_size // 2)
    with pytest.warns(FerryWarning) as caught:
        (found,) = imload(path)
    assert "describes 30 planes, but 15 of them exist: 12 are shown" in str(caught[-1].message)
    np.testing.assert_array_equal(found, np.asarray(image.array)[:2])


@pytest.mark.parametrize("kept", [1, 5])
def test_pages_of_another_image_are_not_taken_for_lost_ones(kept: int, tmp_path: Path) -> None:
    path, first = tmp_path / "a.tif", pixels((5, 64, 64))
    with tifffile.TiffWriter(path) as out:
        out.write(first[:kept], photometric="minisblack", metadata=None)
        out.write(pixels((3, 64, 64)), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as tif:
        os.truncate(path, tif.pages[kept].offset)
    with pytest.warns(FerryWarning, match="is cut off: its pages continue beyond the end"):
        (image,) = imload(path)
    np.testing.assert_array_equal(np.asarray(image).reshape(-1, 64, 64), first[:kept])
