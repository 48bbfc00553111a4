"""Headers of pictures of H.263 and MPEG-4, written bit by bit."""

from __future__ import annotations

import pytest

from h264_pictures import Bits
from napari_ferry.codecs.video.bits import BitReader, NoPictureError
from napari_ferry.codecs.video.mpeg import H263, Mpeg4


def start() -> Bits:
    """Return the start code of a picture of H.263, its time and the beginning of its type."""
    return Bits().u(22, 0x20).u(13, 0x1FFF)


@pytest.mark.parametrize(
    ("kind", "can_start"),
    [
        (start().u(3, 2).u(1, 0), True),
        (start().u(3, 2).u(1, 1), False),
        (start().u(3, 7).u(3, 1).u(18, 0x3FFFF).u(3, 0), True),
        (start().u(3, 7).u(3, 1).u(18, 0).u(3, 1), False),
        (start().u(3, 7).u(3, 0).u(3, 0), True),
        (start().u(3, 7).u(3, 0).u(3, 1), False),
    ],
)
def test_pictures_of_h263_can_start_if_they_are_intra(kind: Bits, can_start: bool) -> None:
    reader = H263()
    first, second = (reader.read(kind.to_bytes() + bytes(9)) for _ in range(2))
    assert (first.can_start, first.rank < second.rank) == (can_start, True)


def test_bytes_that_are_no_picture_of_h263() -> None:
    with pytest.raises(NoPictureError):
        H263().read(bytes(32))


@pytest.mark.parametrize("has_identifier", [0, 1])
@pytest.mark.parametrize("has_ratio", [0, 1])
@pytest.mark.parametrize("control", [(), (0,), (1,)])
def test_the_bits_of_a_time_are_found_in_any_layer(
    has_identifier: int, has_ratio: int, control: tuple[int, ...]
) -> None:
    layer = Bits().u(9, 0).u(1, has_identifier).u(7 * has_identifier, 0)
    layer.u(4, 15 if has_ratio else 1).u(16 * has_ratio, 0).u(1, len(control))
    for has_buffer in control:
        layer.u(3, 0).u(1, has_buffer).u(79 * has_buffer, 0)
    layer.u(3, 0).u(16, 1000)  # whose times have 10 bits
    reader = Mpeg4(b"\x00\x00\x01\x20" + layer.to_bytes() + bytes(4))
    for is_coded in (1, 0):
        picture = Bits().u(2, 0).u(3, 0b101).u(10, 0 if is_coded else 1023).u(1, 1).u(1, is_coded)
        found = reader.read(b"\x00\x00\x01\xb6" + picture.to_bytes() + bytes(32))
        assert (found.is_output, found.can_start) == (bool(is_coded), bool(is_coded))


def test_a_header_that_ends_too_early_is_an_error() -> None:
    bits = BitReader(b"\xff")
    assert bits.u(8) == 255
    with pytest.raises(ValueError, match="ends too early"):
        bits.u(1)
