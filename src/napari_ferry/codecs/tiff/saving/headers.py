"""Headers of the TIFF files that are written: ImageJ hyperstack, OME-TIFF, and plain with JSON.

A header is made by tifffile with room for the pixels, which are laid in afterwards.

- ImageJ hyperstack where it can hold the image: what Fiji opens best.
- OME-TIFF (schema 2016-06) for everything that its pixel types can hold, and for several images.
- tifffile's JSON description for 64-bit integers and 16-bit floats, which OME does not know.
"""

from __future__ import annotations

import io
import json
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_ferry.arrays import Region
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.regions import region_shape
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image, describe
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import KEY
from napari_ferry.imagej import ImageJTags, to_imagej, unsupported_reason
from napari_ferry.ome_xml import OME_DTYPES
from napari_ferry.units import METERS

Flavor = Literal["imagej", "ome", "json"]

CLASSIC_BYTES = 2**32 - 2**25
"""Largest file written as classic TIFF, whose offsets have 32 bits; BigTIFF above."""

_SOFTWARE = "napari-ferry"
_IMAGEJ_PRIVATE = ("Info", "Labels", "Ranges", "LUTs", "Plot", "ROI", "Overlays", "Properties")
"""What ImageJ keeps in tags of its own, not in the description."""

UNCALIBRATED = ((0, 1), (0, 1))
"""Resolution of pixels of unknown size; 1, as is usual, is taken for one micrometer by some."""

_FINEST = 1e-9
"""Centimeters between pixels, at least, that tags of the resolution can hold."""
DIRECTORY_BYTES = 8 + 16 * 20 + 8
"""Most bytes of one page's directory: BigTIFF, 16 tags."""
_DIGITS = 256
"""Bytes by which a description can grow when its numbers get longer."""


@dataclass(frozen=True)
class Layer:
    """The pixels of one image, or of one part of it, that go into one file.

    Parameters
    ----------
    image : Image
        The whole image.
    region : Region
        Which part of it.
    """

    image: Image
    region: Region

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis of the part."""
        return region_shape(self.region)

    @property
    def lead(self) -> int:
        """Number of axes before y and x."""
        return len(self.region) - self.image.frame_ndim

    @property
    def nframes(self) -> int:
        """Frames of the part."""
        return math.prod(self.shape[: self.lead])

    @property
    def dtype(self) -> np.dtype[Any]:
        """How its samples are stored."""
        return np.dtype(np.uint8) if self.image.dtype == bool else self.image.dtype

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return math.prod(self.shape[self.lead :]) * self.dtype.itemsize

    def strides(self, flavor: Flavor) -> tuple[int, ...]:
        """Return the bytes in the file between neighbors along each axis of the image."""
        if flavor != "imagej":
            return c_strides(self.shape, self.dtype.itemsize)
        names = self.image.axis_names
        stored = [n for n in "tzcyxs" if n in names]
        sizes = dict(zip(names, self.shape, strict=True))
        steps = c_strides([sizes[name] for name in stored], self.dtype.itemsize)
        return tuple(steps[stored.index(name)] for name in names)

    def to_image(self, metadata: dict[str, Any]) -> Image:
        """Return an image of the part alone, for its description; its pixels are not to be read."""
        room = np.broadcast_to(np.zeros((), self.image.dtype), self.shape)
        axes = tuple(
            replace(axis, translation=axis.translation + side.start * axis.scale)
            for axis, side in zip(self.image.axes, self.region, strict=True)
        )
        channels = self.image.channels
        if channels:
            channels = channels[self.region[self.image.axis_names.index("c")]]
        return replace(
            self.image,
            levels=(room,),
            axes=axes,
            channels=channels,
            metadata={**self.image.metadata, **metadata},
        )


def choose_flavor(images: Sequence[Image], *, ome: bool, nbytes: int) -> Flavor:
    """Choose how images are described in a TIFF file.

    Parameters
    ----------
    images : sequence of Image
        What goes into one data set.
    ome : bool
        Whether the name asks for OME-TIFF.
    nbytes : int
        Bytes of the largest file.

    Raises
    ------
    InvalidImageError
        The name asks for OME-TIFF, which has no such pixel type.
    """
    foreign = [image for image in images if not is_ome([image])]
    if ome and foreign:
        raise InvalidImageError(
            f"OME-TIFF cannot hold {foreign[0].dtype.name}: save as .tif, or convert to "
            f"{'int32' if foreign[0].kind == 'labels' else 'a smaller integer or float32'} first."
        )
    if (
        not ome
        and len(images) == 1
        and unsupported_reason(images[0]) is None
        and nbytes < CLASSIC_BYTES
    ):
        return "imagej"
    return "json" if foreign else "ome"


def is_ome(images: Sequence[Image]) -> bool:
    """Whether OME-TIFF knows the data types of all images."""
    return all(image.dtype.name in OME_DTYPES | {"bool"} for image in images)


def create_imagej(path: Path | io.BytesIO, *, layer: Layer, part: dict[str, Any]) -> None:
    """Make an ImageJ hyperstack with room for its pixels."""
    import tifffile

    tags = to_imagej(layer.to_image(part))
    tifffile.imwrite(
        path,
        shape=tags.shape6,
        dtype=layer.dtype,
        byteorder=byteorder([layer]),
        imagej=True,
        photometric="rgb" if layer.image.is_rgb else "minisblack",
        rowsperstrip=layer.shape[layer.lead],
        resolution=tags.resolution or UNCALIBRATED,
        metadata=tags.metadata,
        software=_SOFTWARE,
    )


def imagej_tags(tags: ImageJTags, *, is_rgb: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `tifffile.TiffWriter.write` needs for pages that make up an ImageJ hyperstack.

    Its own way of writing hyperstacks knows only pixels in one piece.

    Returns
    -------
    first : dict
        Description and private tags, of the first page.
    resolution : dict
        Calibration, of every page.
    """
    import tifffile

    private = {k: v for k, v in tags.metadata.items() if k in _IMAGEJ_PRIVATE}
    plain = {k: v for k, v in tags.metadata.items() if k not in _IMAGEJ_PRIVATE}
    first = {
        "description": tifffile.imagej_description(tags.shape6, rgb=is_rgb, **plain),
        "extratags": tifffile.tifffile.imagej_metadata_tag(private, "<"),
    }
    return first, {"resolution": tags.resolution or UNCALIBRATED, "resolutionunit": "none"}


