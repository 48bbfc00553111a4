"""Files read by many arrays, open once for all of them."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.open_files import register_holder
from napari_ferry.arrays.stamp import Stamp, changed, open_unchanged, unreadable
from napari_ferry.errors import UnreadableFileError

_PAGE_BYTES = 4096
"""Size of a page of memory, within which the addresses of a copy matter."""

_LINE_BYTES = 64
"""Size of a line of the processor's cache."""

_PLACED_BYTES = 64 << 10
"""Size above which the address of new memory matters more than the time to choose it."""

MAX_READ = 1 << 30
"""Most bytes of one read; macOS refuses 2 GiB and more."""


class SharedFile:
    """A file read by many arrays, open once for all of them.

    It holds a single descriptor, which is closed with the last array or by `close`, and opened
    again on the next use. Where the system cannot read at an offset (Windows), each use opens it
    anew: there, a file that is open could not be replaced either.

    Parameters
    ----------
    path : str
        Absolute path.
    stamp : Stamp
        Identity of the content that may be read.
    """

    def __init__(self, path: str, stamp: Stamp) -> None:
        self.path = path
        self.stamp = stamp
        self._lock = threading.Lock()
        self._opened: _OpenFile | None = None

    def close(self) -> None:
        """Close the file until its next use; a thread reading it finishes first."""
        with self._lock:
            self._opened = None

    def read(self, offset: int, nbytes: int) -> NDArray[np.uint8]:
        """Read bytes from an offset into a new array, whose place in memory suits the copy.

        Raises
        ------
        UnreadableFileError
            The file cannot be opened, became shorter, or changed.
        """
        out = _empty_bytes(offset, nbytes)
        self.read_into(out, offset)
        return out

    def read_into(self, out: NDArray[np.uint8], offset: int) -> None:
        """Read bytes from an offset into an array in C order.

        Raises
        ------
        UnreadableFileError
            The file cannot be opened, became shorter, or changed.
        """
        try:
            if hasattr(os, "preadv"):
                is_unchanged = self._read_at(self._open(), out, offset)
            else:
                is_unchanged = self._seek_and_read(out.data, offset)
        except UnreadableFileError:
            raise
        except OSError as error:
            self.close()
            raise unreadable(self.path, error) from error
        if not is_unchanged:
            # the file will never be read again, but napari keeps errors, which keep this object
            self.close()
            raise changed(self.path)

    def _read_at(self, opened: _OpenFile, out: NDArray[np.uint8], offset: int) -> bool:
        """Read at an offset, without the position shared by threads; return False if it changed."""
        done, buffer, descriptor = 0, out.data, opened.descriptor
        while done < len(out):  # the system may return fewer bytes than requested
            count = os.preadv(descriptor, [buffer[done : done + MAX_READ]], offset + done)
            if not count:
                return False
            done += count
        return self.stamp.matches(os.fstat(descriptor))

    def _seek_and_read(self, buffer: memoryview, offset: int) -> bool:
        """Read from the file and close it at once, because Windows cannot replace open files."""
        with open_unchanged(self.path, self.stamp) as file:
            file.seek(offset)
            is_whole = file.readinto(buffer) == len(buffer)  # type: ignore[attr-defined]
            return bool(is_whole) and self.stamp.matches(os.fstat(file.fileno()))

    def _open(self) -> _OpenFile:
        """Return the open file, whose stamp is checked when it is opened."""
        with self._lock:
            if self._opened is None:
                register_holder(self)
                self._opened = _OpenFile(self.path, self.stamp)
            return self._opened


class _OpenFile:
    """A file closed with its last reference, including that of a thread reading it.

    Until then, the system does not give its descriptor to another file. A file object would warn
    if the garbage collector finalized it before this.

    Raises
    ------
    UnreadableFileError
        The file no longer exists, or changed.
    """

    descriptor = -1
    _close = staticmethod(os.close)  # at the exit of Python, the module may be gone

    def __init__(self, path: str, stamp: Stamp) -> None:
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(path, error) from error
        if not stamp.matches(os.fstat(self.descriptor)):
            self._release()  # the error refers to this frame, and could keep the file open
            raise changed(path)

    def __del__(self) -> None:
        self._release()

    def _release(self) -> None:
        if self.descriptor >= 0:
            self._close(self.descriptor)
            self.descriptor = -1


def _empty_bytes(offset: int, nbytes: int) -> NDArray[np.uint8]:
    """Return uninitialized memory at the same place in its page as the bytes in the file.

    A processor copies at less than half its speed to addresses that are slightly above those of the
    source within their pages, as it takes them for overlapping. Large new arrays are 16 bytes after
    the start of a page, and the samples of many files are at the start of one.
    """
    if nbytes < _PLACED_BYTES:
        return np.empty(nbytes, np.uint8)
    room = np.empty(nbytes + _PAGE_BYTES, np.uint8)
    address: int = room.__array_interface__["data"][0]
    start = (offset // _LINE_BYTES * _LINE_BYTES - address) % _PAGE_BYTES
    return room[start : start + nbytes]


_shared: weakref.WeakValueDictionary[tuple[str, Stamp], SharedFile] = weakref.WeakValueDictionary()
_shared_lock = threading.Lock()


def share_file(path: Path | str, stamp: Stamp | None = None) -> SharedFile:
    """Return the shared file of a path: one for all arrays while its content stays the same.

    Parameters
    ----------
    path : Path or str
        The file.
    stamp : Stamp, optional
        Identity of its content; that of the present file by default.
    """
    name = os.path.abspath(path)  # noqa: PTH100 - `Path` takes longer
    stamp = Stamp.of(name) if stamp is None else stamp
    with _shared_lock:
        return _shared.setdefault((name, stamp), SharedFile(name, stamp))
