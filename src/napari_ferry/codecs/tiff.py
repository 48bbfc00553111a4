"""TIFF: ImageJ hyperstacks, OME-TIFF, plain stacks, size-capped series, folders of TIFFs."""

from __future__ import annotations

import glob
import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.blocks import split_box, whole
from napari_ferry.checks import check_pixels, common_losses
from napari_ferry.description import describe
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.ome_xml import TiffData, first_plane, write_ome_xml
from napari_ferry.pixels import pixel_writes
from napari_ferry.plan import Plan, PlannedFile, Write
from napari_ferry.tiff.folder import (
    is_own_part,
    is_part_name,
    read_folder,
    read_part,
    read_stack,
    refuse_torn,
)
from napari_ferry.tiff.read import read_images, stem_of, writer_of
from napari_ferry.tiff.write import (
    CLASSIC_BYTES,
    DIRECTORY_BYTES,
    PART,
    Flavour,
    Layer,
    choose_flavour,
    create_imagej,
    create_json,
    create_ome,
    data_start,
    overhead,
    series_uuid,
)

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
    cap = math.inf if size_cap is None else size_cap * 1e9
    is_ome = stem_of(path) != path.stem
    flavour = choose_flavour(images, ome=is_ome, nbytes=int(min(total, cap)))
    single = _plan_file(layers, path, flavour)
    if single.nbytes < cap:
        return _with_stale(single, path)
    return _with_stale(_plan_series(layers, path, flavour, cap), path)


def _plan_file(layers: Sequence[Layer], path: Path, flavour: Flavour) -> Plan:
    """Plan one file that holds everything."""
    images = [layer.image for layer in layers]
    pages = _first_pages(layers)
    tiff_data = [
        [TiffData(page, layer.nframes, 0, 0, 0)] for page, layer in zip(pages, layers, strict=True)
    ]
    xml = write_ome_xml(images, tiff_data) if flavour == "ome" else ""
    create = _creator(layers, flavour, xml, {})
    nbytes = _file_bytes(layers, create)
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
    extra = 0
    while True:
        parts = [part for layer in layers for part in _split(layer, flavour, cap, extra)]
        paths = [_part_path(path, i) for i in range(len(parts))]
        files = _part_files(parts, paths, flavour, images, identity)
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
    return Plan(tuple(files), tuple(writes), _losses(images, flavour), nframes, identity)


def _split(layer: Layer, flavour: Flavour, cap: float, extra: int) -> list[Layer]:
    """Cut one image into parts that are below the cap with their headers.

    Parameters
    ----------
    extra : int
        Bytes to leave beside what a header is thought to need.
    """
    create = _creator([layer], flavour, "", _part_mark(layer, "", 0, 0))
    fixed, per_frame = overhead(create, layer) + extra, DIRECTORY_BYTES + layer.frame_bytes
    most = int((cap - fixed - 1) // per_frame)
    if most < 1:
        raise InvalidImageError(
            f"One frame needs {(fixed + per_frame) / 1e9:.6g} GB with its header, more than the "
            f"size cap of {cap / 1e9:.6g} GB: raise the cap."
        )
    edges = [np.arange(n + 1) for n in layer.shape[: layer.lead]]
    return [Layer(layer.image, box) for box in split_box(layer.box, layer.lead, most, edges)]


def _part_files(
    parts: Sequence[Layer],
    paths: Sequence[Path],
    flavour: Flavour,
    images: Sequence[Image],
    identity: str,
) -> list[PlannedFile]:
    """Plan the files of a series; those of OME-TIFF each describe the whole."""
    uuids = [series_uuid(identity, i) for i in range(len(parts))]
    tiff_data: list[list[TiffData]] = [
        [
            TiffData(0, part.nframes, *first_plane(image, _first_frame(part)), path.name, uuid)
            for part, path, uuid in zip(parts, paths, uuids, strict=True)
            if part.image is image
        ]
        for image in images
    ]
    files = []
    for i, (part, path) in enumerate(zip(parts, paths, strict=True)):
        xml = write_ome_xml(images, tiff_data, uuid=uuids[i]) if flavour == "ome" else ""
        create = _creator([part], flavour, xml, _part_mark(part, uuids[0], i, len(parts)))
        nbytes = _file_bytes([part], create)
        files.append(PlannedFile(path, nbytes, create, is_own_part))
    return files


def _first_pages(layers: Sequence[Layer]) -> list[int]:
    """Return the page at which each image begins in one file."""
    ends = [0, *itertools.accumulate(layer.nframes for layer in layers)]
    return ends[:-1]


def _first_frame(part: Layer) -> int:
    """Return which frame of the whole image is the first of a part, in C order."""
    counts = part.image.shape[: part.lead]
    starts = [side.start for side in part.box[: part.lead]]
    return int(np.ravel_multi_index(starts, counts)) if starts else 0


def _part_path(path: Path, index: int) -> Path:
    stem = stem_of(path)
    return path.with_name(f"{stem}_{index:05d}{path.name[len(stem) :]}")


def _part_mark(part: Layer, series: str, index: int, count: int) -> dict[str, Any]:
    """Return what a part says of the whole, in its metadata."""
    channels = [[c.name, c.color, c.contrast_limits] for c in part.image.channels]
    return {
        PART: {
            "of": series,
            "index": index,
            "count": count,
            "shape": list(part.image.shape),
            "channels": channels,
        }
    }


def _creator(
    layers: Sequence[Layer], flavour: Flavour, xml: str, part: dict[str, Any]
) -> Callable[..., None]:
    """Return what makes the file of some layers, given where.

    It also takes ``layer=``, which stands for the first of them.
    """
    if flavour == "imagej":
        return partial(create_imagej, layer=layers[0], part=part)
    total = sum(layer.nframes * (layer.frame_bytes + DIRECTORY_BYTES) for layer in layers)
    bigtiff = total + len(xml) > CLASSIC_BYTES
    if flavour == "ome":
        return partial(create_ome, layers=tuple(layers), xml=xml, bigtiff=bigtiff)
    return partial(create_json, layers=tuple(layers), part=part, bigtiff=bigtiff)


def _file_bytes(layers: Sequence[Layer], create: Callable[..., None]) -> int:
    """Return the size of a file, never too small."""
    return sum(
        overhead(create, layer) + layer.nframes * (layer.frame_bytes + DIRECTORY_BYTES)
        for layer in layers
    )


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


def _with_stale(plan: Plan, path: Path) -> Plan:
    """Add the files of an earlier data set of the same name that the new one does not have."""
    pattern = f"{glob.escape(stem_of(path))}_*{glob.escape(path.name[len(stem_of(path)) :])}"
    candidates = [path, *sorted(path.parent.glob(pattern))] if path.parent.is_dir() else []
    stale = tuple(
        found
        for found in candidates
        if found not in plan.paths
        and found.is_file()
        and (found == path or (is_part_name(found) and is_own_part(found)))
    )
    return replace(plan, stale=stale)


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
