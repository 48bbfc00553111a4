"""Merging of our record in an OME-XML with later changes of the header by other programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_ferry.image import Channel
from napari_ferry.image.record import Description, merge_axes, merge_value, parse_own_record
from napari_ferry.ome_xml.planes import counts_only_channels, plane_counts, plane_shape
from napari_ferry.ome_xml.vocabulary import (
    TYPES,
    color_from_ome,
    color_to_ome,
    single_channel,
    storable_axis,
    xml_text,
)

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence


def find_record(notes: Sequence[ET.Element]) -> Description | None:
    """Return our own record from the annotations, or ``None`` if absent or damaged.

    Warns
    -----
    FerryWarning
        The record is damaged.
    """
    own = (note for note in notes if note.get("Namespace", "").startswith("napari-ferry/"))
    note = next(own, None)
    return None if note is None else parse_own_record(note.findtext("Value", ""), "the OME-XML")


def merge_record(header: Description, record: Description | None) -> Description:
    """Return the record, updated with changes of other programs in the header."""
    if record is None or not _fits(record, header):
        return header

    has_one_channel = "c" not in record.sizes and plane_counts(record.axes, record.shape)["c"] == 1
    return replace(
        _with_channel_of(header, record) if has_one_channel else record,
        axes=merge_axes(record.axes, map(storable_axis, record.axes), header.axes),
        channels=record.channels if has_one_channel else _merge_channels(record, header),
        name=merge_value(record.name, xml_text(record.name), header.name),
    )


def _fits(record: Description, header: Description) -> bool:
    """Return True if a record describes the pixels of this header."""
    return (
        plane_shape(record.axes, record.shape) == plane_shape(header.axes, header.shape)
        and plane_counts(record.axes, record.shape) == plane_counts(header.axes, header.shape)
        and record.has_dtype(name for name in TYPES if TYPES[name] == TYPES[header.dtype])
    )


def _with_channel_of(header: Description, record: Description) -> Description:
    """Return the record of an image without an axis ``c``, with a changed channel of the header."""
    own = record.channels[0] if record.channels else single_channel(record)
    header_channel = header.channels[0] if header.channels else Channel()
    merged = _merge_channel(own, header_channel)
    if merged.name and merged.name != own.name:
        metadata = {**(record.metadata or {}), Channel.NAME_KEY: merged.name}
        record = replace(record, metadata=metadata)

    color = merged.color
    if color == own.color:
        return record
    display = {key: value for key, value in (record.display or {}).items() if key != "colormap"}
    if color:
        display["colormap"] = color
    return replace(record, display=display)


def _merge_channels(record: Description, header: Description) -> tuple[Channel, ...]:
    if not counts_only_channels(record.axes):
        return record.channels
    unknown = (Channel(),) * plane_counts(header.axes, header.shape)["c"]
    pairs = zip(record.channels or unknown, header.channels or unknown, strict=True)
    channels = tuple(_merge_channel(own, header_channel) for own, header_channel in pairs)
    return channels if channels != unknown else ()


def _merge_channel(own: Channel, header_channel: Channel) -> Channel:
    """Return our channel, with a changed name or color of the header."""
    written = Channel(xml_text(own.name) or None, color_from_ome(color_to_ome(own)))
    return replace(
        own,
        name=merge_value(own.name, written.name, header_channel.name),
        color=merge_value(own.color, written.color, header_channel.color),
    )
