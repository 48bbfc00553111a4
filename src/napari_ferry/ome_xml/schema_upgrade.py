"""Upgrade of OME-XML of the schemas 2003-FC to 2009-09 to the elements of 2016-06.

Only elements that describe axes, sizes, channels and times are converted, as in the
transforms of the Open Microscopy Environment
(https://github.com/ome/ome-model/tree/master/specification/src/main/resources/transforms).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

_STEPS = {
    "PixelSizeX": "PhysicalSizeX",
    "PixelSizeY": "PhysicalSizeY",
    "PixelSizeZ": "PhysicalSizeZ",
    "TimeIncrement": "TimeIncrement",
}
"""Attributes of early Image elements -> those of Pixels, both in micrometers and seconds."""

_CHANNELS = ("LogicalChannel", "ChannelInfo")
"""Elements of channels before 2009-09, in the Image; ``ChannelInfo`` in 2003-FC."""

_COLOR_DOMAINS = {"r": "-16776961", "g": "16711935", "b": "65535"}
"""First letter of a ColorDomain -> the Color of a Channel."""

_MAX_DIGITS = 4
"""Digits of the largest position of a channel; more are damaged."""


def upgrade_schema(root: ET.Element) -> None:
    """Convert elements of early schemas in place; later documents stay as they are.

    Parameters
    ----------
    root : Element
        The document, without namespaces.
    """
    for image in root.iterfind("Image"):
        _put_default_pixels_first(image)
        pixels = image.find("Pixels")
        if pixels is not None:
            _move_steps(image, pixels)
            _move_channels(image, pixels)
            _move_times(pixels)


def _put_default_pixels_first(image: ET.Element) -> None:
    """Put the default Pixels of an Image before its other Pixels."""
    reference = image.find("DefaultPixels")
    name = image.get("DefaultPixels") if reference is None else reference.get("ID")
    all_pixels = image.findall("Pixels")
    default = next((pixels for pixels in all_pixels if name and pixels.get("ID") == name), None)
    if default is not None and default is not all_pixels[0]:
        image.remove(default)
        image.insert(0, default)


def _move_steps(image: ET.Element, pixels: ET.Element) -> None:
    """Move pixel sizes and the time increment from the Image to its Pixels."""
    for key, attribute in _STEPS.items():
        # 2003-FC has the attributes in the Image, some programs in the Pixels
        value = pixels.get(attribute) or pixels.get(key) or image.get(key)
        if value is not None:
            pixels.set(attribute, value)


def _move_channels(image: ET.Element, pixels: ET.Element) -> None:
    """Convert the channels of an Image to Channel elements of its Pixels, in their order."""
    old = [child for child in image if child.tag in _CHANNELS]
    if not old or pixels.find("Channel") is not None:
        return
    for channel in old:
        image.remove(channel)

    upgraded = [_upgrade_channel(channel) for channel in old]
    found = [_first_index(channel) for channel in old]
    positions = [position for position in found if position is not None]
    if len(set(positions)) == len(old):
        # a channel that is not described remains without a name
        samples = max(1, *(len(channel.findall("ChannelComponent")) for channel in old))
        is_from_one = min(positions) == 1 and str(max(positions)) == pixels.get("SizeC")
        slots = [(position - is_from_one) // samples for position in positions]
        by_slot = dict(zip(slots, upgraded, strict=True))
        upgraded = [by_slot.get(slot, ET.Element("Channel")) for slot in range(max(slots) + 1)]
    pixels.extend(upgraded)


def _first_index(channel: ET.Element) -> int | None:
    """Return the smallest Index of the components of a channel, or ``None`` without valid ones."""
    texts = [component.get("Index", "") for component in channel.iterfind("ChannelComponent")]
    are_valid = texts and all(text.isdecimal() and len(text) <= _MAX_DIGITS for text in texts)
    return min(map(int, texts)) if are_valid else None


def _upgrade_channel(channel: ET.Element) -> ET.Element:
    """Return the Channel element of an early one."""
    attributes = dict(channel.attrib)
    components = channel.findall("ChannelComponent")
    if len(components) > 1:
        attributes.setdefault("SamplesPerPixel", str(len(components)))
    else:
        domains = [component.get("ColorDomain", "") for component in components]
        color = next((_COLOR_DOMAINS.get(domain[:1].lower()) for domain in domains), None)
        attributes |= {"Color": color} if color and "Color" not in attributes else {}
    return ET.Element("Channel", attributes)


def _move_times(pixels: ET.Element) -> None:
    """Move the times of planes from their own elements to the planes."""
    for plane in pixels.iterfind("Plane[PlaneTiming]"):
        for timing in plane.findall("PlaneTiming"):
            plane.attrib.update(timing.attrib)
            plane.remove(timing)
