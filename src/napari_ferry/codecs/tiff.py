"""TIFF: ImageJ hyperstacks, OME-TIFF, plain stacks, size-capped series, folders of TIFFs."""

from __future__ import annotations

import itertools
import json
import math
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from napari_ferry.arguments import is_real
from napari_ferry.blocks import whole
from napari_ferry.checks import check_pixels, common_losses
from napari_ferry.description import describe
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.ome_xml import TiffData, write_ome_xml
from napari_ferry.partial import kept_nonce
from napari_ferry.pixels import pixel_writes
from napari_ferry.plan import Plan
from napari_ferry.tiff.folder import (
    read_folder,
    read_part,
    read_stack,
    refuse_torn,
)
from napari_ferry.tiff.names import stem_of
from napari_ferry.tiff.parts import (
    creator,
    file_bytes,
    part_files,
    part_path,
    split_layer,
    with_stale,
)
from napari_ferry.tiff.read import read_images, writer_of
from napari_ferry.tiff.write import (
    PART,
    Flavour,
    Layer,
    choose_flavour,
    data_start,
)
from napari_ferry.writes import PlannedFile, Write

SUFFIXES = (".tif", ".tiff", ".ome.tif", ".ome.tiff")
OPENS_FOLDERS = True


def open(path: Path) -> list[Image]:
    """Open a TIFF file, a size-capped series by any of its parts, or a folder of TIFF files.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    list of Image
        Every image of the file, lazy.

    Raises
    ------
    UnreadableFileError
        Not a TIFF file, damaged, or a part of a series is missing.
    """
    if path.is_dir():
        return read_folder(path)
    refuse_torn(path)
    images = read_images(path)
    return [read_part(path, images[0])] if PART in images[0].metadata else images


def written_by(path: Path) -> str:
    """Return the program that wrote a file, as far as the file says so; empty otherwise."""
    return writer_of(path)


def open_stack(paths: Sequence[Path]) -> list[Image]:
    """Open several TIFF files as one stack, in the order given.

    Raises
    ------
    UnreadableFileError
        A file is damaged, or they do not fit together.
    """
    return read_stack(paths)


def plan(images: Sequence[Image], path: Path, *, size_cap: float | None = 3.9) -> Plan:
    """Plan to save images as TIFF; no pixels are read.

    ``.ome.tif`` is OME-TIFF. ``.tif`` is an ImageJ hyperstack where that can hold the image, and
    OME-TIFF otherwise, or plain TIFF with a JSON description for types that OME does not know.

    Parameters
    ----------
    images : sequence of Image
        What goes into the data set.
    path : Path
        Its name, with suffix.
    size_cap : float, optional
        Largest size of one file in GB (1e9 bytes); larger data sets become several files,
        ``<stem>_00000.tif`` and so on. ``None`` for one file of any size.

    Raises
    ------
    InvalidImageError
        An image that TIFF cannot hold, or a cap that is smaller than one frame.
    """
    layers = [Layer(image, whole(image.shape)) for image in images]
    for image in images:
        check_pixels(image)
        _check_axes(image)
    total = sum(layer.nframes * layer.frame_bytes for layer in layers)
    cap = _cap_bytes(size_cap)
    is_ome = stem_of(path) != path.stem
    flavour = choose_flavour(images, ome=is_ome, nbytes=int(min(total, cap)))
    single = _plan_file(layers, path, flavour)
    if single.nbytes < cap:
        return with_stale(single, path)
    return with_stale(_plan_series(layers, path, flavour, cap), path)


def _cap_bytes(size_cap: float | None) -> float:
    """Return a size cap in bytes, refusing what is no size."""
    if size_cap is None:
        return math.inf
    if not is_real(size_cap) or not size_cap > 0:
        raise InvalidImageError(
            f"The size cap is {size_cap!r}: raise the cap to a number of GB above 0, or give None "
            "for one file of any size."
        )
    return float(size_cap) * 1e9


