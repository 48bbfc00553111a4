"""Saves in another thread while the window stays responsive."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qtpy.QtCore import QEventLoop, QTimer

from napari_ferry.saving import Plan, Progress, run

_POLL_INTERVAL = 20
"""Milliseconds between checks whether a save in another thread is done."""


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
    loop, timer = QEventLoop(), QTimer()
    with ThreadPoolExecutor(1, "ferry-save") as pool:
        saved = pool.submit(run, plan, overwrite=overwrite, progress=progress, cancel=cancel)

        def quit_when_done() -> None:
            if saved.done():
                loop.quit()

        timer.timeout.connect(quit_when_done)
        timer.start(_POLL_INTERVAL)
        loop.exec()
        timer.stop()
        return saved.result()
