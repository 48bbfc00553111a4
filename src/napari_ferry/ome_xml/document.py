"""Parsing of OME-XML documents into elements without namespaces."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from napari_ferry.errors import UnreadableFileError
from napari_ferry.ome_xml.plane_lists import ElementLists, extract_lists

_PREFIXED_ROOT = re.compile(r"<([\w.-]+):OME\b")
_MAX_HEAD = 1 << 16
"""Characters at the start of a document searched for a prefix of its root element."""


def parse_document(xml: str) -> tuple[ET.Element, dict[ET.Element, ElementLists]]:
    """Parse a document; long lists of elements are first extracted if this is safe."""
    xml = _without_prefix(xml)
    rest, lists = extract_lists(xml.strip("\ufeff\0 \t\r\n"))
    root = _parse_root(rest)

    # an extracted list must be the only one of its kind in its Pixels
    elements = list(root.iter("Pixels"))
    found = dict(zip(elements, lists, strict=False))
    is_safe = len(elements) == len(lists) and all(
        len(pixels.findall(name)) == 1 for pixels, names in found.items() for name in names
    )
    return (root, found) if is_safe else (_parse_root(xml), {})


def _without_prefix(xml: str) -> str:
    """Remove the namespace prefix of the root from all elements."""
    match = _PREFIXED_ROOT.search(xml, 0, _MAX_HEAD)
    if match is None:
        return xml
    return xml.replace(f"<{match[1]}:", "<").replace(f"</{match[1]}:", "</")


def _parse_root(xml: str) -> ET.Element:
    """Parse the document and remove all namespaces, as each schema has its own."""
    if "<!DOCTYPE" in xml:  # extracted lists cannot contain one
        raise UnreadableFileError(
            "The OME-XML declares a DOCTYPE, which OME-XML never needs and which can read other "
            "files or exhaust memory: remove it."
        )
    try:
        root = ET.fromstring(xml.strip("\ufeff\0 \t\r\n"))
    except (ET.ParseError, ValueError) as error:
        raise UnreadableFileError(f"The OME-XML is not well-formed: {error}.") from error
    for element in root.iter():
        if element.tag[0] == "{":
            element.tag = element.tag.rpartition("}")[2]
    if root.tag != "OME":
        raise UnreadableFileError(
            f"The root element of the XML is {root.tag[:40]!r}: expected 'OME'."
        )
    return root
