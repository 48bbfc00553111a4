"""OME-XML documents of our own and of other programs, for several tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import ome_types

from napari_ferry.image import Image
from napari_ferry.ome_xml import OmeImage, TiffData, parse_ome_xml, write_ome_xml

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
ALL = TiffData(0, -1, 0, 0, 0)


def make(axes: str, shape: tuple[int, ...], dtype: Any = np.uint16, **fields: Any) -> Image:
    array = np.broadcast_to(np.zeros((), dtype), shape)
    return replace(Image.from_array(array, axes), **fields)


def calibrate(image: Image, **steps: tuple[float, str | None]) -> Image:
    axes = [
        replace(axis, **dict(zip(("scale", "unit"), steps.get(axis.name, ()), strict=False)))
        for axis in image.axes
    ]
    return replace(image, axes=tuple(axes))


def write(image: Image, *blocks: TiffData) -> str:
    xml = write_ome_xml([image], [blocks or [ALL]])
    assert "&#" not in xml, "Bio-Formats does not read these"
    ome_types.from_xml(xml, validate=True)
    return xml


def parse(xml: str) -> OmeImage:
    (image,) = parse_ome_xml(xml)
    return image


def foreign(
    pixels: str = "",
    inside: str = '<TiffData IFD="0" PlaneCount="24"/>',
    order: str = "XYCZT",
    sizes: str = 'SizeC="2" SizeZ="3" SizeT="4"',
    image: str = "",
    root: str = "",
    kind: str = "uint16",
    namespace: str = NAMESPACE,
) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{namespace}" {root}>'
        f'<Image ID="Image:0" Name="theirs">{image}<Pixels ID="Pixels:0" DimensionOrder="{order}" '
        f'Type="{kind}" SizeX="7" SizeY="5" {sizes} {pixels}>{inside}</Pixels></Image></OME>'
    )


def planes(times: list[float], unit: str = "") -> str:
    return '<TiffData IFD="0"/>' + "".join(
        f'<Plane TheC="{c}" TheZ="{z}" TheT="{t}" DeltaT="{time + c}" {unit}/>'
        for t, time in enumerate(times)
        for c in range(2)
        for z in range(3)
    )
