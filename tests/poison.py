"""Memory that nobody filled, made visible: numpy's allocations begin full of one byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

POISONS = (0xA5, 0x3C)
"""Two bytes: what differs between them was never filled, and pixels that equal one of them do."""


@contextmanager
def poisoned(byte: int) -> Iterator[None]:
    """Fill what `np.empty` and `np.empty_like` give with a byte; also for libraries in Python."""

    def wrap(allocate: Callable[..., NDArray[Any]]) -> Callable[..., NDArray[Any]]:
        def allocate_poisoned(*args: Any, **kwargs: Any) -> NDArray[Any]:
            out = allocate(*args, **kwargs)
            if out.size and out.itemsize and not out.dtype.hasobject:
                np.asarray(out).ravel("K").view(np.uint8)[...] = byte
            return out

        return allocate_poisoned

    with (
        mock.patch.object(np, "empty", wrap(np.empty)),
        mock.patch.object(np, "empty_like", wrap(np.empty_like)),
    ):
        yield


def read_filled(read: Callable[[], Any]) -> list[NDArray[Any]]:
    """Read arrays twice, over different memory; refuse pixels that come out of that memory.

    Parameters
    ----------
    read : callable
        Opens and reads anew each time; gives one array or several.
    """
    found = []
    for byte in POISONS:
        with poisoned(byte):
            arrays = read()
            found.append([np.array(a) for a in (arrays if isinstance(arrays, list) else [arrays])])
    first, second = found
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes(), "memory that nobody filled is shown as pixels"
    return first
