"""Color tables of indexed pages, as colormaps or as frames in color.

TIFF 6.0 (Adobe, 1992), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.pages.page_kind import OTHER_COLOR, WHITE_IS_ZERO, PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import warn
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.record import ASSUMED

_MAX_COLORS = 256

_SAMPLES = {
    ("CMYK", 4): ("cyan", "magenta", "yellow", "black"),
    ("CIELAB", 3): ("L*", "a*", "b*"),
}
"""Names of the samples of a color, by color space and number of samples."""

PALETTE_NAME = "palette"
"""Name of the colormap of a palette."""

WHITE_AT_ZERO = "gray_r"
"""Colormap of pages whose lowest value is white (WhiteIsZero, TIFF 6.0, section 4)."""

ASSUMED_COLORS = "the frames have different palettes and are shown in color"


@dataclass(frozen=True)
class PaletteFrames:
    """Reader of pages, each with its own palette, as frames in color: axes y x s, uint8.

    Parameters
    ----------
    source : TiffPages
        The file.
    pages : array of int64, axis frame
        Page number of each frame.
    """

    source: TiffPages
    pages: NDArray[np.int64]

    def __call__(self, i: int) -> NDArray[np.uint8]:
        page = int(self.pages[i])
        palette = self.source.kind_of(page).palette
        assert palette is not None
        return _rgb_table(palette).take(self.source(page), axis=0, mode="clip")


def read_in_color(source: TiffPages, pages: NDArray[np.int64], first: PageKind) -> Image | None:
    """Open pages with different palettes as one stack in color: axes t y x s, uint8.

    Returns ``None`` if all pages share one palette.
    """
    kinds = [source.kind(index) for index in np.unique(source.kinds[pages]).tolist()]
    palettes = {kind.palette.tobytes() for kind in kinds if kind.palette is not None}
    if len(palettes) < 2:
        return None
    array = Frames(PaletteFrames(source, pages), (len(pages), *first.shape, 3), np.uint8, 1)
    return Image((array,), tuple(map(Axis, "tyxs")), metadata={ASSUMED: ASSUMED_COLORS})


def with_palette(image: Image, kind: PageKind) -> Image:
    """Set the palette of a page as the colormap of its image, unless it is a plain gray ramp.

    Pixels remain indices into the palette.

    Parameters
    ----------
    image : Image
        The image without a colormap.
    kind : PageKind
        Kind of its pages.
    """
    if kind.palette is None or "c" in image.axis_names or _is_gray_ramp(kind.palette):
        return image
    n = kind.palette.shape[1]
    # index k gets color k; a palette of 16-bit indices is subsampled
    chosen = np.linspace(0, n - 1, min(n, _MAX_COLORS)).round().astype(int)
    fractions = kind.palette.T[chosen] / (255 if _is_8_bit(kind.palette) else 65535)
    colors = [[*rgb, 1.0] for rgb in fractions.tolist()]
    display = {"colormap": {"name": PALETTE_NAME, "colors": colors}, "contrast_limits": [0, n - 1]}
    return replace(image, display={**image.display, **display})


def with_inversion(image: Image, photometric: int) -> Image:
    """Set a reversed colormap if zero is white, unless the image has colors of its own."""
    has_colors = image.is_rgb or image.channels or "colormap" in image.display
    if photometric != WHITE_IS_ZERO or has_colors or image.kind == "labels":
        return image
    return replace(image, display={**image.display, "colormap": WHITE_AT_ZERO})


def with_other_color(image: Image, photometric: int, path: Path) -> Image:
    """Name the channels of an image in colors other than RGB, with a warning.

    Warns
    -----
    FerryWarning
        The samples are opened as channels.
    """
    space = OTHER_COLOR.get(photometric)
    if space is None or "c" not in image.axis_names or image.channels:
        return image
    warn(
        f"{path.name} has colors in {space}, which are not converted to RGB: its samples are "
        "opened as channels; convert it in another program to see its colors."
    )
    names = _SAMPLES.get((space, image.size("c")), ())
    return replace(image, channels=tuple(Channel(name) for name in names))


def _rgb_table(palette: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return a palette as 8-bit colors, axes (index, rgb)."""
    return (palette.T if _is_8_bit(palette) else palette.T >> 8).astype(np.uint8)


def _is_8_bit(palette: NDArray[np.uint16]) -> bool:
    """Return True for a palette of 8-bit colors, as some programs write it."""
    return bool(palette.max() < 256)


def _is_gray_ramp(palette: NDArray[np.uint16]) -> bool:
    """Return True for an even ramp from black to white; in some programs, white is 255."""
    ramp = np.linspace(0, 1, palette.shape[1])
    most = max(1, int(palette.max()))
    return most >= 255 and bool(np.abs(palette / most - ramp).max() < 0.01)
