"""FFmpeg's log, kept silent while its libraries run for napari-ferry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Silence:
    """Level of PyAV's log for the rest of the program, and the number of silent blocks."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.level: int | None = None


_silence = _Silence()


@contextmanager
def silent_ffmpeg() -> Iterator[None]:
    """Keep FFmpeg from logging through Python inside a ``with`` block or a decorated function.

    Decoder threads that log need the GIL. The thread that waits for them may hold it, so that the
    program would hang if another plugin had switched on PyAV's logging. Its level is restored
    with the last block that ends.
    """
    import av

    with _silence.lock:
        if not _silence.users:
            _silence.level = av.logging.get_level()
            if _silence.level is not None:
                av.logging.set_level(None)
        _silence.users += 1
    try:
        yield
    finally:
        with _silence.lock:
            _silence.users -= 1
            if not _silence.users and _silence.level is not None:
                av.logging.set_level(_silence.level)
