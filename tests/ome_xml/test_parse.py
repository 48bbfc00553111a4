"""OME-XML: validated with ome_types, and read from other programs and hostile files."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import ome_types
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpers import SHARED
from napari_ferry.errors import FerryWarning, InvalidImageError, UnreadableFileError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.ome_xml import OME_DTYPES, OmeImage, TiffData, parse_ome_xml, write_ome_xml
from napari_ferry.ome_xml.plane_lists import extract_lists
from napari_ferry.ome_xml.vocabulary import color_to_ome
from napari_ferry.units import METERS, SECONDS

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
ALL = TiffData(0, -1, 0, 0, 0)


def make(axes: str, shape: tuple[int, ...], dtype: Any = np.uint16, **fields: Any) -> Image:
    array = np.broadcast_to(np.zeros((), dtype), shape)
    return replace(Image.from_array(array, axes), **fields)


def calibrate(image: Image, **steps: tuple[float, str | None]) -> Image:
    axes = [
        replace(axis, **dict(zip(("scale", "unit"), steps.get(axis.name, ()), strict=False)))
        for axis in image.axes
    ]
    return replace(image, axes=tuple(axes))


def write(image: Image, *blocks: TiffData) -> str:
    xml = write_ome_xml([image], [blocks or [ALL]])
    assert "&#" not in xml, "Bio-Formats does not read these"
    ome_types.from_xml(xml, validate=True)
    return xml


def parse(xml: str) -> OmeImage:
    (image,) = parse_ome_xml(xml)
    return image


def foreign(
    pixels: str = "",
    inside: str = '<TiffData IFD="0" PlaneCount="24"/>',
    order: str = "XYCZT",
    sizes: str = 'SizeC="2" SizeZ="3" SizeT="4"',
    image: str = "",
    root: str = "",
    kind: str = "uint16",
    namespace: str = NAMESPACE,
) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{namespace}" {root}>'
        f'<Image ID="Image:0" Name="theirs">{image}<Pixels ID="Pixels:0" DimensionOrder="{order}" '
        f'Type="{kind}" SizeX="7" SizeY="5" {sizes} {pixels}>{inside}</Pixels></Image></OME>'
    )


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


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT", "XYTZC", "XYTCZ", "XYCTZ", "XYZTC"])
def test_planes_are_those_that_tifffile_finds(order: str, tmp_path: Path) -> None:
    import tifffile

    axes = order[::-1].lower()[:3]
    sizes = {"t": 4, "z": 3, "c": 2}
    shape = (*(sizes[axis] for axis in axes), 5, 7)
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    path = tmp_path / "x.ome.tif"
    tifffile.imwrite(path, data, ome=True, metadata={"axes": f"{axes.upper()}YX"})
    with tifffile.TiffFile(path) as tif:
        found = parse(tif.ome_metadata)
        pages = np.stack([tif.pages[int(ifd)].asarray() for _, ifd in found.planes()])
    assert "".join(axis.name for axis in found.description.axes) == f"{axes}yx"
    assert np.array_equal(pages.reshape(found.description.shape), data)


def test_foreign_axes_are_in_order_slowest_first() -> None:
    sizes = 'SizeC="1" SizeZ="1" SizeT="4"'
    found = parse(foreign(order="XYTCZ", sizes=sizes)).description
    assert [axis.name for axis in found.axes] == ["z", "c", "t", "y", "x"]
    assert found.shape == (1, 1, 4, 5, 7)
    assert (found.name, found.dtype, found.kind, found.channels) == (
        "theirs",
        "uint16",
        "image",
        (),
    )
    assert {axis.unit for axis in found.axes} == {None}
    assert {axis.scale for axis in found.axes} == {1.0}
    assert found.metadata == {}


def test_samples_of_a_color_come_last() -> None:
    channel = '<Channel ID="Channel:0:0" SamplesPerPixel="3"/><TiffData/>'
    found = parse(foreign(sizes='SizeC="3" SizeZ="1" SizeT="2"', inside=channel, kind="uint8"))
    assert [axis.name for axis in found.description.axes] == ["t", "z", "c", "y", "x", "s"]
    assert found.description.shape == (2, 1, 1, 5, 7, 3)
    assert (found.samples, found.size_c, found.planes()[:, 1].tolist()) == (3, 1, [0, 1])


@pytest.mark.parametrize("year", ["2003-FC", "2008-02", "2010-06", "2013-06", "2015-01", "2016-06"])
def test_the_schemas_of_all_years_are_read(year: str) -> None:
    namespace = f"http://www.openmicroscopy.org/Schemas/OME/{year}"
    found = parse(foreign('PhysicalSizeX="0.5"', namespace=namespace)).description
    assert found.axes[-1] == Axis("x", 0.5, "micrometer")
    prefixed = foreign().replace("<", "<ome:").replace("<ome:/", "</ome:").replace("<ome:?", "<?")
    assert parse(prefixed.replace("xmlns=", "xmlns:ome=")).description.shape == (4, 3, 2, 5, 7)


@pytest.mark.parametrize(
    ("pixels", "axis"),
    [
        ('PhysicalSizeX="0.5"', Axis("x", 0.5, "micrometer")),
        ('PhysicalSizeX="65" PhysicalSizeXUnit="nm"', Axis("x", 65.0, "nanometer")),
        ('PhysicalSizeY="1e-7" PhysicalSizeYUnit="m"', Axis("y", 1e-7, "meter")),
        ('PhysicalSizeZ="2" PhysicalSizeZUnit="&#181;m"', Axis("z", 2.0, "micrometer")),
        ('PhysicalSizeX="2" PhysicalSizeXUnit="reference frame"', Axis("x", 2.0)),
        ('PhysicalSizeX="1" PhysicalSizeXUnit="pixel"', Axis("x", 1.0)),
        ('TimeIncrement="20" TimeIncrementUnit="ms"', Axis("t", 20.0, "millisecond")),
        ('TimeIncrement="20"', Axis("t", 20.0, "second")),
        ('PhysicalSizeXUnit="nm"', Axis("x")),
    ],
)
def test_physical_sizes(pixels: str, axis: Axis) -> None:
    found = parse(foreign(pixels)).description
    assert axis in found.axes
    if "frame" in pixels:
        assert found.metadata == {"ome": {"Units": {"PhysicalSizeXUnit": "reference frame"}}}


@pytest.mark.parametrize("value", ["NaN", "-1.0", "0", "INF", "1e308", "1e-300", "wide", ""])
@pytest.mark.parametrize("name", ["PhysicalSizeX", "PhysicalSizeZ", "TimeIncrement"])
def test_impossible_sizes_are_ignored_with_a_warning(value: str, name: str) -> None:
    with pytest.warns(FerryWarning, match=name):
        found = parse(foreign(f'{name}="{value}"'))
    assert {(axis.scale, axis.unit) for axis in found.description.axes} == {(1.0, None)}


def test_an_unknown_unit_is_ignored_and_kept_in_metadata() -> None:
    with pytest.warns(FerryWarning, match="furlong"):
        found = parse(foreign('PhysicalSizeX="3" PhysicalSizeXUnit="furlong"')).description
    assert found.axes[-1] == Axis("x")
    assert found.metadata == {"ome": {"Units": {"PhysicalSizeXUnit": "furlong"}}}


def planes(times: list[float], unit: str = "") -> str:
    return '<TiffData IFD="0"/>' + "".join(
        f'<Plane TheC="{c}" TheZ="{z}" TheT="{t}" DeltaT="{time + c}" {unit}/>'
        for t, time in enumerate(times)
        for c in range(2)
        for z in range(3)
    )


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


def test_channels_and_other_metadata() -> None:
    inside = (
        '<Channel ID="Channel:0:0" Name="DAPI" Color="65535" EmissionWavelength="461"/>'
        '<Channel ID="Channel:0:1" Color="-16776961"/><TiffData/>'
        '<Plane TheC="0" TheZ="0" TheT="0" PositionX="12.5"/>'
    )
    image = (
        "<AcquisitionDate>2020-01-02T03:04:05</AcquisitionDate><Description>mouse 4</Description>"
        '<StageLabel Name="B7" X="1"/>'
    )
    found = parse(foreign(inside=inside, image=image, root='Creator="scope"')).description
    assert found.channels == (Channel("DAPI", "#0000ff"), Channel(None, "#ff0000"))
    ome = (found.metadata or {})["ome"]
    assert (ome["AcquisitionDate"], ome["Description"]) == ("2020-01-02T03:04:05", "mouse 4")
    assert (ome["Creator"], ome["StageLabel"]) == ("scope", {"Name": "B7", "X": "1"})
    assert ome["FirstPlane"]["PositionX"] == "12.5"
    assert ome["Channels"][0]["EmissionWavelength"] == "461"
    assert {axis.translation for axis in found.axes} == {0.0}


# --- TiffData


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<TiffData/>", list(range(24))),
        ('<TiffData IFD="3"/>', [3, *[-1] * 23]),
        ('<TiffData IFD="1" PlaneCount="2" FirstT="1"/>', [*[-1] * 6, 1, 2, *[-1] * 16]),
        ('<TiffData PlaneCount="2" FirstZ="1" FirstC="1"/>', [-1, -1, -1, 0, 1, *[-1] * 19]),
        ('<TiffData IFD="0" PlaneCount="99" FirstT="3"/>', [*[-1] * 18, *range(6)]),
        ('<TiffData IFD="0" FirstT="4"/>', [-1] * 24),
        ('<TiffData IFD="5" PlaneCount="0"/>', [-1] * 24),
        ("", [-1] * 24),
    ],
)
def test_tiff_data(inside: str, expected: list[int]) -> None:
    found = parse(foreign(inside=inside)).planes()
    assert found.dtype == np.int64
    assert found[:, 1].tolist() == expected
    assert (found[:, 0] >= 0).tolist() == [ifd >= 0 for ifd in expected]


def test_files_without_a_number_of_planes() -> None:
    inside = "".join(
        f'<TiffData FirstT="{t}"><UUID FileName="t{t}.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in (2, 0, 3, 1)
    )
    found = parse(foreign(inside=inside))
    assert found.files == ("t2.tif", "t0.tif", "t3.tif", "t1.tif")
    assert found.planes().tolist() == [[file, i] for file in (1, 3, 0, 2) for i in range(6)]


def test_a_uuid_without_a_file_name() -> None:
    inside = '<TiffData IFD="0"><UUID>urn:uuid:b</UUID></TiffData>'
    assert parse(foreign(inside=inside, root='UUID="urn:uuid:b"')).files == (None,)
    assert parse(foreign(inside=inside, root='UUID="urn:uuid:a"')).files == ("urn:uuid:b",)
    assert parse(foreign(inside=inside)).files == (None,)


def test_the_order_of_planes_in_a_foreign_file() -> None:
    xml = write(make("tczyx", (4, 2, 3, 5, 7)))
    assert 'DimensionOrder="XYZCT"' in xml
    found = parse(xml.replace("XYZCT", "XYTCZ"))
    assert [axis.name for axis in found.description.axes] == list("tczyx")
    ifds = found.planes()[:, 1].reshape(4, 2, 3)
    assert ifds.tolist() == np.arange(24).reshape(3, 2, 4).transpose(2, 1, 0).tolist()


def timed(action: Any) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def test_100000_planes_are_read_quickly() -> None:
    sizes = 'SizeC="2" SizeZ="5" SizeT="10000"'
    one = parse(foreign(sizes=sizes, inside="<TiffData/>"))
    assert one.planes()[-1].tolist() == [0, 99_999]
    assert timed(one.planes) < 0.05
    blocks = "".join(
        f'<TiffData IFD="{t * 10 + z * 2 + c}" FirstC="{c}" FirstZ="{z}" FirstT="{t}" '
        'PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:a</UUID></TiffData>'
        for t in range(10_000)
        for z in range(5)
        for c in range(2)
    )
    xml = foreign(sizes=sizes, inside=blocks)
    assert parse(xml).planes()[:, 1].tolist() == list(range(100_000))
    floor = timed(lambda: ElementTree.fromstring(xml))  # a busy machine may be slow at all
    assert timed(lambda: parse(xml).planes()) < max(1.0, 5 * floor)


def planes_of(*attributes: str, inside: str = "", name: str = "TiffData") -> str:
    """Return 24 elements with the planes of `foreign` in reverse order."""
    places = [(i, i % 3, i // 3 % 2, i // 6) for i in range(24)]
    elements = []
    for i, z, c, t in places:
        given = {"IFD": 23 - i, "FirstC": c, "FirstZ": z, "FirstT": t, "PlaneCount": 1}
        given |= {"TheC": c, "TheZ": z, "TheT": t, "DeltaT": i * 0.5, "DeltaTUnit": "ms"}
        said = " ".join(f'{key}="{given[key]}"' for key in attributes)
        end = f">{inside}</{name}>" if inside else "/>"
        elements.append(f"<{name} {said}{end}")
    return "\n ".join(elements)


BLOCKS = planes_of("FirstC", "FirstT", "FirstZ", "IFD", "PlaneCount")
NAMED = planes_of(
    "IFD", "FirstT", "FirstZ", "FirstC", inside='<UUID FileName="a &amp; b.tif">urn:uuid:a</UUID>'
)
TIMES = planes_of("TheC", "TheT", "TheZ", "DeltaT", "DeltaTUnit", name="Plane")
ODD_TIMES = TIMES.replace('TheT="2" TheZ="1" ', 'ExposureTime="3" TheT="2" TheZ="1" ')


@pytest.mark.parametrize(
    ("inside", "is_taken"),
    [
        (BLOCKS, True),
        (NAMED, True),
        (BLOCKS + TIMES, True),
        (NAMED + "<!-- words -->" + TIMES, False),
        (BLOCKS.replace("/>", "/><!-- words -->", 1), False),
        (BLOCKS.replace("/>", "></TiffData>", 1), False),
        (BLOCKS + ODD_TIMES, True),
        (BLOCKS + TIMES.replace('DeltaTUnit="ms"', 'DeltaTUnit="s"', 1), True),
        (f"<!-- {TIMES} -->{BLOCKS}", False),
        (f"{BLOCKS}<!-- {TIMES} -->", False),
        (BLOCKS.replace('IFD="3"', 'IFD="&#51;"'), False),
        (BLOCKS + '<x:Plane xmlns:x="other" TheC="0"/>', True),
        (BLOCKS + "<Pixels>" + TIMES + "</Pixels>", True),
    ],
)
def test_extracted_lists_equal_parsed_ones(
    inside: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    xml = foreign(inside=inside)
    found = parse(xml)
    rest, runs = extract_lists(xml)
    assert any(runs) == is_taken
    assert is_taken == (len(rest) < len(xml))
    monkeypatch.setattr("napari_ferry.ome_xml.read.extract_lists", lambda xml: (xml, []))
    expected = parse(xml)
    assert found.planes().tolist() == expected.planes().tolist()
    assert sorted(found.planes()[:, 1]) == list(range(24))
    assert found.files == expected.files
    assert describe_text(found) == describe_text(expected)


def describe_text(found: OmeImage) -> str:
    """Return the whole description of an image as text."""
    return repr((found.description, found.plane_order, found.samples))


def test_the_lists_of_several_images_are_separate() -> None:
    xml = foreign(inside=BLOCKS + TIMES)
    image = xml[xml.index("<Image") : xml.index("</OME>")]
    other = image.replace(BLOCKS, NAMED).replace(TIMES, "")
    first, second = parse_ome_xml(xml.replace("</OME>", f"{other}</OME>"))
    assert (first.files, second.files) == ((None,), ("a & b.tif",))
    assert first.description.axes[0] == Axis("t", 3.0, "millisecond")
    assert second.description.axes[0] == Axis("t")


@pytest.mark.parametrize("tag", ["<!DOCTYPE OME>", "<![CDATA[", "&unknown;"])
def test_extraction_hides_no_damage(tag: str) -> None:
    xml = foreign(inside=BLOCKS.replace("/>", f"/>{tag}", 1))
    with pytest.raises(UnreadableFileError, match=r"DOCTYPE|well-formed"):
        parse(xml)
    named = NAMED.replace("a &amp; b", f"{tag}.tif", 1)
    with pytest.raises(UnreadableFileError, match=r"DOCTYPE|well-formed"):
        parse(foreign(inside=named))


# --- our record, and what others changed


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
def test_a_damaged_record_is_ignored(value: str) -> None:
    note = f'<CommentAnnotation ID="A" Namespace="napari-ferry/1"><Value>{value}</Value>'
    xml = foreign(image='<AnnotationRef ID="A"/>').replace(
        "</OME>", f"<StructuredAnnotations>{note}</CommentAnnotation></StructuredAnnotations></OME>"
    )
    assert parse(xml).description.shape == (4, 3, 2, 5, 7)


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


# --- hostile and broken


def test_a_doctype_is_refused_and_no_file_is_read() -> None:
    evil = foreign(image="<Description>&x;</Description>").replace(
        "<OME", '<!DOCTYPE OME [<!ENTITY x SYSTEM "file:///etc/passwd">]><OME', 1
    )
    with pytest.raises(UnreadableFileError, match="DOCTYPE") as caught:
        parse_ome_xml(evil)
    assert "root:" not in str(caught.value)
    without = evil.replace("<!DOCTYPE OME [", "<!--").replace("]>", "-->")
    with pytest.raises(UnreadableFileError, match="undefined entity"):
        parse_ome_xml(without)


def test_a_billion_laughs_are_refused_quickly() -> None:
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    evil = foreign(image="<Description>&a9;</Description>").replace(
        "<OME", f'<!DOCTYPE OME [<!ENTITY a0 "ha">{entities}]><OME', 1
    )
    start = time.perf_counter()
    with pytest.raises(UnreadableFileError, match="DOCTYPE"):
        parse_ome_xml(evil)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<OME",
        "<html/>",
        "\0",
        "<OME>\ud800</OME>",
        foreign()[:200],
        foreign(kind="uint12"),
        foreign(order="XYZ"),
        foreign(order="CZXYT"),
        foreign(sizes='SizeC="2" SizeZ="3" SizeT="1000000000"'),
        foreign(sizes='SizeC="2" SizeZ="3" SizeT="-1"'),
        foreign(sizes='SizeC="2" SizeZ="3" SizeT="0"'),
        foreign(sizes='SizeC="2" SizeZ="3" SizeT="four"'),
        foreign(sizes=f'SizeC="2" SizeZ="3" SizeT="{"9" * 5000}"'),
        foreign(inside='<TiffData IFD="-1"/>'),
        foreign(inside='<Channel SamplesPerPixel="3"/>'),
        '<OME><BinaryOnly MetadataFile="x.companion.ome"/></OME>',
    ],
)
def test_broken_documents_are_refused(xml: str) -> None:
    with pytest.raises(UnreadableFileError):
        parse_ome_xml(xml)


def test_more_tiff_data_than_planes_do_not_fill_the_memory() -> None:
    inside = '<TiffData IFD="0" PlaneCount="999999999"/>' * 1000
    found = parse(foreign(sizes='SizeC="1" SizeZ="1" SizeT="1000000"', inside=inside))
    with pytest.raises(UnreadableFileError, match="damaged"):
        found.planes()


def test_deep_nesting_is_survived() -> None:
    deep = "<a>" * 50_000 + "</a>" * 50_000
    assert parse(foreign(image=f"<StageLabel>{deep}</StageLabel>")).description.name == "theirs"


# --- files of other programs


def golden() -> list[tuple[Path, dict[str, Any]]]:
    folder = SHARED / "earlier-systems" / "ams_bp"
    if not folder.exists():
        return []
    entries = json.loads((folder / "golden.json").read_text())["entries"]
    found = [(folder / entry["open"], entry) for entry in entries]
    return [(path, entry) for path, entry in found if path.name.endswith(".ome.tiff")]


@pytest.mark.skipif(not golden(), reason="../shared/data is not here")
def test_golden_files_of_ams_bp() -> None:
    import tifffile

    for path, entry in golden():
        with tifffile.TiffFile(path) as tif:
            found = parse(tif.ome_metadata)
            pages = tif.asarray(key=[int(ifd) for ifd in found.planes()[:, 1]])
        axes = {axis.name: axis for axis in found.description.axes}
        shape = dict(zip(axes, found.description.shape, strict=True))
        expected = dict(zip(entry["axes"].lower(), entry["shape"], strict=True))
        assert shape == {**dict.fromkeys("tczyx", 1), **expected}
        assert found.description.dtype == entry["dtype"]
        assert pages.size == np.prod(found.description.shape)
        said = json.loads((path.parent / "metadata.json").read_text())
        assert axes["x"].scale == said["PhysicalSizeX"]
        assert axes["x"].unit == {"m": "meter", "nm": "nanometer"}[said["PhysicalSizeXUnit"]]
        assert axes["t"].scale == said["TimeIncrement"]
        assert [c.name for c in found.description.channels] == said["Channel"]["Name"]


CORPUS = SHARED / "corpus" / "tiff"


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/data is not here")
def test_files_of_bio_formats() -> None:
    import tifffile

    with tifffile.TiffFile(CORPUS / "bf__bf_tzc_u16.ome.tif") as tif:
        found, series = parse(tif.ome_metadata), tif.series[0].asarray()
        pages = np.stack([tif.pages[int(ifd)].asarray() for _, ifd in found.planes()])
    assert found.files == (None,)
    assert np.array_equal(pages.reshape(found.description.shape), series)
    assert [(a.name, a.scale) for a in found.description.axes[2:]] == [
        ("z", 1.5),
        ("y", 0.25),
        ("x", 0.3),
    ]


def times_of(planes: str) -> tuple[Axis, Any]:
    found = parse(foreign(inside='<TiffData IFD="0" PlaneCount="24"/>' + planes)).description
    return next(axis for axis in found.axes if axis.name == "t"), (found.metadata or {})["ome"].get(
        "DeltaT"
    )


def test_times_of_planes_are_kept() -> None:
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
    for broken in (planes[1:], [planes[0], *planes[:-1]], [planes[0].replace("TheT", "x")]):
        assert times_of("".join(broken))[1] is None


# --- images without an axis of channels


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
