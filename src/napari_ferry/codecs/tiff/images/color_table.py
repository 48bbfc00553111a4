"""The colors that the pixels of a page are the numbers of -> a colormap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED

_MOST_COLORS = 256

ASSUMED_COLORS = "its frames have palettes of their own and are shown in color"


@dataclass(frozen=True)
class PaletteFrames:
    """Reads pages as frames in color, axes y x s, uint8; each page has a palette of its own.

    Parameters
    ----------
    source : TiffPages
        The file.
    pages : array of int64, axis frame
        The page of each frame.
    """

    source: TiffPages
    pages: NDArray[np.int64]

    def __call__(self, i: int) -> NDArray[np.uint8]:
        page = int(self.pages[i])
        palette = self.source.kind_of(page).palette
        assert palette is not None
        return _levels(palette).take(self.source(page), axis=0, mode="clip")


def read_in_color(source: TiffPages, pages: NDArray[np.int64], kind: PageKind) -> Image | None:
    """Open pages with palettes of their own as one stack in color; ``None`` where they share one.

    Axes t y x s, uint8.
    """
    kinds = [source.kind(number) for number in np.unique(source.kinds[pages]).tolist()]
    palettes = {each.palette.tobytes() for each in kinds if each.palette is not None}
    if len(palettes) < 2:
        return None
    array = Frames(PaletteFrames(source, pages), (len(pages), *kind.shape, 3), np.uint8, 1)
    return Image((array,), tuple(map(Axis, "tyxs")), metadata={ASSUMED: ASSUMED_COLORS})


def with_palette(image: Image, kind: PageKind) -> Image:
    """Show an image in the colors of its palette, unless those are a plain ramp of gray.

    Pixels stay the numbers of colors. TIFF 6.0, section 5.

    Parameters
    ----------
    image : Image
        What is shown.
    kind : PageKind
        What its pages are.
    """
    if kind.palette is None or "c" in image.axis_names or _is_gray_ramp(kind.palette):
        return image
    n = kind.palette.shape[1]
    # so that number k has color k; of 16-bit palettes some colors must do
    chosen = np.linspace(0, n - 1, min(n, _MOST_COLORS)).round().astype(int)
    fractions = kind.palette.T[chosen] / (255 if _is_8_bit(kind.palette) else 65535)
    colors = [[*rgb, 1.0] for rgb in fractions.tolist()]
    shown = {"colormap": {"name": "palette", "colors": colors}, "contrast_limits": [0, n - 1]}
    return replace(image, display={**image.display, **shown})


def _levels(palette: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the colors of a palette, axes (index, rgb)."""
    return (palette.T if _is_8_bit(palette) else palette.T >> 8).astype(np.uint8)


def _is_8_bit(palette: NDArray[np.uint16]) -> bool:
    """Whether a palette has colors of 8 bits, as some programs write it."""
    return bool(palette.max() < 256)


def _is_gray_ramp(palette: NDArray[np.uint16]) -> bool:
    """Whether colors go evenly from black to white; some programs count to 255 only."""
    ramp = np.linspace(0, 1, palette.shape[1])
    most = max(1, int(palette.max()))
    return most >= 255 and bool(np.abs(palette / most - ramp).max() < 0.01)
