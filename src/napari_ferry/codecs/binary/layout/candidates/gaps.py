"""Candidate layouts with a gap after each frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from napari_ferry.codecs.binary.layout.candidates.candidates import MAX_SIDE, Candidate, Search
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.usual_sizes import MAX_OFFSET, USUAL_HEADERS, USUAL_SIDES

_MAX_FAR = 4
"""Maximum number of pitches to try near a far repeat."""
_BORDER_SCORE = 8.0
"""Score of a pitch supported by borders alone."""


def possible_gaps(pitch: int, row: Row, itemsize: int) -> list[int]:
    """Return the possible gaps, in samples, of frames with a pitch in samples.

    A gap is short, has the length of a usual header, or leaves frames of a usual height. One of
    more than a third of the frame would rather be another frame, such as one of another channel.
    """
    most, gaps = pitch // row.length, []
    for y in range(min(most, MAX_SIDE), max(7, 4 * most // 5 - 1), -1):
        gap = pitch - y * row.length
        if gap * itemsize > MAX_OFFSET:
            break
        is_usual = gap * itemsize in USUAL_HEADERS or y in USUAL_SIDES
        if y > most - 3 or is_usual or y == row.x:
            gaps.append(gap)
    return gaps


def find_gapped_candidates(search: Search) -> Iterator[Candidate]:
    """Yield the layouts with a gap after each frame; the last frame may lack it."""
    if search.known.channels not in (None, search.row.channels) or search.row.mosaic:
        return
    for border in search.clues.borders:
        if border.gap:
            yield from _from_border(search, border.pitch, border.gap, border.first)
    for pitch, score in (search.clues.pitches | _far_pitches(search)).items():
        for gap in possible_gaps(pitch, search.row, search.itemsize):
            yield from _from_pitch(search, pitch * search.itemsize, gap * search.itemsize, score)


def _far_pitches(search: Search) -> dict[int, float]:
    """Return the pitches near a far repeat with a usual header, and their scores.

    If the camera moved, frames are most similar a few rows away from their pitch.
    """
    pitches: dict[int, float] = {}
    for lag, score in search.clues.far.items():
        fits = sorted(_fitting_pitches(lag, search), key=lambda near: abs(near - lag))
        if lag not in fits:
            pitches |= dict.fromkeys(fits[:_MAX_FAR], score)
    return pitches


def _fitting_pitches(lag: int, search: Search) -> Iterator[int]:
    """Yield the pitches near a lag with a usual header, with or without a last gap."""
    length, itemsize = search.row.length, search.itemsize
    for room in (search.size - header for header in USUAL_HEADERS[:8] if header < search.size):
        frames = round(room / (lag * itemsize))
        fits = [(room, frames)]
        for y in range(lag // length - 2, lag // length + 3):
            fits.append((room - y * length * itemsize, frames - 1))

        for rest, count in fits:
            if count > 0 and rest % (count * itemsize) == 0:
                near = rest // (count * itemsize)
                if near % length and abs(near - lag) <= 3 * length:
                    yield near


def _from_border(search: Search, pitch: int, gap: int, first: int) -> Iterator[Candidate]:
    """Yield the layouts of a border, if the file ends with a whole frame or a gap."""
    rest = (search.size - first) % pitch
    if rest in (0, pitch - gap):
        yield from _candidates(search, pitch, gap, first, _BORDER_SCORE)


def _from_pitch(search: Search, pitch: int, gap: int, score: float) -> Iterator[Candidate]:
    """Yield the layouts of a pitch in bytes, with and without a last gap."""
    for more in (0, gap):
        first = (search.size + more) % pitch
        if first % search.itemsize == search.sample_type.phase:
            yield from _candidates(search, pitch, gap, first, score)


def _candidates(
    search: Search, pitch: int, gap: int, first: int, score: float
) -> Iterator[Candidate]:
    """Yield the layouts of a pitch and a gap in bytes, with their cheap evidence."""
    for offset in range(first, min(MAX_OFFSET, search.size), pitch):
        nplanes = (search.size + gap - offset) // pitch
        layout = search.make_layout(offset, nplanes, (pitch - gap) // search.row_bytes)
        layout = replace(layout, gap=gap)

        if nplanes > 1 and search.known.allows(layout):
            features = search.features(layout) | search.clues.frames.pitch_features(score)
            features["gapped"] = 1.0
            features["odd_gap"] = float(gap % 4 > 0) + float(gap not in USUAL_HEADERS)
            yield Candidate(
                layout=layout,
                row=search.row,
                trailing=0,
                sample_type=search.sample_type,
                features=features,
            )
