"""OME-XML that describes more planes than its files have."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image.record import MAX_PLANES
from napari_ferry.ome_xml import fit_planes
from ome_documents import foreign, make, parse, write


def pages(*counts: int | None) -> Callable[[int, int], int | None]:
    return lambda file, needed: counts[file]


def sizes(c: int = 1, z: int = 1, t: int = 1) -> str:
    return f'SizeC="{c}" SizeZ="{z}" SizeT="{t}"'


def listed(*planes: tuple[int, int, int]) -> str:
    return "".join(
        f'<TiffData IFD="{ifd}" FirstC="{c}" FirstT="{t}" PlaneCount="1"/>' for ifd, c, t in planes
    )


def in_file(name: str, attributes: str = "") -> str:
    return f'<TiffData {attributes}><UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>'


@pytest.mark.parametrize(
    ("described", "order", "n_pages", "expected", "omitted"),
    [
        (sizes(t=6), "XYZCT", 4, (1, 1, 4), 0),
        (sizes(t=100_000), "XYZCT", 4, (1, 1, 4), 0),
        (sizes(c=100_000), "XYZCT", 4, (4, 1, 1), 0),
        (sizes(z=6), "XYZCT", 4, (1, 4, 1), 0),
        (sizes(c=2, t=3), "XYZCT", 5, (2, 1, 2), 1),
        (sizes(c=2, t=6), "XYZTC", 4, (1, 1, 4), 0),
        (sizes(c=2, t=6), "XYZTC", 8, (1, 1, 6), 2),
        (sizes(c=3, t=2), "XYZCT", 2, (2, 1, 1), 0),
        (sizes(c=2, z=3, t=4), "XYZCT", 17, (2, 3, 2), 5),
    ],
)
def test_a_recording_that_was_stopped_is_shortened(
    described: str, order: str, n_pages: int, expected: tuple[int, int, int], omitted: int
) -> None:
    image = parse(foreign(sizes=described, order=order, inside="<TiffData/>"))
    fit = fit_planes(image, pages(n_pages))
    found = fit.image
    assert (found.size_c, found.size_z, found.size_t) == expected
    assert (fit.existing, fit.omitted, fit.filled) == (n_pages, omitted, 0)
    assert fit.described == image.size_c * image.size_z * image.size_t
    shape = dict(zip("czt", expected, strict=True))
    assert found.description.sizes == {**shape, "y": 5, "x": 7}
    assert sorted(found.planes()[:, 1]) == list(range(n_pages - omitted))


def test_an_image_with_all_its_pages_is_unchanged() -> None:
    for inside in ("<TiffData/>", '<TiffData IFD="0" PlaneCount="24"/>'):
        image = parse(foreign(inside=inside))
        assert fit_planes(image, pages(24)).image is image
        assert fit_planes(image, pages(30)).existing == 24


@pytest.mark.parametrize("channel", [0, 1])
def test_a_channel_without_planes_is_left_out(channel: int) -> None:
    channels = '<Channel ID="Channel:0" Name="a"/><Channel ID="Channel:1" Name="b"/>'
    inside = channels + listed(*((t, channel, t) for t in range(4)))
    fit = fit_planes(parse(foreign(sizes=sizes(c=2, t=4), inside=inside)), pages(4))
    assert fit.image.planes()[:, 1].tolist() == [0, 1, 2, 3]
    assert [each.name for each in fit.image.description.channels] == ["ab"[channel]]


def test_axes_that_share_a_dimension_cannot_be_shortened() -> None:
    image = parse(write(make("paczyx", (3, 4, 1, 1, 5, 7))))
    with pytest.raises(UnreadableFileError, match="more planes than exist along p and a"):
        fit_planes(image, pages(6))


def test_displays_of_channels_that_were_not_recorded_are_left_out() -> None:
    displays = [{"gamma": 1.0}, {"gamma": 2.0}, {"gamma": 3.0}]
    image = parse(write(make("cyx", (3, 5, 7), display={"channels": displays})))
    found = fit_planes(image, pages(2)).image.description
    assert (found.display or {})["channels"] == displays[:2]


def test_positions_without_planes_are_left_out() -> None:
    inside = listed((0, 0, 0), (1, 0, 7), (2, 0, 99_999))
    fit = fit_planes(parse(foreign(sizes=sizes(t=100_000), inside=inside)), pages(3))
    assert fit.image.planes().tolist() == [[0, 0], [0, 1], [0, 2]]


def test_a_channel_that_was_recorded_rarely_has_gaps() -> None:
    inside = listed(*((t, 0, t) for t in range(8)), (8, 1, 0), (9, 1, 4))
    fit = fit_planes(parse(foreign(sizes=sizes(c=2, t=8), inside=inside)), pages(10))
    assert (fit.existing, fit.omitted, fit.filled) == (10, 0, 6)
    planes = fit.image.planes()[:, 1].reshape(8, 2)
    assert planes[:, 0].tolist() == list(range(8))
    assert planes[:, 1].tolist() == [8, -1, -1, -1, 9, -1, -1, -1]


def test_pages_of_missing_files_are_counted_as_existing() -> None:
    inside = in_file("a.tif", 'IFD="0" PlaneCount="4"')
    inside += in_file("gone.tif", 'IFD="0" FirstT="4" PlaneCount="300"')
    image = parse(foreign(sizes=sizes(t=304), inside=inside))
    assert fit_planes(image, pages(4, None)).image is image
    huge = parse(foreign(sizes=sizes(t=4000), inside=inside.replace("300", "3996")))
    with pytest.raises(UnreadableFileError, match="3996 planes in missing files, but only 4"):
        fit_planes(huge, pages(4, None))


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<TiffData IFD="100" PlaneCount="24"/>', "describes 24 planes, of which .* none"),
        (f'<TiffData IFD="{2**40}" PlaneCount="{2**40}"/>', "of which .* none"),
        ('<TiffData FirstT="9"/>', "of which .* none"),
    ],
)
def test_an_image_without_pages_is_refused(inside: str, message: str) -> None:
    with pytest.raises(UnreadableFileError, match=message):
        fit_planes(parse(foreign(inside=inside)), pages(24))


def test_few_planes_among_many_are_refused() -> None:
    diagonal = listed(*((i, i, i) for i in range(200)))
    image = parse(foreign(sizes=sizes(c=200, t=200), inside=diagonal))
    with pytest.raises(UnreadableFileError, match="describes 40000 planes, but only 200 exist"):
        fit_planes(image, pages(200))


def test_times_that_do_not_fit_are_left_out() -> None:
    times = "".join(f'<Plane TheC="0" TheZ="0" TheT="{t}" DeltaT="{t * t}"/>' for t in range(6))
    image = parse(foreign(sizes=sizes(t=6), inside="<TiffData/>" + times))
    assert "DeltaT" in (image.description.metadata or {})["ome"]
    shortened = fit_planes(image, pages(4)).image.description
    assert "DeltaT" not in (shortened.metadata or {})["ome"]


@pytest.mark.parametrize("dim", ["c", "z", "t"])
def test_memory_does_not_grow_with_the_described_planes(dim: str) -> None:
    xml = foreign(
        sizes=sizes(**{dim: MAX_PLANES}),
        inside='<Channel ID="Channel:0" Name="a"/><TiffData/>',
    )
    tracemalloc.start()
    fit = fit_planes(parse(xml), pages(4))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.prod(fit.image.description.shape[:3]) == 4
    assert peak < 20e6
