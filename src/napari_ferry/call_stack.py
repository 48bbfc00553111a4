"""Functions on the call stack: which of them called this package."""

from __future__ import annotations

import sys
from types import FrameType


def caller_level() -> int:
    """Return the ``stacklevel`` of the first function that belongs to no module of this package.

    It is that for `warnings.warn` in the calling function. Functions of `contextlib` between those
    of this package are passed over.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame):
        level, frame = level + 1, frame.f_back
    return level


def _is_own(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in (__package__, "contextlib")
