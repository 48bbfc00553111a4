"""Make the pictures of the README and the guides from real windows: ``make pictures``.

Each picture of a window is made in napari's light theme, as ``name.png``, and in its dark theme, as
``name-dark.png``; the site shows the one of its own theme.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from napari_ferry import Image, imsave, render, save_gif
from napari_ferry.cli.demo import show_demo
from napari_ferry.layers.layer_data import to_layers
from napari_ferry.plugin.samples import calcium_movie, moving_cells, raw_recording, z_stack
from napari_ferry.plugin.viewer import viewer_images

PICTURES = Path(__file__).parent / "pictures"

_GAP = 12
_FRAME = 40
_GIF_SIZE = 1100, 700
_GIF_RATE = 5


def main() -> int:
    """Write every picture; return 1 if a picture or a saved file is not as expected."""
    PICTURES.mkdir(exist_ok=True)
    with _home() as folder:
        statuses = [_show_windows(theme, folder) for theme in ("light", "dark")]
        _draw_overlays()
        _record_first_export()
        return max(*statuses, _compare_with_the_canvas())


def _show_windows(theme: str, folder: Path) -> int:
    """Write the pictures of windows in a theme of napari; return 1 if a saved file is wrong."""
    from napari.settings import get_settings

    get_settings().appearance.theme = theme
    suffix = "" if theme == "light" else f"-{theme}"
    _show_export(suffix)
    _show_repair(folder, suffix)
    _show_convert(folder, suffix)
    _empty(folder)
    return show_demo(PICTURES / f"window{suffix}.png")


def _empty(folder: Path) -> None:
    """Remove what was saved in a folder, so that no form asks whether to replace it."""
    for path in folder.iterdir():
        if not path.name.startswith("."):  # the icons of napari
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _home() -> Iterator[Path]:
    """Yield an empty home folder, whose short path the pictures show; ignore napari's settings."""
    folder = Path(tempfile.gettempdir(), "movies")
    folder.mkdir()
    os.environ |= {"HOME": str(folder), "NAPARI_CONFIG": ""}
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _compare_with_the_canvas() -> int:
    """Show the same layers drawn by napari's canvas and by `render`; return 1 if they differ."""
    import napari
    from napari.layers import Layer

    viewer = napari.Viewer()
    movie, cells = calcium_movie()
    for data in to_layers([movie, cells]):
        viewer.add_layer(Layer.create(*data))
    viewer.layers[0].colormap, viewer.layers[0].gamma = "magma", 0.8
    viewer.layers[1].contour = 1
    viewer.dims.set_current_step(0, _FRAME)
    canvas = viewer.export_figure(flash=False)[..., :3]
    images = viewer_images([layer.as_layer_data_tuple() for layer in viewer.layers])
    drawn = np.asarray(render(images).array[_FRAME])
    viewer.close()
    gap = np.full((len(canvas), _GAP, 3), 255, np.uint8)
    _write("as_seen.png", np.concatenate([canvas, gap, drawn], axis=1))
    return int(np.abs(canvas.astype(int) - drawn).max() > 2)


def _show_export(suffix: str) -> None:
    """Show the form of an export: ready, without layers, in progress, and done; and for data."""
    import napari
    from napari.layers import Layer
    from qtpy.QtCore import Qt

    from napari_ferry.widgets.export.export_widget import Export

    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    for data in to_layers(moving_cells(frames=600)):  # long enough to see the progress
        viewer.add_layer(Layer.create(*data))
    viewer.dims.set_current_step(0, _FRAME)
    widget = Export(viewer)
    widget.show_tab(is_movie=True)
    viewer.window.add_dock_widget(widget, name="Export")
    _wait_until(lambda: widget.is_complete)
    movie = widget.movie
    _wait_until(lambda: movie.ready is not None and "about" in movie.summary.text())
    _wait_until(lambda: movie.preview.picture.pixmap().width() > 1)
    _shoot(viewer, f"export{suffix}.png")

    layers = [movie.fields.layer_list.item(i) for i in range(len(viewer.layers))]
    for layer in layers:
        layer.setCheckState(Qt.CheckState.Unchecked)
    _wait(1)
    _shoot(viewer, f"not_exported{suffix}.png")

    movie.fields.follow_button.click()
    _wait_until(lambda: movie.ready is not None)
    _wait_until(lambda: movie.preview.picture.pixmap().width() > 1)
    movie.button.click()
    started = widget.jobs.running
    _wait_until(lambda: started.bar.value() > 0 or widget.jobs.running is None)
    _shoot(viewer, f"exporting{suffix}.png")
    _wait_until(lambda: widget.jobs.running is None)
    _wait(1)  # for the buttons of the finished export
    _shoot(viewer, f"exported{suffix}.png")

    widget.show_tab(is_movie=False)
    _wait_until(lambda: widget.data.ready is not None)
    _wait(1)
    _shoot(viewer, f"export_data{suffix}.png")
    viewer.close()


