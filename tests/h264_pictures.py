"""H.264 pictures of one gray level, with headers of unusual encoders (ITU-T H.264, 7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import numpy as np

_START_CODE = bytes((0, 0, 0, 1))
_PCM = 25
"""Type of a macroblock in an I slice whose samples follow as they are."""


class Bits:
    """Writer of the numbers in a header."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def u(self, count: int, value: int) -> Self:
        self._bits += [value >> k & 1 for k in reversed(range(count))]
        return self

    def ue(self, *values: int) -> Self:
        for value in values:
            self.u(2 * (value + 1).bit_length() - 1, value + 1)
        return self

    def samples(self, level: int) -> Self:
        """Add the samples of a macroblock, 4:2:0, from the next whole byte on."""
        self.u(-len(self._bits) % 8, 0)
        for byte in (*[level] * 256, *[128] * 128):
            self.u(8, byte)
        return self

    def to_bytes(self) -> bytes:
        """Return the bits, filled up with zeros to whole bytes."""
        return np.packbits(self._bits).tobytes()

    def unit(self, kind: int, reference: int) -> bytes:
        """Return the NAL unit after a start code; no number needs emulation prevention."""
        return _START_CODE + bytes([reference << 5 | kind]) + self.u(1, 1).to_bytes()


def parameters(*, has_fields: bool) -> bytes:
    """Return the parameter sets of pictures of 16 x 32 pixels, in the Main profile."""
    sequence = Bits().u(8, 77).u(8, 0).u(8, 30).ue(0, 4, 0, 4, 3).u(1, 0).ue(0)
    sequence.ue(0 if has_fields else 1).u(1, not has_fields).u(has_fields, 0).u(4, 0b1000)
    picture = Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0)
    return sequence.unit(7, 3) + picture.unit(8, 3)


def picture(
    level: int, *, number: int, place: int, is_reference: bool, field: int | None = None
) -> bytes:
    """Return a picture that depends on no other one.

    Parameters
    ----------
    level : int
        Its gray level.
    number : int
        Its ``frame_num``.
    place : int
        Its picture order count; 0 for the first one, from which on decoding can start.
    is_reference : bool
        True if others may depend on it.
    field : int, optional
        0 or 1 for the upper or lower field of a frame.
    """
    is_first = place == 0
    bits = Bits().ue(0, 7, 0).u(8, number % 256)
    if field is not None:
        bits.u(1, 1).u(1, field)
    if is_first:
        bits.ue(0)
    bits.u(8, place % 256).u(2 if is_first else int(is_reference), 0).ue(0)
    for _ in range(2 if field is None else 1):
        bits.ue(_PCM).samples(level)
    return bits.unit(5 if is_first else 1, int(is_reference))


def copied(*, number: int, place: int) -> bytes:
    """Return a copy of the last but one picture that others may depend on."""
    bits = Bits().ue(0, 5, 0).u(8, number % 256).u(8, place % 256)
    bits.u(1, 1).ue(1).u(2, 0).ue(0)
    for _ in range(2):  # a whole macroblock from the second picture, without a motion
        bits.ue(0, 0).u(1, 0).ue(0, 0, 0)
    return bits.unit(1, 1)


def write_pictures(path: Path, frames: Iterable[Sequence[bytes]]) -> Path:
    """Write frames of one or two coded pictures each, 25 per second."""
    packets = [b"".join(frame) for frame in frames]
    stream_path = path.with_suffix(".264")
    stream_path.write_bytes(b"".join(packets))
    with av.open(str(stream_path)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for k, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = k
            packet.is_keyframe = k == 0
            target.mux(packet)
    return path
