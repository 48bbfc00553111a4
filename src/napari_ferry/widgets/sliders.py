"""The viewer's sliders as axes of a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.units import from_pint

if TYPE_CHECKING:
    from napari import Viewer


class Slider(NamedTuple):
    """A slider of the viewer, with its axis label and its dimension number."""

    label: str
    number: int


def find_sliders(viewer: Viewer) -> list[Slider]:
    """Return the sliders with more than one step."""
    dims = viewer.dims
    return [Slider(dims.axis_labels[k], int(k)) for k in dims.not_displayed if dims.nsteps[k] > 1]


def choose_slider(viewer: Viewer, label: str | None) -> int | None:
    """Return the number of the frame axis, or ``None`` if the viewer has no sliders.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the sliders.
    label : str, optional
        Label of the frame axis; by default the time axis, or else the first slider.

    Raises
    ------
    InvalidImageError
        No slider has that label.
    """
    sliders = find_sliders(viewer)
    if label is None:
        times = [slider for slider in sliders if slider.label.lower() in ("t", "time")]
        return next((slider.number for slider in (*times, *sliders)), None)

    for slider in sliders:
        if slider.label == label:
            return slider.number
    labels = ", ".join(slider.label for slider in sliders)
    raise InvalidImageError(
        f"The axis {label!r} has no slider; the viewer has sliders for {labels or 'no axis'}: "
        "choose one of them."
    )


def slider_axis(viewer: Viewer, number: int) -> Axis:
    """Return the axis of a slider, with its scale and unit."""
    span = viewer.dims.range[number]
    units = getattr(viewer.layers.extent, "units", None)  # None if layers contradict
    unit = None if units is None else from_pint(units[number])
    return Axis(viewer.dims.axis_labels[number], float(span.step), unit, float(span.start))
