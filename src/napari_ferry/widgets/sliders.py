"""The sliders of the viewer: which there are, which one runs in a movie, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.units import from_pint

if TYPE_CHECKING:
    from napari import Viewer


def sliders(viewer: Viewer) -> list[tuple[str, int]]:
    """Return label and number of each slider that can run."""
    dims = viewer.dims
    return [(dims.axis_labels[k], int(k)) for k in dims.not_displayed if dims.nsteps[k] > 1]


def choose_slider(viewer: Viewer, label: str | None) -> int | None:
    """Return the number of the slider that runs, ``None`` where there is none.

    Raises
    ------
    InvalidImageError
        No slider has that label.
    """
    known = sliders(viewer)
    names = [name for name, _ in known]
    if label is None:
        times = [k for name, k in known if name.lower() in ("t", "time")]
        return next(iter((*times, *(k for _, k in known))), None)
    if label not in names:
        raise InvalidImageError(
            f"The axis {label!r} is to run, and the viewer has sliders for "
            f"{', '.join(names) or 'none'}: choose one of them."
        )
    return known[names.index(label)][1]


def slider_axis(viewer: Viewer, number: int) -> Axis:
    """Return what a slider of the viewer means."""
    span = viewer.dims.range[number]
    units = getattr(viewer.layers.extent, "units", None)
    unit = None if units is None else from_pint(units[number])
    return Axis(viewer.dims.axis_labels[number], float(span.step), unit, float(span.start))
