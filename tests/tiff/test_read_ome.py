"""OME-TIFF files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis


@pytest.mark.parametrize("axes", ["TCZYX", "ZCTYX", "CTZYX", "TZCYX"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_ome_tiff_of_tifffile(axes: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((1, 2, 3, 6, 7))
    metadata = {
        **{"axes": axes, "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "TimeIncrement": 50.0},
        **{"PhysicalSizeY": 300.0, "PhysicalSizeYUnit": "nm", "TimeIncrementUnit": "ms"},
        "Channel": {"Name": [f"ch{i}" for i in range(data.shape[axes.index("C")])]},
    }
    tifffile.imwrite(tmp_path / "foreign.ome.tif", data, ome=True, metadata=metadata, **options)
    (image,) = imload(tmp_path / "foreign.ome.tif")
    assert_same_pixels(image.array, data)
    assert "".join(image.axis_names).upper() == axes
    assert image.axis("x") == Axis("x", 0.2, "micrometer")
    assert image.axis("y") == Axis("y", 300, "nanometer")
    assert image.axis("t") == Axis("t", 50, "millisecond")
    assert [c.name for c in image.channels] == metadata["Channel"]["Name"]


def test_ome_tiff_data_in_odd_order(tmp_path: Path) -> None:
    data, order = pixels((5, 6, 7)), [3, 0, 4, 2, 1]
    blocks = "".join(
        f'<TiffData IFD="{page}" FirstT="{t}" FirstC="0" FirstZ="0" PlaneCount="1"/>'
        for page, t in enumerate(order)
    )
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        f'SizeC="1" SizeT="5">{blocks}</Pixels></Image></OME>'
    )
    tifffile.imwrite(
        tmp_path / "odd.ome.tif", data, description=xml, metadata=None, photometric="minisblack"
    )

    (image,) = imload(tmp_path / "odd.ome.tif")
    expected = np.empty_like(data)
    expected[order] = data
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), expected)


def test_an_intact_image_next_to_a_damaged_one_opens(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    with tifffile.TiffWriter(tmp_path / "p.ome.tif", ome=True) as writer:
        writer.write(data, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(data[0, :7], photometric="minisblack")
    raw = (tmp_path / "p.ome.tif").read_bytes()
    (tmp_path / "p.ome.tif").write_bytes(raw.replace(b'IFD="3"', b'IFD="9"'))
    with pytest.warns(FerryWarning, match="some of its images"):
        (image,) = imload(tmp_path / "p.ome.tif")
    assert_same_pixels(np.asarray(image.array).squeeze(), data)


def ome_tiff(
    path: Path,
    data: NDArray[Any],
    inside: str = "<TiffData/>",
    *,
    kind: str = "uint16",
    options: dict[str, Any] | None = None,
    **sizes: int,
) -> None:
    counts = "".join(f'Size{dim.upper()}="{sizes.get(dim, 1)}" ' for dim in "czt")
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="' + kind + '" SizeX="7" SizeY="6" '
        f'PhysicalSizeX="0.5" {counts}>{inside}</Pixels></Image></OME>'
    )
    defaults: dict[str, Any] = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(path, data, description=xml.encode(), **{**defaults, **(options or {})})


@pytest.mark.parametrize(
    ("sizes", "shape", "message"),
    [
        ({"t": 9}, (5, 1, 1, 6, 7), "describes 9 planes, but 5 of them exist: 5 are shown"),
        ({"t": 100_000}, (5, 1, 1, 6, 7), "describes 100000 planes, but 5 of them exist"),
        ({"c": 8_000_000}, (1, 5, 1, 6, 7), "describes 8000000 planes, but 5 of them exist"),
        ({"t": 3, "c": 2}, (2, 2, 1, 6, 7), "4 are shown, and 1 of an incomplete last step left"),
    ],
)
def test_more_planes_than_pages_are_cut_with_a_warning(
    sizes: dict[str, int], shape: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    data = pixels((5, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, **sizes)
    with pytest.warns(FerryWarning, match=message):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert image.shape == shape
    assert image.axis("x") == Axis("x", 0.5, "micrometer")
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[: np.prod(shape[:3])])


def test_planes_between_others_are_zero_with_a_warning(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    inside = "".join(f'<TiffData IFD="{t}" FirstT="{t}" PlaneCount="1"/>' for t in range(4))
    inside += '<TiffData IFD="4" FirstC="1" FirstT="2" PlaneCount="1"/>'
    ome_tiff(tmp_path / "a.ome.tif", data, inside, t=4, c=2)
    with pytest.warns(FerryWarning, match="8 planes, but 5 .* and zero in place of 3 between them"):
        (image,) = imload(tmp_path / "a.ome.tif")
    found = np.asarray(image.array)[:, :, 0]
    assert_same_pixels(found[:, 0], data[:4])
    assert_same_pixels(found[2, 1], data[4])
    assert not found[[0, 1, 3], 1].any()


@pytest.mark.parametrize(
    "name", [".", "..", "a/", "/etc/passwd", "gone.ome.tif", "a" * 5000, "\u2603" * 200, "C:\\a"]
)
def test_a_file_with_another_name_in_its_description_shows_its_pages(
    name: str, tmp_path: Path
) -> None:
    data = pixels((5, 6, 7))
    inside = f'<TiffData><UUID FileName="{name}">urn:uuid:2</UUID></TiffData>'
    ome_tiff(tmp_path / "a.ome.tif", data, inside, t=5)
    with pytest.warns(FerryWarning, match="missing from the folder: its own pages are shown"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)
    assert image.axis("x").scale == 0.5


def test_an_unlikely_number_of_planes_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    inside = '<TiffData><UUID FileName="gone.ome.tif">urn:uuid:2</UUID></TiffData>'
    ome_tiff(tmp_path / "a.ome.tif", data, inside, t=100_000)
    with pytest.warns(FerryWarning, match="100000 planes in missing files"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize("name", [".", "..", "", "a" * 5000, "../a.ome.tif"])
def test_a_description_in_a_file_of_an_impossible_name(name: str, tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    xml = f'<OME><BinaryOnly MetadataFile="{name}" UUID="urn:uuid:1"/></OME>'
    options: dict[str, Any] = {"metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.ome.tif", data, description=xml, **options)
    with pytest.warns(FerryWarning, match="cannot be used, and the pages are opened as they are"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize("inside", ["", "<MetadataOnly/>", "<TiffData/>", '<TiffData IFD="0"/>'])
def test_planes_are_in_order_unless_the_description_names_them(inside: str, tmp_path: Path) -> None:
    data = pixels((6, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, inside, c=2, z=3)
    (image,) = imload(tmp_path / "a.ome.tif")
    assert image.shape == (1, 2, 3, 6, 7)
    assert image.axis("x").scale == 0.5
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"software": "mine"}], ids=str)
def test_pages_beyond_the_description_give_a_warning(
    options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((7, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, c=2, z=3, options=options)
    with pytest.warns(FerryWarning, match="describes 6 of its 7 pages: the other 1 are left out"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[:6])


@pytest.mark.parametrize(
    ("inside", "shown", "used"),
    [
        ('<TiffData PlaneCount="3"/><TiffData FirstZ="3" PlaneCount="3"/>', [0, 1, 2] * 2, 3),
        ('<TiffData PlaneCount="6"/><TiffData FirstZ="5" PlaneCount="1"/>', [*range(5), 0], 5),
        ('<TiffData PlaneCount="5"/><TiffData FirstZ="5" PlaneCount="1"/>', [*range(5), 0], 5),
    ],
)
def test_pages_left_out_because_others_are_used_twice_give_a_warning(
    inside: str, shown: list[int], used: int, tmp_path: Path
) -> None:
    data = pixels((6, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, inside, z=6)
    with pytest.warns(FerryWarning, match=f"describes {used} of its 6 pages: the other {6 - used}"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[shown])


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(
    ("channels", "size_c", "message"),
    [
        ("", 3, ""),
        ('<Channel ID="Channel:0:0" Name="a"/>', 3, ""),
        ('<Channel ID="Channel:0:0" Name="a"/>', 1, ""),
        ('<Channel SamplesPerPixel="1"/>', 3, "has 1 samples per pixel, but the pages have 3"),
    ],
)
def test_samples_of_the_pages_are_used(
    channels: str, size_c: int, message: str, planar: str, tmp_path: Path
) -> None:
    data = pixels((4, 6, 7, 3), np.uint8)
    options = {"photometric": "rgb", "planarconfig": planar}
    stored = np.moveaxis(data, -1, 1) if planar == "separate" else data
    inside = f"{channels}<TiffData/>"
    ome_tiff(tmp_path / "a.ome.tif", stored, inside, c=size_c, t=4, kind="uint8", options=options)
    if message:
        with pytest.warns(FerryWarning, match=message):
            (image,) = imload(tmp_path / "a.ome.tif")
    else:
        (image,) = imload(tmp_path / "a.ome.tif")
    assert image.is_rgb
    assert image.axis("x") == Axis("x", 0.5, "micrometer")
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


def test_gray_pages_described_as_color_are_channels(tmp_path: Path) -> None:
    data = pixels((3, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, '<Channel SamplesPerPixel="3"/><TiffData/>', c=3)
    with pytest.warns(FerryWarning, match="has 3 samples per pixel, but the pages have 1"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert image.size("c") == 3
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


@pytest.mark.parametrize("shape", [(4, 5, 7), (4, 7, 6), (4, 3, 14)])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_pages_of_another_size_or_type_are_shown_with_a_warning(
    shape: tuple[int, ...], options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels(shape, np.int16)
    ome_tiff(tmp_path / "a.ome.tif", data, t=4, options=options)
    size = f"6 x 7 pixels, but they have {shape[1]} x {shape[2]}"
    with pytest.warns(FerryWarning, match=f"uint16, but they are int16 and .* {size}"):
        (image,) = imload(tmp_path / "a.ome.tif")
    assert image.axis("x").scale == 0.5
    assert_same_pixels(np.asarray(image.array).reshape(shape), data)


def test_several_images_that_do_not_name_their_pages(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, "", t=2)
    raw = tifffile.tiffcomment(tmp_path / "a.ome.tif").encode()
    first = raw[raw.index(b"<Image") : raw.index(b"</OME>")]
    both = raw.replace(b"</OME>", first.replace(b'SizeT="2"', b'SizeT="3"') + b"</OME>")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", both)
    with pytest.warns(FerryWarning, match="does not name the pages of its 2 images"):
        two, three = imload(tmp_path / "a.ome.tif")
    assert_same_pixels(np.asarray(two.array).reshape(-1, 6, 7), data[:2])
    assert_same_pixels(np.asarray(three.array).reshape(-1, 6, 7), data[2:])


def test_a_prefix_and_a_comment_before_the_root_are_accepted(tmp_path: Path) -> None:
    data = pixels((6, 6, 7))
    ome_tiff(tmp_path / "a.ome.tif", data, c=2, z=3)
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    xml = xml.replace("xmlns=", "xmlns:ome=").replace("</", "</ome:").replace("<", "<ome:")
    xml = "<?xml version='1.0'?><!-- words -->" + xml.replace("<ome:/ome:", "</ome:")
    tifffile.tiffcomment(tmp_path / "a.ome.tif", xml.encode())
    (image,) = imload(tmp_path / "a.ome.tif")
    assert image.shape == (1, 2, 3, 6, 7)
    assert image.axis("x").scale == 0.5
