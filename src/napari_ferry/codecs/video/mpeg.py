"""Picture order of H.263, MPEG-1, MPEG-2 and MPEG-4 Part 2, from the picture types in the headers.

A reference picture is displayed when the next reference picture has been decoded, and a
bidirectional picture at once (ISO 13818-2, 6.1.1.11; ISO 14496-2, 7.6.7).
"""

from __future__ import annotations

from napari_ferry.codecs.video.bits import BitReader, NoPictureError, Picture

_PICTURE, _GROUP = b"\x00\x00\x01\x00", b"\x00\x00\x01\xb8"
_VOP, _LAYER = b"\x00\x00\x01\xb6", b"\x00\x00\x01\x20"
"""Start codes."""

_H263_START, _EXTENDED = 0x20, 7
"""Start code of a picture in 22 bits, and the source format of an extended type."""

_HEADER_BYTES = 32


class _References:
    """Counter of the reference pictures."""

    def __init__(self) -> None:
        self.count = 0
        self.is_closed = False
        """True if the group of pictures does not depend on the previous group."""

    def next(self, *, is_bidirectional: bool, is_intra: bool) -> Picture:
        """Return the next picture; it is not shown if its references are missing."""
        if is_bidirectional:
            has_references = self.count > 1 or self.is_closed
            return Picture(rank=(self.count, 0), is_output=has_references, can_start=False)
        self.count += 1
        return Picture(rank=(self.count, 1), is_output=True, can_start=is_intra)


class H263:
    """Reader of the headers of H.263 (ITU-T H.263, 5.1), whose pictures are in display order.

    FFmpeg marks every packet of H.263 in AVI as a key frame.
    """

    def __init__(self, _extradata: bytes = b"") -> None:
        self._count = 0

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is its number."""
        self._count += 1
        bits = BitReader(data[:_HEADER_BYTES])
        if bits.u(22) != _H263_START:
            raise NoPictureError
        bits.u(13)  # time, and the beginning of its type
        if bits.u(3) != _EXTENDED:
            is_intra = not bits.u(1)
        else:
            if bits.u(3) == 1:  # the optional part
                bits.u(18)
            is_intra = bits.u(3) == 0
        return Picture(rank=(self._count, 0), is_output=True, can_start=is_intra)


class Mpeg2:
    """Reader of the headers of MPEG-1 and MPEG-2 (ISO 13818-2, 6.2.2.6 and 6.2.3)."""

    def __init__(self, _extradata: bytes = b"") -> None:
        self._references = _References()

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is the number of references before it."""
        offset = _find(data, _PICTURE)
        group = data.find(_GROUP, 0, offset)
        if group >= 0:
            self._references.is_closed = bool(data[group + 7] >> 6 & 1)
        coding_type = data[offset + 5] >> 3 & 7
        return self._references.next(is_bidirectional=coding_type == 3, is_intra=coding_type == 1)


class Mpeg4:
    """Reader of the headers of MPEG-4 Part 2 (ISO 14496-2, 6.2.3 to 6.2.5).

    Parameters
    ----------
    extradata : bytes
        Headers from the container, or empty.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._references = _References()
        self._time_bits = 0
        self._read_layer(extradata)

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is the number of references before it."""
        offset = _find(data, _VOP)
        self._read_layer(data[:offset])
        bits = BitReader(data[offset + 4 : offset + _HEADER_BYTES])
        coding_type = bits.u(2)

        # skip the time of the picture
        while bits.u(1):  # modulo_time_base
            pass
        bits.u(1)
        bits.u(self._time_bits)
        bits.u(1)

        if not bits.u(1):  # vop_coded
            return Picture(rank=(self._references.count, 1), is_output=False, can_start=False)
        return self._references.next(is_bidirectional=coding_type == 2, is_intra=coding_type == 0)

    def _read_layer(self, data: bytes) -> None:
        """Store the number of bits of a time, from a video object layer (6.2.3)."""
        prefix, code = _LAYER[:3], _LAYER[3]
        offset = data.find(prefix)
        while offset >= 0 and data[offset + 3 : offset + 4] and data[offset + 3] & 0xF0 != code:
            offset = data.find(prefix, offset + 3)
        if offset < 0:
            return

        bits = BitReader(data[offset + 4 : offset + _HEADER_BYTES])
        bits.u(9)
        if bits.u(1):
            bits.u(7)
        if bits.u(4) == 15:
            bits.u(16)
        if bits.u(1):  # vol_control_parameters
            bits.u(3)
            if bits.u(1):
                bits.u(79)
        bits.u(3)
        self._time_bits = max(1, (bits.u(16) - 1).bit_length())


def _find(data: bytes, start_code: bytes) -> int:
    """Return the offset of a picture.

    Raises
    ------
    NoPictureError
        The data contain no picture, or an incomplete header.
    """
    offset = data.find(start_code)
    if offset < 0 or len(data) < offset + 6:
        raise NoPictureError
    return offset
