"""OME-XML of our own: valid for ome_types, and read back unchanged."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import ome_types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.ome_xml import OME_DTYPES, TiffData, parse_ome_xml, write_ome_xml
from napari_ferry.ome_xml.vocabulary import color_to_ome
from napari_ferry.units import METERS, SECONDS
from ome_documents import calibrate, make, parse, write


def test_ome_types_reads_the_written_values() -> None:
    image = calibrate(
        make(
            "tczyx",
            (4, 2, 3, 5, 7),
            channels=(Channel("DAPI", "#0000ff"), Channel("GFP & <é>")),
            name="cells",
        ),
        t=(0.5, "second"),
        z=(2.0, "micrometer"),
        y=(250.0, "nanometer"),
        x=(0.25, "micrometer"),
    )
    ome = ome_types.from_xml(write(image, TiffData(0, 24, 0, 0, 0)), validate=True)
    pixels = ome.images[0].pixels
    assert (ome.images[0].name, pixels.dimension_order.value, pixels.type.value) == (
        "cells",
        "XYZCT",
        "uint16",
    )
    assert (pixels.size_t, pixels.size_c, pixels.size_z, pixels.size_y, pixels.size_x) == (
        4,
        2,
        3,
        5,
        7,
    )
    assert (pixels.physical_size_x, pixels.physical_size_x_unit.value) == (0.25, "µm")
    assert (pixels.physical_size_y, pixels.physical_size_y_unit.value) == (250.0, "nm")
    assert (pixels.physical_size_z, pixels.physical_size_z_unit.value) == (2.0, "µm")
    assert (pixels.time_increment, pixels.time_increment_unit.value) == (0.5, "s")
    assert [channel.name for channel in pixels.channels] == ["DAPI", "GFP & <é>"]
    assert pixels.channels[0].color.as_rgb_tuple() == (0, 0, 255)
    assert (pixels.tiff_data_blocks[0].ifd, pixels.tiff_data_blocks[0].plane_count) == (0, 24)


@pytest.mark.parametrize("dtype", sorted(OME_DTYPES))
def test_every_dtype_survives(dtype: str) -> None:
    xml = write(make("tyx", (2, 5, 7), dtype))
    assert parse(xml).description.dtype == dtype
    stored = ome_types.from_xml(xml).images[0].pixels.type.value
    assert (stored == "uint8") == (dtype in ("bool", "uint8"))


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16"])
def test_dtypes_unknown_to_ome_are_refused(dtype: str) -> None:
    assert dtype not in OME_DTYPES
    with pytest.raises(InvalidImageError, match=dtype):
        write(make("yx", (5, 7), dtype))


@pytest.mark.parametrize(
    ("axes", "shape"), [("yxt", (5, 7, 2)), ("xy", (5, 7)), ("yxs", (5, 7, 2))]
)
def test_axes_that_are_not_a_plane_are_refused(axes: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidImageError, match="y and x"):
        write(make(axes, shape))


def test_big_endian_is_written() -> None:
    pixels = ome_types.from_xml(write(make("yx", (5, 7), ">u2"))).images[0].pixels
    assert pixels.big_endian
    assert parse(write(make("yx", (5, 7), ">u2"))).description.dtype == ">u2"


AXES = st.lists(st.sampled_from("tczpqr"), unique=True, max_size=5)
TEXT = st.text(max_size=12)
SCALES = st.one_of(st.floats(allow_nan=False, allow_infinity=False).filter(bool), st.just(0.15))
UNITS = st.one_of(st.none(), st.sampled_from(sorted({**METERS, **SECONDS})), st.just("degree"))
COLORS = st.one_of(st.none(), st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.lists(inner, max_size=3),
)


@st.composite
def images(draw: st.DrawFn) -> Image:
    names = [*draw(AXES), "y", "x", *draw(st.sampled_from([[], ["s"]]))]
    shape = [3 if name == "s" else draw(st.integers(1, 3)) for name in names]
    axes = [Axis(n, draw(SCALES), draw(UNITS), draw(SCALES)) for n in names]
    size_c = dict(zip(names, shape, strict=True)).get("c", 1)
    channels = [
        Channel(draw(st.one_of(st.none(), TEXT)), draw(COLORS), (0.0, 1.5)) for _ in range(size_c)
    ]
    return Image(
        (np.zeros(shape, draw(st.sampled_from(["uint8", "bool", "float32"]))),),
        tuple(axes),
        tuple(channels) if draw(st.booleans()) else (),
        draw(TEXT),
        draw(st.sampled_from(["image", "labels"])),
        draw(st.dictionaries(TEXT, JSON, max_size=2)),
        draw(st.dictionaries(TEXT, JSON, max_size=2)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(image=images())
@example(
    make("tyx", (2, 5, 7), name="a\0\x0b\ud800\n\t\r b", metadata={"k\x01": "]]>\x00<&\ufffe"})
)
def test_every_image_is_read_back_unchanged(image: Image) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xml = write(image)
        parsed = parse(xml)
    back = parsed.description.to_image(np.zeros(image.shape, image.dtype))
    assert parsed.description.shape == image.shape
    for field in ("axes", "channels", "name", "kind"):
        assert getattr(back, field) == getattr(image, field)
    assert json.dumps(back.metadata, sort_keys=True) == json.dumps(image.metadata, sort_keys=True)
    assert json.dumps(back.display, sort_keys=True) == json.dumps(image.display, sort_keys=True)
    planes = parsed.planes()
    assert planes[:, 0].tolist() == [0] * len(planes)
    assert planes[:, 1].tolist() == list(range(len(planes)))


@pytest.mark.parametrize(
    ("axes", "order", "sizes"),
    [
        ("zcyx", "XYCZT", (1, 3, 2)),
        ("ctzyx", "XYZTC", (3, 4, 2)),
        ("tczyx", "XYZCT", (2, 4, 3)),
        ("pyx", "XYTZC", None),
        ("ptyx", "XYTZC", None),
        ("ptczyx", "XYZCT", None),
        ("pctzyx", "XYZTC", None),
        ("patbzcyx", "XYCZT", None),
    ],
)
def test_the_dimension_order_follows_the_axes(
    axes: str, order: str, sizes: tuple[int, ...] | None
) -> None:
    image = make(axes, (*range(2, len(axes)), 5, 7)[-len(axes) :])
    pixels = ome_types.from_xml(write(image)).images[0].pixels
    assert sorted(pixels.dimension_order.value) == sorted(order)
    assert pixels.size_t * pixels.size_z * pixels.size_c == np.prod(image.shape[:-2])
    found = parse(write(image))
    assert found.description.shape == image.shape
    assert found.planes()[:, 1].tolist() == list(range(int(np.prod(image.shape[:-2]))))
    if sizes:
        assert pixels.dimension_order.value == order


def test_several_images_and_several_files() -> None:
    first, second = make("tyx", (3, 5, 7), name="a"), make("zyx", (2, 9, 8), "float32", name="b")
    uuids = [f"urn:uuid:00000000-0000-0000-0000-00000000000{i}" for i in range(2)]
    blocks = [
        TiffData(0, 2, 0, 0, 0, "p0.ome.tif", uuids[0]),
        TiffData(0, 1, 0, 0, 2, "p1.ome.tif", uuids[1]),
    ]
    xml = write_ome_xml([first, second], [blocks, [TiffData(2, 2, 0, 0, 0)]], uuid=uuids[0])
    ome_types.from_xml(xml, validate=True)
    a, b = parse_ome_xml(xml)
    assert (a.description.name, b.description.name) == ("a", "b")
    assert a.files == (None, "p1.ome.tif")  # whatever this file is called by now
    assert a.planes().tolist() == [[0, 0], [0, 1], [1, 0]]
    assert (b.files, b.planes().tolist()) == ((None,), [[0, 2], [0, 3]])


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e308])
def test_impossible_scales_are_not_written_as_physical_sizes(scale: float) -> None:
    image = calibrate(make("tyx", (2, 5, 7)), x=(scale, "micrometer"), t=(scale, "second"))
    xml = write(image)
    assert "PhysicalSize" not in xml
    assert "TimeIncrement" not in xml
    assert parse(xml).description.axes[1] == image.axes[1]


def test_an_uncalibrated_image_stays_uncalibrated() -> None:
    xml = write(make("tzyx", (2, 2, 5, 7)))
    pixels = ome_types.from_xml(xml).images[0].pixels
    assert (pixels.physical_size_x, pixels.physical_size_z, pixels.time_increment) == (None,) * 3


@pytest.mark.parametrize(
    ("colormap", "color"), [("green", "#00ff00"), ("#0a141e", "#0a141e"), ("viridis", None)]
)
def test_the_color_of_an_image_without_channels(colormap: str, color: str | None) -> None:
    display = {"colormap": colormap, "contrast_limits": [1.0, 9.0], "gamma": 0.5}
    image = replace(Image.from_array(np.zeros((2, 5, 7), "u2"), "tyx"), display=display)
    xml = write(image, TiffData(0, 2, 0, 0, 0))
    (channel,) = ome_types.from_xml(xml).images[0].pixels.channels
    said = channel.color if "Color=" in xml else None
    assert (said and said.as_hex(format="long")) == color
    found = parse(xml).description
    assert (found.channels, found.display) == ((), display)
    if color:
        red = xml.replace(f'Color="{color_to_ome(Channel(color=color))}"', 'Color="-16776961"')
        changed = parse(red).description
        assert changed.display == {**display, "colormap": "#ff0000"}


def test_labels_without_channels_have_no_color() -> None:
    image = Image.from_array(np.zeros((5, 7), "u2"), "yx", kind="labels")
    assert "Color=" not in write(
        replace(image, display={"colormap": "green"}), TiffData(0, 1, 0, 0, 0)
    )


def test_the_channel_name_of_an_image_without_channels() -> None:
    image = Image((np.zeros((5, 7), "u2"),), (Axis("y"), Axis("x")), (Channel("GFP"),), "cells")
    xml = write(image, TiffData(0, 1, 0, 0, 0))
    assert ome_types.from_xml(xml).images[0].pixels.channels[0].name == "GFP"
    assert parse(xml).description.metadata == {"channel": "GFP"}
    renamed = parse(xml.replace('Name="GFP"', 'Name="YFP"')).description
    assert (renamed.name, renamed.metadata) == ("cells", {"channel": "YFP"})
    unnamed = parse(xml.replace(' Name="GFP"', "")).description
    assert unnamed.metadata == {"channel": "GFP"}


@pytest.mark.parametrize(("axes", "interleaved"), [("tyxs", True), ("tyx", None)])
def test_colors_are_interleaved(axes: str, interleaved: bool | None) -> None:
    image = make(axes, (2, 5, 7, 3)[: len(axes)], dtype="uint8")
    ome = ome_types.from_xml(write(image, TiffData(0, 2, 0, 0, 0)), validate=True)
    assert ome.images[0].pixels.interleaved is interleaved
