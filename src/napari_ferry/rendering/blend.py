"""Colors onto a canvas of 8 bits, by the rules that the viewer gives to OpenGL.

The lowest layer that is seen is laid on the background in a way of its own, and each result is
rounded before the next layer comes, as a frame buffer does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mode: TypeAlias = Literal["over", "add", "minimum", "multiply", "replace", "first", "faded"]
"""How a layer is laid on what is below: `first` and `faded` are ways of the lowest."""

_Plane: TypeAlias = NDArray[np.floating[Any]]

_STEP = np.float32(1 / 255)

_OVER_BACKGROUND: dict[str, Mode] = {"minimum": "first", "additive": "faded"}
_OVER_LAYERS: dict[str, Mode] = {
    "additive": "add",
    "minimum": "minimum",
    "multiplicative": "multiply",
    "opaque": "replace",
}


def mode_of(blending: str, *, is_lowest: bool) -> Mode:
    """Return how a layer of a blending, as napari names it, is laid on what is below."""
    return (_OVER_BACKGROUND if is_lowest else _OVER_LAYERS).get(blending, "over")


# what comes of a color s with alpha a on d with alpha da; all between 0 and 1
_RULES: dict[Mode, Callable[[_Plane, _Plane, _Plane, _Plane], _Plane]] = {
    "over": lambda s, a, d, da: s * a + d * (1 - a),
    "add": lambda s, a, d, da: s * a + d * da,
    "minimum": lambda s, a, d, da: np.minimum(s, d),
    "multiply": lambda s, a, d, da: s * d,
    "replace": lambda s, a, d, da: s,
    "first": lambda s, a, d, da: s,
    "faded": lambda s, a, d, da: s * a,
}


def blend(canvas: NDArray[np.uint8], colors: NDArray[np.float32], mode: Mode) -> None:
    """Lay any colors on a canvas.

    Parameters
    ----------
    canvas : numpy.ndarray
        Axes (y, x, 4), r g b a; is changed.
    colors : numpy.ndarray
        Axes (y, x, 4), r g b a between 0 and 1, not multiplied by alpha.
    mode : Mode
        How.
    """
    a, da = colors[..., 3].copy(), canvas[..., 3] * _STEP
    rule = _RULES[mode]
    for k in range(3):  # one after the other: arrays of one color are far faster
        canvas[..., k] = _to_bytes(rule(colors[..., k], a, canvas[..., k] * _STEP, da))
    alpha = np.minimum(a, da) if mode == "minimum" else a if mode == "replace" else a + da
    canvas[..., 3] = _to_bytes(alpha)


@dataclass(frozen=True)
class Stamp:
    """Lays colors of a table on a canvas that need no mixing, whole pixels at a time.

    Parameters
    ----------
    table : numpy.ndarray
        r g b a of 8 bits in one number for each color.
    mode : Mode
        How; `over` where alpha is 0 or 1.
    has_gaps : bool
        Whether some colors are transparent, so that what is below stays.
    """

    table: NDArray[np.uint32]
    mode: Mode
    has_gaps: bool

    def lay(self, canvas: NDArray[np.uint8], colors: NDArray[np.uint32]) -> None:
        """Lay colors of the table, axes (y, x), on a canvas, axes (y, x, 4)."""
        whole = canvas.view(np.uint32)[..., 0]
        if self.mode == "add":
            _add(whole, colors)
        elif self.mode == "minimum":
            np.minimum(canvas, colors[..., None].view(np.uint8), out=canvas)
        elif self.has_gaps:
            np.copyto(whole, colors, where=colors[..., None].view(np.uint8)[..., 3] != 0)
        else:
            whole[...] = colors


def make_stamp(table: NDArray[np.float32], mode: Mode, *, is_on_solid: bool) -> Stamp | None:
    """Return what lays colors without mixing, ``None`` where they have to be mixed.

    Parameters
    ----------
    table : numpy.ndarray
        Axes (colors, 4), r g b a between 0 and 1.
    mode : Mode
        How they are laid.
    is_on_solid : bool
        Whether nothing of what is below is transparent.
    """
    colors, alpha = table.copy(), table[:, 3]
    is_mixed = mode == "over" and not np.isin(alpha, (0, 1)).all()
    if is_mixed or mode == "multiply" or (mode == "add" and not is_on_solid):
        return None
    if mode in ("add", "faded"):
        colors[:, :3] *= alpha[:, None]
    if mode in ("add", "faded", "first"):
        colors[:, 3] = 1
    packed = np.ascontiguousarray(_to_bytes(colors)).view(np.uint32)[:, 0]
    return Stamp(packed, mode, mode == "over" and bool((alpha == 0).any()))


def _add(canvas: NDArray[np.uint32], colors: NDArray[np.uint32]) -> None:
    """Add colors of 8 bits, four in a number, to those of a canvas; no sum exceeds 255."""
    below, above = (np.ascontiguousarray(side).view(np.uint8) for side in (canvas, colors))
    total = below + above
    # a sum that has run over is less than what was added
    total |= np.negative((total < above).view(np.uint8))
    canvas[...] = total.view(np.uint32)


def _to_bytes(colors: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    scaled = np.clip(colors, 0, 1) * np.float32(255) + np.float32(0.5)
    return scaled.astype(np.uint8)  # type: ignore[no-any-return]
