"""Thread-safe reader of the frames of a video by number; idle files are closed."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from napari_ferry.arrays.open_files import register_holder
from napari_ferry.arrays.protocol import Closable
from napari_ferry.arrays.stamp import Stamp, check_unchanged
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.codecs.video.frame_format import FrameFormat
from napari_ferry.codecs.video.idle_decoders import watch
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import av

_parent_decoders: list[Decoder] = []
"""Decoders of the parent process, kept alive because this process must not close them."""


class VideoFrames(Closable):
    """Reader of the frames of one video in any order; picklable and thread-safe.

    Parameters
    ----------
    path : Path
        The file, opened when a frame is read.
    index : PacketIndex
        Its packets.
    frame_format : FrameFormat
        Size and samples of its frames.
    stamp : Stamp
        Stamp of the file when its index was read; a file with another one is refused.
    """

    caches_frames: ClassVar[Literal[True]] = True

    def __init__(
        self, path: Path, index: PacketIndex, frame_format: FrameFormat, stamp: Stamp
    ) -> None:
        self.path = path
        self.index = index
        self.frame_format = frame_format
        self.stamp = stamp
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self.sequence_lock = FairLock()
        """Held by a thread that reads several frames, so that other threads cause no seek."""
        self._decoder: Decoder | None = None
        self._last_use = 0.0

    def __getstate__(self) -> dict[str, Any]:
        names = ("path", "index", "frame_format", "stamp")
        return {name: vars(self)[name] for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._reset()

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame i: axes y x, or y x s; uint8 or uint16."""
        return self.frame_format.pixels(self._decode(i), i, self.path)

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames into an array, axes (frames, y, x[, s])."""
        with self.sequence_lock:
            for k in range(len(out)):
                i = first + k
                out[k] = self.frame_format.view(self._decode(i), i, self.path)

    def _decode(self, i: int) -> av.VideoFrame:
        with self._lock:
            self._last_use = time.monotonic()
            self._check_unchanged()
            try:
                if self._decoder is None:
                    watch(self)
                    register_holder(self)
                    self._decoder = Decoder(self.path, self.index)
                return self._decoder.frame(i)
            finally:
                self._check_unchanged()  # or the frame, or the error, may be of another movie

    def _check_unchanged(self) -> None:
        """Refuse a changed file, and close it so that it can be replaced."""
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
            if self._decoder and time.monotonic() - self._last_use > seconds:
                self._close()
            return self._decoder is not None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file until its next frame is read."""
        with self._lock:
            self._close()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        decoder, self._decoder = getattr(self, "_decoder", None), None
        if decoder:
            decoder.close()

    def forget(self) -> None:
        """Leave an open file to the parent process, after a fork: its threads exist only there."""
        if self._decoder:
            _parent_decoders.append(self._decoder)
        self._reset()


class FairLock:
    """A fair lock: threads acquire it in the order of their requests.

    Several threads request consecutive parts of a video, so these are read almost in order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            ticket = threading.Lock()
            if self._is_held:
                ticket.acquire()
                self._waiting.append(ticket)
            self._is_held = True
        ticket.acquire()  # free for the first thread; the thread before releases that of the others

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_held = bool(self._waiting)
            if self._waiting:
                self._waiting.popleft().release()
