"""Sizes, time and losses of all conversions together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from napari_ferry.arrays.progress import size_text
from napari_ferry.files.short_texts import count_things
from napari_ferry.files.similar_texts import group_similar
from napari_ferry.saving.target import free_space
from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.plan_summary import Description, seconds_text


class Rates(NamedTuple):
    """Results of a trial: what part of its maximum a file becomes, and the time it takes.

    Parameters
    ----------
    compression : float
        Bytes of a new file, relative to its planned size.
    seconds_per_byte : float
        Seconds per byte of pixels.
    seconds_per_file : float
        Seconds of every file, however small it is.
    """

    compression: float
    seconds_per_byte: float
    seconds_per_file: float = 0.0


class Totals(NamedTuple):
    """What the checked files that are not converted yet become.

    Parameters
    ----------
    n_files, n_known : int
        Number of files, and of those that were looked into.
    nbytes : int
        Bytes of the new files, with those of files that were not looked into as estimated.
    is_encoded : bool
        Whether their size is only a maximum.
    pixels : int
        Bytes of all pixels, estimated likewise.
    """

    n_files: int
    n_known: int
    nbytes: int
    is_encoded: bool
    pixels: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Totals:
        """Add up the pending rows; those that cannot be converted count as empty."""
        pending = [row for row in rows if row.is_pending]
        known = [row.facts for row in pending if row.facts is not None and row.is_inspected]
        factor = len(pending) / len(known) if known else 0
        return cls(
            n_files=len(pending),
            n_known=len(known),
            nbytes=round(factor * sum(each.target_bytes for each in known)),
            is_encoded=any(each.is_encoded for each in known),
            pixels=round(factor * sum(each.pixels for each in known)),
        )


def describe_totals(rows: Sequence[Row], folder: Path, rates: Rates | None) -> Description:
    """Describe the files to convert: number, size, time, free space, and losses."""
    totals = Totals.of(rows)
    free = free_space(folder)
    parts = [_count_text(rows, totals)]
    only = ""
    if totals.n_files and totals.nbytes:
        parts.append(_size_text(totals, rates))
        if rates is not None:
            seconds = rates.seconds_per_file * totals.n_files
            seconds += rates.seconds_per_byte * totals.pixels
            parts.append(f"about {seconds_text(seconds)}")
        needed = totals.nbytes * (rates.compression if rates else 1)
        if needed > free and not (totals.is_encoded and rates is None):
            only = "but only "
    headline = f"{', '.join(parts)}; {only}{size_text(free)}\u00a0free"
    return Description(_keep_units(headline), (f"In {folder}.",), _losses(rows))


def _keep_units(text: str) -> str:
    """Return a text without line breaks between numbers and their units."""
    return re.sub(r"(\d) (?=[a-zA-Z]{1,3}\b)", "\\1\u00a0", text)


def _count_text(rows: Sequence[Row], totals: Totals) -> str:
    done = sum(row.is_checked and row.state == "current" for row in rows)
    text = count_things(totals.n_files, "file")
    return f"{text}, {done:,} up to date" if done else text


def _size_text(totals: Totals, rates: Rates | None) -> str:
    """Return the size of all new files, as exactly as it is known."""
    if rates is not None and totals.is_encoded:
        return f"about {size_text(totals.nbytes * rates.compression)}"
    word = "at most " if totals.is_encoded else "about " if totals.n_known < totals.n_files else ""
    return f"{word}{size_text(totals.nbytes)}"


def _losses(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the losses of all files, each once, with the name or the number of its files."""
    named = [
        (row.name, text)
        for row in rows
        if row.is_pending and row.facts is not None
        for text in row.facts.losses
    ]
    first = {text: name for name, text in reversed(named)}
    return tuple(
        f"{first[text] if count == 1 else count_things(count, 'file')}: {text}"
        for text, count in group_similar(named)
    )
