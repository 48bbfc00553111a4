"""Gaps in the numbers of files."""

import pytest

from napari_ferry.files.number_gaps import find_gap


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


def test_names_with_different_counts_of_numbers_have_no_gaps():
    assert find_gap(["a1.tif", "a1b2.tif", "a9.tif"]) is None


def test_a_duplicate_number_is_a_gap():
    assert find_gap(["a1.tif", "a01.tif", "a2.tif"]) == ("a1.tif", "a01.tif")
    assert find_gap(["a1.tif", "b1.tif", "b2.tif"]) is None


def test_whole_numbers_and_fractions_are_compared() -> None:
    assert find_gap(["z1.tif", "z2.tif", "z3.tif", "z4.tif", "z4.5.tif"]) is None
    assert find_gap(["z1.tif", "z2.tif", "z3.tif", "z4.tif", "z5.5.tif"]) == ("z4.tif", "z5.5.tif")
