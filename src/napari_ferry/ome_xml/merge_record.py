"""Our record in an OME-XML, and what other programs have changed in the header since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_ferry.image import Channel
from napari_ferry.image.record import Description, join_axes, read_record, unless_changed
from napari_ferry.ome_xml.planes import names_channels, plane_counts, plane_shape
from napari_ferry.ome_xml.vocabulary import (
    TYPES,
    color_from_ome,
    color_to_ome,
    own_channel,
    writable,
    xml_text,
)

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence


def find_record(notes: Sequence[ET.Element]) -> Description | None:
    """Return our own record from the first annotation that is ours, if it is a sound one."""
    own = (note for note in notes if note.get("Namespace", "").startswith("napari-ferry/"))
    note = next(own, None)
    return None if note is None else read_record(note.findtext("Value", ""))


def join(header: Description, record: Description | None) -> Description:
    """Return what the record says, but for what another program has changed in the header."""
    if record is None or not _fits(record, header):
        return header
    is_one = "c" not in record.sizes and plane_counts(record.axes, record.shape)["c"] == 1
    return replace(
        _with_color_of(header, record) if is_one else record,
        axes=join_axes(record.axes, map(writable, record.axes), header.axes),
        channels=record.channels if is_one else _join_channels(record, header),
        name=unless_changed(record.name, xml_text(record.name), header.name),
    )


def _fits(record: Description, header: Description) -> bool:
    """Return whether a record describes the pixels of this header."""
    return (
        plane_shape(record.axes, record.shape) == plane_shape(header.axes, header.shape)
        and plane_counts(record.axes, record.shape) == plane_counts(header.axes, header.shape)
        and record.has_dtype(name for name in TYPES if TYPES[name] == TYPES[header.dtype])
    )


def _with_color_of(header: Description, record: Description) -> Description:
    """Return the record of an image without axis c, with the color of the header if it changed."""
    own = record.channels[0] if record.channels else own_channel(record.display, record.kind)
    said = header.channels[0] if header.channels else Channel()
    color = _join_channel(own, said).color
    if color == own.color:
        return record
    kept = {key: value for key, value in (record.display or {}).items() if key != "colormap"}
    return replace(record, display=kept | ({"colormap": color} if color else {}))


def _join_channels(record: Description, header: Description) -> tuple[Channel, ...]:
    if not names_channels(record.axes):
        return record.channels
    unknown = (Channel(),) * plane_counts(header.axes, header.shape)["c"]
    pairs = zip(record.channels or unknown, header.channels or unknown, strict=True)
    channels = tuple(_join_channel(own, said) for own, said in pairs)
    return channels if channels != unknown else ()


def _join_channel(own: Channel, said: Channel) -> Channel:
    wrote = Channel(xml_text(own.name) or None, color_from_ome(color_to_ome(own)))
    return replace(
        own,
        name=unless_changed(own.name, wrote.name, said.name),
        color=unless_changed(own.color, wrote.color, said.color),
    )
