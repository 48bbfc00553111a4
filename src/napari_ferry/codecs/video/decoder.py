"""Decoder of the frames of a video by number.

It continues at its current position, so that the next frame costs one decode, or starts at the
nearest key frame. Recently decoded frames are cached as they are, so that a few steps back cost
nothing.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video.ffmpeg_log import silent_ffmpeg
from napari_ferry.codecs.video.packet_index import PacketIndex, number_frames, video_packets
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import other_format

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

_CACHE_BYTES = 16 << 20
"""Size of the cache of decoded frames, without the reference frames of the decoder."""

_CACHE_FRAMES = 32

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,h264,hevc,mpegvideo,mpeg,mpegts,mjpeg,"
    "ivf,obu,flv,ogg,asf"
)
"""FFmpeg's names of the containers that are opened, whatever the name of a file.

Others include lists that make FFmpeg open further files or addresses (ffconcat, HLS, DASH, SDP).
"""

_MOST_THREADS = 4
"""Threads of a decoder: each holds frames of its own."""


class Decoder:
    """An open video file and its decoder, positioned between two frames.

    Parameters
    ----------
    path : Path
        The file.
    index : PacketIndex
        Its packets.
    """

    def __init__(self, path: Path, index: PacketIndex) -> None:
        self.path = path
        self.index = index
        self.container = open_video(path)
        self.cache: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.output: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self.last_frame = -1
        """Number of the frame decoded last."""
        self.next_packet = len(index.decoding_times)
        """Number of the packet to decode next."""
        self.first_frame = len(index)
        """Number of the first frame that can be decoded since the last seek."""

    @silent_ffmpeg()
    def frame(self, i: int) -> av.VideoFrame:
        """Return frame i as decoded.

        Raises
        ------
        UnreadableFileError
            The file has changed or is damaged there.
        """
        if i in self.cache:
            return self.cache[i]

        # continue only if no key frame is nearer than the current position
        is_ahead = self.last_frame < i and self.first_frame <= i
        if is_ahead and self.index.start_packet(i) < self.next_packet:
            frame = self._advance(i)
            if frame:
                return frame

        for back in (0, 1, 2, len(self.index.key_packets)):
            self._jump(self.index.start_packet(i, back))
            frame = self._advance(i)
            if frame:
                return frame
            if self.index.start_packet(i, back) == self.index.key_packets[0]:
                break
        raise UnreadableFileError(
            f"Frame {i} of {self.path} cannot be decoded: the file is damaged there or has "
            "changed; open it again, or leave that frame out."
        )

    def _advance(self, i: int) -> av.VideoFrame | None:
        """Decode forward to frame i; return ``None`` if the decoder does not output it."""
        import av

        try:
            for number, frame in self.output:
                frame_number = int(self.index.frame_numbers[number])
                if frame_number < self.first_frame:
                    continue  # depends on packets before the key frame
                self.last_frame = frame_number
                self._add_to_cache(frame_number, frame)
                if frame_number >= i:
                    return frame if frame_number == i and not frame.is_corrupt else None
        except av.FFmpegError:
            self.last_frame = len(self.index)
        return None

    def _add_to_cache(self, i: int, frame: av.VideoFrame) -> None:
        if frame.is_corrupt:
            return
        nbytes = sum(plane.buffer_size for plane in frame.planes)
        capacity = max(1, min(_CACHE_FRAMES, _CACHE_BYTES // max(1, nbytes)))
        self.cache[i] = frame
        while len(self.cache) > capacity:
            self.cache.popitem(last=False)

    def _jump(self, packet: int) -> None:
        """Position the decoder before a key frame."""
        self.first_frame = max(int(self.index.frame_numbers[packet]), 0) if packet else 0
        self.last_frame = -1
        self.output = self._decode_from(packet)

    def _decode_from(self, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from a packet on; yield each frame with its packet number."""
        for number, packet in self._packets_from(first):
            self.next_packet = number + 1
            packet.opaque = (number,)
            yield from number_frames(self.container.streams.video[0].decode(packet))
        self.next_packet = len(self.index.decoding_times)
        yield from number_frames(self.container.streams.video[0].decode(None))

    def _packets_from(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Yield the packets from number `first` on, with their numbers."""
        count = len(self.index.decoding_times)
        for number, packet in self._seek(first):
            if number >= count:
                return
            if number >= first:
                yield number, packet

    def _seek(self, first: int) -> Iterator[tuple[int, av.Packet[Any]]]:
        """Return packets from number `first` or an earlier one on, with their numbers."""
        import av

        for target in self.index.seek_times(first) if first else ():
            stream = self.container.streams.video[0]
            try:
                self.container.seek(target, stream=stream)
            except av.FFmpegError:
                break  # a stream without a container, or a file without a packet table
            stream.codec_context.flush_buffers()
            packets = video_packets(self.container)
            packet = next(packets, None)
            number = None if packet is None else self.index.find_packet(packet)
            if packet is not None and number is not None and number <= first:
                return enumerate(chain([packet], packets), number)

        # without a table of key frames or a known position, start at the beginning
        close_video(self.container)
        self.container = open_video(self.path)
        return enumerate(video_packets(self.container))

    def close(self) -> None:
        """Close the file, and the generator of frames first because it keeps the file open."""
        if isinstance(self.output, Generator):
            self.output.close()
        self.cache.clear()
        close_video(self.container)


@silent_ffmpeg()
def open_video(path: Path) -> InputContainer:
    """Open a file with a video stream, ready to decode.

    Raises
    ------
    UnreadableFileError
        The file is not a video, or has no video stream that can be decoded.
    """
    import av

    try:
        container = _open(path)
    except av.FFmpegError as error:
        raise UnreadableFileError(_not_video(path, error)) from error
    if not container.streams.video:
        raise UnreadableFileError(
            f"{path} has no video stream ({_describe_streams(container)}): open another file."
        )

    stream = container.streams.video[0]
    if getattr(stream, "codec_context", None) is None:
        raise UnreadableFileError(
            f"{path} has a video stream in an unknown encoding: it is damaged, or must be "
            "converted by the program that created it."
        )
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)
    stream.codec_context.flags |= av.codec.context.Flags.copy_opaque
    return container


def _not_video(path: Path, error: av.FFmpegError) -> str:
    """Return the message about a file without a video."""
    clause = other_format(path, "movie") if path.is_file() else ""
    if clause:
        return f"{path} cannot be opened as a video; {clause}."
    return (
        f"{path} cannot be opened as a video ({error.strerror or error}): check that it is a "
        "complete video file."
    )


@contextmanager
def opened_video(path: Path) -> Iterator[InputContainer]:
    """Open a file with `open_video` for a ``with`` block, and close it with `close_video`."""
    with silent_ffmpeg():
        container = open_video(path)
        try:
            yield container
        finally:
            close_video(container)


@silent_ffmpeg()
def close_video(container: InputContainer) -> None:
    """Close a file, open or closed, once the threads of its decoder are idle.

    PyAV holds the GIL while it waits for these threads to end, and each of them needs the GIL to
    release the packet that it has just decoded. `flush_buffers` waits for them without the GIL.
    """
    for stream in container.streams.video[:1]:
        if stream.codec_context is not None:
            stream.codec_context.flush_buffers()
    container.close()


def _open(path: Path) -> InputContainer:
    """Open this file and no other, also with tags in another encoding than UTF-8.

    PyAV up to 18 refuses such tags without the option; later releases have no such option. See
    `read_tags`.
    """
    import av

    has_option = hasattr(av.container.Container, "metadata_errors")
    options: dict[str, Any] = {"metadata_errors": "surrogateescape"} if has_option else {}
    limits = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    container: InputContainer = av.open(str(path), "r", options=limits, **options)
    return container


def read_tags(container: InputContainer) -> dict[str, str]:
    """Return the tags of a file, with U+FFFD in place of bytes outside UTF-8."""
    return {_to_text(key): _to_text(value) for key, value in container.metadata.items()}


def _to_text(escaped: str) -> str:
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _describe_streams(container: InputContainer) -> str:
    """Return the kinds of streams in a file without video, for a message."""
    kinds = sorted({stream.type for stream in container.streams})
    return f"only {' and '.join(kinds)}" if kinds else "no stream at all"
