"""What the axes of a recording mean, as far as somebody can say without its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from napari_ferry.image import Axis

FrameAxis = Literal["t", "z"]
Field = Literal["frame_axis", "frame_step", "pixel_size"]

FIELDS: tuple[Field, ...] = ("frame_axis", "frame_step", "pixel_size")
"""What a `Calibration` says; the unit belongs to the sizes that are in it."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What the axes of a recording mean; None where it is not known.

    Parameters
    ----------
    frame_axis : {"t", "z"}
        Whether frames follow each other in time or in depth.
    frame_step : float, optional
        From frame to frame, in seconds or in `unit`.
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
        """Return an axis of a recording, ``s`` and ``c`` among them."""
        scale = {"y": self.pixel_size, "x": self.pixel_size, self.frame_axis: self.frame_step}.get(
            name
        )
        if scale is None:
            return Axis(name)
        return Axis(name, scale, "second" if name == "t" else self.unit)


def split_axes(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the axes that frames follow each other along, and those of a frame.

    >>> split_axes("tzcyx"), split_axes("tyxs"), split_axes("ctyx"), split_axes("tzxy")
    ((('t', 'z'), ('c', 'y', 'x')), (('t',), ('y', 'x', 's')), (('c', 't'), ('y', 'x')), None)
    """
    last = 1 if names[-1] in ("s", "c") else 0
    end = len(names) - last
    if tuple(names[end - 2 : end]) != ("y", "x"):
        return None
    at = end - 2 - (not last and "c" in names[: end - 2][-1:])
    return tuple(names[:at]), tuple(names[at:])
