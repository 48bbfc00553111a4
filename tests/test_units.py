"""Units: canonical names, compared with pint and with the lists of the OME schema."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pint
import pytest
from ome_types.model import UnitsLength, UnitsTime

from napari_ferry import Axis, InvalidImageError, units

REGISTRY = pint.get_application_registry()
NAMES = sorted({**units.METERS, **units.SECONDS})
WITHOUT_NGFF_NAME = {"dam", "das", "thou", "li", "ua", "ly", "pt", "pixel", "reference frame"}


def test_the_canonical_names_are_those_of_ngff() -> None:
    lengths = (
        "angstrom attometer centimeter decimeter exameter femtometer foot gigameter hectometer "
        "inch kilometer megameter meter micrometer mile millimeter nanometer parsec petameter "
        "picometer terameter yard yoctometer yottameter zeptometer zettameter"
    )
    times = (
        "attosecond centisecond day decisecond exasecond femtosecond gigasecond hectosecond hour "
        "kilosecond megasecond microsecond millisecond minute nanosecond petasecond picosecond "
        "second terasecond yoctosecond yottasecond zeptosecond zettasecond"
    )
    assert set(units.METERS) == set(lengths.split())
    assert set(units.SECONDS) == set(times.split())


@pytest.mark.parametrize("name", NAMES)
def test_pint_understands_each_name_as_the_same_length_or_time(name: str) -> None:
    base, factor = ("meter", units.METERS) if name in units.METERS else ("second", units.SECONDS)
    parsed = REGISTRY.Unit(units.to_pint(name))
    assert math.isclose(REGISTRY.Quantity(1, parsed).to(base).magnitude, factor[name], rel_tol=1e-9)
    assert units.from_pint(parsed) == name


@pytest.mark.parametrize("unit", [None, "", "pixel", "px", "pt", "ua", "li", "degree", "volt"])
def test_other_units_become_pixels_in_napari(unit: str | None) -> None:
    assert units.to_pint(unit) == "pixel"
    assert units.normalize(unit) is None


def test_pint_units_without_a_name_of_their_own() -> None:
    assert units.from_pint(REGISTRY.micron) == "micrometer"
    assert units.from_pint(REGISTRY.Unit("µm")) == "micrometer"
    for foreign in ("pixel", "dimensionless", "link", "pint", "css_pixel", "um**2", "light_year"):
        assert units.from_pint(REGISTRY.Unit(foreign)) is None


@pytest.mark.parametrize(
    ("spelled", "unit"),
    [
        *((word, "second") for word in ("second", "s", " s ", "sec", "secs", "Second", "seconds")),
        *((word, "millisecond") for word in ("ms", "msec", "Milliseconds")),
        *((word, "microsecond") for word in ("us", "\u00b5s", "\u03bcs", "usec")),
        *((word, "minute") for word in ("min", "minutes")),
        *((word, "micrometer") for word in ("um", "\u00b5m", "\u03bcm", "micron", "Micrometre")),
        *((word, None) for word in ("", "px", "pixel", "Pixels", None)),
        *((word, word) for word in ("degree", "volt", "1 / second")),
    ],
)
def test_an_axis_has_the_canonical_name_of_its_unit(spelled: str | None, unit: str | None) -> None:
    assert Axis("t", 0.5, spelled).unit == unit
    assert replace(Axis("t", 0.5), unit=spelled) == Axis("t", 0.5, unit)


@pytest.mark.parametrize(
    "word", ["fortnights", "pt", "ua", "x y", "9 ** 9 ** 9", "meter ** 999", "(", "Ms/s", "a" * 999]
)
def test_an_unknown_unit_is_refused_and_known_ones_are_named(word: str) -> None:
    with pytest.raises(InvalidImageError, match=r"unit of axis t is .*'second' \(s\)"):
        Axis("t", 1, word)


def test_pint_is_not_imported_for_units_that_are_known() -> None:
    code = (
        "import sys; from napari_ferry import Axis; [Axis('t', 1, u) for u in ('s', 'um', 'px')]; "
        "assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_ome_symbol_is_read_or_known_to_have_no_ngff_name() -> None:
    symbols = {unit.value for enum in (UnitsLength, UnitsTime) for unit in enum}
    unread = {symbol for symbol in symbols if units.from_ome(symbol) is None}
    assert unread == WITHOUT_NGFF_NAME
    for symbol in symbols - unread:
        assert units.to_ome(units.from_ome(symbol)) == symbol


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_read_back_from_ome_and_imagej(name: str) -> None:
    assert units.from_ome(units.to_ome(name) or "") == name
    imagej = units.to_imagej(name) or ""
    assert imagej.isascii()
    assert units.from_imagej(imagej) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("micron", "micrometer"),
        ("um", "micrometer"),
        ("\u00b5m", "micrometer"),
        ("\u03bcm", "micrometer"),
        (r"\u00B5m", "micrometer"),
        (r"\u03bcm", "micrometer"),
        ("\u00c2\u00b5m", "micrometer"),
        ("nm", "nanometer"),
        ("inch", "inch"),
        ("inches", "inch"),
        ("sec", "second"),
        ("s", "second"),
        ("ms", "millisecond"),
        ("min", "minute"),
        ("pixel", None),
        ("pixels", None),
        (" ", None),
    ],
)
def test_units_of_imagej_are_read(text: str, expected: str | None) -> None:
    assert units.from_imagej(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Micrometer", "micrometer"),
        ("micrometres", "micrometer"),
        ("MICRONS", "micrometer"),
        (" um ", "micrometer"),
        ("\u212b", "angstrom"),
        ("Seconds", "second"),
        ("Ms", "megasecond"),
        ("mm", "millimeter"),
        ("Mm", "megameter"),
        ("MM", None),
    ],
)
def test_common_spellings_are_read(text: str, expected: str | None) -> None:
    assert units.normalize(text) == expected


def test_words_for_imagej_are_those_that_fiji_reads() -> None:
    assert units.to_imagej("micrometer") == "micron"
    assert units.to_imagej("second") == "sec"
    assert units.to_imagej("millimeter") == "mm"
    assert units.to_imagej("volt") is None
    assert units.to_ome("volt") is None
