"""Evaluation of the possible layouts of a file by all evidence."""

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
from napari_ferry.codecs.binary.layout.candidates.gaps import find_gapped_candidates
from napari_ferry.codecs.binary.layout.candidates.packed import UnpackedSource, find_packing
from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.score import CHEAP_WEIGHTS, row_features, shortlist, weigh
from napari_ferry.codecs.binary.layout.signals.autocorrelation import Periods, find_periods
from napari_ferry.codecs.binary.layout.signals.evidence import Clues
from napari_ferry.codecs.binary.layout.signals.frame_height import FrameEvidence
from napari_ferry.codecs.binary.layout.signals.rows import Row, find_rows
from napari_ferry.codecs.binary.layout.signals.sample_type import (
    SampleType,
    find_sample_types,
    possible_dtypes,
)
from napari_ferry.codecs.binary.layout.source import SampleSource, Source
from napari_ferry.codecs.binary.layout.usual_sizes import USUAL_HEADERS, USUAL_SIDES
from napari_ferry.codecs.binary.layout.verify.seams import Seams

WINDOW_SAMPLES = 1 << 21
WINDOW_BYTES = 6 << 20
_LEAST_WINDOW = 256
_SLACK_BYTES = 64
_MARGIN = 14.0
"""Score by which a row may be worse than the best one."""
_MAX_ROWS = 14
_MAX_BLIND_ROWS = 24
_MAX_LIKELY, _CLOSE = 3, 1.5
"""Number of row lengths to search for borders, and the difference of nearly equal scores."""
_FAR_LAG = 300_000
_FAR_SCORE = 12.0


def evaluate_layouts(source: Source, known: KnownFields) -> list[Candidate]:
    """Return the most likely candidates with all evidence for and against each."""
    types = find_sample_types(source, known)
    packing = find_packing(source, types[0] if types else None, known)
    if packing:
        # Two packed samples are a pixel of three bytes, so a row has twice the known pixels.
        unpacked = UnpackedSource(source, packing)
        samples = replace(known, dtype=np.dtype("u2"), byte_order="<", x=known.x and 2 * known.x)
        candidates = _evaluate(unpacked, find_sample_types(unpacked, samples), samples)
        packed = [one for each in candidates if (one := unpacked.pack_candidate(each)) is not None]
        if packed:
            return packed
    return _evaluate(source, types, known)


def _evaluate(source: SampleSource, types: list[SampleType], known: KnownFields) -> list[Candidate]:
    """Return the most likely candidates of some sample types."""
    views = _views(source, types, known) or _views_by_size(source, types, known)
    selected = shortlist(list(_candidates(source, views, known)))
    seams = {(view.sample_type.dtype.str, view.sample_type.phase): view.seams for view in views}
    for candidate in selected:
        key = (candidate.sample_type.dtype.str, candidate.sample_type.phase)
        candidate.features |= seams[key].features(candidate)
    return selected


@dataclass(frozen=True, kw_only=True)
class _View:
    """A file read as samples of one type."""

    sample_type: SampleType
    periods: Periods
    rows: list[tuple[Row, dict[str, float]]]
    seams: Seams


def _views(source: SampleSource, types: list[SampleType], known: KnownFields) -> list[_View]:
    """Return the views of a file as each of the likeliest types, if they show rows.

    Types of the same size share the periods, which take longest.
    """
    if types:
        _preload_window(source, types, known)
    periods: dict[tuple[int, int], Periods] = {}
    views = []
    for sample_type in types:
        # Less likely types get half the window.
        limit = WINDOW_SAMPLES if sample_type is types[0] else WINDOW_SAMPLES >> 1
        start, window = _window(source, sample_type, known, limit)
        if window.size < _LEAST_WINDOW:
            continue

        kind = (sample_type.dtype.itemsize, sample_type.phase)
        if kind not in periods:
            periods[kind] = find_periods(window)
        rows = [
            (row, row_features(row, sample_type, types[0]))
            for row in find_rows(window, periods[kind], source.size, known)
        ]
        if rows:
            seams = Seams(source, sample_type.dtype, start, window)
            views.append(
                _View(sample_type=sample_type, periods=periods[kind], rows=rows, seams=seams)
            )
    return views


def _views_by_size(
    source: SampleSource, types: list[SampleType], known: KnownFields
) -> list[_View]:
    """Return views of a file without structure, with rows from its size alone."""
    dtypes = [sample_type.dtype for sample_type in types] or possible_dtypes(known)
    nothing = Periods(scores=(np.zeros(1, np.float32),), rows={}, frames=(), peaks=np.empty((0, 3)))
    channels = known.channels or 1

    views = []
    for dtype in dtypes:
        sample_type = SampleType(
            dtype=dtype, phase=source.size % dtype.itemsize, cost=8.0, total=8.0
        )
        rows = [
            Row.without_evidence(side * channels, channels)
            for side in _widths_by_size(source.size, dtype.itemsize * channels, known)
        ]
        views.append(
            _View(
                sample_type=sample_type,
                periods=nothing,
                rows=[(row, row_features(row, sample_type, sample_type)) for row in rows],
                seams=Seams(source, dtype, source.size, np.zeros(0, dtype)),
            )
        )
    return views


