"""Our record in OME-XML, merged with changes by other programs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis, Channel, Image
from ome_documents import calibrate, foreign, make, parse, write


def edited(image: Image, *changes: tuple[str, str]) -> Any:
    xml = write(image)
    for old, new in changes:
        assert old in xml
        xml = xml.replace(old, new)
    return parse(xml).description


SAMPLE = calibrate(
    make(
        "ptcyx",
        (3, 4, 2, 5, 7),
        channels=(Channel("a", "#ff0000", (1, 9)), Channel("b")),
        name="ours",
        kind="image",
        metadata={"k": 1},
    ),
    t=(0.5, "second"),
    y=(0.25, "micrometer"),
    x=(0.25, "micrometer"),
    p=(3.0, "degree"),
)


def test_a_changed_calibration_wins_over_the_record() -> None:
    found = edited(SAMPLE, ('PhysicalSizeX="0.25"', 'PhysicalSizeX="0.5"'))
    assert found.axes[-1] == Axis("x", 0.5, "micrometer")
    assert found.axes[:-1] == SAMPLE.axes[:-1]
    assert (
        edited(SAMPLE, ('PhysicalSizeX="0.25"', 'PhysicalSizeX="0.25000001"')).axes == SAMPLE.axes
    )
    same = edited(
        SAMPLE,
        ('PhysicalSizeX="0.25"', 'PhysicalSizeX="250"'),
        ('PhysicalSizeXUnit="µm"', 'PhysicalSizeXUnit="nm"'),
    )
    assert same.axes == SAMPLE.axes


def test_a_removed_or_added_calibration_wins_over_the_record() -> None:
    removed = edited(SAMPLE, ('PhysicalSizeX="0.25" PhysicalSizeXUnit="µm"', ""))
    assert removed.axes[-1] == Axis("x")
    plain = make("zyx", (2, 5, 7))
    added = edited(plain, ('SizeX="7"', 'SizeX="7" PhysicalSizeZ="3"'))
    assert added.axes[0] == Axis("z", 3.0, "micrometer")


def test_changed_names_and_colors_win_over_the_record() -> None:
    found = edited(
        SAMPLE,
        ('Name="ours"', 'Name="new"'),
        ('Name="a"', 'Name="DAPI"'),
        ('Color="-16776961"', 'Color="65535"'),
    )
    assert found.name == "new"
    assert found.channels == (Channel("DAPI", "#0000ff", (1.0, 9.0)), Channel("b"))
    assert found.metadata == {"k": 1}


def test_a_removed_color_of_a_single_channel_is_left_out() -> None:
    green = make("zyx", (2, 5, 7), display={"colormap": "green", "gamma": 2.0})
    color = re.search(' Color="[^"]*"', write(green))
    assert color is not None
    assert edited(green, (color[0], "")).display == {"gamma": 2.0}


@pytest.mark.parametrize(
    "change",
    [('SizeX="7"', 'SizeX="8"'), ('Type="uint16"', 'Type="float"'), ('SizeT="4"', 'SizeT="2"')],
)
def test_a_record_of_other_pixels_is_ignored(change: tuple[str, str]) -> None:
    found = edited(SAMPLE, change)
    assert "p" not in [axis.name for axis in found.axes]
    assert found.channels[0] == Channel("a", "#ff0000")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "[]",
        '{"napari-ferry": 1}',
        "[" * 100_000,
        "1e999",
        '{"napari-ferry": 1, "axes": []}',
        '{"napari-ferry": 1, "axes": [{"name": "y", "size": 5}]}',
    ],
)
def test_a_damaged_record_is_reported(value: str) -> None:
    note = f'<CommentAnnotation ID="A" Namespace="napari-ferry/1"><Value>{value}</Value>'
    xml = foreign(image='<AnnotationRef ID="A"/>').replace(
        "</OME>", f"<StructuredAnnotations>{note}</CommentAnnotation></StructuredAnnotations></OME>"
    )
    with pytest.warns(FerryWarning, match="record of napari-ferry in the OME-XML is damaged"):
        found = parse(xml)
    assert found.description.shape == (4, 3, 2, 5, 7)
