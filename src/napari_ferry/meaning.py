"""What the axes of a recording mean, as far as somebody can say without its metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_ferry.axes import Axis

Lead = Literal["t", "z"]


@dataclass(frozen=True)
class Meaning:
    """What the axes of a recording mean; None where it is not known.

    Parameters
    ----------
    lead : {"t", "z"}
        Whether frames follow each other in time or in depth.
    step : float, optional
        From frame to frame, in seconds or in `unit`.
    pixel : float, optional
        Size of a pixel along y and x, in `unit`.
    unit : str
        Full name of a unit of length.
    """

    lead: Lead = "t"
    step: float | None = None
    pixel: float | None = None
    unit: str = "micrometer"

    def axis(self, name: str) -> Axis:
        """Return an axis of a recording, ``s`` and ``c`` among them."""
        scale = {"y": self.pixel, "x": self.pixel, self.lead: self.step}.get(name)
        if scale is None:
            return Axis(name)
        return Axis(name, scale, "second" if name == "t" else self.unit)
