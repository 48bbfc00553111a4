"""Checks of packets without decoding them, for damage that decoders do not report.

A packet is checked only if one of the first packets of its file passes: not every program writes
checksums or marks the end of its frames.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_ferry.codecs.video import ffv1
from napari_ferry.codecs.video.matroska import ClusterChecksums
from napari_ferry.codecs.video.packet_index import PacketIndex

if TYPE_CHECKING:
    import av
    from av.video.stream import VideoStream

_PROBED_PACKETS = 8
"""Packets at the beginning of a file among which one must pass a check."""

_END_OF_IMAGE = b"\xff\xd9"
"""End of a JPEG image (ITU-T T.81, table B.1), and of a JPEG 2000 codestream (T.800, A.4.4)."""

_NEVER_CODED = bytes(4)
"""Zeros that data of H.264 and H.265 never contain (ITU-T H.264 and H.265, 7.4.2)."""

_HOLE = bytes(64)
"""Zeros that an entropy coder outputs only for the rarest symbol, over and over again."""


class PacketCheck(NamedTuple):
    """A check of packets, and what it finds.

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
    return data.rstrip(b"\0").endswith(_END_OF_IMAGE)


def _has_size(data: bytes) -> bool:
    """Return True if the length of a chunk agrees with that in its first four bytes."""
    return int.from_bytes(data[1:4], "big") == len(data)


_ENDS_EARLY = "is damaged: its data end too early"
_HAS_ZEROS = "is damaged: zeros are in the place of some of its data"

_MAY_BE_DAMAGED = "may be damaged: its part of the file does not match the checksum of that part"

CHECKS = {
    "checksum": PacketCheck(
        ffv1.has_valid_checksums, "is damaged: its data do not match their checksum"
    ),
    "end": PacketCheck(_has_end, _ENDS_EARLY),
    "size": PacketCheck(_has_size, "is damaged: its data differ in length from their header"),
    "coded": PacketCheck(lambda data: _NEVER_CODED not in data, _HAS_ZEROS),
    "hole": PacketCheck(lambda data: _HOLE not in data, _HAS_ZEROS),
}
"""Name of a check -> the check."""

_CANDIDATES = {
    "ffv1": ("checksum", "hole"),
    **dict.fromkeys(("mjpeg", "jpegls", "jpeg2000"), ("end",)),
    **dict.fromkeys(("qtrle", "cinepak"), ("size",)),
    **dict.fromkeys(("h264", "hevc"), ("coded",)),
    **dict.fromkeys(("huffyuv", "ffvhuff", "vp8", "vp9"), ("hole",)),
}
"""FFmpeg's name of an encoding -> names of checks, the best one first."""


_SILENT_CODECS = (
    *("av1", "cinepak", "ffv1", "hevc", "jpeg2000", "magicyuv", "qtrle", "theora", "utvideo"),
    *("vp8", "vp9"),
)
"""Encodings whose frames are named after the checksum of a whole part of a Matroska file.

The decoders of others report most damage, and which frame has it.
"""


class CheckProbe:
    """Choice of a check from the first packets of a file.

    Parameters
    ----------
    stream : av.video.stream.VideoStream
        The stream of the packets.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self._candidates = _CANDIDATES.get(context.name, ())
        if "coded" in self._candidates and (context.extradata or b"")[:1] != b"\1":
            self._candidates = ()  # zeros may separate the parts of a packet
        self._passed: set[str] = set()
        self._left = _PROBED_PACKETS if self._candidates else 0

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Try the checks with a packet, if it is one of the first."""
        if self._left:
            self._left -= 1
            data = bytes(packet)
            self._passed.update(n for n in self._candidates if CHECKS[n].is_whole(data))

    def chosen(self) -> str:
        """Return the name of the best check that a packet has passed; empty without one."""
        return next((name for name in self._candidates if name in self._passed), "")


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
