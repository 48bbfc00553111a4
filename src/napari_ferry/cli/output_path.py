"""Output file of a conversion: a name, or the source's name in a folder."""

from __future__ import annotations

import argparse
import os
from difflib import get_close_matches
from pathlib import Path

from napari_ferry.arguments import find_url, to_path
from napari_ferry.batch.output_names import saved_suffix, split_source
from napari_ferry.errors import TargetError, UnsupportedFormatError
from napari_ferry.files.patterns import is_pattern
from napari_ferry.io.search import add_default_suffix, known_suffix, suffixes


def parse_suffix(text: str) -> str:
    """Return the suffix of a format to save, with or without its first dot.

    Raises
    ------
    argparse.ArgumentTypeError
        No format has it.

    >>> parse_suffix("OME.TIF")
    '.ome.tif'
    """
    suffix = f".{text.lower().removeprefix('.')}"
    known = suffixes()
    if suffix in known:
        return suffix
    nearest = get_close_matches(suffix, known, 1, cutoff=0.7)
    hint = f"did you mean {nearest[0]}?" if nearest else f"choose one of {' '.join(known)}"
    raise argparse.ArgumentTypeError(f"{text} is not a format to save: {hint}")


def choose_target(source: str, target: str, suffix: str | None) -> Path:
    """Return the file to save.

    Parameters
    ----------
    source : str
        File, folder or address to convert.
    target : str
        File to save; or a folder, which exists or ends in a separator, for a file with the name of
        the source.
    suffix : str, optional
        Suffix of the file. By default that of `target`, or in a folder that of the source; a name
        without suffix gets that of the default format.

    Raises
    ------
    TargetError
        The source has no name of its own.
    UnsupportedFormatError
        The target has the suffix of another format, or the format of the source is not saved.
    """
    path = to_path(target, TargetError)
    if is_folder(target, path):
        return path / _name_in_folder(source, path, suffix)
    if suffix is None or path.name.lower().endswith(suffix):
        return add_default_suffix(path)
    own = known_suffix(path.name, to_open=True)
    if own:
        raise UnsupportedFormatError(
            f"{path.name} ends in {own}, but --format is {suffix}: leave one of them out."
        )
    return path.with_name(path.name + suffix)


def is_folder(text: str, path: Path) -> bool:
    """Return True for a folder to save into, as opposed to a data set with a suffix."""
    ends = tuple(filter(None, (os.sep, os.altsep)))
    return text.endswith(ends) or (path.is_dir() and not known_suffix(path.name, to_open=True))


def _name_in_folder(source: str, folder: Path, suffix: str | None) -> str:
    """Return the name of a source with the suffix of the file to save."""
    if find_url(source) is None and is_pattern(Path(source)):
        raise TargetError(
            f"{source} has no name to use in the folder {folder}: give a file name, such as "
            f"{folder / ('cells' + (suffix or '.ome.tif'))}."
        )
    stem, own = split_source(source)
    return stem + (suffix or saved_suffix(stem + own))
