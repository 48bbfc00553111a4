"""What is drawn upon frames: words, the time, a scale bar, the colors of a colormap.

They stand where napari's own overlays stand, with its measures, which grow with the
picture; a thin line of the opposite brightness around them keeps them legible on any ground.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.rendering.paint import Scalar
from napari_ferry.rendering.text import Clock

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]

# of napari's overlays, on a canvas that is as high as this
_CANVAS = 512
_FONT = 13.3
_BAR, _TICKS, _LINE = 150, 11, 3
_COLORS = (25, 150)
_GAP = 10

_LEAST = 0.65
"""Of these measures on the smallest pictures: what can just be read."""

_FONTS = (
    ("vispy", "util/fonts/data/OpenSans-Regular.ttf"),
    ("napari_resources", "resources/fonts/AlataPlus/AlataPlus-Regular.ttf"),
)
"""Fonts that come with napari and have the micro sign, which Pillow's own lacks. The digits of the
first are equally wide, so that times do not jump, and its 1 is no l."""


@dataclass(frozen=True)
class Style:
    """How overlays are drawn.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the frames.
    is_light : bool
        Whether overlays are white; else they are black.
    """

    shape: tuple[int, int]
    is_light: bool

    @property
    def scale(self) -> float:
        """How much larger than on napari's canvas everything is."""
        return max(_LEAST, min(self.shape) / _CANVAS)

    @property
    def ink(self) -> tuple[int, int, int, int]:
        """The color r g b a of what is drawn."""
        return (255, 255, 255, 255) if self.is_light else (0, 0, 0, 255)

    @property
    def edge(self) -> tuple[int, int, int, int]:
        """The color r g b a of the line around it."""
        return (0, 0, 0, 255) if self.is_light else (255, 255, 255, 255)

    @property
    def stroke(self) -> int:
        """Width of that line."""
        return max(1, round(self.scale))

    @property
    def bar(self) -> float:
        """Most pixels of a scale bar."""
        return min(_BAR * self.scale, 0.4 * self.shape[1])

    def size(self, text: str) -> tuple[int, int]:
        """Return width and height of a text."""
        font = _font(round(_FONT * self.scale))
        # the same height for all texts, so that lines do not jump
        _, top, _, bottom = font.getbbox("0gÅ", stroke_width=self.stroke)
        left, _, right, _ = font.getbbox(text, stroke_width=self.stroke)
        return round(right - left), round(bottom - top)

    def write(self, draw: ImageDraw, place: tuple[float, float], text: str) -> None:
        """Write a text whose upper left corner is at a place."""
        font = _font(round(_FONT * self.scale))
        _, top, _, _ = font.getbbox("0gÅ", stroke_width=self.stroke)
        left, _, _, _ = font.getbbox(text, stroke_width=self.stroke)
        draw.text(
            (place[0] - left, place[1] - top),
            text,
            self.ink,
            font,
            stroke_width=self.stroke,
            stroke_fill=self.edge,
        )


class Overlay(Protocol):
    """Something that is drawn upon frames."""

    @property
    def corner(self) -> Corner:
        """Where it stands."""

    def patch(self, i: int, /) -> NDArray[np.uint8]:
        """Return what is laid on frame i: axes (y, x, 4), r g b a."""


@dataclass(frozen=True)
class Words:
    """A text, or the time of each frame."""

    corner: Corner
    style: Style
    text: str | Clock

    def patch(self, i: int) -> NDArray[np.uint8]:
        """Return the text of frame i."""
        text = self.text if isinstance(self.text, str) else self.text.text(i)
        return _drawn(self.style.size(text), lambda draw: self.style.write(draw, (0, 0), text))


