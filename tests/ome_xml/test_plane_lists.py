"""Long lists of planes, extracted from the text before it is parsed."""

from __future__ import annotations

import pytest

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis
from napari_ferry.ome_xml import OmeImage, parse_ome_xml
from napari_ferry.ome_xml.plane_lists import extract_lists
from ome_documents import foreign, parse


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
        (BLOCKS.replace('"', "'"), False),
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
    monkeypatch.setattr("napari_ferry.ome_xml.document.extract_lists", lambda xml: (xml, []))
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
