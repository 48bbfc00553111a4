"""Order of pictures of MPEG-1, MPEG-2 and MPEG-4 Part 2, from the types in their headers.

A picture that others refer to is shown when the next such picture has been decoded, and a
bidirectional one at once (ISO 13818-2, 6.1.1.11; ISO 14496-2, 7.6.7).
"""

from __future__ import annotations

from napari_ferry.codecs.video.bits import Bits, NoPictureError, Picture

_PICTURE, _GROUP = b"\x00\x00\x01\x00", b"\x00\x00\x01\xb8"
_VOP, _LAYER = b"\x00\x00\x01\xb6", b"\x00\x00\x01\x20"
_HEAD = 32


class _References:
    """Counts the pictures that others refer to."""

    def __init__(self) -> None:
        self.count = 0
        self.is_closed = False
        """Whether the group of pictures needs nothing of the one before."""

    def next(self, *, is_bidirectional: bool, is_intra: bool) -> Picture:
        """Return the next picture, which is not shown if what it refers to is not there."""
        if is_bidirectional:
            has_references = self.count > 1 or self.is_closed
            return Picture(rank=(self.count, 0), is_shown=has_references, can_begin=False)
        self.count += 1
        return Picture(rank=(self.count, 1), is_shown=True, can_begin=is_intra)


class Mpeg2:
    """Reads the headers of MPEG-1 and MPEG-2 (ISO 13818-2, 6.2.2.6 and 6.2.3)."""

    def __init__(self, _extradata: bytes = b"") -> None:
        self._references = _References()

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is how many references come first."""
        at = _find(data, _PICTURE)
        group = data.find(_GROUP, 0, at)
        if group >= 0:
            self._references.is_closed = bool(data[group + 7] >> 6 & 1)
        kind = data[at + 5] >> 3 & 7
        return self._references.next(is_bidirectional=kind == 3, is_intra=kind == 1)


class Mpeg4:
    """Reads the headers of MPEG-4 Part 2 (ISO 14496-2, 6.2.3 to 6.2.5).

    Parameters
    ----------
    extradata : bytes
        Headers of the container, or empty.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._references = _References()
        self._time_bits = 0
        self._note_layer(extradata)

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is how many references come first."""
        at = _find(data, _VOP)
        self._note_layer(data[:at])
        bits = Bits(data[at + 4 : at + _HEAD])
        kind = bits.u(2)
        while bits.u(1):  # modulo_time_base
            pass
        bits.u(1)
        bits.u(self._time_bits)
        bits.u(1)
        if not bits.u(1):  # vop_coded
            return Picture(rank=(self._references.count, 1), is_shown=False, can_begin=False)
        return self._references.next(is_bidirectional=kind == 2, is_intra=kind == 0)

    def _note_layer(self, data: bytes) -> None:
        """Note how many bits a time has, of a video object layer (6.2.3)."""
        at = data.find(_LAYER[:3])
        while at >= 0 and data[at + 3 : at + 4] and data[at + 3] & 0xF0 != _LAYER[3]:
            at = data.find(_LAYER[:3], at + 3)
        if at < 0:
            return
        bits = Bits(data[at + 4 : at + _HEAD])
        bits.u(9)
        if bits.u(1):
            bits.u(7)
        if bits.u(4) == 15:
            bits.u(16)
        if bits.u(1):  # vol_control_parameters
            bits.u(3)
            bits.u(79 * bits.u(1))
        bits.u(3)
        self._time_bits = max(1, (bits.u(16) - 1).bit_length())


def _find(data: bytes, start: bytes) -> int:
    """Return where a picture begins.

    Raises
    ------
    NoPictureError
        There is none, or its header is not whole.
    """
    at = data.find(start)
    if at < 0 or len(data) < at + 6:
        raise NoPictureError
    return at
