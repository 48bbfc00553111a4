"""Sets of OME-TIFF files in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.codecs.tiff.images import ome_files
from napari_ferry.errors import FerryWarning
from tiff_files import GRAY, ome_set, write_ome_set


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../../etc/passwd", "..\\x.tif", "sub/a.tif"]
)
def test_a_file_outside_the_folder_is_never_opened(name: str, tmp_path: Path) -> None:
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        'SizeC="1" SizeT="2"><TiffData IFD="0" FirstT="0" PlaneCount="1"/><TiffData IFD="0" '
        f'FirstT="1" PlaneCount="1"><UUID FileName="{name}">urn:uuid:x</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    (tmp_path / "sub").mkdir()
    tifffile.imwrite(tmp_path / "sub" / "a.tif", pixels((6, 7)))
    path = tmp_path / "cells.ome.tif"
    data = pixels((6, 7))
    tifffile.imwrite(path, data, description=xml, metadata=None)

    with pytest.warns(FerryWarning, match="is missing from the folder"):
        (image,) = imload(path)
    whole = np.asarray(image.array).reshape(2, 6, 7)
    assert_same_pixels(whole, np.stack([data, np.zeros_like(data)]))


@pytest.mark.parametrize("metadata_file", ["s.companion.ome", "s_0.ome.tif"])
def test_any_file_of_a_set_opens_the_whole(metadata_file: str, tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    for path in write_ome_set(tmp_path, metadata_file, data):
        (image,) = imload(path)
        assert_same_pixels(np.asarray(image.array).squeeze(), data)


@pytest.mark.parametrize("name", ["../s.companion.ome", "/etc/passwd", "gone.ome"])
def test_a_description_elsewhere_is_not_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / "s.companion.ome").write_text(ome_set(["s_0.ome.tif"]), "utf-8")
    (tmp_path / "in").mkdir()
    path = write_ome_set(tmp_path / "in", name, pixels((1, 20, 30)))[0]
    with pytest.warns(FerryWarning, match="is missing"):
        (image,) = imload(path)
    assert image.axis_names == ("y", "x")


def test_a_description_without_files_is_ignored(tmp_path: Path) -> None:
    path = write_ome_set(tmp_path, "s.companion.ome", pixels((1, 20, 30)))[0]
    text = ome_set(["s_0.ome.tif"])
    (tmp_path / "s.companion.ome").write_text(text.replace("<UUID", "<X").replace("/UUID", "/X"))
    with pytest.warns(FerryWarning, match="opened as they are"):
        (image,) = imload(path)
    assert_same_pixels(image.array, pixels((1, 20, 30))[0])


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    data = pixels((5, 20, 30))
    paths = write_ome_set(tmp_path, "s_0.ome.tif", data)
    for path in (paths[1], paths[3]):
        path.unlink()
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(paths[0])
    assert [str(w.message).count("s_1.ome.tif, s_3.ome.tif") for w in caught] == [1]
    found = np.asarray(image.array).squeeze()
    assert not found[[1, 3]].any()
    assert_same_pixels(found[[0, 2, 4]], data[[0, 2, 4]])


@pytest.mark.parametrize("options", [GRAY, {**GRAY, "compression": "zlib"}], ids=["raw", "zlib"])
def test_surplus_pages_of_any_file_of_a_set_are_counted(
    options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((4, 20, 30))
    paths = write_ome_set(tmp_path, "s_0.ome.tif", data)
    other = tifffile.tiffcomment(paths[2])
    tifffile.imwrite(paths[2], pixels((3, 20, 30)), description=other, **options)
    with pytest.warns(FerryWarning, match="describes 4 of the 6 pages of its 4 files: the other 2"):
        (image,) = imload(paths[0])
    assert image.size("t") == 4


def test_files_that_are_not_counted_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ome_files, "_MAX_COUNTED", 1)
    paths = write_ome_set(tmp_path, "s_0.ome.tif", pixels((4, 20, 30)))
    for path in paths[1:]:
        text = tifffile.tiffcomment(path)
        tifffile.imwrite(path, pixels((2, 20, 30)), description=text, **GRAY)
    sentence = r"4 of the 5 pages of its 4 files \(2 large files were not counted\)"
    with pytest.warns(FerryWarning, match=sentence):
        imload(paths[0])
