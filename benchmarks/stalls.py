"""``python -m benchmarks.stalls``: how long the window stands still while 4 GB are saved.

A layer whose frames are made by code is saved as *File > Save Selected Layers...* does, and
exported from the dock *Export*, and a folder of files is listed and converted in the dock *Convert
folder*, in a real window; a timer ticks in its event loop, and the longest time between two ticks,
from the click to the end, is the stall. The goal is 50 ms. The first save
of a session and the opening of the dock import modules, and are listed apart; they must be
compiled, so run it twice, without PYTHONDONTWRITEBYTECODE. Of the opening, adding even an empty
dock is part of what napari does. Beside it stands what napari alone takes to draw itself, while one
of its own threads writes the same frames through imageio, and its own progress bar shows how many.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.pixels import Noise

GOAL = 0.05
TICK = 5
"""Milliseconds between ticks."""

COLLECTIONS: list[tuple[float, float]] = []
"""Begin and end of each full collection of garbage, in seconds."""

N_FILES = 40
"""Files of the folder that is converted."""

FRAME = (512, 512)
FRAME_BYTES = 2 * FRAME[0] * FRAME[1]


def main() -> int:
    """Measure each format, and print the longest stalls; 1 when one is longer than the goal."""
    parser = argparse.ArgumentParser(prog="benchmarks.stalls", description=__doc__)
    parser.add_argument("--bytes", type=float, default=4e9, help="of the layer")
    parser.add_argument("--folder", type=Path, help="where files are written and removed")
    parser.add_argument("--formats", nargs="+", default=[".tif", ".mp4"])
    parser.add_argument("--parts", nargs="+", choices=(*PARTS, NAPARI), default=(*PARTS, NAPARI))
    options = parser.parse_args()
    gc.callbacks.append(_note_collection)
    worst = 0.0
    for suffix in options.formats:
        for measure in (PARTS[name] for name in options.parts if name in PARTS):
            with tempfile.TemporaryDirectory(prefix="ferry-bench-", dir=options.folder) as folder:
                worst = max(worst, measure(Path(folder), suffix, int(options.bytes)))
    if NAPARI in options.parts:
        with tempfile.TemporaryDirectory(prefix="ferry-bench-", dir=options.folder) as folder:
            measure_napari(Path(folder, "napari.tif"), int(options.bytes))
    garbage = sorted((b - a for a, b in COLLECTIONS), reverse=True)
    print(f"besides, Python collected garbage for {_text(garbage)}")
    return int(worst > GOAL)


def measure_export(folder: Path, suffix: str, nbytes: int) -> float:
    """Export a layer in one format, print how long the window stood still, and return it."""
    import napari
    from qtpy.QtTest import QTest

    viewer = napari.Viewer()
    _add(viewer, nbytes)
    QTest.qWait(1000)
    docks: list[Any] = []

    def open_dock() -> None:
        docks.append(viewer.window.add_plugin_dock_widget("napari-ferry", "Export")[1])

    before = _watch(open_dock, lambda: docks[0].is_complete and docks[0].current.ready)
    (widget,) = docks
    widget.show_tab(is_movie=suffix != ".tif")
    tab = widget.current
    fields = tab.fields
    fields.target.folder = folder
    fields.format.value = next(c for c in fields.format.choices if suffix in c.suffixes)
    fields.target.suggest("data")
    planning = _watch(tab.schedule, lambda: tab.ready is not None)
    QTest.qWait(1000)
    started = time.perf_counter()
    during = _watch(tab.button.click, lambda: widget.jobs.running is None)
    seconds = time.perf_counter() - started
    said = next(label for label in _labels(widget.jobs) if label.startswith("data"))
    print(
        f"{said}: {seconds:.1f} s, longest stalls {_text(during)}; opening the dock "
        f"{_text(before)}, planning {_text(planning)}"
    )
    viewer.close()
    QTest.qWait(100)
    return max(during)


def measure_save(folder: Path, suffix: str, nbytes: int) -> float:
    """Save a layer as napari's menu does, print how long the window stood still, and return it."""
    import napari
    from qtpy.QtTest import QTest

    viewer = napari.Viewer()
    stalls: list[list[float]] = []
    for name, count in (("first", 10 * FRAME_BYTES), ("data", nbytes)):
        viewer.layers.clear()
        _add(viewer, count)
        QTest.qWait(1000)
        path, started = folder / f"{name}{suffix}", time.perf_counter()
        save = partial(viewer.layers.save, str(path), plugin="napari-ferry")
        stalls.append(_watch(save, lambda: True))  # it returns when the file is complete
    seconds = time.perf_counter() - started
    first, during = stalls
    size = sum(part.stat().st_size for part in folder.glob("data*"))
    print(
        f"File > Save, {path.name}, {size / 1e9:.3g} GB: {seconds:.1f} s, longest stalls "
        f"{_text(during)}; of the first save {_text(first)}"
    )
    viewer.close()
    QTest.qWait(100)
    return max(during)