def _record_first_export() -> None:
    """Record a first export, from the sample to the finished file; the plugin saves the GIF."""
    import napari
    from napari.layers import Layer

    from napari_ferry.widgets.export.export_widget import Export

    frames: list[np.ndarray] = []
    viewer = napari.Viewer()
    viewer.window.resize(*_GIF_SIZE)
    record = partial(_record, viewer, frames)
    record(1)
    for data in to_layers(moving_cells(frames=300)):
        viewer.add_layer(Layer.create(*data))
    for step in range(0, 2 * _FRAME, 8):
        viewer.dims.set_current_step(0, step)
        record(0.2)

    widget = Export(viewer)
    widget.show_tab(is_movie=True)
    viewer.window.add_dock_widget(widget, name="Export")
    movie = widget.movie
    record(0.2)
    _wait_until(lambda: widget.is_complete and movie.ready is not None)
    _wait_until(lambda: "about" in movie.summary.text())
    record(2)
    movie.button.click()
    started = widget.jobs.running
    while widget.jobs.running is not None and started.bar.value() < started.bar.maximum():
        record(0.2)
    _wait(1)  # for the buttons of the finished export
    record(3)
    viewer.close()
    save_gif(PICTURES / "first-export.gif", frames, _GIF_RATE, overwrite=True)


def _record(viewer: Any, frames: list[np.ndarray], seconds: float) -> None:
    """Add screenshots of the window for some seconds of a recording."""
    _wait(0.05)
    shot = viewer.screenshot(canvas_only=False, flash=False)[..., :3]
    frames += [shot] * round(seconds * _GIF_RATE)


def _show_repair(folder: Path, suffix: str) -> None:
    """Show the layouts of a raw file, and the note about a value that does not fit."""
    import napari

    from napari_ferry.widgets.repair.repair_widget import RepairMetadata

    path, _ = raw_recording(folder)
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    widget = RepairMetadata(viewer)
    viewer.window.add_dock_widget(widget, name="Repair binary metadata")
    widget.open_paths([path])
    _wait_until(lambda: len(widget.candidate_list.icons) > 4 and bool(widget.preview.layers))
    viewer.dims.set_current_step(0, _FRAME)
    _wait(1)
    _shoot(viewer, f"repair{suffix}.png")

    widget.numbers.toggleButton().click()
    widget.form.fields["x"].setValue(191)
    _wait_until(widget.question.use_button.isVisible)
    _wait(1)
    _shoot(viewer, f"repair_number{suffix}.png")
    viewer.close()


def _show_convert(folder: Path, suffix: str) -> None:
    """Show a folder to convert, and a batch that has ended."""
    import napari

    from napari_ferry.widgets.convert.convert_widget import ConvertFolder

    recordings = folder / "recordings"
    for k in range(1, 31):
        movie, _ = calcium_movie(frames=60, size=128, seed=k)
        imsave(movie, recordings / f"recording {k}.tif")
    (recordings / "recording 4.tif").write_bytes(b"II*\0")
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    widget = ConvertFolder(viewer)
    viewer.window.add_dock_widget(widget, name="Convert folder")
    _wait_until(lambda: widget.is_complete)
    panel = widget.panel
    panel.set_sources([recordings])
    _wait_until(lambda: panel.rates is not None)
    _wait(2)
    _shoot(viewer, f"convert{suffix}.png")

    panel.button.click()
    _wait_until(lambda: not panel.is_running, 120)
    panel.rows.select(3)
    _wait(1)
    _shoot(viewer, f"converted{suffix}.png")
    viewer.close()


def _shoot(viewer: Any, name: str) -> None:
    """Save a screenshot of the window."""
    viewer.screenshot(str(PICTURES / name), canvas_only=False, flash=False)


def _wait_until(is_done: Callable[[], bool], seconds: float = 30) -> None:
    """Process events of the window until a condition is met, or for some seconds."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not is_done() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def _wait(seconds: float) -> None:
    """Process events of the window for some seconds."""
    _wait_until(lambda: False, seconds)


def _draw_overlays() -> None:
    """Show a frame with every overlay."""
    stack: Image = z_stack()
    frames = render(
        [stack],
        scale=2,
        time_stamp="top_left",
        scale_bar="bottom_right",
        color_bar="top_right",
        text="fixed tissue",
        text_corner="bottom_left",
    )
    _write("overlays.png", np.asarray(frames.array[frames.shape[0] // 2]))


def _write(name: str, pixels: np.ndarray) -> None:
    Picture.fromarray(pixels).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    raise SystemExit(main())
