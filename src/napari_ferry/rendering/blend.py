"""Blend colors onto an 8-bit canvas, following the OpenGL rules of the viewer.

The lowest visible layer is blended with the background by rules of its own. Each result is rounded
before the next layer is blended, as in a frame buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

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


@dataclass(frozen=True)
class PackedBlend:
    """Blending of 32-bit pixels, for colors without floating-point arithmetic.

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

    def apply(self, canvas: NDArray[np.uint8], pixels: NDArray[np.uint32]) -> None:
        """Blend packed colors, axes (y, x), with a canvas, axes (y, x, 4), in place."""
        packed_canvas = canvas.view(np.uint32)[..., 0]
        if self.mode == "add":
            _add(packed_canvas, pixels)
        elif self.mode == "minimum":
            np.minimum(canvas, pixels[..., None].view(np.uint8), out=canvas)
        elif self.has_transparent:
            is_opaque = pixels[..., None].view(np.uint8)[..., 3] != 0
            np.copyto(packed_canvas, pixels, where=is_opaque)
        else:
            packed_canvas[...] = pixels


def make_packed_blend(
    table: NDArray[np.float32], mode: BlendMode, *, is_on_opaque: bool
) -> PackedBlend | None:
    """Return the packed blending for a table of colors, or None if they require arithmetic.

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
    is_mixed = mode == "over" and not np.isin(alpha, (0, 1)).all()
    if is_mixed or mode == "multiply" or (mode == "add" and not is_on_opaque):
        return None
    if mode in ("add", "faded"):
        colors[:, :3] *= alpha[:, None]
    if mode in ("add", "faded", "first"):
        colors[:, 3] = 1
    packed = np.ascontiguousarray(_to_bytes(colors)).view(np.uint32)[:, 0]
    has_transparent = mode == "over" and bool((alpha == 0).any())
    return PackedBlend(packed, mode, has_transparent)


def _add(canvas: NDArray[np.uint32], colors: NDArray[np.uint32]) -> None:
    """Add packed colors to those of a canvas in place; sums saturate at 255."""
    below, above = (np.ascontiguousarray(side).view(np.uint8) for side in (canvas, colors))
    total = below + above
    # a sum that has overflowed is less than each of its terms
    total |= np.negative((total < above).view(np.uint8))
    canvas[...] = total.view(np.uint32)


def _to_bytes(colors: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    scaled = np.clip(colors, 0, 1) * np.float32(255) + np.float32(0.5)
    return scaled.astype(np.uint8)  # type: ignore[no-any-return]
