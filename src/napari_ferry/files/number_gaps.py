"""Gaps in the numbers of files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from napari_ferry.files.natural_order import natural_keys, single_numbers


class Gap(NamedTuple):
    """Names before and after a gap, or two names with one number."""

    before: str
    after: str


def find_gap(names: Sequence[str]) -> Gap | None:
    """Find the first gap or duplicate among numbered names.

    Names with a constant step between their numbers have a gap at any larger step, if at least two
    thirds of the names exist. Names without a constant step, such as times of recording, have no
    gaps. Names that differ only in spelling, such as ``a1`` and ``a01``, are duplicates.

    Parameters
    ----------
    names : sequence of str
        In natural order.

    >>> find_gap(["f1.tif", "f2.tif", "f4.tif", "f5.tif"])
    Gap(before='f2.tif', after='f4.tif')
    >>> find_gap(["f0.tif", "f10.tif", "f20.tif"]) is None
    True
    """
    if len(names) < 3:
        return None
    extension = os.path.splitext(names[0])[1]  # noqa: PTH122 - of names
    numbers = [] if any(map(str.isdigit, extension)) else single_numbers(names)
    if numbers:
        return _find_in(numbers, names)

    keys = natural_keys([os.path.splitext(name)[0] for name in names])  # noqa: PTH122 - of names
    if len({len(key) for key in keys}) > 1:
        return None
    duplicate = next((i for i, (a, b) in enumerate(pairwise(keys)) if a == b), None)
    if duplicate is not None:
        return _around(duplicate, names)
    # only names that differ in a single number are numbered
    varying = [column for column in zip(*keys, strict=True) if len(set(column)) > 1]
    if len(varying) != 1 or isinstance(varying[0][0], str):
        return None
    return _find_in(varying[0], names)


def _find_in(numbers: Sequence[Any], names: Sequence[str]) -> Gap | None:
    """Find the first gap or duplicate in ascending numbers."""
    steps = [b - a for a, b in pairwise(numbers)]
    counts = Counter(steps)
    if 0 in counts:
        return _around(steps.index(0), names)
    usual = counts.most_common(1)[0][0]
    missing = (numbers[-1] - numbers[0]) / usual - len(steps)
    if usual != min(steps) or 2 * missing >= len(names):
        return None
    gap = next((i for i, step in enumerate(steps) if step != usual), None)
    return None if gap is None else _around(gap, names)


def _around(step: int, names: Sequence[str]) -> Gap:
    """Return the names before and after a step."""
    return Gap(names[step], names[step + 1])
