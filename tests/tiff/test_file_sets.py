"""Folders of Micro-Manager, whose files describe each other's positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.codecs.tiff import codec as tiff
from tiff_files import GRAY, NAMESPACE

POSITIONS = [pixels((3, 2, 6, 7), seed=p) for p in range(3)]
"""Three time points of two channels, axes (t, c, y, x)."""


def describe(names: Sequence[str], own: int) -> str:
    """Return the OME-XML of a file, which describes all positions, or only the given ones."""
    text = f'<OME {NAMESPACE} UUID="urn:uuid:{own}">'
    for p, name in enumerate(names):
        blocks = "".join(
            f'<TiffData FirstC="{c}" FirstT="{t}" IFD="{2 * t + c}" PlaneCount="1">'
            f'<UUID FileName="{name}">urn:uuid:{p}</UUID></TiffData>'
            for t in range(3)
            for c in range(2)
        )
        text += (
            f'<Image ID="Image:{p}" Name="Pos{p}"><Pixels ID="Pixels:{p}" DimensionOrder="XYCZT" '
            'Type="uint16" SizeX="7" SizeY="6" SizeZ="1" SizeC="2" SizeT="3">'
            f"{blocks}</Pixels></Image>"
        )
    return text + "</OME>"


def write(path: Path, data: NDArray[np.uint16], text: str, compression: str | None) -> None:
    with tifffile.TiffWriter(path, ome=False) as writer:
        for i, frame in enumerate(data.reshape(-1, 6, 7)):
            description = text.encode() if i == 0 else None
            writer.write(frame, description=description, compression=compression, **GRAY)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_positions_that_describe_each_other_are_opened_once(
    compression: str | None, tmp_path: Path
) -> None:
    names = [f"a_MMStack_Pos{p}.ome.tif" for p in range(3)]
    for p, data in enumerate(POSITIONS):
        write(tmp_path / names[p], data, describe(names, p), compression)
    paths = [tmp_path / name for name in names]
    for images in (imload(tmp_path), imload(paths[1]), tiff.open_many(paths)):
        assert [image.name for image in images] == ["Pos0", "Pos1", "Pos2"]
        for image, data in zip(images, POSITIONS, strict=True):
            assert_same_pixels(np.asarray(image.array).squeeze(), data)


@pytest.mark.parametrize("lengths", [(3, 3), (3, 2)])
def test_positions_that_describe_themselves_are_images(
    lengths: tuple[int, int], tmp_path: Path
) -> None:
    for p, n in enumerate(lengths):
        path = tmp_path / f"a_MMStack_Pos{p}.ome.tif"
        tifffile.imwrite(path, POSITIONS[p][:n], metadata={"axes": "TCYX"})
    images = imload(tmp_path)
    assert len(images) == 2
    for image, data, n in zip(images, POSITIONS, lengths, strict=False):
        assert_same_pixels(np.asarray(image.array).squeeze(), data[:n])
