"""Raw binary: a file of samples only, with a sidecar in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_ferry.arrays import whole_region
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.growth import is_growing, warn_incomplete
from napari_ferry.arrays.memmap import Mode
from napari_ferry.arrays.stamp import refusing_changes
from napari_ferry.codecs.binary.described import (
    data_file,
    find_foreign_header,
    json_header_of,
    open_header,
)
from napari_ferry.codecs.binary.headers import header_search
from napari_ferry.codecs.binary.padding import Padding, open_samples
from napari_ferry.codecs.binary.sidecar import (
    DEFAULT_NAME,
    LEGACY_SIDECAR,
    RAW_SUFFIXES,
    complete_description,
    has_record,
    is_sidecar,
    raw_files,
    read_sidecar,
    sidecar_path,
    sidecar_text,
)
from napari_ferry.codecs.binary.sidecar_check import lacks_layout
from napari_ferry.codecs.binary.sidecar_growth import read_growing_sidecar
from napari_ferry.codecs.binary.undescribed import refuse_undescribed
from napari_ferry.errors import (
    InvalidImageError,
    MissingMetadataError,
)
from napari_ferry.files.links import leads_outside
from napari_ferry.image import Image, check_pixels, common_losses
from napari_ferry.image.record import KEY, Description
from napari_ferry.saving import Plan, PlannedFile, pixel_writes
from napari_ferry.saving.partial.interruption import interrupted_in
from napari_ferry.saving.write import write_text

SUFFIXES = RAW_SUFFIXES
SUMMARY = "all samples of an image; metadata in NAME.json"
ALSO_OPENS = header_search.OPENED_SUFFIXES
FOLDER_PRIORITY = 2
HOLDS_ONE = True


def open(path: Path) -> list[Image]:
    """Open a raw file with its sidecar or header, or all such files of a folder, lazily.

    Parameters
    ----------
    path : Path
        The raw file, its sidecar or header, or a folder.

    Raises
    ------
    UnreadableFileError
        The description is damaged or does not fit the file, or the file is empty or text.
    MissingMetadataError
        Nothing describes the file.

    Warns
    -----
    FerryWarning
        A header of another program leaves something open, or does not describe all of the file.
    """
    if path.is_dir():
        return [open_binary(data) for data in described_files(path)]
    return [open_binary(path)]


def plan(images: Sequence[Image], path: Path) -> Plan:
    """Plan to save one image as raw binary with a sidecar; no pixels are read.

    Parameters
    ----------
    images : sequence of Image
        One image.
    path : Path
        The raw file; the sidecar has the same name with the suffix ``.json``.

    Raises
    ------
    InvalidImageError
        More than one image, an empty image, or samples that are not numbers.
    """
    if len(images) != 1:
        raise InvalidImageError(
            f"A raw file holds one image, but {len(images)} were given: save them one by one, or "
            "as TIFF."
        )
    (image,) = images
    check_pixels(image)

    text = sidecar_text(image)
    lead = max(0, image.ndim - image.frame_ndim)
    writes = pixel_writes(
        path,
        image.array,
        whole_region(image.shape),
        lead=lead,
        strides=c_strides(image.shape, image.dtype.itemsize),
        dtype=image.dtype,
    )

    may_replace = partial(_is_sidecar_of, data=path)
    return Plan(
        files=(
            PlannedFile(
                path=path, nbytes=image.nbytes, create=partial(_reserve, nbytes=image.nbytes)
            ),
            PlannedFile(
                path=sidecar_path(path),
                nbytes=len(text),
                create=partial(write_text, text=text),
                may_replace=may_replace,
            ),
        ),
        writes=writes,
        losses=tuple(common_losses(images)),
        nframes=math.prod(image.shape[:lead]),
        identity=text,
    )


def storage(path: Path, image: Image) -> dict[str, str]:
    """Return the storage of the samples of a raw file."""
    return {
        "compression": "none",
        "byte order": "big" if image.dtype.byteorder == ">" else "little",
    }


def written_by(path: Path) -> str:
    """Return the program named by the sidecar of a file; empty if it names none."""
    data = data_file(path)
    sidecar = sidecar_path(data)
    return KEY if not leads_outside(sidecar, data) and has_record(sidecar) else ""


def claims(path: Path) -> bool:
    """Return True for the description of a raw file, a file with a header beside it, and a folder.

    The folder is one written by CalSciPy.
    """
    if path.suffix.lower() == ".json" and path.is_file():
        return is_sidecar(path) or json_header_of(path) is not None
    if header_search.is_named_by_other(path):
        return True
    return path.is_dir() and (path / DEFAULT_NAME).is_file() and (path / LEGACY_SIDECAR).is_file()


def members(path: Path) -> list[Path]:
    """Return the raw file and its sidecar or header; `path` is one of these."""
    data = data_file(path)
    header = find_foreign_header(data)
    return [data, sidecar_path(data) if header is None else header.path]


def is_data_set(path: Path) -> bool:
    """Return True for a folder written by CalSciPy."""
    return claims(path)


def lacks_metadata(path: Path) -> bool:
    """Return True for a raw file, or a folder of raw files, without a valid sidecar."""
    return lacks_layout(path)


def open_binary(
    path: Path, *, mode: Mode | None = None, missing_metadata: Mapping[str, Any] | None = None
) -> Image:
    """Open one raw file, lazily.

    Parameters
    ----------
    path : Path
        The raw file, its sidecar or its header.
    mode : {"r", "r+", "c"}, optional
        Map the file to read only, to read and write, or to copy on write; changes then stay in
        memory. When absent, samples are read at each use.
    missing_metadata : mapping, optional
        Replaces the sidecar: ``dtype``, and at least two of ``frames``, ``y``, ``x``.

    Raises
    ------
    InvalidImageError
        The missing metadata are not a mapping, or a mode for changes was given for a file with
        gaps between frames.
    UnreadableFileError, MissingMetadataError
        As for `open`.

    Warns
    -----
    FerryWarning
        The file is empty, or its sidecar leaves a dimension open.
    """
    if not isinstance(missing_metadata, Mapping | None):
        raise InvalidImageError(
            f"missing_metadata is {missing_metadata!r}: give a mapping, such as "
            "{'dtype': 'uint16', 'y': 512, 'x': 512}."
        )

    data = data_file(path)
    with refusing_changes(data, sidecar_path(data), path):
        if missing_metadata is None:
            header = find_foreign_header(path if header_search.is_header(path) else data)
            if header is not None:
                return open_header(header, mode)

        nbytes = data.stat().st_size
        if missing_metadata is not None:
            given = dict(missing_metadata)
            description = complete_description(given, nbytes, data, "the given metadata")
            padding = Padding()
        else:
            read = read_growing_sidecar if is_growing() else read_sidecar
            description, padding, computed = read(data, nbytes)
            _warn_of_computed(data, description, computed)
        array = open_samples(data, description.dtype, description.shape, padding, mode)

    if 0 in description.shape:
        warn_incomplete(
            f"{data.name} is empty: an image without pixels was opened; check whether its "
            "recording or its copy was interrupted.",
        )
    image = description.to_image(array)
    return image if image.name else replace(image, name=data.stem)


def _warn_of_computed(data: Path, description: Description, computed: str) -> None:
    """Warn of a dimension missing from the sidecar: incomplete files are not noticed then."""
    if computed and 0 not in description.shape:
        size = dict(zip(("frames", "y", "x"), description.shape, strict=True))[computed]
        warn_incomplete(
            f"The sidecar of {data.name} does not give {computed}: {size} is computed from the "
            "size of the file; add it to the sidecar, so that an incomplete file is noticed.",
        )


def described_files(folder: Path) -> list[Path]:
    """Return the raw files of a folder with a sidecar or a header, in natural order.

    Raises
    ------
    MissingMetadataError
        No raw file has a sidecar or a header.
    """
    legacy = folder / DEFAULT_NAME
    if legacy.is_file() and (folder / LEGACY_SIDECAR).is_file():
        return [legacy]

    found = raw_files(folder)
    described = [
        path for path in found if sidecar_path(path).is_file() or find_foreign_header(path)
    ]
    if not described and not found:
        raise MissingMetadataError(
            interrupted_in(folder)
            or f"{folder.name} holds no raw file ({', '.join(SUFFIXES)}): choose another folder."
        )
    if not described:
        refuse_undescribed(found[0], sidecar_path(found[0]))
    return described


def _is_sidecar_of(path: Path, *, data: Path) -> bool:
    """Return True for the sidecar of this raw file alone, not shared with one of the same stem."""
    others = [data.with_suffix(suffix) for suffix in SUFFIXES if suffix != data.suffix.lower()]
    return is_sidecar(path) and not any(other.is_file() for other in others)


def _reserve(path: Path, *, nbytes: int) -> None:
    """Create a file of a given size, for its pixels to be written into."""
    with path.open("wb") as file:
        file.truncate(nbytes)
