"""Images of a TIFF file from a microscope or scanner, one for each of tifffile's series."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import IndexedFrames, ReadFrame
from napari_ferry.codecs.tiff.images.color_table import with_palette
from napari_ferry.codecs.tiff.images.extra_samples import with_page_colors
from napari_ferry.codecs.tiff.images.levels import ImagePages
from napari_ferry.codecs.tiff.images.vendor_tags import (
    VendorMetadata,
    to_number,
    vendor_metadata,
)
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.pages.arrays import open_frames
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved_shape
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS, AxisMove, PageKind
from napari_ferry.codecs.tiff.pages.pixel_size import with_pixel_size
from napari_ferry.codecs.tiff.pages.series_pages import SeriesLevel, open_series, read_level_pages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Image
from napari_ferry.image.axes import default_axes
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME, Description

if TYPE_CHECKING:
    import tifffile

_UNKNOWN = "iq"
"""tifffile's letters for unnamed axes."""

_FALLBACKS = ("uniform", "generic")
"""tifffile's kinds of series for files in an unknown format."""

_SQUARE_ROOT, _LINEAR = 2, 128
"""Values of the tag MD FileTag: samples are square roots, or linear."""


@dataclass(frozen=True)
class ScaledReader(Closable):
    """Reader of frames with a scale factor, stored as integers or as their square roots."""

    read: ReadFrame
    scale: float
    is_root: bool

    def __call__(self, i: int) -> NDArray[Any]:
        values = self.read(i).astype(np.float32)
        return np.asarray((values**2 if self.is_root else values) * self.scale, np.float32)

    def close(self) -> None:
        """Close the reader of the unscaled frames."""
        close(self.read)


@silent_tifffile()
def read_vendor(header: Header) -> list[Image]:
    """Open the images of a microscope's file; none if tifffile does not know its format.

    Raises
    ------
    UnreadableFileError
        The file is cut off.

    Warns
    -----
    FerryWarning
        The metadata of the file are damaged.
    """
    try:
        # MetaMorph stores 0 / 0 for an unknown distance
        with np.errstate(divide="ignore", invalid="ignore"), open_series(header.path) as tif:
            if header.flavor == "stk":
                return _read_stk(header, tif)
            if header.flavor == "micromanager" and not tif.is_ndtiff:
                return []
            if not tif.series or tif.series[0].kind in _FALLBACKS:
                return []
            metadata = vendor_metadata(tif, header.flavor)
            images = [_image(header, series, i, metadata) for i, series in enumerate(tif.series)]
            return [_scaled(image, tif) for image in images]
    except (*TIFFFILE_ERRORS, SyntaxError) as error:  # a SyntaxError of XML
        warn(
            f"The {header.flavor.upper()} metadata of {header.path.name} are damaged ({error}): "
            "its pages are opened as they are."
        )
        return []


class _Level(NamedTuple):
    """One level of a series: its array, names of its axes, and kind of its pages."""

    array: Array
    names: tuple[str, ...]
    kind: PageKind


def _image(
    header: Header, series: tifffile.TiffPageSeries, index: int, metadata: VendorMetadata
) -> Image:
    """Return the image of a series with all its levels; only the first one gets all metadata."""
    full, *smaller = [
        _level(header, level, SeriesLevel(header.path, index, k))
        for k, level in enumerate(series.levels)
    ]
    array, names, kind = full
    own = VendorMetadata(metadata=metadata.metadata) if index else metadata

    unnamed = [letter for letter in series.axes[: len(names)].lower() if letter in _UNKNOWN]
    description = Description(
        shape=tuple(array.shape),
        axes=tuple(map(own.axis, names)),
        dtype=array.dtype.name,
        channels=own.channels_of(dict(zip(names, array.shape, strict=True))),
        name=f"{stem_of(header.path)} {series.name if index else ''}".strip(),
        metadata={**own.metadata, **({ASSUMED: ASSUMED_TIME} if unnamed else {})},
    )
    arrays = [level.array for level in smaller if level.names == names]
    image = with_page_colors(with_palette(description.to_image(array, *arrays), kind), kind)
    return with_pixel_size(image, kind.pixel_size)


