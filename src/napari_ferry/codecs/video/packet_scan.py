"""Scan of a video file for its packet index, without decoding.

The display order of frames follows from their presentation times. If a container stores none, it
follows from the headers of coded pictures; if these are ambiguous, from the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.avi import find_empty_chunks
from napari_ferry.codecs.video.frame_starts import FrameStarts
from napari_ferry.codecs.video.matroska import is_truncated_matroska
from napari_ferry.codecs.video.mp4 import is_truncated_mp4
from napari_ferry.codecs.video.packet_check import CheckProbe
from napari_ferry.codecs.video.packet_index import PacketIndex, fill_times, refuse_encrypted
from napari_ferry.codecs.video.picture_order import PictureOrder, make_picture_order
from napari_ferry.codecs.video.video_file import VideoFile

if TYPE_CHECKING:
    import av
    from av.video.stream import VideoStream

Reopen: TypeAlias = "Callable[[], AbstractContextManager[VideoFile]]"

MAX_FRAMES = 2**24
"""Maximum number of frames; a file with more is treated as damaged."""

_PROBED_FRAMES = 16
"""Frames decoded to compare the order in the headers with the order of the decoder."""

_UNTIMED = ("avi", "mpegvideo")  # of MPEG-1 and 2 without a container, times are guesses
"""FFmpeg's names of formats without presentation times."""

_LONGEST_DELAY = 16
"""Maximum delay of an encoder of B-frames in chunks, as in H.264."""


@dataclass(kw_only=True)
class _Packets:
    """Properties of the packets, collected in decoding order."""

    check: CheckProbe
    starts: FrameStarts
    presentation_times: list[int | None] = field(default_factory=list)
    decoding_times: list[int | None] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    incomplete: set[int] = field(default_factory=set)
    damage: str = ""
    empty: int = 0
    has_times: bool = True

    def __len__(self) -> int:
        return len(self.presentation_times)

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Add a packet with its times, position and flags."""
        number = len(self)
        self.presentation_times.append(packet.pts)
        self.decoding_times.append(packet.dts if packet.dts is not None else packet.pts)
        self.offsets.append(-1 if packet.pos is None else packet.pos)
        self.sizes.append(packet.size)
        if packet.is_keyframe:
            self.keys.append(number)
        if packet.is_discard or not self.starts.is_start(packet):
            self.hidden.append(number)
        if packet.is_corrupt:
            self.incomplete.add(number)
        self.check.add(packet)


@dataclass
class _OrderSource:
    """Source of the display order: presentation times, or picture headers while in doubt.

    Parameters
    ----------
    headers : PictureOrder, optional
        Collector of picture headers, if these may be needed.
    is_untimed : bool
        True if the container stores no presentation times. Those of its packets are guesses.
    """

    headers: PictureOrder | None
    is_untimed: bool
    latest: int | None = None

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Read the headers of a packet while they may be needed."""
        if self.headers is None:
            return
        is_earlier = packet.pts is not None and self.latest is not None and packet.pts < self.latest
        if is_earlier and not self.is_untimed:
            self.headers = None  # the times are not in decoding order, so they are real
            return
        self.latest = packet.pts
        self.headers.add(packet)


def _choose_order_source(file: VideoFile) -> _OrderSource:
    codec, container = file.stream.codec_context, file.container.format.name
    # a FOURCC in Matroska belongs to "Video for Windows", whose times are in decoding order
    has_fourcc = codec.codec_tag.strip("\0 ") != ""
    is_untimed = container in _UNTIMED or (container.startswith("matroska") and has_fourcc)
    may_reorder = is_untimed or bool(codec.has_b_frames)
    return _OrderSource(make_picture_order(codec) if may_reorder else None, is_untimed)


def read_index(file: VideoFile, reopen: Reopen) -> PacketIndex:
    """Read all packets of the first video stream, from the current position of the file.

    Parameters
    ----------
    file : VideoFile
        A file that was just opened.
    reopen : callable
        Opens the file again for a ``with`` block, if only decoding shows the display order.
    """
    source = _choose_order_source(file)
    packets = _read_packets(file, source)
    time_base = file.stream.time_base or Fraction(1, 1)

    headers = source.headers
    order = headers.packets() if headers else None
    if headers and order is not None:
        packets.keys = [k for k in packets.keys if headers.can_start(k)]
        order = order[~np.isin(order, packets.hidden)]
        agrees = _has_ascending_times(packets, order)
        if agrees and not source.is_untimed:
            times = np.array(packets.presentation_times, np.int64)
            return _make_index(packets, times, order, time_base)
        if agrees or _is_confirmed(order, reopen):
            # the file stores presentation times, although its packets have them in wrong order
            are_real = not source.is_untimed and None not in packets.presentation_times
            values = packets.presentation_times if are_real else packets.decoding_times
            return _index_in_order(packets, order, values, time_base)
    elif not (source.is_untimed and headers) and (index := _index_by_time(packets, time_base)):
        return index

    order = _decoding_order(packets, reopen)
    return _index_in_order(packets, order, packets.decoding_times, time_base)


