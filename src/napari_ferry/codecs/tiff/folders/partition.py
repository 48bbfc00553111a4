"""Images with axes partitioned over files by name, ``exp.T_01.C_actin.tif``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.tiff.folders.file_grid import Grid, read_grid, stack_names
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Image

_PARTITION = re.compile(r"\.([A-Za-z]+)_([^.]+(?:\.\d+)*)(?=\.)")
_VARIABLE = "var"
"""Axis in a name whose labels are names of separate images."""


def parse_partition(paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Parse the axes and labels in names such as ``exp.I_03.C_actin.tif``.

    Returns
    -------
    dict of Path to dict of str to str
        Label of each axis, by file; empty unless all names have the same axes.
    """
    if not _PARTITION.search(paths[0].name):
        return {}
    labels = {path: {k.lower(): v for k, v in _PARTITION.findall(path.name)} for path in paths}
    keys = {tuple(axes) for axes in labels.values()}
    stems = {path.name.split(".")[0] for path in paths}
    return labels if len(keys) == 1 and keys != {()} and len(stems) == 1 else {}


def read_partition(folder: Path, labels: Mapping[Path, Mapping[str, str]]) -> list[Image]:
    """Open the images of each variable, whose axes are partitioned over files.

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
    """
    variables: dict[str, dict[Path, Mapping[str, str]]] = {}
    for path, axes in labels.items():
        inner = {key: value for key, value in axes.items() if key != _VARIABLE}
        variables.setdefault(axes.get(_VARIABLE, folder.name), {})[path] = inner
    return [image for name, files in variables.items() for image in _read_variable(name, files)]


def _read_variable(name: str, files: Mapping[Path, Mapping[str, str]]) -> list[Image]:
    """Open images whose outer axes are partitioned over files; each file has the same images."""
    keys = list(next(iter(files.values())))
    if not keys:
        path = next(iter(files))
        images = read_images(path)
        names = stack_names(name, path, images)
        return [replace(image, name=own) for image, own in zip(images, names, strict=True)]

    # the labels of each axis in natural order, and one file for each combination of them
    labels = {key: natural_sorted({axes[key] for axes in files.values()}) for key in keys}
    by_labels: dict[tuple[str, ...], Path] = {}
    for path, axes in files.items():
        other = by_labels.setdefault(tuple(axes[key] for key in keys), path)
        if other != path:
            raise UnreadableFileError(
                f"{other.name} and {path.name} have the same position in {name}: remove one of "
                "them from the folder."
            )

    combinations = list(itertools.product(*labels.values()))
    missing = [key for key in combinations if key not in by_labels]
    if missing:
        label = ".".join(f"{key}_{value}" for key, value in zip(keys, missing[0], strict=True))
        raise UnreadableFileError(
            f"{name} is partitioned over files, but the file for {label} is missing: put it back."
        )
    paths = [by_labels[key] for key in combinations]
    return read_grid(Grid(labels=labels, paths=paths, name=name), read_images(paths[0]))
