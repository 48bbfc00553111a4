"""TIFF: ImageJ hyperstacks, OME-TIFF, plain stacks, size-capped series, folders of TIFF files.

TIFF 6.0 (Adobe, 1992); BigTIFF (https://www.awaresystems.be/imaging/tiff/bigtiff.html).
"""

from __future__ import annotations

import json
import math
import os
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arguments import is_real
from napari_ferry.arrays.stamp import Stamp, check_unchanged
from napari_ferry.codecs.tiff.names import (
    COMPANION_SUFFIX,
    PART,
    PLAIN_SUFFIXES,
    folders_of_files,
    is_companion,
    stem_of,
    tiff_files,
)
from napari_ferry.codecs.tiff.tiff_options import Compression
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.image import Image, check_pixels, describe
from napari_ferry.image.checks import check_frame_axes
from napari_ferry.image.record import NOTES
from napari_ferry.image.split_axes import restore_single
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.write import write_text

if TYPE_CHECKING:
    from napari_ferry.codecs.tiff.saving.job import Job

# opening any file imports this module, so that functions import what only they need

OME_SUFFIXES = (".ome.tif", ".ome.tiff")
SUFFIXES = (*PLAIN_SUFFIXES, *OME_SUFFIXES)
SUMMARY = "all samples; metadata for Fiji, or as OME-XML"
ALSO_OPENS = (
    *(".lsm", ".stk", ".svs", ".ndpi", ".scn", ".bif", ".qptiff", ".btf", ".tf2", ".tf8"),
    COMPANION_SUFFIX,
)
"""Suffixes of TIFF files of microscopes and slide scanners, of BigTIFF, and of companion files."""

FOLDER_PRIORITY = 3


def open(path: Path) -> list[Image]:
    """Open a TIFF file, a set by its companion file, a series by any part, or a folder.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    list of Image
        All images of the file, lazy.

    Raises
    ------
    UnreadableFileError
        The file is damaged or is not a TIFF file, or a part of a series is missing.
    """
    if path.is_dir():
        from napari_ferry.codecs.tiff.folders.folder import read_folder

        return read_folder(path)
    if is_companion(path):
        from napari_ferry.codecs.tiff.images.companion import read_companion

        return read_companion(path)
    return _open_file(path)


def _open_file(path: Path) -> list[Image]:
    """Open a TIFF file, or a series by any part."""
    from napari_ferry.codecs.tiff.folders.own_series import read_part, refuse_interrupted
    from napari_ferry.codecs.tiff.folders.siblings import warn_of_siblings
    from napari_ferry.codecs.tiff.images.read import read_images

    refuse_interrupted(path)
    stamp = Stamp.of(path)
    try:
        images = read_images(path)
        if PART in images[0].metadata:
            return [read_part(path, images[0])]
    except UnreadableFileError:
        check_unchanged(path, stamp)  # a save may have replaced the series in the meantime
        raise
    warn_of_siblings(path, images)
    return [restore_single(_with_notes(image, path)) for image in images]


def _with_notes(image: Image, path: Path) -> Image:
    """Add the notes from the JSON file of an image, unless the image has notes of its own."""
    from napari_ferry.codecs.tiff.metadata_json import read_notes

    notes = "" if NOTES in image.metadata else read_notes(path, image)
    return replace(image, metadata={**image.metadata, NOTES: notes}) if notes else image


def claims(path: Path) -> bool:
    """Return True for a folder whose TIFF files are in the folders of a set or of positions."""
    if not path.is_dir():
        return False
    with os.scandir(path) as entries:
        names = (entry.name.lower() for entry in entries)
        first = next((name for name in names if name.endswith((*SUFFIXES, COMPANION_SUFFIX))), "")
    if not first:
        return any(map(tiff_files, folders_of_files(path)))
    return first.endswith(COMPANION_SUFFIX)


