"""Seams of rows and frames."""

from __future__ import annotations

import numpy as np

from napari_ferry.codecs.binary.layout.candidates.packed import UnpackedSource
from napari_ferry.codecs.binary.layout.source import open_source
from napari_ferry.codecs.binary.layout.verify.seams import Seams
from raw_files import write


def unpacked_pairs(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three bytes of each two samples of 12 bits in Mono12p."""
    a, b = samples[::2].astype(np.uint16), samples[1::2].astype(np.uint16)
    return a & 255, a >> 8 | (b & 15) << 4, b >> 4


def test_header_edge_before_packed_samples_is_in_unpacked_bytes(tmp_path):
    rng = np.random.default_rng(12)
    three = np.stack(unpacked_pairs(rng.poisson(900, 120_000)), -1).astype(np.uint8)
    path = write(tmp_path / "a.raw", three, rng.bytes(300))
    with open_source(path) as source:
        unpacked = UnpackedSource(source, "Mono12p")
        window = unpacked.read_samples(40_000, 60_000, np.dtype("<u2"))
        edges = Seams(unpacked, np.dtype("<u2"), 40_000, window).header_end.edges
    likeliest = max(edges, key=lambda edge: edges[edge])
    assert abs(likeliest - 400) <= 4
