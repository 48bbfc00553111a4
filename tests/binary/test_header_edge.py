"""Edge of a header."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry.codecs.binary.layout.signals.header_edge import find_byte_edge


@pytest.mark.parametrize("header", [bytes(300), b"gain = 3\n" * 40, "random"])
def test_byte_edge_is_the_end_of_the_header(header):
    rng = np.random.default_rng(9)
    header = rng.bytes(301) if header == "random" else header
    pixels = rng.poisson(300, 40_000).astype("<u2").tobytes()
    first = np.frombuffer(header + pixels[: 12_000 - len(header)], np.uint8)
    window = np.frombuffer(pixels[12_000:], np.uint8)
    at, score = find_byte_edge(first, np.roll(window, -(len(header) % 2)), 2)
    assert abs(at - len(header)) <= 2
    assert score > 5
