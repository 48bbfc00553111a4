"""The colours that the pixels of a page are the numbers of -> a colormap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image import Image
from napari_ferry.tiff.pages.kinds import PageKind

_MOST_COLOURS = 256


def with_palette(image: Image, kind: PageKind) -> Image:
    """Show an image in the colours of its palette, unless those are a plain ramp of gray.

    Pixels stay the numbers of colours. TIFF 6.0, section 5.

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
    # so that number k has colour k; of 16-bit palettes some colours must do
    chosen = np.linspace(0, n - 1, min(n, _MOST_COLOURS)).round().astype(int)
    colors = [[*(value / 65535 for value in rgb), 1.0] for rgb in kind.palette.T[chosen].tolist()]
    shown = {"colormap": {"name": "palette", "colors": colors}, "contrast_limits": [0, n - 1]}
    return replace(image, display={**image.display, **shown})


def _is_gray_ramp(palette: NDArray[np.uint16]) -> bool:
    """Whether colours go evenly from black to white; some programs count to 255 only."""
    ramp = np.linspace(0, 1, palette.shape[1])
    most = max(1, int(palette.max()))
    return most >= 255 and bool(np.abs(palette / most - ramp).max() < 0.01)
