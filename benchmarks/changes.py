"""``python -m benchmarks.changes``: what becomes of the window when files change while shown.

Each format is shown in a real window of its own process. Its file is shortened, written anew,
replaced or removed, in an order made from a seed; after each change the mouse moves over the
canvas, the contrast limits change, by hand and automatically, a slider moves, the thumbnail is
drawn, and the layer is saved. The goal: no process ends, the window answers, and everything that
napari says is a sentence of this package.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIDE, FRAMES = 200, 24
PLUGIN = "napari-ferry"


def main() -> int:
    """Change files of each format, and print what happened; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.changes", description=__doc__)
    parser.add_argument("--formats", nargs="+", default=[*WRITERS], choices=[*WRITERS])
    parser.add_argument("--changes", type=int, default=50, help="of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--screenshots", type=Path, help="folder for a picture of each window")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(change_files(options)))
        return 0

    failed = 0
    print("| format | changes | deaths | sentences | most for one action | other errors |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in options.formats:
        found = _in_fresh_process(name, options)
        print(_row(name, found), flush=True)
        failed += bool(found["deaths"] or found["others"] or found["most"] > 1)
        for other, count in found["others"].items():
            print(f"{count} x {other}", file=sys.stderr)
    return int(failed > 0)


def _in_fresh_process(name: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.changes", "--child", "--formats", name]
    command += ["--changes", str(options.changes), "--seed", str(options.seed)]
    if options.screenshots:
        command += ["--screenshots", str(options.screenshots.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
        return {"changes": 0, "deaths": 1, "sentences": {}, "others": {}, "most": 0}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "deaths": 0}


def _row(name: str, found: dict[str, Any]) -> str:
    sentences, others = (sum(found[key].values()) for key in ("sentences", "others"))
    counts = (found["changes"], found["deaths"], sentences, found["most"], others)
    return f"| {name} | {' | '.join(map(str, counts))} |"


# --- the files --------------------------------------------------------------------------------


def _movie(seed: int) -> Any:
    pixels = np.random.default_rng(seed).integers(0, 255, (FRAMES, SIDE // 8, SIDE // 8), np.uint8)
    return np.repeat(np.repeat(pixels, 8, 1), 8, 2)


def _save(suffix: str) -> Callable[[Path, int], Path]:
    def write(folder: Path, seed: int) -> Path:
        from napari_ferry import imsave

        imsave(_movie(seed), folder / f"a{suffix}")
        return folder / f"a{suffix}"

    return write


def _write_deflate(folder: Path, seed: int) -> Path:
    import tifffile

    tifffile.imwrite(folder / "a.tif", _movie(seed), compression="zlib", photometric="minisblack")
    return folder / "a.tif"


def _write_set(folder: Path, seed: int) -> Path:
    """Write an OME-TIFF set of two files."""
    from napari_ferry import imsave

    movie = _movie(seed)
    imsave(movie, folder / "a.ome.tif", size_cap=(movie.nbytes / 2 + 30_000) / 1e9)
    return folder / "a_00000.ome.tif"


def _write_folder(folder: Path, seed: int) -> Path:
    import tifffile

    (folder / "frames").mkdir()
    for i, frame in enumerate(_movie(seed)):
        tifffile.imwrite(folder / "frames" / f"{i:03}.tif", frame)
    return folder / "frames"


WRITERS: dict[str, Callable[[Path, int], Path]] = {
    "tif": _save(".tif"),
    "deflate tif": _write_deflate,
    "ome.tif set": _write_set,
    "raw": _save(".bin"),
    "mp4": _save(".mp4"),
    "mkv": _save(".mkv"),
    "gif": _save(".gif"),
    "folder of tif": _write_folder,
}


# --- the changes ------------------------------------------------------------------------------


def _truncate(file: Path, new: Path, chance: random.Random) -> None:
    os.truncate(file, chance.randrange(file.stat().st_size))


def _write_anew(file: Path, new: Path, chance: random.Random) -> None:
    file.write_bytes(new.read_bytes())


def _replace(file: Path, new: Path, chance: random.Random) -> None:
    new.replace(file)


def _replace_by_garbage(file: Path, new: Path, chance: random.Random) -> None:
    new.write_bytes(chance.randbytes(chance.randrange(5000)))
    new.replace(file)


def _remove(file: Path, new: Path, chance: random.Random) -> None:
    file.unlink()


def _grow(file: Path, new: Path, chance: random.Random) -> None:
    with file.open("ab") as end:
        end.write(bytes(5000))


CHANGES = (_truncate, _truncate, _write_anew, _replace, _replace_by_garbage, _remove, _grow)


class Notices:
    """What napari says, and the errors behind it."""

    def __init__(self) -> None:
        self.sentences: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.most = 0
        """Most sentences for a single action."""

    def __enter__(self) -> Notices:
        from napari.utils.notifications import notification_manager

        notification_manager.notification_ready.connect(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        from napari.utils.notifications import notification_manager

        notification_manager.notification_ready.disconnect(self._note)

    def _note(self, notification: Any) -> None:
        from napari_ferry import FerryError

        error = getattr(notification, "exception", None)
        if isinstance(error, FerryError):
            self.sentences[type(error).__name__] += 1
        elif str(notification.severity) in ("error", "Severity.ERROR") or error is not None:
            trace = traceback.format_exception(error) if error else [notification.message]
            self.others["".join(trace)[-1500:]] += 1


def change_files(options: argparse.Namespace) -> dict[str, Any]:
    """Show and change the files of one format; return the counts."""
    import napari
    from napari.utils.notifications import notification_manager
    from qtpy.QtTest import QTest

    (name,) = options.formats
    chance = random.Random(f"{name} {options.seed}")
    viewer = napari.Viewer(title=name)
    with notification_manager, tempfile.TemporaryDirectory(prefix="ferry-bench-") as folder:
        with Notices() as notices:
            for i in range(options.changes):
                show_and_change(viewer, name, Path(folder, str(i)), chance, notices)
                if options.screenshots and i == options.changes - 1:
                    _take_picture(viewer, options.screenshots / f"{name}.png")
                viewer.layers.clear()
                dismiss(viewer)
                shutil.rmtree(Path(folder, str(i)))
        viewer.close()
        QTest.qWait(100)
    counts = {key: vars(notices)[key] for key in ("sentences", "others", "most")}
    return {"changes": options.changes, **counts}


def show_and_change(
    viewer: Any, name: str, place: Path, chance: random.Random, notices: Notices
) -> None:
    """Write a file, show it, change it, and use its layer."""
    from qtpy.QtTest import QTest

    for part in ("old", "new"):
        (place / part).mkdir(parents=True)
    path = WRITERS[name](place / "old", chance.randrange(1 << 30))
    WRITERS[name](place / "new", chance.randrange(1 << 30))
    viewer.open(path, plugin=PLUGIN)
    QTest.qWait(30)
    _change(path, place, chance)
    _use(viewer, place / f"saved{chance.choice(['.tif', '.bin', '.gif'])}", chance, notices)


def _change(path: Path, place: Path, chance: random.Random) -> None:
    """Change one file of a data set, or all of a folder."""
    files = sorted(path.parent.rglob("*.*") if path.is_dir() else path.parent.iterdir())
    files = [file for file in files if file.is_file()]
    change = chance.choice(CHANGES)
    for file in files if chance.random() < 0.5 else [chance.choice(files)]:
        new = place / "new" / file.relative_to(place / "old")
        change(file, new, chance)
        if file.exists():
            os.utime(file, ns=(0, chance.randrange(1 << 60)))


def _use(viewer: Any, target: Path, chance: random.Random, notices: Notices) -> None:
    """Do what a person does, in any order, within the event loop as Qt calls it."""
    from qtpy.QtCore import QPoint, QTimer
    from qtpy.QtTest import QTest

    canvas = viewer.window._qt_viewer.canvas.native
    layer = viewer.layers[0]

    def move_mouse() -> None:
        x, y = (chance.randrange(20, length - 20) for length in (canvas.width(), canvas.height()))
        QTest.mouseMove(canvas, QPoint(x, y))

    def move_slider() -> None:
        viewer.dims.set_current_step(0, chance.randrange(FRAMES))

    def set_contrast() -> None:
        layer.contrast_limits = (chance.randrange(50), chance.randrange(60, 255))

    actions = [move_mouse] * 4 + [move_slider] * 4 + [set_contrast, layer.reset_contrast_limits]
    actions += [layer._update_thumbnail, layer.refresh]
    actions += [lambda: viewer.layers.save(str(target), plugin=PLUGIN)]
    chance.shuffle(actions)
    for action in actions:
        before = notices.sentences.total()
        QTimer.singleShot(0, action)
        QTest.qWait(50)
        notices.most = max(notices.most, notices.sentences.total() - before)


def _take_picture(viewer: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    viewer.window._qt_window.grab().save(str(path))


def dismiss(viewer: Any) -> None:
    """Forget what napari has said; its errors keep alive what they are about."""
    from napari._qt.dialogs.qt_notification import NapariQtNotification
    from napari.utils.notifications import notification_manager
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    for notification in viewer.window._qt_window.findChildren(NapariQtNotification):
        notification.close()
        notification.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    notification_manager.records.clear()


if __name__ == "__main__":
    sys.exit(main())
