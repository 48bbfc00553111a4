"""Units of length and time: one canonical name each, and how OME, ImageJ and napari spell it.

Canonical are the unit names that the NGFF 0.5 specification recommends for space and time axes
(https://ngff.openmicroscopy.org/0.5/#axes-md), for example ``micrometer`` and ``second``. Every
table of this module is derived from them.
"""

from __future__ import annotations

import math
import re
import unicodedata
import warnings
from functools import lru_cache

from napari_ferry.errors import FerryWarning

_PREFIXES = {
    "yotta": ("Y", 1e24),
    "zetta": ("Z", 1e21),
    "exa": ("E", 1e18),
    "peta": ("P", 1e15),
    "tera": ("T", 1e12),
    "giga": ("G", 1e9),
    "mega": ("M", 1e6),
    "kilo": ("k", 1e3),
    "hecto": ("h", 1e2),
    "": ("", 1.0),
    "deci": ("d", 1e-1),
    "centi": ("c", 1e-2),
    "milli": ("m", 1e-3),
    "micro": ("\u00b5", 1e-6),
    "nano": ("n", 1e-9),
    "pico": ("p", 1e-12),
    "femto": ("f", 1e-15),
    "atto": ("a", 1e-18),
    "zepto": ("z", 1e-21),
    "yocto": ("y", 1e-24),
}

METERS: dict[str, float] = {
    **{f"{prefix}meter": factor for prefix, (_, factor) in _PREFIXES.items()},
    "angstrom": 1e-10,
    "inch": 0.0254,
    "foot": 0.3048,
    "yard": 0.9144,
    "mile": 1609.344,
    "parsec": 3.0856775814913673e16,
}
"""Canonical name of each unit of length -> its length in metres."""

SECONDS: dict[str, float] = {
    **{f"{prefix}second": factor for prefix, (_, factor) in _PREFIXES.items()},
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
}
"""Canonical name of each unit of time -> its duration in seconds."""

# UnitsLength and UnitsTime of the OME schema 2016-06. Those without an NGFF name are left out:
# dam, das, thou, li, ua, ly, pt, "pixel" and "reference frame".
_OME_SYMBOLS = {
    **{f"{prefix}meter": f"{symbol}m" for prefix, (symbol, _) in _PREFIXES.items()},
    **{f"{prefix}second": f"{symbol}s" for prefix, (symbol, _) in _PREFIXES.items()},
    "angstrom": "\u00c5",
    "inch": "in",
    "foot": "ft",
    "yard": "yd",
    "mile": "mi",
    "parsec": "pc",
    "minute": "min",
    "hour": "h",
    "day": "d",
}

# ASCII only, and the words that Fiji and Bio-Formats look for; other units keep their symbol.
_IMAGEJ_WORDS = {
    "micrometer": "micron",
    "microsecond": "us",
    "second": "sec",
    "angstrom": "angstrom",
    "inch": "inch",
}

# Wider than any microscope, and within the 32-bit floats of the OME schema.
_SMALLEST_STEP = 1e-36
_LARGEST_STEP = 1e36

# What pint makes of units, with exponents that cost no time to compute.
_PINT_TERM = r"[A-Za-z_]\w*( \*\* \d{1,2}(\.\d{1,6})?)?"
_PINT_NAME = re.compile(rf"(1|{_PINT_TERM})( [*/] {_PINT_TERM})*", re.ASCII)
_NO_UNIT = ("pixel", "dimensionless")
_UNCALIBRATED = ("", "px", "pix", "pixel", "pixels", "dimensionless")

_WORDS = {
    "micron": "micrometer",
    "um": "micrometer",
    "us": "microsecond",
    "usec": "microsecond",
    "msec": "millisecond",
    "nsec": "nanosecond",
    "sec": "second",
    "hr": "hour",
    "feet": "foot",
    "inches": "inch",
}


def _fold(text: str) -> str:
    """Return `text` in one spelling: the two micro signs and the two angstrom signs are merged."""
    # UTF-8 that was read as Latin-1 puts an A with circumflex before the micro sign
    return unicodedata.normalize("NFKC", text.strip().replace("\u00c2\u00b5", "\u00b5"))


def _words() -> dict[str, str]:
    """Return every spelling whose case does not matter, in lower case -> canonical name."""
    words = {name: name for name in (*METERS, *SECONDS)} | _WORDS
    british = {word.replace("meter", "metre"): name for word, name in words.items()}
    plural = {f"{word}s": name for word, name in (words | british).items() if len(word) > 1}
    return plural | british | words


# Case matters in a symbol: ms is not Ms, mm is not Mm.
_SYMBOLS = {_fold(symbol): name for name, symbol in _OME_SYMBOLS.items()}
_SPELLINGS = _words()


@lru_cache(maxsize=1024)  # asked at every opening, for the same few words
def normalize(text: str | None) -> str | None:
    """Return the canonical name of a unit in any common spelling, or ``None``.

    ``None`` also stands for pixels and for units that are neither a length nor a time.

    >>> normalize("um"), normalize("µm"), normalize("Microns"), normalize("ms"), normalize("px")
    ('micrometer', 'micrometer', 'micrometer', 'millisecond', None)
    """
    folded = _fold(text or "")
    return _SYMBOLS.get(folded) or _SPELLINGS.get(folded.lower())


