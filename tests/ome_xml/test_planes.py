"""Planes of an image in OME-XML: their files and their pages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from napari_ferry.errors import UnreadableFileError
from ome_documents import foreign, make, parse, write


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


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<TiffData/>", list(range(24))),
        ('<TiffData IFD="3"/>', list(range(3, 27))),
        ('<TiffData IFD="0"/><TiffData IFD="1" FirstT="2"/>', [0, *[-1] * 11, *range(1, 13)]),
        ('<TiffData IFD="2" NumPlanes="2"/>', [2, 3, *[-1] * 22]),
        (
            '<TiffData FirstC="1" FirstZ="1" FirstT="1"/><TiffData IFD="30" FirstC="2" FirstZ="3" '
            'FirstT="4" PlaneCount="1"/>',
            [*range(23), 30],
        ),
        ('<TiffData IFD="1" PlaneCount="2" FirstT="1"/>', [*[-1] * 6, 1, 2, *[-1] * 16]),
        ('<TiffData PlaneCount="2" FirstZ="1" FirstC="1"/>', [-1, -1, -1, 0, 1, *[-1] * 19]),
        ('<TiffData IFD="0" PlaneCount="99" FirstT="3"/>', [*[-1] * 18, *range(6)]),
        ('<TiffData IFD="0" FirstT="4"/>', [-1] * 24),
        ('<TiffData IFD="5" PlaneCount="0"/>', [-1] * 24),
        ("", list(range(24))),
        ("<MetadataOnly/>", list(range(24))),
    ],
)
def test_tiff_data(inside: str, expected: list[int]) -> None:
    found = parse(foreign(inside=inside)).planes()
    assert found.dtype == np.int64
    assert found[:, 1].tolist() == expected
    assert (found[:, 0] >= 0).tolist() == [ifd >= 0 for ifd in expected]
    assert parse(foreign(inside=inside)).is_in_order() == (expected == list(range(24)))


@pytest.mark.parametrize("order", ["XYCZT", "XYTCZ", "XYZTC"])
@pytest.mark.parametrize("sizes", [(2, 3, 4), (1, 3, 4), (1, 1, 4), (1, 1, 1)])
@pytest.mark.parametrize("ifd", [0, 1])
def test_planes_in_order_are_consecutive_pages(
    order: str, sizes: tuple[int, int, int], ifd: int
) -> None:
    count = int(np.prod(sizes))
    document = foreign(
        inside=f'<TiffData IFD="{ifd}" PlaneCount="{count}"/>',
        order=order,
        sizes=" ".join(f'Size{dim}="{n}"' for dim, n in zip("CZT", sizes, strict=True)),
    )
    image = parse(document)
    is_in_order = image.planes()[:, 1].tolist() == list(range(count))
    assert image.is_in_order() == is_in_order


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
    assert not found.is_in_order()
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


def test_more_tiff_data_than_planes_does_not_fill_the_memory() -> None:
    inside = '<TiffData IFD="0" PlaneCount="999999999"/>' * 1000
    found = parse(foreign(sizes='SizeC="1" SizeZ="1" SizeT="1000000"', inside=inside))
    with pytest.raises(UnreadableFileError, match="damaged"):
        found.planes()
