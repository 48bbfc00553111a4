"""Samples of 12 bits of which two lie in three bytes, as cameras send them.

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
from napari_ferry.codecs.binary.layout.signals.sample_type import Coded, code_of, sample_of
from napari_ferry.codecs.binary.layout.source import Source
from napari_ferry.codecs.binary.layout.usual_sizes import header_prior

Packing = Literal["", "Mono12p", "Mono12Packed"]

_BYTE = np.dtype("u1")
_LESS = 0.93


class Unpacked:
    """A source as it would be with two bytes for each sample of 12 bits, to the end of the file."""

    def __init__(self, source: Source, packing: Packing) -> None:
        self._source, self._packing = source, packing
        self._first = source.size % 3
        self.size = source.size // 3 * 4

    @property
    def body(self) -> int:
        """Where pixels are expected to have begun, whatever the header."""
        return -(-self._source.body // 3) * 4

    def hold(self, start: int, nbytes: int) -> None:
        """Read a large piece, and keep it until the next one."""
        first = self._first + start // 4 * 3
        self._source.hold(first, min(nbytes // 4 * 3 + 6, self._source.size - first))

    def values(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return samples from a place on, shape ``(n,)`` with n <= `count`."""
        start = max(0, start)
        first, skipped = start // 4, start % 4 // 2
        three = self._source.values(self._first + first * 3, (count + 3) // 2 * 3, _BYTE)
        return unpack(three, self._packing)[skipped : skipped + count].astype(dtype)

    def as_packed(self, candidate: Candidate) -> Candidate | None:
        """Return a layout as bytes of the file; None where a row is no whole bytes."""
        layout, row = candidate.layout, candidate.row
        if layout.x % 2 or layout.offset % 4 or layout.channels > 1 or layout.gap or row.mosaic:
            return None
        offset = self._first + layout.offset // 4 * 3
        features = {**candidate.features, "header": header_prior(offset)}
        bytewise = replace(
            layout, dtype=_BYTE, offset=offset, channels=3, interleaving="pixel", x=layout.x // 2
        )
        wide = replace(row, length=row.length // 2 * 3, channels=3)
        return replace(
            candidate, layout=bytewise, row=wide, trailing=candidate.trailing // 4 * 3,
            features=features, packing=self._packing,
        )  # fmt: skip


def unpack(three: npt.NDArray[np.uint8], packing: Packing) -> npt.NDArray[np.uint16]:
    """Return the samples of whole groups of three bytes, shape ``(n,)``."""
    a, b, c = three[: three.size // 3 * 3].reshape(-1, 3).T.astype(np.uint16)
    if packing == "Mono12p":
        pairs = (a | (b & 15) << 8, b >> 4 | c << 4)
    else:
        pairs = (a << 4 | b & 15, c << 4 | b >> 4)
    return np.stack(pairs, -1).ravel()


def find_packing(source: Source, best: Coded | None, known: KnownFields) -> Packing:
    """Return how samples are packed, where that costs clearly less than the best plain type."""
    if best is None or best.dtype.kind == "f" or known.dtype or known.offset is not None:
        return ""
    if known.channels is not None or source.size < 4096:
        return ""
    rows = sample_of(source, _BYTE, source.size)
    costs: dict[Packing, float] = {}
    for packing in ("Mono12p", "Mono12Packed"):
        numbers = np.stack([unpack(row, packing) for row in rows]).astype(np.float64)
        cost, unlike = code_of(numbers, 1.0, 1.5)
        costs[packing] = cost + 1.2 * unlike
    packing = min(costs, key=lambda one: costs[one])
    return packing if costs[packing] < _LESS * best.total - 0.05 else ""
