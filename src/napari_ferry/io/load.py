"""`imload`: images of files, folders, lists and patterns of files, and addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, TypeAlias

from napari_ferry.arguments import find_url, reading, to_path
from napari_ferry.errors import (
    InvalidImageError,
    MissingFileError,
    UnsupportedFormatError,
    opening,
)
from napari_ferry.image import Image
from napari_ferry.image.axis_names import naming_axes
from napari_ferry.io.protocol import Codec, format_name, hooks_of, suffixes_of
from napari_ferry.io.search import codecs, find_source_codec
from napari_ferry.saving import naming_saves
from napari_ferry.saving.partial.interruption import check_exists

Source: TypeAlias = str | Path | Sequence[str | Path]
"""A path, a pattern or an address, or the paths of one stack."""


def imload(
    path: Source,
    *,
    axes: str | Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    partition: Mapping[str, Any] | None = None,
    order: str | Sequence[str] | None = None,
) -> list[Image]:
    """Open every image of a file, a folder, or several files; no pixels are read.

    Formats are TIFF (``.tif``, ``.ome.tif`` and those of microscopes), OME-Zarr and other Zarr
    (``.ome.zarr``, ``.zarr``, ``.ozx``), raw pixels with a description (``.bin``, ``.raw``,
    ``.nrrd`` and more), video (``.mp4`` and more), ``.gif`` and ``.png``. The suffix
    determines the format.

    Parameters
    ----------
    path : str or Path, or sequence of them
        A file, a folder of files, or the address (URL) of a Zarr store. Files in a list are one
        stack, in this order. So are those of a pattern with ``*``, in natural order. Each field of
        a pattern, such as ``"img.t_{t}.c_{c}.tif"``, is an axis over files: numbers in the names
        are coordinates, and other texts are labels, along ``c`` the names of channels.
    axes : str or sequence of str, optional
        Names for the axes, in any case, that replace those of the file; such as ``"zyx"``. A
        capital ``S`` counts samples in `Image.extract_patch`, also where the image is a color.
    metadata : mapping, optional
        Arguments of `Image.replace` that replace the metadata of the file, such as ``{"scale":
        {"t": 0.3}, "unit": {"t": "ms"}, "channels": ["nuclei", "actin"]}``; other entries are added
        to `Image.metadata`. ``spacing``, ``spacing_units`` and ``coords`` are known, too, as
        are attributes of OME such as ``PhysicalSizeX``, ``TimeIncrement`` and ``Channel``.
    partition : mapping, optional
        Part of each axis to open: a slice, or a list of indices or of names of channels; a single
        one leaves the axis out. Such as ``{"t": slice(0, 10), "c": "GFP"}``. Axes that one of
        several images lacks leave it unchanged.
    order : str or sequence of str, optional
        Axes in this order, such as ``"itczyx"``; those that the image lacks have length 1.

    Returns
    -------
    list of Image
        Lazy; ``image.load(progress=True)`` reads the pixels, with a progress bar.

    Raises
    ------
    UnreadableFileError
        The file does not exist, may not be read, or is damaged.
    UnsupportedFormatError
        Its format is not known.
    MissingMetadataError
        It is a raw file without description.
    InvalidImageError
        Axes, metadata, partition or order do not match an image.

    Warns
    -----
    FerryWarning
        Something was left out, assumed or filled.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> _ = imsave(np.zeros((20, 8, 8), np.uint16), "cells.tif")
    >>> (image,) = imload("cells.tif", partition={"t": slice(0, 10)}, order="tczyx")
    >>> image.shape
    (10, 1, 1, 8, 8)
    """
    # imported on the first call, as they would slow down the import of the package
    from napari_ferry.image.selection import order_axes, select_all
    from napari_ferry.image.user_metadata import override_all, sort_metadata

    given = sort_metadata(metadata) if metadata else {}
    given = given if axes is None else {**given, "axes": axes}
    with naming_axes(are_given="axes" in given):
        images = _open_source(path)
    images = override_all(images, given) if given else images
    if partition is not None:
        images = select_all(images, partition)
    return images if order is None else [order_axes(image, order) for image in images]


def _open_source(source: Source) -> list[Image]:
    """Open every image of a path, a list of paths, a pattern or an address."""
    from napari_ferry.files.patterns import is_pattern

    if not isinstance(source, str | os.PathLike):
        return _open_listed(source)
    url = find_url(source) or ""
    open_url = _find_opener(url) if url else None
    if open_url:
        return open_url(url)
    path = to_path(source)
    return _open_pattern(path.absolute()) if is_pattern(path) else _open_path(path)


def _open_listed(source: Any) -> list[Image]:
    """Open the files of a list as one stack.

    Raises
    ------
    InvalidImageError
        It is not a list of paths, or is empty.
    """
    if isinstance(source, bytes | Mapping | Set | Image) or not isinstance(source, Iterable):
        to_path(source)  # type: ignore[arg-type]  # refuses it
    paths = [to_path(each).absolute() for each in source]
    if not paths:
        raise InvalidImageError("The list of files is empty: give at least one path.")
    return _open_together(paths)


def _open_pattern(pattern: Path) -> list[Image]:
    """Open the files of a pattern, with an axis for each of its fields.

    Raises
    ------
    UnreadableFileError
        No file matches.
    """
    from napari_ferry.files.patterns import field_names, find_matches

    with reading(pattern):
        matches = find_matches(pattern)
    if not matches:
        raise MissingFileError(
            f"No file matches {pattern.name} in {pattern.parent}: check the pattern, in which * is "
            "any text, and {name}, where the name is a word of letters, an axis over files."
        )
    paths = [match.path for match in matches]
    fields = field_names(pattern)
    if not fields:
        return _open_together(paths)
    codec = _common_codec(paths)
    open_grid = hooks_of(codec).open_grid
    if open_grid is None:
        raise UnsupportedFormatError(
            f"{format_name(codec)} files are not opened by a pattern with fields: replace "
            f"{{{fields[0]}}} by *, which gives one stack."
        )
    with reading(paths[0]), naming_saves(paths[0]):
        return open_grid({match.path: match.fields for match in matches})


def _open_together(paths: Sequence[Path]) -> list[Image]:
    """Open several files as one stack, in this order; one file as itself.

    Raises
    ------
    UnreadableFileError
        A file does not exist, is damaged, or differs from the others.
    UnsupportedFormatError
        The files have several formats, or one without stacks of files.
    """
    if len(paths) == 1:
        return _open_path(paths[0])
    codec = _common_codec(paths)
    open_many = hooks_of(codec).open_many
    if open_many is None:
        raise UnsupportedFormatError(
            f"{format_name(codec)} data are opened one by one, not as one stack: call imload for "
            f"each of the {len(paths)}."
        )
    return open_stack(open_many, paths)


def open_stack(
    open_many: Callable[[Sequence[Path]], list[Image]], paths: Sequence[Path]
) -> list[Image]:
    """Open several files by a function of their codec, with the errors of `imload`."""
    with reading(paths[0]):
        for path in paths:
            check_exists(path)
        with naming_saves(paths[0]):
            return open_many(paths)


def _common_codec(paths: Sequence[Path]) -> Codec:
    """Return the codec of several existing files.

    Raises
    ------
    UnsupportedFormatError
        They have several formats.
    """
    found: dict[Codec, Path] = {}
    for path in paths:
        with reading(path):
            check_exists(path)
            found.setdefault(find_source_codec(path), path)
    if len(found) > 1:
        first, second = [path.name for path in found.values()][:2]
        raise UnsupportedFormatError(
            f"{first} and {second} have different formats, and are not one stack: give files of "
            "one format."
        )
    return next(iter(found))


def _open_path(path: Path) -> list[Image]:
    """Open every image of a file or folder."""
    with reading(path):
        path = path.absolute()  # later reads do not depend on the working folder of that time
        check_exists(path)
        with naming_saves(path), opening("" if path.is_dir() else path.name):
            return find_source_codec(path).open(path)


def _find_opener(url: str) -> Callable[[str], list[Image]] | None:
    """Return the codec function for opening an address, or ``None``."""
    names = url.partition("?")[0].lower().split("/")
    for codec in codecs():
        open_url, known = hooks_of(codec).open_url, suffixes_of(codec, to_open=True)
        if open_url is not None and any(name.endswith(known) for name in names):
            return open_url
    return None
