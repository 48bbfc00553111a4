"""Names of TIFF files: parts of a series, and stems."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_ferry.codecs.tiff.names import PartName, stem_of


def test_a_part_name_has_series_number_and_suffix():
    name = PartName.of(Path("a_b_00012.OME.tif"))
    assert name == ("a_b", 12, ".OME.tif")
    assert name.series == ("a_b", ".ome.tif")
    assert name.sibling(Path("x/y.tif"), 3) == Path("x/a_b_00003.OME.tif")


@pytest.mark.parametrize("name", ["a.tif", "a_0001.tif", "00001.tif", "a_00001.png"])
def test_other_names_are_not_parts(name):
    assert PartName.of(Path(name)) is None


def test_stems_exclude_the_whole_suffix():
    assert stem_of(Path("a.b.OME.TIFF")) == "a.b"
    assert stem_of(Path("a.b.tif")) == "a.b"
