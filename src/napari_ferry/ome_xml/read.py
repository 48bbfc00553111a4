"""OME-XML of any year's schema -> descriptions and the places of their planes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Channel
from napari_ferry.image.record import MAX_PLANES, Description
from napari_ferry.ome_xml.merge_record import find_record, join
from napari_ferry.ome_xml.plane_lists import (
    MAX_INT,
    Run,
    Runs,
    run_of,
    take_out_runs,
    whole_numbers,
)
from napari_ferry.ome_xml.plane_times import kept_times, parse_times, time_axis
from napari_ferry.ome_xml.planes import BLOCK_COLUMNS, OmeImage
from napari_ferry.ome_xml.vocabulary import STEPS, TYPES, color_from_ome
from napari_ferry.units import from_ome, read_step, warn_uncalibrated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_DTYPES = {kind: name for name, kind in TYPES.items() if name != "bool"} | {"bit": "bool"}
_SYMBOLS_WITHOUT_NAME = frozenset(
    ("dam", "das", "thou", "li", "ua", "ly", "pt", "pixel", "reference frame")
)
_MAX_METADATA_CHARACTERS = 16384
_PARSED = {"Pixels", "AnnotationRef", "InstrumentRef", "ID", "Name", "Color", "SamplesPerPixel"}


class _Document(NamedTuple):
    """What a document says of all its images; instruments by their IDs."""

    uuid: str | None
    creator: str | None
    instruments: Mapping[str | None, ET.Element]


def parse_ome_xml(xml: str) -> list[OmeImage]:
    """Read every Image of an OME-XML document.

    All five dimensions are given, of length 1, too, slowest first, then ``s`` for colors. Where
    our own record is there and fits the Pixels, it says more; physical sizes, names and colors
    that another program has changed since are kept.

    Raises
    ------
    UnreadableFileError
        No well-formed OME-XML, a DOCTYPE (never expanded), or impossible sizes or types.

    Warns
    -----
    FerryWarning
        A physical size or time increment that is impossible; it is left out.
    """
    root, runs = _parse_document(xml)
    binary_only = root.find("BinaryOnly")
    if binary_only is not None:
        raise UnreadableFileError(
            "The description of this file is kept in another one: open "
            f"{binary_only.get('MetadataFile')!r} instead."
        )
    annotations = {note.get("ID"): note for note in root.iterfind("StructuredAnnotations/*")}
    document = _Document(
        root.get("UUID"),
        root.get("Creator"),
        {element.get("ID"): element for element in root.iterfind("Instrument")},
    )
    return [
        _parse_image(document, image, pixels, runs.get(pixels, {}), _referenced(image, annotations))
        for image in root.iterfind("Image")
        for pixels in image.findall("Pixels")[:1]
    ]


def _parse_document(xml: str) -> tuple[ET.Element, dict[ET.Element, Runs]]:
    """Parse a document; long runs of elements are taken out of it where that is safe."""
    rest, runs = take_out_runs(xml.strip("\ufeff\0 \t\r\n"))
    root = _parse_root(rest)
    elements = list(root.iter("Pixels"))
    found = dict(zip(elements, runs, strict=False))
    is_safe = len(elements) == len(runs) and all(
        len(pixels.findall(name)) == 1 for pixels, taken in found.items() for name in taken
    )
    return (root, found) if is_safe else (_parse_root(xml), {})


def _parse_root(xml: str) -> ET.Element:
    """Parse the document and drop all namespaces, as each year's schema has another one."""
    if "<!DOCTYPE" in xml:  # what is taken out has none, as it has no other "<"
        raise UnreadableFileError(
            "The OME-XML declares a DOCTYPE, which OME-XML never needs and which can be made to "
            "read other files or to fill the memory: remove it."
        )
    try:
        root = ET.fromstring(xml.strip("\ufeff\0 \t\r\n"))
    except (ET.ParseError, ValueError) as error:
        raise UnreadableFileError(f"The OME-XML is not well-formed: {error}.") from error
    for element in root.iter():
        if element.tag[0] == "{":
            element.tag = element.tag.rpartition("}")[2]
    if root.tag != "OME":
        raise UnreadableFileError(f"The XML begins with {root.tag[:40]!r}, not with 'OME'.")
    return root


def _referenced(
    image: ET.Element, annotations: Mapping[str | None, ET.Element]
) -> list[ET.Element]:
    """Return the annotations that an Image or its Pixels refer to."""
    refs = [*image.iterfind("AnnotationRef"), *image.iterfind("Pixels/AnnotationRef")]
    return [annotations[ref.get("ID")] for ref in refs if ref.get("ID") in annotations]


def _parse_image(
    document: _Document,
    image: ET.Element,
    pixels: ET.Element,
    runs: Runs,
    notes: Sequence[ET.Element],
) -> OmeImage:
    order = pixels.get("DimensionOrder", "")
    if sorted(order) != list("CTXYZ") or not order.startswith("XY"):
        raise UnreadableFileError(f"The OME-XML has the DimensionOrder {order[:20]!r}.")
    sizes, samples = _parse_sizes(pixels)
    times = parse_times(pixels, runs)
    steady = time_axis(times, sizes["t"])
    header = Description(
        shape=(*(sizes[dim] for dim in order[:1:-1].lower()), sizes["y"], sizes["x"]),
        axes=tuple(_parse_axis(name, pixels, steady) for name in order[::-1].lower()),
        dtype=_parse_type(pixels),
        channels=_parse_channels(pixels, sizes["c"]),
        name=image.get("Name", ""),
        metadata=_parse_metadata(document, image, pixels, notes, kept_times(times, sizes, steady)),
    )
    if samples > 1:
        header = replace(header, shape=(*header.shape, samples), axes=(*header.axes, Axis("s")))
    record = find_record(notes)
    description = join(header, record)
    blocks = runs.get("TiffData") or run_of(pixels.findall("TiffData"), "TiffData")
    files, uuids, table = _parse_tiff_data(blocks, document.uuid)
    counts = (sizes["c"], sizes["z"], sizes["t"])
    creator = "" if record else document.creator or ""
    return OmeImage(description, order, *counts, samples, files, uuids, table, creator)


