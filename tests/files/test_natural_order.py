"""Natural order of names."""

from __future__ import annotations

import random

import pytest

from napari_ferry.files.natural_order import natural_keys, natural_sorted, single_numbers

ORDERS = [
    "i1.tif I2.tif i9.tif i10.tif",
    "t_0.25s.tif t_0.5s.tif t_0.75s.tif t_1.0s.tif t_1.25s.tif",
    "z0.5um z1.25um z1.5um z10.0um",
    "z-10um z-5um z0um z5um z10um",
    "z-1.5 z-0.5 z0.5",
    "z-5 z+0 z+5",
    "z\N{MINUS SIGN}5 z0",
    "x_-10 x_-9 x_-1",
    "x-1_y-1 x-1_y0 x0_y-1 x0_y0",
    "0,125 0,25 0,5",
    "c1e-04 c5e-04 c1e-03 c1 c2e+01",
    "c1.5e-4 c2e-4 c1e-3",
    "d5e2 d1e3 d2e3",
    # a hyphen before each number separates, as in dates
    "a-1 a-2 a-10",
    "2024-01-02_9 2024-01-02_10 2024-01-15_1",
    "2024.01.02 2024.01.15 2024.2.1",
    # a point between two counters
    "s1.1 s1.2 s1.9 s1.10 s1.11 s2.1",
    # rows and columns of plates are not exponents
    "p1d02 p1d03 p1e02 p1e03 p1f02",
]


@pytest.mark.parametrize("names", ORDERS)
def test_numbers_in_names_are_sorted_by_value(names: str) -> None:
    expected = names.split()
    for seed in range(3):
        shuffled = random.Random(seed).sample(expected, len(expected))
        assert natural_sorted(shuffled) == expected


def test_keys_of_equal_numbers_are_equal() -> None:
    first, second = natural_keys(["a1", "a01"])
    assert first == second
    assert natural_sorted([]) == natural_keys([]) == []
    assert natural_sorted([("b", 2), ("a10", 1), ("a9", 0)], lambda pair: pair[0])[0] == ("a9", 0)


@pytest.mark.parametrize("names", [names.split() for names in ORDERS])
def test_single_numbers_have_the_order_of_the_keys(names: list[str]) -> None:
    ordered = [f"{name}.tif" for name in names]
    numbers = single_numbers(ordered)
    assert numbers in ([], sorted(set(numbers)))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ("i1.tif i02.tif i10.tif", [1, 2, 10]),
        ("image1 image2", [1, 2]),
        ("c1_001_a.tif c1_020_a.tif", [1, 20]),
        ("7 8", [7, 8]),
        ("z-1 z-2", []),
        ("z_-1 z_-2", []),
        ("z1.1 z1.2", []),
        ("z1e1 z1e2", []),
        ("a1.tif a2.png", []),
        ("a1.tif A2.tif", []),
        ("a1.tif a.tif", []),
        ("a1b2 a2b1", []),
        ("a1.tif a1.tif", []),
        ("a\u00b21 a\u00b22", []),
        ("a.tif", []),
        ("", []),
    ],
)
def test_names_that_differ_only_in_a_whole_number(names: str, numbers: list[int]) -> None:
    assert single_numbers(names.split()) == numbers
