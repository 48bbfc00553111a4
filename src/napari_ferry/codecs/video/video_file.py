"""Opening of video files and their decoders, with nothing but the file itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_ferry.codecs.video.avi import PatchedAvi, find_patch
from napari_ferry.codecs.video.ffmpeg_log import silent_ffmpeg
from napari_ferry.codecs.video.h264 import delimiter
from napari_ferry.codecs.video.packet_index import video_packets
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.file_formats import other_format

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,h264,hevc,mpegvideo,mpeg,mpegts,mjpeg,"
    "ivf,obu,flv,ogg,asf,dv,mxf,nut,yuv4mpegpipe"
)
"""FFmpeg's names of the supported containers, regardless of the name of a file.

Others include lists that make FFmpeg open further files or addresses (ffconcat, HLS, DASH, SDP).
"""

MOST_THREADS = 4
"""Threads of a decoder: each holds frames of its own."""

_INTRA_CODECS = ("mjpeg", "mjpegb", "jpegls", "jpeg2000", "png", "prores", "dnxhd", "dvvideo")
_MICROSOFT_CODECS = ("msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2")
_STRICTNESS = {
    **dict.fromkeys(_INTRA_CODECS, "crccheck+explode"),
    **dict.fromkeys(_MICROSOFT_CODECS, "bitstream+explode"),
}
"""Codec without reports of damage unless it may refuse frames -> ``err_detect`` of FFmpeg."""

_SLICED_CODECS = ("vp9", "mpeg4")
"""Decoders whose threads must share one frame.

With a frame for each thread, VP9 keeps references beyond a flush. If a damaged key frame follows,
it may write outside of its memory (FFmpeg, commit 3b9725696e, in 8.1.3). MPEG-4 may output a
damaged frame before its thread has marked it as corrupt.
"""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codec -> decoder of the second layer of a stream, its transparency."""


