"""Picture order count and references of H.264, from the header of a picture's first slice.

ITU-T H.264, 7.3.3 and 8.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from napari_ferry.codecs.video.bits import (
    BitReader,
    NoPictureError,
    Picture,
    split_annex_b,
    split_by_length,
)

_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8
"""NAL unit types (table 7-1)."""

_SLICE_HEADER_BYTES = 32

_HEADER_BYTES = 256
"""Bytes of a packet to search first: copying the whole takes longer."""

_B_SLICE = 1
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


@dataclass(frozen=True, kw_only=True)
class _Sequence:
    """Fields of a sequence parameter set needed to read slice headers."""

    has_color_planes: bool
    frame_num_bits: int
    order_type: int
    order_bits: int
    is_progressive: bool


@dataclass(frozen=True, kw_only=True)
class SliceStart:
    """Beginning of a slice header.

    Parameters
    ----------
    is_idr : bool
        True for a picture that ends the use of all pictures before it.
    is_reference : bool
        True if other pictures may depend on the picture.
    is_field : bool
        True for every second line of a frame.
    is_bottom : bool
        True for the lower field of a frame.
    can_start : bool
        True unless the slice needs pictures displayed before and after it.
    frame_num : int
        Number of the picture among the reference pictures, with few bits.
    sequence : _Sequence
        Its sequence parameter set.
    """

    is_idr: bool
    is_reference: bool
    is_field: bool
    is_bottom: bool
    can_start: bool
    frame_num: int
    sequence: _Sequence

    def completes(self, first: SliceStart) -> bool:
        """Return True for the second field of a frame, given the field before (7.4.1.2.4)."""
        is_pair = self.is_field and first.is_field and self.is_bottom != first.is_bottom
        return is_pair and not self.is_idr and self.frame_num == first.frame_num


class H264:
    """Reader of the headers of H.264.

    Parameters
    ----------
    extradata : bytes
        Parameter sets from the container: as an ``avcC`` record, with start codes, or empty.

    Raises
    ------
    ValueError
        The parameter sets are damaged or use an unsupported feature.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of_picture: dict[int, int] = {}
        self._epoch = 0
        self._last_count = 0

        self._split: Callable[[bytes], Iterator[bytes]] = split_annex_b
        units = split_annex_b(extradata)
        if extradata[:1] == b"\x01":
            self._split = partial(split_by_length, width=(extradata[4] & 3) + 1)
            units = _avcc_units(extradata)
        for unit in units:
            self._read_parameters(unit)

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is its coded sequence and its count in there."""
        return self._read_picture(*self._read_first_slice(data))

    @property
    def may_have_fields(self) -> bool:
        """True unless all known sequences have whole frames only."""
        return not self._sequences or not all(s.is_progressive for s in self._sequences.values())

    def find_slice(self, data: memoryview) -> SliceStart | None:
        """Return the beginning of the first slice header of a packet.

        None if there is no picture, or its headers are damaged or use an unsupported feature.
        """
        for part in (data[:_HEADER_BYTES], data):
            with suppress(LookupError, ValueError):
                return self._read_first_slice(bytes(part))[0]
        return None

    def _read_first_slice(self, data: bytes) -> tuple[SliceStart, BitReader]:
        """Return the beginning of the first slice header, and a reader of its other fields."""
        for unit in self._split(data):
            if unit and unit[0] & 31 in (_SLICE, _IDR):
                bits = BitReader.from_nal(unit[1:_SLICE_HEADER_BYTES])
                return self._read_slice_start(unit[0], bits), bits
            self._read_parameters(unit)
        raise NoPictureError

    def _read_parameters(self, unit: bytes) -> None:
        """Store the parameter set of a NAL unit, if it has one."""
        unit_type = unit[0] & 31 if unit else 0
        if unit_type == _SPS:
            number, sequence = _read_sequence(BitReader.from_nal(unit[1:]))
            self._sequences[number] = sequence
        elif unit_type == _PPS:
            bits = BitReader.from_nal(unit[1:_SLICE_HEADER_BYTES])
            number = bits.ue()
            self._sequence_of_picture[number] = bits.ue()

    def _read_slice_start(self, unit_header: int, bits: BitReader) -> SliceStart:
        bits.ue()  # first_mb_in_slice
        can_start = bits.ue() % 5 != _B_SLICE
        sequence = self._sequences[self._sequence_of_picture[bits.ue()]]
        if sequence.has_color_planes:
            bits.u(2)
        frame_num = bits.u(sequence.frame_num_bits)
        is_field = not sequence.is_progressive and bool(bits.u(1))
        is_bottom = is_field and bool(bits.u(1))
        return SliceStart(
            is_idr=unit_header & 31 == _IDR,
            is_reference=bool(unit_header >> 5 & 3),
            is_field=is_field,
            is_bottom=is_bottom,
            can_start=can_start,
            frame_num=frame_num,
            sequence=sequence,
        )

    def _read_picture(self, start: SliceStart, bits: BitReader) -> Picture:
        if start.is_idr:
            bits.ue()  # idr_pic_id
            self._epoch += 1
            self._last_count = 0

        count = 0  # of all pictures, if they are displayed in decoding order
        sequence = start.sequence
        if sequence.order_type == 0:
            low = bits.u(sequence.order_bits)
            count = nearest(self._last_count, low, sequence.order_bits)
            self._last_count = count if start.is_reference else self._last_count
        return Picture(rank=(self._epoch, count), is_output=True, can_start=start.can_start)


def delimiter(extradata: bytes) -> bytes:
    """Return an access unit delimiter (7.3.2.4) for a decoder: a packet without a picture."""
    unit = b"\x09\xf0"
    if extradata[:1] == b"\x01" and len(extradata) > 4:
        return len(unit).to_bytes((extradata[4] & 3) + 1, "big") + unit
    return b"\0\0\0\1" + unit


def nearest(last: int, low: int, width: int) -> int:
    """Return the count nearest to the last one among counts with the low bits `low` (8.2.1.1)."""
    half = 1 << (width - 1)
    return last + (low - last + half - 1) % (2 * half) - (half - 1)


def _read_sequence(bits: BitReader) -> tuple[int, _Sequence]:
    """Read a sequence parameter set (7.3.2.1.1); return its number and its fields."""
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    has_planes = profile in _HIGH_PROFILES and _skip_high_profile(bits)
    frame_num_bits = bits.ue() + 4

    order_type = bits.ue()
    if order_type == 1:
        raise ValueError("picture order count of type 1")
    order_bits = bits.ue() + 4 if order_type == 0 else 0

    bits.ue()  # max_num_ref_frames
    bits.u(1)
    bits.skip_ue(2)  # width and height
    return number, _Sequence(
        has_color_planes=has_planes,
        frame_num_bits=frame_num_bits,
        order_type=order_type,
        order_bits=order_bits,
        is_progressive=bool(bits.u(1)),
    )


def _skip_high_profile(bits: BitReader) -> bool:
    """Skip the fields of high profiles; return True if color planes are coded separately."""
    chroma = bits.ue()
    has_planes = chroma == 3 and bool(bits.u(1))
    bits.skip_ue(2)
    bits.u(1)
    if bits.u(1):
        for k in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _skip_scaling_list(bits, 16 if k < 6 else 64)
    return has_planes


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    """Skip a scaling list (7.3.2.1.1.1); it ends early if its next scale is zero."""
    scale = 8
    for _ in range(size):
        code = bits.ue()
        scale = (scale + (-1) ** (code + 1) * ((code + 1) // 2)) % 256
        if not scale:
            return


def _avcc_units(record: bytes) -> Iterator[bytes]:
    """Yield the parameter sets of an ``avcC`` record (ISO 14496-15, 5.3.3.1)."""
    offset = 5
    for mask in (31, 255):
        count, offset = record[offset] & mask, offset + 1
        for _ in range(count):
            end = offset + 2 + int.from_bytes(record[offset : offset + 2], "big")
            yield record[offset + 2 : end]
            offset = end
