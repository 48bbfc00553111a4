"""Names of files that count with several numbers, such as ``roi0_frame2``."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from napari_ferry.files.natural_order import single_numbers

_DIGITS = re.compile(r"(\d+)")

_FIELDS = "tijk"
"""Fields of a pattern, for the last number first."""

_FRACTIONS = {".", ","}
"""Separators between a number and its fraction."""


class NumberGrid(NamedTuple):
    """Files for each combination of several numbers.

    Parameters
    ----------
    sizes : tuple of int
        Count of the values of each number.
    pattern : str
        The common name, with a field such as ``{t}`` for each of these numbers.
    """

    sizes: tuple[int, ...]
    pattern: str

    def joined_as_one(self, name: str) -> str:
        """Return a clause about files that are opened as one stack, given the name of the first."""
        lengths = " x ".join(map(str, self.sizes))
        return (
            f"The names of {math.prod(self.sizes)} files such as {name} count with "
            f"{len(self.sizes)} numbers, {lengths}: they are opened as one stack in the order of "
            "their names"
        )


def find_grid(names: Sequence[str]) -> NumberGrid | None:
    """Find two to four numbers of which the names have each combination once.

    Parameters
    ----------
    names : sequence of str
        Names of files with their suffix.

    Examples
    --------
    >>> find_grid([f"roi{i}_f{k}.tif" for i in range(2) for k in range(3)])
    NumberGrid(sizes=(2, 3), pattern='roi{i}_f{t}.tif')
    >>> find_grid(["f1.tif", "f2.tif", "f3.tif", "f4.tif"]) is None
    True
    """
    if len(names) < 4 or single_numbers(names):
        return None
    parts = [_DIGITS.split(os.path.splitext(name)[0]) for name in names]  # noqa: PTH122 - of names
    if len({tuple(words[::2]) for words in parts}) > 1:
        return None

    numbers = {k: column for k, column in enumerate(zip(*parts, strict=True)) if k % 2}
    varying = {k: [*map(int, column)] for k, column in numbers.items() if len(set(column)) > 1}
    sizes = tuple(len(set(column)) for column in varying.values())
    is_grid = len(set(zip(*varying.values(), strict=True))) == len(names) == math.prod(sizes)
    has_fraction = any(k + 2 in varying and parts[0][k + 1] in _FRACTIONS for k in varying)
    if not 2 <= len(sizes) <= len(_FIELDS) or not is_grid or has_fraction:
        return None

    pattern = parts[0].copy()
    for k, field in zip(reversed(varying), _FIELDS, strict=False):
        pattern[k] = f"{{{field}}}"
    return NumberGrid(sizes, "".join(pattern) + os.path.splitext(names[0])[1])  # noqa: PTH122
