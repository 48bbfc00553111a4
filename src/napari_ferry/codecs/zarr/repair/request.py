"""Values given by the user: names of axes, scales, units and a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_ferry.arguments import is_finite
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.image.axes import parse_axes
from napari_ferry.units import SECONDS

_SPACE = ("z", "y", "x")


@dataclass(frozen=True, kw_only=True)
class Request:
    """Request of the user: the values and options of a repair.

    Parameters
    ----------
    axes : str, optional
        Names of the axes.
    scale : str, optional
        Numbers for the axes, separated by commas, with or without their names.
    unit : str, optional
        A unit, or several with the names of their axes.
    name : str, optional
        Name of the image.
    averaged : bool
        True if levels are averages of pixels according to the user.
    ome : bool
        True to make plain arrays an image of OME-Zarr.
    """

    axes: str | None = None
    scale: str | None = None
    unit: str | None = None
    name: str | None = None
    averaged: bool = False
    ome: bool = False

    def axis_names(self, ndim: int) -> tuple[str, ...] | None:
        """Return the names for an image with `ndim` axes, or ``None`` if they do not apply.

        Labels have the axes of their image, often without channels.

        Raises
        ------
        InvalidImageError
            A name is given twice.
        """
        if self.axes is None:
            return None
        names = parse_axes(self.axes.replace(" ", "").split(",") if "," in self.axes else self.axes)
        if len(set(names)) < len(names) or not all(names):
            raise InvalidImageError(
                f"The axes are {self.axes!r}: give a different name for each axis, such as tzyx."
            )
        if len(names) == ndim + 1:
            names = tuple(name for name in names if name != "c")
        return names if len(names) == ndim else None

    def calibration(self, names: Sequence[str]) -> Calibration:
        """Return scales and units by axis, given the axes of the first image.

        Raises
        ------
        InvalidImageError
            They are not numbers and units of these axes.
        """
        return Calibration(_parse_scales(self.scale, names), _parse_units(self.unit, names))


@dataclass(frozen=True)
class Calibration:
    """Scales and units given by the user, by the name of the axis."""

    scales: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def _parse_scales(text: str | None, names: Sequence[str]) -> dict[str, float]:
    pairs = _split(text, names, "scale", "z=2,y=0.5,x=0.5")
    scales = {}
    for name, word in pairs.items():
        try:
            scale = float(word)
        except ValueError:
            scale = 0.0
        if not is_finite(scale) or scale == 0:
            raise InvalidImageError(
                f"The scale of axis {name} is {word!r}: give a number other than 0, such as 0.5."
            )
        scales[name] = scale
    return scales


def _parse_units(text: str | None, names: Sequence[str]) -> dict[str, str]:
    if text is not None and "=" not in text and "," not in text:
        unit = Axis("x", 1.0, text).unit
        chosen = ("t",) if unit in SECONDS else _SPACE
        pairs = {name: text for name in names if name in chosen}
    else:
        pairs = _split(text, names, "unit", "t=second,y=um,x=um")
    found = {name: Axis(name, 1.0, word).unit for name, word in pairs.items()}
    return {name: unit for name, unit in found.items() if unit is not None}


def _split(text: str | None, names: Sequence[str], what: str, example: str) -> dict[str, str]:
    """Return the text for each axis, from ``z=2,y=1`` or from one value for each axis."""
    if text is None:
        return {}

    words = [word.strip() for word in text.split(",")]
    if all("=" in word for word in words):
        parts = [word.partition("=") for word in words]
        pairs = {name.strip().lower(): value for name, _, value in parts}
    elif len(words) == len(names) and not any("=" in word for word in words):
        pairs = dict(zip(names, words, strict=True))
    else:
        pairs = {"": ""}

    if not set(pairs) <= {*names}:
        raise InvalidImageError(
            f"The {what} is {text!r}, but the axes are {' '.join(names)}: give a value for each of "
            f"them, or by name, such as {example}."
        )
    return pairs
