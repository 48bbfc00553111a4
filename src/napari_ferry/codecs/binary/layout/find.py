"""Find the layout of one raw file, or that of all raw files of one camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_ferry.arguments import reading, to_path
from napari_ferry.codecs.binary.layout.evaluate import judge
from napari_ferry.codecs.binary.layout.explain import has_structure, reasons_of
from napari_ferry.codecs.binary.layout.known_headers import foreign_name, read_header
from napari_ferry.codecs.binary.layout.layout import (
    ByteOrder,
    KnownFields,
    Layout,
    count_frames,
    parse_known_fields,
    strip_evidence,
)
from napari_ferry.codecs.binary.layout.score import probabilities
from napari_ferry.codecs.binary.layout.source import open_source
from napari_ferry.errors import InvalidImageError, UnreadableFileError

_UNSEEN = 0.4
"""Trust in a layout for which nothing but the size of the file speaks."""


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
    """Find how the samples of a raw file may lie, from a bounded sample of its bytes.

    What is given narrows the search, and is never overruled. A type without a byte order, such as
    ``'uint16'``, leaves the order open.

    Parameters
    ----------
    path : path
        The raw file.
    dtype : dtype, optional
        Type of a sample: integers or floating point.
    frames, y, x, channels : int, optional
        Sizes that are known.
    offset : int, optional
        Bytes of header before the first sample.
    byte_order : {"little", "big"}, optional
        Order of the bytes of a sample.
    limit : int
        How many layouts to return at most.

    Returns
    -------
    list of Layout
        The likeliest first; empty where nothing fits.

    Raises
    ------
    InvalidImageError
        What is given can not be.
    UnreadableFileError
        There is no such file, or it is no raw file: it begins as a TIFF or another format.
    """
    known = parse_known_fields(
        dtype, byte_order, frames=frames, y=y, x=x, channels=channels, offset=offset
    )
    if limit < 1:
        raise InvalidImageError(f"limit is {limit!r}: give a whole number of at least 1.")
    found = _find(to_path(path), known)
    return found[:limit]


@dataclass(frozen=True)
class CommonLayout:
    """One layout for several files, with the number of frames of each."""

    layout: Layout
    frame_counts: dict[Path, int]
    unmatched: tuple[Path, ...]


def find_common_layout(
    paths: Sequence[Path], *, known: KnownFields | None = None
) -> CommonLayout | None:
    """Find one layout for the raw files of one camera, which may differ in their frames.

    The layout is the one in which the evidence of up to four files agrees best; it fits a file
    whose size leaves whole frames after the header.

    Parameters
    ----------
    paths : sequence of Path
        The raw files.
    known : KnownFields, optional
        What is known of all.

    Returns
    -------
    CommonLayout or None
        None if nothing fits. `unmatched` are the files that the layout does not fit.
    """
    sizes = {path: path.stat().st_size for path in paths}
    several = sorted({size: path for path, size in sizes.items() if size}.items())
    if not several:
        return None
    step = max(1, len(several) // 4)
    looked = [
        {replace(strip_evidence(one), frames=1): one.confidence for one in found}
        for _, path in several[::-1][::step][:4]
        if (found := _find(path, known or KnownFields()))
    ]
    forms = list(dict.fromkeys(form for found in looked for form in found))
    if not forms:
        return None
    fits = {form: [path for path in paths if _frames_in(sizes[path], form)] for form in forms}
    scores = {
        form: float(np.sum(np.log([found.get(form, 0.0) + 1e-3 for found in looked])))
        for form in forms
    }
    likeliest = max(forms, key=lambda form: (len(fits[form]), scores[form]))
    total = sum(np.exp(score - scores[likeliest]) for score in scores.values())
    sure = max(found.get(likeliest, 0.0) for found in looked)
    confidence = max(sure, 1 / total) if len(looked) > 1 else sure
    reason = f"{len(fits[likeliest])} of {len(paths)} files hold whole frames of it"
    counts = {path: _frames_in(sizes[path], likeliest) for path in fits[likeliest]}
    unmatched = tuple(path for path in paths if path not in counts)
    return CommonLayout(
        replace(likeliest, confidence=confidence, reasons=(reason,)), counts, unmatched
    )


def _frames_in(nbytes: int, form: Layout) -> int:
    """Return how many frames a file holds, 0 where something but a gap would be left over."""
    count, rest = count_frames(nbytes, form)
    return 0 if rest else count


def _has_room(size: int, known: KnownFields) -> bool:
    """Whether a file can hold one frame of what is known, with a byte for each sample."""
    frame = math.prod(n for n in (known.y, known.x, known.channels) if n is not None)
    return frame + (known.offset or 0) <= size


def _find(path: Path, known: KnownFields) -> list[Layout]:
    if not path.is_file():
        raise UnreadableFileError(f"{path} is no file: check its name.")
    with reading(path), open_source(path) as source:
        said = read_header(source)
        if said is not None and known.allows(said):
            return [said]
        foreign = foreign_name(source) if known.offset is None else None
        if foreign is not None:
            name, suffix = foreign
            raise UnreadableFileError(
                f"{path.name} begins as a {name} does, so it is no raw file: give it the suffix "
                f"{suffix}, or give the offset at which its samples begin."
            )
        kept = judge(source, known) if _has_room(source.size, known) else []
    if not kept:
        return []
    p = probabilities(kept)
    seen = has_structure(kept[int(np.argmax(p))])
    trust = 1.0 if seen or (known.y is not None and known.x is not None) else _UNSEEN
    found = [
        replace(one.layout, confidence=float(pi) * trust, reasons=reasons_of(one, seen=seen))
        for one, pi in zip(kept, p, strict=True)
    ]
    return sorted(found, key=lambda layout: -layout.confidence)
