"""Row lengths and channels, by repeats and by the length of a code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.signals.autocorrelation import MAX_ROW, Periods
from napari_ferry.codecs.binary.layout.signals.code_length import FEW_SEGMENTS, RowCoder
from napari_ferry.codecs.binary.layout.usual_sizes import USUAL_HEADERS, USUAL_SIDES

Floats = npt.NDArray[np.float64]

_MAX_LENGTHS = 13
_LEAST_PROOF = 5
"""Standard deviations by which the channels of a pixel must differ."""

_LEAST_PART = 24
"""Minimum length of a row as a part of a joined one; closer samples are alike anyway."""
_JOINED_BITS, _JOINED_SHARE = 0.1, 0.1
"""Excess of the code length of a joined row, in bits per sample, and as a share of the gain."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of samples with the evidence for it.

    Parameters
    ----------
    length : int
        Samples of a row.
    channels : int
        Channels of a pixel.
    z, comb, harmony : float
        Score of the repeat, that of its multiples, and the share of peaks that it explains.
    code : float
        Code length in bits per sample.
    lost, gain, split : float
        Code length relative to the best row, to no row, and to the same row of other channels.
    uneven : float
        Difference between interleaved samples that `channels` does not explain.
    proof : float
        Difference between the channels, in standard deviations.
    mosaic : bool
        True for a mosaic of color filters. Such a row holds two rows of the image, and its two
        channels are adjacent columns.
    half : float
        Score of the repeat of half a mosaic row.
    """

    length: int
    channels: int
    z: float
    comb: float
    harmony: float
    code: float
    lost: float
    gain: float
    split: float
    uneven: float
    proof: float
    mosaic: bool = False
    half: float = 0.0

    @classmethod
    def without_evidence(cls, length: int, channels: int) -> Row:
        """Return a row without evidence."""
        return cls(
            length=length,
            channels=channels,
            z=0.0,
            comb=0.0,
            harmony=0.0,
            code=8.0,
            lost=0.0,
            gain=0.0,
            split=0.0,
            uneven=0.0,
            proof=0.0,
        )

    @property
    def x(self) -> int:
        """Width of the image in pixels."""
        return self.length // self.channels

    @property
    def lines(self) -> int:
        """Rows of the image in one row of samples."""
        return 2 if self.mosaic else 1


def find_rows(
    values: npt.NDArray[Any], periods: Periods, size: int, known: KnownFields
) -> list[Row]:
    """Find the likeliest rows of consecutive samples, shape ``(n,)``, in a file of `size` bytes."""
    lengths = _possible_lengths(periods, size, values.dtype.itemsize, known)
    lengths = [length for length in lengths if 2 * length < values.size]
    if not lengths:
        return []

    coder = RowCoder(values)
    splits = [
        (length, channels, coder.code(length, channels))
        for length in _best_lengths(lengths, periods, coder)
        for channels in _possible_channels(length, known, coder.pixel_period)
    ]
    rows = _measured_rows(_drop_joined(_plausible(splits, coder), coder), periods, coder)
    return rows + [
        replace(row, mosaic=True, half=half)
        for row in rows
        if (half := _half_score(row, periods, known)) > 5
    ]


def _best_lengths(lengths: list[int], periods: Periods, coder: RowCoder) -> list[int]:
    """Return the best lengths by repeats, code length and usual sizes."""
    codes = np.array([coder.code(length, 1, FEW_SEGMENTS) for length in lengths])
    scores = np.array([periods.at(n) + periods.comb(n) for n in lengths])
    harmony = periods.harmony(lengths)
    usual = np.array([any(n in (p, 3 * p, 4 * p) for p in USUAL_SIDES) for n in lengths])
    order = np.argsort(
        -(np.log1p(np.maximum(scores, 0)) * 3 + 10 * harmony + usual)
        + 4 * (codes - codes.min()) / max(coder.alone - codes.min(), 0.1)
    )
    return [lengths[i] for i in order[:_MAX_LENGTHS]]


def _measured_rows(
    splits: list[tuple[int, int, float]], periods: Periods, coder: RowCoder
) -> list[Row]:
    """Return the rows of some lengths, channels and code lengths, with their evidence."""
    best = min(code for _, _, code in splits)
    room = max(coder.alone - best, 0.004)

    rows = []
    for length, channels, code in splits:
        others = (c for n, k, c in splits if n == length and k != channels)
        rows.append(
            Row(
                length=length,
                channels=channels,
                z=periods.at(length),
                comb=periods.comb(length),
                harmony=float(periods.harmony(length)[0]),
                code=code,
                lost=(code - best) / room,
                gain=coder.alone - code,
                split=min(others, default=code) - code,
                uneven=coder.uneven(length, channels),
                proof=coder.proofs.get(channels, 0.0),
            )
        )
    return rows


def _half_score(row: Row, periods: Periods, known: KnownFields) -> float:
    """Return the score of the repeat of half a row, if the row may be a mosaic; 0 otherwise."""
    half = row.length // 2
    may_be = (
        row.channels == 2
        and half >= 16
        and half % 2 == 0
        and row.proof > _LEAST_PROOF
        and known.channels in (None, 1)
        and known.x in (None, half)
        and not (known.y or 0) % 2
    )
    return max(periods.at(n) for n in (half - 1, half, half + 1)) if may_be else 0.0


def _possible_channels(length: int, known: KnownFields, period: int | None) -> list[int]:
    """Return the possible numbers of channels of a row length; `period` is a large one."""
    if known.x is not None:
        every = [length // known.x]
    else:
        counts = (1, 2, 3, 4) if period is None else (1, 2, 3, 4, period)
        every = [channels for channels in counts if length % channels == 0]
    allowed = (None, 1) if known.channels is None else (known.channels, 1)
    return [n for n in every if known.channels is None or n in allowed]


def _plausible(
    found: list[tuple[int, int, float]], coder: RowCoder
) -> list[tuple[int, int, float]]:
    """Drop channels of a clearly higher cost than others of the same row."""
    least: dict[int, float] = {}
    for length, _, code in found:
        least[length] = min(code, least.get(length, code))
    return [
        (length, channels, code)
        for length, channels, code in found
        if code <= least[length] + 0.05 * (1 + least[length]) or coder.uneven(length, 1) > 0.1
    ]


def _drop_joined(
    found: list[tuple[int, int, float]], coder: RowCoder
) -> list[tuple[int, int, float]]:
    """Drop rows joined from several shorter ones.

    The sample above is closer to a sample than the one two rows above, so its prediction costs
    clearly less if the shorter row is the right one, and more if it is a part of the right one.
    """
    clear = max(_JOINED_BITS, _JOINED_SHARE * (coder.alone - min(code for _, _, code in found)))
    parts = [(length, code) for length, _, code in found if length >= _LEAST_PART]
    return [
        (length, channels, code)
        for length, channels, code in found
        if not any(
            length > part and length % part == 0 and code > part_code + clear
            for part, part_code in parts
        )
    ]


def _possible_lengths(periods: Periods, size: int, itemsize: int, known: KnownFields) -> list[int]:
    """Return the row lengths to compare, in samples."""
    if known.x is not None:
        channels = (1, 2, 3, 4) if known.channels is None else (1, known.channels)
        return [known.x * n for n in dict.fromkeys(channels)]

    # Periods, their parts and their common divisors.
    lengths = list(periods.rows)
    for lag in sorted(periods.rows, key=lambda lag: -periods.rows[lag])[:12]:
        lengths += [lag // n for n in (2, 3, 4) if lag % n == 0 and periods.comb(lag // n) > 4]
    lengths += _harmonic_lengths(periods)
    for frame in periods.frames:
        lengths += [n for n in _divisors(frame) if 0.12 < n * n / frame < 8.5]

    # Usual sizes, more of them if no period is clear.
    best = max(periods.rows.values(), default=0.0)
    lengths += list(_dividing_sides(size, itemsize, 12 if best < 14 else 4))
    strongest = sorted(periods.rows, key=lambda lag: -periods.rows[lag])[:2]
    lengths += [p for lag in strongest for p in USUAL_SIDES if 0 < abs(p - lag) <= 10]
    return [n for n in dict.fromkeys(lengths) if 8 <= n <= MAX_ROW]


def _harmonic_lengths(periods: Periods) -> list[int]:
    """Return the lengths with multiples at most peaks."""
    parts = {lag // n for lag in periods.rows for n in (1, 2, 3, 4, 5, 6, 8, 10)}
    lengths = np.array(sorted({n for n in parts | set(USUAL_SIDES) if n >= 16}))
    scores = periods.harmony(lengths)
    order = np.argsort(-scores)[:7]
    return [int(lengths[i]) for i in order if scores[i] > 0.25]


def _dividing_sides(size: int, itemsize: int, count: int) -> list[int]:
    """Return the possible sides of square frames, by the size of the file."""
    counts: dict[int, int] = {}
    for header in USUAL_HEADERS[:8]:
        n = (size - header) // itemsize
        if n <= 0 or (size - header) % itemsize:
            continue

        sides = [p for p in USUAL_SIDES if n % (p * p) == 0]
        roots = [round((n / t) ** 0.5) for t in range(1, 201) if n % t == 0]
        sides += [r for r in roots if r >= 24 and n % (r * r) == 0]
        for side in sides:
            counts[side] = counts.get(side, 0) + 1
    return sorted(counts, key=lambda side: -counts[side])[:count]


def _divisors(n: int) -> list[int]:
    small = [i for i in range(1, int(n**0.5) + 1) if n % i == 0]
    return small + [n // i for i in small]
