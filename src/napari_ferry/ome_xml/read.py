"""Parsing of OME-XML of any schema into descriptions of images and their planes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Channel
from napari_ferry.image.record import MAX_PLANES, Description
from napari_ferry.ome_xml.document import parse_document
from napari_ferry.ome_xml.merge_record import find_record, merge_record
from napari_ferry.ome_xml.page_facts import in_page_order, set_samples
from napari_ferry.ome_xml.plane_lists import MAX_INT, ElementLists, to_element_list
from napari_ferry.ome_xml.plane_times import parse_times, time_axis, times_metadata
from napari_ferry.ome_xml.planes import OmeImage, parse_tiff_data
from napari_ferry.ome_xml.schema_upgrade import upgrade_schema
from napari_ferry.ome_xml.vocabulary import STEPS, TYPES, color_from_ome
from napari_ferry.units import from_ome, read_step, warn_uncalibrated

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

_DTYPES = {kind: name for name, kind in TYPES.items() if name != "bool"} | {"bit": "bool"}
_SYMBOLS_WITHOUT_NAME = frozenset(
    ("dam", "das", "thou", "li", "ua", "ly", "pt", "pixel", "reference frame")
)
_MAX_METADATA_CHARACTERS = 16384
_MAX_CHANNELS = 1 << 20
"""Number of channels above which their names are ignored, as the number is damaged."""

_PARSED = {"Pixels", "AnnotationRef", "InstrumentRef", "ID", "Name", "Color", "SamplesPerPixel"}


class _Document(NamedTuple):
    """Attributes of a document; instruments by their IDs."""

    uuid: str | None
    creator: str | None
    instruments: Mapping[str | None, ET.Element]


def parse_ome_xml(xml: str, *, page_samples: int | None = None) -> list[OmeImage]:
    """Read every Image of an OME-XML document.

    Images have all five dimensions, including those of length 1, slowest first, and ``s`` for RGB.
    Our own record is used if it fits the Pixels, except for physical sizes, names and colors
    that another program has changed. Planes of Pixels without TiffData are in order.

    Parameters
    ----------
    xml : str
        The document.
    page_samples : int, optional
        Samples per pixel of the first page, which take precedence over those of the first
        Image, and are used where the OME-XML omits them, as in Bio-Formats.

    Raises
    ------
    UnreadableFileError
        The OME-XML is not well-formed, has a DOCTYPE (never expanded), or has impossible sizes
        or types.

    Warns
    -----
    FerryWarning
        A physical size or time increment is impossible, and is ignored; samples per pixel differ
        from those of the pages; several images do not name their pages; our own record is damaged.
    """
    root, lists = parse_document(xml)
    binary_only = root.find("BinaryOnly")
    if binary_only is not None:
        raise UnreadableFileError(
            "The OME-XML of this file is stored in another one: open "
            f"{binary_only.get('MetadataFile')!r} instead."
        )

    upgrade_schema(root)
    if page_samples is not None:
        set_samples(root, page_samples)
    annotations = {note.get("ID"): note for note in root.iterfind("StructuredAnnotations/*")}
    document = _Document(
        root.get("UUID"),
        root.get("Creator"),
        {element.get("ID"): element for element in root.iterfind("Instrument")},
    )
    images = [
        _parse_image(document, image, pixels, lists.get(pixels, {}), _notes_of(image, annotations))
        for image in root.iterfind("Image")
        for pixels in image.findall("Pixels")[:1]
    ]
    return in_page_order(images)


def _notes_of(image: ET.Element, annotations: Mapping[str | None, ET.Element]) -> list[ET.Element]:
    """Return the annotations of an Image and its Pixels."""
    refs = [*image.iterfind("AnnotationRef"), *image.iterfind("Pixels/AnnotationRef")]
    return [annotations[ref.get("ID")] for ref in refs if ref.get("ID") in annotations]


def _parse_image(
    document: _Document,
    image: ET.Element,
    pixels: ET.Element,
    lists: ElementLists,
    notes: Sequence[ET.Element],
) -> OmeImage:
    order = pixels.get("DimensionOrder", "")
    if sorted(order) != list("CTXYZ") or not order.startswith("XY"):
        raise UnreadableFileError(
            f"The OME-XML has the DimensionOrder {order[:20]!r}: expected one such as 'XYZCT'."
        )

    sizes, samples = _parse_sizes(pixels)
    times = parse_times(pixels, lists)
    steady = time_axis(times, sizes["t"])
    of_planes = times_metadata(times, sizes, steady)
    header = Description(
        shape=(*(sizes[dim] for dim in order[:1:-1].lower()), sizes["y"], sizes["x"]),
        axes=tuple(_parse_axis(name, pixels, steady) for name in order[::-1].lower()),
        dtype=_parse_type(pixels),
        channels=_parse_channels(pixels, sizes["c"]),
        name=image.get("Name", ""),
        metadata=_parse_metadata(document, image, pixels, notes, of_planes),
    )
    if samples > 1:
        header = replace(header, shape=(*header.shape, samples), axes=(*header.axes, Axis("s")))

    record = find_record(notes)
    description = merge_record(header, record)
    blocks = lists.get("TiffData") or to_element_list(pixels.findall("TiffData"), "TiffData")
    planes = parse_tiff_data(blocks, document.uuid)
    return OmeImage(
        description=description,
        plane_order=order,
        size_c=sizes["c"],
        size_z=sizes["z"],
        size_t=sizes["t"],
        samples=samples,
        files=planes.files,
        uuids=planes.uuids,
        blocks=planes.blocks,
        creator="" if record else document.creator or "",
    )


def _parse_sizes(pixels: ET.Element) -> tuple[dict[str, int], int]:
    """Return the sizes x, y, z, c and t, with c in planes, and the samples per pixel."""
    sizes = {dim: _int(pixels, f"Size{dim.upper()}", 0) for dim in "xyzct"}
    per_channel = {_int(channel, "SamplesPerPixel", 1) for channel in pixels.iterfind("Channel")}
    samples = max(per_channel, default=1) or 1
    if len(per_channel) > 1 or sizes["c"] % samples or 0 in sizes.values():
        found = ", ".join(f"Size{dim.upper()} {size}" for dim, size in sizes.items())
        raise UnreadableFileError(
            f"The OME-XML gives impossible sizes: {found}, with {sorted(per_channel)} samples "
            "per pixel."
        )

    sizes["c"] //= samples
    n_planes = sizes["c"] * sizes["z"] * sizes["t"]
    if n_planes > MAX_PLANES:
        raise UnreadableFileError(
            f"The OME-XML describes {n_planes} planes, but at most {MAX_PLANES} are possible."
        )
    return sizes, samples


def _int(element: ET.Element, name: str, default: int) -> int:
    """Return a non-negative integer attribute."""
    text = element.get(name)
    if text is None:
        return default
    number = int(text) if text.strip().isdecimal() and len(text) < 16 else -1
    if not 0 <= number <= MAX_INT:
        raise UnreadableFileError(
            f"The OME-XML has {name}={text[:40]!r}: expected a whole number of at least 0."
        )
    return number


def _parse_type(pixels: ET.Element) -> str:
    kind = (pixels.get("Type") or pixels.get("PixelType") or "").lower()
    if kind not in _DTYPES:
        raise UnreadableFileError(
            f"The OME-XML has the unknown pixel Type {kind[:40]!r}: expected one of "
            f"{', '.join(_DTYPES)}."
        )
    return _DTYPES[kind]


def _parse_axis(name: str, pixels: ET.Element, steady: Axis) -> Axis:
    """Return an axis with its physical size or time increment.

    `steady` is the time axis according to the times of the planes.
    """
    attribute, default, _ = STEPS.get(name, ("", "", {}))
    if attribute not in pixels.attrib:
        return steady if name == "t" else Axis(name)
    step = read_step(pixels.get(attribute), attribute)
    symbol = pixels.get(f"{attribute}Unit", default)
    unit = from_ome(symbol)
    if unit is None and symbol not in _SYMBOLS_WITHOUT_NAME:
        warn_uncalibrated(f"{attribute}Unit is {symbol[:40]!r}, which is not a unit of OME")
        return Axis(name)
    return Axis(name, step, unit) if step else Axis(name)


def _parse_channels(pixels: ET.Element, count: int) -> tuple[Channel, ...]:
    """Return names and colors of the channels, empty without any."""
    channels = [
        Channel(channel.get("Name") or None, color_from_ome(channel.get("Color")))
        for channel in pixels.findall("Channel")[:count]
    ]
    if count > _MAX_CHANNELS or all(channel == Channel() for channel in channels):
        return ()
    return (*channels, *(Channel(),) * (count - len(channels)))


def _parse_metadata(
    document: _Document,
    image: ET.Element,
    pixels: ET.Element,
    notes: Sequence[ET.Element],
    times: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return other attributes of an image, as small plain JSON under the key ``ome``."""
    found = {child.tag: _plain(child) for child in image if child.tag not in _PARSED}
    found["Creator"] = document.creator
    for ref in image.iterfind("InstrumentRef"):
        found["Instrument"] = _plain(document.instruments.get(ref.get("ID")))

    found["FirstPlane"] = _plain(pixels.find("Plane"))
    channels = [_plain(channel) for channel in pixels.iterfind("Channel")]
    found["Channels"] = channels if any(set(channel) - _PARSED for channel in channels) else None
    units = {key: symbol for key, symbol in pixels.items() if key.endswith("Unit")}
    found["Units"] = {key: symbol for key, symbol in units.items() if not from_ome(symbol)}
    for note in notes:
        if note.get("Namespace", "").lower().endswith("dimension/modulo"):
            found["Modulo"] = _plain(note.find("Value"))

    small = {key: value for key, value in found.items() if value and _is_small(value)}
    small |= {"DeltaT": times} if times else {}
    return {"ome": small} if small else {}


def _plain(element: ET.Element | None, depth: int = 6) -> Any:
    """Return an element as text, or as a mapping of its attributes and children."""
    if element is None or not depth:
        return None
    text = (element.text or "").strip()
    plain: dict[str, Any] = {key: value for key, value in element.items() if "}" not in key}
    for child in element:
        value = _plain(child, depth - 1)
        if value:
            plain.setdefault(f"{child.tag}s", []).append(value)
    if not plain:
        return text
    return {**plain, "text": text} if text else plain


def _is_small(value: object) -> bool:
    return len(json.dumps(value)) <= _MAX_METADATA_CHARACTERS
