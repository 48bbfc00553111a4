"""Thread-safe reader of the frames of a video by number; idle files are closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from napari_ferry.arrays.array_protocol import Closable
from napari_ferry.arrays.fair_lock import FairLock
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.video.frame_format import FrameFormat
from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.codecs.video.shared_decoder import SharedDecoder


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

    is_stamped: ClassVar[Literal[True]] = True

    caches_frames: ClassVar[Literal[True]] = True

    def __init__(
        self, path: Path, index: PacketIndex, frame_format: FrameFormat, stamp: Stamp
    ) -> None:
        self.path = path
        self.index = index
        self.frame_format = frame_format
        self.stamp = stamp
        self._decoder = SharedDecoder(path, index, stamp)

    def __reduce__(self) -> tuple[type[VideoFrames], tuple[Any, ...]]:
        return VideoFrames, (self.path, self.index, self.frame_format, self.stamp)

    @property
    def sequence_lock(self) -> FairLock:
        """Lock to hold while reading several frames, to keep other threads from seeking."""
        return self._decoder.sequence_lock

    def __call__(self, i: int) -> NDArray[Any]:
        """Read frame i: axes y x, or y x s; uint8 or uint16."""
        return self.frame_format.pixels(self._decoder.frame(i, self), i, self.path)

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames into an array, axes (frames, y, x[, s])."""
        with self.sequence_lock:
            for k in range(len(out)):
                i = first + k
                out[k] = self.frame_format.view(self._decoder.frame(i, self), i, self.path)

    def close(self) -> None:
        """Close the file until its next frame is read."""
        self._decoder.close()
