"""Position of a file before a packet of a given number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.video.packet_index import PacketIndex
from napari_ferry.codecs.video.video_file import VideoFile

if TYPE_CHECKING:
    import av

_TRIED_PACKETS = 32
"""Packets after a seek among which one must be identified."""


def seek_packet(
    file: VideoFile, index: PacketIndex, first: int
) -> Iterator[tuple[int, av.Packet[Any]]] | None:
    """Position a file before a packet, and return the packets from there on.

    Parameters
    ----------
    file : VideoFile
        The file.
    index : PacketIndex
        Its packets.
    first : int
        Number of the packet.

    Returns
    -------
    iterator of tuple or None
        Packets from number `first` or an earlier one on, with their numbers; None without a table
        of key frames or a known position, where the file must be read from the beginning.
    """
    import av

    for target in index.seek_times(first):
        try:
            file.container.seek(target, stream=file.stream)
            file.flush()
            packets = file.packets()
            number, found = _identify(packets, index)
        except av.FFmpegError:
            break  # a stream without a container, or a file without a packet table
        if found and number <= first:
            return enumerate(chain(found, packets), number)
    return None


def _identify(
    packets: Iterator[av.Packet[Any]], index: PacketIndex
) -> tuple[int, list[av.Packet[Any]]]:
    """Return the number of the next identifiable packet, and a list with it."""
    for packet in islice(packets, _TRIED_PACKETS):
        number = index.find_packet(packet)
        if number is not None:
            return number, [packet]
    return 0, []
