r"""Names of single-plane files from the programs of microscopes.

The patterns follow the manuals of the programs, and the files that they write:

- Bruker PrairieView: ``TSeries-001_Cycle00001_Ch1_000001.ome.tif``
- Micro-Manager 2 and 1.4: ``img_channel000_position000_time000000000_z000.tif``,
  ``img_000000000_DAPI_000.tif``
- Harmony of Opera Phenix and Operetta: ``r01c01f01p01-ch1sk1fk1fl1.tiff``
- CellVoyager: ``plate_A01_T0001F001L01A01Z01C01.tif``
- ImageXpress: ``plate_A01_s1_w1.tif``; MetaMorph: ``cells_w1DAPI_s1_t1.tif``
- Leica LAS X: ``Series001_t00_z00_ch00.tif``
- the same in folders of Micro-Manager, ``Pos0/img_000000000_DAPI_000.tif``, and of ImageXpress,
  ``TimePoint_1/plate_A01_s1_w1.tif``
- ImageJ: ``cells_t001_z001_c001.tif``, ``C1-cells.tif``; similar names of ZEN, NIS Elements,
  Bio-Formats
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from napari_ferry.codecs.tiff.folders.file_grid import Grid
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.files.natural_order import natural_sorted

AXES = "ptcz"
"""Axes in names, slowest first: position, time, channel and plane."""

_Labels: TypeAlias = tuple[str, ...]
"""Label of each of `AXES`; empty if the name has none."""

_GUID = r"(?:_?[0-9A-F]{8}(?:-?[0-9A-F]{4}){3}-?[0-9A-F]{12})?"

_PATTERNS = {
    "Bruker PrairieView": [
        r"(?P<stem>.+)_Cycle(?P<cycle>\d+)(?:_CurrentSettings)?_(?P<c>Ch\d+)(?:_(?P<number>\d+))?",
    ],
    "Micro-Manager": [
        r"(?P<p>[^/]+)/(?P<stem>img)_(?P<c>channel\d+)_position\d+_time(?P<t>\d+)_z(?P<z>\d+)",
        r"(?P<p>[^/]+)/(?P<stem>img)_(?P<t>\d{9,})_(?P<c>.+)_(?P<z>\d{3,})",
        r"(?P<stem>img)_(?P<c>channel\d+)_(?P<p>position\d+)_time(?P<t>\d+)_z(?P<z>\d+)",
        r"(?P<stem>img)_(?P<t>\d{9,})_(?P<c>.+)_(?P<z>\d{3,})",
    ],
    "Harmony (Opera Phenix, Operetta)": [
        r"(?P<p>r\d+c\d+)(?P<p2>f\d+)p(?P<z>\d+)-(?P<c>ch\d+)sk(?P<t>\d+)(?:fk\d+)?(?:fl\d+)?",
    ],
    "CellVoyager": [
        r"(?P<stem>.+)_(?P<p>[A-P]\d\d)_T(?P<t>\d+)(?P<p2>F\d+)L\d+A\d+Z(?P<z>\d+)(?P<c>C\d+)",
    ],
    "ImageXpress": [
        rf"TimePoint_(?P<t>\d+)/(?P<stem>.+?)_(?P<p>[A-P]\d\d)(?:_(?P<p2>s\d+))?(?:_(?P<c>w\d))?"
        rf"{_GUID}",
        rf"(?P<stem>.+?)_(?P<p>[A-P]\d\d)(?:_(?P<p2>s\d+))?_(?P<c>w\d){_GUID}",
        rf"(?P<stem>.+?)_(?P<p>[A-P]\d\d)_(?P<p2>s\d+){_GUID}",
    ],
    "MetaMorph": [
        r"(?P<stem>.+?)_(?P<c>w\d[^_]*)(?:_(?P<p>s\d+))?(?:_t(?P<t>\d+))?",
    ],
    "Leica LAS X": [
        r"(?P<stem>.+?)(?=_(?:s\d+_)?(?:t\d+_)?(?:z|ch|RAW_ch)\d)(?:_(?P<p>s\d+))?(?:_t(?P<t>\d+))?"
        r"(?:_z(?P<z>\d+))?(?:_RAW)?(?:_(?P<c>ch\d+))?(?P<tail>_[A-Z]+)?",
    ],
    "ImageJ": [
        r"(?P<c>C\d)-(?P<stem>.+)",
        r"(?P<stem>.*?)(?P<tags>t\d{2,}(?:xy\d+)?(?:z\d+)?(?:c\d+)?)",
        r"(?P<stem>.*?)(?<![A-Z])(?P<tags>(?:[_\-. ]?(?:ch|xy|[stzcp])\d+){2,})(?P<tail>_[A-Z]+)?",
    ],
}
"""Regular expressions of names without suffix, by program, the most specific first.

