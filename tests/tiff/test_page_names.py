"""Names of channels in the pages of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import pixels
from napari_ferry import imload
from napari_ferry.image import Image

_QPI = (
    '<?xml version="1.0" encoding="utf-16"?><PerkinElmer-QPI-ImageDescription>'
    "<ImageType>FullResolution</ImageType><Name>{name}</Name>{more}"
    "</PerkinElmer-QPI-ImageDescription>"
)


def write_named(path: Path, names: Sequence[str], **options: Any) -> None:
    with tifffile.TiffWriter(path) as writer:
        for i, name in enumerate(names):
            raw = name.encode() + b"\0"
            tags = [(285, 2, len(raw), raw, True)] if name else []
            writer.write(
                np.full((5, 7), i, "u2"), photometric="minisblack", contiguous=False,
                extratags=tags, **options,
            )  # fmt: skip


def summary(image: Image) -> tuple[str, tuple[int, ...], list[str | None]]:
    return "".join(image.axis_names), image.shape, [channel.name for channel in image.channels]


@pytest.mark.parametrize("options", [{"metadata": None}, {}])
@pytest.mark.parametrize(
    "names",
    [
        ["DNA1(Ir191)", "CD45(Sm152)", "Ki67(Er168)"],
        ["CD3", "CD8", "CD20"],
        ["CD3(Er170)", "CD8(Dy162)", "CD20(Dy161)"],
    ],
)
def test_names_of_pages_are_channels(
    tmp_path: Path, names: list[str], options: dict[str, Any]
) -> None:
    write_named(tmp_path / "a.tif", names, **options)
    (image,) = imload(tmp_path / "a.tif")
    assert summary(image) == ("cyx", (3, 5, 7), names)
    assert "assumed" not in image.metadata
    assert (np.asarray(image.array)[:, 0, 0] == [0, 1, 2]).all()


@pytest.mark.parametrize(
    "names",
    [
        ["Page 1", "Page 2", "Page 3"],
        ["img001", "img005", "img006"],
        ["12:00:01", "12:00:03", "12:00:04"],
        ["0.5 s", "1.2 s", "3.1 s"],
        ["scan", "scan", "scan"],
        ["DAPI", "", "GFP"],
        ["", "DAPI", "GFP"],
    ],
)
def test_names_that_number_pages_are_frames(tmp_path: Path, names: list[str]) -> None:
    write_named(tmp_path / "a.tif", names, metadata=None)
    (image,) = imload(tmp_path / "a.tif")
    assert summary(image) == ("tyx", (3, 5, 7), [])


def test_repeated_names_are_times_of_channels(tmp_path: Path) -> None:
    write_named(tmp_path / "a.tif", ["DAPI", "GFP"] * 3, metadata=None)
    (image,) = imload(tmp_path / "a.tif")
    assert summary(image) == ("tcyx", (3, 2, 5, 7), ["DAPI", "GFP"])
    assert (np.asarray(image.array)[:, :, 0, 0] == [[0, 1], [2, 3], [4, 5]]).all()

    write_named(tmp_path / "b.tif", ["DAPI"] * 3 + ["GFP"] * 3, metadata=None)
    (image,) = imload(tmp_path / "b.tif")
    assert summary(image) == ("ctyx", (2, 3, 5, 7), ["DAPI", "GFP"])
    write_named(tmp_path / "c.tif", ["DAPI", "GFP", "DAPI"], metadata=None)
    assert summary(imload(tmp_path / "c.tif")[0]) == ("tyx", (3, 5, 7), [])


def test_mibi_pages_name_their_targets(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        for k, target in enumerate(["CD1", "CD2", None]):
            values = {"mibi.version": "1", "channel.mass": 89 + k, "channel.target": target}
            writer.write(
                pixels((5, 7)), description=json.dumps(values), metadata=None,
                software="IonpathMIBIv1.0", photometric="minisblack", contiguous=False,
            )  # fmt: skip
    assert summary(imload(tmp_path / "a.tiff")[0]) == ("cyx", (3, 5, 7), ["CD1", "CD2", "91"])


def test_qpi_pages_name_their_channels(tmp_path: Path) -> None:
    names, colors = ["DAPI", "CD8 (Opal 520)", "A &amp; B"], ["0,0,255", "0,255,0", "999,0,0"]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for k, name in enumerate(names):
            more = f"<Color>{colors[k]}</Color>"
            writer.write(
                np.full((64, 64), k, "f4"), description=_QPI.format(name=name, more=more),
                metadata=None, software="PerkinElmer-QPI", photometric="minisblack",
                contiguous=False,
            )  # fmt: skip
    (image,) = imload(tmp_path / "a.tif")
    assert summary(image)[2] == ["DAPI", "CD8 (Opal 520)", "A & B"]
    assert [channel.color for channel in image.channels] == ["#0000ff", "#00ff00", None]
