"""Size, color and font of overlays."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

# sizes of napari's overlays in pixels, on a canvas of this height
_CANVAS = 512
_FONT = 17.8
_BAR = 150

_MIN_SCALE = 0.65
"""Scale of overlays on the smallest pictures, just large enough to be legible."""

_FONTS = (
    ("vispy", "util/fonts/data/OpenSans-Regular.ttf"),
    ("napari_resources", "resources/fonts/AlataPlus/AlataPlus-Regular.ttf"),
)
"""Fonts installed with napari. They have the micro sign, unlike Pillow's default font.

In the first font, all digits have the same width, so that times do not move, and the digit 1 is
distinct from the letter l.
"""


@dataclass(frozen=True)
class OverlayStyle:
    """Size and color of overlays.

    Parameters
    ----------
    shape : tuple of int
        Height and width of frames in pixels.
    is_light : bool
        Whether overlays are white rather than black.
    """

    shape: tuple[int, int]
    is_light: bool

    @property
    def scale(self) -> float:
        """Scale of overlays relative to napari's canvas."""
        return overlay_scale(self.shape)

    @property
    def ink(self) -> tuple[int, int, int, int]:
        """Color r g b a of overlays."""
        return (255, 255, 255, 255) if self.is_light else (0, 0, 0, 255)

    @property
    def edge(self) -> tuple[int, int, int, int]:
        """Color r g b a of outlines."""
        return (0, 0, 0, 255) if self.is_light else (255, 255, 255, 255)

    @property
    def stroke(self) -> int:
        """Width of outlines in pixels."""
        return max(1, round(self.scale))

    @property
    def bar(self) -> float:
        """Maximum length of a scale bar in pixels."""
        return min(_BAR * self.scale, 0.4 * self.shape[1])

    def size(self, text: str) -> tuple[int, int]:
        """Return the width and height of a text in pixels."""
        font = _font(round(_FONT * self.scale))
        # the same height for all texts, so that lines do not move
        _, top, _, bottom = font.getbbox("0gÅ", stroke_width=self.stroke)
        left, _, right, _ = font.getbbox(text, stroke_width=self.stroke)
        return round(right - left), round(bottom - top)

    def write(self, draw: ImageDraw, corner: tuple[float, float], text: str) -> None:
        """Draw a text with its upper left corner at x, y."""
        font = _font(round(_FONT * self.scale))
        _, top, _, _ = font.getbbox("0gÅ", stroke_width=self.stroke)
        left, _, _, _ = font.getbbox(text, stroke_width=self.stroke)
        draw.text(
            (corner[0] - left, corner[1] - top),
            text,
            self.ink,
            font,
            stroke_width=self.stroke,
            stroke_fill=self.edge,
        )


def overlay_scale(shape: tuple[int, ...]) -> float:
    """Return the scale of overlays on frames of a height and width."""
    return max(_MIN_SCALE, min(shape) / _CANVAS)


@lru_cache(maxsize=4)
def _font(size: int) -> FreeTypeFont | ImageFont:
    """Return the font at a size in pixels."""
    from PIL import ImageFont

    for package, file in _FONTS:
        spec = importlib.util.find_spec(package)
        path = Path(spec.origin).parent / file if spec and spec.origin else None
        if path and path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
