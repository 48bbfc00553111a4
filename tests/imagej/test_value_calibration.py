"""Calibration of the values of ImageJ hyperstacks."""

from __future__ import annotations

import pickle  # noqa: TID251 - what is read here was written here
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave
from napari_ferry.errors import FerryWarning
from napari_ferry.layers import to_layers

SIGNED = "cf=0\nc0=-32768.0\nc1=1.0\nvunit=gray value\n"


def write_imagej(path: Path, data: NDArray[Any], text: str) -> None:
    n = len(data)
    header = f"ImageJ=1.54f\nimages={n}\nslices={n}\nloop=false\n{text}"
    with tifffile.TiffWriter(path) as writer:
        for i, frame in enumerate(data):
            writer.write(
                frame, description=None if i else header, metadata=None,
                photometric="minisblack", contiguous=False,
            )  # fmt: skip


def signed() -> NDArray[np.int16]:
    values = np.arange(-300, 300, dtype="i2").reshape(2, 15, 20)
    values[0, 0, 0], values[1, 0, 0] = -32768, 32767
    return values


def stored(values: NDArray[np.int16]) -> NDArray[np.uint16]:
    return values.view("u2") ^ np.uint16(0x8000)


def test_signed_16_bit_values_are_signed(tmp_path: Path) -> None:
    write_imagej(tmp_path / "a.tif", stored(signed()), SIGNED + "min=32668.0\nmax=32868.0\n")
    (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, signed())
    assert image.display["contrast_limits"] == [-100, 100]
    assert not {"c0", "c1", "cf"} & image.metadata.keys()
    assert image.metadata["vunit"] == "gray value"
    assert_same_pixels(pickle.loads(pickle.dumps(image.array)), signed())
    ((_, meta, _),) = to_layers([image])
    assert tuple(meta["contrast_limits"]) == (-100, 100)

    imsave(image, tmp_path / "again.tif")
    (again,) = imload(tmp_path / "again.tif")
    assert_same_pixels(again.array, signed())


def test_ranges_of_channels_are_calibrated(tmp_path: Path) -> None:
    data = np.stack([stored(signed()), stored(signed())], 1)
    metadata = {"axes": "ZCYX", "mode": "composite", "cf": 0, "c0": -32768.0, "c1": 1.0}
    metadata |= {"Ranges": (32668.0, 32868.0, 32768.0, 32968.0)}
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata=metadata)
    (image,) = imload(tmp_path / "a.tif")
    first = np.take(image.array, 0, axis=image.axis_names.index("c"))
    assert_same_pixels(first, signed())
    assert [channel.contrast_limits for channel in image.channels] == [(-100, 100), (0, 200)]


@pytest.mark.parametrize(
    ("dtype", "text", "expected"),
    [
        ("u1", "c0=-128.0\nc1=1.0\n", "int8"),
        ("u2", "cf=0\nc0=-1024.0\nc1=1.0\n", "int32"),
        ("u2", "c0=10\nc1=3\n", "int32"),
        ("u1", "c0=5\nc1=2\n", "uint16"),
    ],
)
def test_integer_calibrations_are_exact(
    tmp_path: Path, dtype: str, text: str, expected: str
) -> None:
    data = pixels((2, 5, 7), dtype)
    data[0, 0, :2] = 0, np.iinfo(dtype).max
    write_imagej(tmp_path / "a.tif", data, text)
    (image,) = imload(tmp_path / "a.tif")
    coefficients = dict(line.split("=") for line in text.split())
    values = data.astype("i8") * int(float(coefficients["c1"])) + int(float(coefficients["c0"]))
    assert image.dtype.name == expected
    assert (np.asarray(image.array) == values).all()


@pytest.mark.parametrize(
    "text",
    ["c0=0\nc1=0.25\n", "cf=1\nc0=1\nc1=2\nc2=3\n", "cf=21\n", "c0=5\nc1=-1\n", "c0=1e300\n"],
)
def test_other_calibrations_are_named(tmp_path: Path, text: str) -> None:
    data = pixels((2, 5, 7), "u2")
    write_imagej(tmp_path / "a.tif", data, text)
    with pytest.warns(FerryWarning, match=r"a\.tif has a calibration of its values \(c"):
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize("text", ["", "cf=20\n", "cf=0\nc0=0.0\nc1=1.0\n", "vunit=gray value\n"])
def test_values_without_a_calibration_are_unchanged(tmp_path: Path, text: str) -> None:
    data = pixels((2, 5, 7), "u2")
    write_imagej(tmp_path / "a.tif", data, text)
    assert_same_pixels(imload(tmp_path / "a.tif")[0].array, data)


def test_float_values_are_not_calibrated(tmp_path: Path) -> None:
    data = pixels((2, 5, 7), "f4")
    write_imagej(tmp_path / "a.tif", data, SIGNED)
    assert_same_pixels(imload(tmp_path / "a.tif")[0].array, data)


def test_files_of_a_folder_are_signed_alike(tmp_path: Path) -> None:
    for frame in (1, 2):
        folder = tmp_path / f"{frame} frames"
        folder.mkdir()
        for k in range(3):
            values = (signed() + np.int16(k))[:frame]
            write_imagej(folder / f"{k}.tif", stored(values), SIGNED)
        (image,) = imload(folder)
        frames = [(signed() + np.int16(k))[:frame] for k in range(3)]
        assert (np.asarray(image.array).reshape(-1, 15, 20) == np.concatenate(frames)).all()
