"""Search for the layout of one raw file, or the common layout of the files of one camera."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_ferry.arguments import reading, to_path
from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.evaluate import evaluate_layouts
from napari_ferry.codecs.binary.layout.explain import (
    explain_candidate,
    has_structure,
    measured_details,
)
from napari_ferry.codecs.binary.layout.judge import judge_known_fields
from napari_ferry.codecs.binary.layout.known_headers import read_header
from napari_ferry.codecs.binary.layout.layout import (
    ByteOrder,
    KnownFields,
    Layout,
    count_frames,
    parse_known_fields,
    strip_evidence,
)
from napari_ferry.codecs.binary.layout.plain_text import text_problem
from napari_ferry.codecs.binary.layout.score import probabilities
from napari_ferry.codecs.binary.layout.source import Source, open_source
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.files.file_formats import HEAD_BYTES, identify_format

_UNSEEN_TRUST = 0.4
"""Factor on the confidence in a layout supported by the size of the file alone."""
_CONTRADICTED = 0.05
"""Probability of the known fields below which the bytes contradict them."""
_HEADER_TRUST = 0.01
"""Probability of known fields contradicted by the header of a known format."""
_MAX_SAMPLED_FILES = 4
"""Maximum number of files to read for their common layout."""


def find_layouts(
    path: str | Path,
    *,
    dtype: npt.DTypeLike | None = None,
    frames: int | None = None,
    y: int | None = None,
    x: int | None = None,
    channels: int | None = None,
    offset: int | None = None,
    byte_order: ByteOrder | None = None,
    limit: int = 10,
) -> list[Layout]:
    """Find the possible layouts of a raw file, from a bounded sample of its bytes.

    Fields that are given narrow the search and are never overruled. If the bytes contradict them,
    the confidences are low, and the first reason names a likelier layout. A dtype without a byte
    order, such as ``'uint16'``, leaves the order open.

    Parameters
    ----------
    path : path
        The raw file.
    dtype : dtype, optional
        Type of a sample: integers or floating point.
    frames, y, x, channels : int, optional
        Known sizes.
    offset : int, optional
        Bytes of header before the first sample.
    byte_order : {"little", "big"}, optional
        Order of the bytes of a sample.
    limit : int
        Maximum number of layouts.

    Returns
    -------
    list of Layout
        The likeliest first; empty if no layout fits.

    Raises
    ------
    InvalidImageError
        A given field or the limit is invalid.
    UnreadableFileError
        The file does not exist, or it is not a raw file: it begins like a TIFF or another format.

    Examples
    --------
    >>> import tempfile
    >>> from napari_ferry.plugin.samples import raw_recording
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, _ = raw_recording(Path(folder))
    ...     layouts = find_layouts(path, dtype="uint16", limit=3)
    >>> print(f"{layouts[0].confidence:.0%}: {layouts[0]}")
    99%: 60 x 192 x 192 of uint16, little endian after 352 bytes
    """
    known = parse_known_fields(
        dtype, byte_order, frames=frames, y=y, x=x, channels=channels, offset=offset
    )
    if limit < 1:
        raise InvalidImageError(f"limit is {limit!r}: give a whole number of at least 1.")
    return search_layouts(to_path(path), known).layouts[:limit]


@dataclass(frozen=True, kw_only=True)
class FoundLayouts:
    """Layouts of a file in agreement with the known fields, the likeliest first.

    `rival` is the likeliest of the other layouts if the bytes contradict the known fields.
    """

    layouts: list[Layout]
    rival: Layout | None = None


@dataclass(frozen=True)
class CommonLayout:
    """One layout for several files, with the number of frames of each."""

    layout: Layout
    frame_counts: dict[Path, int]
    unmatched: tuple[Path, ...]


def find_common_layout(
    paths: Sequence[Path], *, known: KnownFields | None = None
) -> CommonLayout | None:
    """Find the common layout of the raw files of one camera, with any number of frames.

    The evidence of up to four files is combined. A layout fits a file if whole frames remain after
    the header.

    Parameters
    ----------
    paths : sequence of Path
        The raw files.
    known : KnownFields, optional
        Fields that are known for all files.

    Returns
    -------
    CommonLayout or None
        None if no layout fits. `unmatched` are the files that the layout does not fit.
    """
    sizes = {path: path.stat().st_size for path in paths}
    candidates = _search_samples(sizes, known or KnownFields())
    forms = list(dict.fromkeys(form for confidences in candidates for form in confidences))
    if not forms:
        return None

    # Forms that fit most files win; among these, those with the highest product of confidences.
    matches = {form: [path for path in paths if _whole_frames(sizes[path], form)] for form in forms}
    scores = {
        form: float(np.sum(np.log([one.get(form, 0.0) + 1e-3 for one in candidates])))
        for form in forms
    }
    likeliest = max(forms, key=lambda form: (len(matches[form]), scores[form]))

    total = sum(np.exp(score - scores[likeliest]) for score in scores.values())
    best_alone = max(one.get(likeliest, 0.0) for one in candidates)
    confidence = max(best_alone, 1 / total) if len(candidates) > 1 else best_alone
    reason = f"{len(matches[likeliest])} of {len(paths)} files hold whole frames of it"
    counts = {path: _whole_frames(sizes[path], likeliest) for path in matches[likeliest]}
    unmatched = tuple(path for path in paths if path not in counts)
    layout = replace(likeliest, confidence=confidence, reasons=(reason,))
    return CommonLayout(layout, counts, unmatched)


def _search_samples(sizes: Mapping[Path, int], known: KnownFields) -> list[dict[Layout, float]]:
    """Return the confidences of the one-frame layouts of a few files of different sizes."""
    by_size = sorted({size: path for path, size in sizes.items() if size}.items())
    step = max(1, len(by_size) // _MAX_SAMPLED_FILES)
    return [
        {replace(strip_evidence(layout), frames=1): layout.confidence for layout in layouts}
        for _, path in by_size[::-1][::step][:_MAX_SAMPLED_FILES]
        if (layouts := search_layouts(path, known, is_judged=False).layouts)
    ]


def _whole_frames(nbytes: int, form: Layout) -> int:
    """Count the frames of a file; 0 if bytes other than a gap remain after them."""
    count, rest = count_frames(nbytes, form)
    return 0 if rest else count


def _has_room(size: int, known: KnownFields) -> bool:
    """Return True if a file can hold one frame of the known fields, at one byte per sample."""
    frame = math.prod(n for n in (known.y, known.x, known.channels) if n is not None)
    return frame + (known.offset or 0) <= size


def search_layouts(path: Path, known: KnownFields, *, is_judged: bool = True) -> FoundLayouts:
    """Search for the layouts of a file, and for evidence against the known fields if `is_judged`.

    Raises
    ------
    UnreadableFileError
        The file does not exist, or it is not a raw file.
    """
    if not path.is_file():
        raise UnreadableFileError(f"{path.name} is not a file: check its name.")
    with reading(path), open_source(path) as source:
        described = read_header(source)
        if described is not None and known.allows(described):
            return FoundLayouts(layouts=[described])
        _refuse_known_format(path, source, known)
        candidates = evaluate_layouts(source, known) if _has_room(source.size, known) else []
        layouts = _rank(candidates, known)
        if known == KnownFields() or not is_judged:
            return FoundLayouts(layouts=layouts)
        if described is not None:
            return _contradict(layouts, described, _HEADER_TRUST)
        return _judge(candidates, layouts, evaluate_layouts(source, KnownFields()), known)


def _rank(candidates: Sequence[Candidate], known: KnownFields) -> list[Layout]:
    """Return the layouts of candidates with confidences and reasons, the likeliest first."""
    if not candidates:
        return []

    # Confidences compare layouts with each other, so they mean nothing if none has any structure.
    shares = probabilities(candidates)
    is_structured = has_structure(candidates[int(np.argmax(shares))])
    is_frame_known = known.y is not None and known.x is not None
    trust = 1.0 if is_structured or is_frame_known else _UNSEEN_TRUST
    layouts = [
        replace(
            candidate.layout,
            confidence=float(share) * trust,
            reasons=explain_candidate(candidate, is_structured=is_structured),
            details=measured_details(candidate),
        )
        for candidate, share in zip(candidates, shares, strict=True)
    ]
    return sorted(layouts, key=lambda layout: -layout.confidence)


def _judge(
    candidates: Sequence[Candidate],
    layouts: list[Layout],
    free: Sequence[Candidate],
    known: KnownFields,
) -> FoundLayouts:
    """Include the probability of the known fields in the confidences of layouts.

    Parameters
    ----------
    candidates, layouts
        Candidates that agree with the known fields, and their layouts.
    free : sequence of Candidate
        Candidates without known fields. They prove nothing if the likeliest shows no structure.
    known : KnownFields
        The known fields.
    """
    ranked = _rank(free, KnownFields())
    if not free or not has_structure(free[int(np.argmax(probabilities(free)))]):
        return FoundLayouts(layouts=layouts)

    plausible = judge_known_fields(candidates, free, known)
    rival = next((layout for layout in ranked if not known.allows(layout)), None)
    if rival is not None and plausible < _CONTRADICTED:
        return _contradict(layouts, rival, plausible)
    weighed = [replace(each, confidence=each.confidence * plausible) for each in layouts]
    return FoundLayouts(layouts=weighed)


def _contradict(layouts: Sequence[Layout], rival: Layout, plausible: float) -> FoundLayouts:
    """Return layouts with the reason against them: a rival supported by the bytes."""
    reason = f"the bytes contradict the given values: {rival} is likelier"
    doubted = [
        replace(layout, confidence=layout.confidence * plausible, reasons=(reason, *layout.reasons))
        for layout in layouts
    ]
    return FoundLayouts(layouts=doubted, rival=rival)


def _refuse_known_format(path: Path, source: Source, known: KnownFields) -> None:
    """Refuse a file of another format, unless the offset of its samples is known."""
    if known.offset is not None:
        return
    problem = text_problem(path.name, source)
    if problem:
        raise UnreadableFileError(problem)
    known_format = identify_format(source.read(0, HEAD_BYTES))
    if known_format is not None:
        raise UnreadableFileError(
            f"{path.name} begins like a {known_format.name}, so it is not a raw file: give it the "
            f"suffix {known_format.suffix}, or give the offset of its first sample."
        )
