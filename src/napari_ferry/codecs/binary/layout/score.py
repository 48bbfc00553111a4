"""Confidences: a conditional logit over all candidates, with weights fitted to known files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.layout import Layout
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.sample_type import Coded
from napari_ferry.codecs.binary.layout.statistics import slog
from napari_ferry.codecs.binary.layout.weights import CHEAP, WEIGHTS

KEPT = 72


def base_features(row: Row, coded: Coded, best: Coded) -> dict[str, float]:
    """Return what the type and the row say."""
    return {
        "cost": coded.total - best.total,
        "crel": float(np.log((coded.total + 0.05) / (best.total + 0.05))),
        "bigend": float(coded.dtype.str[0] == ">"),
        "z": slog(row.z),
        "comb": slog(row.comb),
        "harm": row.harmony,
        "lost": min(row.lost, 3.0),
        "gain": min(row.gain, 4.0),
        "split": row.split / (0.5 + row.code),
        "uneven": min(row.uneven, 2.0),
        "proof": float(row.channels > 1) * np.log1p(row.proof),
        "unproved": float(row.channels > 1 and row.proof < 5),
        "wide": float(row.length > 4096),
        "c2": float(row.channels == 2 and not row.mosaic),
        "mosaic": float(row.mosaic),
        "halves": float(row.mosaic) * slog(row.half),
        "c3": float(row.channels == 3),
        "c4": float(row.channels == 4),
    }


def shortlist(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that deserve a closer look, not too many of one kind."""
    scores = score(candidates, CHEAP)
    kept: list[Candidate] = []
    found: set[Layout] = set()
    seen: dict[tuple[object, ...], int] = {}
    for i in np.argsort(-scores):
        one = candidates[int(i)]
        layout = one.layout
        kinds = (
            ((layout.dtype.str, one.row.length, layout.channels), 20),
            ((layout.dtype.str, layout.x, layout.y, layout.channels), 10),
            ((layout.dtype.str,), 54),
        )
        if layout in found or any(seen.get(kind, 0) >= most for kind, most in kinds):
            continue
        found.add(layout)
        for kind, _ in kinds:
            seen[kind] = seen.get(kind, 0) + 1
        kept.append(one)
        if len(kept) == KEPT:
            break
    return kept


def score(candidates: Sequence[Candidate], weights: dict[str, float]) -> npt.NDArray[np.float64]:
    """Return the score of each candidate."""
    return np.array([weigh(one.features, weights) for one in candidates])


def weigh(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the weighted sum of features."""
    return sum(weight * features.get(name, 0.0) for name, weight in weights.items())


def probabilities(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """Return how likely each is; they add up to less than 1, as the right one may be absent."""
    scores = score(candidates, WEIGHTS)
    most = scores.max()
    p = np.exp(scores - most)
    shares: npt.NDArray[np.float64] = p / (p.sum() * 1.005)
    return shares
