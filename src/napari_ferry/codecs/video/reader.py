"""Frames of a video by their number, for several threads; what nobody reads is closed."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from napari_ferry.codecs.video import idle_decoders as idle
from napari_ferry.codecs.video.color import Look
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.codecs.video.packet_index import Index

if TYPE_CHECKING:
    import av

_left_to_parent: list[Decoder] = []
"""Decoders that are not ours to close."""


class VideoFrames:
    """Reads the frames of one video, whichever is asked for; picklable, for several threads.

    Parameters
    ----------
    path : Path
        The file, which is opened when a frame is read.
    index : Index
        Its frames.
    look : Look
        What a frame becomes.
    """

    keeps_frames: ClassVar[Literal[True]] = True

    def __init__(self, path: Path, index: Index, look: Look) -> None:
        self.path = path
        self.index = index
        self.look = look
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self.turn = Turn()
        """Held by a thread that reads several frames, so that others do not make it jump."""
        self._decoder: Decoder | None = None
        self._used = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "index": self.index, "look": self.look}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame i: axes y x, or y x s."""
        return self.look.pixels(self._decoded(i), i, self.path)

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read frames that follow each other."""
        with self.turn:
            for k in range(len(out)):
                i = first + k
                out[k] = self.look.view(self._decoded(i), i, self.path)

    def _decoded(self, i: int) -> av.VideoFrame:
        with self._lock:
            self._used = time.monotonic()
            if self._decoder and self._decoder.is_stale():
                self._close()
            if self._decoder is None:
                idle.watch(self)
                self._decoder = Decoder(self.path, self.index)
            return self._decoder.frame(i)

    def close_if_idle(self, seconds: float) -> bool:
        """Close the file if nobody has read for so long; return whether it is still open."""
        if not self._lock.acquire(blocking=False):
            return True
        try:
            if self._decoder and time.monotonic() - self._used > seconds:
                self._close()
            return self._decoder is not None
        finally:
            self._lock.release()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        decoder, self._decoder = getattr(self, "_decoder", None), None
        if decoder:
            decoder.close()

    def forget(self) -> None:
        """Leave an open file to the process that this one was forked from, with its threads."""
        if self._decoder:
            _left_to_parent.append(self._decoder)
        self._begin()


class Turn:
    """A lock that threads get in the order in which they came.

    Pieces of a video are asked for in order, by several threads; so they are read almost in order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            mine = threading.Lock()
            if self._is_taken:
                mine.acquire()
                self._waiting.append(mine)
            self._is_taken = True
        mine.acquire()  # free for the first; the others get it from the one in front

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_taken = bool(self._waiting)
            if self._waiting:
                self._waiting.popleft().release()
