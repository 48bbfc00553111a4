"""Reasons for a layout, in words, and the numbers behind them."""

from __future__ import annotations

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.usual_sizes import USUAL_HEADERS

_LEAST_ROW = 6
"""Score of a repeat above which rows are a reason."""
_LEAST_REPEAT = 7
_LEAST_HEIGHT = 2.3
_LEAST_GAIN = 0.35
"""Scores of a row, of a frame height and of the code, above which a file shows structure."""
_SMOOTH = 7.5
"""Code length in bits per byte below which neighboring samples are called smooth."""


def explain_candidate(candidate: Candidate, *, is_structured: bool) -> tuple[str, ...]:
    """Return the reasons for a layout, and warnings about it.

    `is_structured` is True if the file shows any image structure.
    """
    layout = candidate.layout
    reasons = [_type_reason(candidate)] if is_structured else []
    reasons += _channel_reasons(candidate)
    reasons += _repeat_reasons(candidate)
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


def measured_details(candidate: Candidate) -> tuple[str, ...]:
    """Return the measured numbers behind the reasons for a layout."""
    layout, details = candidate.layout, []
    order = f", {layout.byte_order} endian" if layout.dtype.itemsize > 1 else ""
    cost = candidate.sample_type.cost
    details.append(
        f"as {layout.dtype.name}{order}, samples differ from their neighbors by {cost:.2f} bits "
        "per byte"
    )
    if candidate.row.z > _LEAST_ROW:
        details.append(f"rows repeat every {candidate.row_bytes:,} bytes")
    if candidate.planes > 1:
        details.append(f"frames begin every {candidate.pitch:,} bytes")
    if layout.offset:
        details.append(f"the header has {layout.offset:,} bytes")
    return tuple(details)


def has_structure(candidate: Candidate) -> bool:
    """Return True if other evidence than the size of the file supports the rows."""
    repeat = max(candidate.row.z, candidate.row.comb)
    height = candidate.features.get("prom", 0.0)
    return repeat > _LEAST_REPEAT or height > _LEAST_HEIGHT or candidate.row.gain > _LEAST_GAIN


def _type_reason(candidate: Candidate) -> str:
    layout = candidate.layout
    order = ", big endian" if layout.byte_order == "big" else ""
    verb = "are" if candidate.sample_type.cost < _SMOOTH else "are not"
    return f"neighboring pixels {verb} smooth as {layout.dtype.name}{order}"


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


def _repeat_reasons(candidate: Candidate) -> list[str]:
    layout, features = candidate.layout, candidate.features
    repeats = [f"rows of {layout.x:,} pixels"] if candidate.row.z > _LEAST_ROW else []
    if candidate.planes < 2:
        is_single = features["unrel"] < 0.2
        single = ["no whole number of rows repeats, so it is one frame"] if is_single else []
        return [*_repeat(repeats), *single]

    if layout.gap:
        uneven = candidate.pitch % candidate.row_bytes
        rows = ", not a whole number of rows" if uneven else ""
        every = f"frames repeat every {candidate.pitch:,} bytes{rows}"
        return [*_repeat(repeats), f"{every}: the last {layout.gap:,} bytes of each are not pixels"]
    if features["prom"] > 2:
        return _repeat([*repeats, f"frames of {layout.y:,} rows"])
    is_seam = features.get("seam", 0.0) > 1
    seams = [f"rows are discontinuous after every {layout.y:,}"] if is_seam else []
    return [*_repeat(repeats), *seams]


def _repeat(parts: list[str]) -> list[str]:
    return [f"{' and '.join(parts)} repeat"] if parts else []


def _header_reasons(candidate: Candidate) -> list[str]:
    offset, features = candidate.layout.offset, candidate.features
    if not offset:
        return [] if candidate.trailing else ["the file size fits exactly"]
    if max(features.get("hcp", 0.0), features.get("edge", 0.0)) > 1:
        return [f"the content changes after {offset:,} bytes"]
    usual = ", a usual length" if offset in USUAL_HEADERS else ""
    header = f"a header of {offset:,} bytes"
    return [
        f"{header}{usual}" if candidate.trailing else f"the file size fits with {header}{usual}"
    ]
