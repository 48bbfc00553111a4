"""Confidences of layouts: a conditional logit over all candidates.

The weights were fitted to files with known layouts by `benchmarks/raw_fit.py`, which writes them
into this module. A piece of evidence has a short name:

- type: ``cost`` and ``crel`` compare the code length of the sample type with the best one;
  ``bigend``.
- row: ``z``, ``comb`` and ``harm`` are its repeat, that of its multiples, and the share of all
  peaks that it explains; ``lost``, ``gain`` and ``split`` compare its code length with the best
  row, with no row and with other channels; ``wide``.
- channels: ``c2``, ``c3``, ``c4``, ``mosaic``, ``halves``; ``uneven``, ``proof`` and ``unproved``
  compare interleaved samples.
- shape: ``square``, ``pow2``, ``pop_x``, ``pop_y``, ``pop_both``, ``m8x``, ``m8y``, ``asp``,
  ``asp2``, ``tiny``, ``t1``, ``log_t``.
- header: ``header`` is the prior; ``edge``, ``past_edge``, ``hcp``, ``hfirst`` and ``hprev``
  measure the change of the bytes at its end.
- frames: ``prom``, ``unexpl`` and ``subprom`` are the prominences of the height, of heights that it
  does not explain, and of its divisors, ``prel``, ``unrel`` and ``subrel`` relative to the row;
  ``em``, ``nofr``, ``outside``.
- borders: ``at_border``, ``gapped``, ``odd_gap``, ``trailer``; ``seam``, ``seampos``, ``seamavg``,
  ``inner``, ``stacked`` and ``out_seam`` of frames, ``colllr`` and ``intz`` of rows; ``alike`` and
  ``unalike``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.layout import Layout
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.sample_type import SampleType
from napari_ferry.codecs.binary.layout.statistics import signed_log

WEIGHTS = {
    "harm": 12.378, "c2": -9.727, "crel": -9.140, "cost": -9.093, "trailer": -7.992,
    "c4": -7.515, "mosaic": -5.437, "unproved": -4.402, "tiny": -4.390, "stacked": -4.000,
    "odd_gap": -3.847,
    "gain": 2.984, "uneven": -2.587, "square": 2.520, "comb": 2.407, "lost": -2.182,
    "split": 2.035, "c3": -2.005, "prel": 1.964, "pop_both": 1.786, "asp": -1.759,
    "unrel": -1.724, "nofr": -1.646, "header": 1.547, "outside": -1.405, "pow2": 1.243,
    "edge": 1.197, "hprev": 1.157, "z": 1.112, "hfirst": -0.962, "out_seam": 0.892,
    "seampos": 0.823, "hcp": 0.784, "seamavg": 0.784, "m8y": 0.775, "proof": 0.736,
    "alike": 0.626, "log_t": -0.585, "halves": 0.579, "m8x": -0.571, "subprom": -0.551,
    "intz": -0.481, "subrel": -0.451, "unalike": -0.439, "asp2": -0.392, "unexpl": -0.323,
    "pop_y": 0.309, "at_border": 0.301, "inner": -0.285, "t1": 0.259, "colllr": 0.255,
    "pop_x": 0.214, "bigend": -0.164, "prom": 0.114, "wide": -0.077, "em": 0.061, "seam": 0.032,
}  # fmt: skip
"""Weight of each piece of evidence."""

CHEAP_WEIGHTS = {
    "harm": 12.605, "c2": -10.073, "crel": -9.009, "trailer": -8.185, "cost": -8.092,
    "c4": -7.817, "mosaic": -5.286, "unproved": -4.286, "tiny": -3.847, "odd_gap": -3.325,
    "gain": 2.760, "uneven": -2.683, "split": 2.639, "comb": 2.375, "c3": -2.354, "lost": -2.331,
    "square": 2.322, "asp": -2.142, "pop_both": 2.133, "outside": 2.052, "header": 1.481,
    "prel": 1.433, "unrel": -1.432, "edge": 1.310, "nofr": -1.303, "pow2": 1.233, "t1": 1.029,
    "z": 0.998, "subrel": -0.924, "gapped": -0.861, "proof": 0.783, "em": 0.685,
    "at_border": 0.643, "log_t": -0.622, "intz": -0.570, "halves": 0.522, "prom": 0.491,
    "m8y": 0.484, "unexpl": -0.411, "pop_y": 0.395, "bigend": -0.366, "m8x": -0.343,
    "subprom": -0.301, "colllr": 0.202, "asp2": 0.143, "pop_x": -0.134, "wide": -0.079,
    "past_edge": -0.037,
}  # fmt: skip
"""Weights for a score before `verify` has read the bytes at the borders."""

MAX_SELECTED = 72
"""Number of candidates examined by `verify`."""

_ABSENT = 0.005
"""Share of the probability left for layouts outside the candidates."""


def row_features(row: Row, sample_type: SampleType, best: SampleType) -> dict[str, float]:
    """Return the evidence of a sample type and a row; `best` is the likeliest type."""
    is_colored = row.channels > 1
    return {
        **type_features(sample_type, best),
        # of the row
        "z": signed_log(row.z),
        "comb": signed_log(row.comb),
        "harm": row.harmony,
        "lost": min(row.lost, 3.0),
        "gain": min(row.gain, 4.0),
        "split": row.split / (0.5 + row.code),
        "wide": float(row.length > 4096),
        # of the channels
        "uneven": min(row.uneven, 2.0),
        "proof": float(np.log1p(row.proof)) if is_colored else 0.0,
        "unproved": float(is_colored and row.proof < 5),
        "c2": float(row.channels == 2 and not row.mosaic),
        "c3": float(row.channels == 3),
        "c4": float(row.channels >= 4),
        "mosaic": float(row.mosaic),
        "halves": signed_log(row.half) if row.mosaic else 0.0,
    }


def type_features(sample_type: SampleType, best: SampleType) -> dict[str, float]:
    """Return the evidence of a sample type, compared with the likeliest one."""
    return {
        "cost": sample_type.total - best.total,
        "crel": float(np.log((sample_type.total + 0.05) / (best.total + 0.05))),
        "bigend": float(sample_type.dtype.str[0] == ">"),
    }


def shortlist(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Select the best candidates by cheap evidence, with a limited number of each kind."""
    scores = score(candidates, CHEAP_WEIGHTS)
    selected: list[Candidate] = []
    layouts: set[Layout] = set()
    counts: dict[tuple[object, ...], int] = {}
    for i in np.argsort(-scores):
        candidate = candidates[int(i)]
        layout = candidate.layout
        limits: dict[tuple[object, ...], int] = {
            (layout.dtype.str, candidate.row.length, layout.channels): 20,
            (layout.dtype.str, layout.x, layout.y, layout.channels): 10,
            (layout.dtype.str,): 54,
        }
        if layout in layouts or any(counts.get(kind, 0) >= limits[kind] for kind in limits):
            continue

        layouts.add(layout)
        for kind in limits:
            counts[kind] = counts.get(kind, 0) + 1
        selected.append(candidate)
        if len(selected) == MAX_SELECTED:
            break
    return selected


def score(candidates: Sequence[Candidate], weights: dict[str, float]) -> npt.NDArray[np.float64]:
    """Return the score of each candidate, shape ``(candidates,)``."""
    return np.array([weigh(candidate.features, weights) for candidate in candidates])


def weigh(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the weighted sum of features."""
    return sum(weight * features.get(name, 0.0) for name, weight in weights.items())


def probabilities(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """Return the probability of each candidate, shape ``(candidates,)``.

    They add up to less than 1, because the right layout may not be a candidate.
    """
    scores = score(candidates, WEIGHTS)
    odds = np.exp(scores - scores.max())
    shares: npt.NDArray[np.float64] = odds / (odds.sum() * (1 + _ABSENT))
    return shares
