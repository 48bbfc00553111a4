"""Units of length and time: canonical names, and their spelling in OME, ImageJ and napari.

Canonical are the unit names that the NGFF 0.5 specification recommends for space and time axes
(https://ngff.openmicroscopy.org/0.5/#axes-md), for example ``micrometer`` and ``second``. Every
table of this module is derived from them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

from napari_ferry.errors import warn

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
"""Canonical name of each unit of length -> its length in meters."""

SECONDS: dict[str, float] = {
    **{f"{prefix}second": factor for prefix, (_, factor) in _PREFIXES.items()},
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
}
"""Canonical name of each unit of time -> its duration in seconds."""

# UnitsLength and UnitsTime of the OME schema 2016-06, except those without an NGFF name:
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

# ASCII, and the words known to Fiji and Bio-Formats; other units have their OME symbol.
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

# pint's names of units, with exponents small enough to compute quickly.
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
    """Return `text` with one code point for the micro sign and one for the angstrom sign."""
    # UTF-8 read as Latin-1 has an A with circumflex before the micro sign
    return unicodedata.normalize("NFKC", text.strip().replace("\u00c2\u00b5", "\u00b5"))


def _words() -> dict[str, str]:
    """Return the case-insensitive spellings, in lower case -> canonical name."""
    words = {name: name for name in (*METERS, *SECONDS)} | _WORDS
    british = {word.replace("meter", "metre"): name for word, name in words.items()}
    plural = {f"{word}s": name for word, name in (words | british).items() if len(word) > 1}
    return plural | british | words


# Symbols are case-sensitive: ms is not Ms, mm is not Mm.
_SYMBOLS = {_fold(symbol): name for name, symbol in _OME_SYMBOLS.items()}
_SPELLINGS = _words()


@lru_cache(maxsize=1024)  # called for every file with the same few words
def normalize(text: str | None) -> str | None:
    """Return the canonical name of a unit in any common spelling, or ``None``.

    The result is also ``None`` for pixels and for units other than lengths and times.

    >>> normalize("um"), normalize("µm"), normalize("Microns"), normalize("ms"), normalize("px")
    ('micrometer', 'micrometer', 'micrometer', 'millisecond', None)
    """
    folded = _fold(text or "")
    return _SYMBOLS.get(folded) or _SPELLINGS.get(folded.lower())


def from_ome(symbol: str) -> str | None:
    """Return the canonical name of an OME unit symbol, or ``None`` if NGFF has no name for it.

    Spellings in files that do not follow the OME schema are accepted, too.

    >>> from_ome("µm"), from_ome("Å"), from_ome("pt"), from_ome("reference frame")
    ('micrometer', 'angstrom', None, None)
    """
    return normalize(symbol)


def to_ome(unit: str | None) -> str | None:
    """Return the symbol of a unit in the OME schema, or ``None`` if it has no symbol.

    >>> to_ome("micrometer"), to_ome("second"), to_ome("degree")
    ('µm', 's', None)
    """
    return _OME_SYMBOLS.get(normalize(unit) or "")


def from_imagej(text: str) -> str | None:
    r"""Return the canonical name of a unit from ImageJ, or ``None`` for pixels.

    >>> from_imagej("micron"), from_imagej(r"\u00B5m"), from_imagej("sec"), from_imagej("pixels")
    ('micrometer', 'micrometer', 'second', None)
    """
    return normalize(re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text))


def to_imagej(unit: str | None) -> str | None:
    """Return the ASCII word for a unit in ImageJ and Bio-Formats, or ``None`` if it has no word.

    >>> to_imagej("micrometer"), to_imagej("nanometer"), to_imagej("second"), to_imagej(None)
    ('micron', 'nm', 'sec', None)
    """
    name = normalize(unit) or ""
    return _IMAGEJ_WORDS.get(name) or _OME_SYMBOLS.get(name)


def from_pint(unit: object) -> str | None:
    """Return the canonical name of a pint unit, as in layers of napari.

    The result is ``None`` for pixels, for no dimension, and for units other than lengths and times.
    """
    return normalize(str(unit))


def to_pint(unit: str | None) -> str:
    """Return a name with the same meaning in pint, ``pixel`` without a unit.

    The result is always a canonical name: the symbols ``ua``, ``li``, ``pt`` and ``px`` are
    microyears, links, pints and CSS pixels in pint.

    >>> to_pint("micrometer"), to_pint("pt"), to_pint(None)
    ('micrometer', 'pixel', 'pixel')
    """
    return normalize(unit) or "pixel"


@lru_cache(maxsize=1024)
def known_unit(text: str | None) -> str | None:
    """Return the name of a unit in this package, or ``None`` for an unknown word.

    The result is the NGFF name of a length or a time in any spelling, or the name of another unit
    if it is spelled as in pint. pint is imported for other units only, as its import is slow.

    >>> known_unit(" s "), known_unit("degree"), known_unit("pixel"), known_unit("fortnights")
    ('second', 'degree', None, None)
    """
    return normalize(text) or (None if is_uncalibrated(text) else pint_name((text or "").strip()))


def is_uncalibrated(text: str | None) -> bool:
    """Return True for no unit and for pixels."""
    return (text or "").strip().lower() in _UNCALIBRATED


def pint_name(text: str | None) -> str | None:
    """Return a name of a unit in pint unchanged, or ``None`` for pixels and other spellings.

    Units other than lengths and times, such as degrees and volts, are stored under these names. An
    alias of another name in pint (``pt`` for pints) is not accepted.

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


def read_step(value: object, name: str) -> float | None:
    """Return the calibration of an axis as a number, or warn and return ``None``.

    Parameters
    ----------
    value : object
        Value in the file: a number or its text.
    name : str
        Name of the value in the file, for the warning.

    Warns
    -----
    FerryWarning
        The value is not a positive, finite, plausible number.
    """
    try:
        step = float(str(value))
    except ValueError:
        step = math.nan
    if is_step(step):
        return step
    warn_uncalibrated(f"{name} is {str(value)[:40]!r}, which is not a valid distance")
    return None


def is_step(step: float) -> bool:
    """Return True for a scale valid as a physical distance: positive and plausible."""
    return _SMALLEST_STEP <= step <= _LARGEST_STEP


def same_step(step: float, unit: str | None, other: float, other_unit: str | None) -> bool:
    """Return True if two distances, in any units, are equal to one part in a million.

    >>> same_step(0.5, "micrometer", 500, "nanometer"), same_step(1, None, 1, "micrometer")
    (True, False)
    """
    for table in (METERS, SECONDS):
        if unit in table and other_unit in table:
            return math.isclose(step * table[unit], other * table[other_unit], rel_tol=1e-6)
    return unit == other_unit and math.isclose(step, other, rel_tol=1e-6)


def warn_uncalibrated(reason: str) -> None:
    """Warn about an axis treated as uncalibrated."""
    message = f"{reason}: the axis is opened uncalibrated, with scale 1 and no unit."
    warn(message)