def written_by(path: Path) -> str:
    """Return the name of the program in a file's metadata; empty if unknown."""
    from napari_ferry.codecs.tiff.images.companion import companion_header
    from napari_ferry.codecs.tiff.images.read import writer_of
    from napari_ferry.codecs.tiff.pages.header import read_header

    return writer_of(companion_header(path) if is_companion(path) else read_header(path))


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the storage of the first page of a file: compression, tiles or strips, byte order."""
    from napari_ferry.codecs.tiff.pages.storage import read_storage

    return {} if is_companion(path) else read_storage(path)


def open_many(paths: Sequence[Path]) -> list[Image]:
    """Open several TIFF files as one stack, in the order given.

    Raises
    ------
    UnreadableFileError
        A file is damaged, or the files differ in shape or type.
    """
    from napari_ferry.codecs.tiff.folders.folder import read_stack

    return read_stack(paths)


def open_grid(labels: Mapping[Path, Mapping[str, str]]) -> list[Image]:
    """Open TIFF files with axes over them, given the label of each axis by file.

    Raises
    ------
    UnreadableFileError
        A file is damaged or missing, or does not match the others.
    """
    from napari_ferry.codecs.tiff.folders.partition import read_fields

    return read_fields(labels)


def members(path: Path) -> list[Path]:
    """Return all files of a series or set, given one; any other file alone."""
    from napari_ferry.codecs.tiff.folders.file_sets import set_files
    from napari_ferry.codecs.tiff.folders.own_series import series_files

    files = series_files(path) if not is_companion(path) else [path]
    return files if len(files) > 1 else set_files(path)


def is_data_set(path: Path) -> bool:
    """Return True for a folder of single frames, or of files with axes in their names."""
    from napari_ferry.codecs.tiff.folders.folder_kind import is_single_stack

    return is_single_stack(path)


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

    ``.ome.tif`` is OME-TIFF. ``.tif`` is an ImageJ hyperstack if it can hold the image, otherwise
    OME-TIFF, or plain TIFF with a JSON description for data types unknown to OME.

    Parameters
    ----------
    images : sequence of Image
        Images of the data set.
    path : Path
        Name of the data set, with suffix.
    size_cap : float, optional
        Maximum size of one file in GB (1e9 bytes); larger data sets are split into several files,
        ``<stem>_00000.tif`` and so on. ``None`` for a single file of any size.
    compression : {"none", "zlib", "zstd", "lzw"}
        Lossless compression of the pages. Every program reads zlib and lzw; zstd is faster, but
        few programs read it.
    pyramid : bool, optional
        Save smaller copies of each plane, in OME-TIFF, so that large planes are displayed quickly.
        By default, OME-TIFF files of planes above 4096 x 4096 pixels have them.
    metadata_json : bool
        Write all metadata of the images to ``<name>.json`` as well.

    Raises
    ------
    InvalidImageError
        TIFF cannot hold an image, an option is invalid, or the cap is smaller than one frame.
    """
    from napari_ferry.codecs.tiff.saving.job import choose_job
    from napari_ferry.codecs.tiff.saving.parts import with_stale

    for image in images:
        check_pixels(image)
        # samples of any number can be stored, but 3 or 4 of them are a color
        if image.axis_names[-3:] != ("y", "x", "s"):
            check_frame_axes(image, "in a TIFF file")
    cap = _cap_bytes(size_cap)
    _check_options(compression, pyramid)
    job = choose_job(images, path, cap=cap, compression=compression, pyramid=pyramid)
    planned = with_stale(_plan_job(job), path)
    return _with_metadata(planned, images, path) if metadata_json else planned


def _plan_job(job: Job) -> Plan:
    """Plan the files of a job, without files of earlier saves."""
    from napari_ferry.codecs.tiff.saving.losses import losses_of
    from napari_ferry.codecs.tiff.saving.plan_compressed import plan_compressed
    from napari_ferry.codecs.tiff.saving.plan_uncompressed import plan_uncompressed

    planned = plan_compressed(job) if job.is_encoded else plan_uncompressed(job)
    return replace(
        planned,
        losses=losses_of(job),
        nframes=job.nframes,
        identity=_identity(job),
        nonce=job.nonce,
    )


def _with_metadata(planned: Plan, images: Sequence[Image], path: Path) -> Plan:
    """Add the JSON file with the metadata of the images."""
    from napari_ferry.codecs.tiff.metadata_json import is_own_metadata, metadata_text

    text = metadata_text(images)
    file = PlannedFile(
        path=path.with_name(f"{stem_of(path)}.json"),
        nbytes=len(text.encode()),
        create=partial(write_text, text=text),
        may_replace=is_own_metadata,
    )
    return replace(planned, files=(*planned.files, file))


def _cap_bytes(size_cap: float | None) -> float:
    """Convert a size cap in GB to bytes."""
    if size_cap is None:
        return math.inf
    if not is_real(size_cap) or not size_cap > 0:
        raise InvalidImageError(
            f"The size cap is {size_cap!r}: give a number of GB above 0, or None for a single file "
            "of any size."
        )
    return float(size_cap) * 1e9


def _check_options(compression: str, pyramid: bool | None) -> None:
    known = typing.get_args(Compression)
    if not (pyramid is None or isinstance(pyramid, bool)):
        raise InvalidImageError(f"The pyramid is {pyramid!r}: give True, False or None.")
    if compression not in known:
        raise InvalidImageError(
            f"The compression is {compression!r}: choose one of {', '.join(known)}."
        )


def _identity(job: Job) -> str:
    """Return the identity of a save, without its files and their size."""
    return json.dumps([job.flavor, *(describe(image) for image in job.images)], sort_keys=True)