def create_ome(
    path: Path | io.BytesIO, *, layers: Sequence[Layer], xml: str, bigtiff: bool
) -> None:
    """Make an OME-TIFF with room for its pixels."""
    _create_pages(path, layers, [xml, *[""] * (len(layers) - 1)], bigtiff)


def create_json(
    path: Path | io.BytesIO, *, layers: Sequence[Layer], part: dict[str, Any], bigtiff: bool
) -> None:
    """Make a TIFF whose description is JSON in tifffile's form, with room for its pixels."""
    texts = [json_description(layer.to_image(part)) for layer in layers]
    _create_pages(path, layers, texts, bigtiff)


def _create_pages(
    path: Path | io.BytesIO, layers: Sequence[Layer], descriptions: Sequence[str], bigtiff: bool
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
    """Return what tifffile needs to know of every page of an image, but for its description."""
    resolution = resolution_per_cm(image)
    unit = "centimeter" if resolution else "none"
    return {
        "photometric": "rgb" if image.is_rgb else "minisblack",
        "planarconfig": "contig" if image.is_rgb else None,
        "extrasamples": ["unassalpha"] if image.is_rgb and image.size("s") == 4 else None,
        "resolution": resolution or UNCALIBRATED,
        "resolutionunit": unit,
        "software": _SOFTWARE,
    }


def resolution_per_cm(image: Image) -> tuple[float, float] | None:
    """Return pixels per centimeter along (x, y), for readers that know no other calibration.

    ``None`` where they are not known, or are beyond a rational of two 32-bit numbers.
    """
    axes = {axis.name: axis for axis in image.axes}
    centimeters = [axes[n].scale * METERS.get(axes[n].unit or "", 0) * 100 for n in "xy"]
    if not all(_FINEST <= step <= 1 / _FINEST for step in centimeters):
        return None
    return 1 / centimeters[0], 1 / centimeters[1]


def byteorder(layers: Sequence[Layer]) -> Literal["<", ">"]:
    """Return the byte order of a file: big-endian only for pixels that all are."""
    return ">" if all(layer.dtype.byteorder == ">" for layer in layers) else "<"


def data_start(path: Path, *, page: int) -> int:
    """Return where the pixels of one page begin in a file that was created."""
    import tifffile

    with tifffile.TiffFile(path) as tif:
        return int(tif.pages[page].dataoffsets[0])


def overhead(create: Callable[..., None], layer: Layer) -> int:
    """Return the bytes of a file beside its pixels and their directories, never too few.

    Parameters
    ----------
    create : callable
        Makes a file, given where and what is in it, as ``layer=`` or ``layers=``.
    layer : Layer
        What the frames are of; a piece of them is put into a file in memory.
    """
    small = {"y": 2, "x": 2, "s": 4}
    sizes = zip(layer.image.axis_names, layer.shape, layer.region, strict=True)
    region = tuple(
        slice(side.start, side.start + (n if name == "c" else min(n, small.get(name, 1))))
        for name, n, side in sizes
    )
    tiny = Layer(layer.image, region)
    buffer = io.BytesIO()
    takes_one = "layer" in getattr(create, "keywords", {})
    create(buffer, **({"layer": tiny} if takes_one else {"layers": (tiny,)}))
    return len(buffer.getvalue()) - tiny.nframes * tiny.frame_bytes + _DIGITS


def series_uuid(nonce: str, index: int) -> str:
    """Return the UUID of one file of a series, known before any of them is written."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{nonce}/{index}')}"


def json_description(image: Image) -> str:
    """Return the description that tifffile calls shaped, with our record in it."""
    names = "".join(a.upper() if len(a) == 1 else "Q" for a in image.axis_names)
    return json.dumps({"shape": image.shape, "axes": names, KEY: to_json(describe(image))})