Groups are named after `AXES`; ``p2`` is a position within ``p``, and ``tags`` several axes in any
order. ``stem`` and ``tail`` identify the data set.
"""

_COMPILED = [
    (program, re.compile(pattern, re.IGNORECASE))
    for program, patterns in _PATTERNS.items()
    for pattern in patterns
]

_TAG = re.compile(r"(ch|xy|[stzcp])(\d+)", re.IGNORECASE)
_AXIS_OF_TAG = {"ch": "c", "xy": "p", "s": "p"}
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_Z_SERIES = re.compile(r"z-?(series|stack)", re.IGNORECASE)
_WAVELENGTH = re.compile(r"w\d(?=[^_\d])", re.IGNORECASE)


class Acquisition(NamedTuple):
    """Files of one acquisition by their names.

    Parameters
    ----------
    program : str
        The program with such names.
    grids : list of Grid
        The data sets.
    others : list of Path
        Files with other names.
    """

    program: str
    grids: list[Grid]
    others: list[Path]

    @property
    def sizes(self) -> dict[str, int]:
        """Length of the longest axis of each kind in the data sets."""
        lengths: Counter[str] = Counter()
        for grid in self.grids:
            lengths |= Counter({axis: len(labels) for axis, labels in grid.labels.items()})
        return {axis: lengths[axis] for axis in AXES if axis in lengths}


@dataclass(frozen=True, kw_only=True)
class _Name:
    """Parsed name of a file: its data set, and its labels along `AXES`."""

    data_set: tuple[str, str]
    labels: _Labels
    cycle: str = ""
    number: str = ""


def parse_acquisition(
    paths: Sequence[Path], name: str, *, in_folders: bool = False
) -> Acquisition | None:
    """Find the program whose names most files have, and their positions.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    name : str
        Name of the only data set.
    in_folders : bool
        True if the names of the folders of the files count, too.

    Returns
    -------
    Acquisition or None
        None for names of no program, and for frames that differ only in time.
    """
    probes = [_text(paths[k], in_folders) for k in {0, len(paths) // 2, len(paths) - 1}]
    for program, pattern in _COMPILED:
        if not any(map(pattern.fullmatch, probes)):
            continue
        parsed = {path: _parse(pattern, _text(path, in_folders)) for path in paths}
        named = {path: each for path, each in parsed.items() if each is not None}
        grids = _make_grids(_with_cycles(named), name)
        axes = {axis for grid in grids for axis in grid.labels}
        tells_apart = axes - {"t"} or (axes and len(grids) > 1)
        if 2 * len(named) > len(paths) and tells_apart:
            others = [path for path in paths if parsed[path] is None]
            return Acquisition(program, grids, others)
    return None


def _text(path: Path, in_folders: bool) -> str:
    """Return the name of a file without suffix, `in_folders` after the name of its folder."""
    return f"{path.parent.name}/{stem_of(path)}" if in_folders else stem_of(path)


def _parse(pattern: re.Pattern[str], text: str) -> _Name | None:
    """Parse a name; None if it does not fit the pattern, or has tags for anything but planes."""
    match = pattern.fullmatch(text)
    if match is None:
        return None
    found = {key: value or "" for key, value in match.groupdict().items()}
    tags = _TAG.findall(found.get("tags", ""))
    labels = [(_AXIS_OF_TAG.get(tag.lower(), tag.lower()), tag + number) for tag, number in tags]
    axes = {axis for axis, _ in labels}
    if tags and not (len(axes) == len(tags) > 1 and axes & {"c", "z"}):
        return None
    found |= dict(labels)

    found["p"] = " ".join(filter(None, (found.get("p"), found.get("p2"))))
    return _Name(
        data_set=(found.get("stem", ""), found.get("tail", "")),
        labels=tuple(found.get(axis, "") for axis in AXES),
        cycle=found.get("cycle", ""),
        number=found.get("number", ""),
    )


def _with_cycles(names: Mapping[Path, _Name]) -> dict[Path, _Name]:
    """Convert the cycles in names, and the numbers in the cycles, to times and planes.

    Each of several equal cycles is a stack of planes. The numbers in the only cycle are planes of a
    z-series, or else times.
    """
    cycles: dict[tuple[str, str], dict[str, set[str]]] = {}
    for name in names.values():
        cycles.setdefault(name.data_set, {}).setdefault(name.cycle, set()).add(name.number)

    result = {}
    for path, name in names.items():
        if not name.cycle:
            result[path] = name
            continue
        each = cycles[name.data_set]
        are_stacks = len(each) > 1 and len(set(map(frozenset, each.values()))) == 1
        if are_stacks or (len(each) == 1 and _Z_SERIES.match(name.data_set[0])):
            time, plane = name.cycle, name.number
        else:
            time, plane = f"{name.cycle} {name.number}", ""
        position, _, channel, _ = name.labels
        result[path] = _Name(data_set=name.data_set, labels=(position, time, channel, plane))
    return result


def _make_grids(names: Mapping[Path, _Name], name: str) -> list[Grid]:
    """Return the grid of each data set; none if files share a position or most are missing."""
    data_sets: dict[tuple[str, str], dict[_Labels, Path]] = {}
    written: dict[str, str] = {}
    for path, each in names.items():
        labels = tuple(map(_canonical, each.labels))
        if data_sets.setdefault(each.data_set, {}).setdefault(labels, path) != path:
            return []
        for label, text in zip(labels, each.labels, strict=True):
            written.setdefault(label, text)

    grids = []
    for (stem, tail), files in data_sets.items():
        columns = [natural_sorted(set(column)) for column in zip(*files, strict=True)]
        if math.prod(map(len, columns)) > 2 * len(files):
            return []
        paths = [files.get(key) for key in itertools.product(*columns)]
        shown = {
            axis: _without_wavelength([written[label] for label in column])
            for axis, column in zip(AXES, columns, strict=True)
            if len(column) > 1
        }
        is_only = len(data_sets) == 1
        grids.append(Grid(labels=shown, paths=paths, name=name if is_only else stem + tail))
    return grids


def _canonical(label: str) -> str:
    """Return a label in lower case, without leading zeros."""
    return _LEADING_ZEROS.sub("", label.lower())


def _without_wavelength(labels: Sequence[str]) -> list[str]:
    """Return labels without the number of a named wavelength: ``DAPI`` for ``w1DAPI``."""
    shown = [_WAVELENGTH.sub("", label) for label in labels]
    return shown if len(set(shown)) == len(shown) else [*labels]
