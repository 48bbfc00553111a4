"""Images of OME-NGFF: pyramids with axes, channels and labels.

https://ngff.openmicroscopy.org/0.4/ and /0.5/, sections "multiscales", "labels" and "image-label".
Of version 0.6, scale and translation are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.label_colors import read_label_colors
from napari_ferry.codecs.zarr.node import SERIES_LAYOUT, Node, own_multiscales
from napari_ferry.codecs.zarr.ome_axes import read_axes, warn_if_empty
from napari_ferry.codecs.zarr.omero import Rendering, read_rendering
from napari_ferry.codecs.zarr.store_record import merge_record
from napari_ferry.errors import InvalidImageError, UnreadableFileError, warn
from napari_ferry.image import Image
from napari_ferry.image.image import Kind
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import KEY

KNOWN_VERSION = re.compile(r"0\.[1-5](\D.*)?")

_READ_KEYS = (
    *("ome", "multiscales", "omero", "labels", "image-label", "plate", "well", "version"),
    *(SERIES_LAYOUT, "series", "_creator", KEY),
)
"""Attributes of a group besides the metadata of an image."""


def is_image(node: Node) -> bool:
    """Return True for a group with an image."""
    return bool(_multiscales_of(node))


def _multiscales_of(node: Node) -> Sequence[Any]:
    """Return the descriptions of the images of a group."""
    listed = node.ome.get("multiscales")
    return listed if isinstance(listed, list) and listed else own_multiscales(node)


def open_image(node: Node, name: str) -> list[Image]:
    """Open the images of a group, usually one, and their labels.

    Parameters
    ----------
    node : Node
        The group.
    name : str
        Name of an image without a name of its own.

    Raises
    ------
    UnreadableFileError
        An array of full resolution is missing or damaged.

    Warns
    -----
    FerryWarning
        Levels or labels are left out, or metadata are missing or invalid.
    """
    images = [
        _open_multiscale(node, each, name if i == 0 else f"{name} {i}")
        for i, each in enumerate(_multiscales_of(node))
    ]
    return [*images, *_open_labels(node)]


def open_groups(
    node: Node, paths: Sequence[object], names: Sequence[str], what: str
) -> list[Image]:
    """Open the images of groups in a group, and warn of missing or damaged ones.

    Parameters
    ----------
    node : Node
        The group that lists the others.
    paths : sequence of object
        Their paths, as in its metadata.
    names : sequence of str
        Names of images without names of their own.
    what : str
        Kind of the groups, for messages: ``"field"``.

    Raises
    ------
    UnreadableFileError
        None of the images can be opened.

    Warns
    -----
    FerryWarning
        Some of them cannot be opened.
    """
    images: list[Image] = []
    problems: list[str] = []
    for path, name in zip(paths, names, strict=True):
        try:
            child = node.child(path)
            if child is None or not is_image(child):
                state = "is missing" if child is None else "is not an image of OME-NGFF"
                raise DamageError(f"{what} {path} {state}")
            images += open_image(child, name)
        except (DamageError, UnreadableFileError) as error:
            problems.append(str(error).rstrip("."))

    if problems and not images:
        raise UnreadableFileError(
            f"{node.label} holds no {what} that can be opened ({problems[0]}): get a complete copy "
            "of the store."
        )
    warn_left_out(node.label, f"{what}s", problems)
    return images


def warn_left_out(label: str, what: str, problems: Sequence[str]) -> None:
    """Warn about omitted parts, and name the first three."""
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        warn(f"{label}: {len(problems)} {what} are left out ({'; '.join(problems[:3])}{more}).")


def _open_multiscale(node: Node, described: object, name: str) -> Image:
    """Open one image of a group."""
    multiscale: Mapping[str, Any] = described if isinstance(described, Mapping) else {}
    _warn_of_version(node, multiscale)
    dataset, levels = _open_levels(node, multiscale)
    warn_if_empty(levels[0].shape, node.label)
    axes = read_axes(multiscale, dataset, levels[0].ndim, node.label)
    kind = _kind_of(node, levels[0].dtype)
    if kind == "labels":
        levels = [_as_integers(level) for level in levels]
        rendering = Rendering(display=read_label_colors(node.ome.get("image-label"), node.label))
    else:
        names = [axis.name for axis in axes]
        count = levels[0].shape[names.index("c")] if "c" in names else 1
        rendering = read_rendering(node.ome.get("omero"), count, node.label)

    own = multiscale.get("name")
    try:
        image = Image(
            levels=tuple(levels),
            axes=axes,
            channels=rendering.channels,
            name=own if isinstance(own, str) and own.strip() else name,
            kind=kind,
            display=rendering.display,
            metadata=_read_metadata(node, multiscale),
        )
        return merge_record(image, node, multiscale)
    except InvalidImageError as error:
        raise UnreadableFileError(f"{node.label} is not a valid image: {error}") from error


def _warn_of_version(node: Node, multiscale: Mapping[str, Any]) -> None:
    version = node.ome.get("version", multiscale.get("version"))
    if version is not None and not KNOWN_VERSION.fullmatch(str(version)):
        warn(
            f"{node.label} is OME-Zarr of version {str(version)[:20]}, newer than 0.5: only scales "
            "and translations are read of its coordinates."
        )


def _open_levels(
    node: Node, multiscale: Mapping[str, Any]
) -> tuple[Mapping[str, Any], list[ZarrArray]]:
    """Open the arrays of a pyramid; return the dataset of full resolution, and all levels.

    Raises
    ------
    UnreadableFileError
        The first one is missing or damaged, or none is listed.
    """
    datasets = multiscale.get("datasets")
    listed = datasets if isinstance(datasets, list) else []
    levels: list[tuple[Mapping[str, Any], ZarrArray]] = []
    problems = []
    for each in listed:
        dataset = each if isinstance(each, Mapping) else {}
        try:
            levels.append((dataset, _open_level(node, dataset.get("path"))))
        except (DamageError, UnreadableFileError) as error:
            if not levels and isinstance(error, UnreadableFileError):
                raise
            if not levels:
                raise UnreadableFileError(
                    f"{node.label} cannot be opened: {error}, where its full resolution is "
                    "expected; get a complete copy of the store."
                ) from error
            problems.append(str(error).rstrip("."))
    if not levels:
        raise UnreadableFileError(
            f"{node.label} lists no arrays in its multiscales, expected datasets with paths: "
            "restore its metadata from a copy."
        )

    levels.sort(key=lambda level: -math.prod(level[1].shape))
    first, full = levels[0]
    fitting = [array for _, array in levels if is_level(full, array)]
    problems += [
        f"the level of shape {array.shape} and type {array.dtype} does not fit"
        for _, array in levels
        if not is_level(full, array)
    ]
    warn_left_out(node.label, "levels", problems)
    return first, fitting


def _open_level(node: Node, path: object) -> ZarrArray:
    child = node.child(path)
    if child is None:
        raise DamageError(f"the array {path} is missing")
    return child.open_array(node)


def is_level(full: ZarrArray, array: ZarrArray) -> bool:
    """Return True for an array no larger than the full resolution along any axis."""
    is_alike = array.ndim == full.ndim and array.dtype == full.dtype
    return is_alike and all(n <= most for n, most in zip(array.shape, full.shape, strict=True))


def _kind_of(node: Node, dtype: np.dtype[Any]) -> Kind:
    """Return the kind of the images of a group: labels have colors or a source."""
    if not isinstance(node.ome.get("image-label"), Mapping):
        return "image"
    if dtype.kind not in "biu":
        warn(f"The labels {node.label} have the type {dtype}, not integers: an image is opened.")
        return "image"
    return "labels"


def _as_integers(level: ZarrArray) -> ZarrArray:
    """Return labels as integers: napari has no labels of booleans."""
    return level.as_type(np.dtype(np.uint8)) if level.dtype == bool else level


def _read_metadata(node: Node, multiscale: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a group beyond its image."""
    own = {key: value for key, value in node.attributes.items() if key not in _READ_KEYS}
    downsampling = {key: multiscale[key] for key in ("type", "metadata") if key in multiscale}
    properties = node.ome.get("image-label")
    if isinstance(properties, Mapping) and "properties" in properties:
        own["properties"] = properties["properties"]
    if downsampling:
        own["multiscales"] = downsampling
    metadata: dict[str, Any] = to_json(own)
    return metadata


def _open_labels(node: Node) -> list[Image]:
    """Open the labels of an image, and warn of unreadable ones."""
    try:
        group = node.child("labels")
    except UnreadableFileError as error:
        warn_left_out(node.label, "labels", [str(error).rstrip(".")])
        return []
    return [] if group is None else open_label_group(group, node.label)


def open_label_group(group: Node, label: str) -> list[Image]:
    """Open the labels listed by a group, and warn of unreadable ones.

    Parameters
    ----------
    group : Node
        The group of the labels of an image, which may also list none.
    label : str
        Name of the image, for warnings.

    Warns
    -----
    FerryWarning
        Labels are left out.
    """
    listed = group.ome.get("labels")
    images: list[Image] = []
    for path in listed if isinstance(listed, list) else ():
        try:
            images += _as_labels(open_groups(group, [path], [str(path)], "label image"))
        except UnreadableFileError as error:
            warn_left_out(label, "label images", [str(error).rstrip(".")])
    return images


def _as_labels(images: Sequence[Image]) -> list[Image]:
    """Return images in a group of labels as labels, even if not declared as such."""
    return [
        image
        if image.kind == "labels" or image.dtype.kind not in "iu"
        else replace(image, kind="labels", channels=(), display={})
        for image in images
    ]