def from_ome(symbol: str) -> str | None:
    """Return the canonical name of an OME unit symbol, ``None`` where NGFF has none.

    Spellings that the OME schema does not allow but that files contain are understood, too.

    >>> from_ome("µm"), from_ome("Å"), from_ome("pt"), from_ome("reference frame")
    ('micrometer', 'angstrom', None, None)
    """
    return normalize(symbol)


def to_ome(unit: str | None) -> str | None:
    """Return the symbol that the OME schema gives a unit, ``None`` where it has none.

    >>> to_ome("micrometer"), to_ome("second"), to_ome("degree")
    ('µm', 's', None)
    """
    return _OME_SYMBOLS.get(normalize(unit) or "")


def from_imagej(text: str) -> str | None:
    r"""Return the canonical name of a unit as ImageJ writes it, ``None`` for pixels.

    >>> from_imagej("micron"), from_imagej(r"\u00B5m"), from_imagej("sec"), from_imagej("pixels")
    ('micrometer', 'micrometer', 'second', None)
    """
    return normalize(re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text))


def to_imagej(unit: str | None) -> str | None:
    """Return the ASCII word that ImageJ and Bio-Formats understand, ``None`` where there is none.

    >>> to_imagej("micrometer"), to_imagej("nanometer"), to_imagej("second"), to_imagej(None)
    ('micron', 'nm', 'sec', None)
    """
    name = normalize(unit) or ""
    return _IMAGEJ_WORDS.get(name) or _OME_SYMBOLS.get(name)


def from_pint(unit: object) -> str | None:
    """Return the canonical name of a pint unit, as napari's layers carry it.

    ``None`` stands for pixels, for no dimension, and for what is neither a length nor a time.
    """
    return normalize(str(unit))


def to_pint(unit: str | None) -> str:
    """Return a name that pint reads as this very unit, ``pixel`` where there is none.

    Only canonical names are handed out: pint takes the symbols ``ua``, ``li``, ``pt`` and ``px``
    for microyears, links, pints and CSS pixels.

    >>> to_pint("micrometer"), to_pint("pt"), to_pint(None)
    ('micrometer', 'pixel', 'pixel')
    """
    return normalize(unit) or "pixel"


@lru_cache(maxsize=1024)
def known_unit(text: str | None) -> str | None:
    """Return the one name that a unit has in this package, ``None`` for an unknown word.

    That is the NGFF name of a length or a time in any spelling, and the name of any other unit that
    pint has under that very name. pint is imported for those alone, as that takes long.

    >>> known_unit(" s "), known_unit("degree"), known_unit("pixel"), known_unit("fortnights")
    ('second', 'degree', None, None)
    """
    return normalize(text) or (None if is_uncalibrated(text) else pint_name((text or "").strip()))


def is_uncalibrated(text: str | None) -> bool:
    """Return whether a word stands for no unit: none at all, or pixels."""
    return (text or "").strip().lower() in _UNCALIBRATED


def pint_name(text: str | None) -> str | None:
    """Return the name of a unit as it is where it is pint's own; ``None`` for pixels and others.

    So degrees and volts can be kept that are neither a length nor a time. A spelling that pint
    takes for a unit of another name (``pt`` for pints) is none of its own.

    >>> pint_name("degree"), pint_name("1 / second"), pint_name("pt"), pint_name("pixel")
    ('degree', '1 / second', None, None)
    """
    import pint

    if not text or text in _NO_UNIT or not _PINT_NAME.fullmatch(text):
        return None
    try:
        unit = pint.application_registry.parse_units(text)
    except (pint.PintError, ValueError):
        return None
    return text if str(unit) == text else None


def read_step(value: object, what: str) -> float | None:
    """Return the calibration of an axis as a number, or warn and return ``None``.

    Parameters
    ----------
    value : object
        What the file says: a number or its text.
    what : str
        What the file calls it, for the warning.

    Warns
    -----
    FerryWarning
        It is no number, or not a positive, finite, plausible one.
    """
    try:
        step = float(str(value))
    except ValueError:
        step = math.nan
    if is_step(step):
        return step
    warn_uncalibrated(f"{what} is {str(value)[:40]!r}, which is no possible distance")
    return None


def is_step(step: float) -> bool:
    """Return whether a scale can be written as a physical distance: positive and plausible."""
    return _SMALLEST_STEP <= step <= _LARGEST_STEP


def same_step(step: float, unit: str | None, other: float, other_unit: str | None) -> bool:
    """Return whether two distances are equal to one part in a million, whatever their units.

    >>> same_step(0.5, "micrometer", 500, "nanometer"), same_step(1, None, 1, "micrometer")
    (True, False)
    """
    for table in (METERS, SECONDS):
        if unit in table and other_unit in table:
            return math.isclose(step * table[unit], other * table[other_unit], rel_tol=1e-6)
    return unit == other_unit and math.isclose(step, other, rel_tol=1e-6)


def warn_uncalibrated(reason: str) -> None:
    """Warn that an axis is taken as uncalibrated."""
    message = f"{reason}: the axis is opened uncalibrated, with scale 1 and no unit."
    warnings.warn(message, FerryWarning, stacklevel=2)
