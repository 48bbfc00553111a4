"""Creation of widgets in steps; between them, the window handles other events."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Steps(Generic[_T]):
    """Creation of a widget, in steps too short to be noticed.

    Parameters
    ----------
    steps : generator
        Ends each step with ``yield``, and returns the widget.
    """

    def __init__(self, steps: Generator[None, None, _T]) -> None:
        self._steps = self._run(steps)
        self.is_begun = False
        self.result: _T | None = None

    def _run(self, steps: Generator[None, None, _T]) -> Iterator[None]:
        self.is_begun = True
        self.result = yield from steps

    def take(self) -> None:
        """Take the next step, if there is one."""
        next(self._steps, None)

    def finish(self) -> _T:
        """Take the remaining steps, and return the widget."""
        result = self.end()
        assert result is not None, "a step has failed"
        return result

    def end(self) -> _T | None:
        """Take the remaining steps; return the widget, or ``None`` if a step has failed."""
        for _ in self._steps:
            pass
        return self.result
