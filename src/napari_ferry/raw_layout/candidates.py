"""Every layout that fits the size of a file and the rows found in it, with cheap evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_ferry.raw_layout.codes import Coded
from napari_ferry.raw_layout.frames import FrameEvidence
from napari_ferry.raw_layout.layout import Interleaving, Known, Layout
from napari_ferry.raw_layout.rows import Row
from napari_ferry.raw_layout.sizes import HEADERS, POPULAR, header_prior, shape_features

_MAX_OFFSET = 8192
_MAX_SIDE = 30_000
_NEAR = 4


@dataclass
class Candidate:
    """A layout, the row it is made of, and what is known for and against it, by name.

    `packing` names how samples of 12 bits lie in the bytes, where they do.
    """

    layout: Layout
    row: Row
    trailing: int
    coded: Coded
    features: dict[str, float] = field(default_factory=dict)
    packing: str = ""

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.row.length * self.layout.dtype.itemsize

    @property
    def frame_bytes(self) -> int:
        """Bytes from one plane to the next."""
        return self.row_bytes * self.rows + self.layout.gap

    @property
    def rows(self) -> int:
        """Rows of a plane; those of a mosaic count in pairs."""
        return self.layout.y // self.row.lines

    @property
    def planes(self) -> int:
        """Planes in the file."""
        layout = self.layout
        return layout.frames * (layout.channels if layout.interleaving == "plane" else 1)


@dataclass(frozen=True)
class Clues:
    """What was seen that tells where rows of one length are frames.

    `frames` scores heights; `repeats` are distances in samples at which pixels repeat most, and
    `pitches` those that are no whole rows, with their scores; `heights` rows of frames too large
    for the window; `changes` are offsets at which something seems to change, with their scores, and
    `edge` the one where bytes do most; `starts` are offsets and heights of frames whose seams show.
    `ends` tells for bytes of a row, bytes from one frame to the next, and where one begins or, if
    the last is true, ends, how many of its rows go on smoothly, and how sure that is.
    """

    frames: FrameEvidence
    repeats: tuple[int, ...]
    pitches: dict[int, float]
    heights: list[int]
    changes: dict[int, float]
    starts: list[tuple[int, int]]
    edge: tuple[int, float]
    ends: Callable[[int, int, int, bool], tuple[int, float]]


def find_candidates(
    size: int, coded: Coded, row: Row, clues: Clues, known: Known
) -> Iterator[Candidate]:
    """Yield the layouts of one type and row that fit a file of so many bytes."""
    yield from _whole(size, coded, row, clues, known)
    yield from _cut_off(size, coded, row, clues, known)
    if known.channels in (None, row.channels) and not row.mosaic:
        yield from _gapped(size, coded, row, clues, known)


def _whole(size: int, coded: Coded, row: Row, clues: Clues, known: Known) -> Iterator[Candidate]:
    """Yield layouts that run to the end of the file."""
    row_bytes = row.length * coded.dtype.itemsize
    for offset in _offsets(size, coded, row_bytes, clues, known):
        for nplanes, y in _splits((size - offset) // row_bytes, known, row.lines):
            yield from _made(size, coded, row, clues, known, offset, nplanes, y)


def _cut_off(size: int, coded: Coded, row: Row, clues: Clues, known: Known) -> Iterator[Candidate]:
    """Yield layouts after which some bytes remain, of a frame that was cut off."""
    row_bytes = row.length * coded.dtype.itemsize
    usual = [h for h in HEADERS[:8] if h < size // 2 and h % coded.dtype.itemsize == 0]
    usual += [clues.edge[0]] * (0 < clues.edge[0] < size // 2)
    offsets = usual if known.offset is None else [known.offset]
    heights = clues.heights + clues.frames.strongest()
    if known.frames:
        planes = known.frames * (known.channels or 1)
        heights = [(size - offset) // row_bytes // planes for offset in offsets]
    heights = [known.y // row.lines] if known.y else [y for y in dict.fromkeys(heights) if y > 0]
    every = [(offset, y) for offset in offsets for y in heights] + clues.starts
    for offset, y in dict.fromkeys(every):
        nplanes = (size - offset) // (y * row_bytes)
        if nplanes >= 1 and (known.offset in (None, offset)):
            yield from _made(size, coded, row, clues, known, offset, nplanes, y)


def _made(
    size: int,
    coded: Coded,
    row: Row,
    clues: Clues,
    known: Known,
    offset: int,
    nplanes: int,
    y: int,
) -> Iterator[Candidate]:
    """Yield the layout of some planes with its cheap evidence, unless what is known forbids it."""
    trailing = size - offset - nplanes * y * row.length * coded.dtype.itemsize
    layout = _layout(coded.dtype, offset, nplanes, row, y, known)
    if layout is None or not known.allows(layout):
        return
    features = shape_features(layout.y, row.x, layout.frames) | clues.frames.of(y, nplanes)
    features["header"] = header_prior(offset)
    features["trailer"] = float(trailing > 0)
    features["offgrid"] = _off_grid(clues, y * row.length)
    features["at_seam"] = float(trailing > 0 and (offset, y) in clues.starts)
    features |= _at_edge(clues, offset, row.length * coded.dtype.itemsize, coded.dtype.itemsize)
    yield Candidate(layout, row, trailing, coded, features)


def _at_edge(clues: Clues, offset: int, row_bytes: int, itemsize: int) -> dict[str, float]:
    """Return whether a header ends where bytes change most, or more than a row before that."""
    edge, score = clues.edge
    return {
        "edge": np.log1p(score) * (abs(edge - offset) <= 2 * itemsize),
        "past_edge": np.log1p(score) * (edge - offset > row_bytes),
    }


def _off_grid(clues: Clues, pitch: int) -> float:
    """Return how far the strongest repeat stands out that is not at whole frames."""
    scores = [score for at, score in clues.pitches.items() if at % pitch]
    return float(np.log1p(max(scores, default=0.0)))


def _gapped(size: int, coded: Coded, row: Row, clues: Clues, known: Known) -> Iterator[Candidate]:
    """Yield layouts of frames with some bytes after each; those after the last may be absent."""
    itemsize = coded.dtype.itemsize
    for pitch, score, sides in _near(clues.pitches, clues.heights, size, row, itemsize):
        pitch_bytes, row_bytes = pitch * itemsize, row.length * itemsize
        for at_end in sides:
            seam = clues.ends(row_bytes, pitch_bytes, size % pitch_bytes, at_end)
            for y in _heights_before_gap(pitch, row, itemsize, seam[0]):
                gap = pitch_bytes - y * row_bytes
                more = gap if at_end else 0
                first = (size + more) % pitch_bytes
                for offset in range(first, min(_MAX_OFFSET, size), pitch_bytes):
                    frames = (size + more - offset) // pitch_bytes
                    layout = replace(_plain(coded.dtype, offset, frames, row, y), gap=gap)
                    if frames > 1 and known.allows(layout):
                        features = shape_features(y, row.x, frames) | clues.frames.of_pitch(score)
                        features["header"] = header_prior(offset)
                        features |= _at_edge(clues, offset, row_bytes, itemsize)
                        features |= _of_gap(y, gap, seam)
                        yield Candidate(layout, row, 0, coded, features)


def _of_gap(y: int, gap: int, seam: tuple[int, float]) -> dict[str, float]:
    """Return what speaks for a gap, and whether it begins where rows cease to go on smoothly."""
    height, score = seam
    return {
        "gapped": 1.0,
        "odd_gap": float(gap % 4 > 0) + float(gap not in HEADERS),
        "gap_edge": np.log1p(score) * (y == height),
        "past_gap": np.log1p(score) * (y > height),
    }


def _near(
    pitches: dict[int, float], heights: list[int], size: int, row: Row, itemsize: int
) -> Iterator[tuple[int, float, tuple[bool, ...]]]:
    """Yield distances of frames with scores, and whether a file may end with a gap or a frame.

    Where a camera moves, frames are most alike some pixels beside their distance, or rows away: a
    few distances nearby are tried that leave a usual header, if none itself does.
    """
    for pitch, score in pitches.items():
        yield pitch, score, (False, True)
    repeats = pitches | {y * row.length: 8.0 for y in heights}
    found = {repeat: _fitting(repeat, size, row, itemsize) for repeat in repeats}
    if any(repeat in fits for repeat, fits in found.items()):
        return
    for repeat, score in repeats.items():
        usual = sorted(found[repeat].items(), key=lambda one: abs(one[0] - repeat))
        for near, at_end in usual[:_NEAR]:
            if near not in pitches:
                yield near, score, (at_end,)


def _fitting(repeat: int, size: int, row: Row, itemsize: int) -> dict[int, bool]:
    """Return distances about one that leave a usual header, and whether the last gap is absent."""
    found: dict[int, bool] = {}
    for room in (size - header for header in HEADERS[:8] if header < size):
        frames = round(room / (repeat * itemsize))
        fits = [(room, frames, False)]
        for y in range(repeat // row.length - 2, repeat // row.length + 3):
            fits.append((room - y * row.length * itemsize, frames - 1, True))
        for rest, count, at_end in fits:
            if count < 1 or rest % (count * itemsize):
                continue
            near = rest // (count * itemsize)
            if near % row.length and abs(near - repeat) <= 3 * row.length:
                found.setdefault(near, at_end)
    return found


def _heights_before_gap(pitch: int, row: Row, itemsize: int, seen: int) -> list[int]:
    """Return heights of frames after which a gap is short, of a usual length, or seen."""
    most = pitch // row.length
    found = []
    for y in range(min(most, _MAX_SIDE), max(7, most // 2), -1):
        gap = (pitch - y * row.length) * itemsize
        if gap > _MAX_OFFSET:
            break
        if y > most - 3 or gap in HEADERS or y in POPULAR or y in (row.x, seen):
            found.append(y)
    return found


def _plain(dtype: np.dtype[Any], offset: int, nplanes: int, row: Row, y: int) -> Layout:
    channels = 1 if row.mosaic else row.channels
    together: Interleaving = "pixel" if channels > 1 else ""
    return Layout(dtype, offset, nplanes, channels, together, y * row.lines, row.x)


def _layout(
    dtype: np.dtype[Any], offset: int, nplanes: int, row: Row, y: int, known: Known
) -> Layout | None:
    """Return the layout of some planes; several channels are planes where they are not in a row."""
    if known.channels in (None, row.channels) or row.mosaic:
        return _plain(dtype, offset, nplanes, row, y)
    if row.channels > 1 or nplanes % known.channels:
        return None
    return Layout(dtype, offset, nplanes // known.channels, known.channels, "plane", y, row.x)


def _offsets(size: int, coded: Coded, row_bytes: int, clues: Clues, known: Known) -> list[int]:
    """Return headers after which whole rows run to the end of the file."""
    itemsize = coded.dtype.itemsize
    if known.offset is not None:
        rest = size - known.offset
        return [known.offset] if rest > 0 and rest % row_bytes == 0 else []
    found: list[int] = []
    if known.frames and known.y:
        nbytes = known.frames * known.y * row_bytes
        several = known.channels or 1
        found += [size - n for n in {nbytes, nbytes * several} if n <= size]
    if coded.end:
        near_start = range(size % row_bytes, min(_MAX_OFFSET + row_bytes, size), row_bytes)
        found += sorted(near_start, key=header_prior, reverse=True)[:24]
        near = {offset + (size - offset) % row_bytes for offset in clues.changes}
        found += [
            offset for offset in near if offset < size and offset % itemsize == size % itemsize
        ]
        for frame in clues.repeats[:3]:
            first = size % (frame * itemsize)
            heads = range(first, min(2 * _MAX_OFFSET, size), frame * itemsize)
            found += [head for head in heads[:8] if (size - head) % row_bytes == 0]
    return list(dict.fromkeys(found))


def _splits(nrows: int, known: Known, lines: int) -> list[tuple[int, int]]:
    """Return how so many rows may be frames: planes and rows of each."""
    if nrows < 1:
        return []
    if known.y:
        y = known.y // lines
        return [(nrows // y, y)] if y and nrows % y == 0 else []
    small = np.arange(1, int(nrows**0.5) + 1)
    small = small[nrows % small == 0]
    least = 8 if known.frames is None and nrows >= 8 else 1
    every = sorted({int(d) for d in (*small, *(nrows // small))})
    return [(nrows // y, y) for y in every if least <= y <= _MAX_SIDE]
