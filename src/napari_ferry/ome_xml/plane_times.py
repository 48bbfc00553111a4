"""Times of planes, from the Plane elements of an OME-XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.image import Axis
from napari_ferry.ome_xml.plane_lists import Column, ElementLists, to_element_list
from napari_ferry.units import from_ome, is_step

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from numpy.typing import NDArray

_MAX_TIMES = 1 << 16
"""Largest number of planes whose times are stored in metadata."""


class Times(NamedTuple):
    """The times of planes.

    Parameters
    ----------
    planes : array of int64, axes plane, (t, z, c)
        Positions of the planes.
    delta : array of float64, axis plane
        Times since the start of the recording, in `unit`.
    unit : str
        Symbol of a unit.
    """

    planes: NDArray[np.int64]
    delta: NDArray[np.float64]
    unit: str


def parse_times(pixels: ET.Element, lists: ElementLists) -> Times | None:
    """Read the times of planes, or ``None`` if some are missing or not numbers."""
    elements = pixels.findall("Plane")
    planes = lists.get("Plane") or to_element_list(elements, "Plane")
    *positions, delta = (planes.column(name) for name in ("TheT", "TheZ", "TheC", "DeltaT"))
    timed = [element for element in elements if "DeltaT" in element.attrib]
    if not timed or None in delta:
        return None

    try:
        found = np.stack([_numbers(column) for column in positions], -1)
        times = np.array(list(map(float, delta)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return Times(found, times, timed[0].get("DeltaTUnit", "s"))


def _numbers(column: Column) -> NDArray[np.int64]:
    """Return whole numbers; a column of equal values is converted once."""
    if column and column.count(column[0]) == len(column):
        return np.full(len(column), int(column[0] or ""), np.int64)
    return np.array(list(map(int, column)), np.int64)  # type: ignore[arg-type]


def time_axis(times: Times | None, size: int) -> Axis:
    """Return the time axis, calibrated if the first channel and slice have even steps (to 1 %)."""
    if times is None:
        return Axis("t")

    first = (times.planes[:, 1:] == 0).all(1)
    order = np.argsort(times.planes[first, 0])
    counted = np.array_equal(times.planes[first, 0][order], np.arange(size))
    steps = np.diff(times.delta[first][order])
    step = float(steps.mean()) if len(steps) else 0.0
    if not counted or not is_step(step) or not np.allclose(steps, step, rtol=0.01, atol=0):
        return Axis("t")
    return Axis("t", step, from_ome(times.unit))


def times_metadata(
    times: Times | None, sizes: Mapping[str, int], axis: Axis
) -> dict[str, Any] | None:
    """Return the times of all planes as JSON, or ``None`` if the time axis contains them.

    Parameters
    ----------
    times : Times, optional
        Times of planes.
    sizes : mapping
        Number of planes along t, z and c.
    axis : Axis
        The time axis from `time_axis`.
    """
    shape = tuple(sizes[name] for name in "tzc")
    if times is None or len(times.delta) != np.prod(shape) or len(times.delta) > _MAX_TIMES:
        return None
    if axis.unit and shape[1:] == (1, 1):
        return None
    if ((times.planes < 0) | (times.planes >= shape)).any():
        return None

    values = np.full(shape, np.nan)
    values[tuple(times.planes.T)] = times.delta
    if not np.isfinite(values).all():
        return None
    return {"order": "TZC", "unit": times.unit, "values": values.ravel().tolist()}
