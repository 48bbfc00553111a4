"""The long part of an OME-XML: one TiffData and one Plane for each of 100,000 planes.

Programs write them one like the other, so they are taken out of the text by a pattern that is made
of the first one, and what is left is parsed as XML. Where they differ they stay, and are parsed.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_INT = 2**40
"""The largest whole number that is believed."""

_WANTED = {
    "TiffData": ("IFD", "PlaneCount", "FirstC", "FirstZ", "FirstT"),
    "Plane": ("DeltaT", "TheC", "TheZ", "TheT"),
}
_PROLOG = re.compile(r"\s*(?:<\?xml[^>]*\?>)?\s*(?:<!--.*?-->\s*)*", re.DOTALL)
_FIRST = re.compile(r'<(\w+)((?: \w+="[^"<&]*")*)( ?/>|>)')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_WITH_UUID = r'>\s*+(?P<UUID><UUID(?: FileName="[^"<]*+")?>[^<]*+</UUID>)\s*+</TiffData>'

Column = Sequence[str | None]
File = tuple[str | None, str | None]


class Run(NamedTuple):
    """Elements of one kind within one Pixels.

    Parameters
    ----------
    length : int
        How many.
    columns : mapping of str to sequence of str or None
        The values of each attribute; those that no element has are left out.
    uuids : sequence
        The UUID in each, as a key of `files`; empty where there is none in any.
    files : mapping of (str or None, str or None)
        FileName and text of each UUID.
    """

    length: int
    columns: Mapping[str, Column]
    uuids: Sequence[Hashable] = ()
    files: Mapping[Hashable, File] = MappingProxyType({})

    def column(self, name: str) -> Column:
        """Return the values of an attribute, ``None`` where it is absent."""
        return self.columns.get(name) or (None,) * self.length


Runs = Mapping[str, Run]
"""The runs of one Pixels, by the name of their elements."""


def take_out_runs(xml: str) -> tuple[str, list[Runs]]:
    """Part an OME-XML into its runs and the rest.

    Returns
    -------
    rest : str
        The document with the first element of each run alone.
    runs : list of Runs
        Those of each Pixels, in order; empty where nothing could be taken out.
    """
    rest: list[str] = []
    runs: list[Runs] = []
    done = 0
    match = _PROLOG.match(xml)
    body = place = match.end() if match else 0
    while (place := xml.find("<Pixels", place)) >= 0:
        end = xml.find("</Pixels>", place)
        found: dict[str, Run] = {}
        for name in _WANTED:
            taken = _take_out(xml, name, place, end)
            if taken:
                keep, place, found[name] = taken
                rest.append(xml[done:keep])
                done = place
        runs.append(found)
        place = max(end, place + 1)
    rest.append(xml[done:])
    text = "".join(rest)
    # what looks like an element in a comment or a section is none
    if "<!" in text[body:] or "<?" in text[body:]:
        return xml, []
    return text, runs


def _take_out(xml: str, name: str, place: int, end: int) -> tuple[int, int, Run] | None:
    """Return where the first element and the whole run end, and what is in it."""
    start = xml.find(f"<{name}", place, end)
    pattern = _pattern(xml, start) if start >= 0 else None
    if pattern is None:
        return None
    first = pattern.match(xml, start, end)
    last = pattern.match(xml, xml.rfind(f"<{name}", start, end), end)
    if first is None or last is None:
        return None
    step = pattern.groups + 1
    parts = pattern.split(xml[start : last.end()])
    if "".join(parts[::step]).strip():
        return None
    columns = {key: parts[k::step] for key, k in pattern.groupindex.items()}
    uuids = columns.pop("UUID", [])
    try:
        files = {text: _file_of(ET.fromstring(text)) for text in dict.fromkeys(uuids)}
    except ET.ParseError:  # such as an entity that is not known; XML as a whole is refused later
        return None
    run = Run(len(parts) // step, columns, uuids, files)
    return first.end(), last.end(), run


def _pattern(xml: str, start: int) -> re.Pattern[str] | None:
    """Return what fits all elements that are like the one at `start`; ``None`` for odd ones."""
    element = _FIRST.match(xml, start)
    if element is None:
        return None
    name, attributes, ending = element.groups()
    given = dict(_ATTRIBUTE.findall(attributes))
    pattern = f"<{name}"
    for key, value in given.items():
        anything = re.escape(value) if key == "DeltaTUnit" else '[^"<&]*+'
        group = f"?P<{key}>" if key in _WANTED.get(name, ()) else "?:"
        pattern += f' {key}="({group}{anything})"'
    return re.compile(pattern + (_WITH_UUID if ending == ">" else ending))


def _file_of(element: ET.Element | None) -> File:
    """Return FileName and text of a UUID."""
    return (None, None) if element is None else (element.get("FileName"), element.text)


def run_of(elements: Sequence[ET.Element], name: str) -> Run:
    """Return a run of elements that were parsed."""
    columns = {key: [element.get(key) for element in elements] for key in _WANTED[name]}
    files = [_file_of(element.find("UUID")) for element in elements]
    return Run(len(elements), columns, files, {file: file for file in files})


def whole_numbers(column: Column, name: str) -> NDArray[np.int64]:
    """Return an attribute's values, -1 where it is absent.

    Raises
    ------
    UnreadableFileError
        They are not whole numbers, or too large.
    """
    texts = set(column)
    try:
        if None in texts or len(texts) < len(column) // 4:
            known = {text: -1 if text is None else int(text) for text in texts}
            numbers = np.fromiter(map(known.__getitem__, column), np.int64, len(column))
            least = min((known[text] for text in texts if text is not None), default=0)
        else:
            numbers = np.fromiter(map(int, column), np.int64, len(column))  # type: ignore[arg-type]
            least = numbers.min(initial=0)
    except (OverflowError, ValueError) as error:
        raise UnreadableFileError(f"The OME-XML has damaged TiffData: {error}.") from error
    if least < 0 or numbers.max(initial=0) > MAX_INT:
        raise UnreadableFileError(f"The OME-XML has TiffData with impossible numbers for {name}.")
    return numbers
