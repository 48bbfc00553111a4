"""Progress of a task in napari's activity dock, while its own form is hidden."""

from __future__ import annotations

from typing import Any

from napari.utils import cancelable_progress

STEPS = 1000
"""Steps of a progress bar."""

_MIN_STEPS = 10
"""Minimum number of steps between updates: every new entry, and every step, redraws the window."""


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
