"""TIFF: ImageJ hyperstacks, OME-TIFF, plain stacks, size-capped series, folders of TIFFs."""

from __future__ import annotations

import json
import math
import typing
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from napari_ferry.arguments import is_real
from napari_ferry.arrays import whole_region
from napari_ferry.codecs.tiff.folders.folder import read_folder, read_stack
from napari_ferry.codecs.tiff.folders.own_series import read_part, refuse_torn, series_files
from napari_ferry.codecs.tiff.images.read import read_images, writer_of
from napari_ferry.codecs.tiff.metadata_json import is_own_metadata, metadata_text, read_notes
from napari_ferry.codecs.tiff.names import PART, stem_of
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    Flavor,
    Layer,
    choose_flavor,
    is_ome,
)
from napari_ferry.codecs.tiff.saving.page_encoder import Compression, PageFormat
from napari_ferry.codecs.tiff.saving.parts import part_path, with_stale
from napari_ferry.codecs.tiff.saving.plan_compressed import (
    choose_pages,
    most_bytes,
    plan_encoded_file,
    plan_encoded_series,
)
from napari_ferry.codecs.tiff.saving.plan_uncompressed import plan_laid_file, plan_laid_series
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image, check_pixels, common_losses, describe
from napari_ferry.image.checks import check_frame_axes
from napari_ferry.image.record import NOTES
from napari_ferry.imagej import step_losses
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.partial import resumable_nonce
from napari_ferry.saving.write import write_text

SUFFIXES = (".tif", ".tiff", ".ome.tif", ".ome.tiff")
ALSO_OPENS = (".lsm", ".stk", ".svs", ".ndpi", ".scn", ".bif", ".qptiff", ".btf", ".tf2", ".tf8")
"""What microscopes and slide scanners call their TIFF files, and names of BigTIFF."""

FOLDER_PRIORITY = 3

Pages = Sequence[PageFormat]
"""How the pages of each image are encoded."""


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
    if PART in images[0].metadata:
        return [read_part(path, images[0])]
    return [_with_notes(image, path) for image in images]


def _with_notes(image: Image, path: Path) -> Image:
    """Add the notes that stand beside an image file, unless it has its own."""
    notes = "" if NOTES in image.metadata else read_notes(path, image)
    return replace(image, metadata={**image.metadata, NOTES: notes}) if notes else image


def written_by(path: Path) -> str:
    """Return the program that wrote a file, as far as the file says so; empty otherwise."""
    return writer_of(path)


def open_many(paths: Sequence[Path]) -> list[Image]:
    """Open several TIFF files as one stack, in the order given.

    Raises
    ------
    UnreadableFileError
        A file is damaged, or they do not fit together.
    """
    return read_stack(paths)


def members(path: Path) -> list[Path]:
    """Return the files of the size-capped series that a file is a part of, or the file alone."""
    return series_files(path)


