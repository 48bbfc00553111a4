"""Headers of written TIFF files: ImageJ hyperstack, OME-TIFF or plain, classic or BigTIFF."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from helpers import assert_same_pixels, make_full_image, make_image
from napari_ferry import imsave, plan


def test_plain_images_become_imagej_hyperstacks(tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    image = make_full_image("ctzyx")
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_imagej
        assert not tif.is_bigtiff
        assert tif.series[0].axes == "TZCYX"
        np.testing.assert_array_equal(tif.asarray(), np.moveaxis(image.array, 0, 2))

        metadata = tif.imagej_metadata
        sizes = metadata["frames"], metadata["slices"], metadata["channels"]
        steps = metadata["unit"], metadata["spacing"], metadata["finterval"]
        assert (sizes, steps) == ((3, 4, 2), ("micron", 2.5, 0.5))
        assert metadata["Ranges"] == (3.0, 4000.0, 0.0, 65535.0)
        assert [lut[:, -1].tolist() for lut in metadata["LUTs"]] == [[0, 255, 0], [255, 0, 128]]
        x, y = (tif.pages[0].tags[f"{a}Resolution"].value for a in "XY")
        assert x[1] / x[0] == pytest.approx(0.65)
        assert y[1] / y[0] == pytest.approx(0.325)


def test_ome_tiff_describes_everything_in_valid_xml(tmp_path: Path) -> None:
    path = tmp_path / "cells.ome.tif"
    image = make_full_image("ctzyx", "float32")
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome
        assert not tif.is_bigtiff
        assert tif.series[0].axes == "CTZYX"
        np.testing.assert_array_equal(tif.asarray(), image.array)
    found = ome_types.from_tiff(path).images[0]

    assert found.name == image.name
    assert found.pixels.physical_size_x == 0.65
    assert found.pixels.physical_size_y == 0.325
    assert found.pixels.physical_size_z == 2.5
    assert found.pixels.time_increment == 0.5
    assert [channel.name for channel in found.pixels.channels] == ["GFP", "µ, 赤"]
    assert found.pixels.channels[0].color.as_hex(format="long") == "#00ff00"


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16"])
def test_types_that_ome_does_not_know_are_plain_tiff(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    image = make_full_image("zcyx", dtype)
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_shaped
        assert tif.series[0].axes == "ZCYX"
        assert_same_pixels(tif.asarray(), image.array)


@pytest.mark.parametrize(
    ("axes", "dtype", "flavor"),
    [
        ("tczyx", "uint16", "imagej"),
        ("yx", "uint8", "imagej"),
        ("zyx", "float32", "imagej"),
        ("tyxs", "uint8", "imagej"),
        ("tyxs", "uint16", "ome"),
        ("tyx", "int16", "ome"),
        ("tyx", "bool", "ome"),
        ("pyx", "uint8", "ome"),
        ("tyx", "uint64", "shaped"),
    ],
)
def test_the_flavor_is_one_that_can_hold_the_image(
    axes: str, dtype: str, flavor: str, tmp_path: Path
) -> None:
    imsave(make_image(axes, dtype), tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as tif:
        found = {name: getattr(tif, f"is_{name}") for name in ("imagej", "ome", "shaped")}
    assert found == {name: name == flavor for name in found}


@pytest.mark.parametrize(
    ("suffix", "gigabytes", "version"),
    [(".tif", 4.2, 42), (".tif", 4.4, 43), (".ome.tif", 4.2, 42), (".ome.tif", 4.4, 43)],
)
def test_bigtiff_is_used_above_4_gb(
    suffix: str, gigabytes: float, version: int, tmp_path: Path
) -> None:
    frames = int(gigabytes * 1e9 / (1 << 23))
    room = np.broadcast_to(np.zeros((), np.uint16), (frames, 2048, 2048))
    planned = plan(room, tmp_path / f"cells{suffix}", size_cap=None)
    planned.files[0].create(tmp_path / "header")
    with (tmp_path / "header").open("rb") as file:
        assert int.from_bytes(file.read(4)[2:], "little") == version
    assert (tmp_path / "header").stat().st_blocks * 512 < 50e6, "the file has no holes"
    (tmp_path / "header").unlink()


def test_large_files_are_not_imagej_hyperstacks(tmp_path: Path) -> None:
    movie = np.broadcast_to(np.zeros((), np.uint16), (1500, 1024, 1024))
    planned = plan(movie, tmp_path / "a.tif", compression="lzw", size_cap=None)
    assert json.loads(planned.identity)[0] == "ome"
