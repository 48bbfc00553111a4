"""OME-TIFF files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis


@pytest.mark.parametrize("axes", ["TCZYX", "ZCTYX", "CTZYX", "TZCYX"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_ome_tiff_of_tifffile(axes: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((1, 2, 3, 6, 7))
    metadata = {
        **{"axes": axes, "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "TimeIncrement": 50.0},
        **{"PhysicalSizeY": 300.0, "PhysicalSizeYUnit": "nm", "TimeIncrementUnit": "ms"},
        "Channel": {"Name": [f"ch{i}" for i in range(data.shape[axes.index("C")])]},
    }
    tifffile.imwrite(tmp_path / "foreign.ome.tif", data, ome=True, metadata=metadata, **options)
    (image,) = imload(tmp_path / "foreign.ome.tif")
    assert_same_pixels(image.array, data)
    assert "".join(image.axis_names).upper() == axes
    assert image.axis("x") == Axis("x", 0.2, "micrometer")
    assert image.axis("y") == Axis("y", 300, "nanometer")
    assert image.axis("t") == Axis("t", 50, "millisecond")
    assert [c.name for c in image.channels] == metadata["Channel"]["Name"]


def test_ome_tiff_data_in_odd_order(tmp_path: Path) -> None:
    data, order = pixels((5, 6, 7)), [3, 0, 4, 2, 1]
    blocks = "".join(
        f'<TiffData IFD="{page}" FirstT="{t}" FirstC="0" FirstZ="0" PlaneCount="1"/>'
        for page, t in enumerate(order)
    )
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        f'SizeC="1" SizeT="5">{blocks}</Pixels></Image></OME>'
    )
    tifffile.imwrite(
        tmp_path / "odd.ome.tif", data, description=xml, metadata=None, photometric="minisblack"
    )

    (image,) = imload(tmp_path / "odd.ome.tif")
    expected = np.empty_like(data)
    expected[order] = data
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), expected)


def test_an_intact_image_next_to_a_damaged_one_opens(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    with tifffile.TiffWriter(tmp_path / "p.ome.tif", ome=True) as writer:
        writer.write(data, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(data[0, :7], photometric="minisblack")
    raw = (tmp_path / "p.ome.tif").read_bytes()
    (tmp_path / "p.ome.tif").write_bytes(raw.replace(b'SizeY="7"', b'SizeY="9"'))
    with pytest.warns(FerryWarning, match="some of its images"):
        (image,) = imload(tmp_path / "p.ome.tif")
    assert_same_pixels(np.asarray(image.array).squeeze(), data)
