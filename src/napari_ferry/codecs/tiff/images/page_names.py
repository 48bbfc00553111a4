"""Names of channels in the pages of a TIFF file, one page for each.

PageName (TIFF 6.0, section 12) in files of imaging mass cytometry; XML of PerkinElmer's QPI; JSON
of MIBI (Ionpath).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.describe import page_texts
from napari_ferry.codecs.tiff.pages.page_table import DESCRIPTION_TAG
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.files.json_files import parse_json
from napari_ferry.image import Axis, Channel
from napari_ferry.image.record import ASSUMED, Description

_PAGE_NAME = 285

_MAX_PAGES = 1024
"""Number of pages above which they are frames, regardless of their names."""

_MAX_CHANNELS = 256
"""Maximum number of channels in numbered names."""

_QPI = "<PerkinElmer-QPI-ImageDescription"
_MIBI = '"channel.target"'

_MARKER = re.compile(
    r"(?!frame|page|image|img|slice|plane|time|scan)[a-z]{2,5}#[a-z]?(\(\S+\))?", re.I
)
"""Names such as CD45 and CD3(Er170), with # in place of digits."""


class NamedPage(NamedTuple):
    """Channel of a page; `is_channel` if the page declares its name as the name of a channel."""

    channel: Channel
    is_channel: bool


def with_page_names(
    description: Description, source: TiffPages, pages: NDArray[np.int64]
) -> Description:
    """Turn frames into channels if their pages have the names of channels.

    Parameters
    ----------
    description : Description
        A stack along its first axis, one page for each frame.
    source : TiffPages
        The file.
    pages : array of int64, axis frame
        Number of the page of each frame.
    """
    names = [axis.name for axis in description.axes]
    if {"c", "s"} & set(names) or names[0] != "t" or len(pages) != description.shape[0]:
        return description
    channels = _read_channels(source, pages)
    unique = tuple(dict.fromkeys(channels))
    if not 1 < len(unique) <= _MAX_CHANNELS:
        return description

    # each time has all channels, or each channel all times
    steps, rest = divmod(len(channels), len(unique))
    lead: dict[str, int] = {}
    if not rest and channels == [*unique] * steps:
        lead = {"t": steps, "c": len(unique)} if steps > 1 else {"c": len(unique)}
    elif not rest and channels == [each for each in unique for _ in range(steps)]:
        lead = {"c": len(unique), "t": steps}
    return _with_lead(description, lead, unique) if lead else description


def _with_lead(
    description: Description, lead: dict[str, int], channels: tuple[Channel, ...]
) -> Description:
    """Replace the first axis of a description by named ones."""
    metadata = dict(description.metadata or {})
    if "t" not in lead:
        metadata.pop(ASSUMED, None)
    time = description.axes[0]
    return replace(
        description,
        shape=(*lead.values(), *description.shape[1:]),
        axes=(*(time if name == "t" else Axis(name) for name in lead), *description.axes[1:]),
        channels=channels,
        metadata=metadata,
    )


def _read_channels(source: TiffPages, pages: NDArray[np.int64]) -> list[Channel]:
    """Return the channel of each page; none unless every page has a name, and not a number."""
    if not 1 < len(pages) <= _MAX_PAGES:
        return []
    named: list[NamedPage] = []
    offsets = source.table.ifds[pages].tolist()
    for text, name in page_texts(source.path, offsets, (DESCRIPTION_TAG, _PAGE_NAME)):
        page = page_channel(text, name)
        if page is None:
            return []
        named.append(page)

    names = [page.channel.name or "" for page in named]
    if not all(page.is_channel for page in named) and _are_numbers(names):
        return []
    return [page.channel for page in named]


def page_channel(description: str, name: str = "") -> NamedPage | None:
    """Return the channel named by a page, or ``None`` without a name.

    Parameters
    ----------
    description, name : str
        The tags ImageDescription and PageName of the page.
    """
    if _QPI in description:
        found = re.search(r"<Name>([^<]+)</Name>", description)
        color = re.search(r"<Color>\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*</Color>", description)
        rgb = [int(number) for number in color.groups()] if color else []
        code = f"#{bytes(rgb).hex()}" if rgb and max(rgb) < 256 else None
        return NamedPage(Channel(html.unescape(found[1]).strip(), code), True) if found else None

    if _MIBI in description:
        try:
            values = parse_json(description)
        except ValueError:
            values = None
        target = values.get("channel.target") if isinstance(values, dict) else None
        mass = values.get("channel.mass") if isinstance(values, dict) else None
        text = str(target or mass or "").strip()
        return NamedPage(Channel(text), True) if text else None
    return NamedPage(Channel(name.strip()), False) if name.strip() else None


def _are_numbers(names: Sequence[str]) -> bool:
    """Return True if names only number frames: they differ in digits, and not as markers do."""
    patterns = {re.sub(r"\d+", "#", name) for name in names}
    if len(patterns) > 1:
        return False
    numbers = [int(digits[-1]) if (digits := re.findall(r"\d+", name)) else 0 for name in names]
    is_even = len({b - a for a, b in pairwise(numbers)}) < 2
    return is_even or not _MARKER.fullmatch(patterns.pop())
