"""Headers of TIFF files: ImageJ hyperstack, OME-TIFF, and plain TIFF with JSON.

tifffile writes a header with space for the pixels, which are written later.

- ImageJ hyperstack: opens best in Fiji.
- OME-TIFF (schema 2016-06): several images, and all data types of OME.
- tifffile's JSON: data types unknown to OME, such as 64-bit integers and 16-bit floats.
"""

from __future__ import annotations

import io
import itertools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.saving.layer import Flavor, Layer
from napari_ferry.image import Image, describe
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import KEY
from napari_ferry.imagej import to_imagej
from napari_ferry.ome_xml import OME_DTYPES, TiffData, write_ome_xml
from napari_ferry.units import METERS

CLASSIC_BYTES = 2**32 - 2**25
"""Maximum size of a classic TIFF file with 32-bit offsets; larger files are BigTIFF."""

DIRECTORY_BYTES = 8 + 16 * 20 + 8
"""Maximum size of the directory of one page: BigTIFF, 16 tags."""

_SOFTWARE = "napari-ferry"
_IMAGEJ_PRIVATE = ("Info", "Labels", "Ranges", "LUTs", "Plot", "ROI", "Overlays", "Properties")
"""Metadata stored in ImageJ's private tags, not in its description."""

_UNCALIBRATED = ((0, 1), (0, 1))
"""Resolution of pixels of unknown size; some programs read the usual 1 as one micrometer."""

_MIN_CENTIMETERS = 1e-9
"""Minimum distance between pixels in the resolution tags, in centimeters."""

_DIGITS = 256
"""Number of bytes reserved for longer numbers in a description."""

Target = Path | io.BytesIO

Options = Mapping[str, Any]
"""Keyword arguments of `tifffile.TiffWriter.write`."""


def is_ome(images: Sequence[Image]) -> bool:
    """Return True if OME-TIFF holds the data types of all images."""
    return all(image.dtype.name in OME_DTYPES | {"bool"} for image in images)


@silent_tifffile()
def create_imagej(path: Target, *, layers: Sequence[Layer]) -> None:
    """Create an ImageJ hyperstack of one layer, with space for its pixels."""
    import tifffile

    (layer,) = layers
    tags = to_imagej(layer.to_image({}))
    tifffile.imwrite(
        path,
        shape=tags.shape6,
        dtype=layer.dtype,
        byteorder=byteorder(layers),
        imagej=True,
        photometric="rgb" if layer.image.is_rgb else "minisblack",
        rowsperstrip=layer.shape[layer.lead],
        resolution=tags.resolution or _UNCALIBRATED,
        metadata=tags.metadata,
        software=_SOFTWARE,
    )


def create_ome(path: Target, *, layers: Sequence[Layer], xml: str, bigtiff: bool) -> None:
    """Create an OME-TIFF file with space for its pixels."""
    _create_pages(path, layers, [xml, *[""] * (len(layers) - 1)], bigtiff)


def create_json(
    path: Target, *, layers: Sequence[Layer], part: Mapping[str, Any], bigtiff: bool
) -> None:
    """Create a TIFF file with JSON descriptions in tifffile's form, with space for its pixels."""
    texts = [json_description(layer.to_image(part)) for layer in layers]
    _create_pages(path, layers, texts, bigtiff)


@silent_tifffile()
def _create_pages(
    path: Target, layers: Sequence[Layer], descriptions: Sequence[str], bigtiff: bool
) -> None:
    import tifffile

    order = byteorder(layers)
    with tifffile.TiffWriter(path, bigtiff=bigtiff, byteorder=order, ome=False) as writer:
        for layer, description in zip(layers, descriptions, strict=True):
            frame = layer.shape[layer.lead :]
            writer.write(
                shape=(layer.nframes, *frame) if layer.nframes > 1 else frame,
                dtype=layer.dtype,
                description=description.encode() or None,
                metadata=None,
                rowsperstrip=frame[0],
                contiguous=False,
                **page_options(layer.image),
            )


def page_options(image: Image) -> dict[str, Any]:
    """Return the options of `tifffile.TiffWriter.write` for the pages of an image."""
    resolution = _resolution_per_cm(image)
    unit = "centimeter" if resolution else "none"
    return {
        "photometric": "rgb" if image.is_rgb else "minisblack",
        "planarconfig": "contig" if image.is_rgb else None,
        "extrasamples": ["unassalpha"] if image.is_rgb and image.size("s") == 4 else None,
        "resolution": resolution or _UNCALIBRATED,
        "resolutionunit": unit,
        "software": _SOFTWARE,
    }


class PageOptions(NamedTuple):
    """Options of tifffile for the pages of several images.

    Parameters
    ----------
    first : tuple of mapping
        Additional options for the first page of each image, such as its description.
    every : tuple of mapping
        Options for every page of each image.
    """

    first: tuple[Options, ...]
    every: tuple[Options, ...]


def writer_options(layers: Sequence[Layer], flavor: Flavor) -> PageOptions:
    """Return options of `tifffile.TiffWriter.write` for a single file of encoded pages."""
    every = [page_options(layer.image) for layer in layers]
    if flavor == "imagej":
        first, resolution = _imagej_options(layers[0].image)
        return PageOptions(first=(first,), every=({**every[0], **resolution},))
    texts: list[str | None] = [json_description(layer.image) for layer in layers]
    if flavor == "ome":
        texts = [single_file_xml(layers), *[None] * (len(layers) - 1)]
    descriptions = tuple({"description": text and text.encode()} for text in texts)
    return PageOptions(first=descriptions, every=tuple(every))


