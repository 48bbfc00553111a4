"""Headers of other programs beside raw files, or in their names."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import assert_same_pixels
from napari_ferry import Image, imload, load_binary
from napari_ferry.cli import main
from napari_ferry.codecs.binary import codec as binary
from napari_ferry.codecs.binary.headers.sample_types import parse_type
from napari_ferry.codecs.binary.sidecar_check import read_sidecar_status
from napari_ferry.errors import (
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
    UnreadableFileError,
)

MHD = """ObjectType = Image
NDims = 3
BinaryData = True
ElementSpacing = 0.5 0.25 2
Offset = 1 2 3
DistanceUnits = um
DimSize = 64 48 2
ElementType = MET_USHORT
ElementByteOrderMSB = False
ElementDataFile = n.raw
"""
NHDR = """NRRD0004
# a comment
type: unsigned short
dimension: 3
sizes: 64 48 2
encoding: raw
endian: little
space directions: (0.5,0,0) (0,0.25,0) (0,0,2)
space units: "um" "um" "um"
space origin: (1,2,3)
kinds: domain domain domain
data file: n.raw
"""
ENVI = """ENVI
description = {
  a scan, in two lines}
samples = 64
lines   = 48
bands   = 2
header offset = 0
data type = 12
interleave = bsq
byte order = 0
pixel size = {0.5, 0.25, units=Micrometers}
band names = {red, far red}
"""
RPL = (
    "key\tvalue\nwidth\t64\nheight\t48\ndepth\t2\noffset\t0\ndata-length\t2\ndata-type\tunsigned\n"
    "byte-order\tlittle-endian\nrecord-by\timage\nwidth-scale\t0.5\nwidth-units\tum\n"
    "height-scale\t0.25\nheight-units\tum\n"
)
NAMES = {"n.mhd": MHD, "n.nhdr": NHDR, "n.hdr": ENVI, "n.rpl": RPL}


def noise(shape: tuple[int, ...] = (2, 48, 64), dtype: str = "<u2") -> np.ndarray:
    """Return samples from which no layout can be found."""
    return np.random.default_rng(6).integers(0, 127, shape).astype(dtype)


def write(folder: Path, header: str, text: str, data: str = "n.raw", **kind: object) -> np.ndarray:
    values = noise(**kind)
    values.tofile(folder / data)
    (folder / header).write_text(text)
    return values


def only(path: Path) -> Image:
    (image,) = imload(path)
    return image


def sizes(image: Image) -> dict[str, int]:
    return dict(zip(image.axis_names, image.shape, strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("opened", ["data", "header"])
def test_a_header_beside_the_raw_file_is_read(name: str, opened: str, tmp_path: Path) -> None:
    values = write(tmp_path, name, NAMES[name])
    image = only(tmp_path / ("n.raw" if opened == "data" else name))
    assert_same_pixels(image.array, values)
    x, y = image.axis("x"), image.axis("y")
    assert x is not None
    assert y is not None
    assert (x.scale, x.unit, y.scale) == (0.5, "micrometer", 0.25)
    assert image.name == "n"


def test_scale_origin_and_names_are_those_of_the_header(tmp_path: Path) -> None:
    write(tmp_path, "n.mhd", MHD)
    image = only(tmp_path / "n.mhd")
    assert [(a.name, a.scale, a.unit, a.translation) for a in image.axes] == [
        ("z", 2, "micrometer", 3),
        ("y", 0.25, "micrometer", 2),
        ("x", 0.5, "micrometer", 1),
    ]
    (tmp_path / "n.mhd").unlink()
    (tmp_path / "n.hdr").write_text(ENVI)
    assert [channel.name for channel in only(tmp_path / "n.raw").channels] == ["red", "far red"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text.replace("\n", "\r\n")], ids=["upper case", "CRLF"]
)
def test_spellings_of_keys(name: str, change: Callable[[str], str], tmp_path: Path) -> None:
    text = change(NAMES[name])
    values = write(tmp_path, name.upper(), text.replace("N.RAW", "n.raw"))
    assert_same_pixels(only(tmp_path / "n.raw").array, values)


def test_names_of_the_raw_file_in_headers_of_another_name(tmp_path: Path) -> None:
    values = write(tmp_path, "scan.mhd", MHD)
    (tmp_path / "other.mhd").write_text(MHD.replace("n.raw", "m.raw"))
    assert_same_pixels(only(tmp_path / "n.raw").array, values)


@pytest.mark.parametrize(
    ("name", "old", "new", "dtype"),
    [
        ("n.mhd", "ByteOrderMSB = False", "ByteOrderMSB = True", ">u2"),
        ("n.mhd", "MET_USHORT", "MET_SHORT", "<i2"),
        ("n.mhd", "MET_USHORT", "MET_FLOAT", "<f4"),
        ("n.mhd", "MET_USHORT", "MET_UCHAR", "u1"),
        ("n.nhdr", "endian: little", "endian: big", ">u2"),
        ("n.nhdr", "unsigned short", "uint8_t", "u1"),
        ("n.nhdr", "unsigned short", "double", "<f8"),
        ("n.hdr", "byte order = 0", "byte order = 1", ">u2"),
        ("n.hdr", "data type = 12", "data type = 4", "<f4"),
        ("n.rpl", "little-endian", "big-endian", ">u2"),
        ("n.rpl", "data-type\tunsigned", "data-type\tsigned", "<i2"),
        ("n.rpl", "data-length\t2\ndata-type\tunsigned", "data-length\t4\ndata-type\tfloat", "<f4"),
    ],
)
def test_types_and_byte_orders(name: str, old: str, new: str, dtype: str, tmp_path: Path) -> None:
    assert old in NAMES[name]
    values = write(tmp_path, name, NAMES[name].replace(old, new), dtype=dtype)
    array = only(tmp_path / "n.raw").array
    assert array.dtype == dtype
    assert_same_pixels(array, values)


@pytest.mark.parametrize(
    ("interleave", "order"), [("bsq", (0, 1, 2)), ("bil", (1, 0, 2)), ("bip", (1, 2, 0))]
)
def test_interleaved_bands(interleave: str, order: tuple[int, ...], tmp_path: Path) -> None:
    values = noise((5, 48, 64))
    (tmp_path / "n.img").write_bytes(b"\0" * 10 + values.transpose(order).tobytes())
    text = ENVI.replace("bsq", interleave).replace("bands   = 2", "bands = 5")
    (tmp_path / "n.hdr").write_text(text.replace("offset = 0", "offset = 10"))
    for name in ("n.img", "n.hdr"):
        image = only(tmp_path / name)
        assert sizes(image) == {"c": 5, "y": 48, "x": 64}
        assert_same_pixels(image.array, values)
        assert_same_pixels(np.asarray(image.array[3, 5:9]), values[3, 5:9])


def test_a_cube_recorded_by_vector(tmp_path: Path) -> None:
    values = noise((48, 64, 7))
    values.tofile(tmp_path / "n.raw")
    text = RPL.replace("depth\t2", "depth\t7").replace("record-by\timage", "record-by\tvector")
    (tmp_path / "n.rpl").write_text(text)
    image = only(tmp_path / "n.rpl")
    assert sizes(image) == {"c": 7, "y": 48, "x": 64}
    assert_same_pixels(image.array, np.moveaxis(values, -1, 0))


def test_samples_after_the_header_in_one_file(tmp_path: Path) -> None:
    values = noise()
    local = MHD.replace("n.raw", "LOCAL").encode()
    (tmp_path / "a.mha").write_bytes(local + values.tobytes())
    attached = NHDR.replace("data file: n.raw\n", "\n").encode()
    (tmp_path / "a.nrrd").write_bytes(attached + values.tobytes())
    for name in ("a.mha", "a.nrrd"):
        image = only(tmp_path / name)
        assert_same_pixels(image.array, values)
        assert [axis.scale for axis in image.axes] == [2, 0.25, 0.5]


@pytest.mark.parametrize("offset", [-1, 100])
def test_bytes_before_the_samples(offset: int, tmp_path: Path) -> None:
    values = noise()
    (tmp_path / "n.raw").write_bytes(bytes(100) + values.tobytes())
    (tmp_path / "n.mhd").write_text(f"HeaderSize = {offset}\n{MHD}")
    assert_same_pixels(only(tmp_path / "n.raw").array, values)
    (tmp_path / "n.mhd").unlink()
    (tmp_path / "n.nhdr").write_text(f"{NHDR}byte skip: {offset}\n")
    assert_same_pixels(only(tmp_path / "n.raw").array, values)


def test_colors_and_times(tmp_path: Path) -> None:
    values = write(
        tmp_path,
        "n.nhdr",
        "NRRD0005\ntype: uchar\ndimension: 4\nsizes: 3 64 48 2\nencoding: raw\n"
        "kinds: RGB-color domain domain time\nspacings: nan 0.5 0.5 0.1\n"
        'units: "" "um" "um" "s"\ndatafile: n.raw\n',
        shape=(2, 48, 64, 3),
        dtype="u1",
    )
    image = only(tmp_path / "n.raw")
    assert sizes(image) == {"t": 2, "y": 48, "x": 64, "s": 3}
    assert image.frame_rate == pytest.approx(10)
    assert_same_pixels(image.array, values)
    (tmp_path / "n.nhdr").unlink()
    text = MHD.replace("MET_USHORT", "MET_UCHAR_ARRAY")
    (tmp_path / "n.mhd").write_text(f"ElementNumberOfChannels = 3\n{text}")
    assert sizes(only(tmp_path / "n.raw")) == {"z": 2, "y": 48, "x": 64, "s": 3}


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("n.mhd", "ObjectType = Image", "CompressedData = True\nHeaderSize = 9", "compressed"),
        ("n.mhd", "BinaryData = True", "BinaryData = False", "in text"),
        ("n.mhd", "n.raw", "LIST", "several files"),
        ("n.mhd", "n.raw", "n%03d.raw 1 2 1", "several files"),
        ("n.mhd", "64 48 2", "64 x 2", "DimSize"),
        ("n.mhd", "MET_USHORT", "MET_NONE", "ElementType"),
        ("n.nhdr", "encoding: raw", "encoding: hex", "hex"),
        ("n.nhdr", "encoding: raw", "encoding: gzip\nbyte skip: 9", "compressed"),
        ("n.nhdr", "data file: n.raw", "data file: LIST", "several files"),
        ("n.mhd", "64 48 2", "64", "1 dimensions"),
        ("n.nhdr", "unsigned short", "block", "type"),
        ("n.nhdr", "encoding: raw", "encoding: raw\nline skip: 1", "skips lines of text"),
        ("n.nhdr", "sizes: 64 48 2", "sizes: 64", "1 dimensions"),
        ("n.hdr", "interleave = bsq", "file compression = 1", "compressed"),
        ("n.hdr", "data type = 12", "data type = 7", "data type"),
        ("n.hdr", "interleave = bsq", "interleave = bzq", "interleave 'bzq'"),
        ("n.hdr", "header offset = 0", "header offset = -1", "header offset as '-1'"),
        ("n.rpl", "data-length\t2", "data-length\t3", "bytes"),
        ("n.rpl", "record-by\timage", "record-by\tline", "recorded by 'line'"),
    ],
)
def test_unsupported_headers_get_a_sentence(
    name: str, old: str, new: str, words: str, tmp_path: Path
) -> None:
    write(tmp_path, name, NAMES[name].replace(old, new))
    with pytest.raises(UnreadableFileError, match=words) as caught:
        imload(tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../secret.raw", "/etc/hostname", "..\\secret.raw", "a/../../secret.raw"]
)
@pytest.mark.parametrize("header", ["n.mhd", "n.nhdr"])
def test_files_outside_the_folder_are_not_followed(name: str, header: str, tmp_path: Path) -> None:
    noise().tofile(tmp_path / "secret.raw")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / header).write_text(NAMES[header].replace("n.raw", name))
    with pytest.raises(UnreadableFileError, match="outside its folder"):
        imload(folder / header)


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(tmp_path, "n.mhd", MHD)
    try:
        (folder / "n.raw").symlink_to(tmp_path / "n.raw")
    except OSError:
        pytest.skip("links are not allowed")
    (folder / "n.mhd").write_text(MHD)
    with pytest.raises(UnreadableFileError, match="link out of its folder"):
        imload(folder / "n.mhd")
    assert only(folder / "n.raw").shape == (2, 48, 64)
    (folder / "n.raw").unlink()
    (folder / "n.mhd").unlink()
    noise().tofile(folder / "n.raw")
    (folder / "n.mhd").symlink_to(tmp_path / "n.mhd")
    with pytest.raises(MissingMetadataError):
        imload(folder / "n.raw")


def test_headers_that_do_not_fit_the_file(tmp_path: Path) -> None:
    write(tmp_path, "n.mhd", MHD, shape=(1, 48, 64))
    with pytest.raises(UnreadableFileError, match=r"n\.raw holds 6144 bytes, but n\.mhd"):
        imload(tmp_path / "n.raw")
    write(tmp_path, "n.mhd", MHD, shape=(3, 48, 64))
    with pytest.warns(FerryWarning, match="6144 bytes more"):
        assert only(tmp_path / "n.raw").shape == (2, 48, 64)


def test_other_files_with_the_suffix_of_a_header(tmp_path: Path) -> None:
    for name in ("a.mha", "a.nrrd", "a.rpl", "Experiment.xml", "a.mmap"):
        (tmp_path / name).write_bytes(b"\1\2\3")
        with pytest.raises(Exception, match=name):
            imload(tmp_path / name)
    (tmp_path / "a.hdr").write_bytes(b"#?RADIANCE\n")
    assert not binary.claims(tmp_path / "a.hdr")


@pytest.mark.parametrize(("name", "words"), [("n.hdr", "none of n.img"), ("n.rpl", "n.raw, which")])
def test_a_header_without_its_raw_file(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(NAMES[name])
    with pytest.raises(UnreadableFileError, match=words):
        imload(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.hdr", "#?RADIANCE\n"),
        ("n.nhdr", NHDR.replace("n.raw", "m.raw")),
        ("n.mhd", MHD.partition("ElementDataFile")[0]),
        ("n_metadata.json", "[1, 2]"),
    ],
)
def test_files_that_do_not_describe_the_raw_file_are_skipped(
    name: str, text: str, tmp_path: Path
) -> None:
    write(tmp_path, name, text)
    with pytest.raises(MissingMetadataError):
        imload(tmp_path / "n.raw")
    (tmp_path / "metadata.json").write_text(json.dumps(JSON[0]))
    assert only(tmp_path / "n.raw").shape == (2, 48, 64)


@pytest.mark.parametrize("size", ["0, 0.25", "0.5, nan", "0.5"])
def test_a_pixel_size_that_is_none_is_left_out(size: str, tmp_path: Path) -> None:
    write(tmp_path, "n.hdr", ENVI.replace("0.5, 0.25", size))
    assert [(axis.scale, axis.unit) for axis in only(tmp_path / "n.raw").axes[1:]] == [
        (1, None)
    ] * 2


def test_kinds_that_are_not_spatial_are_channels(tmp_path: Path) -> None:
    text = NHDR.partition("space dir")[0]
    write(tmp_path, "n.nhdr", f"{text}kinds: domain domain list\ndata file: n.raw\n")
    assert sizes(only(tmp_path / "n.raw")) == {"c": 2, "y": 48, "x": 64}


def test_empty_lines_in_a_header_are_passed_over(tmp_path: Path) -> None:
    values = write(tmp_path, "n.mhd", MHD.replace("DimSize", "\nDimSize"))
    image = only(tmp_path / "n.raw")
    assert_same_pixels(image.array, values)
    assert "" not in image.metadata["MetaImage"]


@pytest.mark.parametrize(
    ("old", "new"), [("data type = 12", "data type = 6"), ("interleave = bsq", "interleave = bil")]
)
def test_a_header_that_no_layout_expresses_begins_no_repair(
    old: str, new: str, tmp_path: Path
) -> None:
    write(tmp_path, "n.hdr", ENVI.replace(old, new), dtype="c8" if "type" in old else "<u2")
    assert only(tmp_path / "n.raw").shape == (2, 48, 64)
    status = read_sidecar_status(tmp_path / "n.raw")
    assert status is not None
    assert status.layout is None


def test_a_missing_raw_file_is_refused_by_the_codec(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"n\.raw is not a file: check its name"):
        binary.open(tmp_path / "n.raw")


def thor_experiment(extra: str = "", frames: int = 4, wavelengths: int = 2) -> str:
    names = "".join(f'<Wavelength name="Chan{"AB"[i]}" />' for i in range(wavelengths))
    return (
        '<?xml version="1.0"?><ThorImageExperiment><Name name="x" />'
        '<LSM pixelX="32" pixelY="24" pixelSizeUM="0.5" frameRate="20" channel="3" />'
        f"<Wavelengths>{names}</Wavelengths>"
        f'<Streaming enable="1" frames="{frames}" rawData="1" {extra} />'
        '<ZStage steps="3" stepSizeUM="2.5" /></ThorImageExperiment>'
    )


@pytest.mark.parametrize("name", ["Image_0001_0001.raw", "Image_001_001.raw"])
def test_thorimage(name: str, tmp_path: Path) -> None:
    values = write(tmp_path, "Experiment.xml", thor_experiment(), name, shape=(4, 2, 24, 32))
    for path in (tmp_path / name, tmp_path / "Experiment.xml", tmp_path):
        image = only(path)
        assert_same_pixels(image.array, values)
    assert sizes(image) == {"t": 4, "c": 2, "y": 24, "x": 32}
    assert image.frame_rate == pytest.approx(20)
    assert [channel.name for channel in image.channels] == ["ChanA", "ChanB"]


def test_thorimage_with_a_fast_stage(tmp_path: Path) -> None:
    text = thor_experiment('zFastEnable="1" flybackFrames="1"', frames=8, wavelengths=1)
    values = write(tmp_path, "Experiment.xml", text, "Image_0001_0001.raw", shape=(2, 4, 24, 32))
    with pytest.warns(FerryWarning, match="1 flyback frames"):
        image = only(tmp_path / "Image_0001_0001.raw")
    assert sizes(image) == {"t": 2, "z": 3, "y": 24, "x": 32}
    assert_same_pixels(image.array, values[:, :3])
    assert image.frame_rate == pytest.approx(5)


def test_thorimage_stopped_early(tmp_path: Path) -> None:
    text = thor_experiment(frames=100)
    write(tmp_path, "Experiment.xml", text, "Image_0001_0001.raw", shape=(4, 2, 24, 32))
    with pytest.warns(FerryWarning, match="100 frames, but .* holds 4"):
        assert only(tmp_path / "Experiment.xml").shape == (4, 2, 24, 32)


@pytest.mark.parametrize("count", [0, 2])
def test_thorimage_without_a_single_raw_file(count: int, tmp_path: Path) -> None:
    (tmp_path / "Experiment.xml").write_text(thor_experiment())
    for k in range(count):
        (tmp_path / f"Image_0001_000{k + 1}.raw").write_bytes(bytes(9))
    with pytest.raises(UnreadableFileError, match=f"but {count} of the name Image_0001_0001.raw"):
        imload(tmp_path / "Experiment.xml")


@pytest.mark.parametrize(
    ("element", "is_stated"), [('<Timelapse timepoints="9" />', True), ("<Other />", False)]
)
def test_thorimage_without_streaming(element: str, is_stated: bool, tmp_path: Path) -> None:
    text = (
        thor_experiment()
        .replace('enable="1"', 'enable="0"')
        .replace("<ZStage", element + "<ZStage")
    )
    write(tmp_path, "Experiment.xml", text, "Image_0001_0001.raw", shape=(4, 2, 24, 32))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        assert only(tmp_path / "Experiment.xml").shape == (4, 2, 24, 32)
    messages = "".join(str(one.message) for one in caught)
    assert ("9 frames, but Image_0001_0001.raw holds 4" in messages) == is_stated


JSON = [
    {"width": 64, "height": 48, "frames": 2, "dtype": "uint16"},
    {"Width": 64, "Height": 48, "PixelType": "GRAY16", "FrameCount": 2},
    {"camera": {"image_width": 64, "image_height": 48, "bit_depth": 12}, "dtype": "u16"},
    {"width": "64", "height": "48", "pixel_format": "Mono16", "numFrames": "2"},
    {"width": 64, "height": 48, "bytesPerPixel": 2, "pixelType": "uint16", "fps": 20},
    {"width": 64.0, "height": 48.0, "depth": 16, "type": "movie", "format": "ushort"},
]


@pytest.mark.parametrize("record", JSON)
@pytest.mark.parametrize("opened", ["n.raw", "n.json"])
def test_json_of_other_programs(record: dict[str, object], opened: str, tmp_path: Path) -> None:
    values = write(tmp_path, "n.json", json.dumps(record))
    assert_same_pixels(only(tmp_path / opened).array, values)


def test_scales_rates_and_byte_order_in_json(tmp_path: Path) -> None:
    record = {
        "width": 64, "height": 48, "dtype": "uint16", "endian": "big", "fps": 20, "offset": 0,
        "pixel_size_um": 0.65,
    }  # fmt: skip
    values = write(tmp_path, "n.json", json.dumps(record), dtype=">u2")
    image = only(tmp_path / "n.raw")
    assert_same_pixels(image.array, values)
    assert image.frame_rate == pytest.approx(20)
    assert [(a.scale, a.unit) for a in image.axes[1:]] == [(0.65, "micrometer")] * 2


def test_assumptions_about_json_are_said(tmp_path: Path) -> None:
    write(tmp_path, "n.json", json.dumps({"width": 64, "height": 48, "frames": 2}))
    with pytest.warns(FerryWarning, match="uint16 is assumed"):
        assert only(tmp_path / "n.raw").dtype == "u2"
    write(tmp_path, "n.json", json.dumps({"width": 64, "height": 48, "depth": 16}))
    with pytest.warns(FerryWarning, match="uint16 is assumed"):
        assert only(tmp_path / "n.raw").shape == (2, 48, 64)
    (tmp_path / "n.json").write_text(json.dumps({"width": 64, "height": 48, "frames": 5}))
    with pytest.raises(UnreadableFileError, match="does not name the data type: add one"):
        imload(tmp_path / "n.raw")
    record = {"width": 64, "height": 48, "channels": 2, "dtype": "uint16"}
    write(tmp_path, "n.json", json.dumps(record))
    with pytest.warns(FerryWarning, match="2 channels are stored"):
        assert sizes(only(tmp_path / "n.raw")) == {"t": 1, "c": 2, "y": 48, "x": 64}
    (tmp_path / "n.json").write_text(json.dumps({**record, "dtype": "Mono12p"}))
    with pytest.raises(UnreadableFileError, match="Mono12p"):
        imload(tmp_path / "n.raw")


def test_a_depth_beside_a_number_of_slices_is_not_the_bits(tmp_path: Path) -> None:
    record = {"width": 64, "height": 48, "slices": 2, "depth": 16, "dtype": "uint16"}
    write(tmp_path, "n.json", json.dumps(record))
    assert sizes(only(tmp_path / "n.raw")) == {"t": 1, "z": 2, "y": 48, "x": 64}


def test_stated_facts_in_json_are_not_assumed(tmp_path: Path) -> None:
    record = {"width": 64, "height": 48, "channels": 2, "dtype": "uint16", "bigEndian": True}
    record |= {"dx": 0.5, "dy": 0.25, "unit": "um"}
    values = write(tmp_path, "n.json", json.dumps(record | {"interleaved": False}), dtype=">u2")
    image = only(tmp_path / "n.raw")
    assert sizes(image) == {"t": 1, "c": 2, "y": 48, "x": 64}
    assert [(a.scale, a.unit) for a in image.axes[2:]] == [
        (0.25, "micrometer"),
        (0.5, "micrometer"),
    ]
    assert_same_pixels(image.array, values[None])
    (tmp_path / "n.json").write_text(json.dumps(record | {"interleaved": True}))
    adjacent = only(tmp_path / "n.raw")
    assert_same_pixels(adjacent.array, np.moveaxis(values.reshape(1, 48, 64, 2), -1, 1))


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("depth", [1, 3])
def test_memory_maps_of_caiman(order: str, depth: int, tmp_path: Path) -> None:
    movie = noise((5, 24, 32, depth)[: 3 + (depth > 1)], "f4")
    pixels = movie.reshape((5, -1), order="F").T  # (pixels, frames), as CaImAn has it
    path = tmp_path / f"Yr_d1_24_d2_32_d3_{depth}_order_{order}_frames_5_.mmap"
    path.write_bytes(pixels.tobytes(order))
    image = only(path)
    if depth > 1:
        assert image.axis_names == ("t", "z", "y", "x")
        movie = np.moveaxis(movie, -1, 1)
    assert_same_pixels(image.array, movie)
    assert_same_pixels(np.asarray(image.array[2]), movie[2])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("cells_64x48x2_uint16.raw", "<u2"),
        ("cells_64x48x2_16bit.raw", "<u2"),
        ("cells_64x48_u16be.raw", ">u2"),
        ("cells-float32-64x48x2.bin", "<f4"),
        ("cells_w64_h48_n2_uint8.dat", "u1"),
        ("cells_64x48x2.raw", "u1"),
        ("Width64_Height48_frames2_int16.raw", "<i2"),
    ],
)
def test_sizes_and_types_in_names(name: str, dtype: str, tmp_path: Path) -> None:
    values = noise(dtype=dtype)
    values.tofile(tmp_path / name)
    with pytest.warns(FerryWarning, match="by its name"):
        image = only(tmp_path / name)
    assert image.dtype == dtype
    assert_same_pixels(image.array, values)


def test_names_with_the_frames_first(tmp_path: Path) -> None:
    values = noise((2, 48, 48))
    values.tofile(tmp_path / "cells_2x48x48_uint16.raw")
    with pytest.warns(FerryWarning, match="2 x 48 x 48"):
        assert_same_pixels(only(tmp_path / "cells_2x48x48_uint16.raw").array, values)


def test_names_that_do_not_fit_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "cells_64x48x3_uint16.raw"
    noise().tofile(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Exception, match="no sidecar"):
            imload(path)


def test_a_memory_map_without_pixels_in_its_name_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "Yr_d1_0_d2_32_d3_1_order_F_frames_5_.mmap"
    noise(dtype="f4").tofile(path)
    with pytest.raises(MissingMetadataError):
        imload(path)


def test_a_sidecar_is_preferred(tmp_path: Path) -> None:
    values = write(tmp_path, "n.mhd", MHD)
    (tmp_path / "n.json").write_text('{"frames": 3, "y": 32, "x": 64, "dtype": "uint16"}')
    assert_same_pixels(only(tmp_path / "n.raw").array, values.reshape(3, 32, 64))


def test_memory_maps_by_headers(tmp_path: Path) -> None:
    values = write(tmp_path, "n.mhd", MHD)
    assert_same_pixels(load_binary(tmp_path / "n.raw", mapped=True), values)
    (tmp_path / "n.mhd").unlink()
    (tmp_path / "n.hdr").write_text(ENVI.replace("bsq", "bip"))
    assert binary.open_binary(tmp_path / "n.raw", mode="r").shape == (2, 48, 64)
    with pytest.raises(InvalidImageError, match="another order"):
        binary.open_binary(tmp_path / "n.raw", mode="r+")


def test_repair_begins_with_the_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "n.mhd", MHD)
    assert not binary.lacks_metadata(tmp_path / "n.raw")
    assert binary.members(tmp_path / "n.mhd") == [tmp_path / "n.raw", tmp_path / "n.mhd"]
    status = read_sidecar_status(tmp_path / "n.raw")
    assert status is not None
    assert status.layout is not None
    assert (status.layout.shape, status.calibration.pixel_size) == ((2, 48, 64), 0.5)

    assert main(["repair", str(tmp_path / "n.mhd"), "--write"]) == 0
    assert "n.mhd (MetaImage) describes it" in capsys.readouterr().out
    image = only(tmp_path / "n.json")
    assert image.shape == (2, 48, 64)
    assert [axis.scale for axis in image.axes] == [2, 0.25, 0.5]


def test_a_header_that_does_not_fit_is_offered_for_repair(tmp_path: Path) -> None:
    write(tmp_path, "n.mhd", MHD, shape=(1, 48, 64))
    assert binary.lacks_metadata(tmp_path / "n.raw")
    status = read_sidecar_status(tmp_path / "n.raw")
    assert status is not None
    assert "n.mhd describes" in status.error


def test_words_for_types() -> None:
    words = ("u8", "uint8", "i16", "unsigned int", "long long", "float64", "<u8", ">f4", "s16", "?")
    names = [str(parse_type(word)) for word in words]
    assert names == [
        *("uint8", "uint8", "int16", "uint32", "int64", "float64", "uint64", ">f4", "int16"),
        "None",
    ]
