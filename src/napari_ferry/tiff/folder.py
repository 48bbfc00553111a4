"""Several TIFF files -> one image: size-capped parts, partitions by name, plain folders."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.array import Array
from napari_ferry.description import KEY
from napari_ferry.errors import UnreadableFileError
from napari_ferry.frames import Frames, ReadFrame
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.lazy import Indexed
from napari_ferry.partial import interrupted_save
from napari_ferry.tiff.header import read_header
from napari_ferry.tiff.names import PartName, find_gap, natural_key, stem_of
from napari_ferry.tiff.read import ASSUMED_TIME, read_images
from napari_ferry.tiff.read_ome import ome_parts
from napari_ferry.tiff.series import Joined, Planes
from napari_ferry.tiff.write import PART

_PARTITION = re.compile(r"\.([A-Za-z]+)_([^.]+)(?=\.)")
_VARIABLE = "var"


def read_folder(folder: Path) -> list[Image]:
    """Open the TIFF files of a folder: as the whole of a series, or as one stack.

    Files are taken in natural order, hidden ones are left out.

    Raises
    ------
    UnreadableFileError
        There are none, one is damaged, or they do not fit together.
    """
    paths = tiff_files(folder)
    if not paths:
        raise UnreadableFileError(f"{folder} holds no .tif or .tiff file: name another folder.")
    names = _partition(paths)
    if len(paths) > 1 and names:
        return _read_partition(folder, names)
    if _are_parts(paths):
        return _read_series(paths)
    gap = find_gap([path.name for path in paths])
    if gap:
        raise UnreadableFileError(
            f"Between {gap[0]} and {gap[1]} in {folder} the count is broken: put back what is "
            "missing or take out what is double, or open the files themselves together."
        )
    return _read_alike(paths, folder.name)


def read_stack(paths: Sequence[Path]) -> list[Image]:
    """Open TIFF files as one stack, in the order given; parts of a series as the whole.

    Raises
    ------
    UnreadableFileError
        One is damaged, or they do not fit together.
    """
    return _read_series(paths) if _are_parts(paths) else _read_alike(paths, "")


def _read_alike(paths: Sequence[Path], name: str) -> list[Image]:
    """Open files that are no parts as one stack, called as the first of them unless named."""
    first = read_images(paths[0])
    if len(paths) == 1 or set(paths) <= _files_of(first):
        return first
    images = [first[0], *(read_images(path)[0] for path in paths[1:])]
    return [_join(paths, images, name or first[0].name)]


def _are_parts(paths: Sequence[Path]) -> bool:
    """Whether files are parts of series that we wrote; refuses them mixed with others.

    Of names that are alike, only the first file is looked into.
    """
    named = {path: PartName.of(path) for path in paths}
    firsts = {name.series: path for path, name in reversed(named.items()) if name}
    own = {series for series, path in firsts.items() if is_own_part(path)}
    strangers = [path for path, name in named.items() if not name or name.series not in own]
    if own and strangers:
        _refuse_stranger(strangers[0])
    return bool(own)


def _files_of(images: Sequence[Image]) -> set[Path]:
    """Return the files that images lie in, when they lie in several."""
    readers = [image.array.read for image in images if isinstance(image.array, Frames)]
    sources = [read.files for read in readers if isinstance(read, Planes)]
    return {file.path for files in sources for file in files if file is not None}


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


def tiff_files(folder: Path) -> list[Path]:
    """Return the TIFF files of a folder in natural order, without hidden ones."""
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in (".tif", ".tiff") and not path.name.startswith(".")
    ]
    return sorted((path for path in found if path.is_file()), key=lambda p: natural_key(p.name))


def _read_series(paths: Sequence[Path]) -> list[Image]:
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
    parts = ome_parts(read_header(path))
    if parts:
        return [path.with_name(part) for part in parts]
    siblings = [(other, PartName.of(other)) for other in tiff_files(path.parent)]
    return [other for other, part in siblings if part and part.series == name.series]


def _refuse_stranger(path: Path) -> NoReturn:
    raise UnreadableFileError(
        f"{path.name} stands among the parts of a series and is none: open it by itself, or a part."
    )


def _join_parts(images: Sequence[Image], part: Mapping[str, Any]) -> Image:
    """Join parts, each a run of frames in C order of the whole."""
    first = images[0]
    shape = tuple(part["shape"])
    lead = len(shape) - (3 if first.is_rgb else 2)
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


def _join(paths: Sequence[Path], images: Sequence[Image], name: str) -> Image:
    """Join files along time: their own where it is their first axis, else a new one."""
    first = images[0]
    extends = first.axes[0].name == "t"
    _check_alike(paths, images, first.shape[1:] if extends else first.shape)
    length = sum(image.shape[0] for image in images) if extends else len(images)
    shape = (length, *(first.shape[1:] if extends else first.shape))
    lead = len(shape) - (3 if first.is_rgb else 2)
    array = _concatenate([image.array for image in images], lead, shape)
    axes = first.axes if extends else (Axis("t"), *first.axes)
    metadata = dict(first.metadata) if extends else {**first.metadata, "assumed": ASSUMED_TIME}
    return replace(first, levels=(array,), axes=axes, name=name, metadata=metadata)


def _check_alike(paths: Sequence[Path], images: Sequence[Image], shape: tuple[int, ...]) -> None:
    """Refuse files that do not fit together, naming the odd one."""
    first = images[0]
    for path, image in zip(paths, images, strict=True):
        fits = image.shape[image.ndim - len(shape) :] == shape and image.ndim == first.ndim
        if not fits or image.dtype != first.dtype:
            raise UnreadableFileError(
                f"{path.name} is {image.shape} of {image.dtype}, but {paths[0].name} is "
                f"{first.shape} of {first.dtype}: files of one stack must be alike; take it out, "
                "or open it by itself."
            )


def _partition(paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Read axes off names like ``exp.I_03.C_actin.tif``; empty where not all are such names."""
    found = {path: {k.lower(): v for k, v in _PARTITION.findall(path.name)} for path in paths}
    keys = {tuple(axes) for axes in found.values()}
    stems = {path.name.split(".")[0] for path in paths}
    return found if len(keys) == 1 and keys != {()} and len(stems) == 1 else {}


