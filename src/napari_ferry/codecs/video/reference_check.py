"""Check which pictures of H.264 no other one depends on, from their headers alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video.h264 import H264, SliceStart
from napari_ferry.codecs.video.packet_index import PacketIndex

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext


class ReferenceCheck:
    """Check of packets in decoding order.

    A header alone may be wrong: some encoders count pictures that no other one depends on as if
    others did, and damage may change the header of a picture that others depend on. The decoder
    would replace such a picture by a copy of another one without a report. The number in the next
    header shows this (``frame_num``, ITU-T H.264, 7.4.3). Fields, of which a frame may have two
    packets, are not checked.

    Parameters
    ----------
    codec : av.VideoCodecContext
        The decoder of the packets.
    index : PacketIndex
        The packets.
    """

    def __init__(self, codec: VideoCodecContext, index: PacketIndex) -> None:
        self._is_needed = codec.name == "h264"
        self._headers: H264 | None = None
        with suppress(LookupError, ValueError):
            self._headers = H264(bytes(codec.extradata or b"")) if self._is_needed else None
        self._last: tuple[int, SliceStart] | None = None

        self.is_reliable = True
        """False to decode all pictures before one that is read."""
        self._incomplete = index.incomplete
        self._unreferenced = bytearray(len(index.decoding_times) + 1)
        """For each packet, 1 if no other one depends on its picture, with one for their end."""

    def may_be_needed(self, number: int) -> bool:
        """Return True unless it is known that no other packet depends on a packet.

        Where data are missing, they may be those of the next packet, too.
        """
        return number in self._incomplete or not self._unreferenced[number]

    def add(self, number: int, packet: av.Packet[Any]) -> bool:
        """Read the header of a packet; return False if headers are not reliable from there on.

        Parameters
        ----------
        number : int
            Number of the packet.
        packet : av.Packet
            The packet.
        """
        if self._is_needed:
            start = self._headers.find_slice(memoryview(packet)) if self._headers else None
            last = self._last
            self._last = (number, start) if start else None
            is_next = last is not None and last[0] == number - 1
            self.is_reliable &= self._check(start, last if is_next else None)
        return self.is_reliable

    def _check(self, start: SliceStart | None, last: tuple[int, SliceStart] | None) -> bool:
        """Compare a header with the one before it; return False if they contradict."""
        if start is None or start.is_field:
            return False
        if last is None or last[1].is_reference or last[1].is_field:
            return True
        is_unreferenced = start.is_idr or start.frame_num == last[1].frame_num
        if is_unreferenced:
            self._unreferenced[last[0]] = 1
        return is_unreferenced
