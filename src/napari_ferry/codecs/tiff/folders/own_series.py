"""The parts of a series that napari-ferry wrote -> the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.frames import ReadFrame
from napari_ferry.arrays.stack import Indexed
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.images.read_ome import part_paths
from napari_ferry.codecs.tiff.names import PART, PartName, stem_of, tiff_files
from napari_ferry.codecs.tiff.pages.arrays import Joined
from napari_ferry.codecs.tiff.pages.header import read_header
from napari_ferry.codecs.tiff.pages.page_frames import with_pixels
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Channel, Image
from napari_ferry.image.record import KEY, parse_description
from napari_ferry.saving import interrupted_save


def are_parts(paths: Sequence[Path]) -> bool:
    """Whether files are parts of series that we wrote; refuses them mixed with others.

    Of names that are alike, only the first file is looked into.
    """
    named = [(path, PartName.of(path)) for path in paths]
    firsts = {name.series: path for path, name in reversed(named) if name}
    own = {series for series, path in firsts.items() if is_own_part(path)}
    strangers = [path for path, name in named if not name or name.series not in own]
    if own and strangers:
        _refuse_stranger(strangers[0])
    return bool(own)


def _refuse_stranger(path: Path) -> NoReturn:
    raise UnreadableFileError(
        f"{path.name} stands among the parts of a series and is none: open it by itself, or a part."
    )


def read_series(paths: Sequence[Path]) -> list[Image]:
    """Open every series of which some files are parts, once."""
    images: list[Image] = []
    seen: set[Path] = set()
    for path in paths:
        if path not in seen:
            seen |= {path, *series_files(path)}
            found = read_images(path)
            images += [read_part(path, found[0])] if PART in found[0].metadata else found
    return images


def series_files(path: Path) -> list[Path]:
    """Return the files of the series that a file is a part of; the file alone when it is none."""
    name = PartName.of(path)
    if name is None or not is_own_part(path):
        return [path]
    parts = part_paths(read_header(path))
    if parts:
        return [*parts.values()]
    siblings = [(other, PartName.of(other)) for other in tiff_files(path.parent)]
    return [other for other, part in siblings if part and part.series == name.series]


def read_part(path: Path, image: Image) -> Image:
    """Open the whole of a size-capped series, of which `path` is one part.

    Raises
    ------
    UnreadableFileError
        A part is missing, or belongs to another save.
    """
    part = image.metadata[PART]
    name = PartName.of(path)
    if name is None:
        raise UnreadableFileError(
            f"{path.name} is part {part['index']} of {part['count']} of a series and was renamed: "
            f"give it back a name that ends in _{part['index']:05d}."
        )
    images = []
    for index in range(part["count"]):
        sibling = name.beside(path, index)
        if not sibling.exists():
            raise UnreadableFileError(
                interrupted_save(name.beside(path, 0))
                or f"{sibling.name} is missing: it is one of the {part['count']} parts of "
                f"{name.stem}; put it back beside the others."
            )
        other = image if sibling == path else read_images(sibling)[0]
        found = other.metadata.get(PART, {})
        if (found.get("of"), found.get("index")) != (part["of"], index):
            raise UnreadableFileError(
                f"{sibling.name} is not part {index} of the same save as {path.name}: it is stale "
                "or was replaced; put the right file there, or save the whole again."
            )
        images.append(other)
    whole = _join_parts(images, part)
    is_named = images[0].name != stem_of(name.beside(path, 0))
    return whole if is_named else replace(whole, name=name.stem)


def is_own_part(path: Path) -> bool:
    """Whether a file is one part of a series that napari-ferry wrote."""
    try:
        header = read_header(path)
    except UnreadableFileError:
        return False
    of_ome = f'Creator="{KEY}"' in header.description and "<UUID FileName=" in header.description
    return of_ome or PART in header.description or PART in str((header.imagej or {}).get("Info"))


def refuse_torn(path: Path) -> None:
    """Refuse a part of a series whose files were just being moved in place when a save stopped.

    Raises
    ------
    UnreadableFileError
        It is such a part.
    """
    name = PartName.of(path)
    torn = name and interrupted_save(name.beside(path, 0))
    if torn:
        raise UnreadableFileError(torn)


def _join_parts(images: Sequence[Image], part: Mapping[str, Any]) -> Image:
    """Join parts, each a run of frames in C order of the whole."""
    first, record = images[0], parse_description(part.get("whole"))
    if record is not None:
        frames = [image.array for image in images]
        lead = len(record.shape) - (first.ndim - 1)
        return with_pixels(record, _concatenate(frames, lead, record.shape))
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
    """Join arrays frame after frame, in C order of their leading axes."""
    readers: list[ReadFrame] = []
    ends: list[int] = []
    for array in arrays:
        n_lead = array.ndim - (len(shape) - lead)
        readers.append(array.read if isinstance(array, Frames) else Indexed(array, n_lead))
        ends.append((ends[-1] if ends else 0) + math.prod(array.shape[:n_lead]))
    if ends[-1] != math.prod(shape[:lead]):
        raise UnreadableFileError(
            f"The parts hold {ends[-1]} frames, expected {math.prod(shape[:lead])}: a part was "
            "replaced; save the whole again."
        )
    return Frames(Joined(tuple(readers), tuple(ends)), shape, arrays[0].dtype, lead)
