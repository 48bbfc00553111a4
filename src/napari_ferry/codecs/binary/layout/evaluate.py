"""All evidence for and against the layouts that a file may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import (
    Candidate,
    Search,
    find_candidates,
)
from napari_ferry.codecs.binary.layout.candidates.gaps import find_gapped
from napari_ferry.codecs.binary.layout.candidates.packed import Unpacked, find_packing
from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.score import base_features, shortlist, weigh
from napari_ferry.codecs.binary.layout.signals.autocorrelation import Periods, find_periods
from napari_ferry.codecs.binary.layout.signals.evidence import Clues
from napari_ferry.codecs.binary.layout.signals.frame_height import FrameEvidence
from napari_ferry.codecs.binary.layout.signals.rows import Row, find_rows
from napari_ferry.codecs.binary.layout.signals.sample_type import Coded, find_dtypes, types_of
from napari_ferry.codecs.binary.layout.source import Samples, Source
from napari_ferry.codecs.binary.layout.usual_sizes import HEADERS, POPULAR
from napari_ferry.codecs.binary.layout.verify.seams import Seams
from napari_ferry.codecs.binary.layout.weights import CHEAP

WINDOW_SAMPLES = 1 << 21
WINDOW_BYTES = 6 << 20
_SLACK = 64
_MARGIN = 14.0
_MOST_ROWS = 14
_BLIND_ROWS = 24
_LIKELY, _CLOSE = 3, 1.5
_FAR_LAG = 300_000
_FAR_SCORE = 12.0


def judge(source: Source, known: KnownFields) -> list[Candidate]:
    """Return the layouts that a file may have, with all evidence for and against each."""
    types = find_dtypes(source, known)
    packing = find_packing(source, types[0] if types else None, known)
    if packing:
        unpacked = Unpacked(source, packing)
        samples = replace(known, dtype=np.dtype("u2"), byte_order="<", x=known.x and 2 * known.x)
        found = _judge(unpacked, find_dtypes(unpacked, samples), samples)
        packed = [one for each in found if (one := unpacked.as_packed(each)) is not None]
        if packed:
            return packed
    return _judge(source, types, known)


def _judge(source: Samples, types: list[Coded], known: KnownFields) -> list[Candidate]:
    """Return the layouts of some types."""
    looks = _looks(source, types, known) or _blind(source, types, known)
    every = list(_candidates(source, looks, known))
    kept = shortlist(every)
    seams = {(look.coded.dtype.str, look.coded.phase): look.seams for look in looks}
    for one in kept:
        one.features |= seams[one.coded.dtype.str, one.coded.phase].features(one)
    return kept


@dataclass(frozen=True)
class _Look:
    """A file's samples seen as one type."""

    coded: Coded
    periods: Periods
    rows: list[tuple[Row, dict[str, float]]]
    seams: Seams


def _looks(source: Samples, types: list[Coded], known: KnownFields) -> list[_Look]:
    """Return how the file looks as each of the likeliest types.

    Types of one size share the periods, which take longest.
    """
    if types:
        _hold_window(source, types, known)
    periods: dict[tuple[int, int], Periods] = {}
    found = []
    for coded in types:
        is_main = coded is types[0]
        start, window = _window(source, coded, known, WINDOW_SAMPLES >> (not is_main))
        if window.size < 256:
            continue
        kind = (coded.dtype.itemsize, coded.phase)
        if kind not in periods:
            periods[kind] = find_periods(window)
        rows = [
            (row, base_features(row, coded, types[0]))
            for row in find_rows(window, periods[kind], source.size, known)
        ]
        if rows:
            found.append(
                _Look(coded, periods[kind], rows, Seams(source, coded.dtype, start, window))
            )
    return found


def _blind(source: Samples, coded_types: list[Coded], known: KnownFields) -> list[_Look]:
    """Return how a file looks in which nothing is to be seen: its size must do."""
    types = [coded.dtype for coded in coded_types] or types_of(known)
    nothing = Periods((np.zeros(1, np.float32),), {}, (), np.empty((0, 3)))
    found = []
    for dtype in types:
        coded = Coded(dtype, source.size % dtype.itemsize, 8.0, 8.0)
        channels = known.channels or 1
        rows = [
            Row(side * channels, channels, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0)
            for side in _blind_sides(source.size, dtype.itemsize * channels, known)
        ]
        look = [(row, base_features(row, coded, coded)) for row in rows]
        seams = Seams(source, dtype, source.size, np.zeros(0, dtype))
        found.append(_Look(coded, nothing, look, seams))
    return found


