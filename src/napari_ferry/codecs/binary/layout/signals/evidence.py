"""What was seen that tells where rows of one length are frames, and where a header ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_ferry.codecs.binary.layout.signals.frame_border import Border
from napari_ferry.codecs.binary.layout.signals.frame_height import FrameEvidence


@dataclass(frozen=True)
class Clues:
    """What was seen of rows of one length.

    `frames` scores heights; `repeats` are distances in samples at which pixels repeat most, and
    `pitches` those that are no whole rows, with their scores; `far` are those of frames too large
    for the window, and `heights` their rows. `borders` are those of frames, in bytes, `begins`
    bytes at which a row may begin, and `breaks` those at which rows cease to go on. `changes` are
    offsets at which rows begin to be alike, and `edges` those at which samples or bytes change
    most, with their scores.
    """

    frames: FrameEvidence
    repeats: tuple[int, ...]
    pitches: dict[int, float]
    far: dict[int, float]
    heights: list[int]
    borders: list[Border]
    begins: list[int]
    breaks: list[int]
    changes: dict[int, float]
    edges: dict[int, float]

    def near_edges(self, begin: int, row_bytes: int) -> list[int]:
        """Return where a row begins next to each edge, if one begins at some byte."""
        near = [begin + round((edge - begin) / row_bytes) * row_bytes for edge in self.edges]
        return [offset for offset in near if offset > 0]

    def broken(self, offset: int, row_bytes: int) -> list[int]:
        """Return the rows of a first frame that ends where rows do not go on."""
        heights = [(at, round((at - offset) / row_bytes)) for at in self.breaks]
        return [
            y for at, y in heights if y >= 8 and abs(at - offset - y * row_bytes) < 0.15 * row_bytes
        ]

    def at_edge(self, offset: int, row_bytes: int, itemsize: int) -> dict[str, float]:
        """Return whether a header ends where bytes change most, or more than a row before that."""
        here = [score for edge, score in self.edges.items() if abs(edge - offset) <= 2 * itemsize]
        later = [score for edge, score in self.edges.items() if edge - offset > row_bytes]
        return {
            "edge": np.log1p(max(here, default=0.0)),
            "past_edge": np.log1p(max(later, default=0.0)),
        }

    def at_border(self, offset: int, pitch: int, gap: int) -> dict[str, float]:
        """Return how clear the border is that frames have."""
        place = pitch, offset % pitch, gap
        own = [one.score for one in self.borders if (one.pitch, one.first, one.gap) == place]
        return {"at_border": np.log1p(max(own, default=0.0))}
