"""Sentences and questions of the repair form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from napari_ferry.arrays.progress import size_text
from napari_ferry.codecs.binary.layout import POSSIBLE, Layout, count_frames, frame_bytes
from napari_ferry.errors import FerryError
from napari_ferry.files.short_texts import count_things, list_few
from napari_ferry.widgets.plan_summary import sentence
from napari_ferry.widgets.repair.repair_words import OPEN, REPLACE, REPLACE_WRITE, WRITE

_LIKELIHOODS = ((0.9, "very likely"), (0.6, "likely"), (POSSIBLE, "possible"), (0.05, "unlikely"))
"""Words for confidences, each with the minimum confidence."""

_MAX_NAMES = 5
"""Names or losses listed in a message before the others are only counted."""


# --- layouts --------------------------------------------------------------------------------------


def describe_frames(layout: Layout) -> str:
    """Return a layout in words.

    >>> import numpy as np
    >>> describe_frames(Layout(dtype=np.dtype("uint16"), offset=0, frames=80, y=256, x=256))
    '80 frames of 256 × 256, 16 bit'
    """
    words = [
        f"{count_things(layout.frames, 'frame')} of {layout.y:,} × {layout.x:,}",
        f"{8 * layout.dtype.itemsize} bit",
    ]
    if layout.dtype.kind != "u":
        words.append({"i": "signed", "f": "floating point"}[layout.dtype.kind])
    if layout.interleaving == "pixel" and layout.channels in (3, 4):
        words.append("in color")
    elif layout.channels > 1:
        words.append(f"{layout.channels:,} channels")
    return ", ".join(words)


def keep_together(text: str) -> str:
    """Return a text without line breaks within sizes, and between numbers and their units."""
    for words in (" × ", " bit", " %", "header "):
        text = text.replace(words, words.replace(" ", "\u00a0"))
    return text


def likelihood(confidence: float) -> str:
    """Return a confidence in words and in percent.

    >>> likelihood(0.97), likelihood(0.001)
    ('very likely (97 %)', 'a guess (below 1 %)')
    """
    word = next((word for least, word in _LIKELIHOODS if confidence >= least), "a guess")
    return f"{word} ({percent(confidence)})"


def percent(share: float) -> str:
    """Return a probability as text, never rounded up to certainty.

    >>> percent(0.999), percent(0.5), percent(0.001)
    ('99 %', '50 %', 'below 1 %')
    """
    return "below 1 %" if share < 0.01 else f"{min(round(100 * share), 99)} %"


def headline(layout: Layout, source: str = "") -> str:
    """Return the sentence about a candidate; `source` is the sidecar with its description."""
    frames = describe_frames(layout)
    if source:
        return f"{source} describes {frames}."
    if layout.confidence >= _LIKELIHOODS[1][0]:
        return f"This looks like {frames}."
    if layout.confidence >= _LIKELIHOODS[2][0]:
        return f"This may be {frames}."
    return f"This could be {frames}, but that is a guess."


def typed_headline(layout: Layout) -> str:
    """Return the sentence about numbers entered by the user."""
    return f"With your numbers: {describe_frames(layout)}."


def opened(names: Sequence[str]) -> str:
    """Return the sentence about opened layers."""
    more = f" and {len(names) - _MAX_NAMES} more layers" if len(names) > _MAX_NAMES else ""
    return f"Opened as {', '.join(names[:_MAX_NAMES])}{more}."


def why(reasons: Sequence[str]) -> str:
    """Return the sentence with the reasons for a layout."""
    return f"Why: {'; '.join(reasons)}." if reasons else ""


def details(numbers: Sequence[str]) -> str:
    """Return the sentence with the measured numbers."""
    text = "; ".join(numbers)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def does_not_fit(value: object, better: object | None) -> str:
    """Return the note about a value of a field, and a better one if there is one."""
    note = f"{_value(value)} does not fit"
    return note if better is None else f"{note}; {_value(better)} does"


def other_header(nbytes: int) -> str:
    """Return the note about another header size to make a layout fit."""
    return f"Or the header has {nbytes:,} bytes"


def use(value: object) -> str:
    """Return the text of a button to enter a value."""
    return f"Use {_value(value)}"


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def summary(nbytes: int, layout: Layout) -> str:
    """Describe the content of a layout in a file of `nbytes`, and count the other bytes."""
    count, _ = count_frames(nbytes, layout)
    frame, size = frame_bytes(layout), f"{layout.y:,} × {layout.x:,} pixels"
    if not count:
        return f"The file is smaller than one frame of {size}: it has {nbytes:,} bytes."
    whole = min(count, layout.frames)
    frames = count_things(whole, "frame")
    between = layout.gap * (whole - 1)
    after = nbytes - layout.offset - whole * frame - between
    if after == layout.gap:
        between, after = between + after, 0

    header = f" after a header of {layout.offset:,} bytes" if layout.offset else ""
    if not between and not after:
        return f"{frames} of {size} fill the file ({size_text(nbytes)}){header}."
    parts = [f"{between:,} bytes between frames"] if between else []
    if after:
        parts.append(f"{after:,} bytes ({_frames_text(after / (frame + layout.gap))}) at the end")
    share = percent((between + after) / nbytes)
    return f"{frames} of {size}{header}. Left out: {' and '.join(parts)}, {share} of the file."


def _frames_text(share: float) -> str:
    """Return a number of frames with one decimal, if it is not whole."""
    if share < 0.1:
        return "less than 0.1 frames"
    text = f"{share:,.1f}".removesuffix(".0")
    return f"{text} frame" if text == "1" else f"{text} frames"


def no_layout(nbytes: int) -> str:
    """Return the status of a search with known values but without a result."""
    return f"No layout with your numbers fits the {nbytes:,} bytes: change or uncheck one."


def doubt(reason: str) -> str:
    """Return the status of a search without a likely layout; `reason` may be empty."""
    reason = reason or "no layout is clearly more likely than the others"
    return f"{reason[0].upper()}{reason[1:]}. Enter the numbers you know; the others are computed."


def reading(name: str) -> str:
    """Return the sentence shown while sizes and sidecar of a file are read."""
    return f"Reading {name}..."


def searching(name: str) -> str:
    """Return the status during a search."""
    return f"Searching the bytes of {name}..."


# --- files and sidecars ---------------------------------------------------------------------------


def file_line(count: int, rest: int) -> str:
    """Return the number of frames in a file, or the reason for leaving it out."""
    problem = f"{rest:,} bytes remain" if count else "no whole frame"
    return f"{count:,} frames" if count and not rest else f"left out, {problem}"


def open_text(whole: int, *, is_truncated: bool) -> str:
    """Return the text of the button to open some whole frames."""
    return f"{OPEN.label} {whole:,} frames" if is_truncated else OPEN.label


def write_text(whole: int, *, is_truncated: bool) -> str:
    """Return the text of the button to write the sidecar for some whole frames."""
    return f"{WRITE.label} ({whole:,} frames)" if is_truncated else WRITE.label


def write_all_text(nfiles: int) -> str:
    """Return the text of the button to write the sidecars of several files."""
    return f"Write sidecars for {nfiles:,} files"


class Question(NamedTuple):
    """Question before sidecars are written: title, text, explanation, and the button to agree."""

    title: str
    text: str
    explanation: str
    agree: str


def replace_question(sidecar: Path, backup: Path, losses: Sequence[str]) -> Question:
    """Return the question before one sidecar is replaced."""
    kept = f"The old file is kept as {backup.name}"
    if losses:
        explanation = f"{kept}; its other metadata is carried over, but:\n{_bullets(losses)}"
    else:
        explanation = f"{kept}; names, colors and scale are carried over."
    return Question("Replace sidecar", f"Replace {sidecar.name}?", explanation, REPLACE)


def write_question(
    folder: Path,
    files: Collection[Path],
    existing: Sequence[Path],
    left_out: Sequence[Path],
    losses: Mapping[str, Sequence[Path]],
) -> Question:
    """Return the question before the sidecars of several files are written."""
    paragraphs = []
    if existing:
        paragraphs.append(
            f"Replaced: {names(existing)}. Each old file is kept with the suffix .bak, and with a "
            "number if that name is taken."
        )
        lines = [f"{names(paths)}: {loss}" for loss, paths in losses.items()]
        kept = "Names, colors and scale are carried over"
        paragraphs.append(f"{kept}, but:\n{_bullets(lines)}" if lines else f"{kept}.")
    if left_out:
        paragraphs.append(f"Left out, as the layout does not fit: {names(left_out)}.")
    agree = REPLACE if existing else REPLACE_WRITE
    text = f"Write {len(files):,} sidecars in {folder}?"
    return Question("Write sidecars", text, "\n\n".join(paragraphs), agree)


def written(paths: Sequence[Path], backups: Sequence[Path]) -> str:
    """Return the notice about new sidecars and backups."""
    several = f"{len(paths)} sidecars in {paths[0].parent}"
    text = f"Wrote {paths[0] if len(paths) == 1 else several}"
    if not backups:
        return f"{text}."
    previous = "the previous one is" if len(backups) == 1 else "the previous ones are"
    return f"{text}; {previous} kept as {names(backups)}."


def change_line(change: str) -> str:
    """Return a change as the list shows it."""
    return change.replace(" -> ", " \u2192 ")


def changes_headline(name: str, count: int) -> str:
    """Return the headline above the changes of the description of a file."""
    if not count:
        return f"The description of {name} is valid: nothing to repair."
    return f"{count:,} {'change repairs' if count == 1 else 'changes repair'} {name}:"


def repaired(path: Path, backups: Sequence[Path]) -> str:
    """Return the notice about a repaired description and its backups."""
    kept = f"; the old files are kept as {names(backups)}" if backups else ""
    return f"Repaired {path}{kept}."


def error_sentence(error: Exception) -> str:
    """Return the message of an error, also of the file system."""
    if isinstance(error, OSError) and not isinstance(error, FerryError):
        return f"{error.filename} cannot be read ({error.strerror}): check that it exists."
    return sentence(error)


def not_written(path: Path, error: OSError) -> str:
    """Return the sentence about a sidecar refused by the file system."""
    return f"{path.name} cannot be written ({error.strerror or error}): check its folder."


def names(paths: Sequence[Path]) -> str:
    """Return the names of some files, and the number of the others."""
    return list_few([path.name for path in paths], _MAX_NAMES)


def _bullets(lines: Sequence[str]) -> str:
    more = [f"• and {len(lines) - _MAX_NAMES} more"] if len(lines) > _MAX_NAMES else []
    return "\n".join([*(f"• {line}" for line in lines[:_MAX_NAMES]), *more])