def _read_partition(folder: Path, names: Mapping[Path, Mapping[str, str]]) -> list[Image]:
    """Open the images whose axes are partitioned over files, one for each variable."""
    variables: dict[str, dict[Path, Mapping[str, str]]] = {}
    for path, axes in names.items():
        inner = {key: value for key, value in axes.items() if key != _VARIABLE}
        variables.setdefault(axes.get(_VARIABLE, folder.name), {})[path] = inner
    return [_read_variable(name, files) for name, files in variables.items()]


def _read_variable(name: str, files: Mapping[Path, Mapping[str, str]]) -> Image:
    """Open one image whose outer axes are partitioned over files."""
    keys = list(next(iter(files.values())))
    if not keys:
        return replace(read_images(next(iter(files)))[0], name=name)
    labels = {key: sorted({axes[key] for axes in files.values()}, key=natural_key) for key in keys}
    by_place = {tuple(axes[key] for key in keys): path for path, axes in files.items()}
    places = list(itertools.product(*labels.values()))
    missing = [place for place in places if place not in by_place]
    if missing:
        label = ".".join(f"{key}_{value}" for key, value in zip(keys, missing[0], strict=True))
        raise UnreadableFileError(
            f"{name} is partitioned over files and the one of {label} is missing: put it back."
        )
    paths = [by_place[place] for place in places]
    images = [read_images(path)[0] for path in paths]
    first = images[0]
    _check_alike(paths, images, first.shape)
    if set(keys) & set(first.axis_names):
        raise UnreadableFileError(
            f"{paths[0].name} has the axes {' '.join(first.axis_names)} itself, which its name "
            f"gives to the set ({' '.join(keys)}): rename the files."
        )
    shape = (*map(len, labels.values()), *first.shape)
    lead = len(shape) - (3 if first.is_rgb else 2)
    array = _concatenate([image.array for image in images], lead, shape)
    return Image(
        (array,),
        (*map(Axis, keys), *first.axes),
        tuple(map(Channel, labels.get("c", ()))),
        name,
        metadata={**first.metadata, "labels": labels},
    )
