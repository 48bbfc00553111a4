"""Pixel sizes from the resolution of a page, and from the tags of electron microscopes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tifffile

from helpers import pixels
from napari_ferry import imload
from napari_ferry.image import Image

_GRAY: dict[str, Any] = {"photometric": "minisblack"}
_PLAIN: dict[str, Any] = {"metadata": None, **_GRAY}


def step_of(image: Image) -> tuple[float, float, str | None]:
    y, x = image.axis("y"), image.axis("x")
    assert y
    assert x
    assert y.unit == x.unit
    return y.scale, x.scale, x.unit


def text_tag(number: int, text: str) -> tuple[int, int, int, bytes, bool]:
    raw = text.encode("latin-1") + b"\0"
    return number, 2, len(raw), raw, True


def fei(number: int, section: str = "Scan") -> list[Any]:
    text = f"[User]\r\nUser=x\r\n[{section}]\r\nPixelWidth=3.37e-09\r\nPixelHeight=4e-09\r\n"
    return [text_tag(number, text)]


def zeiss(lines: str, number: float = 0.0) -> list[Any]:
    numbers = ["0", "0", "0", str(number), "0"]
    return [text_tag(34118, "\r\n".join([*numbers, lines]) + "\r\n")]


def gatan(unit: str) -> list[Any]:
    return [
        text_tag(65003, unit), text_tag(65004, unit),
        (65009, 12, 1, 2.5, True), (65010, 12, 1, 3.5, True),
    ]  # fmt: skip


TAGS: dict[str, tuple[list[Any], tuple[float, float]]] = {
    "FEI": (fei(34682), (0.004, 0.00337)),
    "FEI SFEG": (fei(34680), (0.004, 0.00337)),
    "Thermo Fisher, electron beam": (fei(34682, "EScan"), (0.004, 0.00337)),
    "Zeiss": (zeiss("AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 5.5 nm"), (0.0055, 0.0055)),
    "Zeiss, older": (zeiss("AP_PIXEL_SIZE\r\nPixel Size = 1.25 pm"), (1.25e-6, 1.25e-6)),
    "Zeiss, unnamed": (zeiss("DP_X\r\nX = 1", 2e-9), (0.064, 0.064)),
    "DigitalMicrograph": (gatan("nm"), (0.0035, 0.0025)),
    "DigitalMicrograph, micrometers": (gatan("\u00b5m"), (3.5, 2.5)),
}


@pytest.mark.parametrize("name", TAGS)
def test_tags_of_electron_microscopes_are_pixel_sizes(tmp_path: Path, name: str) -> None:
    tags, (y, x) = TAGS[name]
    tifffile.imwrite(tmp_path / "a.tif", pixels((24, 32), "u1"), extratags=tags, **_PLAIN)
    assert step_of(imload(tmp_path / "a.tif")[0]) == pytest.approx((y, x, "micrometer"))


@pytest.mark.parametrize("name", TAGS)
def test_tags_of_a_later_page_are_those_of_its_image(tmp_path: Path, name: str) -> None:
    tags, (y, x) = TAGS[name]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(pixels((8, 9), "u1"), **_PLAIN)
        writer.write(pixels((24, 32), "u2"), extratags=tags, **_PLAIN)
    small, full = imload(tmp_path / "a.tif")
    assert step_of(small) == (1, 1, None)
    assert step_of(full) == pytest.approx((y, x, "micrometer"))

    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        for own in ([], [], tags):
            writer.write(pixels((24, 32), "u2"), extratags=own, contiguous=False, **_PLAIN)
    (stack,) = imload(tmp_path / "b.tif")
    assert step_of(stack) == pytest.approx((y, x, "micrometer"))


def test_sizes_of_olympus_sis_at_any_page(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    entry = struct.pack("<10xhdd8xd2x34s32s", -9, 2.5, 3.5, 1.0, b"camera", b"type")
    for pages in (1, 2):
        offset = 0
        for _ in range(2):  # the structure names the offset of its entry in the file
            head = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 1, 2, 3, 4, 100, b"name", 1)
            tag = head + struct.pack("<hhI", 1, 0, offset)
            with tifffile.TiffWriter(path) as writer:
                if pages > 1:
                    writer.write(pixels((8, 9), "u1"), **_PLAIN)
                tags: list[Any] = [(33560, 7, len(tag), tag, True)]
                writer.write(pixels((24, 32), "u2"), extratags=tags, **_PLAIN)
            offset = path.stat().st_size
        with path.open("ab") as file:
            file.write(entry)
        assert step_of(imload(path)[-1]) == pytest.approx((0.0035, 0.0025, "micrometer"))


def test_damaged_tags_leave_a_page_readable(tmp_path: Path) -> None:
    tags = [(34118, 2, 5, "a\nb\n\0", True), (65009, 2, 2, "x\0", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels((8, 9), "u1"), extratags=tags, **_PLAIN)
    assert step_of(imload(tmp_path / "a.tif")[0]) == (1, 1, None)


def test_resolution_in_centimeters_is_a_pixel_size(tmp_path: Path) -> None:
    def write_plain(path: Path, **tags: Any) -> None:
        tifffile.imwrite(path, pixels((8, 9)), **tags, **_PLAIN)

    def write_json(path: Path, **tags: Any) -> None:
        tifffile.imwrite(path, pixels((5, 8, 9)), **tags, **_GRAY)

    def write_one_by_one(path: Path, **tags: Any) -> None:
        with tifffile.TiffWriter(path) as writer:
            for _ in range(3):
                writer.write(pixels((8, 9)), contiguous=False, **tags, **_GRAY)

    def write_imagej(path: Path, **tags: Any) -> None:
        text = "ImageJ=1.54f\nimages=1\n"
        tifffile.imwrite(path, pixels((8, 9)), description=text, **tags, **_PLAIN)

    def write_ome(path: Path, **tags: Any) -> None:
        tifffile.imwrite(path, pixels((5, 8, 9)), ome=True, **tags, **_GRAY)

    writers: list[Callable[..., None]] = [write_plain, write_json, write_one_by_one, write_imagej]
    for write in (*writers, write_ome):
        path = tmp_path / f"{write.__name__}.tif"
        write(path, resolution=(20_000, 10_000), resolutionunit="centimeter")
        assert step_of(imload(path)[0]) == (1, 0.5, "micrometer"), write.__name__
        write(path, resolution=(300, 300), resolutionunit="inch")
        assert step_of(imload(path)[0]) == (1, 1, None), write.__name__


def test_default_resolutions_are_not_pixel_sizes(tmp_path: Path) -> None:
    for n in (1, 28.346, 28.35):
        resolution = {"resolution": (n, n), "resolutionunit": "centimeter"}
        tifffile.imwrite(tmp_path / "a.tif", pixels((8, 9)), **resolution, **_PLAIN)
        assert step_of(imload(tmp_path / "a.tif")[0]) == (1, 1, None)


def test_a_description_precedes_the_resolution(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.ome.tif", pixels((8, 9)), resolution=(20_000, 20_000), resolutionunit=3,
        metadata={"PhysicalSizeX": 2.0, "PhysicalSizeY": 3.0}, **_GRAY,
    )  # fmt: skip
    assert step_of(imload(tmp_path / "a.ome.tif")[0]) == (3, 2, "micrometer")
