"""Index of the packets of a video, in decoding order and in display order.

Packets are read but not decoded. A frame is identified by the number of its packet in decoding
order; the decoder passes this number on (``AV_CODEC_FLAG_COPY_OPAQUE``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True, eq=False, kw_only=True)
class PacketIndex:
    """Packets of one video stream.

    Parameters
    ----------
    presentation_times : numpy.ndarray
        Time of each frame in display order, in ticks of `time_base`; int64.
    frame_packets : numpy.ndarray
        Packet number of each frame in display order; int64. Packets are numbered in decoding order.
    key_packets : numpy.ndarray
        Numbers of the packets at which decoding can start; int64, ascending.
    key_times : numpy.ndarray
        Presentation time of each of them, or of the first frame that needs nothing before it.
    decoding_times : numpy.ndarray
        Decoding time of each packet in ticks, in decoding order; int64.
    offsets : numpy.ndarray
        Position of each packet in the file, in bytes; -1 if unknown; int64.
    time_base : Fraction
        Duration of one tick, in seconds.
    damage : str
        Reason why there are fewer frames than the file declares; empty for a whole file.
    has_times : bool
        True if the file stores the times of its frames; otherwise they are evenly spaced.
    """

    presentation_times: NDArray[np.int64]
    frame_packets: NDArray[np.int64]
    key_packets: NDArray[np.int64]
    key_times: NDArray[np.int64]
    decoding_times: NDArray[np.int64]
    offsets: NDArray[np.int64]
    time_base: Fraction
    damage: str = ""
    has_times: bool = True
    frame_numbers: NDArray[np.int64] = field(init=False, repr=False)
    """Frame number of each packet in display order, or -1 for packets without a visible frame."""

    def __post_init__(self) -> None:
        numbers = np.full(len(self.decoding_times), -1, np.int64)
        numbers[self.frame_packets] = np.arange(len(self.frame_packets))
        object.__setattr__(self, "frame_numbers", numbers)

    def __len__(self) -> int:
        return len(self.presentation_times)

    def start_packet(self, i: int, back: int = 0) -> int:
        """Return the first packet to decode for frame i.

        Frames that are displayed before a key frame but decoded after it may depend on earlier
        packets, so decoding starts at a key frame that is displayed no later than frame i.

        Parameters
        ----------
        i : int
            Frame number in display order.
        back : int
            Number of key frames to go back from there.
        """
        by_display = np.searchsorted(self.key_times, self.presentation_times[i], "right")
        by_decoding = np.searchsorted(self.key_packets, self.frame_packets[i], "right")
        return int(self.key_packets[max(min(by_display, by_decoding) - 1 - back, 0)])

    def find_packet(self, packet: av.Packet[VideoStream]) -> int | None:
        """Return the number of a packet read after a seek, or ``None`` if it is ambiguous.

        A packet is identified by its offset, because some containers restart the decoding times
        after a seek. Without an offset, it is identified by its presentation time.
        """
        same = (
            self.key_packets if packet.pos is None else np.flatnonzero(self.offsets == packet.pos)
        )
        if len(same) != 1 and packet.pts is not None:
            same = self.key_packets[self.key_times == packet.pts]
        return int(same[0]) if len(same) == 1 else None

    def seek_times(self, first: int) -> list[int]:
        """Return times to seek to, in ticks, in order to reach packet `first` or an earlier one.

        Some containers search for a presentation time, others for a decoding time.
        """
        k = int(np.searchsorted(self.key_packets, first, "right")) - 1
        earlier = [
            int(self.decoding_times[self.key_packets[max(k - back, 0)]]) for back in (0, 1, 4)
        ]
        return [int(self.key_times[k]), *earlier]


def video_packets(container: InputContainer) -> Iterator[av.Packet[VideoStream]]:
    """Yield the non-empty packets of the first video stream, each with one frame.

    DivX packs two frames into one packet and a placeholder into the next; they are separated here.
    """
    stream = container.streams.video[0]
    packets = (packet for packet in container.demux(stream) if packet.size)
    if stream.codec_context.name != "mpeg4":
        yield from packets
        return
    from av.bitstream import BitStreamFilterContext

    unpack = BitStreamFilterContext("mpeg4_unpack_bframes", stream)
    for packet in packets:
        yield from unpack.filter(packet)
    yield from unpack.filter(None)


def number_frames(frames: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames with their packet numbers, stored in `opaque` as tuples of one number.

    PyAV identifies the value of `opaque` by its address, and small numbers are one object for all
    decoders: the first decoder to finish with it would take it away from the others. Frames
    without a number were invented by the decoder to replace a missing reference.
    """
    for frame in frames:
        if isinstance(frame.opaque, tuple):
            yield frame.opaque[0], frame
