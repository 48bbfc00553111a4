"""Every layout that fits the size of a file and the rows found in it, with cheap evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from napari_ferry.codecs.binary.layout.layout import Interleaving, KnownFields, Layout
from napari_ferry.codecs.binary.layout.signals.evidence import Clues
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.sample_type import Coded
from napari_ferry.codecs.binary.layout.usual_sizes import (
    HEADERS,
    MAX_OFFSET,
    header_prior,
    shape_features,
)

MAX_SIDE = 30_000


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
    def pitch(self) -> int:
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
class Search:
    """Where layouts are looked for: a file of `size` bytes, read as one type and row length."""

    size: int
    coded: Coded
    row: Row
    clues: Clues
    known: KnownFields

    @property
    def itemsize(self) -> int:
        """Bytes of a sample."""
        return self.coded.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.row.length * self.itemsize

    def plain(self, offset: int, nplanes: int, y: int) -> Layout:
        """Return the layout of some planes of so many rows."""
        row, dtype = self.row, self.coded.dtype
        channels = 1 if row.mosaic else row.channels
        together: Interleaving = "pixel" if channels > 1 else ""
        return Layout(dtype, offset, nplanes, channels, together, y * row.lines, row.x)

    def evidence(self, layout: Layout) -> dict[str, float]:
        """Return the cheap evidence of shape, header and borders."""
        y = layout.y // self.row.lines
        pitch = y * self.row_bytes + layout.gap
        return {
            **shape_features(layout.y, self.row.x, layout.frames),
            **self.clues.at_edge(layout.offset, self.row_bytes, self.itemsize),
            **self.clues.at_border(layout.offset, pitch, layout.gap),
            "header": header_prior(layout.offset),
        }


def find_candidates(search: Search) -> Iterator[Candidate]:
    """Yield the layouts without gaps of one type and row that fit a file of so many bytes."""
    for offset in _offsets(search):
        for nplanes, y in _splits((search.size - offset) // search.row_bytes, search):
            yield from _made(search, offset, nplanes, y)
    for offset, y in dict.fromkeys(_cut_off(search)):
        nplanes = (search.size - offset) // (y * search.row_bytes)
        if nplanes >= 1 and search.known.offset in (None, offset):
            yield from _made(search, offset, nplanes, y)


def _cut_off(search: Search) -> Iterator[tuple[int, int]]:
    """Yield offsets and heights of frames the last of which may have been cut off."""
    row, clues, known, row_bytes = search.row, search.clues, search.known, search.row_bytes
    offsets = _heads(search) if known.offset is None else [known.offset]
    if known.y:
        heights = [known.y // row.lines]
    elif known.frames:
        planes = known.frames * (known.channels or 1)
        heights = [(search.size - offset) // row_bytes // planes for offset in offsets]
    else:
        seen = clues.frames.strongest()
        planes_of = [y // n for y in seen for n in (2, 3) if y % n == 0]
        heights = [*clues.heights, *seen, *planes_of, row.x // row.lines]
        for offset in offsets:
            yield from ((offset, y) for y in clues.broken(offset, row_bytes))
    for border in clues.borders:
        if not border.gap and border.first < min(MAX_OFFSET, search.size):
            yield border.first, border.pitch // row_bytes
    yield from ((offset, y) for offset in offsets for y in heights if y > 0)


def _heads(search: Search) -> list[int]:
    """Return usual headers, and those that end where bytes change, wherever the file ends."""
    clues, most = search.clues, search.size // 2
    found = [offset for offset in HEADERS[:8] if offset % search.itemsize == search.coded.phase]
    found += clues.edges
    found += [at for begin in clues.begins for at in clues.near_edges(begin, search.row_bytes)]
    return [offset for offset in dict.fromkeys(found) if offset < most]


def _made(search: Search, offset: int, nplanes: int, y: int) -> Iterator[Candidate]:
    """Yield the layout of some planes with its cheap evidence, unless what is known forbids it."""
    layout = _layout(search, offset, nplanes, y)
    if layout is None or not search.known.allows(layout):
        return
    trailing = search.size - offset - nplanes * y * search.row_bytes
    features = search.evidence(layout) | search.clues.frames.of(y, nplanes)
    features["trailer"] = float(trailing > 0)
    yield Candidate(layout, search.row, trailing, search.coded, features)


def _layout(search: Search, offset: int, nplanes: int, y: int) -> Layout | None:
    """Return the layout of some planes; several channels are planes where they are not in a row."""
    row, several = search.row, search.known.channels
    if several in (None, row.channels) or row.mosaic:
        return search.plain(offset, nplanes, y)
    if row.channels > 1 or nplanes % several:
        return None
    return Layout(search.coded.dtype, offset, nplanes // several, several, "plane", y, row.x)


def _offsets(search: Search) -> list[int]:
    """Return headers after which whole rows run to the end of the file."""
    size, known, row_bytes = search.size, search.known, search.row_bytes
    if known.offset is not None:
        rest = size - known.offset
        return [known.offset] if rest > 0 and rest % row_bytes == 0 else []
    found: list[int] = []
    if known.frames and known.y:
        nbytes = known.frames * known.y * row_bytes
        several = known.channels or 1
        found += [size - n for n in {nbytes, nbytes * several} if n <= size]
    if search.coded.phase == size % search.itemsize:
        found += _in_step(search)
    return list(dict.fromkeys(found))


def _in_step(search: Search) -> list[int]:
    """Return likely headers that leave whole rows, where samples are in step with the end."""
    size, clues, itemsize, row_bytes = search.size, search.clues, search.itemsize, search.row_bytes
    near_start = range(size % row_bytes, min(MAX_OFFSET + row_bytes, size), row_bytes)
    found = sorted(near_start, key=header_prior, reverse=True)[:24]
    near = {offset + (size - offset) % row_bytes for offset in clues.changes}
    near.update(clues.near_edges(size % row_bytes, row_bytes))
    found += [offset for offset in near if offset < size and offset % itemsize == size % itemsize]
    for frame in clues.repeats[:3]:
        first = size % (frame * itemsize)
        heads = range(first, min(2 * MAX_OFFSET, size), frame * itemsize)
        found += [head for head in heads[:8] if (size - head) % row_bytes == 0]
    return found


def _splits(nrows: int, search: Search) -> list[tuple[int, int]]:
    """Return how so many rows may be frames: planes and rows of each."""
    known = search.known
    if nrows < 1:
        return []
    if known.y:
        y = known.y // search.row.lines
        return [(nrows // y, y)] if y and nrows % y == 0 else []
    small = np.arange(1, int(nrows**0.5) + 1)
    small = small[nrows % small == 0]
    least = 8 if known.frames is None and nrows >= 8 else 1
    every = sorted({int(d) for d in (*small, *(nrows // small))})
    return [(nrows // y, y) for y in every if least <= y <= MAX_SIDE]
