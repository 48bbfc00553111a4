"""What the axes of an array are called and mean, and the channels along ``c``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_ferry.arguments import is_real, is_text
from napari_ferry.errors import FerryWarning, InvalidImageError
from napari_ferry.units import is_uncalibrated, known_unit

COLOR_SAMPLES = (3, 4)
"""Possible lengths of the axis ``s``: RGB and RGBA."""

DEFAULT_AXES = "tczyx"
"""Names given to axes that nobody named, by rank: ``yx``, ``tyx``, ``tzyx``, ``tczyx``."""


@dataclass(frozen=True)
class Axis:
    """One axis of an image.

    Parameters
    ----------
    name : str
        ``t c z y x``, ``s`` for the samples of a color, or any other name.
    scale : float
        Distance between neighbors along the axis, in `unit`.
    unit : str, optional
        Unit in any common spelling (``um``, ``µm``, ``s``, ``ms``, ``Second``). It is kept as the
        full NGFF name (``micrometer``, ``second``). Units that are neither a length nor a time,
        such as ``degree``, have the name that pint gives them. ``None``, like ``pixel``, when there
        is no unit.
    translation : float
        Position of index 0, in `unit`.

    Raises
    ------
    InvalidImageError
        A scale or translation that is no number, a name or unit that is no text, or a unit that is
        not known.

    Examples
    --------
    >>> Axis("t", 20, "ms").unit, Axis("x", 0.5, "um").unit
    ('millisecond', 'micrometer')
    """

    name: str
    scale: float = 1.0
    unit: str | None = None
    translation: float = 0.0

    def __post_init__(self) -> None:
        for key, number in (("scale", self.scale), ("translation", self.translation)):
            if not is_real(number):
                raise InvalidImageError(
                    f"The {key} of axis {self.name} is {number!r}: give a number."
                )
        for key, word in (("name", self.name), ("unit", "" if self.unit is None else self.unit)):
            if not is_text(word):
                raise InvalidImageError(
                    f"The {key} of axis {self.name} is {word!r}: give a word, such as 't' or "
                    "'micrometer'."
                )
        if self.unit is not None:
            object.__setattr__(self, "unit", _to_unit(self.name, self.unit))


def read_unit(word: str, what: str) -> str | None:
    """Return the name of the unit that a file or an object gives, or warn and return ``None``.

    Parameters
    ----------
    word : str
        The unit as it is written there.
    what : str
        What has that unit, for the warning.

    Warns
    -----
    FerryWarning
        The unit is not known.
    """
    unit = known_unit(word)
    if unit is None and not is_uncalibrated(word):
        said = (
            f"{what} has the unit {word[:40]!r}, which is not known: it is opened without a unit."
        )
        warnings.warn(said, FerryWarning, stacklevel=2)
    return unit


def _to_unit(name: str, word: str) -> str | None:
    """Return the name of the unit of an axis, ``None`` for pixels; refuse an unknown word."""
    unit = known_unit(word)
    if unit is None and not is_uncalibrated(word):
        raise InvalidImageError(
            f"The unit of axis {name} is {word!r}, which is not known: give a length or a time, "
            "such as 'micrometer' (um), 'nanometer' (nm), 'second' (s) or 'millisecond' (ms), or "
            "None."
        )
    return unit


@dataclass(frozen=True)
class Channel:
    """One channel: its name, its color as ``#rrggbb``, and the (low, high) values shown."""

    name: str | None = None
    color: str | None = None
    contrast_limits: tuple[float, float] | None = None

    def to_display(self) -> dict[str, Any]:
        """Return how an image of this channel alone is shown, as `Image.display` has it."""
        shown: dict[str, Any] = {"colormap": self.color} if self.color else {}
        if self.contrast_limits:
            shown["contrast_limits"] = list(self.contrast_limits)
        return shown


def frame_ndim(axes: Sequence[Axis]) -> int:
    """Return the number of axes of a frame: y and x, and the samples ``s`` of a color."""
    return 3 if axes[-1].name == "s" else 2


def default_axes(ndim: int) -> tuple[str, ...]:
    """Return the names given to `ndim` axes that nobody named.

    >>> default_axes(3), default_axes(4), default_axes(6)
    (('t', 'y', 'x'), ('t', 'z', 'y', 'x'), ('d0', 't', 'c', 'z', 'y', 'x'))
    """
    known = {2: "yx", 3: "tyx", 4: "tzyx"}.get(ndim, DEFAULT_AXES)
    return (*(f"d{i}" for i in range(ndim - len(known))), *known)


def given_axes(axes: object) -> tuple[str, ...]:
    """Return names of axes in lower case, as they were given in one word or one by one.

    Raises
    ------
    InvalidImageError
        Something that is no text.
    """
    names = tuple(axes) if isinstance(axes, Sequence) else (axes,)
    if isinstance(axes, bytes) or not all(isinstance(name, str) for name in names):
        raise InvalidImageError(f"The axes are {axes!r}: give one name for each, such as 'tyx'.")
    return tuple(name.lower() for name in names)


def limits_of(display: object) -> tuple[float, float] | None:
    """Return the contrast limits that a display says, sound or not; ``None`` if no pair."""
    limits = display.get("contrast_limits") if isinstance(display, Mapping) else None
    if not isinstance(limits, Sequence) or len(limits) != 2 or not all(map(is_real, limits)):
        return None
    try:
        return float(limits[0]), float(limits[1])
    except OverflowError:  # JSON has longer whole numbers than floats
        return None