def _parse_sizes(pixels: ET.Element) -> tuple[dict[str, int], int]:
    """Return the sizes x, y, z, c and t in planes, and the samples of a pixel."""
    sizes = {dim: _int(pixels, f"Size{dim.upper()}", 0) for dim in "xyzct"}
    per_channel = {_int(channel, "SamplesPerPixel", 1) for channel in pixels.iterfind("Channel")}
    samples = max(per_channel, default=1) or 1
    if len(per_channel) > 1 or sizes["c"] % samples or 0 in sizes.values():
        found = ", ".join(f"Size{dim.upper()} {size}" for dim, size in sizes.items())
        raise UnreadableFileError(
            f"The OME-XML gives impossible sizes: {found}, with {sorted(per_channel)} samples."
        )
    sizes["c"] //= samples
    n_planes = sizes["c"] * sizes["z"] * sizes["t"]
    if n_planes > MAX_PLANES:
        raise UnreadableFileError(
            f"The OME-XML announces {n_planes} planes, and no more than {MAX_PLANES} are possible."
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
            f"The OME-XML has {name}={text[:40]!r} where a whole number is expected."
        )
    return number


def _parse_type(pixels: ET.Element) -> str:
    kind = (pixels.get("Type") or pixels.get("PixelType") or "").lower()
    if kind not in _DTYPES:
        raise UnreadableFileError(f"The OME-XML has pixels of the unknown Type {kind[:40]!r}.")
    return _DTYPES[kind]


def _parse_axis(name: str, pixels: ET.Element, steady: Axis) -> Axis:
    """Return an axis with its physical size or time increment, if there is a possible one.

    `steady` is the time axis as the times of the planes tell it.
    """
    attribute, default, _ = STEPS.get(name, ("", "", {}))
    if attribute not in pixels.attrib:
        return steady if name == "t" else Axis(name)
    step = read_step(pixels.get(attribute), attribute)
    symbol = pixels.get(f"{attribute}Unit", default)
    unit = from_ome(symbol)
    if unit is None and symbol not in _SYMBOLS_WITHOUT_NAME:
        warn_uncalibrated(f"{attribute}Unit is {symbol[:40]!r}, which is no unit that OME knows")
        return Axis(name)
    return Axis(name, step, unit) if step else Axis(name)


def _parse_channels(pixels: ET.Element, count: int) -> tuple[Channel, ...]:
    """Return names and colors of the channels, or none where the file gives none."""
    channels = [
        Channel(channel.get("Name") or None, color_from_ome(channel.get("Color")))
        for channel in pixels.findall("Channel")[:count]
    ]
    channels += [Channel()] * (count - len(channels))
    return tuple(channels) if any(channel != Channel() for channel in channels) else ()


def _parse_tiff_data(
    blocks: Run, own_uuid: str | None
) -> tuple[tuple[str | None, ...], tuple[str | None, ...], NDArray[np.int64]]:
    """Return the files that are named, their UUIDs, and the places of planes; see `OmeImage`."""
    table = np.zeros((blocks.length, 6), np.int64)
    for k, name in enumerate(BLOCK_COLUMNS):
        table[:, k] = whole_numbers(blocks.column(name), name)
    # an IFD without a count stands for one plane; neither of them, for all that follow
    is_given = table[:, 0] >= 0
    table[table[:, 1] < 0, 1] = np.where(is_given, 1, -1)[table[:, 1] < 0]
    table[:, [0, 2, 3, 4]] = np.maximum(table[:, [0, 2, 3, 4]], 0)
    names = {uuid: _file_of(*file, own_uuid) for uuid, file in blocks.files.items()}
    files: dict[str | None, int] = {} if names or not blocks.length else {None: 0}
    numbers = {uuid: files.setdefault(name, len(files)) for uuid, name in names.items()}
    if len(files) > 1:
        table[:, 5] = [numbers[uuid] for uuid in blocks.uuids]
    uuids: dict[str | None, str | None] = {}
    for key, (_, uuid) in blocks.files.items():
        uuids.setdefault(names[key], uuid)
    return tuple(files), tuple(map(uuids.get, files)), table


def _file_of(name: str | None, uuid: str | None, own_uuid: str | None) -> str | None:
    """Return the name of a file, ``None`` for this one, as it may have been renamed.

    The UUID stands in for a name that is missing.
    """
    uuid = (uuid or "").strip() or None
    foreign = uuid if own_uuid else None
    return None if uuid and uuid == own_uuid else name or foreign


def _parse_metadata(
    document: _Document,
    image: ET.Element,
    pixels: ET.Element,
    notes: Sequence[ET.Element],
    times: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return what else is said about an image, as small plain JSON under the key ``ome``."""
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
        if "Modulo" in note.get("Namespace", ""):
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
        said = _plain(child, depth - 1)
        if said:
            plain.setdefault(f"{child.tag}s", []).append(said)
    if not plain:
        return text
    return {**plain, "text": text} if text else plain


def _is_small(value: object) -> bool:
    return len(json.dumps(value)) <= _MAX_METADATA_CHARACTERS
