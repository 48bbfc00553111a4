"""Rows of the list: a data set, what is known of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.progress import size_text
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.output_names import TargetNumbers
from napari_ferry.batch.report import Outcome
from napari_ferry.widgets.convert.convert_words import in_form_words

State = Literal["new", "current", "exists", "running", "converted", "failed", "kept", "shared"]

_WORDS: dict[State, str] = {
    "new": "",
    "current": "up to date",
    "exists": "exists",
    "converted": "done",
    "failed": "failed",
    "kept": "kept",
    "shared": "same name",
}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a data set, and of its conversion.

    Parameters
    ----------
    shape : str
        Its axes and data type, such as ``t 100, y 64, x 64, uint16``.
    axes : tuple of str
        Names of its axes of several positions besides those of a frame and the channels.
    n_images : int
        Number of its images.
    stored : int
        Size of its files in bytes.
    pixels : int
        Bytes of the pixels to convert.
    target_bytes : int
        Size of the new files in bytes; at most, if encoded.
    is_encoded : bool
        Whether the size is only a maximum.
    losses : tuple of str
        What the format does not store.
    state : {"new", "current", "exists", "failed"}
        Whether it is to be converted.
    error : str
        Why it cannot be converted, in one sentence.
    """

    shape: str = ""
    axes: tuple[str, ...] = ()
    n_images: int = 1
    stored: int = 0
    pixels: int = 0
    target_bytes: int = 0
    is_encoded: bool = False
    losses: tuple[str, ...] = ()
    state: State = "new"
    error: str = ""


@dataclass(kw_only=True)
class Row:
    """A data set of the list.

    Parameters
    ----------
    input : Input
        The data set.
    is_checked : bool
        Whether it is to be converted.
    facts : Facts, optional
        What is known of it; None before it was looked into.
    is_inspected : bool
        Whether the facts are those of the present options and numbers.
    is_planned : bool
        Whether the facts except the state are those of the present options.
    numbers : TargetNumbers, optional
        Numbers of its targets in the batch, if its names have them and they are known.
    conflict : str
        Sentence about another data set with the same target; empty without one.
    thumbnail : numpy.ndarray, optional
        Small picture, uint8; None before it was drawn, or without one.
    is_drawn : bool
        Whether its picture has been drawn, or cannot be.
    share : float, optional
        Part that is converted, 0 to 1, while it is.
    outcomes : list of Outcome
        What became of it, one for each of its targets.
    n_targets : int
        Number of its targets, several if each image has one.
    """

    input: Input
    is_checked: bool = True
    facts: Facts | None = None
    is_inspected: bool = False
    is_planned: bool = False
    numbers: TargetNumbers | None = None
    conflict: str = ""
    thumbnail: NDArray[np.uint8] | None = None
    is_drawn: bool = False
    share: float | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    n_targets: int = 1

    @property
    def name(self) -> str:
        """Name for display, with its folder in a recursive search."""
        name = Path(self.input.source).name
        return (self.input.folder / name).as_posix()

    @property
    def is_done(self) -> bool:
        """Whether something became of each of its targets."""
        return len(self.outcomes) >= self.n_targets

    @property
    def state(self) -> State:
        """What becomes of it, or became."""
        if self.share is not None:
            return "running"
        statuses = {outcome.status for outcome in self.outcomes}
        if "failed" in statuses:
            return "failed"
        if not self.is_done:
            if self.conflict:
                return "shared"
            return "new" if self.facts is None else self.facts.state
        if "converted" in statuses:
            return "converted"
        return "current" if self.outcomes[0].target is not None else "kept"

    @property
    def state_text(self) -> str:
        """The state in a word or two, or the progress."""
        if self.share is not None:
            return f"{100 * self.share:.0f} %"
        text = _WORDS[self.state]
        return f"{text}, see below" if self.has_warnings else text

    @property
    def has_warnings(self) -> bool:
        """Whether something was assumed or left out in its conversion."""
        return any(outcome.warnings for outcome in self.outcomes)

    @property
    def problem(self) -> str:
        """Sentence about why it was not converted, or cannot be; empty without problem."""
        for outcome in self.outcomes:
            if outcome.status == "failed" or (outcome.status == "skipped" and not outcome.target):
                return in_form_words(outcome.message)
        if self.outcomes:
            return ""
        return self.conflict or (self.facts.error if self.facts is not None else "")

    @property
    def summary(self) -> str:
        """Line below the name."""
        if self.problem:
            return self.problem
        if self.facts is None:
            return "..."
        parts = [self.facts.shape, size_text(self.facts.stored)]
        size = sum(outcome.target_bytes for outcome in self.outcomes)
        if self.state == "converted":
            parts = [f"{size_text(self.facts.stored)} → {size_text(size)}", self.facts.shape]
        return ", ".join(filter(None, parts))

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings and losses of its conversion, or the losses that are expected."""
        found = [text for outcome in self.outcomes for text in (*outcome.warnings, *outcome.losses)]
        if not found and self.facts is not None:
            found = [*self.facts.losses]
        return tuple(dict.fromkeys(map(in_form_words, found)))

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was converted to."""
        return tuple(path for outcome in self.outcomes for path in outcome.files)

    @property
    def is_pending(self) -> bool:
        """Whether it is checked and not known to be converted already."""
        return self.is_checked and self.state not in ("current", "converted")