def _widths_by_size(size: int, pixel_bytes: int, known: KnownFields) -> list[int]:
    """Return the possible widths of a file with a usual header, usual widths first."""
    if known.x is not None:
        return [known.x]
    headers = USUAL_HEADERS[:8] if known.offset is None else (known.offset,)
    room = [(size - header) // pixel_bytes for header in headers if header < size]
    sides = sorted(range(1, 1025), key=lambda side: (side not in USUAL_SIDES, side))
    return [side for side in sides if any(n >= side and n % side == 0 for n in room)][
        :_MAX_BLIND_ROWS
    ]


def _candidates(
    source: SampleSource, views: list[_View], known: KnownFields
) -> Iterator[Candidate]:
    """Yield the candidates of the best rows."""
    scores = sorted(weigh(features, CHEAP_WEIGHTS) for view in views for _, features in view.rows)
    least = max([scores[-1] - _MARGIN, *scores[-_MAX_ROWS:][:1]]) if scores else 0.0
    likely = _likely_rows(views)
    for view in views:
        frames: dict[int, FrameEvidence] = {}
        for row, features in view.rows:
            if weigh(features, CHEAP_WEIGHTS) < least:
                continue
            if row.length not in frames:
                in_window = view.seams.grid.rows(row.length, 0)
                frames[row.length] = FrameEvidence(view.periods, row.length, in_window)

            # Only the best row of a length is searched for borders, which takes long.
            best = likely.get((id(view), row.length))
            clues = _clues(view, row, best, frames[row.length], known, far=view is views[0])
            search = Search(
                size=source.size,
                sample_type=view.sample_type,
                row=row,
                clues=clues,
                known=known,
            )
            for candidate in (*find_candidates(search), *find_gapped_candidates(search)):
                candidate.features |= features
                if not candidate.layout.gap:  # with a gap, this would read the file
                    candidate.features |= view.seams.row_seam(candidate)
                yield candidate


def _likely_rows(views: list[_View]) -> dict[tuple[int, int], Row]:
    """Return the likeliest rows of a few lengths, by the `id` of the view and the length.

    Among rows of nearly the same score, the one with most channels is taken: borders of colors
    exist between whole pixels only.
    """
    rows = [
        (weigh(features, CHEAP_WEIGHTS), id(view), row)
        for view in views
        for row, features in view.rows
        if not row.mosaic
    ]

    likely: dict[tuple[int, int], Row] = {}
    for score, view_id, row in sorted(rows, key=lambda scored: -scored[0]):
        if len(likely) == _MAX_LIKELY:
            break
        rivals = [
            rival
            for rival_score, rival_view, rival in rows
            if (rival_view, rival.length) == (view_id, row.length) and rival_score > score - _CLOSE
        ]
        likely.setdefault((view_id, row.length), max(rivals, key=lambda rival: rival.channels))
    return likely


def _clues(
    view: _View, row: Row, best: Row | None, frames: FrameEvidence, known: KnownFields, *, far: bool
) -> Clues:
    """Return the clues to frames and headers; a known offset needs fewer.

    Borders are searched if there is a best row of the length, and repeats beyond the window if
    `far`.
    """
    is_open = known.offset is None
    pitches = view.periods.pitches(row.length)
    lags = _far_repeats(view, frames) if far else {}
    tried = (*pitches, *frames.distances(row.length))
    borders, breaks = view.seams.borders(best, tried) if best else ([], [])

    header_end = view.seams.header_end
    return Clues(
        frames=frames,
        repeats=(*lags, *view.periods.frames),
        pitches=pitches | {lag: z for lag, z in lags.items() if lag % row.length},
        far=lags,
        heights=[y for lag in lags for y in _heights_near(lag, row.length)],
        borders=borders,
        row_starts=view.seams.row_starts(best) if best and is_open else [],
        breaks=breaks if is_open else [],
        changes=header_end.changes(row.length) if is_open else {},
        edges=header_end.edges if is_open else {},
    )


def _far_repeats(view: _View, frames: FrameEvidence) -> dict[int, float]:
    """Return the repeat of frames larger than the window, with its score."""
    if frames.is_clear or view.periods.max_lag < _FAR_LAG:
        return {}
    lag, score = view.seams.repeat(view.periods.max_lag)
    return {lag: score} if score > _FAR_SCORE else {}


def _heights_near(lag: int, length: int) -> list[int]:
    """Return the height of frames from their repeat, and usual heights close to it."""
    y = round(lag / length)
    return [y, *(y + k for k in (1, -1, 2, -2, 3, -3) if y + k in USUAL_SIDES)]


def _window(
    source: SampleSource, sample_type: SampleType, known: KnownFields, limit: int
) -> tuple[int, npt.NDArray[Any]]:
    """Read consecutive samples from the middle of a file; return their first byte with them."""
    itemsize = sample_type.dtype.itemsize
    first = source.body_start if known.offset is None else known.offset
    count = min(limit, WINDOW_BYTES // itemsize, (source.size - first) // itemsize)
    start = first + (source.size - first - count * itemsize) // 2
    start += (sample_type.phase - start) % itemsize
    return start, source.read_samples(start, count, sample_type.dtype)


def _preload_window(source: SampleSource, types: list[SampleType], known: KnownFields) -> None:
    """Read the bytes of the windows of all types at once, as all are in the middle of the file."""
    first = source.body_start if known.offset is None else known.offset
    widest = max(sample_type.dtype.itemsize for sample_type in types)
    nbytes = min(WINDOW_SAMPLES * widest, WINDOW_BYTES, source.size - first)
    start = max(0, first + (source.size - first - nbytes) // 2 - _SLACK_BYTES)
    source.preload(start, nbytes + 2 * _SLACK_BYTES)
