"""Saves in another thread while the window stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari_ferry.saving import Plan, Progress, run
from napari_ferry.widgets.worker import call_in_thread


def run_in_thread(
    plan: Plan,
    *,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Run a save in another thread and wait for it, while the event loop of this one runs.

    Parameters
    ----------
    plan, overwrite, progress, cancel
        As for `napari_ferry.run`. `progress` and `cancel` are called in the other thread.

    Returns
    -------
    list of Path
        Files written.
    """
    has_quit = threading.Event()

    def is_cancelled() -> bool:
        """Return True if the application quits, or the save is cancelled."""
        return has_quit.is_set() or bool(cancel and cancel())

    return call_in_thread(
        partial(run, plan, overwrite=overwrite, progress=progress, cancel=is_cancelled),
        on_quit=has_quit.set,
    )
