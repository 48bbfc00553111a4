"""Times of planes in OME-XML."""

from __future__ import annotations

from typing import Any

from napari_ferry.image import Axis
from ome_documents import foreign, parse, planes


def test_the_time_step_of_evenly_spaced_planes() -> None:
    def t(inside: str) -> Axis | None:
        return next(a for a in parse(foreign(inside=inside)).description.axes if a.name == "t")

    assert t(planes([0, 0.5, 1.0, 1.5])) == Axis("t", 0.5, "second")
    assert t(planes([10, 30, 50, 70.1], 'DeltaTUnit="ms"')).unit == "millisecond"
    assert t(planes([0, 0.5, 1.0, 3.0])) == Axis("t")
    assert t(planes([0, 0.5, 1.0])) == Axis("t")
    assert t(planes([0, 0, 0, 0])) == Axis("t")
    found = parse(foreign('TimeIncrement="2"', planes([0, 0.5, 1.0, 1.5]))).description
    assert found.axes[0] == Axis("t", 2.0, "second")


def times_of(planes: str) -> tuple[Axis, Any]:
    found = parse(foreign(inside='<TiffData IFD="0" PlaneCount="24"/>' + planes)).description
    return next(axis for axis in found.axes if axis.name == "t"), (found.metadata or {})["ome"].get(
        "DeltaT"
    )


def test_times_of_planes_are_in_the_metadata() -> None:
    """2 channels, 3 slices and 4 times in sequence."""
    places = [(t, z, c) for t in range(4) for z in range(3) for c in range(2)]
    planes = [
        f'<Plane TheT="{t}" TheZ="{z}" TheC="{c}" DeltaT="{10 * t + z + 0.5 * c}" DeltaTUnit="ms"/>'
        for t, z, c in reversed(places)
    ]
    axis, kept = times_of("".join(planes))
    assert axis == Axis("t", 10.0, "millisecond")
    assert kept["order"] == "TZC"
    assert kept["unit"] == "ms"
    assert kept["values"] == [10 * t + z + 0.5 * c for t, z, c in places]
    outside = [planes[0].replace('TheT="3"', 'TheT="9"'), *planes[1:]]
    same = [planes[0], *planes[:-1]]
    for broken in (planes[1:], same, [planes[0].replace("TheT", "x")], outside):
        assert times_of("".join(broken))[1] is None
