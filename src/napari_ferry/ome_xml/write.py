"""Description of images as OME-XML of the schema 2016-06."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Channel, describe
from napari_ferry.image.checks import has_frames
from napari_ferry.ome_xml.planes import counts_only_channels, dimensions, plane_counts
from napari_ferry.ome_xml.vocabulary import (
    OME_DTYPES,
    RECORD_NAMESPACE,
    SCHEMA,
    STEPS,
    TYPES,
    color_to_ome,
    single_channel,
    storable_axis,
    xml_text,
)
from napari_ferry.units import to_ome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_ferry.image import Image
    from napari_ferry.ome_xml.planes import TiffData


def write_ome_xml(
    images: Sequence[Image], tiff_data: Sequence[Iterable[TiffData]], *, uuid: str | None = None
) -> str:
    """Describe images and their planes as OME-XML, for storage in UTF-8.

    Non-ASCII characters are not escaped, as Bio-Formats does not read ``&#181;m``.

    Parameters
    ----------
    images : sequence of Image
        One Image element each. Their leading axes may be in any order.
    tiff_data : sequence of iterable of TiffData
        The planes of each image, in C order of its leading axes.
    uuid : str, optional
        UUID of the file, ``urn:uuid:...``.

    Raises
    ------
    InvalidImageError
        The data type is unknown to OME, or y and x (or y, x and s) are not the last axes.
    """
    root = _make_root({"UUID": uuid} if uuid else {})
    for i, image in enumerate(images):
        element, pixels = _write_image(root, i, image)
        pixels.append(ET.Comment(f"planes {i}"))
        ET.SubElement(element, "AnnotationRef", {"ID": f"Annotation:{i}"})

    notes = ET.SubElement(root, "StructuredAnnotations")
    for i, image in enumerate(images):
        attributes = {"ID": f"Annotation:{i}", "Namespace": RECORD_NAMESPACE}
        note = ET.SubElement(notes, "CommentAnnotation", attributes)
        # JSON escapes characters forbidden in XML: control characters and lone surrogates
        ET.SubElement(note, "Value").text = json.dumps(describe(image), ensure_ascii=True)

    # elements of all parts of a large series would need ten times the memory of their text
    text = _to_text(root)
    for i, (_, blocks) in enumerate(zip(images, tiff_data, strict=True)):
        text = text.replace(f"<!--planes {i}-->", "".join(map(_tiff_data_text, blocks)), 1)
    return text


def write_companion_xml(images: Sequence[Image]) -> str:
    """Describe images whose pixels are stored elsewhere as OME-XML, for storage in UTF-8.

    Parameters
    ----------
    images : sequence of Image
        One Image element each.

    Raises
    ------
    InvalidImageError
        As for `write_ome_xml`.
    """
    root = _make_root({})
    for i, image in enumerate(images):
        _, pixels = _write_image(root, i, image)
        ET.SubElement(pixels, "MetadataOnly")
    return _to_text(root)


def _make_root(attributes: dict[str, str]) -> ET.Element:
    schema = {"xmlns": SCHEMA, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    location = {"xsi:schemaLocation": f"{SCHEMA} {SCHEMA}/ome.xsd", "Creator": "napari-ferry"}
    return ET.Element("OME", schema | location | attributes)


def _to_text(root: ET.Element) -> str:
    xml = ET.tostring(root, encoding="unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>{xml}'


def _write_image(root: ET.Element, i: int, image: Image) -> tuple[ET.Element, ET.Element]:
    """Add an Image with its channels; return it and its Pixels."""
    if image.dtype.name not in OME_DTYPES or not has_frames(image) or 0 in image.shape:
        raise InvalidImageError(
            f"OME-XML cannot describe {image.dtype} pixels with the axes "
            f"{' '.join(image.axis_names)} and the shape {image.shape}: expected "
            f"{', '.join(TYPES)}, y and x (or y, x and s of 3 or 4) as last axes, and no empty "
            "axis."
        )

    name = xml_text(image.name)
    element = ET.SubElement(root, "Image", {"ID": f"Image:{i}"} | ({"Name": name} if name else {}))
    pixels = ET.SubElement(element, "Pixels", _pixels_attributes(i, image))
    samples = str(_samples(image))

    for number, channel in enumerate(_channels_to_write(image)):
        color = color_to_ome(channel)
        attributes = {"ID": f"Channel:{i}:{number}", "SamplesPerPixel": samples}
        attributes |= {"Name": xml_text(channel.name)} if channel.name else {}
        ET.SubElement(pixels, "Channel", attributes | ({"Color": color} if color else {}))
    return element, pixels


def _pixels_attributes(i: int, image: Image) -> dict[str, str]:
    dims = dict.fromkeys(dimensions(image.axes).values())
    order = [*(dim for dim in "tzc" if dim not in dims), *dims]
    sizes = plane_counts(image.axes, image.shape) | {"y": image.size("y"), "x": image.size("x")}
    sizes["c"] *= _samples(image)

    attributes = {
        "ID": f"Pixels:{i}",
        "DimensionOrder": "XY" + "".join(reversed(order)).upper(),
        "Type": TYPES[image.dtype.name],
        "BigEndian": "true" if image.dtype.str[0] == ">" else "false",
    }
    # the samples of a pixel are stored together; without this, Viv displays only the first
    attributes |= {"Interleaved": "true"} if image.is_rgb else {}
    attributes |= {f"Size{dim.upper()}": str(size) for dim, size in sizes.items()}
    for axis in map(storable_axis, image.axes):
        symbol = to_ome(axis.unit)
        if symbol:
            attribute = STEPS[axis.name][0]
            attributes |= {attribute: repr(float(axis.scale)), f"{attribute}Unit": symbol}
    return attributes


def _channels_to_write(image: Image) -> Sequence[Channel]:
    count = plane_counts(image.axes, image.shape)["c"]
    if image.channels and counts_only_channels(image.axes):
        return image.channels
    return (single_channel(image),) if count == 1 else (Channel(),) * count


def _tiff_data_text(block: TiffData) -> str:
    """Return the element of some planes."""
    # an IFD without a count would be one plane
    numbers = {"IFD": block.ifd, "PlaneCount": block.count} if block.count >= 0 else {}
    numbers |= {"FirstC": block.first_c, "FirstZ": block.first_z, "FirstT": block.first_t}
    attributes = {key: str(value) for key, value in numbers.items()}
    element = ET.Element("TiffData", attributes)
    if block.uuid:
        # a file with another name is found by its UUID
        named = {"FileName": xml_text(block.filename)} if block.filename else {}
        ET.SubElement(element, "UUID", named).text = block.uuid
    return ET.tostring(element, encoding="unicode")


def _samples(image: Image) -> int:
    """Return the samples per pixel; an axis ``s`` before y and x counts planes."""
    return image.size("s") if image.is_rgb else 1
