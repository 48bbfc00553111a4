"""Channels made of the samples of a color and of samples of unspecified meaning.

TIFF 6.0 (Adobe, 1992), ExtraSamples: the samples of the color come first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from napari_ferry.codecs.tiff.images.color_table import with_inversion
from napari_ferry.codecs.tiff.pages.page_frames import Page, frame_axes, sample_count
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import CHANNEL_DISPLAYS

_RGB = 2
"""Photometric interpretation of samples that begin with red, green and blue."""

_COLORS = {"red": "#ff0000", "green": "#00ff00", "blue": "#0000ff"}

_EXTRA_COLOR = "#ffffff"


class PhotometricPage(Page, Protocol):
    """Properties of a page, with the meaning of its samples."""

    @property
    def photometric(self) -> int:
        """Photometric interpretation, as numbered by TIFF."""


def with_page_colors(image: Image, page: PhotometricPage) -> Image:
    """Set the colors of an image as its pages define them: zero as white, and extra samples.

    Parameters
    ----------
    image : Image
        The image made of the page; colors of its own are kept.
    page : PhotometricPage
        Its first page.
    """
    return with_extra_samples(with_inversion(image, page.photometric), page)


def with_extra_samples(image: Image, page: PhotometricPage) -> Image:
    """Name and color the channels of a color with extra samples, such as near infrared.

    The extra samples are not visible at first, so that the layers show the color.

    Parameters
    ----------
    image : Image
        The image made of the page; with channels of its own, it is returned unchanged.
    page : PhotometricPage
        Its first page.
    """
    count = sample_count(page)
    is_channels = frame_axes(page).names.startswith("c") and image.size("c") == count
    if page.photometric != _RGB or count <= len(_COLORS) or not is_channels or image.channels:
        return image

    # the full range shows the color without a change of its white balance
    limits = (0.0, 255.0) if image.dtype == np.uint8 else None
    n = count - len(_COLORS)
    extra = [f"extra sample {i + 1}" if n > 1 else "extra sample" for i in range(n)]
    channels = [Channel(name, color, limits) for name, color in _COLORS.items()]
    channels += [Channel(name, _EXTRA_COLOR) for name in extra]
    displays = [{"visible": name in _COLORS} for name in (*_COLORS, *extra)]
    return replace(
        image,
        channels=tuple(channels),
        display={**image.display, CHANNEL_DISPLAYS: displays},
    )
