"""Where the frames of a video lie: its packets, in the order of decoding and of showing.

Packets are read and not decoded. A frame is known by the number of its packet in the order of
decoding, which the decoder hands through (``AV_CODEC_FLAG_COPY_OPAQUE``).
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


@dataclass(frozen=True, eq=False)
class Index:
    """The packets of one video stream.

    Parameters
    ----------
    stamps : numpy.ndarray
        Presentation time of each frame shown, in ticks of `time_base`, in order; int64.
    packets : numpy.ndarray
        Number of the packet of each frame shown, in the order of decoding; int64.
    keys : numpy.ndarray
        Numbers of the packets at which decoding can begin; int64, rising.
    key_stamps : numpy.ndarray
        Presentation time of each of them, or of the first frame that needs nothing before it.
    times : numpy.ndarray
        Decoding time of each packet in ticks, in the order of decoding; int64.
    places : numpy.ndarray
        Where each packet lies in the file, in bytes, -1 where that is not known; int64.
    time_base : Fraction
        Seconds of one tick.
    trouble : str
        Why there are fewer frames than the file promises; empty where it is whole.
    has_times : bool
        Whether the file says when its frames are shown; if not, they are even.
    """

    stamps: NDArray[np.int64]
    packets: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_stamps: NDArray[np.int64]
    times: NDArray[np.int64]
    places: NDArray[np.int64]
    time_base: Fraction
    trouble: str = ""
    has_times: bool = True
    shown: NDArray[np.int64] = field(init=False, repr=False)
    """Place among the frames shown of each packet, -1 for those that show none."""

    def __post_init__(self) -> None:
        shown = np.full(len(self.times), -1, np.int64)
        shown[self.packets] = np.arange(len(self.packets))
        object.__setattr__(self, "shown", shown)

    def __len__(self) -> int:
        return len(self.stamps)

    def start_of(self, i: int, back: int = 0) -> int:
        """Return the packet to decode from for frame i; `back` such packets earlier, if asked.

        Frames that are shown before a key frame but decoded after it may need what came before
        it, so decoding starts at one that is shown no later than the frame.
        """
        shown = np.searchsorted(self.key_stamps, self.stamps[i], "right")
        decoded = np.searchsorted(self.keys, self.packets[i], "right")
        return int(self.keys[max(min(shown, decoded) - 1 - back, 0)])

    def find(self, packet: av.Packet[VideoStream]) -> int | None:
        """Return the number of a packet that was read after a jump, ``None`` where it is unclear.

        It is known by where it lies, as times of decoding are counted anew in some containers;
        or, where that is not known, by when it is shown.
        """
        same = np.flatnonzero(self.places == packet.pos) if packet.pos is not None else self.keys
        if len(same) != 1 and packet.pts is not None:
            same = self.keys[self.key_stamps == packet.pts]
        return int(same[0]) if len(same) == 1 else None

    def seek_times(self, first: int) -> list[int]:
        """Return times, in ticks, to jump to so that packet `first` comes, or one before it.

        Some containers look for a time of showing, others for one of decoding.
        """
        k = int(np.searchsorted(self.keys, first, "right")) - 1
        earlier = [int(self.times[self.keys[max(k - back, 0)]]) for back in (0, 1, 4)]
        return [int(self.key_stamps[k]), *earlier]


def video_packets(container: InputContainer) -> Iterator[av.Packet[VideoStream]]:
    """Yield the packets of the first video stream that are not empty, one frame in each.

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


def numbered(frames: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames with the numbers of their packets, each the only one of a tuple in `opaque`.

    PyAV knows what is there by its address, and small numbers are one object for all decoders: the
    first to be done with it would take it from the others.
    Frames without one are what a decoder makes up for a reference that it has not seen.
    """
    for frame in frames:
        if isinstance(frame.opaque, tuple):
            yield frame.opaque[0], frame
