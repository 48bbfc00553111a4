"""Image <-> OME-XML, the description that an OME-TIFF carries in its first ImageDescription.

Written is the schema 2016-06, read are all of them
(https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome.html;
how TIFF planes are named: https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html).
What OME has no place for rides as our JSON record in a comment annotation, see `description`.
"""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.description import Description, describe, parse_description
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.units import (
    METERS,
    SECONDS,
    from_ome,
    is_step,
    normalize,
    read_step,
    same_step,
    to_ome,
    warn_uncalibrated,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_TYPES = {
    "bool": "uint8",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "float32": "float",
    "float64": "double",
    "complex64": "complex",
    "complex128": "double-complex",
}

OME_DTYPES = frozenset(_TYPES)
"""Names of the numpy data types that OME can hold; truth values as uint8."""

MAX_PLANES = 2**24
"""More planes than this in one image are taken for a damaged description."""

RECORD_NAMESPACE = "napari-ferry/1"

_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_DTYPES = {kind: name for name, kind in _TYPES.items() if name != "bool"} | {"bit": "bool"}
_STEPS = {
    "x": ("PhysicalSizeX", "\u00b5m", METERS),
    "y": ("PhysicalSizeY", "\u00b5m", METERS),
    "z": ("PhysicalSizeZ", "\u00b5m", METERS),
    "t": ("TimeIncrement", "s", SECONDS),
}
_SYMBOLS_WITHOUT_NAME = frozenset(
    ("dam", "das", "thou", "li", "ua", "ly", "pt", "pixel", "reference frame")
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_METADATA_CHARACTERS = 16384
_MAX_INT = 2**40
_PARSED = {"Pixels", "AnnotationRef", "InstrumentRef", "ID", "Name", "Color", "SamplesPerPixel"}


class TiffData(NamedTuple):
    """Which planes some consecutive IFDs of one file hold; `count` is -1 for all that follow.

    `filename` is ``None`` for the file that carries the description.
    """

    ifd: int
    count: int  # type: ignore[assignment]  # a tuple's method of that name is not missed
    first_c: int
    first_z: int
    first_t: int
    filename: str | None = None
    uuid: str | None = None


@dataclass(frozen=True)
class OmeImage:
    """One Image of an OME-XML.

    Parameters
    ----------
    description : Description
        The image as it is to be opened.
    plane_order : str
        The DimensionOrder that the planes are stored in, fastest first, such as ``XYCZT``.
    size_c, size_z, size_t : int
        Number of planes along each dimension.
    samples : int
        Samples of a pixel: 3 or 4 for a colour.
    tiff_data : tuple of TiffData
        Where the planes are.
    """

    description: Description
    plane_order: str
    size_c: int
    size_z: int
    size_t: int
    samples: int
    tiff_data: tuple[TiffData, ...]

    @cached_property
    def files(self) -> tuple[str | None, ...]:
        """The distinct names of the files that hold the planes; ``None`` is this file."""
        return tuple(dict.fromkeys(block.filename for block in self.tiff_data))

    def planes(self) -> NDArray[np.int64]:
        """Return where each plane is, in C order of the description's leading axes.

        Returns
        -------
        numpy.ndarray
            Axes (plane, 2), int64: index into `files` and IFD; -1 where no TiffData names it.

        Raises
        ------
        UnreadableFileError
            The blocks name more than `MAX_PLANES` planes.
        """
        stored = self.plane_order[:1:-1].lower()
        sizes = {"c": self.size_c, "z": self.size_z, "t": self.size_t}
        cube = self._stored_planes(stored, sizes).reshape(*(sizes[dim] for dim in stored), 2)
        wanted = dict.fromkeys([*_dimensions(self.description.axes).values(), *stored])
        return cube.transpose(*(stored.index(dim) for dim in wanted), 3).reshape(-1, 2)

    def _stored_planes(self, stored: str, sizes: Mapping[str, int]) -> NDArray[np.int64]:
        """Return (file, ifd) of each plane in the order of the DimensionOrder."""
        table = np.full((math.prod(sizes.values()), 2), -1, np.int64)
        number = {name: i for i, name in enumerate(self.files)}
        columns = list(zip(*self.tiff_data, strict=True)) or [()] * len(TiffData._fields)
        places = [*columns[:5], [number[name] for name in columns[5]]]
        blocks = np.array(places, np.int64).T
        blocks = blocks[(blocks[:, 2:5] < [sizes[dim] for dim in "czt"]).all(axis=1)]
        strides = {
            dim: math.prod(sizes[d] for d in stored[i + 1 :]) for i, dim in enumerate(stored)
        }
        start = blocks[:, 2:5] @ np.array([strides[dim] for dim in "czt"])
        count = _counts(blocks[:, 1], start, len(table))
        index, step = _spread(start, count)
        table[index, 0] = np.repeat(blocks[:, 5], count)
        table[index, 1] = np.repeat(blocks[:, 0], count) + step
        return table


def _counts(count: NDArray[np.int64], start: NDArray[np.int64], n_planes: int) -> NDArray[np.int64]:
    """Return how many planes each block names: to the next block where it does not say."""
    edges = np.append(np.unique(start), n_planes)
    following = edges[np.searchsorted(edges, start, side="right")] - start
    counts: NDArray[np.int64] = np.minimum(np.where(count < 0, following, count), n_planes - start)
    if counts.sum() > MAX_PLANES:
        raise UnreadableFileError(
            f"The OME-XML assigns {counts.sum()} planes to an image of {n_planes}: "
            "its TiffData are damaged."
        )
    return counts


def _spread(
    start: NDArray[np.int64], count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``start + 0 .. count - 1`` of all blocks in one row, and the added steps."""
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(start, count) + step, step


def _dimensions(axes: Sequence[Axis]) -> dict[str, str]:
    """Return the OME dimension (t, z or c) that counts each leading axis, in their order.

    Axes that OME does not know share a dimension with their neighbours, or take a free one, so
    that the C order of the planes stays as it is.

    >>> _dimensions([Axis(name) for name in "ptcyx"]), _dimensions([Axis(n) for n in "paczyx"])
    ({'p': 'z', 't': 't', 'c': 'c'}, {'p': 't', 'a': 't', 'c': 'c', 'z': 'z'})
    """
    names = [axis.name for axis in axes[: len(axes) - _tail(axes)]]
    dims = [name if name in ("t", "z", "c") else "" for name in names]
    while "" in dims:
        first = dims.index("")
        last = next((i for i in range(first, len(dims)) if dims[i]), len(dims))
        dims[first:last] = _dimension_of_run(dims, first, last) * (last - first)
    return dict(zip(names, dims, strict=True))


def _dimension_of_run(dims: Sequence[str], first: int, last: int) -> str:
    """Choose the dimension for the axes first..last-1, whose neighbours have theirs."""
    beside = {*dims[max(first - 1, 0) : first], *dims[last : last + 1]}
    choices = [dim for dim in "tz" if dim not in dims]
    choices += ["t"] * ("t" in beside) + ["c"] * ("c" not in dims)
    return (choices + [dim for dim in "zc" if dim in beside])[0]


def _tail(axes: Sequence[Axis]) -> int:
    """Return how many of the last axes make up a plane: y x, or y x s."""
    return 3 if axes[-1].name == "s" else 2


def _sizes(axes: Sequence[Axis], shape: Sequence[int]) -> dict[str, int]:
    """Return the number of planes along the OME dimensions c, z and t."""
    sizes = {"c": 1, "z": 1, "t": 1}
    for dim, size in zip(_dimensions(axes).values(), shape, strict=False):
        sizes[dim] *= size
    return sizes


# --- reading


def parse_ome_xml(xml: str) -> list[OmeImage]:
    """Read every Image of an OME-XML document.

    All five dimensions are given, of length 1, too, slowest first, then ``s`` for colours. Where
    our own record is there and fits the Pixels, it says more; physical sizes, names and colours
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
    root = _parse_root(xml)
    binary_only = root.find("BinaryOnly")
    if binary_only is not None:
        raise UnreadableFileError(
            "The description of this file is kept in another one: open "
            f"{binary_only.get('MetadataFile')!r} instead."
        )
    annotations = {note.get("ID"): note for note in root.iterfind("StructuredAnnotations/*")}
    return [
        _parse_image(root, image, pixels, _referenced(image, annotations))
        for image in root.iterfind("Image")
        for pixels in image.findall("Pixels")[:1]
    ]


def _parse_root(xml: str) -> ET.Element:
    """Parse the document and drop all namespaces, as each year's schema has another one."""
    if "<!DOCTYPE" in xml:
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
    root: ET.Element, image: ET.Element, pixels: ET.Element, notes: Sequence[ET.Element]
) -> OmeImage:
    order = pixels.get("DimensionOrder", "")
    if sorted(order) != list("CTXYZ") or not order.startswith("XY"):
        raise UnreadableFileError(f"The OME-XML has the DimensionOrder {order[:20]!r}.")
    sizes, samples = _parse_sizes(pixels)
    header = Description(
        (*(sizes[dim] for dim in order[:1:-1].lower()), sizes["y"], sizes["x"]),
        tuple(_parse_axis(name, pixels) for name in order[::-1].lower()),
        _parse_type(pixels),
        _parse_channels(pixels, sizes["c"]),
        image.get("Name", ""),
        metadata=_parse_metadata(root, image, pixels, notes),
    )
    if samples > 1:
        header = replace(header, shape=(*header.shape, samples), axes=(*header.axes, Axis("s")))
    description = _join(header, _find_record(notes))
    tiff_data = _parse_tiff_data(pixels, root.get("UUID"))
    return OmeImage(description, order, sizes["c"], sizes["z"], sizes["t"], samples, tiff_data)


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
    if not 0 <= number <= _MAX_INT:
        raise UnreadableFileError(
            f"The OME-XML has {name}={text[:40]!r} where a whole number is expected."
        )
    return number


def _parse_type(pixels: ET.Element) -> str:
    kind = (pixels.get("Type") or pixels.get("PixelType") or "").lower()
    if kind not in _DTYPES:
        raise UnreadableFileError(f"The OME-XML has pixels of the unknown Type {kind[:40]!r}.")
    return _DTYPES[kind]


def _parse_axis(name: str, pixels: ET.Element) -> Axis:
    """Return an axis with its physical size or time increment, if there is a possible one."""
    attribute, default, _ = _STEPS.get(name, ("", "", {}))
    if attribute not in pixels.attrib:
        return _axis_of_times(pixels) if name == "t" else Axis(name)
    step = read_step(pixels.get(attribute), attribute)
    symbol = pixels.get(f"{attribute}Unit", default)
    unit = from_ome(symbol)
    if unit is None and symbol not in _SYMBOLS_WITHOUT_NAME:
        warn_uncalibrated(f"{attribute}Unit is {symbol[:40]!r}, which is no unit that OME knows")
        return Axis(name)
    return Axis(name, step, unit) if step else Axis(name)


def _axis_of_times(pixels: ET.Element) -> Axis:
    """Return the time axis as the Planes tell it, where they are evenly spaced (to 1 %)."""
    first = [
        plane
        for plane in pixels.iterfind("Plane[@DeltaT]")
        if plane.get("TheC") == plane.get("TheZ") == "0"
    ]
    try:
        times = {int(plane.get("TheT", "")): float(plane.get("DeltaT", "")) for plane in first}
    except ValueError:
        return Axis("t")
    steps = np.diff([times[t] for t in sorted(times)])
    step = float(steps.mean()) if len(steps) else 0.0
    whole = sorted(times) == list(range(_int(pixels, "SizeT", 0)))
    if not whole or not is_step(step) or not np.allclose(steps, step, rtol=0.01, atol=0):
        return Axis("t")
    return Axis("t", step, from_ome(first[0].get("DeltaTUnit", "s")))


def _parse_channels(pixels: ET.Element, count: int) -> tuple[Channel, ...]:
    """Return names and colours of the channels, or none where the file gives none."""
    channels = [
        Channel(channel.get("Name") or None, _parse_color(channel.get("Color")))
        for channel in pixels.findall("Channel")[:count]
    ]
    channels += [Channel()] * (count - len(channels))
    return tuple(channels) if any(channel != Channel() for channel in channels) else ()


def _parse_color(text: str | None) -> str | None:
    """Return ``#rrggbb`` of a colour that is written as a signed 32-bit RGBA number."""
    try:
        return f"#{(int(text or '') & 0xFFFFFFFF) >> 8:06x}"
    except ValueError:
        return None


def _parse_tiff_data(pixels: ET.Element, own_uuid: str | None) -> tuple[TiffData, ...]:
    """Read the places of the planes, column by column, as there may be 100,000 of them."""
    blocks = pixels.findall("TiffData")
    counts = [block.get("PlaneCount", "1" if "IFD" in block.attrib else "-1") for block in blocks]
    firsts = [[block.get(f"First{dim}", "0") for block in blocks] for dim in "CZT"]
    columns = [[block.get("IFD", "0") for block in blocks], counts, *firsts]
    try:
        numbers = [list(map(int, column)) for column in columns]
    except ValueError as error:
        raise UnreadableFileError(f"The OME-XML has damaged TiffData: {error}.") from error
    lowest = (0, -1, 0, 0, 0)  # a count of -1 is one that is not given
    for column, low in zip(numbers, lowest, strict=True):
        if column and not low <= min(column) <= max(column) <= _MAX_INT:
            raise UnreadableFileError("The OME-XML has TiffData with impossible numbers.")
    names = zip(*(_parse_uuid(block.find("UUID"), own_uuid) for block in blocks), strict=True)
    return tuple(map(TiffData._make, zip(*numbers, *names, strict=True)))


def _parse_uuid(element: ET.Element | None, own_uuid: str | None) -> tuple[str | None, str | None]:
    """Return file name and UUID; the name is ``None`` for this file, as it may have been renamed.

    The UUID stands in for a name that is missing.
    """
    if element is None:
        return None, None
    uuid = (element.text or "").strip() or None
    foreign = uuid if own_uuid else None
    return (None if uuid and uuid == own_uuid else element.get("FileName") or foreign), uuid


def _parse_metadata(
    root: ET.Element, image: ET.Element, pixels: ET.Element, notes: Sequence[ET.Element]
) -> dict[str, Any]:
    """Return what else is said about an image, as small plain JSON under the key ``ome``."""
    found = {child.tag: _plain(child) for child in image if child.tag not in _PARSED}
    found["Creator"] = root.get("Creator")
    instruments = {element.get("ID"): element for element in root.iterfind("Instrument")}
    for ref in image.iterfind("InstrumentRef"):
        found["Instrument"] = _plain(instruments.get(ref.get("ID")))
    found["FirstPlane"] = _plain(pixels.find("Plane"))
    channels = [_plain(channel) for channel in pixels.iterfind("Channel")]
    found["Channels"] = channels if any(set(channel) - _PARSED for channel in channels) else None
    units = {key: symbol for key, symbol in pixels.items() if key.endswith("Unit")}
    found["Units"] = {key: symbol for key, symbol in units.items() if not from_ome(symbol)}
    for note in notes:
        if "Modulo" in note.get("Namespace", ""):
            found["Modulo"] = _plain(note.find("Value"))
    small = {key: value for key, value in found.items() if value and _is_small(value)}
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


# --- our record, and what others changed since


def _find_record(notes: Sequence[ET.Element]) -> Description | None:
    """Return our own record, if there is a sound one."""
    for note in notes:
        if note.get("Namespace", "").startswith("napari-ferry/"):
            try:
                return parse_description(json.loads(note.findtext("Value", "")))
            except (ValueError, OverflowError, RecursionError):  # not written by us
                return None
    return None


def _join(header: Description, record: Description | None) -> Description:
    """Return what the record says, but for what another program has changed in the header."""
    if record is None or not _fits(record, header):
        return header
    said = {axis.name: axis for axis in header.axes}
    return replace(
        record,
        axes=tuple(_join_axis(axis, said.get(axis.name)) for axis in record.axes),
        channels=_join_channels(record, header),
        name=record.name if _xml_text(record.name) == header.name else header.name,
    )


def _fits(record: Description, header: Description) -> bool:
    """Return whether a record describes the pixels of this header."""
    kinds = {name for name in _TYPES if _TYPES[name] == _TYPES[header.dtype]}
    return (
        _plane_shape(record.axes, record.shape) == _plane_shape(header.axes, header.shape)
        and _sizes(record.axes, record.shape) == _sizes(header.axes, header.shape)
        and any(record.dtype in (name, np.dtype(name).newbyteorder(">").str) for name in kinds)
    )


def _join_axis(axis: Axis, said: Axis | None) -> Axis:
    """Return the record's axis, or the header's where it says another step than was written."""
    if said is None:
        return axis
    wrote = _writable(axis)
    return axis if same_step(wrote.scale, wrote.unit, said.scale, said.unit) else said


def _join_channels(record: Description, header: Description) -> tuple[Channel, ...]:
    if not _names_channels(record.axes):
        return record.channels
    unknown = (Channel(),) * _sizes(header.axes, header.shape)["c"]
    pairs = zip(record.channels or unknown, header.channels or unknown, strict=True)
    channels = tuple(
        replace(
            wrote,
            name=wrote.name if (_xml_text(wrote.name) or None) == said.name else said.name,
            color=wrote.color if _parse_color(_color(wrote)) == said.color else said.color,
        )
        for wrote, said in pairs
    )
    return channels if channels != unknown else ()


def _names_channels(axes: Sequence[Axis]) -> bool:
    """Return whether the Channels of OME are those of the image, not also another axis."""
    return all(name == "c" for name, dim in _dimensions(axes).items() if dim == "c")


def _plane_shape(axes: Sequence[Axis], shape: Sequence[int]) -> tuple[int, ...]:
    """Return (y, x) or (y, x, s) of the last axes; empty where they are not those of a plane."""
    names = [axis.name for axis in axes[-_tail(axes) :]] if axes else []
    return tuple(shape[-len(names) :]) if names in (["y", "x"], ["y", "x", "s"]) else ()


def _writable(axis: Axis) -> Axis:
    """Return an axis as far as Pixels can hold it: uncalibrated where they cannot."""
    units = _STEPS[axis.name][2] if axis.name in _STEPS else {}
    unit = normalize(axis.unit)
    return (
        Axis(axis.name, axis.scale, unit)
        if unit in units and is_step(axis.scale)
        else Axis(axis.name)
    )


# --- writing


def write_ome_xml(
    images: Sequence[Image], tiff_data: Sequence[Sequence[TiffData]], *, uuid: str | None = None
) -> str:
    """Describe images and where their planes are, as OME-XML in pure ASCII.

    Parameters
    ----------
    images : sequence of Image
        One Image element each. Their leading axes may be in any order.
    tiff_data : sequence of sequence of TiffData
        The places of each image's planes, in C order of its leading axes.
    uuid : str, optional
        What the file is called, ``urn:uuid:...``.

    Raises
    ------
    InvalidImageError
        A data type that OME does not have, or y and x (and samples) are not the last axes.
    """
    schema = {"xmlns": _SCHEMA, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    location = {"xsi:schemaLocation": f"{_SCHEMA} {_SCHEMA}/ome.xsd", "Creator": "napari-ferry"}
    root = ET.Element("OME", schema | location | ({"UUID": uuid} if uuid else {}))
    for i, (image, blocks) in enumerate(zip(images, tiff_data, strict=True)):
        _write_image(root, i, image, blocks)
    notes = ET.SubElement(root, "StructuredAnnotations")
    for i, image in enumerate(images):
        attributes = {"ID": f"Annotation:{i}", "Namespace": RECORD_NAMESPACE}
        note = ET.SubElement(notes, "CommentAnnotation", attributes)
        # JSON escapes what XML forbids: control characters and lone surrogates
        ET.SubElement(note, "Value").text = json.dumps(describe(image), ensure_ascii=True)
    xml = ET.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>{xml}'


def first_plane(image: Image, plane: int) -> tuple[int, int, int]:
    """Return the place (c, z, t) of a plane, counted in C order of the leading axes."""
    sizes = _sizes(image.axes, image.shape)
    dims = list(dict.fromkeys(_dimensions(image.axes).values()))
    index = np.unravel_index(plane, [sizes[dim] for dim in dims]) if dims else ()
    place = {"c": 0, "z": 0, "t": 0} | dict(zip(dims, map(int, index), strict=True))
    return place["c"], place["z"], place["t"]


def _write_image(root: ET.Element, i: int, image: Image, blocks: Iterable[TiffData]) -> None:
    plane = _plane_shape(image.axes, image.shape)
    is_plane = len(plane) == (3 if image.is_rgb else 2)
    if image.dtype.name not in OME_DTYPES or not is_plane or 0 in image.shape:
        raise InvalidImageError(
            f"OME-XML cannot describe {image.dtype} pixels of the axes "
            f"{' '.join(image.axis_names)} and shape {image.shape}: it holds "
            f"{', '.join(_TYPES)}, with y and x (and s of 3 or 4) last, and no empty axis."
        )
    name = _xml_text(image.name)
    element = ET.SubElement(root, "Image", {"ID": f"Image:{i}"} | ({"Name": name} if name else {}))
    pixels = ET.SubElement(element, "Pixels", _pixels_attributes(i, image))
    samples = str(_samples(image))
    for number, channel in enumerate(_channels_to_write(image)):
        color = _color(channel)
        attributes = {"ID": f"Channel:{i}:{number}", "SamplesPerPixel": samples}
        attributes |= {"Name": _xml_text(channel.name)} if channel.name else {}
        ET.SubElement(pixels, "Channel", attributes | ({"Color": color} if color else {}))
    for block in blocks:
        _write_tiff_data(pixels, block)
    ET.SubElement(element, "AnnotationRef", {"ID": f"Annotation:{i}"})


def _pixels_attributes(i: int, image: Image) -> dict[str, str]:
    dims = dict.fromkeys(_dimensions(image.axes).values())
    order = [*(dim for dim in "tzc" if dim not in dims), *dims]
    sizes = _sizes(image.axes, image.shape) | {"y": image.size("y"), "x": image.size("x")}
    sizes["c"] *= _samples(image)
    attributes = {
        "ID": f"Pixels:{i}",
        "DimensionOrder": "XY" + "".join(reversed(order)).upper(),
        "Type": _TYPES[image.dtype.name],
        "BigEndian": "true" if image.dtype.str[0] == ">" else "false",
    }
    attributes |= {f"Size{dim.upper()}": str(size) for dim, size in sizes.items()}
    for axis in map(_writable, image.axes):
        symbol = to_ome(axis.unit)
        if symbol:
            attribute = _STEPS[axis.name][0]
            attributes |= {attribute: repr(float(axis.scale)), f"{attribute}Unit": symbol}
    return attributes


def _samples(image: Image) -> int:
    """Return the samples of a pixel: those of a colour; an axis s elsewhere counts planes."""
    return image.size("s") if image.is_rgb else 1


def _channels_to_write(image: Image) -> Sequence[Channel]:
    unknown = (Channel(),) * _sizes(image.axes, image.shape)["c"]
    return image.channels if image.channels and _names_channels(image.axes) else unknown


def _write_tiff_data(pixels: ET.Element, block: TiffData) -> None:
    # an IFD without a count would stand for one plane
    places = {"IFD": block.ifd, "PlaneCount": block.count} if block.count >= 0 else {}
    places |= {"FirstC": block.first_c, "FirstZ": block.first_z, "FirstT": block.first_t}
    attributes = {key: str(value) for key, value in places.items()}
    element = ET.SubElement(pixels, "TiffData", attributes)
    if block.uuid:
        named = {"FileName": block.filename} if block.filename else {}
        ET.SubElement(element, "UUID", named).text = block.uuid


def _xml_text(text: str | None) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text or "")


def _color(channel: Channel) -> str | None:
    """Return a colour as OME has it: a signed 32-bit RGBA number, opaque."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", channel.color or ""):
        return None
    number = int((channel.color or "")[1:], 16) << 8 | 0xFF
    return str(number - (1 << 32) if number >= 1 << 31 else number)
