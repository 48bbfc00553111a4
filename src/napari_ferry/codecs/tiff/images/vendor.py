"""TIFF files of microscopes and scanners -> images, grouped as tifffile's series are."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.frames import ReadFrame
from napari_ferry.arrays.stack import Indexed
from napari_ferry.codecs.tiff.images.color_table import with_palette
from napari_ferry.codecs.tiff.images.vendor_tags import VendorFacts, number, said_by
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.pages.arrays import map_frames, pages_array
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS, PageKind
from napari_ferry.codecs.tiff.pages.series_pages import told_pages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.image.axes import default_axes
from napari_ferry.image.record import ASSUMED, Description
from napari_ferry.imagej import ASSUMED_TIME

if TYPE_CHECKING:
    import tifffile

_UNKNOWN = "iq"
"""tifffile's letters for axes that nobody named."""

_FALLBACKS = ("uniform", "generic")
"""Kinds of series that tifffile makes of what it does not know better."""

_SQUARES = 2
"""How MD Gel files say that they keep square roots."""


@dataclass(frozen=True)
class Scaled:
    """Reads frames whose values are stored as whole numbers, or as square roots of them."""

    read: ReadFrame
    scale: float
    is_root: bool

    def __call__(self, i: int) -> NDArray[Any]:
        values = self.read(i).astype(np.float32)
        return np.asarray((values**2 if self.is_root else values) * self.scale, np.float32)


def read_vendor(header: Header) -> list[Image]:
    """Open the images of a microscope's file; none where tifffile does not know it after all.

    Raises
    ------
    UnreadableFileError
        It is cut off.

    Warns
    -----
    FerryWarning
        What it says of itself is damaged.
    """
    import tifffile

    try:
        with tifffile.TiffFile(header.path) as tif:
            if header.flavor == "stk":
                return _read_stk(header, tif)
            if header.flavor == "micromanager" and not tif.is_ndtiff:
                return []
            if not tif.series or tif.series[0].kind in _FALLBACKS:
                return []
            said = said_by(tif, header.flavor)
            images = [_image(header, series, i, said) for i, series in enumerate(tif.series)]
            return [_scaled(image, tif) for image in images]
    except (*TIFFFILE_ERRORS, SyntaxError) as error:  # of XML, too
        warnings.warn(
            f"What {header.path.name} says of itself as a file of {header.flavor.upper()} is "
            f"damaged ({error}): its pages are opened as they are.",
            FerryWarning,
            stacklevel=3,
        )
        return []


def _image(header: Header, series: tifffile.TiffPageSeries, i: int, said: VendorFacts) -> Image:
    """Return one series with all its levels."""
    first, *smaller = [_level(header, level, (i, k)) for k, level in enumerate(series.levels)]
    array, names, kind = first
    known = said if not i else VendorFacts(metadata=said.metadata)
    channels = known.channels_of(dict(zip(names, array.shape, strict=True)).get("c", 1))
    unnamed = [letter for letter in series.axes[: len(names)].lower() if letter in _UNKNOWN]
    description = Description(
        shape=tuple(array.shape),
        axes=tuple(map(known.axis, names)),
        dtype=array.dtype.name,
        channels=channels if "c" in names else (),
        name=f"{stem_of(header.path)} {series.name}".strip() if i else "",
        metadata={**known.metadata, **({ASSUMED: ASSUMED_TIME} if unnamed else {})},
    )
    arrays = [level for level, found, _ in smaller if found == names]
    return with_palette(description.to_image(array, *arrays), kind)


def _level(
    header: Header, series: tifffile.TiffPageSeries, place: tuple[int, int]
) -> tuple[Array, tuple[str, ...], PageKind]:
    """Return the array of one level, the names of its axes, and what its pages are."""
    files, table = told_pages(header.path, series, place)
    source = files[0]
    kind = source.kind(0)
    shape, letters = tuple(int(n) for n in series.shape), series.axes.lower()
    lead = len(shape) - len(kind.shape)
    if math.prod(shape[:lead]) != len(table) or shape[lead:] != kind.shape:
        raise ValueError(f"{len(table)} pages of {kind.shape} for {shape}")
    inner, move = frame_axes(kind)
    if "c" in letters[lead:] and "c" not in inner:  # samples are channels, whatever their color
        last = kind.axes.endswith("s") and len(kind.shape) > 2
        inner, move = "c" + inner.strip("s"), (-1, 0) if last else None
    array = pages_array(files, table, shape[:lead], moved(kind.shape, move), kind.dtype, move=move)
    return array, (*axis_names(letters[:lead], inner), *inner), kind


def axis_names(letters: str, inner: str) -> tuple[str, ...]:
    """Return the names of leading axes; those that nobody named are called by their order.

    >>> axis_names("ti", "yx"), axis_names("i", "cyx"), axis_names("rtq", "yx")
    (('t', 'z'), ('t',), ('r', 't', 'z'))
    """
    free = [name for name in ("t", "z") if name not in letters + inner]
    free += [name for name in default_axes(9) if name not in letters + inner + "tz"]
    names: list[str] = []
    for letter in letters:
        taken = letter in _UNKNOWN or letter in inner or letter in names
        names.append(free.pop(0) if taken else letter)
    return tuple(names)


def _scaled(image: Image, tif: tifffile.TiffFile) -> Image:
    """Give an image of MD Gel the values that are meant."""
    info = tif.mdgel_metadata if tif.is_mdgel else None
    if not info or info.get("FileTag") not in (_SQUARES, 128):
        return image
    top, bottom = info["ScalePixel"]
    lead = image.ndim - 2

    def read(array: Array) -> Frames:
        frames = Frames(Indexed(array, lead), array.shape, array.dtype, lead)
        scaled = Scaled(frames.frame, number(top / bottom), info["FileTag"] == _SQUARES)
        return Frames(scaled, array.shape, np.float32, lead)

    return replace(image, levels=tuple(map(read, image.levels)))


def _read_stk(header: Header, tif: tifffile.TiffFile) -> list[Image]:
    """Open a stack of MetaMorph: one directory, behind whose pixels those of all planes follow.

    Raises
    ------
    UnreadableFileError
        It is compressed, or cut off.
    """
    series, info = tif.series[0], tif.stk_metadata or {}
    planes = int(info.get("NumberPlanes", 1))
    if series.kind != "stk":
        return []
    if planes == 1:
        return [_image(header, series, 0, said_by(tif, "stk"))]
    end = header.start + planes * header.nbytes
    if header.raw_dtype is None or not header.start or end > header.stamp.nbytes:
        raise UnreadableFileError(
            f"{header.path} announces {planes} planes of {header.nbytes} bytes and has "
            f"{header.stamp.nbytes} bytes: get a whole copy, or save it uncompressed."
        )
    said = said_by(tif, "stk")
    array = map_frames(
        header.path, header.start, header.nbytes, planes, header.shape, header.raw_dtype
    )
    axes, move = frame_axes(header)
    letters = series.axes.lower()[:1]
    if letters == "i" and len(said.channels) == planes:
        letters = "c"
    if move:
        array = np.moveaxis(array, *(k if k < 0 else k + 1 for k in move))
    names = (*axis_names(letters, axes), *axes)
    description = Description(
        shape=array.shape,
        axes=tuple(map(said.axis, names)),
        dtype=array.dtype.name,
        channels=said.channels if letters == "c" else (),
        metadata={**said.metadata, **({ASSUMED: ASSUMED_TIME} if letters == "i" else {})},
    )
    return [description.to_image(array)]