def _imagej_options(image: Image) -> tuple[Options, Options]:
    """Return options for the first page of an ImageJ hyperstack, and for every page.

    tifffile's own hyperstacks are limited to contiguous pixels.
    """
    import tifffile

    tags = to_imagej(image)
    private = {k: v for k, v in tags.metadata.items() if k in _IMAGEJ_PRIVATE}
    plain = {k: v for k, v in tags.metadata.items() if k not in _IMAGEJ_PRIVATE}
    first = {
        "description": tifffile.imagej_description(tags.shape6, rgb=image.is_rgb, **plain),
        "extratags": tifffile.tifffile.imagej_metadata_tag(private, "<"),
    }
    return first, {"resolution": tags.resolution or _UNCALIBRATED, "resolutionunit": "none"}


def _resolution_per_cm(image: Image) -> tuple[float, float] | None:
    """Return pixels per centimeter along (x, y), for readers without other calibration.

    ``None`` if they are unknown, or outside the range of a rational of two 32-bit numbers.
    """
    axes = {axis.name: axis for axis in image.axes}
    centimeters = [axes[n].scale * METERS.get(axes[n].unit or "", 0) * 100 for n in "xy"]
    if not all(_MIN_CENTIMETERS <= step <= 1 / _MIN_CENTIMETERS for step in centimeters):
        return None
    return 1 / centimeters[0], 1 / centimeters[1]


def byteorder(layers: Sequence[Layer]) -> Literal["<", ">"]:
    """Return the byte order of a file: big-endian only if all its pixels are."""
    return ">" if all(layer.dtype.byteorder == ">" for layer in layers) else "<"


def data_start(path: Path, *, page: int) -> int:
    """Return the offset of the pixels of one page in a created file, in bytes."""
    import tifffile

    with silent_tifffile(), tifffile.TiffFile(path) as tif:
        return int(tif.pages[page].dataoffsets[0])


def json_description(image: Image) -> str:
    """Return a description in tifffile's JSON form ("shaped"), with our record in it."""
    names = "".join(a.upper() if len(a) == 1 else "Q" for a in image.axis_names)
    return json.dumps({"shape": image.shape, "axes": names, KEY: to_json(describe(image))})


def series_uuid(nonce: str, index: int) -> str:
    """Return the UUID of one file of a series, known before any file is written."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{nonce}/{index}')}"


def single_file_xml(layers: Sequence[Layer]) -> str:
    """Return the OME-XML of a single file with all images, one after the other."""
    tiff_data = [
        [TiffData(page, layer.nframes, 0, 0, 0)]
        for page, layer in zip(first_pages(layers), layers, strict=True)
    ]
    return write_ome_xml([layer.image for layer in layers], tiff_data)


def first_pages(layers: Sequence[Layer]) -> list[int]:
    """Return the first page of each image in a single file."""
    return [*itertools.accumulate((layer.nframes for layer in layers[:-1]), initial=0)]


def header_writer(
    layers: Sequence[Layer], flavor: Flavor, xml: str, part: Mapping[str, Any]
) -> Callable[..., None]:
    """Return the function to create the file of some layers.

    It takes a path or buffer, and optionally other ``layers=``. `xml` is for OME-TIFF, and `part`
    is metadata for the JSON of one part of a series.
    """
    described = tuple(layer.without_pixels() for layer in layers)  # it may be sent to a cluster
    if flavor == "imagej":
        return partial(create_imagej, layers=described)
    bigtiff = sum(map(stored_bytes, layers)) + len(xml) > CLASSIC_BYTES
    if flavor == "ome":
        return partial(create_ome, layers=described, xml=xml, bigtiff=bigtiff)
    return partial(create_json, layers=described, part=part, bigtiff=bigtiff)


def file_bytes(layers: Sequence[Layer], create: Callable[..., None]) -> int:
    """Return an upper bound of the size of an uncompressed file in bytes."""
    return sum(header_bytes(create, layer) + stored_bytes(layer) for layer in layers)


def stored_bytes(layer: Layer) -> int:
    """Return the size of the pixels and directories of a layer in bytes."""
    return layer.nframes * (layer.frame_bytes + DIRECTORY_BYTES)


def tiny_layer(layer: Layer) -> Layer:
    """Return a few pixels of a layer, whose file has a header of the same size."""
    small = {"y": 2, "x": 2, "s": 4}
    sizes = zip(layer.image.axis_names, layer.shape, layer.region, strict=True)
    region = tuple(
        slice(side.start, side.start + (n if name == "c" else min(n, small.get(name, 1))))
        for name, n, side in sizes
    )
    return Layer(layer.image, region)


def header_bytes(create: Callable[..., None], layer: Layer) -> int:
    """Return an upper bound of the size of a header, without directories, in bytes.

    Parameters
    ----------
    create : callable
        A `header_writer`; it creates a file of a few pixels in memory.
    layer : Layer
        The stored pixels.
    """
    tiny = tiny_layer(layer)
    buffer = io.BytesIO()
    create(buffer, layers=(tiny,))
    return len(buffer.getvalue()) - tiny.nframes * tiny.frame_bytes + _DIGITS
