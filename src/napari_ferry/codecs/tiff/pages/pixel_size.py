"""Size of the pixels of a page, from its resolution or from the tags of an electron microscope.

TIFF 6.0 (Adobe, 1992), section 8: ResolutionUnit, XResolution, YResolution. The private tags have
no public specification: FEI and Thermo Fisher (34680, 34682), Zeiss (34118), Olympus SIS (33560,
33471) and Gatan DigitalMicrograph (65003 to 65010).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.codecs.tiff.pages.describe import describe_page, pages_with
from napari_ferry.image import Axis, Image
from napari_ferry.units import METERS, is_step, normalize

if TYPE_CHECKING:
    import tifffile

_TAG_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError, struct.error)
"""Errors of a damaged tag."""

_PRIVATE_TAGS = (34680, 34682, 34118, 33560, 33471, 65009)

_MAX_PAGES = 16
"""Maximum number of pages of a stack to search for private tags."""

_CENTIMETER = 3
"""Value of the tag ResolutionUnit."""

_DEFAULTS = (1.0, 72 / 2.54)
"""Pixels per centimeter written by programs for pixels of unknown size: 1, and 72 per inch."""

_ZEISS_STEP, _ZEISS_WIDTH = 3, 1024
"""Index of the distance between pixels in the first values of Zeiss, for this width in pixels."""


class PixelSize(NamedTuple):
    """Distance between pixels along y and x, in micrometers."""

    y: float
    x: float


def read_pixel_size(page: tifffile.TiffPage) -> PixelSize | None:
    """Return the size of the pixels of a page, or ``None`` if it is unknown.

    A resolution per inch is meant for printing, and is ignored.
    """
    readers = [_read_fei, _read_zeiss, _read_sis, _read_gatan, _read_resolution]
    if {tag.code for tag in page.tags}.isdisjoint(_PRIVATE_TAGS):
        readers = readers[-1:]
    for read in readers:
        try:
            size = read(page)
        except _TAG_ERRORS:  # a damaged tag, or one of another program
            continue
        if size is not None and all(map(is_step, size)):
            return size
    return None


def find_pixel_size(path: Path, ifds: Sequence[int]) -> PixelSize | None:
    """Return the first pixel size in the private tags of a few pages, given their directories."""
    for ifd in pages_with(path, ifds[:_MAX_PAGES], _PRIVATE_TAGS):
        with suppress(*_TAG_ERRORS), describe_page(path, ifd) as page:
            size = read_pixel_size(page)
            if size is not None:
                return size
    return None


def with_pixel_size(image: Image, size: PixelSize | None) -> Image:
    """Calibrate y and x of an image by its page, unless its description does."""
    if size is None or any(_is_calibrated(axis) for axis in image.axes):
        return image
    steps: Mapping[str, float] = size._asdict()
    axes = [
        replace(axis, scale=steps[axis.name], unit="micrometer") if axis.name in steps else axis
        for axis in image.axes
    ]
    return replace(image, axes=tuple(axes))


def _is_calibrated(axis: Axis) -> bool:
    return axis.name in PixelSize._fields and (axis.unit is not None or axis.scale != 1)


def _read_resolution(page: tifffile.TiffPage) -> PixelSize | None:
    """Read pixels per centimeter."""
    if page.tags.valueof(296) != _CENTIMETER:
        return None
    x, y = (top / bottom for top, bottom in (page.tags.valueof(tag) for tag in (282, 283)))
    if all(any(math.isclose(n, known, rel_tol=2e-3) for known in _DEFAULTS) for n in (x, y)):
        return None
    return PixelSize(1e4 / y, 1e4 / x)


def _read_fei(page: tifffile.TiffPage) -> PixelSize | None:
    """Read FEI's and Thermo Fisher's pixel sizes, in meters."""
    for tag in (34682, 34680):
        sections = page.tags.valueof(tag) or {}
        # microscopes with several beams name the section of the image
        for section in (sections.get(name) or {} for name in ("Scan", "EScan", "IScan", "Image")):
            if "PixelWidth" in section and "PixelHeight" in section:
                return _in_meters(section["PixelHeight"], section["PixelWidth"])
    return None


def _read_zeiss(page: tifffile.TiffPage) -> PixelSize | None:
    """Read Zeiss' pixel size with its unit, or from the first, unnamed values, in meters."""
    values = page.tags.valueof(34118) or {}
    for key in ("ap_image_pixel_size", "ap_pixel_size"):
        _, number, unit = values[key] if len(values.get(key, ())) > 2 else ("", 0.0, "")
        meters = METERS.get(normalize(unit) or "", 0.0) * number
        if meters > 0:
            return _in_meters(meters, meters)
    if not values:
        return None
    meters = values[""][_ZEISS_STEP] * _ZEISS_WIDTH / page.imagewidth
    return _in_meters(meters, meters)


def _read_sis(page: tifffile.TiffPage) -> PixelSize | None:
    """Read Olympus' pixel sizes, in meters."""
    for tag in (33560, 33471):
        info = page.tags.valueof(tag)
        if isinstance(info, Mapping) and "pixelsizex" in info:
            return _in_meters(info["pixelsizey"], info["pixelsizex"])
    return None


def _read_gatan(page: tifffile.TiffPage) -> PixelSize | None:
    """Read DigitalMicrograph's steps along x and y, with their units."""
    value: Callable[[int], Any] = page.tags.valueof
    x, y = (
        float(value(step)) * METERS.get(normalize(str(value(unit))) or "", 0.0)
        for unit, step in ((65003, 65009), (65004, 65010))
    )
    return _in_meters(y, x)


def _in_meters(y: float, x: float) -> PixelSize:
    return PixelSize(*(float(f"{float(step) * 1e6:.12g}") for step in (y, x)))
