"""Checks of packets without decoding them, for damage unreported by decoders.

A packet is checked only if packets throughout its file pass, all but one at most: not every program
marks the end of its frames. One valid checksum is proof enough that a program writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_ferry.codecs.video import ffv1
from napari_ferry.codecs.video.bits import split_by_length
from napari_ferry.codecs.video.matroska import ClusterChecksums
from napari_ferry.codecs.video.packet_index import PacketIndex

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_PROBED_PACKETS = 8
"""Minimum number of packets to try the checks with, evenly spread over a longer file."""

_LEAST_PROBED = 4
"""Minimum number of tried packets to tolerate a damaged one."""

_END_OF_IMAGE = b"\xff\xd9"
"""End of a JPEG image (ITU-T T.81, table B.1), and of a JPEG 2000 codestream (T.800, A.4.4).

Like the starts of data, it cannot occur within coded data.
"""

_STARTS_OF_DATA = (b"\xff\xda", b"\xff\x93")
"""Start of a scan of a JPEG image, and of data of a JPEG 2000 codestream."""

_NEVER_CODED = bytes(4)
"""Zeros impossible in a NAL unit of H.264 and H.265 (ITU-T H.264 and H.265, 7.4.2)."""

_MAX_TRAILING = 64
"""Zeros after a NAL unit above which they are in the place of data; some programs store a few.

They are trailing_zero_8bits of the byte stream format (ITU-T H.264 and H.265, annex B).
"""

_MAX_ALIGNMENT = 3
"""Maximum number of bytes after a chunk to align the next one."""

_HOLE = bytes(64)
"""Zeros from an entropy coder only if the rarest symbol repeats over and over."""


class PacketCheck(NamedTuple):
    """A check of packets, and a description of the damage it finds.

    Parameters
    ----------
    is_whole : callable
        Takes the data of a packet, and returns False if they are damaged.
    damage : str
        Predicate about the frame of a damaged packet.
    """

    is_whole: Callable[[bytes], bool]
    damage: str


def _has_end(data: bytes) -> bool:
    """Return True if an image ends after its last data; cameras append other bytes."""
    return data.rfind(_END_OF_IMAGE) > max(map(data.rfind, _STARTS_OF_DATA))


def _has_size(data: bytes) -> bool:
    """Return True if a chunk has the length in its first four bytes, but for its alignment."""
    return 0 <= len(data) - int.from_bytes(data[1:4], "big") <= _MAX_ALIGNMENT


def _has_coded_units(data: bytes, width: int) -> bool:
    """Return True if no NAL unit contains zeros impossible in coded data.

    Parameters
    ----------
    data : bytes
        A packet of NAL units, each after its length.
    width : int
        Bytes of a length.
    """
    return all(map(_is_coded, split_by_length(data, width)))


def _is_coded(unit: bytes) -> bool:
    coded = unit[:-_MAX_TRAILING] + unit[-_MAX_TRAILING:].rstrip(b"\0")
    return bool(coded) and _NEVER_CODED not in coded


_ENDS_EARLY = "is damaged: its data end too early"
_HAS_ZEROS = "is damaged: zeros are in the place of some of its data"

_MAY_BE_DAMAGED = "may be damaged: its part of the file does not match the checksum of that part"

CHECKS = {
    "checksum": PacketCheck(
        ffv1.has_valid_checksums, "is damaged: its data do not match their checksum"
    ),
    "end": PacketCheck(_has_end, _ENDS_EARLY),
    "size": PacketCheck(_has_size, _ENDS_EARLY),
    **{
        f"coded{width}": PacketCheck(partial(_has_coded_units, width=width), _HAS_ZEROS)
        for width in (1, 2, 3, 4)
    },
    "hole": PacketCheck(lambda data: _HOLE not in data, _HAS_ZEROS),
}
"""Name of a check -> the check."""

_CANDIDATES = {
    "ffv1": ("checksum", "hole"),
    **dict.fromkeys(("mjpeg", "jpegls", "jpeg2000"), ("end",)),
    **dict.fromkeys(("qtrle", "cinepak"), ("size",)),
    **dict.fromkeys(("huffyuv", "ffvhuff", "vp8", "vp9"), ("hole",)),
}
"""FFmpeg's name of an encoding -> names of checks, the best one first."""

_LENGTH_SIZES = {"h264": 4, "hevc": 21}
"""FFmpeg's name of an encoding -> byte of its avcC or hvcC record with the size of lengths.

ISO 14496-15, 5.3.3.1 and 8.3.3.1: the last two bits are the number of bytes, less one.
"""

_SILENT_CODECS = (
    *("av1", "cinepak", "ffv1", "hevc", "jpeg2000", "magicyuv", "qtrle", "theora", "utvideo"),
    *("vp8", "vp9"),
)
"""Encodings whose frames are named after the checksum of a whole part of a Matroska file.

The decoders of others report most damage, and the affected frame.
"""


def _candidates(context: VideoCodecContext) -> Sequence[str]:
    """Return the names of the checks for the packets of a codec, the best one first."""
    place, extradata = _LENGTH_SIZES.get(context.name), context.extradata or b""
    if place is None:
        return _CANDIDATES.get(context.name, ())
    # without such a record, zeros may separate the parts of a packet
    if extradata[:1] != b"\1" or len(extradata) <= place:
        return ()
    return (f"coded{(extradata[place] & 3) + 1}",)


class CheckProbe:
    """Choice of a check from packets throughout a file.

    Parameters
    ----------
    stream : av.video.stream.VideoStream
        The stream of the packets.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._candidates = _candidates(stream.codec_context)
        self._passed: list[set[str]] = []
        self._count = 0
        self._step = 1

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Try the checks with the next packet, if it is among the selected ones."""
        number, self._count = self._count, self._count + 1
        if not self._candidates or number % self._step:
            return
        data = bytes(packet)
        self._passed.append({name for name in self._candidates if CHECKS[name].is_whole(data)})

        # the number of packets is unknown: the longer the file, the fewer of them are tried
        if len(self._passed) == 2 * _PROBED_PACKETS:
            self._passed = self._passed[::2]
            self._step *= 2

    def chosen(self) -> str:
        """Return the name of the best check passed by the packets; empty without one."""
        return next((name for name in self._candidates if self._has_passed(name)), "")

    def _has_passed(self, name: str) -> bool:
        passes = sum(name in passed for passed in self._passed)
        if name == "checksum":
            return passes > 0
        tried = len(self._passed)
        return passes > 0 and passes >= tried - (tried >= _LEAST_PROBED)


class PacketChecker:
    """Checks of the packets of one file.

    Parameters
    ----------
    path : Path
        The file.
    index : PacketIndex
        Its packets.
    codec : str
        FFmpeg's name of the encoding.
    """

    def __init__(self, path: Path, index: PacketIndex, codec: str) -> None:
        self._check = CHECKS.get(index.check)
        self._offsets = index.offsets
        is_silent = codec in _SILENT_CODECS and index.check != "checksum"
        self._clusters = ClusterChecksums(path) if is_silent else None

    def find_damage(self, number: int, packet: av.Packet[VideoStream]) -> str:
        """Return a predicate about the frame of a damaged packet; empty for any other."""
        if self._check and not self._check.is_whole(bytes(packet)):
            return self._check.damage
        if self._clusters and not self._clusters.is_valid_at(int(self._offsets[number])):
            return _MAY_BE_DAMAGED
        return ""
