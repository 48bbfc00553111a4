"""Blend colors onto an 8-bit canvas, following the OpenGL rules of the viewer.

The lowest visible layer is blended with the background by rules of its own. Each result is rounded
before the next layer is blended, as in a frame buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

BlendMode: TypeAlias = Literal["over", "add", "minimum", "multiply", "replace", "first", "faded"]
"""Rule for blending a layer with the canvas; `first` and `faded` apply to the lowest layer."""

_Plane: TypeAlias = NDArray[np.floating[Any]]

_STEP = np.float32(1 / 255)

_OVER_BACKGROUND: dict[str, BlendMode] = {"minimum": "first", "additive": "faded"}
_OVER_LAYERS: dict[str, BlendMode] = {
    "additive": "add",
    "minimum": "minimum",
    "multiplicative": "multiply",
    "opaque": "replace",
}


def blend_mode(blending: str, *, is_lowest: bool) -> BlendMode:
    """Return the rule for a blending, named as in napari."""
    return (_OVER_BACKGROUND if is_lowest else _OVER_LAYERS).get(blending, "over")


# result of a color s with alpha a on a canvas color d with alpha da; all between 0 and 1
_RULES: dict[BlendMode, Callable[[_Plane, _Plane, _Plane, _Plane], _Plane]] = {
    "over": lambda s, a, d, da: s * a + d * (1 - a),
    "add": lambda s, a, d, da: s * a + d * da,
    "minimum": lambda s, a, d, da: np.minimum(s, d),
    "multiply": lambda s, a, d, da: s * d,
    "replace": lambda s, a, d, da: s,
    "first": lambda s, a, d, da: s,
    "faded": lambda s, a, d, da: s * a,
}


def blend(canvas: NDArray[np.uint8], colors: NDArray[np.float32], mode: BlendMode) -> None:
    """Blend arbitrary colors with a canvas, in place.

    Parameters
    ----------
    canvas : numpy.ndarray
        Axes (y, x, 4), r g b a, uint8; modified in place.
    colors : numpy.ndarray
        Axes (y, x, 4), r g b a between 0 and 1, float32, not multiplied by alpha.
    mode : BlendMode
        Blending rule.
    """
    a, da = colors[..., 3].copy(), canvas[..., 3] * _STEP
    rule = _RULES[mode]
    for k in range(3):  # one color at a time is far faster than all three
        canvas[..., k] = _to_bytes(rule(colors[..., k], a, canvas[..., k] * _STEP, da))
    alpha = np.minimum(a, da) if mode == "minimum" else a if mode == "replace" else a + da
    canvas[..., 3] = _to_bytes(alpha)


Lookup: TypeAlias = Callable[[NDArray[np.uint32]], NDArray[np.uint32]]
"""Returns the entries of a table for the pixels of a canvas, axes (y, x)."""


class TableBlend(Protocol):
    """Blending of colors from a table, without floating-point arithmetic for each pixel."""

    def apply(self, canvas: NDArray[np.uint8], look_up: Lookup, /) -> None:
        """Blend colors with a canvas, axes (y, x, 4), in place."""


@dataclass(frozen=True)
class PackedBlend:
    """Blending of fully opaque or fully transparent colors.

    Parameters
    ----------
    colors : numpy.ndarray
        Table of colors, each r g b a with 8 bits packed in one uint32.
    mode : BlendMode
        Blending rule; with `over`, each alpha is 0 or 1.
    has_transparent : bool
        Whether some colors are transparent and leave the canvas unchanged.
    """

    colors: NDArray[np.uint32]
    mode: BlendMode
    has_transparent: bool

    def apply(self, canvas: NDArray[np.uint8], look_up: Lookup) -> None:
        """Blend colors with a canvas, axes (y, x, 4), in place."""
        pixels, packed_canvas = look_up(self.colors), canvas.view(np.uint32)[..., 0]
        if self.mode == "add":
            _add(packed_canvas, pixels)
        elif self.mode == "minimum":
            np.minimum(canvas, pixels[..., None].view(np.uint8), out=canvas)
        elif self.has_transparent:
            is_opaque = pixels[..., None].view(np.uint8)[..., 3] != 0
            np.copyto(packed_canvas, pixels, where=is_opaque)
        else:
            packed_canvas[...] = pixels


_EVEN_BYTES = np.uint32(0x00FF00FF)
_CLEAR = np.uint32(1 << 31)


@dataclass(frozen=True)
class MixedBlend:
    """Blending, over an opaque canvas, of colors with one alpha or fully transparent ones.

    Red and blue are computed at once, in the lower and the upper half of 32 bits. The result
    differs from that of `blend` by 1 at most.

    Parameters
    ----------
    red_blue, green : numpy.ndarray
        Tables of colors times their alpha, in fixed-point numbers with 8 bits after the point, and
        with half a step for rounding. The highest bit of green marks transparent colors.
    weight : uint32
        Fixed-point weight of the canvas, 1 minus alpha.
    """

    red_blue: NDArray[np.uint32]
    green: NDArray[np.uint32]
    weight: np.uint32

    def apply(self, canvas: NDArray[np.uint8], look_up: Lookup) -> None:
        """Blend colors with a canvas, axes (y, x, 4), in place."""
        packed_canvas = canvas.view(np.uint32)[..., 0]
        red_blue = packed_canvas & _EVEN_BYTES
        red_blue *= self.weight
        red_blue += look_up(self.red_blue)
        red_blue >>= np.uint32(8)
        red_blue &= _EVEN_BYTES

        green = packed_canvas >> np.uint32(8)
        green &= np.uint32(0xFF)
        green *= self.weight
        colors = look_up(self.green)
        green += colors
        green &= np.uint32(0xFF00)

        red_blue |= green
        red_blue |= np.uint32(0xFF000000)
        np.copyto(packed_canvas, red_blue, where=colors < _CLEAR)


def make_table_blend(
    table: NDArray[np.float32], mode: BlendMode, *, is_on_opaque: bool
) -> TableBlend | None:
    """Return the blending for a table of colors, or None if pixels require arithmetic.

    Parameters
    ----------
    table : numpy.ndarray
        Axes (colors, 4), r g b a between 0 and 1.
    mode : BlendMode
        Blending rule.
    is_on_opaque : bool
        Whether the canvas below is fully opaque.
    """
    colors, alpha = table.copy(), table[:, 3]
    if mode == "over" and not np.isin(alpha, (0, 1)).all():
        return _make_mixed_blend(table) if is_on_opaque else None
    if mode == "multiply" or (mode == "add" and not is_on_opaque):
        return None

    if mode in ("add", "faded"):
        colors[:, :3] *= alpha[:, None]
    if mode in ("add", "faded", "first"):
        colors[:, 3] = 1
    packed = np.ascontiguousarray(_to_bytes(colors)).view(np.uint32)[:, 0]
    has_transparent = mode == "over" and bool((alpha == 0).any())
    return PackedBlend(packed, mode, has_transparent)


def _make_mixed_blend(table: NDArray[np.float32]) -> MixedBlend | None:
    """Return the blending over an opaque canvas, or None for colors with several alphas."""
    alphas = np.unique(table[:, 3][table[:, 3] > 0])
    if len(alphas) > 1:
        return None

    alpha = float(alphas[0])
    weight = round((1 - alpha) * 256)
    # the error of the rounded weight is centered, so that it is a quarter of a step at most
    error = 255 * (weight - (1 - alpha) * 256) / 2
    scaled = np.rint(table[:, :3].astype(np.float64) * (255 * 256 * alpha) + 128 - error)
    red, green, blue = np.clip(scaled, 0, 0xFFFF - 255 * weight).astype(np.uint32).T
    green[table[:, 3] == 0] = _CLEAR
    return MixedBlend(red | blue << np.uint32(16), green, np.uint32(weight))


def _add(canvas: NDArray[np.uint32], colors: NDArray[np.uint32]) -> None:
    """Add packed colors to those of a canvas in place; sums saturate at 255."""
    below, above = (np.ascontiguousarray(side).view(np.uint8) for side in (canvas, colors))
    total = ~below
    np.minimum(total, above, out=total)
    total += below
    canvas[...] = total.view(np.uint32)


def _to_bytes(colors: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    scaled = np.clip(colors, 0, 1) * np.float32(255) + np.float32(0.5)
    return scaled.astype(np.uint8)  # type: ignore[no-any-return]
