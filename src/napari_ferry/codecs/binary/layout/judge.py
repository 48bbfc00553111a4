"""Plausibility of known fields, by comparison with contradicting layouts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.score import WEIGHTS, score, type_features, weigh

_TRUST = 3.0
"""Score in favor of known fields: of two layouts with the same evidence, one that agrees with the
user is about 20 times as likely."""


def judge_known_fields(
    candidates: Sequence[Candidate], free: Sequence[Candidate], known: KnownFields
) -> float:
    """Return the probability of known fields, from the evidence for and against them.

    Parameters
    ----------
    candidates : sequence of Candidate
        Candidates of a search with the known fields.
    free : sequence of Candidate
        Candidates of a search in the same file without known fields, at least one.
    known : KnownFields
        The known fields.

    Returns
    -------
    float
        A number between 0 and 1: 1 if no candidate contradicts the known fields, 0 if none agrees.
    """
    rivals = [candidate for candidate in free if not known.allows(candidate.layout)]
    if not candidates or not rivals:
        return float(bool(candidates))

    # A search for one data type compares it with itself only, so compare it with all types again.
    best = min((each.sample_type for each in free), key=lambda sample_type: sample_type.total)
    agreeing = [
        weigh(each.features | type_features(each.sample_type, best), WEIGHTS) for each in candidates
    ]
    against = np.logaddexp.reduce(score(rivals, WEIGHTS))
    return float(np.exp(-np.logaddexp(0.0, against - np.logaddexp.reduce(agreeing) - _TRUST)))
