"""Files read by many arrays, open once for all of them."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.open_files import register_holder
from napari_ferry.arrays.stamp import Stamp, changed, open_unchanged, unreadable
from napari_ferry.errors import UnreadableFileError


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
        self._file: BinaryIO | None = None

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the file until its next use."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close()

    def read_into(self, out: NDArray[np.uint8], offset: int) -> None:
        """Read bytes from an offset into an array in C order.

        Raises
        ------
        UnreadableFileError
            The file cannot be opened, became shorter, or changed.
        """
        try:
            if hasattr(os, "preadv"):
                self._read_at(self._open(), out.data, offset)
            else:
                self._seek_and_read(out.data, offset)
        except UnreadableFileError:
            raise
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _read_at(self, file: BinaryIO, buffer: memoryview, offset: int) -> None:
        """Read at an offset, without moving the position that threads share."""
        while buffer:
            count = os.preadv(file.fileno(), [buffer], offset)
            if not count:
                raise changed(self.path)
            buffer, offset = buffer[count:], offset + count
        if Stamp.of(file.fileno()) != self.stamp:
            raise changed(self.path)

    def _seek_and_read(self, buffer: memoryview, offset: int) -> None:
        """Read from the file and close it at once, because Windows cannot replace open files."""
        with open_unchanged(self.path, self.stamp) as file:
            file.seek(offset)
            if file.readinto(buffer) != len(buffer):  # type: ignore[attr-defined]
                raise changed(self.path)

    def _open(self) -> BinaryIO:
        """Return the open file, after a check of its stamp."""
        with self._lock:
            if self._file is None:
                register_holder(self)
                self._file = open_unchanged(self.path, self.stamp, buffering=0)
            return self._file


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
