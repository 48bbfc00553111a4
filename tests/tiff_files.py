"""TIFF files of other programs, and their comparison with tifffile, for several tests."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from hypothesis import HealthCheck
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import make_image, pixels
from napari_ferry import imsave
from napari_ferry.image import Image

IN_TMP = [HealthCheck.function_scoped_fixture]


@st.composite
def series(draw: st.DrawFn) -> tuple[Image, str]:
    """Draw an image and a suffix of each flavor."""
    axes, dtype, suffix = draw(
        st.sampled_from(
            [
                *(("tyx", "uint16", ".tif"), ("tczyx", "uint8", ".tif")),
                *(("ctzyx", "float32", ".tif"), ("tyx", "uint16", ".ome.tif")),
                *(("ctyx", "int16", ".tif"), ("tzyx", "uint64", ".tif")),
                *(("tyxs", "uint8", ".tif"), ("ptyx", "uint16", ".ome.tif")),
                ("zyx", "bool", ".tif"),
            ]
        )
    )
    sizes = {a: draw(st.integers(1, 6)) for a in axes[: -3 if "s" in axes else -2]}
    return make_image(axes, dtype, **sizes, y=20, x=30), suffix


def save_series(folder: Path, suffix: str = ".tif", axes: str = "tyx", **sizes: int) -> list[Path]:
    """Save a series of as many parts as the first axis is long."""
    image = make_image(axes, **{"t": 5, "y": 100, "x": 100} | sizes)
    return imsave(image, folder / f"cells{suffix}", size_cap=30e3 / 1e9)


GRAY: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
RGB: dict[str, Any] = {"photometric": "rgb", "metadata": None, "software": "other"}


def assert_like_tifffile(path: Path, images: Sequence[Image]) -> None:
    """Compare all levels of all images with tifffile's series."""
    with tifffile.TiffFile(path) as tif:
        assert len(images) == len(tif.series)
        for image, series in zip(images, tif.series, strict=True):
            assert len(image.levels) == len(series.levels)
            for level, expected in zip(image.levels, series.levels, strict=True):
                found, truth = np.asarray(level).squeeze(), expected.asarray().squeeze()
                assert found.dtype == truth.dtype
                np.testing.assert_array_equal(found, truth.reshape(found.shape))


NAMESPACE = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def ome_set(names: Sequence[str]) -> str:
    """Return the description of one file for each time point."""
    blocks = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{t}'
        "</UUID></TiffData>"
        for t, name in enumerate(names)
    )
    return (
        f'<OME {NAMESPACE} UUID="urn:uuid:m"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="1" SizeC="1" '
        f'SizeT="{len(names)}">{blocks}</Pixels></Image></OME>'
    )


def write_ome_set(folder: Path, metadata_file: str, data: NDArray[Any]) -> list[Path]:
    names = [f"s_{t}.ome.tif" for t in range(len(data))]
    other = f'<OME {NAMESPACE}><BinaryOnly MetadataFile="{metadata_file}" UUID="urn:uuid:m"/></OME>'
    for name, plane in zip(names, data, strict=True):
        text = ome_set(names) if name == metadata_file else other
        tifffile.imwrite(folder / name, plane, description=text, **GRAY)
    if metadata_file.endswith(".companion.ome"):
        (folder / metadata_file).write_text(ome_set(names), "utf-8")
    return [folder / name for name in names]


COMPRESSIONS = ("zlib", "zstd", "lzw")


def smooth(shape: tuple[int, ...], dtype: Any = "uint16") -> np.ndarray:
    """Return highly compressible pixels."""
    return (np.arange(np.prod(shape)).reshape(shape) // 7 % 200).astype(dtype)


COUNT = 12


def fill(folder: Path, data: NDArray[Any], **options: Any) -> list[Path]:
    """Write one file for each frame."""
    paths = [folder / f"f{i}.tif" for i in range(len(data))]
    for path, frame in zip(paths, data, strict=True):
        tifffile.imwrite(path, frame, **options)
    return paths


SECOND = pixels((COUNT, 7, 9, 3), "uint8")


def write_two(path: Path, *frames: NDArray[Any], **options: Any) -> None:
    """Write a file with an image for each frame."""
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            color = "rgb" if frame.shape[-1] == 3 else "minisblack"
            writer.write(frame, photometric=color, metadata=None, **options)


def fill_with_two(folder: Path, data: NDArray[Any], **options: Any) -> None:
    for i, frame in enumerate(data):
        write_two(folder / f"f{i}.tif", frame, SECOND[i], **options)


def write_micromanager(
    path: Path, rows: Sequence[Sequence[int]], summary: dict[str, Any], planes: NDArray[Any]
) -> None:
    """Write a file as Micro-Manager does: header, summary, planes, index of c z t r."""
    header = json.dumps(summary).encode()
    out = bytearray(struct.pack("<2sHI", b"II", 42, 0) + bytes(32) + header)
    places, link = [], 4
    for plane in planes:
        out += bytes(len(out) % 2)
        ifd, (y, x) = len(out), plane.shape
        end = ifd + 162 + plane.nbytes
        places.append(ifd)
        struct.pack_into("<I", out, link, ifd)
        tags = [(256, 4, 1, x), (257, 4, 1, y), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
        tags += [(273, 4, 1, ifd + 162), (277, 3, 1, 1), (278, 4, 1, y), (279, 4, 1, plane.nbytes)]
        tags += [(282, 5, 1, end), (283, 5, 1, end), (296, 3, 1, 3), (51123, 2, 16, end + 8)]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        link = len(out)
        out += bytes(4)
        out += plane.astype("<u2").tobytes() + struct.pack("<II", 1, 1) + b'{"a": 1}'.ljust(16)

    index = len(out)
    out += struct.pack("<II", 3453623, len(places))
    for row, place in zip(rows, places, strict=True):
        out += struct.pack("<5I", *row, place)
    struct.pack_into("<8I", out, 8, 54773648, index, 0, 0, 0, 0, 2355492, len(header))
    path.write_bytes(out)
