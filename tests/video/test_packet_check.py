"""Checks of packets: what valid files contain passes, and what is missing does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from napari_ferry.codecs.video.packet_check import CHECKS, CheckProbe

JPEG = b"\xff\xd8\xff\xc0header\xff\xda" + bytes(range(1, 90)) * 3 + b"\xff\xd9"
THUMBNAIL = b"\xff\xd8\xff\xe1" + JPEG + JPEG[2:]
JPEG_2000 = b"\xff\x4f\xff\x90tile\xff\x93" + bytes(range(1, 90)) + b"\xff\xd9"
CODED = bytes(range(1, 101)) * 4


def units(*parts: bytes, width: int = 4) -> bytes:
    """Return NAL units, each after its length."""
    return b"".join(len(part).to_bytes(width, "big") + part for part in parts)


def chunk(size: int, nbytes: int) -> bytes:
    return b"\0" + size.to_bytes(3, "big") + b"\1" * (nbytes - 4)


@pytest.mark.parametrize(
    ("name", "data", "is_whole"),
    [
        *(("end", image, True) for image in (JPEG, THUMBNAIL, JPEG_2000)),
        *(("end", JPEG + rest, True) for rest in (b"\0\0", b"\xff" * 40, CODED, JPEG[60:-2])),
        *(("end", image[:-2], False) for image in (JPEG, THUMBNAIL, JPEG_2000)),
        *(("size", chunk(100, n), True) for n in (100, 101, 103)),
        *(("size", chunk(100, n), False) for n in (99, 92, 140)),
        ("coded4", units(CODED, CODED), True),
        ("coded4", units(CODED + b"\0", CODED), True),
        ("coded4", units(b"\x67\1\2\0\0\0", CODED + bytes(8)), True),
        ("coded2", units(CODED + b"\0\0", CODED, width=2), True),
        ("coded4", units(CODED, CODED)[:-200] + bytes(200), False),
        ("coded4", units(CODED + bytes(4) + CODED), False),
        ("coded4", units(CODED)[:200] + bytes(600), False),
        ("coded4", units(CODED) + bytes(80), False),
    ],
)
def test_a_packet_is_whole(name: str, data: bytes, is_whole: bool) -> None:
    assert CHECKS[name].is_whole(data) is is_whole


def probe(packets: list[bytes], codec: str = "mjpeg", extradata: bytes | None = None) -> str:
    context = SimpleNamespace(name=codec, extradata=extradata)
    stream: Any = SimpleNamespace(codec_context=context)
    found = CheckProbe(stream)
    for packet in packets:
        found.add(packet)  # type: ignore[arg-type]
    return found.chosen()


@pytest.mark.parametrize("count", [4, 8, 16, 1000])
def test_a_check_that_one_packet_passes_is_not_chosen(count: int) -> None:
    other = JPEG[:-2]
    assert probe([JPEG, *[other] * (count - 1)]) == ""
    assert probe([*[JPEG] * (count // 2), *[other] * (count // 2)]) == ""
    assert probe([JPEG] * count) == "end"
    assert probe([*[JPEG] * (count - 1), other]) == "end"
    assert probe([other, *[JPEG] * (count - 1)]) == "end"
    assert probe([]) == probe([other]) == probe([JPEG, other]) == ""


def test_one_valid_checksum_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    check = CHECKS["checksum"]._replace(is_whole=lambda data: data == JPEG)
    monkeypatch.setitem(CHECKS, "checksum", check)
    assert probe([bytes(100), JPEG, *[bytes(100)] * 6], "ffv1") == "checksum"


@pytest.mark.parametrize(("codec", "place"), [("h264", 4), ("hevc", 21)])
def test_the_size_of_lengths_is_that_of_the_file(codec: str, place: int) -> None:
    for width in (1, 2, 4):
        extradata = b"\1" + bytes(place - 1) + bytes([0xFC | (width - 1)])
        packet = units(CODED[:200] + b"\0", CODED[:100], width=width)
        assert probe([packet] * 8, codec, extradata) == f"coded{width}"
    assert probe([units(CODED)] * 8, codec, b"\0\0\0\1") == probe([units(CODED)], codec) == ""
