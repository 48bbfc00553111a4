"""Clues to frames and headers, collected for rows of one length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_ferry.codecs.binary.layout.signals.frame_border import Border
from napari_ferry.codecs.binary.layout.signals.frame_height import FrameEvidence


@dataclass(frozen=True, kw_only=True)
class Clues:
    """Clues to frames and headers in rows of one length.

    Parameters
    ----------
    frames : FrameEvidence
        Evidence for each frame height.
    repeats : tuple of int
        Lags in samples at which pixels repeat most.
    pitches : dict
        Repeats that are not whole rows, with their scores.
    far : dict
        Repeats of frames that are too large for the window, with their scores.
    heights : list of int
        Rows of these large frames.
    borders : list of Border
        Borders of frames, in bytes.
    row_starts : list of int
        Bytes at which a row may begin.
    breaks : list of int
        Bytes at which rows are discontinuous.
    changes : dict
        Offsets from which rows are similar, with their scores.
    edges : dict
        Offsets at which samples or bytes change most, with their scores.
    """

    frames: FrameEvidence
    repeats: tuple[int, ...]
    pitches: dict[int, float]
    far: dict[int, float]
    heights: list[int]
    borders: list[Border]
    row_starts: list[int]
    breaks: list[int]
    changes: dict[int, float]
    edges: dict[int, float]

    def near_edges(self, row_start: int, row_bytes: int) -> list[int]:
        """Return the row starts closest to the edges, given one row start."""
        near = [
            row_start + round((edge - row_start) / row_bytes) * row_bytes for edge in self.edges
        ]
        return [offset for offset in near if offset > 0]

    def first_heights(self, offset: int, row_bytes: int) -> list[int]:
        """Return the possible heights of the first frame, from the breaks."""
        heights = [(at, round((at - offset) / row_bytes)) for at in self.breaks]
        return [
            y for at, y in heights if y >= 8 and abs(at - offset - y * row_bytes) < 0.15 * row_bytes
        ]

    def edge_features(self, offset: int, row_bytes: int, itemsize: int) -> dict[str, float]:
        """Return the evidence of an edge at the end of the header, or more than a row after it."""
        here = [score for edge, score in self.edges.items() if abs(edge - offset) <= 2 * itemsize]
        later = [score for edge, score in self.edges.items() if edge - offset > row_bytes]
        return {
            "edge": np.log1p(max(here, default=0.0)),
            "past_edge": np.log1p(max(later, default=0.0)),
        }

    def border_features(self, offset: int, pitch: int, gap: int) -> dict[str, float]:
        """Return the evidence of a border at the frames of a layout."""
        scores = [
            border.score
            for border in self.borders
            if (border.pitch, border.first, border.gap) == (pitch, offset % pitch, gap)
        ]
        return {"at_border": np.log1p(max(scores, default=0.0))}