def measure_convert(folder: Path, suffix: str, nbytes: int) -> float:
    """Convert a folder in the dock, print how long the window stood still, and return it."""
    import napari
    from qtpy.QtTest import QTest

    source = folder / "recordings"
    _make_files(source, nbytes)
    viewer = napari.Viewer()
    QTest.qWait(1000)
    docks: list[Any] = []

    def open_dock() -> None:
        docks.append(viewer.window.add_plugin_dock_widget("napari-ferry", "Convert folder")[1])

    opening = _watch(open_dock, lambda: docks[0].is_complete)
    panel = docks[0].panel
    field = panel.formats.format
    field.value = next(c for c in field.choices if suffix in c.suffixes)
    panel.targets.restore("", "{name}")
    QTest.qWait(1000)
    listing = _watch(lambda: panel.set_sources([source]), lambda: _is_described(panel))
    started = time.perf_counter()
    during = _watch(panel.button.click, lambda: not panel.is_running)
    seconds = time.perf_counter() - started
    print(
        f"Convert folder, {N_FILES} files to {suffix}, {panel.report.summary}: {seconds:.1f} s, "
        f"longest stalls {_text(during)}; opening the dock {_text(opening)}, listing "
        f"{_text(listing)}"
    )
    viewer.close()
    QTest.qWait(100)
    return max(*during, *listing)


def _make_files(folder: Path, nbytes: int) -> None:
    """Save `N_FILES` recordings, of some bytes together."""
    from napari_ferry import Image, imsave
    from napari_ferry.arrays import Frames

    count = max(1, nbytes // FRAME_BYTES // N_FILES)
    for number in range(N_FILES):
        data = Frames(Noise(), (count, *FRAME), "uint16", 1)
        imsave(Image.from_array(data, "tyx"), folder / f"recording {number}.tif")


def _is_described(panel: Any) -> bool:
    """Return True once a folder is listed, and the time of its conversion is estimated."""
    is_busy = panel.is_searching or panel.is_inspecting or panel.is_describing or panel.is_trying
    is_known = panel.rows.rows and all(row.is_inspected for row in panel.rows.rows)
    return bool(is_known and panel.rates and not is_busy and not panel.is_changed)


def measure_napari(path: Path, nbytes: int) -> None:
    """Print how long napari stands still while a thread of its own writes the same frames."""
    import napari
    from napari.qt.threading import create_worker
    from napari.utils import progress
    from qtpy.QtTest import QTest

    viewer = napari.Viewer()
    _add(viewer, nbytes)
    QTest.qWait(1000)
    nframes, ended = nbytes // FRAME_BYTES, threading.Event()

    def start() -> None:
        shown = progress(total=nframes, desc="write")
        worker = create_worker(_write, path, nframes)
        worker.yielded.connect(lambda count: shown.update(count - shown.n))
        worker.finished.connect(shown.close)
        worker.finished.connect(ended.set)
        worker.start()

    print(f"napari alone: longest stalls {_text(_watch(start, ended.is_set))}")
    viewer.close()
    QTest.qWait(100)


PARTS: dict[str, Callable[[Path, str, int], float]] = {
    "save": measure_save,
    "export": measure_export,
    "convert": measure_convert,
}
NAPARI = "napari"


def _write(path: Path, nframes: int) -> Iterator[int]:
    """Write frames through imageio; give the number of those that are written, now and then."""
    import imageio.v2 as imageio

    make, said = Noise(), time.perf_counter()
    with imageio.get_writer(path) as writer:
        for i in range(nframes):
            writer.append_data(make(i))
            if time.perf_counter() - said > 0.2:
                said = time.perf_counter()
                yield i


def _add(viewer: Any, nbytes: int) -> None:
    from napari_ferry.arrays import Frames

    shape = (nbytes // FRAME_BYTES, *FRAME)
    data = Frames(Noise(), shape, "uint16", 1)
    viewer.add_image(data, contrast_limits=(0, 4096), scale=(0.1, 1, 1), units=("s", "um", "um"))


def _watch(start: Any, is_done: Any) -> list[float]:
    """Return the seconds between ticks of the event loop, the longest first, until it is done.

    Collections of garbage, which Python begins in any thread, are left out: `main` prints them.
    """
    from qtpy.QtCore import QTimer
    from qtpy.QtTest import QTest

    ticks: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(TICK)
    QTest.qWait(50)
    start()
    QTest.qWait(50)
    while not is_done():
        QTest.qWait(50)
    timer.stop()
    return sorted((b - a - _garbage_seconds(a, b) for a, b in pairwise(ticks)), reverse=True)


def _note_collection(phase: str, info: dict[str, int]) -> None:
    """Note when a full collection of garbage begins and ends; the others are short."""
    if info["generation"] < 2:
        return
    if phase == "start":
        COLLECTIONS.append((time.perf_counter(), time.perf_counter()))
    else:
        COLLECTIONS[-1] = (COLLECTIONS[-1][0], time.perf_counter())


def _garbage_seconds(begin: float, end: float) -> float:
    """Return the time of collections between two ticks; one may begin just before a tick."""
    return sum(max(0.0, min(b, end) - max(a, begin)) for a, b in COLLECTIONS)


def _labels(widget: Any) -> list[str]:
    from qtpy.QtWidgets import QLabel

    return [label.text() for label in widget.findChildren(QLabel)]


def _text(gaps: list[float]) -> str:
    return ", ".join(f"{1000 * gap:.0f}" for gap in gaps[:5]) + " ms"


if __name__ == "__main__":
    sys.exit(main())
