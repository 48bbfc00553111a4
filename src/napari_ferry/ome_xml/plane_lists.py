"""Lists of TiffData and Plane elements in an OME-XML, one element for each of 100,000 planes.

Programs write all elements of a list with the same attributes. A pattern made from the first
element extracts them from the text, which is faster than parsing them as XML. Lists of different
elements remain in the text and are parsed.
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
"""Largest accepted whole number."""

_WANTED = {
    "TiffData": ("IFD", "PlaneCount", "NumPlanes", "FirstC", "FirstZ", "FirstT"),
    "Plane": ("DeltaT", "TheC", "TheZ", "TheT"),
}
_PROLOG = re.compile(r"\s*(?:<\?xml[^>]*\?>)?\s*(?:<!--.*?-->\s*)*", re.DOTALL)
_FIRST = re.compile(r'<(\w+)((?: \w+="[^"<&]*")*)( ?/>|>)')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_WITH_UUID = r'>\s*+(?P<UUID><UUID(?: FileName="[^"<]*+")?>[^<]*+</UUID>)\s*+</TiffData>'

Column = Sequence[str | None]
File = tuple[str | None, str | None]


class ElementList(NamedTuple):
    """Elements of one kind within one Pixels.

    Parameters
    ----------
    length : int
        Number of elements.
    columns : mapping of str to sequence of str or None
        The values of each attribute, without those absent from all elements.
    uuids : sequence
        The UUID in each element, as a key of `files`; empty if no element has one.
    files : mapping of (str or None, str or None)
        FileName and text of each UUID.
    """

    length: int
    columns: Mapping[str, Column]
    uuids: Sequence[Hashable] = ()
    files: Mapping[Hashable, File] = MappingProxyType({})

    def column(self, name: str) -> Column:
        """Return the values of an attribute, or ``None`` for absent ones."""
        return self.columns.get(name) or (None,) * self.length


ElementLists = Mapping[str, ElementList]
"""The lists of one Pixels, by the name of their elements."""


def extract_lists(xml: str) -> tuple[str, list[ElementLists]]:
    """Split an OME-XML into its lists and the rest.

    Returns
    -------
    rest : str
        The document with only the first element of each list.
    lists : list of ElementLists
        The lists of each Pixels, in order; empty if they cannot be extracted.
    """
    rest: list[str] = []
    lists: list[ElementLists] = []
    done = 0
    match = _PROLOG.match(xml)
    body = offset = match.end() if match else 0

    while (offset := xml.find("<Pixels", offset)) >= 0:
        end = xml.find("</Pixels>", offset)
        found: dict[str, ElementList] = {}
        for name in _WANTED:
            extracted = _extract_list(xml, name, offset, end)
            if extracted:
                keep, offset, found[name] = extracted
                rest.append(xml[done:keep])
                done = offset
        lists.append(found)
        offset = max(end, offset + 1)
    rest.append(xml[done:])

    # text in a comment or a CDATA section may look like an element
    text = "".join(rest)
    if "<!" in text[body:] or "<?" in text[body:]:
        return xml, []
    return text, lists


def _extract_list(
    xml: str, name: str, offset: int, end: int
) -> tuple[int, int, ElementList] | None:
    """Return the end of the first element, the end of the list, and the list itself."""
    start = xml.find(f"<{name}", offset, end)
    pattern = _pattern(xml, start) if start >= 0 else None
    if pattern is None:
        return None
    first = pattern.match(xml, start, end)
    last = pattern.match(xml, xml.rfind(f"<{name}", start, end), end)
    if first is None or last is None:
        return None

    # text between the elements, other than white space, is an element that does not match
    step = pattern.groups + 1
    parts = pattern.split(xml[start : last.end()])
    if "".join(parts[::step]).strip():
        return None

    columns = {key: parts[k::step] for key, k in pattern.groupindex.items()}
    uuids = columns.pop("UUID", [])
    try:
        files = {text: _file_of(ET.fromstring(text)) for text in dict.fromkeys(uuids)}
    except ET.ParseError:  # an unknown entity, for example: parsing the document reports it
        return None
    return first.end(), last.end(), ElementList((len(parts) - 1) // step, columns, uuids, files)


def _pattern(xml: str, start: int) -> re.Pattern[str] | None:
    """Return a pattern for elements similar to the one at `start`, or ``None`` for unusual ones."""
    element = _FIRST.match(xml, start)
    if element is None:
        return None

    name, attributes, ending = element.groups()
    given = dict(_ATTRIBUTE.findall(attributes))
    pattern = f"<{name}"
    for key, value in given.items():
        content = re.escape(value) if key == "DeltaTUnit" else '[^"<&]*+'
        group = f"?P<{key}>" if key in _WANTED.get(name, ()) else "?:"
        pattern += f' {key}="({group}{content})"'
    return re.compile(pattern + (_WITH_UUID if ending == ">" else ending))


def _file_of(element: ET.Element | None) -> File:
    """Return FileName and text of a UUID."""
    return (None, None) if element is None else (element.get("FileName"), element.text)


def to_element_list(elements: Sequence[ET.Element], name: str) -> ElementList:
    """Return the list of parsed elements."""
    columns = {key: [element.get(key) for element in elements] for key in _WANTED[name]}
    files = [_file_of(element.find("UUID")) for element in elements]
    return ElementList(len(elements), columns, files, {file: file for file in files})


def parse_whole_numbers(column: Column, name: str) -> NDArray[np.int64]:
    """Return the values of an attribute, or -1 for absent ones.

    Raises
    ------
    UnreadableFileError
        A value is not a whole number, or too large.
    """
    texts = set(column)
    try:
        # a few different values are converted once each
        if None in texts or len(texts) < len(column) // 4:
            known = {text: -1 if text is None else int(text) for text in texts}
            numbers = np.fromiter(map(known.__getitem__, column), np.int64, len(column))
            least = min((known[text] for text in texts if text is not None), default=0)
        else:
            numbers = np.fromiter(map(int, column), np.int64, len(column))  # type: ignore[arg-type]
            least = numbers.min(initial=0)
    except (OverflowError, ValueError) as error:
        raise UnreadableFileError(
            f"The OME-XML has damaged TiffData: {name} is not a whole number in the range of IFDs."
        ) from error

    if least < 0 or numbers.max(initial=0) > MAX_INT:
        raise UnreadableFileError(f"The OME-XML has TiffData with impossible numbers for {name}.")
    return numbers
