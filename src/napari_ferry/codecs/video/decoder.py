"""A decoder that stands in a video, and gives frames by their number.

It goes on from where it stands, so that the next frame costs one decode, or from the nearest key
frame; and the frames that it passed are kept as they came, so that a few steps back cost none.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video.packet_index import Index, numbered, video_packets
from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_KEPT_BYTES = 16 << 20
"""Decoded frames that are kept as they came, beside those that the decoder refers to."""

_KEPT_FRAMES = 32

_MOST_THREADS = 4
"""Threads of a decoder: each holds frames of its own."""


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
            packet.opaque = (number,)
            yield from numbered(self.container.streams.video[0].decode(packet))
        self.fed = len(self.index.times)
        yield from numbered(self.container.streams.video[0].decode(None))

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
        import av

        for target in self.index.seek_times(first) if first else ():
            stream = self.container.streams.video[0]
            try:
                self.container.seek(target, stream=stream)
            except av.FFmpegError:
                break  # a stream without a container, or a file without a table of packets
            stream.codec_context.flush_buffers()
            packets = video_packets(self.container)
            packet = next(packets, None)
            number = None if packet is None else self.index.find(packet)
            if packet is not None and number is not None and number <= first:
                return enumerate(chain([packet], packets), number)
        # no table of key frames, or an unclear place: from the beginning
        close_video(self.container)
        self.container = open_video(self.path)
        return enumerate(video_packets(self.container))

    def close(self) -> None:
        """Close the file; a generator that stands in it would keep it open."""
        if isinstance(self.output, Generator):
            self.output.close()
        self.kept.clear()
        close_video(self.container)


def open_video(path: Path) -> InputContainer:
    """Open a file that has a video stream, ready to decode.

    Raises
    ------
    UnreadableFileError
        It is no video, or has no video stream that can be decoded.
    """
    import av

    try:
        container = _open(path)
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


@contextmanager
def opened_video(path: Path) -> Iterator[InputContainer]:
    """Open a file as `open_video` does, and close it as `close_video` does."""
    container = open_video(path)
    try:
        yield container
    finally:
        close_video(container)


def close_video(container: InputContainer) -> None:
    """Close a file once the threads of its decoder are at rest; it may be closed already.

    PyAV holds the GIL while it waits for these threads to end, and each of them needs the GIL to
    let go of the packet that it has just decoded. `flush_buffers` waits for them without the GIL.
    """
    for stream in container.streams.video[:1]:
        if stream.codec_context is not None:
            stream.codec_context.flush_buffers()
    container.close()


def _open(path: Path) -> InputContainer:
    """Open a file so that tags that are not UTF-8 do no harm; see `read_tags`.

    PyAV up to 18 refuses such a file unless told otherwise; later releases have no such option.
    """
    import av

    has_option = hasattr(av.container.Container, "metadata_errors")
    options: dict[str, Any] = {"metadata_errors": "surrogateescape"} if has_option else {}
    container: InputContainer = av.open(str(path), "r", **options)
    return container


def read_tags(container: InputContainer) -> dict[str, str]:
    """Return the tags of a file; bytes that are not UTF-8 become U+FFFD."""
    return {_to_text(key): _to_text(value) for key, value in container.metadata.items()}


def _to_text(escaped: str) -> str:
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
