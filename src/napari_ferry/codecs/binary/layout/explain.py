"""Reasons for a layout, in words."""

from __future__ import annotations

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.usual_sizes import USUAL_HEADERS

_LEAST_REPEAT = 7
_LEAST_HEIGHT = 2.3
_LEAST_GAIN = 0.35
"""Scores of a row, of a frame height and of the code, above which a file shows structure."""


def explain_candidate(candidate: Candidate, *, is_structured: bool) -> tuple[str, ...]:
    """Return the reasons for a layout, and warnings about it.

    `is_structured` is True if the file shows any image structure.
    """
    layout = candidate.layout
    reasons = [_type_reason(candidate)]
    if candidate.row.z > 6:
        reasons.append(f"rows repeat every {candidate.row_bytes:,} bytes")
    reasons += _channel_reasons(candidate)
    reasons += _frame_reasons(candidate)
    reasons += _header_reasons(candidate)

    if candidate.trailing:
        reasons.append(f"{candidate.trailing:,} bytes of an incomplete frame remain at the end")
    if not is_structured:
        reasons.append(
            "no image structure was found: only the size of the file and usual sizes support it"
        )
    elif candidate.features["square"] or candidate.features["pop_both"]:
        reasons.append(f"{layout.y} x {layout.x} is a usual size")
    return tuple(reasons)


def has_structure(candidate: Candidate) -> bool:
    """Return True if other evidence than the size of the file supports the rows."""
    repeat = max(candidate.row.z, candidate.row.comb)
    height = candidate.features.get("prom", 0.0)
    return repeat > _LEAST_REPEAT or height > _LEAST_HEIGHT or candidate.row.gain > _LEAST_GAIN


def _type_reason(candidate: Candidate) -> str:
    dtype = candidate.layout.dtype
    order = f", {candidate.layout.byte_order} endian," if dtype.itemsize > 1 else ""
    cost = candidate.sample_type.cost
    return f"as {dtype.name}{order} neighboring samples differ least ({cost:.2f} bits per byte)"


def _channel_reasons(candidate: Candidate) -> list[str]:
    if candidate.packing:
        return [
            f"every three bytes seem to hold two samples of 12 bits ({candidate.packing}), which "
            "appear as three channels: unpack them first"
        ]
    if candidate.row.mosaic:
        return ["every second row and column is similar, as with a mosaic of color filters"]
    if candidate.row.channels > 1:
        return [f"samples alternate between {candidate.row.channels} channels"]
    return []


def _frame_reasons(candidate: Candidate) -> list[str]:
    features = candidate.features
    if candidate.planes < 2:
        is_single = features["unrel"] < 0.2
        return ["no whole number of rows repeats, so it is one frame"] if is_single else []

    every = f"frames begin every {candidate.pitch:,} bytes"
    if candidate.layout.gap:
        uneven = candidate.pitch % candidate.row_bytes
        rows = ", not a whole number of rows" if uneven else ""
        gap = candidate.layout.gap
        return [f"{every}{rows}: the last {gap:,} bytes of each are not pixels"]
    if features["prom"] > 2:
        return [f"{every}: they are similar"]
    return [f"{every}: rows are discontinuous there"] if features.get("seam", 0.0) > 1 else []


def _header_reasons(candidate: Candidate) -> list[str]:
    offset, features = candidate.layout.offset, candidate.features
    if not offset:
        return [] if candidate.trailing else ["the size of the file fits without a header"]
    if max(features.get("hcp", 0.0), features.get("edge", 0.0)) > 1:
        return [f"the content changes after {offset:,} bytes"]
    usual = ", a usual length" if offset in USUAL_HEADERS else ""
    fits = "" if candidate.trailing else " makes the size fit"
    return [f"a header of {offset:,} bytes{fits}{usual}"]