def _read_packets(file: VideoFile, source: _OrderSource) -> _Packets:
    """Read all packets, up to the end of the file or the first unreadable one."""
    import av

    packets = _Packets(check=CheckProbe(file.stream), starts=FrameStarts(file.stream.codec_context))

    def add(packet: av.Packet[VideoStream]) -> None:
        """Add a packet to the index and to the source of the order."""
        packets.add(packet)
        source.add(packet)

    incomplete = None
    try:
        for packet in file.packets():
            if not len(packets):
                refuse_encrypted(file.path, packet)
            if len(packets) >= MAX_FRAMES:
                packets.damage = f"it has more than {MAX_FRAMES} frames"
                break
            if incomplete is not None:
                add(incomplete)  # data are missing there, but the file continues
            incomplete = packet if packet.is_corrupt else None
            if incomplete is None:
                add(packet)
    except av.FFmpegError as error:
        packets.damage = f"it cannot be read any further ({error.strerror or error})"

    if incomplete is not None:
        packets.damage = "it ends within a frame"
    _check_count(file, packets)

    if len(packets) and all(time is None for time in packets.decoding_times):
        _assume_times(packets, file.stream)
    return packets


def _check_count(file: VideoFile, packets: _Packets) -> None:
    """Compare the number of packets with the header: some cut files are read without an error."""
    promised = file.stream.frames
    if not packets.damage and promised > len(packets):
        is_avi = file.container.format.name == "avi"
        empty = find_empty_chunks(file.path, file.stream.index) if is_avi else None
        if empty is None or len(empty) < promised - len(packets):
            packets.damage = f"its header declares {promised} frames"
        else:
            packets.empty = _count_left_out(empty, len(packets.keys) == len(packets))
    is_truncated = is_truncated_matroska(file.path) or is_truncated_mp4(file.path)
    if not packets.damage and is_truncated:
        packets.damage = "it is shorter than its header specifies"


def _count_left_out(empty: list[int], is_independent: bool) -> int:
    """Count the empty chunks in the places of frames, apart from the delay of an encoder."""
    later = [number for k, number in enumerate(empty) if number != k]  # after the first frame
    return len([number for number in later if is_independent or number >= _LONGEST_DELAY])


def _assume_times(packets: _Packets, stream: VideoStream) -> None:
    """Assign evenly spaced times, in ticks, to the packets of a stream without a container."""
    rate = stream.average_rate or stream.guessed_rate
    step = max(1, round(1 / (rate * stream.time_base))) if rate and stream.time_base else 1
    packets.decoding_times = [k * step for k in range(len(packets))]
    packets.has_times = False


def _index_by_time(packets: _Packets, time_base: Fraction) -> PacketIndex | None:
    """Sort frames by presentation time; return ``None`` if the times are missing or equal."""
    visible = np.delete(np.arange(len(packets)), packets.hidden)
    if len(packets.keys) == len(packets):  # nothing is decoded out of order
        return _make_index(packets, fill_times(packets.presentation_times), visible, time_base)
    if None in packets.presentation_times:
        return None

    times = np.array(packets.presentation_times, np.int64)
    order = visible[np.argsort(times[visible], kind="stable")]
    is_unique = len(np.unique(times[order])) == len(order)
    return _make_index(packets, times, order, time_base) if is_unique else None


def _has_ascending_times(packets: _Packets, order: NDArray[np.int64]) -> bool:
    """Return True if the presentation times ascend in an order of packets."""
    if None in packets.presentation_times:
        return False
    steps = np.diff(np.array(packets.presentation_times, np.int64)[order])
    return bool(np.all(steps > 0))


def _is_confirmed(order: NDArray[np.int64], reopen: Reopen) -> bool:
    """Return True if the decoder outputs the first frames in an order of packets."""
    with reopen() as file, closing(decode_all(file)) as frames:
        first = [number for number, _ in islice(frames, _PROBED_FRAMES)]
    return first == list(order[:_PROBED_FRAMES])


def _decoding_order(packets: _Packets, reopen: Reopen) -> NDArray[np.int64]:
    """Return the packets of frames in the output order of the decoder; decode the whole file."""
    with reopen() as file:
        order = np.array([number for number, _ in decode_all(file)], np.int64)
    return order[order < len(packets)]


def _index_in_order(
    packets: _Packets, order: NDArray[np.int64], values: list[int | None], time_base: Fraction
) -> PacketIndex:
    """Assign the sorted times of packets to frames in a known order."""
    times = np.zeros(len(packets), np.int64)
    times[order] = np.sort(fill_times(values)[order])
    return _make_index(packets, times, order, time_base)


def decode_all(file: VideoFile) -> Generator[tuple[int, av.VideoFrame], None, None]:
    """Decode a newly opened file; yield each frame with its packet number."""
    import av

    try:
        for number, packet in enumerate(file.packets()):
            packet.opaque = (number,)
            yield from file.decode(packet)
        yield from file.decode(None)
    except av.FFmpegError:
        return


def _make_index(
    packets: _Packets, times: NDArray[np.int64], order: NDArray[np.int64], time_base: Fraction
) -> PacketIndex:
    """Make an index from the presentation time of each packet and the packets of the frames."""
    keys = np.array(packets.keys or [0][: len(packets)], np.int64)

    return PacketIndex(
        presentation_times=times[order],
        frame_packets=order,
        key_packets=keys,
        key_times=times[keys],
        decoding_times=fill_times(packets.decoding_times),
        offsets=np.array(packets.offsets, np.int64),
        sizes=np.array(packets.sizes, np.int64),
        time_base=time_base,
        damage=packets.damage,
        has_times=packets.has_times,
        empty=packets.empty,
        incomplete=frozenset(packets.incomplete),
        check=packets.check.chosen(),
    )