def _plan_file(layers: Sequence[Layer], path: Path, flavour: Flavour) -> Plan:
    """Plan one file that holds everything."""
    images = [layer.image for layer in layers]
    pages = _first_pages(layers)
    tiff_data = [
        [TiffData(page, layer.nframes, 0, 0, 0)] for page, layer in zip(pages, layers, strict=True)
    ]
    xml = write_ome_xml(images, tiff_data) if flavour == "ome" else ""
    create = creator(layers, flavour, xml, {})
    nbytes = file_bytes(layers, create)
    writes = [
        write
        for layer, page in zip(layers, pages, strict=True)
        for write in _writes(layer, path, flavour, page)
    ]
    return Plan(
        (PlannedFile(path, nbytes, create),),
        tuple(writes),
        _losses(images, flavour),
        sum(layer.nframes for layer in layers),
        _identity(images, flavour),
    )


def _plan_series(layers: Sequence[Layer], path: Path, flavour: Flavour, cap: float) -> Plan:
    """Plan files below the cap, each with some frames of one image, known before the first byte."""
    images = [layer.image for layer in layers]
    if flavour == "json" and len(images) > 1:
        raise InvalidImageError(
            f"{len(images)} images, the first of {images[0].dtype}, are larger than the size cap: "
            "save them one by one, or raise the cap."
        )
    identity = _identity(images, flavour)
    nonce = kept_nonce(part_path(path, 0)) or uuid.uuid4().hex
    extra = 0
    while True:
        parts = [part for layer in layers for part in split_layer(layer, flavour, cap, extra)]
        paths = [part_path(path, i) for i in range(len(parts))]
        files = part_files(parts, paths, flavour, images, nonce)
        too_large = max(file.nbytes for file in files) - math.ceil(cap) + 1
        if too_large <= 0:
            break
        extra += too_large
    writes = [
        write
        for part, place in zip(parts, paths, strict=True)
        for write in _writes(part, place, flavour, 0)
    ]
    nframes = sum(layer.nframes for layer in layers)
    losses = _losses(images, flavour)
    return Plan(tuple(files), tuple(writes), losses, nframes, identity, nonce=nonce)


def _first_pages(layers: Sequence[Layer]) -> list[int]:
    """Return the page at which each image begins in one file."""
    ends = [0, *itertools.accumulate(layer.nframes for layer in layers)]
    return ends[:-1]


def _writes(part: Layer, path: Path, flavour: Flavour, page: int) -> list[Write]:
    """Plan the writes that lay the pixels of one part into its file."""
    return pixel_writes(
        path,
        part.image.array,
        part.box,
        lead=part.lead,
        strides=part.strides(flavour),
        dtype=part.dtype,
        locate=partial(data_start, page=page),
    )


def _check_axes(image: Image) -> None:
    """Refuse an order of axes that no TIFF file can hold."""
    if image.axis_names[-2:] != ("y", "x") and image.axis_names[-3:] != ("y", "x", "s"):
        raise InvalidImageError(
            f"The axes are {' '.join(image.axis_names)}; in a TIFF y and x (and the samples s of "
            "a colour) come last: transpose the array first."
        )


def _losses(images: Sequence[Image], flavour: Flavour) -> tuple[str, ...]:
    losses = [
        "truth values are stored as 0 and 1 of uint8; napari-ferry gives them back as they were"
        for image in images
        if image.dtype == bool
    ]
    losses += [
        f"the axis {axis.name} is counted as one of t, z, c in OME-TIFF; only napari-ferry "
        "knows it by its name"
        for image in images
        for axis in image.axes
        if flavour == "ome" and axis.name not in "tczyxs"
    ]
    losses += common_losses(images)
    return tuple(dict.fromkeys(losses))


def _identity(images: Sequence[Image], flavour: Flavour) -> str:
    """Return what tells one save from another, but for its files and their size."""
    return json.dumps([flavour, *(describe(image) for image in images)], sort_keys=True)
