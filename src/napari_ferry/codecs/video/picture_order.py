"""Display order of coded pictures, read from their headers without decoding.

Containers such as AVI store no presentation times, so only the headers determine the order.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.video.bits import NoPictureError, Picture
from napari_ferry.codecs.video.h264 import H264
from napari_ferry.codecs.video.h265 import H265
from napari_ferry.codecs.video.mpeg import H263, Mpeg2, Mpeg4

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_HEADER_BYTES = 256
"""Bytes of a packet to search first: copying and searching the whole takes longer."""

_HEADER_READERS: dict[str, Callable[[bytes], HeaderReader]] = {
    "h264": H264,
    "hevc": H265,
    "h263": H263,
    "mpeg1video": Mpeg2,
    "mpeg2video": Mpeg2,
    "mpeg4": Mpeg4,
}
"""Codec name -> header reader, made from the parameters in the container."""


class HeaderReader(Protocol):
    """Reader of the headers of one video codec."""

    def read(self, data: bytes) -> Picture:
        """Read the header of the next picture in decoding order.

        If it fails for the beginning of a packet, it is called again with the whole packet.

        Parameters
        ----------
        data : bytes
            A packet, or the beginning of one.

        Raises
        ------
        NoPictureError
            The bytes contain no picture.
        LookupError, ValueError
            The headers are damaged or use an unsupported feature.
        """


class PictureOrder:
    """Collector of picture headers, filled packet by packet.

    Parameters
    ----------
    headers : HeaderReader
        Reader of the headers of this codec.
    """

    def __init__(self, headers: HeaderReader) -> None:
        self._headers = headers
        self._pictures: list[Picture] = []
        self._is_known = True

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Read the headers of the next packet, unless an earlier one was unreadable."""
        if not self._is_known:
            return
        try:
            self._pictures.append(self._read(packet))
        except (LookupError, ValueError):
            self._is_known = False

    def _read(self, packet: av.Packet[VideoStream]) -> Picture:
        data = memoryview(packet)
        with suppress(LookupError, ValueError):
            return self._headers.read(bytes(data[:_HEADER_BYTES]))
        try:
            return self._headers.read(bytes(data))
        except NoPictureError:
            return Picture(rank=(0, 0), is_output=False, can_start=False)

    def packets(self) -> NDArray[np.int64] | None:
        """Return the packet of each frame in display order, int64; ``None`` if it is unknown."""
        if not self._is_known:
            return None
        visible = [(p.rank, n) for n, p in enumerate(self._pictures) if p.is_output]
        return np.array([n for _, n in sorted(visible)], np.int64)

    def can_start(self, packet: int) -> bool:
        """Return True if decoding can start at a packet marked as a key frame."""
        return self._pictures[packet].can_start


def make_picture_order(codec: VideoCodecContext) -> PictureOrder | None:
    """Return an empty collector for a codec; ``None`` if its headers are not supported."""
    make = _HEADER_READERS.get(codec.name)
    try:
        return PictureOrder(make(bytes(codec.extradata or b""))) if make else None
    except (LookupError, ValueError):
        return None
