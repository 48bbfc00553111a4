"""Headers of pictures of H.265 that no encoder at hand writes, bit by bit."""

from __future__ import annotations

import pytest

from h264_pictures import Bits
from napari_ferry.codecs.video.bits import NoPictureError
from napari_ferry.codecs.video.h265 import H265

TRAIL, IDR, CRA, SPS, PPS, END = 1, 19, 21, 33, 34, 36


def unit(kind: int, content: Bits | None = None, *, layer: int = 0) -> bytes:
    """Return a NAL unit after a start code."""
    payload = b"\xff" if content is None else content.u(1, 1).to_bytes()
    return b"\x00\x00\x01" + bytes([kind << 1, layer << 3 | 1]) + payload


def parameters(
    *, sublayers: tuple[tuple[int, int], ...] = (), has_planes: int = 0, has_window: int = 0
) -> bytes:
    """Return parameter sets whose picture order has 4 bits."""
    sequence = Bits().u(4, 0).u(3, len(sublayers)).u(1, 1).u(96, 2**96 - 1)
    for has_profile, has_level in sublayers:
        sequence.u(1, has_profile).u(1, has_level)
    sequence.u(2 * (8 - len(sublayers)) * bool(sublayers), 0)
    for has_profile, has_level in sublayers:
        sequence.u(88 * has_profile, 2 ** (88 * has_profile) - 1).u(8 * has_level, 0)
    sequence.ue(0).ue(3 if has_planes else 1).u(has_planes, has_planes).ue(15, 15)
    sequence.u(1, has_window)
    if has_window:
        sequence.ue(0, 1, 0, 1)
    sequence.ue(0, 0).ue(0)
    return unit(SPS, sequence) + unit(PPS, Bits().ue(0, 0).u(2, 0).u(3, 0))


def picture(kind: int, count: int, *, has_planes: int = 0, no_output: int = 0) -> bytes:
    """Return the beginning of a picture."""
    bits = Bits().u(1, 1)
    if kind >= 16:
        bits.u(1, no_output)
    bits.ue(0).ue(1).u(2 * has_planes, 0)
    return unit(kind, bits if kind == IDR else bits.u(4, count))


@pytest.mark.parametrize("sublayers", [(), ((0, 0),), ((1, 0), (0, 1)), ((1, 1),)])
@pytest.mark.parametrize("has_planes", [0, 1])
@pytest.mark.parametrize("has_window", [0, 1])
def test_the_order_of_pictures_follows_any_parameters(
    sublayers: tuple[tuple[int, int], ...], has_planes: int, has_window: int
) -> None:
    sets = parameters(sublayers=sublayers, has_planes=has_planes, has_window=has_window)
    reader = H265(sets)
    kinds = ((IDR, 0), (TRAIL, 5), (TRAIL, 2))
    ranks = [reader.read(picture(kind, n, has_planes=has_planes)).rank for kind, n in kinds]
    assert ranks == [(1, 0), (1, 5), (1, 2)]


def test_other_layers_are_passed_over() -> None:
    reader = H265(parameters())
    reader.read(picture(IDR, 0))
    other = unit(TRAIL, Bits().u(8, 255), layer=1)
    assert reader.read(other + picture(TRAIL, 3)).rank == (1, 3)
    with pytest.raises(NoPictureError):
        reader.read(other)


def test_pictures_after_the_end_of_a_sequence_begin_another_one() -> None:
    reader = H265(parameters())
    reader.read(picture(IDR, 0))
    assert reader.read(picture(CRA, 5)).rank == (1, 5)
    reader.read(unit(END) + picture(CRA, 5))
    assert reader.read(picture(TRAIL, 6)).rank == (2, 6)


def test_pictures_that_are_not_output_before_a_start_are_an_error() -> None:
    reader = H265(parameters())
    reader.read(picture(IDR, 0, no_output=1))
    with pytest.raises(ValueError, match="the pictures before it are not output"):
        reader.read(picture(CRA, 4, no_output=1))
