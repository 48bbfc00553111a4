"""Order in which coded pictures are shown, read from their headers without decoding.

Containers such as AVI hold no presentation times, so the headers alone tell it.
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
from napari_ferry.codecs.video.mpeg import Mpeg2, Mpeg4

if TYPE_CHECKING:
    import av
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_HEAD_BYTES = 256
"""Of a packet, this much is looked at first: copying and searching all of it would take longer."""

_HEADERS: dict[str, Callable[[bytes], Headers]] = {
    "h264": H264,
    "hevc": H265,
    "mpeg1video": Mpeg2,
    "mpeg2video": Mpeg2,
    "mpeg4": Mpeg4,
}
"""Name of a codec -> what reads its headers, made of the parameters that the container has."""


class Headers(Protocol):
    """Reads the headers of one coding."""

    def read(self, data: bytes) -> Picture:
        """Read the header of the next picture in the order of decoding.

        Where it fails for the beginning of a packet, it is called again for all of it.

        Parameters
        ----------
        data : bytes
            A packet, or the beginning of one.

        Raises
        ------
        NoPictureError
            There is no picture in these bytes.
        LookupError, ValueError
            The headers are damaged, or use what is not supported.
        """


class PictureOrder:
    """Collects what the headers of pictures say, as their packets come.

    Parameters
    ----------
    headers : Headers
        What reads the headers of this coding.
    """

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._pictures: list[Picture] = []
        self._is_known = True

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Read the headers of the next packet; nothing more is read once one is unclear."""
        if not self._is_known:
            return
        try:
            self._pictures.append(self._read(packet))
        except (LookupError, ValueError):
            self._is_known = False

    def _read(self, packet: av.Packet[VideoStream]) -> Picture:
        data = memoryview(packet)
        with suppress(LookupError, ValueError):
            return self._headers.read(bytes(data[:_HEAD_BYTES]))
        try:
            return self._headers.read(bytes(data))
        except NoPictureError:
            return Picture(rank=(0, 0), is_shown=False, can_begin=False)

    def packets(self) -> NDArray[np.int64] | None:
        """Return the packet of each frame shown, int64; ``None`` where a header was unclear."""
        if not self._is_known:
            return None
        shown = [(p.rank, n) for n, p in enumerate(self._pictures) if p.is_shown]
        return np.array([n for _, n in sorted(shown)], np.int64)

    def can_begin(self, packet: int) -> bool:
        """Whether decoding can begin at a packet that is said to be a key frame."""
        return self._pictures[packet].can_begin


def read_picture_order(codec: VideoCodecContext) -> PictureOrder | None:
    """Return what reads the order of a coding; ``None`` where its headers are not known here."""
    make = _HEADERS.get(codec.name)
    try:
        return PictureOrder(make(bytes(codec.extradata or b""))) if make else None
    except (LookupError, ValueError):
        return None
