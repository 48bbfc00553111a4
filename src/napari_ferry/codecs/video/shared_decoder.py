"""Decoder of one video for many threads, whose file is open only while it is in use."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arrays.fair_lock import FairLock
from napari_ferry.arrays.open_files import register_holder
from napari_ferry.arrays.reading_context import sequence_number
from napari_ferry.arrays.stamp import Stamp, check_unchanged
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.codecs.video.idle_decoders import watch
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import av

_MOST_DECODERS = 16
"""Maximum number of threads with their own sequences, each with a decoder."""


class SharedDecoder:
    """A decoder for many threads, with its file opened at the first read.

    The file is closed by `close`, when it is idle, and when its owner no longer exists. While it is
    open, `idle_decoders` keeps this object alive, so that the garbage collector never finds an
    open file.

    Parameters
    ----------
    path : Path
        The file.
    index : PacketIndex
        Its packets.
    stamp : Stamp
        Stamp of the file when its index was read; a file with another one is refused.
    """

    def __init__(self, path: Path, index: PacketIndex, stamp: Stamp) -> None:
        self.path = path
        self.index = index
        self.stamp = stamp
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self.sequence_lock = FairLock()
        """Held by a thread while reading several frames, to keep other threads from seeking."""
        self._decoders: OrderedDict[int, Decoder] = OrderedDict()
        self._last_use = 0.0

    def frame(self, i: int, owner: object) -> av.VideoFrame:
        """Return frame i as decoded.

        Parameters
        ----------
        i : int
            Number of the frame.
        owner : object
            The reader to which the decoder belongs, not kept alive.

        Raises
        ------
        UnreadableFileError
            The file has another stamp, or its decoder refuses the frame.
        """
        with self._lock:
            self._last_use = time.monotonic()
            self._check_unchanged()
            try:
                return self._decoder(owner).frame(i)
            finally:
                self._check_unchanged()  # or the frame, or the error, may be of another movie

    def _decoder(self, owner: object) -> Decoder:
        """Return the decoder for the sequence read by this thread."""
        number = sequence_number()
        if number not in self._decoders:
            watch(self, owner)
            register_holder(self)
            while len(self._decoders) >= _MOST_DECODERS:
                self._decoders.popitem(last=False)[1].close()
            self._decoders[number] = Decoder(self.path, self.index)
        self._decoders.move_to_end(number)
        return self._decoders[number]

    def _check_unchanged(self) -> None:
        """Refuse a changed file, and close it.

        An open file cannot be replaced on Windows.
        """
        try:
            check_unchanged(self.path, self.stamp)
        except UnreadableFileError:
            self._close()
            raise

    def close_if_idle(self, seconds: float) -> bool:
        """Close the file if idle for this time in seconds; return True if it is still open."""
        if not self._lock.acquire(blocking=False):
            return True
        try:
            if self._decoders and time.monotonic() - self._last_use > seconds:
                self._close()
            return bool(self._decoders)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file until its next frame is read."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        while self._decoders:
            self._decoders.popitem()[1].close()

    def forget(self) -> None:
        """Leave an open file to the parent process, after a fork: its threads exist only there."""
        for decoder in self._decoders.values():
            _keep_forever(decoder)
        self._reset()


def _keep_forever(decoder: Decoder) -> None:
    """Keep a decoder alive until the process has ended, also while Python is being finalized.

    If it were freed, FFmpeg would wait for threads that exist only in the parent process, or crash.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(decoder))
