"""Images with axes partitioned over files by name, ``exp.T_01.C_actin.tif``."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from napari_ferry.codecs.tiff.folders.file_grid import Grid, read_grid, stack_names
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.labels import decode_label
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Axis, Image
from napari_ferry.image.axes import LABELS
from napari_ferry.image.split_axes import SplitRecord, join_parts
from napari_ferry.image.user_metadata import even_step

_PARTITION = re.compile(r"\.([A-Za-z]+)_([^.]+(?:\.\d+)*)(?=\.)")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
VARIABLE = "var"
"""Axis in a name whose labels are names of separate images."""

Files = Mapping[Path, Mapping[str, str]]
"""Label of each axis, by file."""


def parse_partition(paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Parse the axes and labels in names such as ``exp.I_03.C_actin.tif``.

    Returns
    -------
    dict of Path to dict of str to str
        Label of each axis, by file; empty unless all names of an image have the same axes.
    """
    if not _PARTITION.search(paths[0].name):
        return {}
    labels = {path: {k.lower(): v for k, v in _PARTITION.findall(path.name)} for path in paths}
    keys = {(axes.get(VARIABLE), *axes) for axes in labels.values()}
    variables = {axes.get(VARIABLE) for axes in labels.values()}
    stems = {path.name.split(".")[0] for path in paths}
    is_regular = len(keys) == len(variables) and all(labels.values())
    return labels if is_regular and len(stems) == 1 else {}


def is_complete(labels: Files) -> bool:
    """Return True if there is one file for each combination of labels."""
    variables: dict[str | None, list[tuple[str, ...]]] = {}
    for own in labels.values():
        variables.setdefault(own.get(VARIABLE), []).append(tuple(own.values()))
    return all(
        len({*rows}) == len(rows) == math.prod(len({*each}) for each in zip(*rows, strict=True))
        for rows in variables.values()
    )


def is_partition(labels: Files) -> bool:
    """Return True for the files of a partition; for a single file, only by its record."""
    if len(labels) != 1:
        return bool(labels)
    (path,) = labels
    return any(SplitRecord.of(image) is not None for image in read_images(path))


def read_partition(folder: Path, labels: Files) -> list[Image]:
    """Open the images of each variable, whose axes are partitioned over the files of a folder.

    Parameters
    ----------
    folder : Path
        The folder, whose name an image without a variable gets.
    labels : mapping of Path to mapping of str to str
        As `parse_partition` returns them.

    Raises
    ------
    UnreadableFileError
        A file is missing or damaged, or does not match the others.

    Warns
    -----
    FerryWarning
        Files of some indices are missing.
    """
    images = _read_variables(labels, folder.name, is_ordered=False, is_folder=True)
    return [image for image, _ in images]


def read_listed(labels: Files) -> list[Image]:
    """Open the images of listed files, in the order of the list along each axis.

    Parameters and errors are the same as for `read_partition`.
    """
    return [image for image, _ in _read_variables(labels, "", is_ordered=True)]


def read_fields(labels: Files) -> list[Image]:
    """Open the images of files, with the fields of a pattern as axes with coordinates.

    Parameters and errors are the same as for `read_partition`.
    """
    lower = {
        path: {axis.lower(): text for axis, text in own.items()} for path, own in labels.items()
    }
    images = _read_variables(lower, "", is_ordered=False)
    return [image if is_whole else _with_coordinates(image) for image, is_whole in images]


class _Restored(NamedTuple):
    """An image of a partition; `is_whole` if a record describes it completely."""

    image: Image
    is_whole: bool


def _read_variables(
    labels: Files, default: str, *, is_ordered: bool, is_folder: bool = False
) -> list[_Restored]:
    """Open the images of each variable, in the order of their save if it is recorded."""
    variables: dict[str, dict[Path, Mapping[str, str]]] = {}
    for path, axes in labels.items():
        inner = {key: value for key, value in axes.items() if key != VARIABLE}
        name = decode_label(axes[VARIABLE]) if VARIABLE in axes else default
        variables.setdefault(name, {})[path] = inner

    found = []
    for name, files in variables.items():
        firsts = read_images(next(iter(files)))
        records = list(filter(None, map(SplitRecord.of, firsts)))
        record = records[0] if len(records) == len(firsts) == 1 else None
        images = _read_variable(name, files, record, is_ordered=is_ordered)
        if record is not None and is_folder:
            _warn_of_missing(images[0].image, record)
        found.append((record.number if record is not None else 0, images))
    return [image for _, images in sorted(found, key=lambda item: item[0]) for image in images]


