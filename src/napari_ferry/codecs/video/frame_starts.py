"""Packets with which no visible frame starts: hidden frames, and second fields of a frame."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video.h264 import H264, SliceStart

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext


class FrameStarts:
    """Check of packets in decoding order, from their headers alone.

    Parameters
    ----------
    codec : av.VideoCodecContext
        The decoder of the packets.
    """

    def __init__(self, codec: VideoCodecContext) -> None:
        self._is_vp8 = codec.name == "vp8"
        self._interlaced: H264 | None = None
        self._first_field: SliceStart | None = None
        if codec.name == "h264":
            with suppress(LookupError, ValueError):
                headers = H264(bytes(codec.extradata or b""))
                self._interlaced = headers if headers.may_have_fields else None

    def is_start(self, packet: av.Packet[Any]) -> bool:
        """Return True if a visible frame starts with the next packet."""
        if self._is_vp8:  # it has hidden frames (RFC 6386, 9.1)
            return bool(bytes(packet)[0] & 0x10)
        return self._interlaced is None or not self._is_second_field(self._interlaced, packet)

    def _is_second_field(self, headers: H264, packet: av.Packet[Any]) -> bool:
        """Return True for the other field of the frame of the packet before."""
        start, first = headers.find_slice(memoryview(packet)), self._first_field
        is_second = start is not None and first is not None and start.completes(first)
        self._first_field = start if start and start.is_field and not is_second else None
        return is_second
