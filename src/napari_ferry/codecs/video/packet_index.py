"""Index of the packets of a video, in decoding order and in display order.

Packets are read but not decoded. A frame is identified by the number of its packet in decoding
order; the decoder passes this number on (``AV_CODEC_FLAG_COPY_OPAQUE``).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream


_MOST_REFERENCES = 32
"""Packets before one on which it may depend and that are displayed later: 16 frames, or fields."""


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
    sizes : numpy.ndarray
        Size of each packet, in bytes; int64.
    time_base : Fraction
        Duration of one tick, in seconds.
    damage : str
        Reason why there are fewer frames than the file declares; empty for a whole file.
    has_times : bool
        True if the file stores the times of its frames; otherwise they are evenly spaced.
    empty : int
        Number of packets without data after the first frame, which have no number.
    incomplete : frozenset of int
        Numbers of packets within the file from which data are missing.
    check : str
        Name of the check that each intact packet passes, in `packet_check`; empty for none.
    """

    presentation_times: NDArray[np.int64]
    frame_packets: NDArray[np.int64]
    key_packets: NDArray[np.int64]
    key_times: NDArray[np.int64]
    decoding_times: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    time_base: Fraction
    damage: str = ""
    has_times: bool = True
    empty: int = 0
    incomplete: frozenset[int] = frozenset()
    check: str = ""
    frame_numbers: NDArray[np.int64] = field(init=False, repr=False)
    """Frame number of each packet in display order, or -1 for packets without a visible frame."""

    def __post_init__(self) -> None:
        numbers = np.full(len(self.decoding_times), -1, np.int64)
        numbers[self.frame_packets] = np.arange(len(self.frame_packets))
        object.__setattr__(self, "frame_numbers", numbers)

    def __len__(self) -> int:
        return len(self.presentation_times)

    @property
    def has_independent_frames(self) -> bool:
        """True if no frame depends on another."""
        return len(self.key_packets) == len(self.decoding_times)

    @property
    def longest_group(self) -> int:
        """Maximum number of packets from a key packet to the next one or to the end."""
        ends = [*self.key_packets[1:], len(self.decoding_times)]
        return int(np.max(np.array(ends) - self.key_packets))

    def may_depend(self, i: int, packet: int) -> bool:
        """Return True if frame i may depend on a packet: no key frame separates them.

        Frames that are displayed before a key frame but decoded after it may depend on the packets
        before it.
        """
        return self.start_packet(i) <= packet < int(self.frame_packets[i])

    def last_needed(self, i: int) -> int:
        """Return the last frame in display order that frame i may depend on, or i itself."""
        packet = int(self.frame_packets[i])
        first = max(self.start_packet(i), packet - _MOST_REFERENCES)
        return int(self.frame_numbers[first:packet].max(initial=i))

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

        A packet is identified by its offset and size, because some containers restart the decoding
        times after a seek. Others give one offset to several packets, or start within a packet.
        Without an offset, a packet is identified by its size and presentation time.
        """
        if packet.pos is not None:
            is_same = self.offsets == packet.pos
        else:
            is_same = np.zeros(len(self.offsets), bool)
            is_same[self.key_packets] = self.key_times == packet.pts
        same = np.flatnonzero(is_same & (self.sizes == packet.size))
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
    from av.bitstream import BitStreamFilterContext

    stream = container.streams.video[0]
    is_packed = stream.codec_context.name == "mpeg4"
    unpack = BitStreamFilterContext("mpeg4_unpack_bframes", stream) if is_packed else None
    # PyAV 18 frees the buffers of `demux` only if it ends or is closed
    with closing(cast("Generator[av.Packet[VideoStream]]", container.demux(stream))) as demuxed:
        packets = (packet for packet in demuxed if packet.size)
        if unpack is None:
            yield from packets
            return
        for packet in packets:
            yield from unpack.filter(packet)
        yield from unpack.filter(None)


def refuse_encrypted(path: Path, packet: av.Packet[VideoStream]) -> None:
    """Refuse an encrypted video: its frames decode to noise or not at all.

    Raises
    ------
    UnreadableFileError
        The packet is encrypted. PyAV 14 does not know.
    """
    if hasattr(packet, "has_sidedata") and packet.has_sidedata("encryption_info"):
        raise UnreadableFileError(
            f"{path.name} is encrypted: save it without copy protection in the program that made "
            "it."
        )


def fill_times(times: list[int | None]) -> NDArray[np.int64]:
    """Return times without gaps: missing times are evenly spaced between known ones."""
    known = [k for k, time in enumerate(times) if time is not None]
    if len(known) == len(times):
        return np.array(times, np.int64)
    values = np.array([times[k] for k in known], np.float64)
    numbers = np.arange(len(times))
    if len(known) < 2:
        return numbers + int(values[0] if known else 0)

    filled = np.interp(numbers, known, values)
    step = (values[-1] - values[0]) / (known[-1] - known[0])
    before, after = numbers < known[0], numbers > known[-1]
    filled[before] = values[0] + step * (numbers[before] - known[0])
    filled[after] = values[-1] + step * (numbers[after] - known[-1])
    return np.rint(filled).astype(np.int64)
