"""Images whose axes are partitioned over files by their names, ``exp.T_01.C_actin.tif``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.folders.same_layout import Alike, stacks_of
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import natural_key, stem_of
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Channel, Image

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
    """Open the images whose axes are partitioned over files, those of each variable."""
    variables: dict[str, dict[Path, Mapping[str, str]]] = {}
    for path, axes in names.items():
        inner = {key: value for key, value in axes.items() if key != _VARIABLE}
        variables.setdefault(axes.get(_VARIABLE, folder.name), {})[path] = inner
    return [image for name, files in variables.items() for image in _read_variable(name, files)]


def name_in(name: str, path: Path, images: Sequence[Image]) -> list[str]:
    """Return what images of a stack are called: as the stack, where it has a name.

    Several images keep the names that the first file gives them.
    """
    own = stem_of(path)
    is_named = len(images) > 1
    return [
        image.name if not name or (is_named and image.name != own) else name for image in images
    ]


def _read_variable(name: str, files: Mapping[Path, Mapping[str, str]]) -> list[Image]:
    """Open images whose outer axes are partitioned over files, each of which holds as many."""
    keys = list(next(iter(files.values())))
    if not keys:
        path = next(iter(files))
        images = read_images(path)
        names = name_in(name, path, images)
        return [replace(image, name=own) for image, own in zip(images, names, strict=True)]
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
    firsts = read_images(paths[0])
    stacks = stacks_of(paths, firsts, [False] * len(firsts))
    names = name_in(name, paths[0], firsts)
    found = zip(firsts, stacks, names, strict=True)
    return [_image(paths[0], first, read, labels, own) for first, (read, _), own in found]


def _image(
    path: Path, first: Image, read: Alike, labels: Mapping[str, Sequence[str]], name: str
) -> Image:
    """Return one image whose outer axes are partitioned over files, the first of which is open."""
    if set(labels) & set(first.axis_names):
        raise UnreadableFileError(
            f"{path.name} has the axes {' '.join(first.axis_names)} itself, which its name "
            f"gives to the set ({' '.join(labels)}): rename the files."
        )
    shape = (*(len(values) for values in labels.values()), *first.shape)
    lead = len(shape) - first.frame_ndim
    return Image(
        (Frames(read, shape, first.dtype, lead),),
        (*map(Axis, labels), *first.axes),
        tuple(map(Channel, labels.get("c", ()))),
        name,
        metadata={**first.metadata, "labels": labels},
    )
