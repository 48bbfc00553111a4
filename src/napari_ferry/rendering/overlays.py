"""Draw overlays on frames: text, the time, a scale bar, and color bars.

Overlays have the positions and proportions of napari's own overlays, and their size grows with the
picture. A thin outline of the opposite brightness keeps them legible on any background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.rendering.overlay_style import OverlayStyle, overlay_scale
from napari_ferry.rendering.paint import Scalar
from napari_ferry.rendering.text import TimeStamp

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]

SIDEWAYS: tuple[Corner, ...] = ("top_right", "bottom_left")
"""Corners with overlays side by side, as in napari; in the others, they are on top of each other.
"""

# sizes in pixels at a scale of 1, as in napari
_TICKS, _LINE = 11, 3
_COLORS, _COLORS_INSET = (25, 150), 5
_GAP = 10


class Overlay(Protocol):
    """Text or graphics in a corner of frames."""

    @property
    def corner(self) -> Corner:
        """Corner of the frames."""

    def patch(self, i: int, /) -> NDArray[np.uint8]:
        """Return the overlay of frame i, axes (y, x, 4), r g b a, uint8."""


@dataclass(frozen=True)
class TextOverlay:
    """Fixed text, or the time of each frame."""

    corner: Corner
    style: OverlayStyle
    text: str | TimeStamp

    def patch(self, i: int) -> NDArray[np.uint8]:
        """Return the text of frame i."""
        text = self.text if isinstance(self.text, str) else self.text.text(i)
        return _draw_patch(self.style.size(text), lambda draw: self.style.write(draw, (0, 0), text))


@dataclass(frozen=True, kw_only=True)
class ScaleBar:
    """Line of a known length, with ticks at its ends.

    Parameters
    ----------
    corner, style
        Position and appearance.
    length : float
        Length in pixels.
    text : str
        Text above the line.
    """

    corner: Corner
    style: OverlayStyle
    length: float
    text: str

    def patch(self, _: int) -> NDArray[np.uint8]:
        """Return the bar."""
        return self._patch

    @cached_property
    def _patch(self) -> NDArray[np.uint8]:
        style, (width, height) = self.style, self.style.size(self.text)
        line, ticks = max(1, round(_LINE * style.scale)), round(_TICKS * style.scale)
        length, edge = max(line, round(self.length)), style.stroke

        # the text is centered above the line and may be wider
        full = max(width, length + 2 * edge)
        left, top = (full - length) // 2, height
        middle = top + edge + (ticks - line) // 2
        rectangles = [
            (left, middle, left + length, middle + line),
            (left, top + edge, left + line, top + edge + ticks),
            (left + length - line, top + edge, left + length, top + edge + ticks),
        ]

        def draw(picture: ImageDraw) -> None:
            """Draw the bar with a contrasting edge, and its length above it."""
            for margin, color in ((edge, style.edge), (0, style.ink)):
                for x0, y0, x1, y1 in rectangles:
                    outer = (x0 - margin, y0 - margin, x1 + margin - 1, y1 + margin - 1)
                    picture.rectangle(outer, color)
            style.write(picture, ((full - width) // 2, 0), self.text)

        return _draw_patch((full, top + ticks + 2 * edge), draw)


@dataclass(frozen=True, kw_only=True)
class ColorBar:
    """Colors of a layer, with its contrast limits.

    Parameters
    ----------
    corner, style
        Position and appearance.
    paint : Scalar
        Conversion of samples to colors.
    count : int
        Number of color bars that share the height of the picture.
    """

    corner: Corner
    style: OverlayStyle
    paint: Scalar
    count: int = 1

    def patch(self, _: int) -> NDArray[np.uint8]:
        """Return the bar."""
        return self._patch

    @cached_property
    def _patch(self) -> NDArray[np.uint8]:
        style, edge = self.style, self.style.stroke
        low, high = (f"{limit:.6g}" for limit in self.paint.limits.find())
        sizes = [style.size(text) for text in (low, high)]
        max_height = 0.8 * style.shape[0] / self.count - sizes[0][1]
        width = max(4, round(_COLORS[0] * style.scale))
        height = max(8, round(min(_COLORS[1] * style.scale, max_height)))

        inset, gap = round(_COLORS_INSET * style.scale), width // 5
        full = width + 2 * edge + gap + max(size[0] for size in sizes)

        def draw(picture: ImageDraw) -> None:
            """Draw the frame of the bar, with the contrast limits beside it."""
            picture.rectangle(
                (0, inset, width + 2 * edge - 1, inset + height + 2 * edge - 1), style.ink
            )
            for y, text in ((0, high), (height + 2 * (edge + inset) - sizes[0][1], low)):
                style.write(picture, (width + 2 * edge + gap, y), text)

        patch = _draw_patch((full, height + 2 * edge + 2 * inset), draw)
        patch[inset + edge : inset + edge + height, edge : edge + width] = self._colors(height)
        return patch

    def _colors(self, height: int) -> NDArray[np.uint8]:
        """Return the colors from highest to lowest on black, axes (y, 1, 4), uint8."""
        t = np.linspace(1, 0, height) ** self.paint.gamma
        colors = self.paint.palette.colors_at(t)
        colors[:, :3] *= colors[:, 3:]
        colors[:, 3] = 1
        return np.rint(colors[:, None] * 255).astype(np.uint8)


@dataclass(frozen=True)
class AnnotatedFrames:
    """Frames with overlays.

    Parameters
    ----------
    read : callable
        Returns frame i, axes (y, x, 3), r g b, uint8; overlays are drawn on it in place.
    overlays : tuple of Overlay
        Overlays, from the edge of each corner to the inside.
    """

    read: Callable[[int], NDArray[np.uint8]]
    overlays: tuple[Overlay, ...]

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Return frame i with its overlays."""
        frame = self.read(i)
        gap = round(_GAP * overlay_scale(frame.shape[:2]))
        corners = {overlay.corner: _Tiling(overlay.corner, gap) for overlay in self.overlays}
        for overlay in self.overlays:
            patch = overlay.patch(i)
            inset = corners[overlay.corner].place(patch.shape[:2], frame.shape[1])
            _paste(frame, patch, overlay.corner, inset)
        return frame


