"""Every error and warning of napari-ferry, on one screen.

::

    FerryError
    ├── UnreadableFileError(OSError)         a file is damaged, missing or of another format
    │   ├── MissingFileError(FileNotFoundError)  a file does not exist
    │   └── ReopenError                      a file differs from what opening found: open it again
    ├── MissingMetadataError(ValueError)     a raw file's layout is not known
    ├── UnsupportedFormatError(ValueError)   no codec for this suffix
    ├── InvalidImageError(ValueError)        an image or option that cannot be used in this way
    ├── TargetExistsError(FileExistsError)   a target of a save already exists
    ├── TargetError(OSError)                 a target is unusable: no space, no permission, bad name
    ├── SaveError(OSError)                   a save failed; existing files are unchanged
    │   └── ClusterError                     the workers of a cluster cannot carry out a save
    ├── SaveCancelledError                   a save was cancelled; existing files are unchanged
    └── LoadCancelledError                   loading pixels was cancelled
    FerryWarning(UserWarning)                something was assumed, or could not be preserved

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
    """Base class of all errors of napari-ferry."""

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
    """A file is damaged, missing, or not of the format of its name."""


class MissingFileError(UnreadableFileError, FileNotFoundError):
    """A file or folder does not exist."""


class ReopenError(UnreadableFileError):
    """A file differs from what opening it found; opening it again succeeds."""


class MissingMetadataError(FerryError, ValueError):
    """A raw file has no description of its layout."""


class UnsupportedFormatError(FerryError, ValueError):
    """No codec opens or saves files with this suffix."""


class InvalidImageError(FerryError, ValueError):
    """An image or an option cannot be used in this way."""


class TargetExistsError(FerryError, FileExistsError):
    """A target of a save already exists, and overwriting was not requested."""


class TargetError(FerryError, OSError):
    """A target is unusable: a folder, no space, no permission, or an impossible name."""


class SaveError(FerryError, OSError):
    """A save failed; existing files are unchanged."""


class ClusterError(SaveError):
    """The workers of a cluster cannot carry out a save, or are lost; it can be resumed."""


class SaveCancelledError(FerryError):
    """A save was cancelled; existing files are unchanged."""


class LoadCancelledError(FerryError):
    """Loading pixels was cancelled."""


class FerryWarning(UserWarning):
    """Something was assumed, or could not be preserved; the file being opened is always named."""

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
    """Return the ``stacklevel`` of the first function that belongs to no module of this package.

    Functions of `contextlib` between those of this package are passed over.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame):
        level, frame = level + 1, frame.f_back
    return level


def _is_own(frame: FrameType) -> bool:
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


def share_collector() -> Callable[[], None]:
    """Return the initializer of the threads of a pool, whose warnings are collected as those here.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> messages = []
    >>> with collecting_warnings(messages):
    ...     pool = ThreadPoolExecutor(1, initializer=share_collector())
    >>> with pool:
    ...     pool.submit(warn, "The file has no scale.").result()
    >>> messages
    ['The file has no scale.']
    """
    messages = _collector.get()

    def initialize() -> None:
        _collector.set(messages)

    return initialize
