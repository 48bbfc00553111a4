"""Plans to save images as one file for each index of some axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_ferry.codec_search import find_codec
from napari_ferry.errors import InvalidImageError
from napari_ferry.files.labels import encode_label, numbers_as_labels
from napari_ferry.image import Image
from napari_ferry.image.axes import parse_axes
from napari_ferry.image.split_axes import split_image
from napari_ferry.saving import Plan
from napari_ferry.saving.plan_merge import merge_plans

_FRAME = ("y", "x", "s")
"""Axes that are always in one file."""


def plan_split(
    images: Sequence[Image],
    path: Path,
    partition: str | Sequence[str],
    plan_part: Callable[[list[Image], Path], Plan],
) -> Plan:
    """Plan one file for each index of some axes, such as ``cells.t_03.c_actin.tif``.

    Parameters
    ----------
    images : sequence of Image
        Several images have their names in those of the files, ``cells.var_image.t_03.tif``.
    path : Path
        Name of the data set, with suffix.
    partition : str or sequence of str
        The axes to split; or, with y and x among them, the axes within one file.
    plan_part : callable
        Plans a file of some images.

    Raises
    ------
    InvalidImageError
        No image has such an axis, or a part cannot be saved.
    """
    split = [_split_axes(image, partition) for image in images]
    if not any(split):
        names = " ".join(dict.fromkeys(name for image in images for name in image.axis_names))
        raise InvalidImageError(
            f"The partition {partition!r} splits none of the axes {names}: name at least one of "
            "these other than y and x."
        )
    suffix = _suffix_of(path)
    stem = path.name[: len(path.name) - len(suffix)]
    plans = []
    for number, (image, axes, variable) in enumerate(
        zip(images, split, _variables(images), strict=True)
    ):
        for labels, part in split_image(image, axes, number):
            fields = [f"{axis}_{label}" for axis, (label,) in labels.items()]
            name = ".".join([stem, *variable, *fields])
            plans.append(plan_part([part], path.with_name(f"{name}{suffix}")))
    return merge_plans(plans, path.name)


def _split_axes(image: Image, partition: str | Sequence[str]) -> list[str]:
    """Return the axes of an image to split, in the order of their names in those of files."""
    names = parse_axes(partition)
    if {"y", "x"} <= {*names}:
        return [name for name in image.axis_names if name not in (*names, "s")]
    return [name for name in names if name in image.axis_names and name not in _FRAME]


def _variables(images: Sequence[Image]) -> list[list[str]]:
    """Return the part of file names for each of several images; nothing for a single one."""
    if len(images) == 1:
        return [[]]
    labels = [encode_label(image.name) for image in images]
    if not all(labels) or len({label.casefold() for label in labels}) < len(labels):
        labels = numbers_as_labels(list(range(len(images))))
    return [[f"var_{label}"] for label in labels]


def _suffix_of(path: Path) -> str:
    """Return the whole suffix of a name, such as ``.ome.tif``, in its own case."""
    known = [each for each in find_codec(path).SUFFIXES if path.name.lower().endswith(each)]
    return path.name[-len(max(known, key=len)) :]
