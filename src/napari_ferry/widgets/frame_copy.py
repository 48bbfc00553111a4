"""The frame in the viewer as a picture on the clipboard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtGui import QGuiApplication

from napari_ferry.errors import FerryError
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.view_check import needs_canvas
from napari_ferry.plugin.viewer import viewer_images, viewer_state
from napari_ferry.rendering.render import render
from napari_ferry.widgets.pictures import to_qimage
from napari_ferry.widgets.worker import call_in_thread


def copy_frame(viewer: Viewer) -> None:
    """Copy the frame in the viewer to the clipboard, at the resolution of the data if possible.

    Content drawn by the canvas alone, such as Points layers and 3-D views, is copied from screen.
    """
    layers = [layer for layer in viewer.layers if layer.visible]
    if not layers:
        notify("There is nothing to copy: make a layer visible.", "warning")
        return
    reasons = needs_canvas(viewer, layers)
    if reasons:
        _copy(viewer.screenshot(flash=False), f"as on screen, as it shows {' and '.join(reasons)}")
        return

    try:
        # a frame is soon drawn, also if napari is closed meanwhile
        pixels = call_in_thread(_frame_reader(viewer))
    except FerryError as error:
        notify(str(error), "error")
    else:
        _copy(pixels, "at the resolution of the data")


def _frame_reader(viewer: Viewer) -> Callable[[], NDArray[np.uint8]]:
    """Return a function to draw the frame in the viewer from the data of its visible layers."""
    layers = [each for each in viewer.layers if each.visible and isinstance(each, Image | Labels)]
    images = viewer_images([layer.as_layer_data_tuple() for layer in layers])
    state = viewer_state(images)
    step = 0 if state.number is None else int(viewer.dims.current_step[state.number])

    def read() -> NDArray[np.uint8]:
        """Draw the frame, axes y x s."""
        drawn = render(images, **state.options).array
        return np.asarray(drawn[min(step, drawn.shape[0] - 1)] if drawn.ndim > 3 else drawn)

    return read


def _copy(pixels: NDArray[np.uint8], how: str) -> None:
    """Copy a picture to the clipboard, axes y x s with at least 3 colors, and report it."""
    height, width = pixels.shape[:2]
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.setImage(to_qimage(pixels[..., :3]))
    notify(f"Copied {width} x {height} pixels to the clipboard, {how}.")
