"""Candidate layouts for the size of a file, with cheap evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from napari_ferry.codecs.binary.layout.layout import KnownFields, Layout
from napari_ferry.codecs.binary.layout.signals.evidence import Clues
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.sample_type import SampleType
from napari_ferry.codecs.binary.layout.usual_sizes import (
    MAX_OFFSET,
    USUAL_HEADERS,
    header_prior,
    shape_features,
)

MAX_SIDE = 30_000


@dataclass(kw_only=True)
class Candidate:
    """A layout with its row, its sample type, and the evidence for and against it.

    `trailing` counts the bytes after the last whole frame. `features` are the evidence by name, see
    `score`. `packing` is the format of packed samples of 12 bits, empty for others.
    """

    layout: Layout
    row: Row
    trailing: int
    sample_type: SampleType
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
        """Rows of a plane; rows of a mosaic count in pairs."""
        return self.layout.y // self.row.lines

    @property
    def planes(self) -> int:
        """Planes in the file."""
        layout = self.layout
        return layout.frames * (layout.channels if layout.interleaving == "plane" else 1)


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search for the layouts of a file of `size` bytes, with one sample type and row."""

    size: int
    sample_type: SampleType
    row: Row
    clues: Clues
    known: KnownFields

    @property
    def itemsize(self) -> int:
        """Bytes of a sample."""
        return self.sample_type.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.row.length * self.itemsize

    def make_layout(self, offset: int, nplanes: int, y: int) -> Layout:
        """Return a layout with planes of `y` rows as frames."""
        channels = 1 if self.row.mosaic else self.row.channels
        return Layout(
            dtype=self.sample_type.dtype,
            offset=offset,
            frames=nplanes,
            channels=channels,
            interleaving="pixel" if channels > 1 else "",
            y=y * self.row.lines,
            x=self.row.x,
        )

    def features(self, layout: Layout) -> dict[str, float]:
        """Return the cheap evidence of the shape, the header and the borders."""
        y = layout.y // self.row.lines
        pitch = y * self.row_bytes + layout.gap
        return {
            **shape_features(layout.y, self.row.x, layout.frames),
            **self.clues.edge_features(layout.offset, self.row_bytes, self.itemsize),
            **self.clues.border_features(layout.offset, pitch, layout.gap),
            "header": header_prior(layout.offset),
        }


