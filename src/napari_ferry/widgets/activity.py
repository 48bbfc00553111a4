"""Progress of a task: in a bar of its form, or in napari's activity dock while that is hidden."""

from __future__ import annotations

from typing import Any

from napari.utils import cancelable_progress
from qtpy.QtWidgets import QProgressBar

STEPS = 1000
"""Steps of a progress bar."""

_MIN_STEPS = 10
"""Minimum number of steps between updates: every new entry, and every step, redraws the window."""

_BAR_HEIGHT = 6
"""Height of a bar in pixels."""


def steps_of(done: int, total: int) -> int:
    """Return the steps of a bar, out of `STEPS`, for a part of a task."""
    return round(STEPS * done / total) if total else STEPS


def make_bar() -> QProgressBar:
    """Return a thin bar without text, of `STEPS` steps."""
    bar = QProgressBar()
    bar.setRange(0, STEPS)
    bar.setTextVisible(False)
    bar.setFixedHeight(_BAR_HEIGHT)
    return bar


class Activity:
    """Entry in the activity dock, which is made when it is needed first.

    Parameters
    ----------
    description : str
        Name of the task, for display.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self._bar: Any = None

    def open(self) -> bool:
        """Make the entry; return False if there is one."""
        if self._bar is not None:
            return False
        self._bar = cancelable_progress(total=STEPS, desc=self.description)
        return True

    def update(self, steps: int) -> None:
        """Show the progress, out of `STEPS`, if there is an entry."""
        if self._bar is not None and steps - self._bar.n >= _MIN_STEPS:
            self._bar.update(steps - self._bar.n)

    @property
    def is_cancelled(self) -> bool:
        """Whether the user clicked *Cancel* in the activity dock."""
        return self._bar is not None and bool(self._bar.is_canceled)

    def close(self) -> None:
        """Remove the entry."""
        if self._bar is not None:
            self._bar.close()
