"""Images whose axes are partitioned over files by their names, ``exp.T_01.C_actin.tif``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.errors import UnreadableFileError
from napari_ferry.frames import Frames
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.tiff.folders.alike import stack_of
from napari_ferry.tiff.images.read import read_images
from napari_ferry.tiff.names import natural_key

_PARTITION = re.compile(r"\.([A-Za-z]+)_([^.]+)(?=\.)")
_VARIABLE = "var"


def partition(paths: Sequence[Path]) -> dict[Path, dict[str, str]]:
    """Read axes off names like ``exp.I_03.C_actin.tif``; empty where not all are such names."""
    if not _PARTITION.search(paths[0].name):
        return {}
    found = {path: {k.lower(): v for k, v in _PARTITION.findall(path.name)} for path in paths}
    keys = {tuple(axes) for axes in found.values()}
    stems = {path.name.split(".")[0] for path in paths}
    return found if len(keys) == 1 and keys != {()} and len(stems) == 1 else {}


def read_partition(folder: Path, names: Mapping[Path, Mapping[str, str]]) -> list[Image]:
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
    first = read_images(paths[0])[0]
    if set(keys) & set(first.axis_names):
        raise UnreadableFileError(
            f"{paths[0].name} has the axes {' '.join(first.axis_names)} itself, which its name "
            f"gives to the set ({' '.join(keys)}): rename the files."
        )
    shape = (*map(len, labels.values()), *first.shape)
    read, _ = stack_of(paths, first, varies=False)
    lead = len(shape) - (3 if first.is_rgb else 2)
    return Image(
        (Frames(read, shape, first.dtype, lead),),
        (*map(Axis, keys), *first.axes),
        tuple(map(Channel, labels.get("c", ()))),
        name,
        metadata={**first.metadata, "labels": labels},
    )
