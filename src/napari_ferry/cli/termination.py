"""Termination of a command by the system, handled like a keyboard interrupt."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """The system asked this process to end (SIGTERM)."""


@contextmanager
def raising_terminated() -> Iterator[None]:
    """Return a context to raise `Terminated` in the main thread when the process is to end.

    Other threads cannot handle signals, and a signal ignored by the parent process stays ignored.

    Raises
    ------
    Terminated
        The process received SIGTERM.
    """
    previous = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or previous == signal.SIG_IGN:
        yield
        return

    signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


def end_at_once() -> None:
    """Let the system end this process without an exception, for the time of an open window.

    Qt runs no Python code while it waits for events.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second signal must not stop the cleanup
    raise Terminated
