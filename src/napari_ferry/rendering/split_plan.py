"""Plans to save images as one file for each index of some axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.files.labels import file_labels
from napari_ferry.files.short_texts import list_few
from napari_ferry.image import Image
from napari_ferry.image.axes import parse_axes
from napari_ferry.image.split_axes import Labels, split_image
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_codec, known_suffix
from napari_ferry.rendering.stale_parts import find_stale_parts
from napari_ferry.saving import Plan
from napari_ferry.saving.plan_merge import merge_plans

_FRAME = ("y", "x", "s")
"""Axes that are always in one file."""

_ALONE = "the files open one by one, not together as one image"
"""Loss in formats that do not open files with axes over them."""


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

    Warns
    -----
    FerryWarning
        Files of an earlier save have no successor, and are to be removed.
    """
    split = [_split_axes(image, partition) for image in images]
    if not any(split):
        names = " ".join(dict.fromkeys(name for image in images for name in image.axis_names))
        raise InvalidImageError(
            f"The partition {partition!r} splits none of the axes {names}: name at least one of "
            "these other than y and x."
        )
    suffix = known_suffix(path.name)
    stem = path.name[: len(path.name) - len(suffix)]
    plans: list[Plan] = []
    saved: dict[str, Labels] = {}
    for number, (image, axes, variable) in enumerate(
        zip(images, split, _variables(images), strict=True)
    ):
        parts = split_image(image, axes, number)
        field = [f"var_{variable}"] if variable else []
        for labels, part in parts:
            fields = [f"{axis}_{label}" for axis, (label,) in labels.items()]
            name = ".".join([stem, *field, *fields])
            plans.append(plan_part([part], path.with_name(f"{name}{suffix}")))
        saved[variable] = {axis: [labels[axis][0] for labels, _ in parts] for axis in axes}

    planned = merge_plans(plans, path.name)
    stale = find_stale_parts(planned, stem, suffix, saved)
    if stale:
        _warn_of_stale(path, stale)
    alone = hooks_of(find_codec(path)).open_grid is None
    return replace(
        planned,
        losses=(*planned.losses, *([_ALONE] if alone else [])),
        stale=tuple(dict.fromkeys([*planned.stale, *stale])),
    )


def _warn_of_stale(path: Path, stale: Sequence[Path]) -> None:
    """Warn about files of an earlier save to be removed."""
    names = list_few([each.name for each in stale])
    warn(
        f"{names} belong to the earlier {path.name}, which this save replaces, and are "
        "removed with it: to keep them, choose another name or folder."
    )


def _split_axes(image: Image, partition: str | Sequence[str]) -> list[str]:
    """Return the axes of an image to split, in the order of their names in those of files."""
    names = dict.fromkeys(parse_axes(partition))
    if {"y", "x"} <= {*names}:
        return [name for name in image.axis_names if name not in (*names, "s")]
    return [name for name in names if name in image.axis_names and name not in _FRAME]


def _variables(images: Sequence[Image]) -> list[str]:
    """Return the label of each of several images in file names; none for a single one."""
    return [""] if len(images) == 1 else file_labels([image.name for image in images])
