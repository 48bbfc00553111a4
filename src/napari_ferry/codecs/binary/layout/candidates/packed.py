"""Packed samples of 12 bits, two in three bytes, as cameras send them.

Both orders of GenICam's pixel format naming convention
(https://www.emva.org/standards-technology/genicam): ``Mono12p`` and ``Mono12Packed``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.signals.code_length import code_cost
from napari_ferry.codecs.binary.layout.signals.sample_type import (
    ASYMMETRY_WEIGHT,
    SampleType,
    read_slices,
)
from napari_ferry.codecs.binary.layout.source import Source
from napari_ferry.codecs.binary.layout.usual_sizes import header_prior

Packing = Literal["", "Mono12p", "Mono12Packed"]

_BYTE = np.dtype("u1")
_CLEARLY_LESS = 0.93
"""Share of the cost of the best plain type, below which samples are treated as packed."""


class UnpackedSource:
    """A file as if its packed samples had two bytes each, aligned to the end of the file."""

    def __init__(self, source: Source, packing: Packing) -> None:
        self._source, self._packing = source, packing
        self._first = source.size % 3
        self.size = source.size // 3 * 4

    @property
    def body_start(self) -> int:
        """Byte after the longest expected header."""
        return -(-self._source.body_start // 3) * 4

    def preload(self, start: int, nbytes: int) -> None:
        """Read a large part into memory, and keep it until the next one."""
        first = self._first + start // 4 * 3
        self._source.preload(first, min(nbytes // 4 * 3 + 6, self._source.size - first))

    def read_samples(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Read samples from a byte on, shape ``(n,)`` with n <= `count`."""
        start = max(0, start)
        first, skipped = start // 4, start % 4 // 2
        three = self._source.read_samples(self._first + first * 3, (count + 3) // 2 * 3, _BYTE)
        return unpack(three, self._packing)[skipped : skipped + count].astype(dtype)

    def pack_candidate(self, candidate: Candidate) -> Candidate | None:
        """Return a candidate in the bytes of the file; None if a row is not whole bytes.

        Three bytes appear as a pixel of three channels.
        """
        layout, row = candidate.layout, candidate.row
        if layout.x % 2 or layout.offset % 4 or layout.channels > 1 or layout.gap or row.mosaic:
            return None

        offset = self._first + layout.offset // 4 * 3
        return replace(
            candidate,
            layout=replace(
                layout,
                dtype=_BYTE,
                offset=offset,
                channels=3,
                interleaving="pixel",
                x=layout.x // 2,
            ),
            row=replace(row, length=row.length // 2 * 3, channels=3),
            trailing=candidate.trailing // 4 * 3,
            features={**candidate.features, "header": header_prior(offset)},
            packing=self._packing,
        )


def unpack(three: npt.NDArray[np.uint8], packing: Packing) -> npt.NDArray[np.uint16]:
    """Unpack the samples of whole groups of three bytes, shape ``(n,)`` both."""
    a, b, c = three[: three.size // 3 * 3].reshape(-1, 3).T.astype(np.uint16)
    if packing == "Mono12p":
        pairs = (a | (b & 15) << 8, b >> 4 | c << 4)
    else:
        pairs = (a << 4 | b & 15, c << 4 | b >> 4)
    return np.stack(pairs, -1).ravel()


def find_packing(source: Source, best: SampleType | None, known: KnownFields) -> Packing:
    """Return the packing of the samples; empty unless it costs clearly less than the best type."""
    if best is None or best.dtype.kind == "f" or known.dtype or known.offset is not None:
        return ""
    if known.channels is not None or source.size < 4096:
        return ""

    slices = read_slices(source, _BYTE, source.size)
    costs: dict[Packing, float] = {}
    for packing in ("Mono12p", "Mono12Packed"):
        numbers = np.stack([unpack(part, packing) for part in slices]).astype(np.float64)
        cost, asymmetry = code_cost(numbers, 1.0, 1.5)
        costs[packing] = cost + ASYMMETRY_WEIGHT * asymmetry
    cheapest = min(costs, key=lambda packing: costs[packing])
    return cheapest if costs[cheapest] < _CLEARLY_LESS * best.total - 0.05 else ""
