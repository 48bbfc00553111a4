"""Images of several TIFF files: our series, sets of OME-TIFF, acquisitions and plain stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.tiff.folders.acquisition import read_acquisition
from napari_ferry.codecs.tiff.folders.acquisition_names import parse_acquisition
from napari_ferry.codecs.tiff.folders.file_sets import are_sets, files_of, read_sets
from napari_ferry.codecs.tiff.folders.name_families import (
    split_marked,
    split_paired,
    split_thumbnails,
)
from napari_ferry.codecs.tiff.folders.own_series import are_parts, read_series
from napari_ferry.codecs.tiff.folders.partition import (
    is_complete,
    is_partition,
    parse_partition,
    read_listed,
    read_partition,
)
from napari_ferry.codecs.tiff.folders.plain_stack import join_stack
from napari_ferry.codecs.tiff.images.companion import read_companion
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import companion_files, folders_of_files, tiff_files
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.file_list import names_of
from napari_ferry.files.number_gaps import find_gap
from napari_ferry.files.number_grid import find_grid
from napari_ferry.image import Image


def read_folder(folder: Path) -> list[Image]:
    """Open the TIFF files of a folder as one series or stack, in natural order.

    Hidden files are left out.

    Raises
    ------
    UnreadableFileError
        The folder has no TIFF files, or a file is damaged, missing or does not match the others.

    Warns
    -----
    FerryWarning
        Names distinguish several kinds of files, or give axes; files are left out.
    """
    paths = tiff_files(folder)
    companions = companion_files(folder)
    if companions:
        return _read_companions(companions, paths)
    if not paths and (folders := folders_of_files(folder)):
        return _read_folders(folder, folders)
    if not paths:
        raise UnreadableFileError(
            f"{folder.name} holds no .tif or .tiff files: choose another folder."
        )

    labels = parse_partition(paths)
    if labels and is_partition(labels):
        return read_partition(folder, labels)
    if are_parts(paths):
        return read_series(paths)
    return _read_families(paths, folder)


def read_stack(paths: Sequence[Path]) -> list[Image]:
    """Open TIFF files as one stack, in the given order; parts of a series as the whole series.

    Raises
    ------
    UnreadableFileError
        A file is damaged or does not match the others.

    Warns
    -----
    FerryWarning
        Names distinguish several kinds of files, or give axes; files are left out.
    """
    labels = parse_partition(paths)
    if len(paths) > 1 and labels and is_complete(labels):
        return read_listed(labels)
    return read_series(paths) if are_parts(paths) else _read_families(paths, None)


def _read_folders(folder: Path, folders: Sequence[Path]) -> list[Image]:
    """Open an acquisition with a folder for each position or time, or else each of them."""
    files = [tiff_files(each) for each in folders]
    paths = [path for each in files for path in each]
    acquisition = parse_acquisition(paths, folder.name, in_folders=True) if paths else None
    if acquisition is not None and not acquisition.others:
        return read_acquisition(acquisition, {})

    existing = [each for each, found in zip(folders, files, strict=True) if found]
    if not existing:
        raise UnreadableFileError(
            f"{folder.name} holds no .tif or .tiff files: choose another folder."
        )
    return [
        replace(image, name=f"{each.name} {image.name}" if image.name != each.name else each.name)
        for each in existing
        for image in read_folder(each)
    ]


def _read_companions(companions: Sequence[Path], paths: Sequence[Path]) -> list[Image]:
    """Open the sets described by companion files, and warn of other files in the folder."""
    images = [image for companion in companions for image in read_companion(companion)]
    rest = [path for path in paths if path not in files_of(images)]
    if rest:
        warn(
            f"{_listed(rest)} left out, because {companions[0].name} does not describe "
            f"{'it' if len(rest) == 1 else 'them'}: open {'it' if len(rest) == 1 else 'them'} "
            "alone."
        )
    return images


def _read_families(paths: Sequence[Path], folder: Path | None) -> list[Image]:
    """Open images and their segmentations apart, without thumbnails.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    folder : Path or None
        Their folder; None for files that were named one by one.
    """
    paths, thumbnails = split_thumbnails(paths)
    if thumbnails and paths:
        warn(f"{_listed(thumbnails)} left out as thumbnails.")
    families = split_marked(paths or thumbnails)
    if len(families) > 1:
        _warn_of_families(families)

    images: list[Image] = []
    for k, family in enumerate(families):
        seen = files_of(images)
        rest = [path for path in family if path.absolute() not in seen] if seen else family
        if rest:
            images += _read_family(rest, folder, "" if k or folder is None else folder.name)
    return images


def _warn_of_families(families: Sequence[Sequence[Path]]) -> None:
    kinds = [f"{len(family)} like {family[0].name}" for family in families]
    warn(
        f"The names distinguish {len(families)} kinds of files, which are opened as separate "
        f"images: {', '.join(kinds[:-1])} and {kinds[-1]}."
    )


def _listed(paths: Sequence[Path]) -> str:
    """Return the beginning of a sentence about some files."""
    return (
        f"{paths[0].name} is"
        if len(paths) == 1
        else f"{len(paths)} files such as {paths[0].name} are"
    )


def _read_family(paths: Sequence[Path], folder: Path | None, name: str) -> list[Image]:
    """Open files of one kind as sets, as an acquisition, or as plain stacks."""
    first = read_images(paths[0])
    if len(paths) == 1:
        return first
    if are_sets(paths, first):
        return read_sets(paths, first)

    acquisition = parse_acquisition(paths, name)
    if acquisition is not None:
        images = read_acquisition(acquisition, {paths[0]: first})
        others = acquisition.others
        return images + (_read_plain(others, folder, "") if others else [])
    return _read_plain(paths, folder, name, first)


def _read_plain(
    paths: Sequence[Path], folder: Path | None, name: str, first: Sequence[Image] = ()
) -> list[Image]:
    """Open files as plain stacks, one for each family of names.

    Images of the first file may be given if it is already open.

    Raises
    ------
    UnreadableFileError
        A file of a folder is missing, by its number, or does not match the others.

    Warns
    -----
    FerryWarning
        Names distinguish several kinds of files, or count with several numbers.
    """
    families = split_paired(paths)
    if len(families) > 1:
        _warn_of_families(families)
        return [image for family in families for image in _read_plain(family, folder, "")]

    gap = find_gap(names_of(paths)) if folder else None
    if folder and gap:
        raise UnreadableFileError(
            f"The numbers of the files in {folder} are not consecutive between {gap.before} "
            f"and {gap.after}: put back the missing file or remove the duplicate, or open the "
            "files themselves together."
        )
    grid = find_grid(names_of(paths)) if folder else None
    if grid:
        warn(
            f"{grid.joined_as_one(paths[0].name)}; for an axis of each number, open them by the "
            f"pattern {grid.pattern} with imload."
        )
    return join_stack(paths, name, first or read_images(paths[0]))
