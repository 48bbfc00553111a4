"""Natural order of names: 2 before 10, 0.25 before 0.5, -5 before 0, 1e-3 before 1.

Whether a point or a hyphen belongs to a number depends on the other names: ``1.9`` and ``1.10`` are
counted, ``0.25`` and ``0.5`` are measured. ``a-1`` and ``a-2`` have a hyphen before each number,
``z-5`` and ``z5`` a sign before one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any, TypeVar

_DIGITS = re.compile(r"(\d+)")
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d{1,2}(?!\d))?)")
_UNUSUAL = re.compile(r"[+-]\d|\d[.,]\d|\de[+-]?\d")
"""Characters next to digits that may belong to a number."""

_NUMBER_BEGINS = re.compile(r"([+-]|\d[.,eE])\Z")
"""Characters before digits that may belong to their number."""

_UP_TO_DIGITS = re.compile(r"\A.*\d", re.DOTALL)
"""A text up to its last digit."""

_BEFORE_SIGN = ("_", " ", "=", "(", "[")
"""Separators after which a sign is not another separator."""

_MINUS = "\N{MINUS SIGN}"

_Item = TypeVar("_Item")


def natural_sorted(items: Iterable[_Item], name: Callable[[_Item], str] = str) -> list[_Item]:
    """Sort items by their names in natural order.

    Parameters
    ----------
    items : iterable
        The items.
    name : callable, optional
        Returns the name of an item; by default its text.

    Examples
    --------
    >>> natural_sorted(["a10", "a2", "b1"])
    ['a2', 'a10', 'b1']
    >>> natural_sorted(["z0.5", "z-1", "z0.25"])
    ['z-1', 'z0.25', 'z0.5']
    """
    listed = list(items)
    names = [name(item) for item in listed]
    keys = single_numbers(names) or natural_keys(names)
    return [listed[i] for i in sorted(range(len(listed)), key=keys.__getitem__)]


def single_numbers(names: Sequence[str]) -> list[int]:
    """Return the numbers of names that differ only in a whole number; empty for other names.

    They have the order of the natural keys, and are found in a fraction of the time.

    >>> single_numbers(["cell2.tif", "cell10.tif"]), single_numbers(["z0.5.tif", "z0.25.tif"])
    ([2, 10], [])
    """
    if not names:
        return []
    text = "\0".join(names)  # one long text is split faster than many short ones
    start = os.path.commonprefix(names).rstrip("0123456789")  # noqa: RUF071 - characters are wanted
    if not text.isascii() or _NUMBER_BEGINS.search(start):
        return []
    end = _UP_TO_DIGITS.sub("", names[0])
    numbers = text[len(start) : len(text) - len(end)].split(f"{end}\0{start}")
    is_number = all(numbers) and "".join(numbers).isdecimal() and names[-1].endswith(end)
    return [*map(int, numbers)] if is_number and len(numbers) == len(names) else []


def natural_keys(names: Sequence[str]) -> list[list[Any]]:
    """Return a sort key for each of some names, in any case, without their common beginning.

    Returns
    -------
    list of list
        Words and numbers in turn; the first is a word, which may be empty.

    Examples
    --------
    >>> natural_keys(["cell10 b", "cell2"])
    [['', 10, ' b'], ['', 2, '']]
    """
    if not names:
        return []
    # one long text is faster than many short ones; no name contains a null character
    lower = "\0".join(names).lower().replace(_MINUS, "-").split("\0")
    start = _common_length(lower)
    lower = [name[start:] for name in lower]
    if not _UNUSUAL.search("\0".join(lower)):
        return [_whole_numbers(name) for name in lower]

    # names of one shape differ only in their numbers
    shapes: dict[tuple[str, ...], list[int]] = {}
    split = [_NUMBER.split(name) for name in lower]
    for i, parts in enumerate(split):
        shapes.setdefault(tuple(parts[::2]), []).append(i)

    keys: list[list[Any]] = [[]] * len(names)
    for words, members in shapes.items():
        columns = list(zip(*(split[i] for i in members), strict=True))[1::2]
        read = [
            _read_column(word, set(column), len(shapes) == 1)
            for word, column in zip(words, columns, strict=False)
        ]
        for i in members:
            keys[i] = _key(split[i], read) if any(read) else _whole_numbers(lower[i])
    return keys


def _common_length(names: Sequence[str]) -> int:
    """Return the length of the common beginning of names, before their first number."""
    common = os.path.commonprefix(names)  # noqa: RUF071 - characters are wanted
    words = common.rstrip("0123456789.,e+-")
    if words.endswith(_BEFORE_SIGN):
        return len(words) - 1  # the separator is needed to recognize a sign
    has_hyphen = words and common[len(words) :].startswith(("+", "-"))
    return len(words) + 1 if has_hyphen else len(words)


def _whole_numbers(text: str) -> list[Any]:
    """Split a text at its digits; the first item is a word."""
    key: list[Any] = _DIGITS.split(text)
    key[1::2] = map(int, key[1::2])
    return key


def _key(parts: Sequence[str], columns: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Join words with the numbers between them; a column without values has whole numbers."""
    key: list[Any] = [parts[0]]
    for column, token, word in zip(columns, parts[1::2], parts[2::2], strict=True):
        first, *numbers, last = ["", column[token], ""] if column else _whole_numbers(token)
        key[-1] += first
        key += [*numbers, last + word]
    return key


def _read_column(word: str, tokens: Set[str], is_only: bool) -> dict[str, int | Decimal]:
    """Interpret the numbers at one place of names of one shape.

    Parameters
    ----------
    word : str
        The text before them.
    tokens : set of str
        The numbers as they are written.
    is_only : bool
        True if all names have this shape, so that ``1e3`` is not a row and column.

    Returns
    -------
    dict of str to number
        The number of each; empty for whole numbers without a sign.
    """
    if len(tokens) == 1 or not any(map(_UNUSUAL.search, tokens)):
        return {}
    signs = {token[0] if token[0] in "+-" else "" for token in tokens}
    has_signs = signs != {""} and (len(signs) > 1 or word.endswith(_BEFORE_SIGN))
    read = {token: token.replace(",", ".").lstrip("" if has_signs else "+-") for token in tokens}

    numbers = {text.lstrip("+-") for text in read.values()}
    has_points = _are_decimals({number.partition("e")[0] for number in numbers})
    has_exponents = all(_is_exponent(number, is_only) for number in numbers)
    is_plain = not has_signs and all(map(str.isdecimal, numbers))
    if is_plain or not has_points or not has_exponents:
        return {}
    return {token: _to_number(text) for token, text in read.items()}


def _to_number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text or "e" in text else int(text)


def _are_decimals(numbers: Iterable[str]) -> bool:
    """Return True if points separate fractions, not two counters such as 1.9 and 1.10."""
    fractions = []
    for number in numbers:
        whole, *rest = number.split(".")
        if len(rest) > 1 or (rest and len(whole) > 1 and whole.startswith("0")):
            return False
        fractions += rest
    is_even = len({len(fraction) for fraction in fractions}) == 1
    return is_even or not any(len(f) > 1 and f.endswith("0") for f in fractions)


def _is_exponent(number: str, is_only: bool) -> bool:
    """Return True unless an ``e`` in a number may be a letter."""
    _, mark, exponent = number.partition("e")
    return not mark or exponent[0] in "+-" or (is_only and not exponent.startswith("0"))
