"""Facts of the pages, omitted or contradicted by an OME-XML: samples per pixel, and their order.

The rules are those of Bio-Formats (https://docs.openmicroscopy.org/bio-formats/, OMETiffReader).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_ferry.errors import warn

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from napari_ferry.ome_xml.planes import OmeImage

_MAX_DIGITS = 12
"""Digits of the largest plausible SizeC."""


def set_samples(root: ET.Element, page_samples: int) -> None:
    """Set the samples per pixel if Pixels omit them, or the first Pixels contradict the pages.

    Parameters
    ----------
    root : Element
        The document, without namespaces; it is changed in place.
    page_samples : int
        Samples per pixel of the first page.

    Warns
    -----
    FerryWarning
        The OME-XML has another number of samples than the pages.
    """
    expected = str(page_samples)
    for i, pixels in enumerate(root.iterfind("Image/Pixels")):
        channels = pixels.findall("Channel")
        others = {channel.get("SamplesPerPixel", expected) for channel in channels} - {expected}
        # further images may have pages of another kind
        if i and (others or not _is_divisible(pixels, page_samples)):
            continue
        if others:
            warn(
                f"The OME-XML has {' and '.join(sorted(others))} samples per pixel, but the pages "
                f"have {page_samples}, which are used."
            )

        for channel in channels or [_add_channel(pixels)]:
            channel.set("SamplesPerPixel", expected)
        # some programs count channels of several samples instead
        if not _is_divisible(pixels, page_samples):
            pixels.set("SizeC", str(int(pixels.get("SizeC", "")) * page_samples))


def _add_channel(pixels: ET.Element) -> ET.Element:
    channel = pixels.makeelement("Channel", {})
    pixels.append(channel)
    return channel


def _is_divisible(pixels: ET.Element, samples: int) -> bool:
    text = pixels.get("SizeC", "")
    return not (text.isdecimal() and len(text) < _MAX_DIGITS and int(text) % samples)


def in_page_order(images: Sequence[OmeImage]) -> list[OmeImage]:
    """Assign the pages of this file in order to images without TiffData.

    Warns
    -----
    FerryWarning
        There are several such images.
    """
    unassigned = [image for image in images if not len(image.blocks)]
    if len(unassigned) > 1:
        warn(
            f"The OME-XML does not name the pages of its {len(unassigned)} images: they are "
            "assumed to be in the order of the images."
        )

    assigned, first = [], 0
    for image in images:
        if len(image.blocks):
            assigned.append(image)
            continue
        count = image.size_c * image.size_z * image.size_t
        blocks = np.array([[first, count, 0, 0, 0, 0]], np.int64)
        assigned.append(replace(image, files=(None,), uuids=(None,), blocks=blocks))
        first += count
    return assigned
