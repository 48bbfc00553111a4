"""Candidates for the layout of a raw file, from its bytes and its sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_ferry.codecs.binary.fit import fits, remaining_bytes
from napari_ferry.codecs.binary.layout import POSSIBLE, Layout, parse_known_fields, strip_evidence
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus
from napari_ferry.widgets.repair.repair_words import NO_STRUCTURE
from napari_ferry.widgets.repair.sentences import (
    details,
    doubt,
    headline,
    likelihood,
    no_layout,
    why,
)


@dataclass(frozen=True)
class Candidate:
    """A possible layout of a file.

    Parameters
    ----------
    layout : Layout
        The layout.
    source : str
        Name of the sidecar that specifies it, empty if it was found in the bytes. A layout with
        reasons was found in the bytes, and only its channels are from the sidecar.
    rest : int
        Bytes of the file that it leaves out.
    """

    layout: Layout
    source: str = ""
    rest: int = 0

    @property
    def text(self) -> str:
        """Lines with shape, data type and confidence."""
        layout = self.layout
        channels = f" × {layout.channels}" if layout.channels > 1 else ""
        header = f", header {layout.offset:,}" if layout.offset else ""
        rest = f"\n{self.rest:,} bytes remain" if self.rest else ""
        gap = f"\n{layout.gap:,} bytes after each" if layout.gap else ""
        return (
            f"{layout.frames:,} × {layout.y} × {layout.x}{channels}\n"
            f"{_type_text(layout)}{header}{gap}{rest}\n{self._confidence_text}"
        )

    @property
    def _confidence_text(self) -> str:
        if self.source and not self.layout.reasons:
            return f"from {self.source}"
        channels = f"\nchannels from {self.source}" if self.source else ""
        return f"{likelihood(self.layout.confidence)}{channels}"

    @property
    def headline(self) -> str:
        """Sentence about the layout, for the user to judge."""
        return headline(self.layout, "" if self.layout.reasons else self.source)

    @property
    def reasons(self) -> str:
        """Reasons for the layout, in one sentence."""
        reasons = self.layout.reasons
        if not self.source:
            return why(reasons)
        if not reasons:
            return why([f"{self.source} specifies this layout"])
        return why([f"{self.source} specifies {self.layout.channels} channels", *reasons])

    @property
    def details(self) -> str:
        """Measured numbers behind the reasons, in one sentence."""
        return details(self.layout.details)


def make_candidates(
    layouts: Sequence[Layout],
    sidecar: SidecarStatus | None,
    known: Mapping[str, Any],
    nbytes: int,
) -> list[Candidate]:
    """Return candidates for the layouts found in the bytes, and for the layout of the sidecar.

    Parameters
    ----------
    layouts : sequence of Layout
        Layouts found in the bytes, the most likely first.
    sidecar : SidecarStatus, optional
        Status of the sidecar.
    known : mapping
        Known values, as for `find_layouts`. A sidecar that contradicts them is ignored.
    nbytes : int
        Size of the file in bytes.
    """
    candidates = [Candidate(layout, rest=remaining_bytes(nbytes, layout)) for layout in layouts]
    described = sidecar.layout if sidecar else None
    if sidecar is None or described is None or not parse_known_fields(**known).allows(described):
        return candidates

    name, key = sidecar.path.name, strip_evidence(described)
    others = [each for each in candidates if strip_evidence(each.layout) != key]
    own = Candidate(described, name, max(0, remaining_bytes(nbytes, described)))
    if fits(nbytes, described) or not sidecar.error:
        return [own, *others]

    # a sidecar that does not fit comes second, as its channels may still be right
    split = [
        Candidate(layout, name, remaining_bytes(nbytes, layout))
        for layout in _split_channels(layouts, described)
    ]
    ranked = [*split[:1], *others]
    return [*ranked[:1], own, *ranked[1:]]


def _split_channels(layouts: Sequence[Layout], described: Layout) -> list[Layout]:
    """Return single-channel layouts with their frames regrouped as planes of several channels."""
    if described.interleaving != "plane":
        return []
    channels = described.channels
    return [
        replace(layout, frames=layout.frames // channels, channels=channels, interleaving="plane")
        for layout in layouts
        if (layout.dtype, layout.y, layout.x) == (described.dtype, described.y, described.x)
        and (layout.channels, layout.gap, layout.frames % channels) == (1, 0, 0)
    ]


def is_likely(candidates: Sequence[Candidate]) -> bool:
    """Return True if the first of some candidates is likely enough to be shown without a doubt."""
    if not candidates:
        return False
    best = candidates[0]
    return bool(best.source) or (not _doubt(best) and best.layout.confidence >= POSSIBLE)


def describe_doubts(candidates: Sequence[Candidate], nbytes: int, *, has_known_values: bool) -> str:
    """Describe a search without a likely candidate, empty if there is one."""
    if is_likely(candidates):
        return ""
    if candidates:
        return doubt(_doubt(candidates[0]))
    return no_layout(nbytes) if has_known_values else NO_STRUCTURE


def _doubt(candidate: Candidate) -> str:
    """Return the reason against image structure in the bytes; empty if there is none."""
    reasons = (r for r in candidate.layout.reasons if r.startswith("no image structure"))
    return next(reasons, "")


def _type_text(layout: Layout) -> str:
    order = " big endian" if layout.byte_order == "big" else ""
    return f"{layout.dtype.name}{order}"
