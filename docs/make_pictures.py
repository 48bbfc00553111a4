"""Make the pictures of README and guides from the real window: ``make docs``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from napari_ferry import Image, render
from napari_ferry.cli.demo import show_demo
from napari_ferry.layers.layer_data import to_layers
from napari_ferry.plugin.samples import calcium_movie, moving_cells, raw_recording, z_stack
from napari_ferry.plugin.viewer import viewer_images

PICTURES = Path(__file__).parent / "pictures"

_GAP = 12
_FRAME = 40


def main() -> int:
    """Write every picture; return 1 when one does not show what it has to."""
    PICTURES.mkdir(exist_ok=True)
    _draw_overlays()
    _show_export()
    _show_repair()
    return max(_compare_with_the_canvas(), show_demo(PICTURES / "window.png"))


def _compare_with_the_canvas() -> int:
    """Show the same layers as the viewer's canvas and as `render` draw them, side by side."""
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


def _show_export() -> None:
    """Show the form of an export: before the click, under way, done, and with nothing to do."""
    import napari
    from napari.layers import Layer
    from qtpy.QtCore import Qt

    from napari_ferry.widgets.export.export_widget import ExportMovie

    with tempfile.TemporaryDirectory() as folder:
        viewer = napari.Viewer()
        viewer.window.resize(1280, 800)
        for data in to_layers(moving_cells()):
            viewer.add_layer(Layer.create(*data))
        widget = ExportMovie(viewer)
        viewer.window.add_dock_widget(widget, name="Export movie")
        widget.fields.target.line.setText(str(Path(folder, "cells.mp4")))
        _wait_until(lambda: widget.ready is not None)
        _wait_until(lambda: widget.preview.picture.pixmap().width() > 1)
        _shoot(viewer, "export.png")
        widget.button.click()
        begun = widget.jobs.running
        _wait_until(lambda: begun.bar.value() > 0 or widget.jobs.running is None)
        _shoot(viewer, "exporting.png")
        _wait_until(lambda: widget.jobs.running is None)
        _wait_until(lambda: False, seconds=1)  # its buttons come in
        _shoot(viewer, "exported.png")
        for row in range(widget.fields.layer_list.count()):
            widget.fields.layer_list.item(row).setCheckState(Qt.CheckState.Unchecked)
        _wait_until(lambda: False, seconds=1)
        _shoot(viewer, "not_exported.png")
        viewer.close()


def _show_repair() -> None:
    """Show what is found of a raw file, and what is said of a number that does not fit."""
    import napari

    from napari_ferry.widgets.repair.repair_widget import RepairMetadata

    with tempfile.TemporaryDirectory() as folder:
        path, _ = raw_recording(Path(folder))
        viewer = napari.Viewer()
        viewer.window.resize(1280, 800)
        widget = RepairMetadata(viewer)
        viewer.window.add_dock_widget(widget, name="Repair binary metadata")
        widget.open_paths([path])
        _wait_until(lambda: len(widget.candidate_list.icons) > 4 and bool(widget.preview.layers))
        viewer.dims.set_current_step(0, _FRAME)
        _wait_until(lambda: False, seconds=1)
        _shoot(viewer, "repair.png")
        widget.timers["search"].timeout.disconnect()  # so that the picture shows what is said first
        widget.form.fields["x"].setValue(191)
        _wait_until(lambda: False, seconds=1)
        _shoot(viewer, "repair_number.png")
        viewer.close()


def _shoot(viewer: Any, name: str) -> None:
    """Take a picture of the window."""
    viewer.screenshot(str(PICTURES / name), canvas_only=False, flash=False)


def _wait_until(is_done: Callable[[], bool], seconds: float = 30) -> None:
    """Let the window live until something is so, or for some time."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not is_done() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def _draw_overlays() -> None:
    """Show a frame with everything that can be written upon it."""
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
