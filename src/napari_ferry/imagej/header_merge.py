"""Merge our record in an ImageJ hyperstack with later changes by other programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_ferry.image import Channel
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.record import CHANNEL_DISPLAYS, KEY, merge_axes, parse_own_record
from napari_ferry.imagej.axis_steps import supported_axes
from napari_ferry.imagej.colors import (
    DISPLAY_KEYS,
    parse_colors,
    single_display,
    to_channels,
    write_colors,
)
from napari_ferry.imagej.private import plain, write_private

if TYPE_CHECKING:
    from napari_ferry.image.record import Description

_RECORD_LINE = re.compile(rf"(?:^|\n){KEY}: (\{{.*)(?:\n|$)")


def split_info(info: object) -> tuple[str, Description | None]:
    """Split the Info text into the user's text and our record.

    Warns
    -----
    FerryWarning
        The record is damaged.
    """
    text = info if isinstance(info, str) else ""
    match = _RECORD_LINE.search(text)
    if match is None:
        return text, None
    rest = "\n".join(part for part in (text[: match.start()], text[match.end() :]) if part)
    return rest, parse_own_record(match[1], "the ImageJ header")


def merge_record(header: Description, record: Description | None) -> Description:
    """Return the record, updated with changes of another program in the header."""
    if record is None or not _fits(record, header):
        return header
    merged = replace(
        record,
        axes=merge_axes(record.axes, supported_axes(record.axes), header.axes),
        metadata=_merge_metadata(header, record),
    )
    return merged if _has_written_colors(header, record) else _with_colors_of(header, merged)


def _fits(record: Description, header: Description) -> bool:
    """Return True if a record describes the planes of this header."""
    names = list(record.sizes)
    tail = ["y", "x", "s"] if "s" in header.sizes else ["y", "x"]
    single = dict.fromkeys("tzc", 1)
    return (
        names[-len(tail) :] == tail
        and {**single, **record.sizes} == {**single, **header.sizes}
        and record.has_dtype([header.dtype])
    )


def _has_written_colors(header: Description, record: Description) -> bool:
    """Return True if colors and display ranges have not changed since we wrote them."""
    is_color = "s" in header.sizes
    written = {} if is_color else write_colors(*to_channels(record), header.dtype)
    return (header.channels, header.display) == parse_colors(written, header.sizes.get("c", 1))


def _with_colors_of(header: Description, record: Description) -> Description:
    """Return the record with the colors and display ranges of the header."""
    if "c" not in record.sizes:
        rest = _without_colors(record.display or {})
        colors = single_display(header.channels, header.display or {})
        return replace(record, channels=(), display={**rest, **colors})

    unnamed = (Channel(),) * header.sizes.get("c", 1)
    pairs = zip(header.channels or unnamed, record.channels or unnamed, strict=True)
    display = dict(record.display or {})
    recorded = channel_displays(display, len(unnamed))
    current = channel_displays(header.display, len(unnamed))
    displays = [{**_without_colors(old), **new} for old, new in zip(recorded, current, strict=True)]
    return replace(
        record,
        channels=tuple(replace(new, name=old.name) for new, old in pairs),
        display={**display, **({CHANNEL_DISPLAYS: displays} if any(displays) else {})},
    )


def _without_colors(display: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in display.items() if key not in DISPLAY_KEYS}


def _merge_metadata(header: Description, record: Description) -> dict[str, Any]:
    """Return the record's metadata, with later changes of ImageJ's texts and regions."""
    recorded = record.metadata or {}
    written = {key: plain(value) for key, value in write_private(recorded).items()}
    current = {key: (header.metadata or {}).get(key) for key in ("Info", "ROI", "Overlays")}
    changed = {
        key: value
        for key, value in current.items()
        if value and written.get(key) not in (value, [value])
    }
    return {**recorded, **changed}
