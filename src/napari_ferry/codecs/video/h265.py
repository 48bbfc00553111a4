"""Picture order count of H.265, from the header of a picture's first slice (ITU-T H.265, 8.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from napari_ferry.codecs.video.bits import (
    Bits,
    NoPictureError,
    Picture,
    split_annex_b,
    split_by_length,
)
from napari_ferry.codecs.video.h264 import nearest

_RADL_N, _RASL_N, _RASL_R, _BLA, _IDR, _LAST_IDR, _CRA = 6, 8, 9, 16, 19, 20, 21
_LAST_RANDOM_ACCESS, _LAST_SLICE, _SPS, _PPS, _END = 23, 31, 33, 34, {36, 37}
_SLICE_HEAD = 32


@dataclass(frozen=True, kw_only=True)
class _Sequence:
    """What the header of a slice is read with, of a sequence parameter set."""

    has_color_planes: bool
    order_bits: int


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """What the header of a slice is read with, of a picture parameter set."""

    sequence: int
    has_output_flag: bool
    extra_bits: int


class H265:
    """Reads the headers of H.265.

    Parameters
    ----------
    extradata : bytes
        Parameter sets of the container: in an ``hvcC`` record, with start codes, or empty.

    Raises
    ------
    ValueError
        They are damaged.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, _Picture] = {}
        self._epoch = 0
        self._last = 0
        self._begins = True
        self._skips_leading = False
        self._split: Callable[[bytes], Iterator[bytes]] = split_annex_b
        units = split_annex_b(extradata)
        if extradata[:1] == b"\x01":
            self._split = partial(split_by_length, width=(extradata[21] & 3) + 1)
            units = _hvcc_units(extradata)
        for unit in units:
            self._note_parameters(unit)

    def read(self, data: bytes) -> Picture:
        """Read the header of a picture: its rank is its coded sequence, and its count there."""
        for unit in self._split(data):
            if len(unit) < 3 or unit[0] & 1 or unit[1] >> 3:  # of another layer
                continue
            kind = unit[0] >> 1
            if kind <= _LAST_SLICE:
                return self._read_slice(kind, (unit[1] & 7) - 1, Bits.of_nal(unit[2:_SLICE_HEAD]))
            self._note_parameters(unit)
        raise NoPictureError

    def _note_parameters(self, unit: bytes) -> None:
        kind = unit[0] >> 1 if len(unit) > 1 else 0
        if kind == _SPS:
            number, sequence = _read_sequence(Bits.of_nal(unit[2:]))
            self._sequences[number] = sequence
        elif kind == _PPS:
            number, picture = _read_picture(Bits.of_nal(unit[2:_SLICE_HEAD]))
            self._pictures[number] = picture
        elif kind in _END:
            self._begins = True

    def _read_slice(self, kind: int, layer: int, bits: Bits) -> Picture:
        bits.u(1)  # first_slice_segment_in_pic_flag
        is_random_access = _BLA <= kind <= _LAST_RANDOM_ACCESS
        if is_random_access and bits.u(1) and not self._begins:
            raise ValueError("pictures before it are not shown")
        picture = self._pictures[bits.ue()]
        sequence = self._sequences[picture.sequence]
        bits.u(picture.extra_bits)
        bits.ue()  # slice_type
        is_output = not picture.has_output_flag or bits.u(1)
        bits.u(2 * sequence.has_color_planes)
        low = 0 if _IDR <= kind <= _LAST_IDR else bits.u(sequence.order_bits)
        if is_random_access:
            self._begin_at(kind)
        begins = is_random_access and self._skips_leading
        count = low if begins else nearest(self._last, low, sequence.order_bits)
        if layer == 0 and (kind >= _BLA or (kind < _RADL_N and kind % 2)):
            self._last = count
        is_lost = kind in (_RASL_N, _RASL_R) and self._skips_leading
        return Picture(
            rank=(self._epoch, count),
            is_shown=bool(is_output) and not is_lost,
            can_begin=is_random_access,
        )

    def _begin_at(self, kind: int) -> None:
        """Note a picture at which decoding can begin, and whether it does (8.1.3)."""
        self._skips_leading = self._begins or kind < _CRA
        if self._skips_leading:
            self._epoch += 1
            self._last = 0
        self._begins = False


def _read_sequence(bits: Bits) -> tuple[int, _Sequence]:
    """Read a sequence parameter set (7.3.2.2.1): its number, and itself."""
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


def _skip_profiles(bits: Bits, sublayers: int) -> None:
    """Skip profiles, tiers and levels (7.3.3)."""
    bits.u(96)
    flags = [(bits.u(1), bits.u(1)) for _ in range(sublayers)]
    if sublayers:
        bits.u(2 * (8 - sublayers))
    for has_profile, has_level in flags:
        bits.u(88 * has_profile + 8 * has_level)


def _read_picture(bits: Bits) -> tuple[int, _Picture]:
    """Read a picture parameter set (7.3.2.3.1): its number, and itself."""
    number, sequence = bits.ue(), bits.ue()
    bits.u(1)
    has_output_flag = bool(bits.u(1))
    return number, _Picture(
        sequence=sequence, has_output_flag=has_output_flag, extra_bits=bits.u(3)
    )


def _hvcc_units(record: bytes) -> Iterator[bytes]:
    """Yield the parameter sets of an ``hvcC`` record (ISO 14496-15, 8.3.3.1)."""
    at = 23
    for _ in range(record[22]):
        count = int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            yield record[at + 2 : end]
            at = end
