"""Output of a decoder, from which frames can be taken ahead of their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av


class FrameOutput:
    """Frames in the order of the decoder, each with its packet number.

    Parameters
    ----------
    frames : iterable
        The frames, decoded only when they are needed.
    """

    def __init__(self, frames: Iterable[tuple[int, av.VideoFrame]] = ()) -> None:
        self._frames = iter(frames)
        self._ahead: deque[tuple[int, av.VideoFrame]] = deque()

    def __iter__(self) -> FrameOutput:
        return self

    def __next__(self) -> tuple[int, av.VideoFrame]:
        return self._ahead.popleft() if self._ahead else next(self._frames)

    def ahead(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield the next frames as well, but leave them in their turn."""
        yield from tuple(self._ahead)
        for output in self._frames:
            self._ahead.append(output)
            yield output

    def close(self) -> None:
        """End a generator of frames, as it keeps the file open."""
        if isinstance(self._frames, Generator):
            self._frames.close()
        self._frames = iter(())
        self._ahead.clear()
