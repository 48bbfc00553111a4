"""Vocabulary of OME: data types, steps, names and colors of an image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.axes import is_valid_scale
from napari_ferry.image.colormaps import color_of, is_hex_color, rgb_of
from napari_ferry.image.record import Description
from napari_ferry.units import METERS, SECONDS, is_step, normalize

SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"

RECORD_NAMESPACE = "napari-ferry/1"
"""Namespace of the comment annotation that holds our own record."""

TYPES = {
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
"""Name of each numpy data type that OME can hold -> the Type of its Pixels."""

OME_DTYPES = frozenset(TYPES)
"""Names of the numpy data types that OME can hold; bool as uint8."""

STEPS = {
    "x": ("PhysicalSizeX", "\u00b5m", METERS),
    "y": ("PhysicalSizeY", "\u00b5m", METERS),
    "z": ("PhysicalSizeZ", "\u00b5m", METERS),
    "t": ("TimeIncrement", "s", SECONDS),
}
"""Name of each calibrated axis -> the attribute of its step, the default symbol, its units."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def storable_axis(axis: Axis) -> Axis:
    """Return an axis, without a calibration unknown to Pixels."""
    units = STEPS[axis.name][2] if axis.name in STEPS else {}
    unit = normalize(axis.unit)
    return (
        Axis(axis.name, axis.scale, unit)
        if unit in units and is_step(axis.scale)
        else Axis(axis.name)
    )


def step_losses(axes: Iterable[Axis]) -> Iterator[str]:
    """Yield a loss for each step missing from the OME-XML and kept only in our record."""
    for axis in axes:
        is_calibrated = axis.unit is not None or axis.scale != 1
        if is_calibrated and not storable_axis(axis).unit and is_valid_scale(axis.scale):
            yield (
                f"other programs see axis {axis.name} without its step ({axis.scale:g} "
                f"{axis.unit or 'pixel'}), which OME-XML cannot hold; napari-ferry restores it"
            )


def xml_text(text: str | None) -> str:
    """Return text in one line, without characters forbidden in XML 1.0.

    Line ends in attributes need character references, which Bio-Formats does not read.
    """
    return _NOT_XML.sub("\ufffd", " ".join(re.split(r"[\t\r\n]", text or "")))


def single_channel(image: Image | Description) -> Channel:
    """Return the channel of an image without an axis ``c``, with the color of its colormap."""
    name = (image.metadata or {}).get(Channel.NAME_KEY)
    color = None if image.kind == "labels" else color_of((image.display or {}).get("colormap"))
    return Channel(name if isinstance(name, str) and name else None, color)


def color_to_ome(channel: Channel) -> str | None:
    """Return a color as a signed 32-bit RGBA number, opaque."""
    if not is_hex_color(channel.color):
        return None
    return str(int.from_bytes([*rgb_of(channel.color), 0xFF], signed=True))


def color_from_ome(text: str | None) -> str | None:
    """Return a signed 32-bit RGBA number as ``#rrggbb``, or ``None`` if it is not a number."""
    try:
        return f"#{(int(text or '') & 0xFFFFFFFF) >> 8:06x}"
    except ValueError:
        return None
