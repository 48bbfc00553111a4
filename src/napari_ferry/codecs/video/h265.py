"""Picture order count of H.265, from the header of a picture's first slice (ITU-T H.265, 8.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from napari_ferry.codecs.video.bits import (
    BitReader,
    NoPictureError,
    Picture,
    split_annex_b,
    split_by_length,
)
from napari_ferry.codecs.video.h264 import nearest

_RADL_N, _RASL_N, _RASL_R, _BLA, _IDR, _LAST_IDR, _CRA = 6, 8, 9, 16, 19, 20, 21
_LAST_RANDOM_ACCESS, _LAST_SLICE, _SPS, _PPS, _END = 23, 31, 33, 34, {36, 37}
"""NAL unit types (table 7-1)."""

_SLICE_HEADER_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class _Sequence:
    """Fields of a sequence parameter set needed to read slice headers."""

    has_color_planes: bool
    order_bits: int


@dataclass(frozen=True, kw_only=True)
class _PictureParameters:
    """Fields of a picture parameter set needed to read slice headers."""

    sequence: int
    has_output_flag: bool
    extra_bits: int


class H265:
    """Reader of the headers of H.265.

    Parameters
    ----------
    extradata : bytes
        Parameter sets from the container: as an ``hvcC`` record, with start codes, or empty.

    Raises
    ------
    ValueError
        The parameter sets are damaged.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, _PictureParameters] = {}
        self._epoch = 0
        self._last_count = 0
        self._is_first = True
        self._skips_leading = False

        self._split: Callable[[bytes], Iterator[bytes]] = split_annex_b
        units = split_annex_b(extradata)
        if extradata[:1] == b"\x01":
            self._split = partial(split_by_length, width=(extradata[21] & 3) + 1)
            units = _hvcc_units(extradata)
        for unit in units:
            self._read_parameters(unit)

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is its coded sequence and its count in there."""
        for unit in self._split(data):
            if len(unit) < 3 or unit[0] & 1 or unit[1] >> 3:  # of another layer
                continue
            unit_type = unit[0] >> 1
            if unit_type <= _LAST_SLICE:
                bits = BitReader.from_nal(unit[2:_SLICE_HEADER_BYTES])
                return self._read_slice(unit_type, (unit[1] & 7) - 1, bits)
            self._read_parameters(unit)
        raise NoPictureError

    def _read_parameters(self, unit: bytes) -> None:
        """Store the parameter set of a NAL unit, if it has one; register an end of sequence."""
        unit_type = unit[0] >> 1 if len(unit) > 1 else 0
        if unit_type == _SPS:
            number, sequence = _read_sequence(BitReader.from_nal(unit[2:]))
            self._sequences[number] = sequence
        elif unit_type == _PPS:
            number, picture = _read_picture(BitReader.from_nal(unit[2:_SLICE_HEADER_BYTES]))
            self._pictures[number] = picture
        elif unit_type in _END:
            self._is_first = True

    def _read_slice(self, unit_type: int, layer: int, bits: BitReader) -> Picture:
        bits.u(1)  # first_slice_segment_in_pic_flag
        is_random_access = _BLA <= unit_type <= _LAST_RANDOM_ACCESS
        if is_random_access and bits.u(1) and not self._is_first:
            raise ValueError("the pictures before it are not output")

        picture = self._pictures[bits.ue()]
        sequence = self._sequences[picture.sequence]
        bits.u(picture.extra_bits)
        bits.ue()  # slice_type
        is_output = not picture.has_output_flag or bits.u(1)
        if sequence.has_color_planes:
            bits.u(2)
        low = 0 if _IDR <= unit_type <= _LAST_IDR else bits.u(sequence.order_bits)

        # the count restarts at a picture whose leading pictures are skipped
        if is_random_access:
            self._start_at(unit_type)
        restarts = is_random_access and self._skips_leading
        count = low if restarts else nearest(self._last_count, low, sequence.order_bits)
        if layer == 0 and (unit_type >= _BLA or (unit_type < _RADL_N and unit_type % 2)):
            self._last_count = count

        is_skipped = unit_type in (_RASL_N, _RASL_R) and self._skips_leading
        return Picture(
            rank=(self._epoch, count),
            is_output=bool(is_output) and not is_skipped,
            can_start=is_random_access,
        )

    def _start_at(self, unit_type: int) -> None:
        """Register a random access picture; decide if its leading pictures are skipped (8.1.3)."""
        self._skips_leading = self._is_first or unit_type < _CRA
        if self._skips_leading:
            self._epoch += 1
            self._last_count = 0
        self._is_first = False


def _read_sequence(bits: BitReader) -> tuple[int, _Sequence]:
    """Read a sequence parameter set (7.3.2.2.1); return its number and its fields."""
    bits.u(4)
    sublayers = bits.u(3)
    bits.u(1)
    _skip_profiles(bits, sublayers)
    number = bits.ue()
    has_planes = bits.ue() == 3 and bool(bits.u(1))
    bits.skip_ue(2)
    if bits.u(1):
        bits.skip_ue(4)
    bits.skip_ue(2)
    return number, _Sequence(has_color_planes=has_planes, order_bits=bits.ue() + 4)


def _skip_profiles(bits: BitReader, sublayers: int) -> None:
    """Skip profiles, tiers and levels (7.3.3)."""
    bits.u(96)
    flags = [(bits.u(1), bits.u(1)) for _ in range(sublayers)]
    if sublayers:
        bits.u(2 * (8 - sublayers))
    for has_profile, has_level in flags:
        if has_profile:
            bits.u(88)
        if has_level:
            bits.u(8)


def _read_picture(bits: BitReader) -> tuple[int, _PictureParameters]:
    """Read a picture parameter set (7.3.2.3.1); return its number and its fields."""
    number, sequence = bits.ue(), bits.ue()
    bits.u(1)
    has_output_flag = bool(bits.u(1))
    return number, _PictureParameters(
        sequence=sequence, has_output_flag=has_output_flag, extra_bits=bits.u(3)
    )


def _hvcc_units(record: bytes) -> Iterator[bytes]:
    """Yield the parameter sets of an ``hvcC`` record (ISO 14496-15, 8.3.3.1)."""
    offset = 23
    for _ in range(record[22]):
        count = int.from_bytes(record[offset + 1 : offset + 3], "big")
        offset += 3
        for _ in range(count):
            end = offset + 2 + int.from_bytes(record[offset : offset + 2], "big")
            yield record[offset + 2 : end]
            offset = end