def _blind_sides(size: int, pixel_bytes: int, known: KnownFields) -> list[int]:
    """Return the pixels of a row that usual headers leave room for, usual ones first."""
    if known.x is not None:
        return [known.x]
    headers = HEADERS[:8] if known.offset is None else (known.offset,)
    room = [(size - header) // pixel_bytes for header in headers if header < size]
    sides = sorted(range(1, 1025), key=lambda side: (side not in POPULAR, side))
    return [side for side in sides if any(n >= side and n % side == 0 for n in room)][:_BLIND_ROWS]


def _candidates(source: Samples, looks: list[_Look], known: KnownFields) -> Iterator[Candidate]:
    """Yield what fits the file, for rows that are not far behind the best one."""
    scores = sorted(weigh(features, CHEAP) for look in looks for _, features in look.rows)
    least = max([scores[-1] - _MARGIN, *scores[-_MOST_ROWS:][:1]]) if scores else 0.0
    likely = _likely(looks)
    for look in looks:
        frames: dict[int, FrameEvidence] = {}
        for row, features in look.rows:
            if weigh(features, CHEAP) < least:
                continue
            if row.length not in frames:
                some = look.seams.grid.rows(row.length, 0)
                frames[row.length] = FrameEvidence(look.periods, row.length, some)
            best = likely.get((id(look), row.length))
            is_main = look is looks[0]
            clues = _clues(look, row, best, frames[row.length], known, far=is_main)
            search = Search(source.size, look.coded, row, clues, known)
            for one in (*find_candidates(search), *find_gapped(search)):
                one.features |= features
                if not one.layout.gap:  # which takes a look at the file
                    one.features |= look.seams.column(one)
                yield one


def _likely(looks: list[_Look]) -> dict[tuple[int, int], Row]:
    """Return the likeliest rows of a few lengths, by what they were seen as and their length.

    Of those as likely, that of most channels: borders of colors show in whole pixels alone.
    """
    rows = [
        (weigh(features, CHEAP), id(look), row)
        for look in looks
        for row, features in look.rows
        if not row.mosaic
    ]
    found: dict[tuple[int, int], Row] = {}
    for score, seen_as, row in sorted(rows, key=lambda one: -one[0]):
        if len(found) == _LIKELY:
            break
        others = [
            other
            for rival, other_as, other in rows
            if (other_as, other.length) == (seen_as, row.length) and rival > score - _CLOSE
        ]
        found.setdefault((seen_as, row.length), max(others, key=lambda other: other.channels))
    return found


def _clues(
    look: _Look, row: Row, best: Row | None, frames: FrameEvidence, known: KnownFields, *, far: bool
) -> Clues:
    """Return what tells where rows are frames; a known offset needs less.

    Their borders are looked for if there is a best row of the length, those beyond the window if
    `far`.
    """
    is_open = known.offset is None
    pitches = look.periods.pitches(row.length)
    lags = _far(look, frames) if far else {}
    looked = (*pitches, *frames.distances(row.length))
    borders, breaks = look.seams.borders(best, looked) if best else ([], [])
    return Clues(
        frames,
        (*lags, *look.periods.frames),
        pitches | {lag: z for lag, z in lags.items() if lag % row.length},
        lags,
        [y for lag in lags for y in _near_rows(lag, row.length)],
        borders,
        look.seams.begins(best) if best and is_open else [],
        breaks if is_open else [],
        look.seams.heads.changes(row.length) if is_open else {},
        look.seams.heads.edges if is_open else {},
    )


def _far(look: _Look, frames: FrameEvidence) -> dict[int, float]:
    """Return the lag of frames larger than the window with its score, where none are seen in it."""
    if frames.is_clear or look.periods.max_lag < _FAR_LAG:
        return {}
    lag, score = look.seams.repeat(look.periods.max_lag)
    return {lag: score} if score > _FAR_SCORE else {}


def _near_rows(lag: int, length: int) -> list[int]:
    """Return the heights of frames that a lag tells, and usual ones if they moved."""
    y = round(lag / length)
    return [y, *(y + k for k in (1, -1, 2, -2, 3, -3) if y + k in POPULAR)]


def _window(
    source: Samples, coded: Coded, known: KnownFields, most: int
) -> tuple[int, npt.NDArray[Any]]:
    """Return at most so many consecutive samples about the middle, and where they begin."""
    itemsize = coded.dtype.itemsize
    first = source.body if known.offset is None else known.offset
    count = min(most, WINDOW_BYTES // itemsize, (source.size - first) // itemsize)
    start = first + (source.size - first - count * itemsize) // 2
    start += (coded.phase - start) % itemsize
    return start, source.values(start, count, coded.dtype)


def _hold_window(source: Samples, types: list[Coded], known: KnownFields) -> None:
    """Read once what the windows of some types need, each of which lies about the middle."""
    first = source.body if known.offset is None else known.offset
    widest = max(coded.dtype.itemsize for coded in types)
    nbytes = min(WINDOW_SAMPLES * widest, WINDOW_BYTES, source.size - first)
    start = max(0, first + (source.size - first - nbytes) // 2 - _SLACK)
    source.hold(start, nbytes + 2 * _SLACK)
