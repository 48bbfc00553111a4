"""Cache of decoded frames, larger while frames are read backward."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

_BYTES = 16 << 20
"""Size of the cache, without the reference frames of the decoder."""

_FRAMES = 32

_BACKWARD_BYTES = 112 << 20
"""Size of the cache while frames are read backward: these are decoded in runs from a key frame."""

_SMALL_STEP = 8
"""Maximum step of a scrubbing hand, in frames."""


class FrameCache:
    """Cache of the frames decoded last."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self._last = -1
        self._backward_steps = 0
        self._nbytes = 0
        """Size of a frame in bytes; 0 before the first one."""

    @property
    def capacity(self) -> int:
        """Number of frames that are cached."""
        nbytes = max(1, self._nbytes)
        if self._backward_steps > 1:
            return max(1, _BACKWARD_BYTES // nbytes)
        return max(1, min(_FRAMES, _BYTES // nbytes))

    def find(self, i: int) -> av.VideoFrame | None:
        """Return frame i if it is cached, and note the direction of reading."""
        is_backward = 0 < self._last - i <= _SMALL_STEP
        if i != self._last:
            self._backward_steps = self._backward_steps + 1 if is_backward else 0
        self._last = i
        return self._frames.get(i)

    def add(self, i: int, frame: av.VideoFrame) -> None:
        """Cache a frame, and remove the oldest ones beyond the size of the cache."""
        self._nbytes = sum(plane.buffer_size for plane in frame.planes)
        self._frames[i] = frame
        self._frames.move_to_end(i)
        while len(self._frames) > self.capacity:
            self._frames.popitem(last=False)

    def clear(self) -> None:
        """Remove all frames."""
        self._frames.clear()
