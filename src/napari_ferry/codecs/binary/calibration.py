"""Calibration of a recording: frame axis, time or distance between frames, and pixel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from napari_ferry.image import Axis

FrameAxis = Literal["t", "z"]
Field = Literal["frame_axis", "frame_step", "pixel_size"]

FIELDS: tuple[Field, ...] = ("frame_axis", "frame_step", "pixel_size")
"""Fields of a `Calibration`; the unit belongs to the lengths among them."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibration of a recording; ``None`` for unknown values.

    Parameters
    ----------
    frame_axis : {"t", "z"}
        Axis of the frames: time or depth.
    frame_step : float, optional
        Time between frames in seconds, or distance in `unit`.
    pixel_size : float, optional
        Size of a pixel along y and x, in `unit`.
    unit : str
        Full name of a unit of length.
    """

    frame_axis: FrameAxis = "t"
    frame_step: float | None = None
    pixel_size: float | None = None
    unit: str = "micrometer"

    def axis(self, name: str) -> Axis:
        """Return an axis of the recording, calibrated if possible."""
        scale = {"y": self.pixel_size, "x": self.pixel_size, self.frame_axis: self.frame_step}.get(
            name
        )
        if scale is None:
            return Axis(name)
        return Axis(name, scale, "second" if name == "t" else self.unit)


def split_axes(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Split axes into leading axes and the axes of a frame; ``None`` if not possible.

    >>> split_axes("tzcyx"), split_axes("tyxs"), split_axes("ctyx"), split_axes("tzxy")
    ((('t', 'z'), ('c', 'y', 'x')), (('t',), ('y', 'x', 's')), (('c', 't'), ('y', 'x')), None)
    """
    has_last = names[-1] in ("s", "c")
    end = len(names) - 1 if has_last else len(names)
    if tuple(names[end - 2 : end]) != ("y", "x"):
        return None

    # channels belong to the frame if they are right before y, or the last axis
    start = end - 2
    if not has_last and start > 0 and names[start - 1] == "c":
        start -= 1
    return tuple(names[:start]), tuple(names[start:])
