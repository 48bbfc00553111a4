"""Where the frames of a video lie: its packets, in the order of decoding and of showing.

Packets are read and not decoded. A frame is known by the number of its packet in the order of
decoding, which the decoder hands through (``AV_CODEC_FLAG_COPY_OPAQUE``); its place among the
frames shown follows from the presentation time stamps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

MAX_FRAMES = 2**24
"""More frames than this are taken for a damaged file."""


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
    """

    stamps: NDArray[np.int64]
    packets: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_stamps: NDArray[np.int64]
    times: NDArray[np.int64]
    places: NDArray[np.int64]
    time_base: Fraction
    trouble: str = ""
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


@dataclass
class _Packets:
    """What is noted of packets as they come."""

    stamps: list[int | None] = field(default_factory=list)
    times: list[int | None] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    trouble: str = ""

    def add(self, packet: av.Packet[VideoStream], codec: str) -> None:
        n = len(self.stamps)
        self.stamps.append(packet.pts)
        self.times.append(packet.dts if packet.dts is not None else packet.pts)
        self.places.append(-1 if packet.pos is None else packet.pos)
        if packet.is_keyframe:
            self.keys.append(n)
        if packet.is_discard or not _shows(packet, codec):
            self.hidden.append(n)


def video_packets(container: InputContainer) -> Iterator[av.Packet[VideoStream]]:
    """Yield the packets of the first video stream, without the empty one that ends it."""
    for packet in container.demux(container.streams.video[0]):
        if packet.size:
            yield packet


def read_index(container: InputContainer) -> Index:
    """Read all packets of the first video stream, from where the container stands.

    Parameters
    ----------
    container : av.container.InputContainer
        A file that was just opened.
    """
    import av

    stream = container.streams.video[0]
    found = _Packets()
    try:
        for packet in video_packets(container):
            if packet.is_corrupt or len(found.stamps) >= MAX_FRAMES:
                found.trouble = "it ends within a frame"
                break
            found.add(packet, stream.codec_context.name)
    except av.FFmpegError as error:
        found.trouble = f"it cannot be read further ({error.strerror or error})"
    if not found.trouble and stream.frames > len(found.stamps):
        found.trouble = f"its header promises {stream.frames} frames"
    if not found.trouble and is_cut_matroska(Path(container.name)):
        found.trouble = "it is shorter than its header says"
    time_base = stream.time_base or Fraction(1, 1)
    index = _by_stamps(found, time_base)
    return _by_decoding(container, found, time_base) if index is None else index


def is_cut_matroska(path: Path) -> bool:
    """Whether a Matroska or WebM file is shorter than its segment (RFC 8794, 4; RFC 9559, 5.1)."""
    with path.open("rb") as file:
        head = file.read(256)
    if head[:4] != _EBML:
        return False
    nbytes, at = _vint(head, 4)
    at += nbytes
    if head[at : at + 4] != _SEGMENT:
        return False
    nbytes, begin = _vint(head, at + 4)
    is_known = nbytes != (1 << 7 * (begin - at - 4)) - 1
    return is_known and path.stat().st_size < begin + nbytes


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of EBML: its value, and where it ends."""
    length = 9 - max(data[at], 1).bit_length()
    value = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return value, at + length


def _shows(packet: av.Packet[VideoStream], codec: str) -> bool:
    """Whether a packet shows a frame: VP8 has some that are only looked at (RFC 6386, 9.1)."""
    return codec != "vp8" or bool(bytes(packet)[0] & 0x10)


def _by_stamps(found: _Packets, time_base: Fraction) -> Index | None:
    """Put frames in order by their time stamps; ``None`` where those do not tell."""
    shown = np.delete(np.arange(len(found.stamps)), found.hidden)
    if len(found.keys) == len(found.stamps):  # nothing is decoded out of order
        return _index(found, _filled(found.stamps), shown, time_base)
    if None in found.stamps:
        return None
    stamps = np.array(found.stamps, np.int64)
    order = shown[np.argsort(stamps[shown], kind="stable")]
    is_clear = len(np.unique(stamps[order])) == len(order)
    return _index(found, stamps, order, time_base) if is_clear else None


def _by_decoding(container: InputContainer, found: _Packets, time_base: Fraction) -> Index:
    """Put frames in the order in which the decoder hands them out, for files without stamps."""
    order = np.array([number for number, _ in decode_all(container)], np.int64)
    order = order[order < len(found.stamps)]
    stamps = np.zeros(len(found.stamps), np.int64)
    stamps[order] = np.sort(_filled(found.times)[order])
    return _index(found, stamps, order, time_base)


def decode_all(container: InputContainer) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode a file from its beginning: the number of each frame's packet, and the frame."""
    import av

    stream = container.streams.video[0]
    container.seek(0)
    stream.codec_context.flags |= av.codec.context.Flags.copy_opaque
    packets = enumerate(video_packets(container))
    try:
        for number, packet in packets:
            packet.opaque = (number,)
            yield from numbered(packet.decode())
        yield from numbered(stream.codec_context.decode(None))
    except av.FFmpegError:
        return


def numbered(frames: Iterable[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames with the numbers of their packets, each the only one of a tuple in `opaque`.

    PyAV knows what is there by its address, and small numbers are one object for all decoders: the
    first to be done with it would take it from the others.
    Frames without one are what a decoder makes up for a reference that it has not seen.
    """
    for frame in frames:
        if isinstance(frame.opaque, tuple):
            yield frame.opaque[0], frame


def _index(
    found: _Packets, stamps: NDArray[np.int64], order: NDArray[np.int64], time_base: Fraction
) -> Index:
    keys = np.array(found.keys or [0][: len(found.stamps)], np.int64)
    return Index(
        stamps[order],
        order,
        keys,
        stamps[keys],
        _filled(found.times),
        np.array(found.places, np.int64),
        time_base,
        found.trouble,
    )


def _filled(stamps: list[int | None]) -> NDArray[np.int64]:
    """Return time stamps, counted on where a packet has none."""
    filled = np.empty(len(stamps), np.int64)
    last = -1
    for k, stamp in enumerate(stamps):
        last = last + 1 if stamp is None else stamp
        filled[k] = last
    return filled
