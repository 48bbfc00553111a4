"""Coded picture headers: bit reading and the NAL units of H.264 and H.265.

ITU-T H.264, 7.2, 7.3.1, 9.1 and Annex B; ITU-T H.265 defines the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

_START_CODE = b"\x00\x00\x01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """Header of a coded picture.

    Parameters
    ----------
    rank : tuple of int
        Sort key of the picture in display order.
    is_output : bool
        True if the decoder outputs the picture.
    can_start : bool
        True if decoding can start at the picture, provided that the container or a parser marks
        it as a key frame, too.
    """

    rank: tuple[int, int]
    is_output: bool
    can_start: bool


class NoPictureError(LookupError):
    """The bytes contain no coded picture."""


class BitReader:
    """Reader of the numbers in a header.

    Parameters
    ----------
    payload : bytes
        A header, or the beginning of one.
    """

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._remaining = 8 * len(payload)

    @classmethod
    def from_nal(cls, payload: bytes) -> Self:
        """Make a reader of a NAL unit without its own header and emulation prevention bytes."""
        return cls(payload.replace(b"\x00\x00\x03", b"\x00\x00"))

    def u(self, count: int) -> int:
        """Return the next `count` bits as an unsigned number.

        Raises
        ------
        ValueError
            The header has fewer bits left.
        """
        self._remaining -= count
        if self._remaining < 0:
            raise ValueError("a header of the video ends too early")
        return (self._value >> self._remaining) & ((1 << count) - 1)

    def ue(self) -> int:
        """Return the next Exp-Golomb number (H.264, 9.1)."""
        rest = self._value & ((1 << self._remaining) - 1)
        return self.u(2 * (self._remaining - rest.bit_length()) + 1) - 1

    def skip_ue(self, count: int) -> None:
        """Skip Exp-Golomb numbers; signed ones have the same length."""
        for _ in range(count):
            self.ue()


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units between start codes."""
    start = data.find(_START_CODE)
    while start >= 0:
        end = data.find(_START_CODE, start + 3)
        yield data[start + 3 : end] if end >= 0 else data[start + 3 :]
        start = end


def split_by_length(data: bytes, width: int) -> Iterator[bytes]:
    """Yield NAL units, each stored after its length in `width` bytes (ISO 14496-15)."""
    offset = 0
    while offset + width < len(data):
        start = offset + width
        offset = start + int.from_bytes(data[offset:start], "big")
        yield data[start:offset]
