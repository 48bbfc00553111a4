"""Names, scales and units of axes, and the channels along ``c``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from napari_ferry.arguments import fraction_to_float, is_real, is_text
from napari_ferry.arrays.array_protocol import Array, check_array
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.units import is_uncalibrated, known_unit

COLOR_SAMPLES = (3, 4)
"""Possible lengths of the axis ``s``: RGB and RGBA."""

DEFAULT_AXES = "tczyx"
"""Default names of axes, by their number: ``yx``, ``tyx``, ``tzyx``, ``tczyx``."""

LABELS = "labels"
"""Key of `Image.metadata`: labels along axes, as lists of texts by the names of the axes."""


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
        Unit in any common spelling (``um``, ``µm``, ``s``, ``ms``, ``Second``), which is replaced
        by its full NGFF name (``micrometer``, ``second``). Units other than lengths and times,
        such as ``degree``, have their names in pint. ``None`` or ``pixel`` for no unit.
    translation : float
        Position of index 0, in `unit`.

    Raises
    ------
    InvalidImageError
        A scale or translation is not a number, a name or unit is not a string, or a unit is
        unknown.

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
        object.__setattr__(self, "scale", fraction_to_float(self.scale))
        object.__setattr__(self, "translation", fraction_to_float(self.translation))
        if not (is_real(self.scale) and is_real(self.translation)):
            key = "translation" if is_real(self.scale) else "scale"
            number = self.translation if key == "translation" else self.scale
            raise InvalidImageError(f"The {key} of axis {self.name} is {number!r}: give a number.")

        if not (is_text(self.name) and (self.unit is None or is_text(self.unit))):
            key = "unit" if is_text(self.name) else "name"
            word = self.unit if key == "unit" else self.name
            raise InvalidImageError(
                f"The {key} of axis {self.name} is {word!r}: give a word, such as 't' or "
                "'micrometer'."
            )
        if self.unit is not None:
            object.__setattr__(self, "unit", _to_unit(self.name, self.unit))


def read_unit(word: str, subject: str) -> str | None:
    """Return the name of a unit from a file or an object; warn and return ``None`` if unknown.

    Parameters
    ----------
    word : str
        The unit in any spelling.
    subject : str
        Owner of the unit, for the warning.

    Warns
    -----
    FerryWarning
        The unit is unknown.
    """
    unit = known_unit(word)
    if unit is None and not is_uncalibrated(word):
        message = (
            f"{subject} has the unit {word[:40]!r}, which is not known: it is opened without a "
            "unit."
        )
        warn(message)
    return unit


def _to_unit(name: str, word: str) -> str | None:
    """Return the name of the unit of an axis, or ``None`` for pixels; refuse an unknown unit."""
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
    """One channel: its name, color as ``#rrggbb``, and contrast limits (low, high).

    Examples
    --------
    >>> Channel("GFP", "#00ff00", (100.0, 4000.0)).name
    'GFP'
    """

    name: str | None = None
    color: str | None = None
    contrast_limits: tuple[float, float] | None = None

    NAME_KEY: ClassVar[str] = "channel"
    """Key of `Image.metadata`: name of the channel of an image without an axis ``c``."""

    def to_display(self) -> dict[str, Any]:
        """Return the `Image.display` of an image of this channel alone."""
        display: dict[str, Any] = {"colormap": self.color} if self.color else {}
        if self.contrast_limits:
            display["contrast_limits"] = list(self.contrast_limits)
        return display


def is_valid_scale(scale: float) -> bool:
    """Return True for a valid distance between neighbors along an axis: finite, and not 0."""
    return bool(math.isfinite(scale)) and scale != 0


def frame_ndim(axes: Sequence[Axis]) -> int:
    """Return the number of axes of a frame: y and x, and the samples ``s`` of a color."""
    return 3 if axes[-1].name == "s" else 2


def default_axes(ndim: int) -> tuple[str, ...]:
    """Return the default names of `ndim` axes.

    >>> default_axes(3), default_axes(4), default_axes(6)
    (('t', 'y', 'x'), ('t', 'z', 'y', 'x'), ('d0', 't', 'c', 'z', 'y', 'x'))
    """
    known = {2: "yx", 3: "tyx", 4: "tzyx"}.get(ndim, DEFAULT_AXES)
    return (*(f"d{i}" for i in range(ndim - len(known))), *known)


def parse_axes(axes: object) -> tuple[str, ...]:
    """Return names of axes in lower case, from one string of letters or a sequence of names.

    Raises
    ------
    InvalidImageError
        A name is not a string.
    """
    names = tuple(axes) if isinstance(axes, Sequence) else (axes,)
    if isinstance(axes, bytes) or not all(isinstance(name, str) for name in names):
        raise InvalidImageError(f"The axes are {axes!r}: give one name for each, such as 'tyx'.")
    return tuple(name.lower() for name in names)


def counts_samples(axes: object, shape: Sequence[int]) -> bool:
    """Return True if the last axis could be a color, but is named ``S`` in capital letters.

    In the letters of CAREamics these are samples.

    >>> counts_samples("YXS", (8, 9, 3)), counts_samples("yxs", (8, 9, 3))
    (True, False)
    """
    is_named = isinstance(axes, str) and axes.isupper() and axes.endswith("S")
    return is_named and shape[-1] in COLOR_SAMPLES


def limits_of(display: object) -> tuple[float, float] | None:
    """Return the pair of contrast limits in a display, unchecked, or ``None``."""
    limits = display.get("contrast_limits") if isinstance(display, Mapping) else None
    if not isinstance(limits, Sequence) or len(limits) != 2 or not all(map(is_real, limits)):
        return None
    try:
        return float(limits[0]), float(limits[1])
    except OverflowError:  # integers in JSON may exceed the range of floats
        return None


def complete_steps(lengths: Sequence[int], count: int) -> tuple[int, ...]:
    """Return the lengths of axes, slowest first, filled by `count` frames in C order.

    The slowest axis is shortened to complete steps, and a faster one if there is no such step.

    >>> complete_steps((6, 2), 5), complete_steps((3, 4), 2)
    ((2, 2), (1, 2))
    """
    shortened = list(lengths)
    for k in range(len(shortened)):
        step = math.prod(shortened[k + 1 :])
        shortened[k] = min(shortened[k], max(1, count // step))
        if count >= step:
            break
    return tuple(shortened)


def check_parts(levels: Sequence[Array], axes: Sequence[Axis], channels: Sequence[Channel]) -> None:
    """Refuse an image with inconsistent arrays, axes or channels.

    Raises
    ------
    InvalidImageError
        There is no array, the numbers of axes or channels differ from those of the array, a name is
        repeated, or a length is unknown.
    """
    if hasattr(levels, "dtype") or not levels or not axes or isinstance(axes, str):
        raise InvalidImageError(
            "An image needs at least one array and its axes: pass levels=(array,) and a tuple of "
            "Axis, or call Image.from_array(array, 'tyx')."
        )
    for level in levels:
        check_array(level)

    names = [axis.name for axis in axes]
    if any(level.ndim != len(names) for level in levels):
        raise InvalidImageError(
            f"The array has {levels[0].ndim} dimensions, but {len(names)} axes are named "
            f"({' '.join(names)}): name one axis for each dimension."
        )
    if len(set(names)) != len(names):
        raise InvalidImageError(
            f"The axes {' '.join(names)} repeat a name: give each axis a name of its own."
        )
    n_channels = int(levels[0].shape[names.index("c")]) if "c" in names else 1
    if channels and len(channels) != n_channels:
        raise InvalidImageError(
            f"{len(channels)} channels are described, but axis c has {n_channels}: "
            "describe each channel, or none."
        )
