"""TIFF files of microscopes and scanners, compared with tifffile."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - what is read here was written here
import struct
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, plan
from napari_ferry.codecs.tiff.images.vendor_tags import VendorMetadata, to_number
from napari_ferry.errors import UnreadableFileError, UnsupportedFormatError
from napari_ferry.image import Axis, Channel
from tiff_files import GRAY, RGB, assert_like_tifffile


def write_svs(path: Path) -> None:
    text, full = (
        "Aperio Image Library v1.0\r\n1|AppMag = 20|MPP = 0.499",
        pixels((512, 768, 3), "u1"),
    )
    with tifffile.TiffWriter(path) as writer:
        writer.write(full, tile=(64, 64), description=text, compression="jpeg", **RGB)
        writer.write(pixels((100, 150, 3), "u1"), description=text, **RGB)
        for k in (4, 8):
            writer.write(full[::k, ::k].copy(), tile=(64, 64), description=text, **RGB)
        writer.write(pixels((40, 50, 3), "u1"), subfiletype=1, **RGB)
        writer.write(pixels((60, 90, 3), "u1"), subfiletype=9, **RGB)


def write_ndpi(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for k, magnification in ((1, 20.0), (2, 10.0), (4, 5.0), (8, -1.0)):
            tags = [(271, 2, None, "Hamamatsu", True), (65420, 4, 1, 1, True)]
            tags.append((65421, 11, 1, magnification, True))
            width = 320 // k if magnification > 0 else 50
            per_cm = (40_000 / k, 40_000 / k)
            writer.write(
                pixels((256 // k, width, 3), "u1"), compression="jpeg", extratags=tags,
                resolution=per_cm, resolutionunit=3, **RGB,
            )  # fmt: skip


def write_qpi(path: Path) -> None:
    bands = [pixels((512, 640), "u1") + i for i in range(3)]
    tags = {"software": "PerkinElmer-QPI", "resolution": (20_000, 20_000), "resolutionunit": 3}
    with tifffile.TiffWriter(path) as writer:
        for band in bands:
            writer.write(band, tile=(64, 64), **tags, **GRAY)
        writer.write(pixels((64, 80, 3), "u1"), **RGB)
        for k, band in product((2, 4), bands):
            writer.write(band[::k, ::k].copy(), tile=(64, 64), **GRAY)


def write_bif(path: Path) -> None:
    xmp = [(700, 1, None, b'<iScan ScanRes="0.25">', True)]
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            pixels((60, 60, 3), "u1"),
            description="Label",
            extratags=xmp,
            **{**RGB, "software": "Ventana"},
        )
        for k in (1, 2):
            level = pixels((256 // k, 256 // k, 3), "u1")
            writer.write(level, tile=(64, 64), description=f"level={k - 1} mag=20", **RGB)


def write_philips(path: Path) -> None:
    one = '<DataObject ObjectType="PixelDataRepresentation"><Attribute Name="DICOM_PIXEL_SPACING">'
    levels = "".join(f'{one}"{k / 4000}" "{k / 4000}"</Attribute></DataObject>' for k in (1, 2))
    text = f'<DataObject><Attribute Name="I"><Array>{levels}</Array></Attribute></DataObject>'
    with tifffile.TiffWriter(path) as writer:
        full = pixels((300, 300, 3), "u1")
        writer.write(
            full, tile=(64, 64), description=text, **{**RGB, "software": "Philips DP v1.0"}
        )
        writer.write(pixels((192, 192, 3), "u1"), tile=(64, 64), description="level=1", **RGB)
        writer.write(pixels((40, 30, 3), "u1"), description="Macro", **RGB)


def write_scn(path: Path) -> None:
    name = 'xmlns="http://www.leica-microsystems.com/scn/2010/10/01"'
    places = "".join(
        f'<dimension r="{r}" c="{c}" ifd="{2 * r + c}"/>' for r in (0, 1) for c in (0, 1)
    )
    image = f'<image name="i"><pixels>{places}</pixels></image>'
    text = f"<scn {name}><collection>{image}</collection></scn>"
    with tifffile.TiffWriter(path) as writer:
        for k, c in product((1, 2), (0, 1)):
            band = pixels((256 // k, 320 // k), "u1") + c
            options = {"description": text} if (k, c) == (1, 0) else {}
            writer.write(band, tile=(64, 64), contiguous=False, **options, **GRAY)


def write_indica(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for k, _ in product((1, 2), range(2)):
            band = pixels((256 // k, 256 // k), "u1")
            writer.write(band, tile=(64, 64), software="IndicaLabsImageWriter 1", **GRAY)


def write_lsm(path: Path, color: bool = False) -> None:
    kind = np.dtype(tifffile.TIFF.CZ_LSMINFO)
    info = np.zeros((), kind)
    t, z, c = (1, 4, 1) if color else (2, 3, 3)
    for key, value in {
        **{"MagicNumber": 67127628, "StructureSize": kind.itemsize, "DimensionX": 40},
        **{"DimensionY": 30, "DimensionZ": z, "DimensionChannels": 3 if color else c},
        **{"DimensionTime": t, "ScanType": 0 if color else 6, "VoxelSizeX": 2e-7},
        **{"VoxelSizeY": 3e-7, "VoxelSizeZ": 1e-6, "TimeIntervall": 2.5},
    }.items():
        info[key] = value

    tags = [(34412, 1, kind.itemsize, info.tobytes(), True)]
    with tifffile.TiffWriter(path) as writer:
        for i in range(t * z):
            page = pixels((30, 40, 3), "u1") if color else pixels((c, 30, 40)) + i
            options = RGB if color else {**GRAY, "planarconfig": "separate"}
            writer.write(page, extratags=tags if not i else [], contiguous=False, **options)
            small = pixels((6, 8, 3), "u1")
            writer.write(small, subfiletype=1, contiguous=False, **RGB)


def write_fluoview(path: Path) -> None:
    kind = np.dtype(tifffile.TIFF.MM_HEADER)
    info = np.zeros((), kind)
    dimensions = [(b"X", 40, 0, 0.5, b"um"), (b"Y", 30, 0, 0.5, b"um"), (b"Z", 3, 0, 2, b"um")]
    dimensions += [(b"Ch", 2, 0, 1, b""), *[(b"", 0, 0, 0, b"")] * 6]
    info["Dimensions"] = np.array(dimensions, kind["Dimensions"].subdtype[0])
    tags = [(34361, 1, kind.itemsize, info.tobytes(), True), (34362, 12, 8, (0.0,) * 8, True)]
    with tifffile.TiffWriter(path) as writer:
        for i in range(6):
            writer.write(pixels((30, 40)) + i, extratags=tags, contiguous=False, **GRAY)


def write_mdgel(path: Path) -> None:
    texts = [(tag, 2, None, "text", True) for tag in (33448, 33449, 33450, 33451, 33452)]
    tags = [(33445, 4, 1, 2, True), (33446, 5, 1, (1, 4), True), (33447, 3, 1, 0, True), *texts]
    with tifffile.TiffWriter(path) as writer:
        writer.write(pixels((20, 30)), **GRAY)
        writer.write(pixels((4, 5)), extratags=tags, **GRAY)


def write_nih(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for i in range(3):
            tags = [(43314, 1, 4, b"abcd", True)]
            writer.write(pixels((20, 30)) + i, extratags=tags, contiguous=False, **GRAY)


def write_avs(path: Path) -> None:
    tags = [(65000, 2, None, "<Argos/>", True)]
    with tifffile.TiffWriter(path) as writer:
        for k in (1, 2):
            level = pixels((256 // k, 320 // k, 3), "u1")
            writer.write(level, tile=(64, 64), extratags=tags if k == 1 else [], **RGB)
        for size in (30, 50):
            writer.write(pixels((size, 40, 3), "u1"), **RGB)


FLAVORS: list[tuple[Callable[[Path], None], list[tuple[str, int]], tuple[str, float]]] = [
    (write_svs, [("yxs", 3), ("yxs", 1), ("yxs", 1), ("yxs", 1)], ("x", 0.499)),
    (write_ndpi, [("yxs", 3), ("yxs", 1)], ("x", 0.25)),
    (write_qpi, [("cyx", 3), ("yxs", 1)], ("y", 0.5)),
    (write_bif, [("yxs", 2), ("yxs", 1)], ("x", 0.25)),
    (write_philips, [("yxs", 2), ("yxs", 1)], ("y", 0.25)),
    (write_scn, [("cyx", 2)], ("x", 1.0)),
    (write_indica, [("tyx", 2)], ("x", 1.0)),
    (write_lsm, [("tzcyx", 1), ("tzyxs", 1)], ("y", 0.3)),
    (write_fluoview, [("czyx", 1)], ("z", 2.0)),
    (write_mdgel, [("yx", 1)], ("x", 1.0)),
    (write_nih, [("tyx", 1)], ("x", 1.0)),
    (write_avs, [("yxs", 2), ("yxs", 1), ("yxs", 1)], ("x", 1.0)),
]


@pytest.mark.parametrize(
    ("write", "expected", "step"), FLAVORS, ids=[write.__name__[6:] for write, _, _ in FLAVORS]
)
def test_files_of_microscopes_and_scanners(
    write: Callable[[Path], None],
    expected: list[tuple[str, int]],
    step: tuple[str, float],
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.tif"
    write(path)
    images = imload(path)
    assert_like_tifffile(path, images)
    assert [("".join(i.axis_names), len(i.levels)) for i in images] == expected
    axis = images[0].axis(step[0])
    assert axis is not None
    assert axis.scale == pytest.approx(step[1])
    assert axis.unit == ("micrometer" if step[1] != 1 else None)
    for image in images:
        json.dumps(image.metadata)
        for level in image.levels:
            assert_same_pixels(np.asarray(pickle.loads(pickle.dumps(level))), np.asarray(level))


def test_channels_of_lsm_are_not_a_color(tmp_path: Path) -> None:
    write_lsm(tmp_path / "m.tif", color=True)
    image = imload(tmp_path / "m.tif")[0]
    assert image.axis_names == ("z", "c", "y", "x")
    with tifffile.TiffFile(tmp_path / "m.tif") as tif:
        assert_same_pixels(image.array, np.moveaxis(tif.series[0].asarray(), -1, 1))


def write_metamorph(
    path: Path, order: str, data: NDArray[Any], *, has_distance: bool = True
) -> None:
    """Write a stack of 4 planes; with less `data`, it is truncated."""
    z, step = (3, 2) if order == "z" else (0, int(has_distance))
    rows = [[z, step, 2459000, 1000 + (0 if order == "c" else 500 * i), 0, 0] for i in range(4)]
    waves = [v for i in range(4) for v in (400 + (50 * i if order == "c" else 0), 1)]
    tags = [(33629, 5, 4, [1] * 8, False), (33630, 5, 4, waves, False), (33628, 4, 1, [1], False)]
    tifffile.imwrite(path, data[0], extratags=tags, **GRAY)

    # append the other planes and the values of the private tags
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        start, entries = tif.pages.first.dataoffsets[0], tif.pages.first.offset + 2
    codes = [struct.unpack_from("<H", raw, entries + 12 * i)[0] for i in range(20)]
    places = {code: entries + 12 * codes.index(code) for code in (33628, 33629)}
    raw = raw[: start + data[0].nbytes] + data[1:].tobytes()
    struct.pack_into("<I", raw, places[33629] + 8, len(raw))
    raw += struct.pack("<24I", *(v for row in rows for v in row))
    struct.pack_into("<II", raw, places[33628] + 4, 3, len(raw))
    end = len(raw) + 24
    raw += struct.pack("<6I", 4, end, 5, end, 6, end + 8) + struct.pack("<III", 1, 4, 3) + b"um\0\0"
    path.write_bytes(raw)


def test_an_unknown_distance_in_metamorph_is_no_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    write_metamorph(tmp_path / "m.stk.tif", "t", pixels((4, 20, 30)), has_distance=False)
    (image,) = imload(tmp_path / "m.stk.tif")
    assert image.axes[0] == Axis("z")
    assert not [*recwarn]


@pytest.mark.parametrize("order", ["z", "t", "c"])
def test_metamorph_stacks(order: str, tmp_path: Path) -> None:
    path, data = tmp_path / "m.stk.tif", pixels((4, 20, 30))
    write_metamorph(path, order, data)

    (image,) = imload(path)
    assert image.axis_names == (order, "y", "x")
    assert_same_pixels(image.array, data)
    assert image.axis("y") == Axis("y", 0.25, "micrometer")
    if order == "c":
        assert [channel.name for channel in image.channels] == [
            f"{400 + 50 * i} nm" for i in range(4)
        ]
    else:
        expected = Axis("z", 1.5, "micrometer") if order == "z" else Axis("t", 0.5, "second")
        assert image.axis(order) == expected
    write_metamorph(path, order, data[:3])
    with pytest.raises(UnreadableFileError, match="4 planes"):
        imload(path)


@pytest.mark.slow
def test_a_thousand_opens_leave_nothing_open(tmp_path: Path) -> None:
    write_svs(tmp_path / "m.tif")
    tifffile.imwrite(tmp_path / "p.tif", pixels((3, 20, 30)), **GRAY)
    before = psutil.Process().num_fds()
    for i in range(1000):
        image = imload(tmp_path / ("m.tif" if i % 20 == 0 else "p.tif"))[0]
        np.asarray(image.array[:2])
    del image
    assert psutil.Process().num_fds() <= before + 1


def test_files_of_microscopes_open_by_their_own_suffix(tmp_path: Path) -> None:
    """They are TIFF files by other names; nothing is saved under those."""
    path = tmp_path / "slide.svs"
    tifffile.imwrite(path, np.arange(12, dtype=np.uint8).reshape(3, 4))
    (found,) = imload(path)
    assert found.shape == (3, 4)
    with pytest.raises(UnsupportedFormatError, match=r"\.svs and cannot be saved"):
        plan(found, path)


def test_the_channel_of_an_image_without_channels() -> None:
    metadata = VendorMetadata(channels=(Channel("GFP"),))
    assert metadata.channels_of({"y": 5, "x": 7}) == (Channel("GFP"),)
    assert metadata.channels_of({"c": 1, "y": 5, "x": 7}) == (Channel("GFP"),)
    assert metadata.channels_of({"c": 2, "y": 5, "x": 7}) == ()
    assert metadata.channels_of({"y": 5, "x": 7, "s": 3}) == ()


@pytest.mark.parametrize("name", ["DatetimeCreated", "CalibrationUnits"])
def test_metamorph_stacks_without_times_or_units(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tifffile.TiffFile.stk_metadata.func
    without = property(lambda tif: {k: v for k, v in (metadata(tif) or {}).items() if k != name})
    monkeypatch.setattr(tifffile.TiffFile, "stk_metadata", without)
    write_metamorph(tmp_path / "m.stk.tif", "z", pixels((4, 20, 30)))
    (image,) = imload(tmp_path / "m.stk.tif")
    assert image.axis("z") == Axis("z", 1.5, "micrometer")
    is_calibrated = name != "CalibrationUnits"
    assert image.axis("y") == (Axis("y", 0.25, "micrometer") if is_calibrated else Axis("y"))


def test_values_of_tags_are_numbers() -> None:
    values = (np.array([2.5, 3]), [[4]], "5", (), "x", None, float("inf"))
    assert [to_number(value) for value in values] == [2.5, 4, 5, 0, 0, 0, 0]