@dataclass(frozen=True)
class ScaleBar:
    """A line of a known length, with ticks at its ends.

    Parameters
    ----------
    corner, style
        Where it stands, and how it looks.
    length : float
        Pixels.
    text : str
        What stands over it.
    """

    corner: Corner
    style: Style
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
        full = max(width, length + 2 * edge)
        left, top = (full - length) // 2, height
        middle = top + edge + (ticks - line) // 2
        boxes = [
            (left, middle, left + length, middle + line),
            (left, top + edge, left + line, top + edge + ticks),
            (left + length - line, top + edge, left + length, top + edge + ticks),
        ]

        def draw(picture: ImageDraw) -> None:
            for more, color in ((edge, style.edge), (0, style.ink)):
                for x0, y0, x1, y1 in boxes:
                    box = (x0 - more, y0 - more, x1 + more - 1, y1 + more - 1)
                    picture.rectangle(box, color)
            style.write(picture, ((full - width) // 2, 0), self.text)

        return _drawn((full, top + ticks + 2 * edge), draw)


@dataclass(frozen=True)
class ColorBar:
    """The colors of a layer, with the values of the lowest and the highest.

    Parameters
    ----------
    corner, style
        Where it stands, and how it looks.
    paint : Scalar
        What makes the colors.
    share : int
        How many bars share the height of the picture.
    """

    corner: Corner
    style: Style
    paint: Scalar
    share: int = 1

    def patch(self, _: int) -> NDArray[np.uint8]:
        """Return the bar."""
        return self._patch

    @cached_property
    def _patch(self) -> NDArray[np.uint8]:
        style, edge = self.style, self.style.stroke
        low, high = (f"{limit:.6g}" for limit in self.paint.limits.find())
        texts = [style.size(text) for text in (low, high)]
        most = 0.8 * style.shape[0] / self.share - texts[0][1]
        width = max(4, round(_COLORS[0] * style.scale))
        height = max(8, round(min(_COLORS[1] * style.scale, most)))
        inset, gap = texts[0][1] // 2, width // 5
        full = width + 2 * edge + gap + max(size[0] for size in texts)

        def draw(picture: ImageDraw) -> None:
            picture.rectangle(
                (0, inset, width + 2 * edge - 1, inset + height + 2 * edge - 1), style.ink
            )
            for place, text in ((0, high), (height + 2 * edge, low)):
                style.write(picture, (width + 2 * edge + gap, place), text)

        patch = _drawn((full, height + 2 * edge + 2 * inset), draw)
        patch[inset + edge : inset + edge + height, edge : edge + width] = self._colors(height)
        return patch

    def _colors(self, height: int) -> NDArray[np.uint8]:
        """Return the colors from the highest to the lowest: axes (y, 1, 4), over black."""
        t = np.linspace(1, 0, height) ** self.paint.gamma
        colors = self.paint.palette.at(t)
        colors[:, :3] *= colors[:, 3:]
        colors[:, 3] = 1
        return np.rint(colors[:, None] * 255).astype(np.uint8)


@dataclass(frozen=True)
class Annotated:
    """Frames with overlays.

    Parameters
    ----------
    read : callable
        Gives frame i: axes y x s, r g b of 8 bits, which are drawn upon.
    overlays : tuple of Overlay
        In the order in which they stand in a corner, from its edge on.
    """

    read: Callable[[int], NDArray[np.uint8]]
    overlays: tuple[Overlay, ...]

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Return frame i with what is drawn upon it."""
        frame = self.read(i)
        gap = round(_GAP * max(_LEAST, min(frame.shape[:2]) / _CANVAS))
        used = dict.fromkeys((overlay.corner for overlay in self.overlays), gap)
        for overlay in self.overlays:
            patch = overlay.patch(i)
            _lay(frame, patch, overlay.corner, used[overlay.corner], gap)
            used[overlay.corner] += patch.shape[0] + gap // 2
        return frame


def _lay(
    frame: NDArray[np.uint8], patch: NDArray[np.uint8], corner: Corner, inset: int, gap: int
) -> None:
    """Lay a patch on a frame, as far as it fits."""
    size, drawn = frame.shape[:2], patch.shape[:2]
    y = inset if corner.startswith("top") else size[0] - inset - drawn[0]
    x = gap if corner.endswith("left") else size[1] - gap - drawn[1]
    (top, bottom), (left, right) = (
        (max(0, at), min(most, at + length))
        for at, most, length in zip((y, x), size, drawn, strict=True)
    )
    if top >= bottom or left >= right:
        return
    above = patch[top - y : bottom - y, left - x : right - x].astype(np.uint16)
    below = frame[top:bottom, left:right]
    alpha = above[..., 3:]
    below[...] = (above[..., :3] * alpha + below * (255 - alpha) + 127) // 255


def _drawn(size: tuple[int, int], draw: Callable[[ImageDraw], None]) -> NDArray[np.uint8]:
    """Return what is drawn on a transparent ground of a width and height."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGBA", size)
    draw(ImageDraw.Draw(picture))
    return np.array(picture)


@lru_cache(maxsize=4)
def _font(size: int) -> FreeTypeFont | ImageFont:
    """Return the font of a size in pixels."""
    from PIL import ImageFont

    for package, file in _FONTS:
        found = importlib.util.find_spec(package)
        path = Path(found.origin).parent / file if found and found.origin else None
        if path and path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