def plan(
    images: Sequence[Image],
    path: Path,
    *,
    size_cap: float | None = 3.9,
    compression: Compression = "none",
    pyramid: bool | None = None,
    metadata_json: bool = False,
) -> Plan:
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
    compression : {"none", "zlib", "zstd", "lzw"}
        How pages are packed, without loss. Every program reads zlib and lzw; zstd is faster, and
        few programs read it.
    pyramid : bool, optional
        Whether smaller copies stand beside each plane, as OME-TIFF, so that large planes show
        quickly. When absent, OME-TIFF files of planes above 4096 pixels a side have them.
    metadata_json : bool
        Whether to write ``<name>.json``, too, with everything that is known of the images.

    Raises
    ------
    InvalidImageError
        An image that TIFF cannot hold, or a cap that is smaller than one frame.
    """
    layers = [Layer(image, whole_region(image.shape)) for image in images]
    for image in images:
        check_pixels(image)
        # samples of any number can be stored, but 3 or 4 of them are a color
        if image.axis_names[-3:] != ("y", "x", "s"):
            check_frame_axes(image, "in a TIFF file")
    total = sum(layer.nframes * layer.frame_bytes for layer in layers)
    cap = _cap_bytes(size_cap)
    _check_options(compression, pyramid)
    wants_ome = stem_of(path) != path.stem or bool(pyramid)
    flavor = choose_flavor(images, ome=wants_ome, nbytes=total)
    pages = choose_pages(layers, flavor, compression, pyramid)
    if flavor == "imagej" and most_bytes(layers, pages) >= CLASSIC_BYTES:  # no BigTIFF for ImageJ
        flavor = "ome"
        pages = choose_pages(layers, flavor, compression, pyramid)
    # a long plan for one file is not made where its pages alone are too large
    is_large = any(page.is_encoded for page in pages) and most_bytes(layers, pages) >= cap
    planned = None if is_large else _plan_file(layers, path, flavor, pages)
    if planned is None or planned.nbytes >= cap:
        flavor = "ome" if is_ome(images) else "json"
        pages = choose_pages(layers, flavor, compression, pyramid)
        planned = _plan_series(layers, path, flavor, pages, cap)
    planned = with_stale(planned, path)
    return _with_metadata(planned, images, path) if metadata_json else planned


def _with_metadata(planned: Plan, images: Sequence[Image], path: Path) -> Plan:
    """Add the file beside images that says what is known of them."""
    text = metadata_text(images)
    create = partial(write_text, text=text)
    beside = path.with_name(f"{stem_of(path)}.json")
    file = PlannedFile(
        path=beside, nbytes=len(text.encode()), create=create, may_replace=is_own_metadata
    )
    return replace(planned, files=(*planned.files, file))


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


def _plan_file(layers: Sequence[Layer], path: Path, flavor: Flavor, pages: Pages) -> Plan:
    """Plan one file that holds everything."""
    base = _plan_without_files(layers, flavor, pages)
    if any(page.is_encoded for page in pages):
        files, stream = plan_encoded_file(layers, path, flavor, pages)
        return replace(base, files=files, stream=stream)
    files, writes = plan_laid_file(layers, path, flavor)
    return replace(base, files=files, writes=writes)


def _plan_series(
    layers: Sequence[Layer], path: Path, flavor: Flavor, pages: Pages, cap: float
) -> Plan:
    """Plan files below the cap, each with some frames of one image."""
    foreign = [layer for layer in layers if not is_ome([layer.image])]
    if foreign and len(layers) > 1:
        raise InvalidImageError(
            f"{len(layers)} images are larger than the size cap, and one of them is "
            f"{foreign[0].dtype}, which OME-TIFF does not know: save them one by one, or raise the "
            "cap."
        )
    base = _plan_without_files(layers, flavor, pages)
    if any(page.is_encoded for page in pages):
        nonce = uuid.uuid4().hex
        files, stream = plan_encoded_series(layers, path, flavor, pages, cap, nonce)
        return replace(base, files=files, stream=stream, nonce=nonce)
    nonce = resumable_nonce(part_path(path, 0)) or uuid.uuid4().hex
    files, writes = plan_laid_series(layers, path, flavor, cap, nonce)
    return replace(base, files=files, writes=writes, nonce=nonce)


def _plan_without_files(layers: Sequence[Layer], flavor: Flavor, pages: Pages) -> Plan:
    """Return what is the same of a plan, whatever its files are."""
    images = [layer.image for layer in layers]
    return Plan(
        files=(),
        losses=_losses(images, flavor, pages),
        nframes=sum(layer.nframes for layer in layers),
        identity=_identity(images, flavor),
    )


def _check_options(compression: str, pyramid: bool | None) -> None:
    known = typing.get_args(Compression)
    if not (pyramid is None or isinstance(pyramid, bool)):
        raise InvalidImageError(f"The pyramid is {pyramid!r}: give True, False or None.")
    if compression not in known:
        raise InvalidImageError(
            f"The compression is {compression!r}: choose one of {', '.join(known)}."
        )


def _losses(images: Sequence[Image], flavor: Flavor, pages: Pages) -> tuple[str, ...]:
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
        if flavor == "ome" and axis.name not in "tczyxs"
    ]
    if flavor == "imagej":
        losses += [loss for image in images for loss in step_losses(image.axes)]
    if any(page.compression == "zstd" for page in pages):
        losses.append("ImageJ and many others do not read zstd: choose zlib for files that go on")
    losses += common_losses(images, has_pyramid=all(page.levels for page in pages))
    return tuple(dict.fromkeys(losses))


def _identity(images: Sequence[Image], flavor: Flavor) -> str:
    """Return what tells one save from another, but for its files and their size."""
    return json.dumps([flavor, *(describe(image) for image in images)], sort_keys=True)