def _read_variable(
    name: str, files: Files, record: SplitRecord | None, *, is_ordered: bool
) -> list[_Restored]:
    """Open images whose outer axes are partitioned over files; each file has the same images.

    Parameters
    ----------
    name : str
        Name of the data set, empty for the name of the first file.
    files : mapping of Path to mapping of str to str
        Label of each axis, by file.
    record : SplitRecord or None
        Record of the image in the first file, if it has one.
    is_ordered : bool
        True if the files are in order along each axis.
    """
    if record is not None:  # words in the name of the data set may look like axes
        files = {
            path: {key: value for key, value in own.items() if key in record.labels}
            for path, own in files.items()
        }
    keys = list(next(iter(files.values())))
    labels = {
        key: _sort_labels([own[key] for own in files.values()], key, record, is_ordered)
        for key in keys
    }
    paths = _arrange(name, files, labels)
    firsts = read_images(paths[0])
    if not keys:
        names = stack_names(name, paths[0], firsts)
        images = [replace(image, name=own) for image, own in zip(firsts, names, strict=True)]
    else:
        described = record is not None and record.describes(labels)
        texts = {key: [decode_label(label) for label in own] for key, own in labels.items()}
        grid = Grid(labels=labels if described else texts, paths=paths, name=name)
        images = read_grid(grid, firsts)
    if record is None or not record.describes(labels) or len(images) > 1:
        return [_Restored(image, is_whole=False) for image in images]
    return [_Restored(join_parts(images[0], labels, record), is_whole=True)]


def _arrange(name: str, files: Files, labels: Mapping[str, Sequence[str]]) -> list[Path]:
    """Return the file of each combination of labels, in C order.

    Raises
    ------
    UnreadableFileError
        A combination has no file, or two files.
    """
    by_labels: dict[tuple[str, ...], Path] = {}
    for path, axes in files.items():
        other = by_labels.setdefault(tuple(axes[key] for key in labels), path)
        if other != path:
            raise UnreadableFileError(
                f"{other.name} and {path.name} have the same position in {name or 'the data set'}: "
                "leave out one of them."
            )

    combinations = list(itertools.product(*labels.values()))
    missing = [key for key in combinations if key not in by_labels]
    if missing:
        label = ".".join(f"{key}_{value}" for key, value in zip(labels, missing[0], strict=True))
        raise UnreadableFileError(
            f"{name or 'The data set'} is partitioned over files, but the file for {label} is "
            "missing: put it back."
        )
    return [by_labels[key] for key in combinations]


def _sort_labels(
    labels: Iterable[str], key: str, record: SplitRecord | None, is_ordered: bool
) -> list[str]:
    """Return the labels along an axis, once each: as given, as saved, or in natural order."""
    distinct = list(dict.fromkeys(labels))
    if is_ordered:
        return distinct
    saved = record.labels.get(key, ()) if record is not None else ()
    if {*distinct} <= {*saved}:
        return [label for label in saved if label in distinct]
    return natural_sorted(distinct)


def _warn_of_missing(image: Image, record: SplitRecord) -> None:
    """Warn about indices of a whole image without files."""
    for axis in record.labels:
        expected, n = record.whole.sizes[axis], image.size(axis)
        if n < expected:
            warn(
                f"{image.name or 'The data set'} was saved with {expected} indices of axis {axis}, "
                f"but there are files of {n} only: put back the missing files."
            )


def _with_coordinates(image: Image) -> Image:
    """Return an image whose evenly spaced numeric labels are coordinates of their axes."""
    labels = image.metadata.get(LABELS)
    axes = list(image.axes)
    for k, axis in enumerate(axes):
        texts = labels.get(axis.name, ()) if isinstance(labels, Mapping) else ()
        numbers = [float(text) for text in texts if _NUMBER.fullmatch(text)]
        step = even_step(numbers) if len(numbers) == len(texts) > 0 else None
        if step is not None and axis.name != "c":
            axes[k] = Axis(axis.name, step, axis.unit, numbers[0])
    return replace(image, axes=tuple(axes))