class _Tiling:
    """Distribution of overlays in one corner."""

    def __init__(self, corner: Corner, gap: int) -> None:
        self._is_sideways = corner in SIDEWAYS
        self._gap = gap
        self._used = (gap, gap)
        self._next_row = gap

    def place(self, size: tuple[int, ...], width: int) -> tuple[int, int]:
        """Return the distances of a patch from the horizontal and the vertical edge of a frame."""
        y, x = self._used
        if not self._is_sideways or (x > self._gap and x + size[1] + self._gap > width):
            y, x = self._next_row, self._gap
        self._used = y, x + size[1] + self._gap
        self._next_row = max(self._next_row, y + size[0] + self._gap)
        return y, x


def _paste(
    frame: NDArray[np.uint8], patch: NDArray[np.uint8], corner: Corner, inset: tuple[int, int]
) -> None:
    """Blend a patch with a frame in place, as far as it fits."""
    size, patch_size = frame.shape[:2], patch.shape[:2]
    y = inset[0] if corner.startswith("top") else size[0] - inset[0] - patch_size[0]
    x = inset[1] if corner.endswith("left") else size[1] - inset[1] - patch_size[1]
    (top, bottom), (left, right) = (
        (max(0, start), min(limit, start + length))
        for start, limit, length in zip((y, x), size, patch_size, strict=True)
    )
    if top >= bottom or left >= right:
        return

    # 16 bits, as products of two 8-bit values exceed 8 bits
    above = patch[top - y : bottom - y, left - x : right - x].astype(np.uint16)
    below = frame[top:bottom, left:right]
    alpha = above[..., 3:]
    below[...] = (above[..., :3] * alpha + below * (255 - alpha) + 127) // 255


def _draw_patch(size: tuple[int, int], draw: Callable[[ImageDraw], None]) -> NDArray[np.uint8]:
    """Draw a patch on a transparent background with a width and height."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGBA", size)
    draw(ImageDraw.Draw(picture))
    return np.array(picture)
