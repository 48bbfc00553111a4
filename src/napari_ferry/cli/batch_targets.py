"""Command lines with many targets: their detection, and the names of the targets."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_ferry.arguments import find_url, to_path
from napari_ferry.batch.data_sets import is_data_set
from napari_ferry.batch.inputs import is_glob
from napari_ferry.batch.output_names import Naming
from napari_ferry.cli.output_path import is_folder, parse_suffix
from napari_ferry.cli.source_lists import is_list
from napari_ferry.errors import InvalidImageError, TargetError
from napari_ferry.io.search import known_suffix


def has_many_targets(options: argparse.Namespace) -> bool:
    """Return True if each data set is to be saved by itself.

    It has several sources or a list of them, an option for many files, or a pattern of names as its
    target. A pattern of sources, and a folder that is not one data set, are joined only into a
    target with a suffix, which is a single file.
    """
    (first, *others), target = options.sources, options.target
    if others or is_list(first) or options.recursive or options.name is not None or "{" in target:
        return True
    if find_url(first) is not None or known_suffix(Path(target).name, to_open=True):
        return False
    source = to_path(first)
    if is_glob(str(source)):
        return "{" not in first
    return source.is_dir() and not is_data_set(source.absolute())


def choose_naming(options: argparse.Namespace) -> Naming:
    """Return the names of many targets.

    Raises
    ------
    TargetError
        The target is a single file.
    InvalidImageError, UnsupportedFormatError
        The pattern is not valid, or there are two.
    """
    target, pattern = options.target, options.name
    path = to_path(target, TargetError)
    suffix = None if options.format is None else _checked_suffix(options.format)
    first = next((k for k, part in enumerate(path.parts) if "{" in part), None)
    if first is None:
        if not is_folder(target, path) and known_suffix(path.name, to_open=True):
            raise TargetError(_single_file_message(options, path))
        return Naming(folder=path, suffix=suffix, **({"pattern": pattern} if pattern else {}))

    if pattern is not None:
        raise InvalidImageError(
            f"{target} and --name {pattern} are two patterns: give a folder and --name, or one "
            "pattern."
        )
    return Naming(
        folder=Path(*path.parts[:first]), pattern="/".join(path.parts[first:]), suffix=suffix
    )


def _checked_suffix(text: str) -> str:
    """Return the suffix of the option ``--format``, unchecked by the first pass."""
    try:
        return parse_suffix(text)
    except argparse.ArgumentTypeError as error:
        raise InvalidImageError(str(error)) from error


def _single_file_message(options: argparse.Namespace, path: Path) -> str:
    """Return the message about one file as the target of many."""
    n_sources = len(options.sources)
    found = f"{n_sources} inputs are" if n_sources > 1 else f"{options.sources[0]} is"
    suffix = known_suffix(path.name, to_open=True)
    return (
        f"{found} to be converted file by file, but {path} is a single file: give a folder, such "
        f"as {path.with_name('converted')}/ with --format {suffix}, or a pattern, such as "
        f"{path.with_name('{name}' + suffix)}; put names with spaces in quotes."
    )
