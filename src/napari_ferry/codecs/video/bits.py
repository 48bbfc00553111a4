"""Headers of coded pictures: their bits, the NAL units of H.264 and H.265, and what they say.

ITU-T H.264, 7.2, 7.3.1, 9.1 and Annex B; ITU-T H.265 has the same there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_START = b"\x00\x00\x01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What the header of a coded picture says.

    Parameters
    ----------
    rank : tuple of int
        What sorts it among others, as they are shown.
    is_shown : bool
        Whether the decoder gives it at all.
    can_begin : bool
        Whether decoding can begin at it, if the container or a parser says so, too.
    """

    rank: tuple[int, int]
    is_shown: bool
    can_begin: bool


class NoPictureError(LookupError):
    """There is no coded picture in these bytes."""


class Bits:
    """Reads the numbers of a header.

    Parameters
    ----------
    payload : bytes
        A header, or the beginning of one.
    """

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    @classmethod
    def of_nal(cls, payload: bytes) -> Self:
        """Read a NAL unit, after its own header: emulation prevention bytes are left out."""
        return cls(payload.replace(b"\x00\x00\x03", b"\x00\x00"))

    def u(self, count: int) -> int:
        """Return the next `count` bits as an unsigned number.

        Raises
        ------
        ValueError
            The header ends before.
        """
        self._left -= count
        if self._left < 0:
            raise ValueError("a header of the video ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """Return the next Exp-Golomb number (H.264, 9.1)."""
        rest = self._value & ((1 << self._left) - 1)
        return self.u(2 * (self._left - rest.bit_length()) + 1) - 1

    def skip_ue(self, count: int) -> None:
        """Skip Exp-Golomb numbers; signed ones have the same length."""
        for _ in range(count):
            self.ue()


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units that start codes separate."""
    begin = data.find(_START)
    while begin >= 0:
        end = data.find(_START, begin + 3)
        yield data[begin + 3 : end] if end >= 0 else data[begin + 3 :]
        begin = end


def split_by_length(data: bytes, width: int) -> Iterator[bytes]:
    """Yield the NAL units that follow their lengths, numbers of `width` bytes (ISO 14496-15)."""
    at = 0
    while at + width < len(data):
        begin = at + width
        at = begin + int.from_bytes(data[at:begin], "big")
        yield data[begin:at]
