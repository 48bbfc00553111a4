"""Names of TIFF files: parts of a series, gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_ferry.codecs.tiff.names import PartName, find_gap, stem_of


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


@pytest.mark.parametrize(
    ("numbers", "gap"),
    [
        ("1 2 3 4", None),
        ("1 2 4 5", (2, 4)),
        ("0 5 10 20 25", (10, 20)),
        ("1 2 3 9", None),
        ("1 2 4", (2, 4)),
        ("1 2 10", None),
        ("7 19 20 55", None),  # times of recording
        ("1 3", None),
        ("0.25 0.5 0.75 1.0", None),
        ("0.25 0.5 1.0 1.25", (0.5, "1.0")),
        ("-2 -1 1 2", (-1, 1)),
    ],
)
def test_gaps_are_found(numbers, gap):
    names = [f"img_{number}.tif" for number in numbers.split()]
    expected = gap and (f"img_{gap[0]}.tif", f"img_{gap[1]}.tif")
    assert find_gap(names) == expected


def test_a_duplicate_number_is_a_gap():
    assert find_gap(["a1.tif", "a01.tif", "a2.tif"]) == ("a1.tif", "a01.tif")
    assert find_gap(["a1.tif", "b1.tif", "b2.tif"]) is None
