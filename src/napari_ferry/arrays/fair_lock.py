"""Lock acquired by threads in the order of their requests."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A fair lock: threads acquire it in the order of their requests.

    Several threads request consecutive parts of a sequence, so these are read almost in order.
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
