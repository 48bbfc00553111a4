"""The index of a video, made of its packets: they are read, not decoded.

The order of frames follows from their presentation time stamps; where a container has none, from
the headers of coded pictures; and where those are unclear, from the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.packet_index import Index, numbered, video_packets
from napari_ferry.codecs.video.picture_order import PictureOrder, read_picture_order

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

Reopen: TypeAlias = "Callable[[], AbstractContextManager[InputContainer]]"

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"

MAX_FRAMES = 2**24
"""More frames than this are taken for a damaged file."""

_DECODED = 16
"""Frames that are decoded to see whether headers tell the order that the decoder gives."""


@dataclass
class _Packets:
    """What is noted of packets as they come."""

    stamps: list[int | None] = field(default_factory=list)
    times: list[int | None] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    trouble: str = ""
    has_times: bool = True

    def add(self, packet: av.Packet[VideoStream], codec: str) -> None:
        n = len(self.stamps)
        self.stamps.append(packet.pts)
        self.times.append(packet.dts if packet.dts is not None else packet.pts)
        self.places.append(-1 if packet.pos is None else packet.pos)
        if packet.is_keyframe:
            self.keys.append(n)
        if packet.is_discard or not _shows(packet, codec):
            self.hidden.append(n)


@dataclass
class _Order:
    """What tells the order of frames: time stamps, until it is seen that they do not.

    Parameters
    ----------
    headers : PictureOrder, optional
        What reads the headers of pictures, where those may be needed.
    is_untimed : bool
        Whether the container holds no presentation times. What packets have then is guessed.
    """

    headers: PictureOrder | None
    is_untimed: bool
    latest: int | None = None

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Read the headers of a packet, while they may be needed."""
        if self.headers is None:
            return
        is_earlier = packet.pts is not None and self.latest is not None and packet.pts < self.latest
        if is_earlier and not self.is_untimed:
            self.headers = None  # the stamps are not in the order of decoding: they are real
            return
        self.latest = packet.pts
        self.headers.add(packet)


def _order_of(container: InputContainer) -> _Order:
    codec = container.streams.video[0].codec_context
    # a four-character code in Matroska is of "Video for Windows", which counts in decoding order
    has_code = codec.codec_tag.strip("\0 ") != ""
    is_untimed = container.format.name == "avi" or (
        container.format.name.startswith("matroska") and has_code
    )
    may_reorder = is_untimed or bool(codec.has_b_frames)
    return _Order(read_picture_order(codec) if may_reorder else None, is_untimed)


def read_index(container: InputContainer, reopen: Reopen) -> Index:
    """Read all packets of the first video stream, from where the container stands.

    Parameters
    ----------
    container : av.container.InputContainer
        A file that was just opened.
    reopen : callable
        Opens it again for a ``with`` block, to decode where packets do not tell in which order
        frames are shown.
    """
    order = _order_of(container)
    found = _read_packets(container, order)
    time_base = container.streams.video[0].time_base or Fraction(1, 1)
    headers = order.headers
    packets = headers.packets() if headers else None
    if headers and packets is not None:
        found.keys = [k for k in found.keys if headers.can_begin(k)]
        packets = packets[~np.isin(packets, found.hidden)]
        agrees = _agrees(found, packets)
        if agrees and not order.is_untimed:
            return _index(found, np.array(found.stamps, np.int64), packets, time_base)
        if agrees or _is_confirmed(packets, reopen):
            # stamps of the file are times of showing, though its packets have them in wrong order
            are_real = not order.is_untimed and None not in found.stamps
            times = found.stamps if are_real else found.times
            return _by_order(found, packets, times, time_base)
    elif not (order.is_untimed and headers) and (index := _by_stamps(found, time_base)):
        return index
    return _by_order(found, _decoding_order(found, reopen), found.times, time_base)


def _read_packets(container: InputContainer, order: _Order) -> _Packets:
    import av

    stream = container.streams.video[0]
    found = _Packets()
    try:
        for packet in video_packets(container):
            if packet.is_corrupt or len(found.stamps) >= MAX_FRAMES:
                found.trouble = "it ends within a frame"
                break
            found.add(packet, stream.codec_context.name)
            order.add(packet)
    except av.FFmpegError as error:
        found.trouble = f"it cannot be read further ({error.strerror or error})"
    if not found.trouble and stream.frames > len(found.stamps):
        found.trouble = f"its header promises {stream.frames} frames"
    if not found.trouble and is_cut_matroska(Path(container.name)):
        found.trouble = "it is shorter than its header says"
    if found.times and all(time is None for time in found.times):
        _assume_times(found, stream)
    return found


def _assume_times(found: _Packets, stream: VideoStream) -> None:
    """Give the packets of a stream without a container even times, in ticks."""
    rate = stream.average_rate or stream.guessed_rate
    step = max(1, round(1 / (rate * stream.time_base))) if rate and stream.time_base else 1
    found.times = [k * step for k in range(len(found.times))]
    found.has_times = False


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


def _agrees(found: _Packets, order: NDArray[np.int64]) -> bool:
    """Whether time stamps rise in an order of packets."""
    if None in found.stamps:
        return False
    steps = np.diff(np.array(found.stamps, np.int64)[order])
    return bool(np.all(steps > 0))


def _is_confirmed(order: NDArray[np.int64], reopen: Reopen) -> bool:
    """Whether the decoder gives the first frames in an order of packets."""
    with reopen() as container, closing(decode_all(container)) as frames:
        first = [number for number, _ in islice(frames, _DECODED)]
    return first == list(order[:_DECODED])


def _decoding_order(found: _Packets, reopen: Reopen) -> NDArray[np.int64]:
    """Return the packets of frames as the decoder gives them; this decodes the whole file."""
    with reopen() as container:
        order = np.array([number for number, _ in decode_all(container)], np.int64)
    return order[order < len(found.stamps)]


def _by_order(
    found: _Packets, order: NDArray[np.int64], times: list[int | None], time_base: Fraction
) -> Index:
    """Give frames in a known order the times of packets, sorted."""
    stamps = np.zeros(len(found.stamps), np.int64)
    stamps[order] = np.sort(_filled(times)[order])
    return _index(found, stamps, order, time_base)


def decode_all(container: InputContainer) -> Generator[tuple[int, av.VideoFrame], None, None]:
    """Decode a file that was just opened: the number of each frame's packet, and the frame."""
    import av

    stream = container.streams.video[0]
    try:
        for number, packet in enumerate(video_packets(container)):
            packet.opaque = (number,)
            yield from numbered(stream.decode(packet))
        yield from numbered(stream.decode(None))
    except av.FFmpegError:
        return


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
        found.has_times,
    )


def _filled(stamps: list[int | None]) -> NDArray[np.int64]:
    """Return time stamps, counted on where a packet has none."""
    filled = np.empty(len(stamps), np.int64)
    last = -1
    for k, stamp in enumerate(stamps):
        last = last + 1 if stamp is None else stamp
        filled[k] = last
    return filled
