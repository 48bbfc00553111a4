"""Size-capped series written by napari-ferry, joined from their parts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.frames import IndexedFrames, ReadFrame
from napari_ferry.codecs.tiff.images.part_files import part_paths
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import PART, PART_NUMBER, PartName, stem_of, tiff_files
from napari_ferry.codecs.tiff.pages.arrays import PageReaders
from napari_ferry.codecs.tiff.pages.header import read_header
from napari_ferry.codecs.tiff.pages.page_frames import with_pixels
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_list import names_of
from napari_ferry.files.links import leads_outside, refuse_outside
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import KEY, parse_description
from napari_ferry.saving import interrupted_save


def are_parts(paths: Sequence[Path]) -> bool:
    """Return True if files are parts of our own series.

    Of the files with names of one series, only the first is opened.

    Raises
    ------
    UnreadableFileError
        Only some of the files are such parts.
    """
    if not PART_NUMBER.search("\n".join(names_of(paths))):
        return False  # one search of a long text takes a fifth of the time of one for each name
    named = [(path, PartName.of(path)) for path in paths]
    firsts = {name.series: path for path, name in reversed(named) if name}
    own = {series for series, path in firsts.items() if is_own_part(path)}
    unrelated = [path for path, name in named if not name or name.series not in own]
    if own and unrelated:
        raise UnreadableFileError(
            f"{unrelated[0].name} is not a part of a series, unlike other files opened with it: "
            "open it by itself, or open only the parts of a series."
        )
    return bool(own)


def read_series(paths: Sequence[Path]) -> list[Image]:
    """Open the series of some parts, each series once."""
    images: list[Image] = []
    seen: set[Path] = set()
    for path in paths:
        if path not in seen:
            seen |= {path, *series_files(path)}
            opened = read_images(path)
            images += [read_part(path, opened[0])] if PART in opened[0].metadata else opened
    return images


def series_files(path: Path) -> list[Path]:
    """Return the files of the series of a part, or the file alone if it is not a part."""
    name = PartName.of(path)
    if name is None or not is_own_part(path):
        return [path]
    parts = part_paths(read_header(path))
    if parts:
        return [*parts.values()]
    siblings = [(other, PartName.of(other)) for other in tiff_files(path.parent)]
    own = [other for other, part in siblings if part and part.series == name.series]
    return [other for other in own if not leads_outside(other, path)]


def read_part(path: Path, image: Image) -> Image:
    """Open the whole series of a part.

    Parameters
    ----------
    path : Path
        The part.
    image : Image
        Its image, already open.

    Raises
    ------
    UnreadableFileError
        A part is missing, or belongs to another save.
    """
    part = image.metadata[PART]
    name = PartName.of(path)
    if name is None:
        raise UnreadableFileError(
            f"{path.name} is part {part['index']} of {part['count']} of a series, but was renamed: "
            f"give it a name that ends in _{part['index']:05d}."
        )

    images = []
    for index in range(part["count"]):
        sibling = name.sibling(path, index)
        refuse_outside(sibling, path)
        if not sibling.exists():
            raise UnreadableFileError(
                interrupted_save(sibling)
                or f"{sibling.name} is missing: it is one of the {part['count']} parts of "
                f"{name.stem}; put it back into the folder of the others."
            )

        other = image if sibling == path else read_images(sibling)[0]
        own = other.metadata.get(PART, {})
        if (own.get("of"), own.get("index")) != (part["of"], index):
            raise UnreadableFileError(
                f"{sibling.name} is not part {index} of the same save as {path.name}: it is "
                "outdated or was replaced; restore the original file, or save the whole series "
                "again."
            )
        images.append(other)

    whole = _join_parts(images, part)

    # a name that the user gave is stored in the parts; other images are named after the series
    is_named = images[0].name != stem_of(name.sibling(path, 0))
    return whole if is_named else replace(whole, name=name.stem)


def is_own_part(path: Path) -> bool:
    """Return True if a file is a part of a series written by napari-ferry.

    Raises
    ------
    UnreadableFileError
        The system cannot read the file.
    """
    try:
        header = read_header(path)
    except UnreadableFileError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return False
    of_ome = f'Creator="{KEY}"' in header.description and "<UUID FileName=" in header.description
    return of_ome or PART in header.description or PART in str((header.imagej or {}).get("Info"))


def refuse_interrupted(path: Path) -> None:
    """Refuse a part of a series whose save stopped while files were moved in place.

    Raises
    ------
    UnreadableFileError
        The file is such a part.
    """
    name = PartName.of(path)
    message = name and interrupted_save(name.sibling(path, 0))
    if message:
        raise UnreadableFileError(message)


def _join_parts(images: Sequence[Image], part: Mapping[str, Any]) -> Image:
    """Join parts of consecutive frames, in C order of the whole."""
    first, record = images[0], parse_description(part.get("whole"))
    if record is not None:
        frames = [image.array for image in images]
        lead = len(record.shape) - (first.ndim - 1)
        return with_pixels(record, _concatenate(frames, lead, record.shape))

    # parts of earlier versions store shape and channels instead of a record of the whole
    shape = tuple(part["shape"])
    lead = len(shape) - first.frame_ndim
    metadata = {key: value for key, value in first.metadata.items() if key != PART}
    array = _concatenate([image.array for image in images], lead, shape)
    return replace(first, levels=(array,), channels=_whole_channels(part), metadata=metadata)


def _whole_channels(part: Mapping[str, Any]) -> tuple[Channel, ...]:
    return tuple(
        Channel(name, color, tuple(limits) if limits else None)
        for name, color, limits in part["channels"]
    )


def _concatenate(arrays: Sequence[Array], lead: int, shape: Sequence[int]) -> Frames:
    """Join the frames of arrays, in C order of their leading axes.

    Raises
    ------
    UnreadableFileError
        The number of frames does not match the shape of the whole.
    """
    readers: list[ReadFrame] = []
    ends: list[int] = []
    for array in arrays:
        n_lead = array.ndim - (len(shape) - lead)
        readers.append(array.read if isinstance(array, Frames) else IndexedFrames(array, n_lead))
        ends.append((ends[-1] if ends else 0) + math.prod(array.shape[:n_lead]))

    if ends[-1] != math.prod(shape[:lead]):
        raise UnreadableFileError(
            f"The parts hold {ends[-1]} frames, expected {math.prod(shape[:lead])}: a part was "
            "replaced; restore the original file, or save the whole series again."
        )
    return Frames(PageReaders(tuple(readers), tuple(ends)), shape, arrays[0].dtype, lead)
