"""Values of options by the names of axes, such as ``z=2,y=0.5um``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from napari_ferry.errors import InvalidImageError

_QUANTITY = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([^\W\d_]*)\s*", re.IGNORECASE
)
"""A number and the unit after it."""


def split_axes(flag: str, texts: Sequence[str], example: str) -> dict[str, str]:
    """Return the value of each axis, by its name in lower case.

    Parameters
    ----------
    flag : str
        The option, for messages.
    texts : sequence of str
        Pairs ``axis=value``, separated by commas or spaces.
    example : str
        Valid value, for messages.

    Raises
    ------
    InvalidImageError
        A text is not such a pair, or an axis is given twice.

    >>> split_axes("--crop", ["y=10:200, x=:5", "C=0"], "y=0:9")
    {'y': '10:200', 'x': ':5', 'c': '0'}
    """
    values: dict[str, str] = {}
    for pair in re.split(r"[,\s]+", " ".join(texts).strip()):
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InvalidImageError(
                f"{flag} {' '.join(texts)} is not of the form AXIS=VALUE: give the name of each "
                f"axis, such as {flag} {example}."
            )
        if name.lower() in values:
            raise InvalidImageError(f"{flag} gives axis {name.lower()} twice: give it once.")
        values[name.lower()] = value
    return values


def parse_quantity(flag: str, text: str) -> tuple[float, str | None]:
    """Return a number and the unit after it, or ``None`` for no unit.

    Raises
    ------
    InvalidImageError
        It is something else.

    >>> parse_quantity("--scale", "0.5um"), parse_quantity("--scale", "2")
    ((0.5, 'um'), (2.0, None))
    """
    found = _QUANTITY.fullmatch(text)
    if found is None or not math.isfinite(float(found[1])):
        raise InvalidImageError(
            f"{flag} has the value {text!r}: give a number, with or without a unit, such as 0.5um."
        )
    return float(found[1]), found[2] or None


def refuse_unknown(flag: str, given: Mapping[str, object], images: Sequence[Sequence[str]]) -> None:
    """Refuse an axis missing from all images.

    Parameters
    ----------
    flag : str
        The option, for messages.
    given : mapping of str to object
        Values by the names of axes.
    images : sequence of sequence of str
        Names of the axes of each image.

    Raises
    ------
    InvalidImageError
        No image has the axis.
    """
    known = list(dict.fromkeys(name for names in images for name in names))
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise InvalidImageError(
            f"{flag} names axis {unknown}, but the axes are {' '.join(known)}: name one of these, "
            "or rename them with --axes."
        )
