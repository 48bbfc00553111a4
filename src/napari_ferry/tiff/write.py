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

from napari_ferry.blocks import Box, box_shape, c_strides
from napari_ferry.description import KEY, describe, to_json
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.imagej import to_imagej, why_not
from napari_ferry.ome_xml import OME_DTYPES

Flavour = Literal["imagej", "ome", "json"]

CLASSIC_BYTES = 2**32 - 2**25
"""Largest file written as classic TIFF, whose offsets have 32 bits; BigTIFF above."""

PART = "ferry_part"
"""Key in the metadata of one file of a size-capped series: which part of what it is."""

_SOFTWARE = "napari-ferry"
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
    box : Box
        Which part of it.
    """

    image: Image
    box: Box

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis of the part."""
        return box_shape(self.box)

    @property
    def lead(self) -> int:
        """Number of axes before y and x."""
        return len(self.box) - (3 if self.image.is_rgb else 2)

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

    def strides(self, flavour: Flavour) -> tuple[int, ...]:
        """Return the bytes in the file between neighbours along each axis of the image."""
        if flavour != "imagej":
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
            for axis, side in zip(self.image.axes, self.box, strict=True)
        )
        channels = self.image.channels
        if channels:
            channels = channels[self.box[self.image.axis_names.index("c")]]
        return replace(
            self.image,
            levels=(room,),
            axes=axes,
            channels=channels,
            metadata={**self.image.metadata, **metadata},
        )


def choose_flavour(images: Sequence[Image], *, ome: bool, nbytes: int) -> Flavour:
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
    foreign = [image for image in images if image.dtype.name not in OME_DTYPES | {"bool"}]
    if ome and foreign:
        raise InvalidImageError(
            f"OME-TIFF cannot hold {foreign[0].dtype.name}: save as .tif, or convert to "
            f"{'int32' if foreign[0].kind == 'labels' else 'a smaller integer or float32'} first."
        )
    if not ome and len(images) == 1 and why_not(images[0]) is None and nbytes < CLASSIC_BYTES:
        return "imagej"
    return "json" if foreign else "ome"


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
        resolution=tags.resolution,
        metadata=tags.metadata,
        software=_SOFTWARE,
    )


def create_ome(
    path: Path | io.BytesIO, *, layers: Sequence[Layer], xml: str, bigtiff: bool
) -> None:
    """Make an OME-TIFF with room for its pixels."""
    _create_pages(path, layers, [xml, *[""] * (len(layers) - 1)], bigtiff)


def create_json(
    path: Path | io.BytesIO, *, layers: Sequence[Layer], part: dict[str, Any], bigtiff: bool
) -> None:
    """Make a TIFF whose description is JSON in tifffile's form, with room for its pixels."""
    _create_pages(path, layers, [_json_description(layer, part) for layer in layers], bigtiff)


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
                description=description or None,
                metadata=None,
                photometric="rgb" if layer.image.is_rgb else "minisblack",
                planarconfig="contig" if layer.image.is_rgb else None,
                extrasamples=["unassalpha"] if layer.image.is_rgb and frame[-1] == 4 else None,
                rowsperstrip=frame[0],
                contiguous=False,
                software=_SOFTWARE,
            )


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
    sizes = zip(layer.image.axis_names, layer.shape, layer.box, strict=True)
    box = tuple(
        slice(side.start, side.start + (n if name == "c" else min(n, small.get(name, 1))))
        for name, n, side in sizes
    )
    tiny = Layer(layer.image, box)
    buffer = io.BytesIO()
    takes_one = "layer" in getattr(create, "keywords", {})
    create(buffer, **({"layer": tiny} if takes_one else {"layers": (tiny,)}))
    return len(buffer.getvalue()) - tiny.nframes * tiny.frame_bytes + _DIGITS


def series_uuid(nonce: str, index: int) -> str:
    """Return the UUID of one file of a series, known before any of them is written."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{nonce}/{index}')}"


def _json_description(layer: Layer, part: dict[str, Any]) -> str:
    """Return the description that tifffile calls shaped, with our record in it."""
    record = describe(layer.to_image(part))
    names = "".join(a.upper() if len(a) == 1 else "Q" for a in layer.image.axis_names)
    return json.dumps({"shape": layer.shape, "axes": names, KEY: to_json(record)})
