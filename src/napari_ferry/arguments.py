"""Checks of arguments of the public functions: paths, names, numbers of threads."""

from __future__ import annotations

import errno
import numbers
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard, cast

import numpy as np

from napari_ferry.errors import FerryError, InvalidImageError, TargetError, UnreadableFileError

_LARGEST = sys.float_info.max
_COUNTS_END = 2**48
"""More samples or bytes than any file has."""


def to_path(path: str | Path, error: type[FerryError] = UnreadableFileError) -> Path:
    """Return a path with ``~`` replaced by the home folder.

    Parameters
    ----------
    path : str or Path
        Path from a user.
    error : type of FerryError
        Class of the error for an impossible name.

    Raises
    ------
    InvalidImageError
        The argument is not a path.
    FerryError
        `error`: the home folder is unknown, the name is not possible on this system, or it is an
        address.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidImageError(
            f"An object of type {type(path).__name__} is not a path: give a str or a Path; imsave "
            "and plan take the images first, save_images, save_video and the like the path first."
        )
    if not os.fspath(path):
        raise error("The path is empty: give the name of a file, or . for the current folder.")
    if "\0" in os.fspath(path):
        raise error(
            f"{os.fspath(path)!r} contains a null byte, which is not allowed in a name: correct "
            "the name."
        )
    try:
        os.fsencode(path)
    except UnicodeEncodeError as impossible:
        raise error(
            f"{os.fspath(path)!r} contains {impossible.object[impossible.start]!r}, which is not "
            "a character: correct the name."
        ) from impossible

    if (url := find_url(path)) is not None:
        raise error(refuse_address(url))
    try:
        return Path(path).expanduser()
    except RuntimeError as unknown:
        raise error(
            f"{path} begins with a home folder that cannot be determined: give the full path."
        ) from unknown


def find_url(path: object) -> str | None:
    """Return an address (URL) with a lower-case scheme; ``None`` for a path, and other objects.

    A URL as a `Path` has a single slash, and the letter of a drive is not a scheme.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in (text := os.fspath(path)):
        return None
    if ":/" not in text:  # as in most paths
        return None
    found = re.fullmatch("([A-Za-z][A-Za-z0-9+.-]+):/(.*)", text, re.DOTALL)
    if found is None or os.path.lexists(text):
        return None
    scheme, rest = found[1].lower(), found[2].lstrip("/")
    return f"{scheme}://{'/' if scheme == 'file' else ''}{rest}"


def refuse_address(url: str) -> str:
    """Return the message about an address instead of a path."""
    if url.startswith("file:"):
        return f"{url} is an address (URL), not a path: give the path without file://."
    return (
        f"{url} is an address (URL), and only files and folders of this computer are "
        "opened and saved: download the file and give its path."
    )


def missing_path(path: Path) -> str:
    """Return the message about a missing path."""
    folder = path.absolute().parent
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None:
        return f"{path.name} is not there: check its name, and that of its folder, {folder}."
    return (
        f"{archive.name} is a file, so {path.name} cannot be opened inside it: extract the archive "
        "first, and open the extracted file."
    )


def to_name(name: str) -> str:
    """Return a file name unchanged, and refuse a path.

    Raises
    ------
    InvalidImageError
        The name is not a string, or is a path, which could leave the folder.
    """
    if not isinstance(name, str):
        raise InvalidImageError(f"The name {name!r} is a {type(name).__name__}: give a str.")
    if any(separator in name for separator in "/\\\0"):
        raise InvalidImageError(
            f"The name {name!r} contains a separator: give the folder as the path, and a name "
            "without a separator."
        )
    return name


def is_real(value: object) -> bool:
    """Return True for a real number of Python or numpy, excluding bool."""
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def fraction_to_float(value: Any) -> Any:
    """Return a fraction as a float, and any other value unchanged."""
    is_fraction = isinstance(value, numbers.Rational) and not isinstance(value, numbers.Integral)
    return float(value) if is_fraction else value


def is_finite(value: object) -> TypeGuard[float]:
    """Return True for a real number within the range of a float; JSON has larger integers."""
    return is_real(value) and -_LARGEST <= cast("float", value) <= _LARGEST


def is_whole(value: object) -> TypeGuard[int]:
    """Return True for an integer of Python or numpy, excluding bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_count(value: object, least: int = 0) -> TypeGuard[int]:
    """Return True for an integer in the range of sizes and distances, from `least` on."""
    return is_whole(value) and least <= value < _COUNTS_END


def is_text(value: object) -> bool:
    """Return True for a string."""
    return isinstance(value, str)


def check_workers(workers: int | None) -> None:
    """Refuse an invalid number of threads.

    Raises
    ------
    InvalidImageError
        The value is neither ``None`` nor a whole number of at least 1.
    """
    if workers is not None and not (is_real(workers) and workers % 1 == 0 and workers > 0):
        raise InvalidImageError(
            f"workers is {workers!r}: give a whole number of at least 1, or None for the default."
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Return a context for reading a path, with system errors translated.

    Raises
    ------
    UnreadableFileError
        The system reported an error about this file, or about another one that was read with it.
    """
    try:
        yield
    except FerryError as error:
        _add_path(error, path)
        raise
    except OSError as error:
        read = Path(error.filename) if isinstance(error.filename, str | os.PathLike) else path
        message = _refusal(read, "cannot be read", error, "check its name and permissions")
        raise _add_path(UnreadableFileError(message), read) from error


@contextmanager
def targeting(path: Path) -> Iterator[None]:
    """Return a context for the target of a save, with system errors translated.

    Raises
    ------
    TargetError
        The system reported an error.
    """
    try:
        yield
    except FerryError as error:
        _add_path(error, path)
        raise
    except OSError as error:
        message = _refusal(path, "cannot be written to", error, "choose another folder or name")
        raise _add_path(TargetError(message), path) from error


def _add_path(error: FerryError, path: Path) -> FerryError:
    """Add the whole path to an error without one; its message begins with the name of the file."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = str(path)
        error.add_note(f"The path is {path}.")
    return error


def _refusal(path: Path, failure: str, error: OSError, cure: str) -> str:
    """Return the message about a path refused by the system."""
    return f"{_short(path)} {failure} ({error.strerror or error}): {cure_of(error, cure)}."


def cure_of(error: OSError, usual: str) -> str:
    """Return the cure for a system error: `usual`, unless too many files are open."""
    is_crowded = error.errno in (errno.EMFILE, errno.ENFILE)
    return "close layers or images, which keep their files open" if is_crowded else usual


def _short(path: Path) -> str:
    """Return the name of a path for a message, cut off if it is overlong."""
    name = path.name or str(path)
    return name if len(name) <= 80 else f"{name[:60]}..."
