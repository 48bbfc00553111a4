"""Frames of a video by their number, decoded from the nearest key frame, or from where it stands.

The decoder is kept at its place, so that the next frame costs one decode, and the frames that it
passed are kept as they came, so that a few steps back cost none. What nobody has asked for frames
for a while is closed.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from numpy.typing import NDArray

from napari_ferry.errors import UnreadableFileError
from napari_ferry.video.colour import Look
from napari_ferry.video.index import Index, numbered, video_packets

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_KEPT_BYTES = 16 << 20
"""Decoded frames that are kept as they came, beside those that the decoder refers to."""

_KEPT_FRAMES = 32

_IDLE_SECONDS = 10.0

_MOST_THREADS = 4
"""Threads of a decoder: each holds frames of its own."""


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
        _open_ones.add(self)

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
        _open_ones.add(self)

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
            _reaper.watch()
            self._used = time.monotonic()
            if self._decoder and self._decoder.is_stale():
                self._close()
            if self._decoder is None:
                self._decoder = Decoder(self.path, self.index)
            return self._decoder.frame(i)

    def close_if_idle(self) -> bool:
        """Close the file if nobody has read for a while; return whether it is still open."""
        if not self._lock.acquire(blocking=False):
            return True
        try:
            if self._decoder and time.monotonic() - self._used > _IDLE_SECONDS:
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


class Decoder:
    """A file that is open, and a decoder that stands between two of its frames."""

    def __init__(self, path: Path, index: Index) -> None:
        self.path = path
        self.index = index
        self.container = open_video(path)
        self.stamp = _stamp(path)
        self.kept: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.output: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self.passed = -1
        self.fed = len(index.times)
        self.begins_at = len(index)

    def is_stale(self) -> bool:
        """Whether another file stands at the path by now."""
        return self.stamp != _stamp(self.path)

    def frame(self, i: int) -> av.VideoFrame:
        """Return frame i as it was decoded.

        Raises
        ------
        UnreadableFileError
            The file has changed, or is damaged there.
        """
        if i in self.kept:
            return self.kept[i]
        ahead = self.passed < i and self.begins_at <= i
        if ahead and self.index.start_of(i) < self.fed and (found := self._advance(i)):
            return found
        for back in (0, 1, 2, len(self.index.keys)):
            self._jump(self.index.start_of(i, back))
            found = self._advance(i)
            if found:
                return found
            if self.index.start_of(i, back) == self.index.keys[0]:
                break
        raise UnreadableFileError(
            f"Frame {i} of {self.path} cannot be decoded: the file is damaged there, or has "
            "changed; open it again, or leave that frame out."
        )

    def _advance(self, i: int) -> av.VideoFrame | None:
        """Decode on to frame i; ``None`` where it does not come."""
        import av

        try:
            for number, frame in self.output:
                shown = int(self.index.shown[number])
                if shown < self.begins_at:
                    continue  # needs what was before the key frame
                self.passed = shown
                self._keep(shown, frame)
                if shown >= i:
                    return frame if shown == i and not frame.is_corrupt else None
        except av.FFmpegError:
            self.passed = len(self.index)
        return None

    def _keep(self, shown: int, frame: av.VideoFrame) -> None:
        if frame.is_corrupt:
            return
        nbytes = sum(plane.buffer_size for plane in frame.planes)
        room = max(1, min(_KEPT_FRAMES, _KEPT_BYTES // max(1, nbytes)))
        self.kept[shown] = frame
        while len(self.kept) > room:
            self.kept.popitem(last=False)

    def _jump(self, packet: int) -> None:
        """Put the decoder in front of a key frame."""
        self.begins_at = max(int(self.index.shown[packet]), 0) if packet else 0
        self.passed = -1
        self.output = self._decode_from(packet)

    def _decode_from(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from a packet on: the number of each frame's packet, and the frame."""
        for number, packet in self._packets_from(first):
            self.fed = number + 1
            packet.opaque = number
            yield from numbered(packet.decode())
        self.fed = len(self.index.times)
        yield from numbered(self.container.streams.video[0].codec_context.decode(None))

    def _packets_from(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Yield packets from one on, with their numbers."""
        last = len(self.index.times)
        for number, packet in self._seek(first):
            if number >= last:
                return
            if number >= first:
                yield number, packet

    def _seek(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Return packets from `first` on, or from before it, with their numbers."""
        for target in self.index.seek_times(first) if first else ():
            stream = self.container.streams.video[0]
            self.container.seek(target, stream=stream)
            stream.codec_context.flush_buffers()
            packets = video_packets(self.container)
            packet = next(packets, None)
            number = None if packet is None else self.index.find(packet)
            if packet is not None and number is not None and number <= first:
                return enumerate(chain([packet], packets), number)
        # no table of key frames, or an unclear place: from the beginning
        self.container.close()
        self.container = open_video(self.path)
        return enumerate(video_packets(self.container))

    def close(self) -> None:
        """Close the file; a generator that stands in it would keep it open."""
        if isinstance(self.output, Generator):
            self.output.close()
        self.kept.clear()
        self.container.close()


def open_video(path: Path) -> InputContainer:
    """Open a file that has a video stream, ready to decode.

    Raises
    ------
    UnreadableFileError
        It is no video, or has no video stream that can be decoded.
    """
    import av

    try:
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise UnreadableFileError(
            f"{path} cannot be opened as a video ({error.strerror or error}): check that it is "
            "one, and whole."
        ) from error
    if not container.streams.video:
        raise UnreadableFileError(
            f"{path} holds no pictures ({_streams(container)}): open another file."
        )
    stream = container.streams.video[0]
    if getattr(stream, "codec_context", None) is None:
        raise UnreadableFileError(
            f"{path} holds pictures in a coding that is not known: it is damaged, or has to be "
            "converted by the program that made it."
        )
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)
    stream.codec_context.flags |= av.codec.context.Flags.copy_opaque
    return container


def _streams(container: InputContainer) -> str:
    """Say what a file has instead of pictures."""
    kinds = sorted({stream.type for stream in container.streams})
    return f"only {' and '.join(kinds)}" if kinds else "no stream at all"


def _stamp(path: Path) -> tuple[int, int]:
    """Return what changes when another file takes the place of this one."""
    try:
        found = path.stat()
    except OSError as error:
        raise UnreadableFileError(
            f"{path} is gone ({error.strerror or error}): put it back, or open another file."
        ) from error
    return found.st_size, found.st_mtime_ns


_open_ones: weakref.WeakSet[VideoFrames] = weakref.WeakSet()
_left_to_parent: list[Decoder] = []


class _Reaper:
    """Closes, in a thread that lives while there are any, the files that nobody reads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_awake = False

    def watch(self) -> None:
        """Begin to watch, if that is not going on."""
        if self.is_awake:
            return
        with self.lock:
            if not self.is_awake:
                self.is_awake = True
                threading.Thread(target=self._work, name="ferry-idle", daemon=True).start()

    def _work(self) -> None:
        while True:
            time.sleep(_IDLE_SECONDS / 4)
            with self.lock:
                still_open = [reader.close_if_idle() for reader in list(_open_ones)]
                if not any(still_open):
                    self.is_awake = False
                    return


_reaper = _Reaper()


def _after_fork() -> None:
    global _reaper  # noqa: PLW0603 - its thread and its lock are the parent's
    _reaper = _Reaper()
    for reader in list(_open_ones):
        reader.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
