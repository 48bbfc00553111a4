"""Truncated packets of HuffYUV, undetected by its decoder.

The decoder reads as many samples as a frame has, and ignores the rest. A packet with further
bytes is therefore decoded to the same frame, unless these take the place of missing ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.codecs.video.color import sample_bytes

if TYPE_CHECKING:
    import av

CODECS = ("huffyuv", "ffvhuff")
"""FFmpeg's names of HuffYUV and its extension."""

_TRUNCATED = "is damaged: its data end too early"

_MORE = bytes(range(1, 256))


def lengthened(packet: av.Packet[Any]) -> av.Packet[Any]:
    """Return a packet with further bytes."""
    import av

    longer: av.Packet[Any] = av.Packet(bytes(packet) + _MORE)
    longer.opaque = packet.opaque
    return longer


def compare(
    frames: Iterator[tuple[int, av.VideoFrame]], damage: dict[int, str]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield every other frame, and note damage if the next one, with further bytes, differs.

    Parameters
    ----------
    frames : iterator
        Frames with their packet numbers, each decoded twice.
    damage : dict of int to str
        Number of each damaged packet, and a predicate about its frame.
    """
    for (number, frame), (_, longer) in zip(frames, frames, strict=False):
        if _is_truncated(frame, longer):
            damage[number] = _TRUNCATED
        yield number, frame


def _is_truncated(frame: av.VideoFrame, longer: av.VideoFrame) -> bool:
    """Return True if further bytes have changed a frame."""
    pairs = zip(sample_bytes(frame), sample_bytes(longer), strict=True)
    return not all(np.array_equal(a, b) for a, b in pairs)