def find_candidates(search: Search) -> Iterator[Candidate]:
    """Yield the layouts without gaps, layouts of whole frames first."""
    for offset in _full_offsets(search):
        for nplanes, y in _splits((search.size - offset) // search.row_bytes, search):
            yield from _candidates(search, offset, nplanes, y)

    for offset, y in dict.fromkeys(_truncated(search)):
        nplanes = (search.size - offset) // (y * search.row_bytes)
        if nplanes >= 1 and search.known.offset in (None, offset):
            yield from _candidates(search, offset, nplanes, y)


def _truncated(search: Search) -> Iterator[tuple[int, int]]:
    """Yield the offsets and heights of frames with a possibly truncated last one."""
    row, clues, known, row_bytes = search.row, search.clues, search.known, search.row_bytes
    offsets = _likely_offsets(search) if known.offset is None else [known.offset]
    if known.y:
        heights = [known.y // row.lines]
    elif known.frames:
        planes = known.frames * (known.channels or 1)
        heights = [(search.size - offset) // row_bytes // planes for offset in offsets]
    else:
        # The most prominent height may be that of two or three planes.
        strongest = clues.frames.strongest()
        planes_of = [y // n for y in strongest for n in (2, 3) if y % n == 0]
        heights = [*clues.heights, *strongest, *planes_of, row.x // row.lines]
        for offset in offsets:
            yield from ((offset, y) for y in clues.first_heights(offset, row_bytes))

    for border in clues.borders:
        if not border.gap and border.first < min(MAX_OFFSET, search.size):
            yield border.first, border.pitch // row_bytes
    yield from ((offset, y) for offset in offsets for y in heights if y > 0)


def _likely_offsets(search: Search) -> list[int]:
    """Return the lengths of usual headers and of headers at whose end the bytes change."""
    clues, most = search.clues, search.size // 2
    phase = search.sample_type.phase
    offsets = [offset for offset in USUAL_HEADERS[:8] if offset % search.itemsize == phase]
    offsets += clues.edges
    offsets += [
        offset for begin in clues.row_starts for offset in clues.near_edges(begin, search.row_bytes)
    ]
    return [offset for offset in dict.fromkeys(offsets) if offset < most]


def _candidates(search: Search, offset: int, nplanes: int, y: int) -> Iterator[Candidate]:
    """Yield the layout of some planes with its cheap evidence, if the known fields allow it."""
    layout = _plane_layout(search, offset, nplanes, y)
    if layout is None or not search.known.allows(layout):
        return
    trailing = search.size - offset - nplanes * y * search.row_bytes
    features = search.features(layout) | search.clues.frames.features(y, nplanes)
    features["trailer"] = float(trailing > 0)
    yield Candidate(
        layout=layout,
        row=search.row,
        trailing=trailing,
        sample_type=search.sample_type,
        features=features,
    )


def _plane_layout(search: Search, offset: int, nplanes: int, y: int) -> Layout | None:
    """Return the layout of some planes, as channels if several are known but not interleaved."""
    row, channels = search.row, search.known.channels
    if channels in (None, row.channels) or row.mosaic:
        return search.make_layout(offset, nplanes, y)
    if row.channels > 1 or nplanes % channels:
        return None
    return Layout(
        dtype=search.sample_type.dtype,
        offset=offset,
        frames=nplanes // channels,
        channels=channels,
        interleaving="plane",
        y=y,
        x=row.x,
    )


def _full_offsets(search: Search) -> list[int]:
    """Return the lengths of headers before whole rows to the end of the file."""
    size, known, row_bytes = search.size, search.known, search.row_bytes
    if known.offset is not None:
        rest = size - known.offset
        return [known.offset] if rest > 0 and rest % row_bytes == 0 else []

    offsets: list[int] = []
    if known.frames and known.y:
        nbytes = known.frames * known.y * row_bytes
        channels = known.channels or 1
        offsets += [size - n for n in {nbytes, nbytes * channels} if n <= size]
    if search.sample_type.phase == size % search.itemsize:
        offsets += _aligned_offsets(search)
    return list(dict.fromkeys(offsets))


def _aligned_offsets(search: Search) -> list[int]:
    """Return the likely lengths of headers, for samples aligned to the end of the file."""
    size, clues, itemsize, row_bytes = search.size, search.clues, search.itemsize, search.row_bytes
    near_start = range(size % row_bytes, min(MAX_OFFSET + row_bytes, size), row_bytes)
    offsets = sorted(near_start, key=header_prior, reverse=True)[:24]

    near = {offset + (size - offset) % row_bytes for offset in clues.changes}
    near.update(clues.near_edges(size % row_bytes, row_bytes))
    offsets += [offset for offset in near if offset < size and offset % itemsize == size % itemsize]

    for frame in clues.repeats[:3]:
        first = size % (frame * itemsize)
        lengths = range(first, min(2 * MAX_OFFSET, size), frame * itemsize)
        offsets += [length for length in lengths[:8] if (size - length) % row_bytes == 0]
    return offsets


def _splits(nrows: int, search: Search) -> list[tuple[int, int]]:
    """Return the divisions of some rows into planes: number of planes and rows of each."""
    known = search.known
    if nrows < 1:
        return []
    if known.y:
        y = known.y // search.row.lines
        return [(nrows // y, y)] if y and nrows % y == 0 else []

    small = np.arange(1, int(nrows**0.5) + 1)
    small = small[nrows % small == 0]
    least = 8 if known.frames is None and nrows >= 8 else 1
    divisors = sorted({int(d) for d in (*small, *(nrows // small))})
    return [(nrows // y, y) for y in divisors if least <= y <= MAX_SIDE]
