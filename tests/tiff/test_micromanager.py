"""Micro-Manager stacks, and NDTiff."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis, Image
from tiff_files import GRAY, assert_like_tifffile, write_micromanager


def axes_of(image: Image) -> list[tuple[str, float, str | None]]:
    return [(axis.name, pytest.approx(axis.scale), axis.unit) for axis in image.axes]


ROWS = [(c, z, t, 0) for t in range(3) for z in range(2) for c in range(2)]
SUMMARY = {
    **{"MicroManagerVersion": "2.0", "Frames": 3, "Slices": 2, "Channels": 2, "Positions": 1},
    **{"Interval_ms": 250.0, "PixelSize_um": 0.325, "z-step_um": 1.5, "Prefix": "x"},
    **{"ChNames": ["DAPI", "GFP"], "ChColors": [255, 65280]},
}


@pytest.mark.parametrize("is_first", [True, False])
def test_micromanager(is_first: bool, tmp_path: Path) -> None:
    path, data = tmp_path / "x_MMStack_Pos0.tif", pixels((12, 32, 40))
    summary = {**SUMMARY, "TimeFirst": is_first, "SlicesFirst": is_first}
    write_micromanager(path, ROWS, summary, data)
    (image,) = imload(path)
    assert_like_tifffile(path, [image])
    assert "".join(image.axis_names) == ("tzcyx" if is_first else "tczyx")
    assert axes_of(image)[0] == ("t", 250, "millisecond")
    assert image.axis("z") == Axis("z", 1.5, "micrometer")
    assert image.axis("x") == Axis("x", 0.325, "micrometer")
    assert [(c.name, c.color) for c in image.channels] == [("DAPI", "#0000ff"), ("GFP", "#00ff00")]


def test_micromanager_in_several_files(tmp_path: Path) -> None:
    data = pixels((12, 32, 40))
    paths = [tmp_path / f"x_MMStack_Pos0{end}.tif" for end in ("", "_1")]
    for path, part in zip(paths, (slice(8), slice(8, None)), strict=True):
        write_micromanager(path, ROWS[part], SUMMARY, data[part])
    for path in paths:
        (image,) = imload(path)
        assert_same_pixels(image.array, data.reshape(3, 2, 2, 32, 40))
    paths[1].unlink()
    with pytest.warns(FerryWarning, match="announces 12 planes, but has 8"):
        (image,) = imload(paths[0])
    assert_same_pixels(image.array, data[:8].reshape(2, 2, 2, 32, 40))


@pytest.mark.parametrize("other", ["renamed", "another acquisition", "another program"])
def test_files_that_are_not_of_the_acquisition_are_left_out(other: str, tmp_path: Path) -> None:
    data = pixels((12, 32, 40))
    path = tmp_path / ("x.tif" if other == "renamed" else "x_MMStack_Pos0.tif")
    write_micromanager(path, ROWS[:8], SUMMARY, data[:8])
    second = tmp_path / f"{path.stem}_1.tif"
    if other == "another program":
        tifffile.imwrite(second, data[8:], **GRAY)
    else:
        summary = SUMMARY if other == "renamed" else {**SUMMARY, "Prefix": "y"}
        write_micromanager(second, ROWS[8:], summary, data[8:])
    with pytest.warns(FerryWarning, match="announces 12 planes, but has 8"):
        (image,) = imload(path)
    assert_same_pixels(image.array, data[:8].reshape(2, 2, 2, 32, 40))


@pytest.mark.skipif(os.name == "nt", reason="links need a permission there")
def test_other_files_of_micromanager_are_not_read_from_elsewhere(tmp_path: Path) -> None:
    data = pixels((12, 32, 40))
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path, other = tmp_path / "in" / "x_MMStack_Pos0.tif", tmp_path / "out" / "other.tif"
    write_micromanager(path, ROWS[:8], SUMMARY, data[:8])
    write_micromanager(other, ROWS[8:], SUMMARY, data[8:])
    (tmp_path / "in" / "x_MMStack_Pos0_1.tif").symlink_to(other)
    with pytest.warns(FerryWarning, match="announces 12 planes, but has 8"):
        (image,) = imload(path)
    assert_same_pixels(image.array, data[:8].reshape(2, 2, 2, 32, 40))


def test_micromanager_with_a_hole(tmp_path: Path) -> None:
    path, data = tmp_path / "x_MMStack_Pos0.tif", pixels((11, 32, 40))
    write_micromanager(path, [*ROWS[:5], *ROWS[6:]], SUMMARY, data)
    with pytest.warns(FerryWarning, match="lacks 1 of 12"):
        (image,) = imload(path)
    whole_image = np.asarray(image.array).reshape(12, 32, 40)
    assert not whole_image[5].any()
    assert_same_pixels(np.delete(whole_image, 5, 0), data)


def test_ndtiff_with_its_index(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "corpus/tiff/NDTiffStorage__ndtiff3.2_11bit_NDTiffStack.tif"
    path = tmp_path / "a_NDTiffStack.tif"
    path.write_bytes(source.read_bytes())
    with tifffile.TiffFile(path) as tif:
        starts = [page.dataoffsets[0] for page in tif.pages]
        expected = tif.pages[3].asarray()
    index = b""
    for i, start in enumerate(starts):
        axes = json.dumps({"time": i % 5, "channel": i // 5}).encode()
        name = path.name.encode()
        index += struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(name)) + name
        index += struct.pack("<8I", start, 64, 64, 4, 0, 0, 0, 0)
    (tmp_path / "NDTiff.index").write_bytes(index)

    (image,) = imload(path)
    assert_like_tifffile(path, [image])
    assert image.size("t") * image.size("c") == 10
    place = tuple({"t": 3, "c": 0}[name] for name in image.axis_names[:2])
    assert_same_pixels(np.asarray(image.array[place]), expected)


def test_a_single_channel_keeps_its_name_and_color(tmp_path: Path) -> None:
    path, data = tmp_path / "x_MMStack_Pos0.tif", pixels((3, 32, 40))
    summary = {**SUMMARY, "Slices": 1, "Channels": 1, "ChNames": ["GFP"], "ChColors": [65280]}
    write_micromanager(path, [(0, 0, t, 0) for t in range(3)], summary, data)
    (image,) = imload(path)
    assert image.axis_names == ("t", "y", "x")
    assert (image.name, image.metadata["channel"]) == ("x_MMStack_Pos0", "GFP")
    assert image.display["colormap"] == "#00ff00"

    imsave(image, tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert 'Name="GFP"' in (tif.ome_metadata or "")
    (again,) = imload(tmp_path / "a.ome.tif")
    assert (again.name, again.metadata["channel"]) == ("x_MMStack_Pos0", "GFP")
    imsave(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert (tif.imagej_metadata or {})["Labels"] == ["GFP"] * 3
    assert imload(tmp_path / "a.tif")[0].metadata["channel"] == "GFP"
