"""Why a layout is likely, in words."""

from __future__ import annotations

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.usual_sizes import HEADERS


def reasons_of(candidate: Candidate, *, seen: bool) -> tuple[str, ...]:
    """Return what speaks for a layout, and what one should know of it.

    `seen` says whether there is any image structure in the file.
    """
    layout, found = candidate.layout, candidate.features
    said = [
        f"read as {layout.dtype.name}"
        + (f", {layout.byte_order} endian," if layout.dtype.itemsize > 1 else "")
        + f" neighbors differ least ({candidate.coded.cost:.2f} bits a byte)"
    ]
    if candidate.row.z > 6:
        said.append(f"rows repeat every {candidate.row_bytes:,} bytes")
    if candidate.packing:
        said.append(
            f"every three bytes seem to hold two numbers of 12 bits ({candidate.packing}), which "
            "show as three channels: unpack them first"
        )
    elif candidate.row.mosaic:
        said.append("every other row and column is alike, as under a mosaic of color filters")
    elif candidate.row.channels > 1:
        said.append(f"samples alternate between {candidate.row.channels} channels")
    said += _of_frames(candidate)
    said += _of_header(candidate)
    if candidate.trailing:
        said.append(f"{candidate.trailing:,} bytes remain at the end, a frame that was cut off")
    if not seen:
        said.append(
            "no image structure was found: only the size of the file and usual sizes speak for it"
        )
    elif found["square"] or found["pop_both"]:
        said.append(f"{layout.y} x {layout.x} is a usual size")
    return tuple(said)


def has_structure(candidate: Candidate) -> bool:
    """Whether anything but the size of the file speaks for the rows."""
    found = candidate.features
    seen = max(candidate.row.z, candidate.row.comb)
    return seen > 7 or found.get("prom", 0.0) > 2.3 or candidate.row.gain > 0.35


def _of_frames(candidate: Candidate) -> list[str]:
    found = candidate.features
    if candidate.planes < 2:
        return ["nothing repeats after whole rows, so it is one frame"] * (found["unrel"] < 0.2)
    if candidate.layout.gap:
        uneven = ", which are no whole rows" if candidate.pitch % candidate.row_bytes else ""
        return [
            f"frames every {candidate.pitch:,} bytes{uneven}: the last "
            f"{candidate.layout.gap:,} bytes of each are none of its pixels"
        ]
    every = f"frames every {candidate.pitch:,} bytes"
    if found["prom"] > 2:
        return [f"{every}: they are alike"]
    return [f"{every}: there rows do not go on smoothly"] * (found.get("seam", 0.0) > 1)


def _of_header(candidate: Candidate) -> list[str]:
    offset, found = candidate.layout.offset, candidate.features
    if not offset:
        return [] if candidate.trailing else ["the file's size fits without a header"]
    if max(found.get("hcp", 0.0), found.get("edge", 0.0)) > 1:
        return [f"the content changes after {offset:,} bytes"]
    usual = ", a usual length" if offset in HEADERS else ""
    fits = "" if candidate.trailing else " makes the size fit"
    return [f"a header of {offset:,} bytes{fits}{usual}"]
