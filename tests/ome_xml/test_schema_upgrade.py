"""OME-XML of early schemas."""

from __future__ import annotations

import pytest

from napari_ferry.image import Axis, Channel
from napari_ferry.ome_xml import parse_ome_xml
from ome_documents import foreign, parse

FC = "http://www.openmicroscopy.org/XMLschemas/OME/FC/ome.xsd"


def components(name: str, *indices: int, tag: str = "LogicalChannel", more: str = "") -> str:
    inside = "".join(f'<ChannelComponent Pixels="Pixels:0" Index="{i}"/>' for i in indices)
    return f'<{tag} ID="{tag}:{name}" Name="{name}" {more}>{inside}</{tag}>'


def test_steps_of_the_image() -> None:
    xml = foreign(namespace=FC).replace(
        "<Image", '<Image PixelSizeX="0.2" PixelSizeY="0.3" PixelSizeZ="0.7" TimeIncrement="5"'
    )
    axes = {axis.name: axis for axis in parse(xml).description.axes}
    assert axes["x"] == Axis("x", 0.2, "micrometer")
    assert axes["y"] == Axis("y", 0.3, "micrometer")
    assert axes["z"] == Axis("z", 0.7, "micrometer")
    assert axes["t"] == Axis("t", 5, "second")


def test_an_image_without_pixels_is_passed_over() -> None:
    xml = foreign(namespace=FC).replace("<Image", '<Image ID="Image:9" Name="none"/><Image', 1)
    images = parse_ome_xml(xml)
    assert [image.description.name for image in images] == ["theirs"]


def test_steps_of_the_pixels_win_over_those_of_the_image() -> None:
    xml = foreign(pixels='PhysicalSizeX="2"').replace("<Image", '<Image PixelSizeX="0.2"')
    assert parse(xml).description.axes[-1] == Axis("x", 2, "micrometer")


@pytest.mark.parametrize("tag", ["LogicalChannel", "ChannelInfo"])
@pytest.mark.parametrize(
    ("indices", "names"),
    [
        (((0,), (1,)), ["A", "B"]),
        (((1,), (0,)), ["B", "A"]),
        (((1,), (2,)), ["A", "B"]),
        (((), ()), ["A", "B"]),
        (((0,), (0,)), ["A", "B"]),
    ],
)
def test_channels_are_in_the_order_of_their_components(
    tag: str, indices: tuple[tuple[int, ...], ...], names: list[str]
) -> None:
    pairs = zip("AB", indices, strict=True)
    image = "".join(components(name, *each, tag=tag) for name, each in pairs)
    channels = parse(foreign(image=image)).description.channels
    assert [channel.name for channel in channels] == names


def test_a_channel_that_is_not_described_has_no_name() -> None:
    channels = parse(foreign(image=components("B", 1))).description.channels
    assert channels == (Channel(), Channel("B"))


def test_the_domain_of_a_component_is_a_color() -> None:
    image = components("A", 0).replace("/>", ' ColorDomain="Green"/>', 1) + components("B", 1)
    channels = parse(foreign(image=image)).description.channels
    assert channels == (Channel("A", "#00ff00"), Channel("B"))


def test_components_of_one_channel_are_samples() -> None:
    found = parse(foreign(image=components("A", 0, 1, 2), sizes='SizeC="3" SizeZ="3" SizeT="4"'))
    assert found.samples == 3
    assert found.description.shape == (4, 3, 1, 5, 7, 3)
    assert [channel.name for channel in found.description.channels] == ["A"]


def test_a_position_of_many_digits_is_ignored() -> None:
    channels = parse(foreign(image=components("A", 10**9))).description.channels
    assert [channel.name for channel in channels] == ["A", None]


@pytest.mark.parametrize("as_attribute", [True, False])
def test_the_default_pixels_are_read(as_attribute: bool) -> None:
    xml = foreign(image="" if as_attribute else '<DefaultPixels ID="Pixels:1"/>')
    pixels = xml[xml.index("<Pixels") : xml.index("</Image>")]
    other = pixels.replace("Pixels:0", "Pixels:1").replace('SizeT="4"', 'SizeT="2"')
    xml = xml.replace("</Image>", f"{other}</Image>")
    if as_attribute:
        xml = xml.replace("<Image", '<Image DefaultPixels="Pixels:1"')
    assert parse(xml).size_t == 2


def test_times_of_planes_in_elements_of_their_own() -> None:
    planes = "".join(
        f'<Plane TheC="0" TheZ="0" TheT="{t}"><PlaneTiming DeltaT="{2 * t}"/></Plane>'
        for t in range(4)
    )
    found = parse(foreign(inside=f"<TiffData/>{planes}", sizes='SizeC="1" SizeZ="1" SizeT="4"'))
    assert found.description.axes[0] == Axis("t", 2, "second")
