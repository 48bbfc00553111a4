"""What people pass to the public functions: paths, names, numbers of threads; checked here."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeGuard, cast

import numpy as np

from napari_ferry.errors import FerryError, InvalidImageError, TargetError, UnreadableFileError

_LARGEST = sys.float_info.max
_COUNTS_END = 2**48
"""More samples or bytes than any file has."""


def to_path(path: str | Path, error: type[FerryError] = UnreadableFileError) -> Path:
    """Return a path with the home folder filled in.

    Parameters
    ----------
    path : str or Path
        As it was given; ``~`` is the home folder.
    error : type of FerryError
        Raised where no file can have that name.

    Raises
    ------
    InvalidImageError
        Something that is no path.
    FerryError
        `error`: an unknown home folder, or a name with a null byte.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidImageError(
            f"{path!r} is a {type(path).__name__}, not a path: give a str or a Path."
        )
    if "\0" in os.fspath(path):
        raise error(f"{os.fspath(path)!r} holds a null byte, which no name has: correct it.")
    try:
        return Path(path).expanduser()
    except RuntimeError as unknown:
        raise error(
            f"{path} begins with a home folder that is not known here: write the path in full."
        ) from unknown


def to_name(name: str) -> str:
    """Return the name of a file in a folder, as it was given.

    Raises
    ------
    InvalidImageError
        No text, or a path, which would leave the folder.
    """
    if not isinstance(name, str):
        raise InvalidImageError(f"The name {name!r} is a {type(name).__name__}: give a str.")
    if any(separator in name for separator in "/\\\0"):
        raise InvalidImageError(
            f"The name {name!r} is no plain name: give the folder as the path, and a name without "
            "a separator."
        )
    return name


def is_real(value: object) -> bool:
    """Return True for a real number of Python or numpy, which a bool is not."""
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


def is_finite(value: object) -> TypeGuard[float]:
    """Return True for a real number within the range of a float; JSON has larger integers."""
    return is_real(value) and -_LARGEST <= cast("float", value) <= _LARGEST


def is_whole(value: object) -> TypeGuard[int]:
    """Return True for an integer of Python or numpy, which a bool is not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_count(value: object, least: int = 0) -> TypeGuard[int]:
    """Return True for an integer in the range of sizes and distances, from `least` on."""
    return is_whole(value) and least <= value < _COUNTS_END


def is_text(value: object) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


def check_workers(workers: int | None) -> None:
    """Refuse a number of threads that is none.

    Raises
    ------
    InvalidImageError
        Not a whole number from 1.
    """
    if workers is not None and not (is_real(workers) and workers % 1 == 0 and workers > 0):
        raise InvalidImageError(
            f"workers is {workers!r}: give a whole number from 1, or None to let it be chosen."
        )


def reading(path: Path) -> AbstractContextManager[None]:
    """Turn what the system says while a path is read into our own error.

    Raises
    ------
    UnreadableFileError
        The system refused.
    """
    what, cure = f"{_short(path)} cannot be read", "check its name and permissions"
    return _translating(UnreadableFileError, what, cure)


def targeting(path: Path) -> AbstractContextManager[None]:
    """Turn what the system says of the place of a save into our own error.

    Raises
    ------
    TargetError
        The system refused.
    """
    what, cure = f"{_short(path)} cannot be written to", "choose another place or name"
    return _translating(TargetError, what, cure)


@contextmanager
def _translating(kind: type[FerryError], what: str, cure: str) -> Iterator[None]:
    try:
        yield
    except FerryError:
        raise
    except OSError as error:
        raise kind(f"{what} ({error.strerror or error}): {cure_of(error, cure)}.") from error


def cure_of(error: OSError, usual: str) -> str:
    """Return what to do about an error of the system: the usual, unless too many files are open."""
    is_crowded = error.errno in (errno.EMFILE, errno.ENFILE)
    return "close layers or images, which keep their files mapped" if is_crowded else usual


def _short(path: Path) -> str:
    """Return a path for a message; of a name too long for any file, its beginning."""
    return str(path if len(path.name) <= 80 else path.with_name(f"{path.name[:60]}..."))