def _level(header: Header, series: tifffile.TiffPageSeries, origin: SeriesLevel) -> _Level:
    """Return one level of a series."""
    files, table = read_level_pages(series, origin)
    kind = files[0].kind(0)
    shape, letters = tuple(int(n) for n in series.shape), series.axes.lower()
    lead = len(shape) - len(kind.shape)
    if math.prod(shape[:lead]) != len(table) or shape[lead:] != kind.shape:
        raise ValueError(f"{len(table)} pages of shape {kind.shape} for an image of shape {shape}")

    inner, move = frame_axes(kind)
    if "c" in letters[lead:] and "c" not in inner:  # samples are channels, not a color
        is_last = kind.axes.endswith("s") and len(kind.shape) > 2
        inner, move = "c" + inner.strip("s"), AxisMove(-1, 0) if is_last else None
    pages = ImagePages(files=files, table=table, lead=shape[:lead], move=move)
    array = pages.to_array(moved_shape(kind.shape, move), kind.dtype)
    return _Level(array, (*axis_names(letters[:lead], inner), *inner), kind)


def axis_names(letters: str, inner: str) -> tuple[str, ...]:
    """Return the names of leading axes; unnamed ones get a name by their order.

    >>> axis_names("ti", "yx"), axis_names("i", "cyx"), axis_names("rtq", "yx")
    (('t', 'z'), ('t',), ('r', 't', 'z'))
    """
    free = [name for name in ("t", "z") if name not in letters + inner]
    free += [name for name in default_axes(9) if name not in letters + inner + "tz"]
    names: list[str] = []
    for letter in letters:
        is_used = letter in _UNKNOWN or letter in inner or letter in names
        names.append(free.pop(0) if is_used else letter)
    return tuple(names)


def _scaled(image: Image, tif: tifffile.TiffFile) -> Image:
    """Convert the stored samples of an MD Gel image to intensities."""
    info = tif.mdgel_metadata if tif.is_mdgel else None
    if not info or info.get("FileTag") not in (_SQUARE_ROOT, _LINEAR):
        return image
    numerator, denominator = info["ScalePixel"]
    lead = image.ndim - 2

    def scale(array: Array) -> Frames:
        """Return an array with scaled samples, as float32."""
        frames = Frames(IndexedFrames(array, lead), array.shape, array.dtype, lead)
        scaled = ScaledReader(
            frames.frame, to_number(numerator / denominator), info["FileTag"] == _SQUARE_ROOT
        )
        return Frames(scaled, array.shape, np.float32, lead)

    return replace(image, levels=tuple(map(scale, image.levels)))


def _read_stk(header: Header, tif: tifffile.TiffFile) -> list[Image]:
    """Open a MetaMorph stack: one directory, followed by the pixels of all planes.

    Raises
    ------
    UnreadableFileError
        The file is compressed, or cut off.
    """
    series, info = tif.series[0], tif.stk_metadata or {}
    planes = int(info.get("NumberPlanes", 1))
    if series.kind != "stk":
        return []
    if planes == 1:
        return [_image(header, series, 0, vendor_metadata(tif, "stk"))]

    array = _open_stk(header, planes)
    metadata = vendor_metadata(tif, "stk")
    axes, move = frame_axes(header)
    if move:
        array = array.moveaxis(*(k if k < 0 else k + 1 for k in move))

    letter = series.axes.lower()[:1]
    if letter == "i" and len(metadata.channels) == planes:
        letter = "c"
    names = (*axis_names(letter, axes), *axes)
    description = Description(
        shape=array.shape,
        axes=tuple(map(metadata.axis, names)),
        dtype=array.dtype.name,
        channels=metadata.channels_of(dict(zip(names, array.shape, strict=True))),
        name=stem_of(header.path),
        metadata={**metadata.metadata, **({ASSUMED: ASSUMED_TIME} if letter == "i" else {})},
    )
    return [description.to_image(array)]


def _open_stk(header: Header, planes: int) -> FileArray:
    """Open the planes of a MetaMorph stack; the first axis counts them."""
    end = header.start + planes * header.nbytes
    if header.raw_dtype is None or not header.start or end > header.stamp.nbytes:
        raise UnreadableFileError(
            f"{header.path} should have {planes} planes of {header.nbytes} bytes, but it has "
            f"{header.stamp.nbytes} bytes: get a complete copy of the file, or save it "
            "uncompressed."
        )
    return open_frames(
        header.path, header.start, header.nbytes, planes, header.shape, header.raw_dtype
    )
