"""OME-XML of other programs: axes, calibration, metadata, and hostile documents."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import SHARED
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Channel
from napari_ferry.ome_xml import parse_ome_xml
from ome_documents import foreign, parse


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


def test_notes_and_instruments_are_metadata() -> None:
    namespace = "openmicroscopy.org/omero/dimension/modulo"
    modulo = '<Modulo namespace="x"><ModuloAlongT Type="lifetime"/><Empty/></Modulo>'
    notes = (
        '<Instrument ID="Instrument:0"><Microscope Model="X1"/></Instrument><StructuredAnnotations>'
        f'<XMLAnnotation ID="Annotation:0" Namespace="{namespace}"><Value>{modulo}</Value>'
        "</XMLAnnotation></StructuredAnnotations>"
    )
    image = '<InstrumentRef ID="Instrument:0"/><AnnotationRef ID="Annotation:0"/>'
    xml = foreign(image=image).replace("</OME>", notes + "</OME>")
    ome = (parse(xml).description.metadata or {})["ome"]
    assert ome["Instrument"]["Microscopes"] == [{"Model": "X1"}]
    (found,) = ome["Modulo"]["Modulos"]
    assert found["ModuloAlongTs"] == [{"Type": "lifetime"}]
    assert "Emptys" not in found


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


def test_nested_entities_are_refused_quickly() -> None:
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


def test_deeply_nested_elements_are_read() -> None:
    deep = "<a>" * 50_000 + "</a>" * 50_000
    assert parse(foreign(image=f"<StageLabel>{deep}</StageLabel>")).description.name == "theirs"


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
