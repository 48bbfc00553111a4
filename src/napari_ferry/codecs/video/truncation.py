"""Truncated packets of HuffYUV, undetected by its decoder.

The decoder reads as many samples as a frame has, and ignores the rest. A packet with further
bytes is therefore decoded to the same frame, unless these take the place of missing ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.codecs.video.color import sample_bytes

if TYPE_CHECKING:
    import av

CODECS = ("huffyuv", "ffvhuff")
"""FFmpeg's names of HuffYUV and its extension."""

TRUNCATED = "is damaged: its data end too early"

_MORE = bytes(range(1, 256))


def lengthened(packet: av.Packet[Any]) -> av.Packet[Any]:
    """Return a packet with further bytes."""
    import av

    longer: av.Packet[Any] = av.Packet(bytes(packet) + _MORE)
    longer.opaque = packet.opaque
    return longer


def is_truncated(frame: av.VideoFrame, longer: av.VideoFrame) -> bool:
    """Return True if further bytes have changed a frame."""
    pairs = zip(sample_bytes(frame), sample_bytes(longer), strict=True)
    return not all(np.array_equal(a, b) for a, b in pairs)
