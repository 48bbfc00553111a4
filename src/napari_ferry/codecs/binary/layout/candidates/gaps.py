"""Layouts of frames with some bytes after each that are of none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from napari_ferry.codecs.binary.layout.candidates.candidates import MAX_SIDE, Candidate, Search
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.usual_sizes import HEADERS, MAX_OFFSET, POPULAR

_NEAR = 4
_CLEAR = 8.0
"""Score of a distance of frames that was seen as borders alone."""


def gaps_of(pitch: int, row: Row, itemsize: int) -> list[int]:
    """Return what gaps, in samples, frames some samples apart may have after them.

    They are short, of a usual length, or leave frames of a usual height.
    """
    most, found = pitch // row.length, []
    for y in range(min(most, MAX_SIDE), max(7, most // 2), -1):
        gap = pitch - y * row.length
        if gap * itemsize > MAX_OFFSET:
            break
        if y > most - 3 or gap * itemsize in HEADERS or y in POPULAR or y == row.x:
            found.append(gap)
    return found


def find_gapped(search: Search) -> Iterator[Candidate]:
    """Yield layouts of frames with a gap after each; that after the last one may be absent."""
    if search.known.channels not in (None, search.row.channels) or search.row.mosaic:
        return
    for border in search.clues.borders:
        if border.gap:
            yield from _of_border(search, border.pitch, border.gap, border.first)
    for pitch, score in (search.clues.pitches | _far(search)).items():
        for gap in gaps_of(pitch, search.row, search.itemsize):
            yield from _of_pitch(search, pitch * search.itemsize, gap * search.itemsize, score)


def _far(search: Search) -> dict[int, float]:
    """Return distances with which frames too large for the window leave a usual header.

    Where a camera moves, frames are most alike a few rows beside their distance.
    """
    found: dict[int, float] = {}
    for lag, score in search.clues.far.items():
        fits = sorted(_fitting(lag, search), key=lambda near: abs(near - lag))
        if lag not in fits:
            found |= dict.fromkeys(fits[:_NEAR], score)
    return found


def _fitting(lag: int, search: Search) -> Iterator[int]:
    """Yield distances about one that leave a usual header, with or without a gap at the end."""
    length, itemsize = search.row.length, search.itemsize
    for room in (search.size - header for header in HEADERS[:8] if header < search.size):
        frames = round(room / (lag * itemsize))
        fits = [(room, frames)]
        for y in range(lag // length - 2, lag // length + 3):
            fits.append((room - y * length * itemsize, frames - 1))
        for rest, count in fits:
            if count > 0 and rest % (count * itemsize) == 0:
                near = rest // (count * itemsize)
                if near % length and abs(near - lag) <= 3 * length:
                    yield near


def _of_border(search: Search, pitch: int, gap: int, first: int) -> Iterator[Candidate]:
    """Yield layouts whose frames begin where borders were seen, if the file ends with either."""
    rest = (search.size - first) % pitch
    if rest in (0, pitch - gap):
        yield from _made(search, pitch, gap, first, _CLEAR)


def _of_pitch(search: Search, pitch: int, gap: int, score: float) -> Iterator[Candidate]:
    """Yield layouts of frames some bytes apart, the last of which may have no gap."""
    for more in (0, gap):
        first = (search.size + more) % pitch
        if first % search.itemsize == search.coded.phase:
            yield from _made(search, pitch, gap, first, score)


def _made(search: Search, pitch: int, gap: int, first: int, score: float) -> Iterator[Candidate]:
    """Yield layouts whose frames begin some bytes apart, with their cheap evidence."""
    for offset in range(first, min(MAX_OFFSET, search.size), pitch):
        nplanes = (search.size + gap - offset) // pitch
        layout = search.plain(offset, nplanes, (pitch - gap) // search.row_bytes)
        layout = replace(layout, gap=gap)
        if nplanes > 1 and search.known.allows(layout):
            features = search.evidence(layout) | search.clues.frames.of_pitch(score)
            features["gapped"] = 1.0
            features["odd_gap"] = float(gap % 4 > 0) + float(gap not in HEADERS)
            yield Candidate(layout, search.row, 0, search.coded, features)
