"""Our record in an ImageJ hyperstack, merged with changes by other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyperstacks import FULL, axes_of, parse, read, save
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis, Channel


def test_changes_by_another_program_replace_the_record(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif", spacing=3.0, finterval=0.5)
    t, z = (next(a for a in found.axes if a.name == name) for name in "tz")
    assert (t, z) == (Axis("t", 0.5, "second"), Axis("z", 3.0, "micrometer"))
    assert axes_of(found) == "ctzyx"
    scaled = read(tmp_path / "a.tif", resolution=(2.0, 2.0), unit="mm")
    assert scaled.axes[3:] == (Axis("y", 0.5, "millimeter"), Axis("x", 0.5, "millimeter"))
    unscaled = read(tmp_path / "a.tif", unit=None, spacing=None, finterval=None)
    assert {(axis.scale, axis.unit) for axis in unscaled.axes} == {(1.0, None)}
    ranges = read(tmp_path / "a.tif", Ranges=(0.0, 1.0, 2.0, 3.0))
    assert ranges.channels == (
        Channel("DAPI", "#0000ff", (0.0, 1.0)),
        Channel("GFP", "#00ff00", (2.0, 3.0)),
    )
    assert ranges.display == {"gamma": 0.5}


@pytest.mark.parametrize(
    "changes",
    [{"frames": 2, "images": 12}, {"frames": 3, "slices": 4}, {"images": 12, "frames": 2}],
)
def test_a_record_of_other_planes_is_ignored(tmp_path: Path, changes: dict[str, int]) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif", **changes)
    assert axes_of(found) == "tzcyx"
    assert found.shape[:3] == (changes["frames"], changes.get("slices", 3), 2)
    assert found.metadata is not None
    assert found.metadata["Info"] == "mouse 4\n"
    assert found.channels[0] == Channel(None, "#0000ff", (1.0, 9.5))


@pytest.mark.parametrize(
    "record",
    [
        "{",
        "{}",
        '{"napari-ferry": 1, "axes": [{"size": 1}]}',
        '{"napari-ferry": 1, "axes": []}',
        '{"a": ' + "[" * 100_000 + "}",
        "{]}",
    ],
)
def test_a_damaged_record_is_reported(record: str) -> None:
    header = {"images": 2, "frames": 2, "Info": f"napari-ferry: {record}\nmouse 4"}
    with pytest.warns(FerryWarning, match="record of napari-ferry in the ImageJ header is damaged"):
        found = parse(header)
    assert (found.metadata or {})["Info"] == "mouse 4"
    assert (found.shape, axes_of(found)) == ((2, 5, 7), "tyx")
