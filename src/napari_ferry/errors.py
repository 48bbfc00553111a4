"""Every error and warning of napari-ferry.

Each is also a subclass of the builtin exception that people catch. A message states what was
found, what was expected, and the cure, in one sentence. It begins with the name of the file, as
napari shows little more; the whole path is ``filename``, and a note in tracebacks.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import FrameType

_SHORT = 60
"""Characters of a long name in a message."""

_opened_file = ContextVar("opened_file", default="")
"""Name of the file that is being opened, empty for none."""

_collector: ContextVar[list[str] | None] = ContextVar("collector", default=None)
"""List that collects the warnings of this thread, ``None`` to issue them."""


def escape_surrogates(text: str) -> str:
    r"""Return text with lone surrogates as escapes, for encoding and display.

    Python has them in file names that are not UTF-8. In a string of JSON, the escapes are lossless.

    >>> escape_surrogates("\udcff.tif")
    '\\udcff.tif'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class FerryError(Exception):
    """Base class of all errors of napari-ferry.

    Examples
    --------
    >>> from napari_ferry import imload
    >>> try:
    ...     imload("absent.tif")
    ... except FerryError as error:
    ...     print(type(error).__name__)
    MissingFileError
    """

    def __str__(self) -> str:
        # the builtin classes would replace a message by the number of a system error
        return escape_surrogates(" ".join(map(str, self.args)))


@contextmanager
def opening(name: str) -> Iterator[None]:
    """Name a file in each error and warning of a ``with`` block without its name.

    Raises
    ------
    FerryError
        The error of the block, with the name.
    """
    token = _opened_file.set(name)
    try:
        yield
    except FerryError as error:
        name = escape_surrogates(name)
        if not name or name[:_SHORT] in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error
    finally:
        _opened_file.reset(token)


class UnreadableFileError(FerryError, OSError):
    """A file is damaged, missing, or not of the format of its name.

    Examples
    --------
    >>> from napari_ferry import imload
    >>> open("blank.tif", "w").close()
    >>> imload("blank.tif")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.UnreadableFileError: blank.tif is not a TIFF file ...
    """


class MissingFileError(UnreadableFileError, FileNotFoundError):
    """A file or folder does not exist.

    Examples
    --------
    >>> from napari_ferry import imload
    >>> imload("absent.tif")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.MissingFileError: absent.tif is not there: ...
    """


class ReopenError(UnreadableFileError):
    """A file differs from its state at opening; opening it again succeeds."""


class MissingMetadataError(FerryError, ValueError):
    """A raw file has no description of its layout.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import load_binary
    >>> np.zeros(99).tofile("scan.raw")
    >>> load_binary("scan.raw")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.MissingMetadataError: scan.raw has no sidecar ...
    """


class UnsupportedFormatError(FerryError, ValueError):
    """No codec opens or saves files with this suffix.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> imsave(np.zeros((3, 8, 8)), "cells.doc")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.UnsupportedFormatError: cells.doc ends in .doc and ...
    """


class InvalidImageError(FerryError, ValueError):
    """An image or an option cannot be used in this way.

    Examples
    --------
    >>> from napari_ferry import Axis
    >>> Axis("x", 0.5, "pxl")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.InvalidImageError: The unit of axis x is 'pxl', ...
    """


class TargetExistsError(FerryError, FileExistsError):
    """A target of a save already exists, and overwriting was not requested.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> files = imsave(np.zeros((3, 8, 8)), "kept.tif")
    >>> imsave(np.ones((3, 8, 8)), "kept.tif")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.TargetExistsError: kept.tif in ... would be replaced: ...
    """


class TargetError(FerryError, OSError):
    """A target is unusable: a folder, no space, no permission, or an impossible name.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> imsave(np.zeros((3, 8, 8)), 300 * "a" + ".tif")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.TargetError: ...
    """


class SaveError(FerryError, OSError):
    """A save failed; existing files are unchanged.

    Examples
    --------
    >>> import dask.array
    >>> from napari_ferry import imsave
    >>> broken = dask.array.zeros((3, 8, 8)).map_blocks(lambda block: 1 / 0, dtype=float)
    >>> imsave(broken, "broken.tif")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.SaveError: The pixels ... could not be read ...
    """


class ClusterError(SaveError):
    """The workers of a cluster cannot carry out a save, or are lost; it can be resumed.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> imsave(np.zeros((3, 8, 8)), "cells.bin", client="127.0.0.1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    napari_ferry.errors.ClusterError: The scheduler 127.0.0.1 does not answer ...
    """


class SaveCancelledError(FerryError):
    """A save was cancelled; existing files are unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> imsave(np.zeros((3, 8, 8)), "stopped.tif", cancel=lambda: True)
    Traceback (most recent call last):
    napari_ferry.errors.SaveCancelledError: The save was cancelled; existing files are unchanged.
    """


class LoadCancelledError(FerryError):
    """Loading pixels was cancelled.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import load_images, save_images
    >>> files = save_images("long.tif", np.zeros((3, 8, 8)))
    >>> load_images("long.tif", cancel=lambda: True)
    Traceback (most recent call last):
    napari_ferry.errors.LoadCancelledError: Loading was cancelled: no pixels were kept.
    """


class FerryWarning(UserWarning):
    """Something was assumed, or could not be preserved; the file being opened is always named.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from napari_ferry import load_images, save_images
    >>> files = save_images("two.tif", [np.zeros((8, 8)), np.zeros((9, 9))])
    >>> with warnings.catch_warnings(record=True, action="always") as found:
    ...     first = load_images("two.tif")
    >>> print(str(found[0].message).partition(":")[0])
    two.tif holds 2 images, and only the first is returned
    """

    def __init__(self, message: str) -> None:
        name = _opened_file.get()
        super().__init__(f"{name}: {message}" if name[:_SHORT] not in message else message)

    def __str__(self) -> str:
        return escape_surrogates(super().__str__())


def warn(message: str) -> None:
    """Warn, and name the line that called this package.

    Parameters
    ----------
    message : str
        What was assumed, or could not be preserved.

    Warns
    -----
    FerryWarning
        Always, except within `collecting_warnings`.
    """
    messages = _collector.get()
    if messages is not None:
        messages.append(str(FerryWarning(message)))
        return
    warnings.warn(message, FerryWarning, stacklevel=_caller_level())


def _caller_level() -> int:
    """Return the ``stacklevel`` in the calling function for the first one outside this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame):
        level, frame = level + 1, frame.f_back
    return level


def _is_own(frame: FrameType) -> bool:
    """Return True for a function of this package, or of `contextlib`, which may be between two."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in (__package__, "contextlib")


@contextmanager
def collecting_warnings(messages: list[str]) -> Iterator[None]:
    """Append our warnings in this thread, and in the pools that it starts, to a list.

    Those of other threads, such as of a file that the user opens meanwhile, are issued as usual.
    """
    token = _collector.set(messages)
    try:
        yield
    finally:
        _collector.reset(token)


def share_collector() -> Callable[[], object]:
    """Return the initializer of the threads of a pool, to collect their warnings here."""
    return partial(_collector.set, _collector.get())
