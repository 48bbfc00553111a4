"""Our record in an ImageJ hyperstack, and what other programs have changed beside it since."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_ferry.image import Channel
from napari_ferry.image.record import KEY, join_axes, read_record
from napari_ferry.imagej.axis_steps import writable
from napari_ferry.imagej.colors import LOOKS, as_channels, as_one, parse_look, write_look
from napari_ferry.imagej.private import plain, write_private

if TYPE_CHECKING:
    from napari_ferry.image.record import Description

_RECORD_LINE = re.compile(rf"(?:^|\n){KEY}: (\{{.*\}})(?:\n|$)")


def split_info(info: object) -> tuple[str, Description | None]:
    """Return the Info text without our own line, and our record from it."""
    text = info if isinstance(info, str) else ""
    found = _RECORD_LINE.search(text)
    if found is None:
        return text, None
    rest = "\n".join(part for part in (text[: found.start()], text[found.end() :]) if part)
    return rest, read_record(found[1])


def join(header: Description, record: Description | None) -> Description:
    """Return what the record says, but for what another program has changed in the header."""
    if record is None or not _fits(record, header):
        return header
    joined = replace(
        record,
        axes=join_axes(record.axes, writable(record.axes), header.axes),
        metadata=_join_metadata(header, record),
    )
    return joined if _looks_as_written(header, record) else _with_look_of(header, joined)


def _fits(record: Description, header: Description) -> bool:
    """Return whether a record describes the planes of this header."""
    names = list(record.sizes)
    tail = ["y", "x", "s"] if "s" in header.sizes else ["y", "x"]
    single = dict.fromkeys("tzc", 1)
    return (
        names[-len(tail) :] == tail
        and {**single, **record.sizes} == {**single, **header.sizes}
        and record.has_dtype([header.dtype])
    )


def _looks_as_written(header: Description, record: Description) -> bool:
    """Return whether colors and display ranges are still those that we wrote."""
    is_color = "s" in header.sizes
    wrote = {} if is_color else write_look(*as_channels(record), header.dtype)
    return (header.channels, header.display) == parse_look(wrote, header.sizes.get("c", 1))


def _with_look_of(header: Description, record: Description) -> Description:
    """Return the record with the colors and display ranges of the header."""
    if "c" not in record.sizes:
        kept = _without_look(record.display or {})
        look = as_one(header.channels, header.display or {})
        return replace(record, channels=(), display={**kept, **look})
    unnamed = (Channel(),) * header.sizes.get("c", 1)
    pairs = zip(header.channels or unnamed, record.channels or unnamed, strict=True)
    display = dict(record.display or {})
    own, now = (_shown(display, len(unnamed)), _shown(header.display or {}, len(unnamed)))
    shown = [{**_without_look(a), **b} for a, b in zip(own, now, strict=True)]
    return replace(
        record,
        channels=tuple(replace(look, name=own.name) for look, own in pairs),
        display={**display, **({"channels": shown} if any(shown) else {})},
    )


def _shown(display: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """Return how each channel is shown; nothing where that is not said of all."""
    shown = display.get("channels")
    is_sound = isinstance(shown, list | tuple) and all(isinstance(each, Mapping) for each in shown)
    return list(shown) if is_sound and shown and len(shown) == count else [{}] * count


def _without_look(display: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in display.items() if key not in LOOKS}


def _join_metadata(header: Description, record: Description) -> dict[str, Any]:
    """Return the record's metadata, with what ImageJ keeps itself as it stands now."""
    own = record.metadata or {}
    wrote = {key: plain(value) for key, value in write_private(own).items()}
    kept = {key: (header.metadata or {}).get(key) for key in ("Info", "ROI", "Overlays")}
    return {
        **own,
        **{k: now for k, now in kept.items() if now and wrote.get(k) not in (now, [now])},
    }