@dataclass(eq=False, kw_only=True)
class VideoFile:
    """An open file with a video stream, and the decoder of the stream.

    Parameters
    ----------
    path : Path
        The file.
    container : av.container.InputContainer
        The file as opened by FFmpeg.
    codec : av.VideoCodecContext
        The decoder of the first video stream.
    gray_bits : int
        Significant bits of samples that FFmpeg decodes as colors of 16 bits; 0 for other files.
    source : PatchedAvi, optional
        The file from which FFmpeg reads, if it is not opened by its path.
    is_strict : bool
        True if the decoder refuses frames that it would otherwise decode without a report.

    Attributes
    ----------
    leaves_out_unreferenced : bool
        True while frames that no other frame depends on are not decoded.
    """

    path: Path
    container: InputContainer
    codec: VideoCodecContext
    gray_bits: int = 0
    source: PatchedAvi | None = None
    is_strict: bool = False
    leaves_out_unreferenced: bool = field(default=False, init=False)

    @property
    def stream(self) -> VideoStream:
        """The first video stream."""
        return self.container.streams.video[0]

    @property
    def codec_name(self) -> str:
        """FFmpeg's name of the encoding."""
        return self.stream.codec_context.name

    def packets(self) -> Iterator[av.Packet[VideoStream]]:
        """Yield packets from the current position on, each with one frame."""
        return video_packets(self.container)

    def decode(self, packet: av.Packet[Any] | None) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield decoded frames with their packet numbers, stored in `opaque`, a tuple of one.

        PyAV identifies the value of `opaque` by its address, and small numbers are one object for
        all decoders: the first decoder to finish with it would take it away from the others.
        Frames without a number were invented by the decoder to replace a missing reference.
        """
        if packet is None and self.codec.name == "h264":
            yield from self._complete_frames()
        for frame in self.codec.decode(packet):
            if isinstance(frame.opaque, tuple):
                yield frame.opaque[0], self._to_gray(frame) if self.gray_bits else frame

    def _complete_frames(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Yield frames until no thread of the decoder is busy; a thread may still find damage.

        A packet without a picture is accepted as one to be left out.
        """
        import av

        was_left_out = self.leaves_out_unreferenced
        self.leave_out_unreferenced(True)
        for _ in range(self.codec.thread_count):
            yield from self.decode(av.Packet(delimiter(self.codec.extradata or b"")))
        self.leave_out_unreferenced(was_left_out)

    def _to_gray(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the gray samples of 16 bits in a frame decoded as if it were in color."""
        import av
        import numpy as np

        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8, plane.height * plane.line_size)
        samples = rows.reshape(plane.height, -1).view("<u2")[:, : plane.width]
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(samples), "gray16le")

    def leave_out_unreferenced(self, is_left_out: bool) -> None:
        """Decode only frames that others depend on from the next packet on, or all frames.

        Only H.264 marks each picture that no other one depends on (ITU-T H.264, 7.4.1).
        """
        if self.leaves_out_unreferenced != is_left_out and self.codec.name == "h264":
            self.codec.skip_frame = "NONREF" if is_left_out else "DEFAULT"
            self.leaves_out_unreferenced = is_left_out

    def flush(self) -> None:
        """Prepare the decoder for packets of another position."""
        self.codec.flush_buffers()

    @silent_ffmpeg()
    def close(self) -> None:
        """Close the file, open or closed, once the threads of its decoder are idle.

        PyAV holds the GIL while it waits for these threads to end, and each of them needs the GIL
        to release the packet that it has just decoded. `flush_buffers` waits without the GIL.
        """
        self.flush()
        self.container.close()
        if self.source is not None:
            self.source.close()


@silent_ffmpeg()
def open_video(path: Path, *, is_strict: bool = False, threads: int = MOST_THREADS) -> VideoFile:
    """Open a file with a video stream, ready to decode.

    Parameters
    ----------
    path : Path
        The file.
    is_strict : bool
        True for a decoder that refuses damaged frames as far as it can.
    threads : int
        Maximum number of threads of the decoder. With one, an error belongs to the packet that was
        decoded last.

    Raises
    ------
    UnreadableFileError
        The file is not a video, or has no video stream that can be decoded.
    """
    import av

    patch = find_patch(path)
    source = PatchedAvi(path, patch) if patch else None
    with ExitStack() as undo:
        if source is not None:
            undo.callback(source.close)
        try:
            container = _open(source or str(path))
        except av.FFmpegError as error:
            raise UnreadableFileError(_not_video(path, error)) from error
        undo.callback(container.close)  # it is in a cycle of references, as are its streams
        codec = _find_decoder(path, container)
        undo.pop_all()

    codec.thread_type = "SLICE" if codec.name in _SLICED_CODECS else "AUTO"
    codec.thread_count = min(threads, os.cpu_count() or 1)
    codec.flags |= av.codec.context.Flags.copy_opaque
    is_strict = is_strict and codec.name in _STRICTNESS
    if is_strict:
        codec.options = {"err_detect": _STRICTNESS[codec.name]}
    return VideoFile(
        path=path,
        container=container,
        codec=codec,
        gray_bits=patch.gray_bits if patch else 0,
        source=source,
        is_strict=is_strict,
    )


def _find_decoder(path: Path, container: InputContainer) -> VideoCodecContext:
    """Return the decoder of the first video stream.

    Raises
    ------
    UnreadableFileError
        There is no video stream, or FFmpeg does not know its encoding.
    """
    if not container.streams.video:
        raise UnreadableFileError(
            f"{path.name} has no video stream ({_describe_streams(container)}): open another file."
        )
    stream = container.streams.video[0]
    if getattr(stream, "codec_context", None) is None:
        raise UnreadableFileError(
            f"{path.name} has a video stream in an unknown encoding: it is damaged, or must be "
            "converted by the program that created it."
        )
    return _alpha_decoder(stream) or stream.codec_context


def _not_video(path: Path, error: av.FFmpegError) -> str:
    """Return the message about a file without a video."""
    clause = other_format(path, "movie") if path.is_file() else ""
    if clause:
        return f"{path.name} cannot be opened as a video; {clause}."
    return (
        f"{path.name} cannot be opened as a video ({error.strerror or error}): check that it is a "
        "complete video file."
    )


@contextmanager
def opened_video(path: Path) -> Iterator[VideoFile]:
    """Open a file with `open_video` for a ``with`` block, and close it at its end."""
    with silent_ffmpeg():
        file = open_video(path)
        try:
            yield file
        finally:
            file.close()


def _open(source: PatchedAvi | str) -> InputContainer:
    """Open this file and no other, also with tags in another encoding than UTF-8.

    PyAV up to 18 refuses such tags without the option; later releases have no such option.
    """
    import av

    has_option = hasattr(av.container.Container, "metadata_errors")
    options: dict[str, Any] = {"metadata_errors": "surrogateescape"} if has_option else {}
    # as `options`, PyAV hands them to each stream, in an array too short for late streams
    limits = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    container: InputContainer = av.open(source, "r", container_options=limits, **options)
    return container


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    """Return the decoder of a stream with transparency, ``None`` for other streams.

    https://www.webmproject.org/docs/container/#AlphaMode
    """
    import av

    tags = {key.lower(): value for key, value in stream.metadata.items()}
    name = _ALPHA_DECODERS.get(stream.codec_context.name)
    if name is None or tags.get("alpha_mode") != "1":
        return None
    try:
        codec = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
    except ValueError:  # PyAV was built without this library
        warn(
            f"The transparency of a video in {stream.codec_context.name} is left out: this build "
            "of PyAV has no libvpx; install PyAV from PyPI."
        )
        return None
    codec.extradata = stream.codec_context.extradata
    return codec


def _describe_streams(container: InputContainer) -> str:
    """Return the kinds of streams in a file without video, for a message."""
    kinds = sorted({stream.type for stream in container.streams})
    return f"only {' and '.join(kinds)}" if kinds else "no stream at all"
