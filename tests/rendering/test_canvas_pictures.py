"""Comparison of drawn pictures with napari's own canvas.

Each scene is displayed in a real window, and the picture must be equal within 1 of 255, or within 2
where more than one layer is blended and rounded. Two cases are undefined in napari and not checked:

- A pixel with its center exactly between two samples, or exactly on the edge of an image. OpenGL
  computes in single precision and may display either sample. `_undecided` finds these pixels from
  the geometry of the layers, not from the picture.
- The transparency below the first layer of "minimum" and "additive" blending, and for an alpha
  other than 0 or 1 under "opaque", is not visible on a screen; only colors are compared.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import pytest

from canvas_scenes import FAMILIES, FULL, LARGE, Layer, Scene, image
from gui import WINDOW
from napari_ferry.plugin.viewer import viewer_images, viewer_state
from napari_ferry.plugin.viewer_overlays import find_attribute
from napari_ferry.rendering.overlays import Corner
from napari_ferry.rendering.render import render

pytestmark = WINDOW

_NANOMETERS = {"micrometer": 1000.0, "nanometer": 1.0}
_CHECKER = "napari._qt.threads.status_checker.StatusChecker.start"

_LOOK = {
    "image": {
        "blending": "translucent_no_depth",
        "colormap": "gray",
        "contrast_limits": FULL,
        "gamma": 1.0,
        "interpolation2d": "nearest",
        "opacity": 1.0,
        "visible": True,
    },
    "labels": {
        "blending": "translucent",
        "contour": 0,
        "opacity": 0.7,
        "selected_label": 1,
        "show_selected_label": False,
        "visible": True,
    },
}
"""Settings of a visible layer that can be changed, and napari's defaults."""


@dataclass
class Window:
    """Viewer, with the fixed properties of its layers."""

    viewer: Any
    fixed: list[Any] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)

    def show(self, scene: Scene) -> list[Any]:
        """Show a scene and return its layers; reuse layers if only their settings differ."""
        fixed = [_fixed(layer) for layer in scene.layers]
        if self.viewer.theme != scene.theme:
            self.viewer.theme = scene.theme
        if fixed != self.fixed:
            self.viewer.layers.clear()
            for kind, data, settings in scene.layers:
                made = {key: settings[key] for key in settings.keys() - _LOOK[kind].keys()}
                getattr(self.viewer, f"add_{kind}")(data, **made)
            self.fixed = fixed

        for layer, (kind, _, settings) in zip(self.viewer.layers, scene.layers, strict=True):
            for key, usual in _LOOK[kind].items():
                setattr(layer, key, settings.get(key, usual))
        self.viewer.dims.order = scene.order or tuple(range(self.viewer.dims.ndim))
        if scene.step:
            self.viewer.dims.current_step = scene.step
        self._set_view(scene.view)
        return list(self.viewer.layers)

    def _set_view(self, view: Mapping[str, Any]) -> None:
        """Set attributes of the viewer; restore those of the scene before."""
        for path, value in {**self.changed, **view}.items():
            place, _, name = path.rpartition(".")
            owner = find_attribute(self.viewer, place)
            self.changed.setdefault(path, getattr(owner, name))
            setattr(owner, name, value)
        self.changed = {path: self.changed[path] for path in view}


@pytest.fixture(scope="module")
def window(qapp: Any, _shared_window: Any) -> Iterator[Window]:
    """One shown window for all scenes; closed as napari's own fixture closes its windows.

    It is opened after the window of other tests, as napari registers plugins once, and anew after
    each test of its own fixture, with names that a window opened before would have taken.

    It has neither sliders nor forms beside the canvas, and rubbish is not collected each time that
    layers go: these take three quarters of the time of a scene, and change nothing on the canvas.
    """
    import napari
    from qtpy.QtWidgets import QApplication, QWidget

    controls = "napari._qt.layer_controls.qt_layer_controls_container.create_qt_layer_controls"
    sliders = "napari._qt.widgets.qt_dims.QtDims._update_"
    with ExitStack() as left_out:
        left_out.enter_context(patch("napari._vispy.canvas.gc"))
        left_out.enter_context(patch(controls, lambda _: QWidget()))
        for each in (f"{sliders}nsliders", f"{sliders}range", f"{sliders}display", _CHECKER):
            left_out.enter_context(patch(each, lambda *_: None))
        viewer = napari.Viewer(show=True, show_welcome_screen=False)
        if sys.platform == "linux":
            assert QApplication.platformName() == "xcb", "other platforms draw wrong pixels"
        yield Window(viewer)
        viewer.layers.clear()
        with patch.object(viewer.window._qt_window, "_save_current_window_settings"):
            viewer.close()
    del viewer
    gc.collect()
    QApplication.processEvents()


def _fixed(layer: Layer) -> tuple[Any, ...]:
    """Return the properties shared by layers convertible into each other."""
    kind, data, settings = layer
    told = {key: settings[key] for key in settings.keys() - _LOOK[kind].keys()}
    plain = {key: value if key != "colormap" else id(value) for key, value in told.items()}
    return kind, id(data), plain


def _export(viewer: Any, scene: Scene, shape: tuple[int, int]) -> Any:
    """Return the picture of the canvas, axes (y, x, 3), of a given shape if cells are apart."""
    from napari._qt.utils import QImg2array

    if not viewer.canvas.grid.spacing:
        return viewer.export_figure(scale_factor=scene.scale, flash=False)[..., :3]

    # the export of napari has no room for the space between cells, and reduces their size
    window = viewer.window._qt_viewer
    with window.resize_canvas(shape, 1):
        viewer.fit_to_view(margin=0)
        return QImg2array(window.canvas.screenshot())[..., :3]


def _undecided(viewer: Any, scene: Scene, layers: list[Any], shape: tuple[int, int]) -> Any:
    """Return a mask of pixels with their center on an edge of samples, axes (y, x)."""
    on_edge = []
    grid = viewer.canvas.grid
    counts = grid.actual_shape(viewer.layers)
    directions = viewer.scene.camera.orientation2d
    for axis, size, count in zip(viewer.dims.displayed, shape, counts, strict=True):
        spans = [_span(layer, axis - viewer.dims.ndim) for layer in layers]
        low = min(min(first, first + n * scale) for first, scale, n in spans)
        high = max(max(first, first + n * scale) for first, scale, n in spans)
        cell = high - low if grid.spacing else size / count
        gap = (size - cell * count) / max(1, count - 1)
        offsets = (np.arange(size) + 0.5) % (cell + gap) - cell / 2
        on_edge.append((spans, (low + high) / 2, offsets, (high - low) / cell))

    step = max(each for _, _, _, each in on_edge)
    found = []
    for (spans, center, offsets, _), direction in zip(on_edge, directions, strict=True):
        places = center + offsets * (step if str(direction) in ("down", "right") else -step)
        is_tie = np.zeros(len(offsets), bool)
        for layer, (first, scale, n) in zip(layers, spans, strict=True):
            at = (places - first) / scale / scene.factor
            edge = np.round(at)
            if layer.as_layer_data_tuple()[1].get("interpolation2d", "nearest") != "nearest":
                edge = np.where(at * scene.factor < n / 2, 0, n)
            is_tie |= np.abs(at - edge) < 2e-3
        found.append(is_tie)
    return found[0][:, None] | found[1]


def _span(layer: Any, axis: int) -> tuple[float, float, int]:
    """Return the start of the first sample on an axis, the distance of samples and their number."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    unit = _NANOMETERS.get(str(layer.units[axis]), 1.0)
    shape = data.shape[:-1] if getattr(layer, "rgb", False) else data.shape
    scale, translate = layer.scale[axis] * unit, layer.translate[axis] * unit
    return translate - scale / 2, scale, shape[axis]


def _params() -> Iterator[Any]:
    """Yield all scenes; every second one of large families is for thorough runs only."""
    for family in FAMILIES:
        scenes = list(family())
        for i, scene in enumerate(scenes):
            is_more = i % 2 and len(scenes) >= LARGE
            yield pytest.param(scene, id=scene.name, marks=[pytest.mark.thorough] * bool(is_more))


@pytest.mark.sample(8)
@pytest.mark.parametrize("scene", [*_params()])
def test_picture_equals_the_canvas(window: Window, scene: Scene):
    viewer, layers = window.viewer, window.show(scene)
    images = viewer_images([layer.as_layer_data_tuple() for layer in layers])
    state = viewer_state(images)
    drawn = render(images, scale=float(scene.scale), **state.options)
    place = 0 if state.number is None else viewer.dims.current_step[state.number]
    found = np.asarray(drawn.array[place] if drawn.ndim == 4 else drawn.array)
    expected = _export(viewer, scene, found.shape[:2])
    assert found.shape == expected.shape

    undecided = _undecided(viewer, scene, layers, expected.shape[:2])
    assert undecided.mean() < 0.1, "the scene says nothing"
    difference = np.abs(found.astype(int) - expected).max(-1)
    wrong = (difference > scene.tolerance) & ~undecided
    assert not wrong.any(), (
        f"{wrong.sum()} pixels differ by up to {difference[wrong].max()}, the first at "
        f"{np.argwhere(wrong)[0]}: {found[wrong][0]}, expected {expected[wrong][0]}"
    )


SIDE = 512
"""Side of pictures on which our overlays have the size of napari's."""


def _overlay_pictures(viewer: Any) -> tuple[Any, Any]:
    """Return the pictures of the canvas and of `render`, axes (y, x, 3)."""
    images = viewer_images([layer.as_layer_data_tuple() for layer in viewer.layers])
    options = viewer_state(images).options
    viewer.export_figure(flash=False)  # overlays are placed once they were drawn
    expected = viewer.export_figure(flash=False)[..., :3]
    return expected.astype(int), np.asarray(render(images, **options).array).astype(int)


def _bounds(mask: Any) -> Any:
    """Return the first and the last row and column with any pixel."""
    rows, columns = np.nonzero(mask)
    return np.array([rows.min(), rows.max(), columns.min(), columns.max()])


def _longest_run(picture: Any) -> tuple[int, int, int]:
    """Return the middle row of the longest horizontal lines, and their first and last column."""
    bright = picture.min(-1) > 128
    lengths = bright.sum(1)
    rows = np.flatnonzero(lengths == lengths.max())
    columns = np.flatnonzero(bright[rows[0]])
    return int(rows.mean()), int(columns[0]), int(columns[-1])


@pytest.fixture
def black(window: Window) -> Iterator[Any]:
    """The viewer with a black picture."""
    window.show(Scene("black", (image(np.zeros((SIDE, SIDE), np.uint8)),)))
    yield window.viewer
    for overlay in window.viewer.canvas.overlays.values():
        overlay.visible = False
    window.viewer.layers.clear()
    window.fixed = []


_BARS = [
    *((pixel, "bottom_right") for pixel in (0.1, 0.37, 1, 2.3, 40)),
    *((2.3, corner) for corner in get_args(Corner) if corner != "bottom_right"),
]
"""Every size of a pixel and every corner: the length of a bar does not depend on its place."""


@pytest.mark.sample(2)
@pytest.mark.parametrize(("pixel", "corner"), _BARS)
def test_scale_bars_equal_those_of_the_canvas(black: Any, pixel: float, corner: str):
    layer = black.layers[0]
    layer.scale, layer.units = (pixel, pixel), ("um", "um")
    bar = black.canvas.overlays.scale_bar
    bar.visible, bar.position = True, corner
    expected, found = (np.array(_longest_run(each)) for each in _overlay_pictures(black))
    assert np.abs(found - expected).max() <= 2, (found, expected)
    # half of the width of its line, 3, is outside each end of the canvas' bar
    assert abs(np.diff(found)[1] - (np.diff(expected)[1] - 3)) <= 1


@pytest.mark.sample(2)
@pytest.mark.parametrize("corner", get_args(Corner))
def test_texts_are_where_the_canvas_has_them(black: Any, corner: str):
    text = black.canvas.overlays.text
    text.visible, text.text, text.position = True, "DAY 3", corner
    expected, found = (_bounds(each.min(-1) > 100) for each in _overlay_pictures(black))
    # fonts and the margins inside their lines differ
    assert np.abs(found - expected).max() <= 6, (found, expected)


def test_text_is_on_top_of_the_scale_bar(black: Any):
    overlays = black.canvas.overlays
    overlays.text.visible = overlays.scale_bar.visible = True
    overlays.text.text, overlays.text.position = "DAY 3", "bottom_right"
    overlays.scale_bar.position = "bottom_right"
    expected, found = (_bounds(each.min(-1) > 100) for each in _overlay_pictures(black))
    assert np.abs(found - expected).max() <= 6, (found, expected)


@pytest.mark.parametrize("corner", ["top_left", "bottom_left"])
def test_color_bars_equal_those_of_the_canvas(black: Any, corner: str):
    layer = black.layers[0]
    layer.colormap, layer.contrast_limits = "red", (0, 200)
    layer.colorbar.visible, layer.colorbar.position = True, corner
    pictures = _overlay_pictures(black)
    expected, found = (
        _bounds((each[..., 0] > 60) & (each[..., 1] < 20) & (each[..., 2] < 20))
        for each in pictures
    )
    assert np.abs(found - expected).max() <= 2, (found, expected)
    column = int(found[2:].mean())
    rows = slice(max(found[0], expected[0]) + 2, min(found[1], expected[1]) - 2)
    difference = np.abs(pictures[0][rows, column] - pictures[1][rows, column])
    assert difference.max() <= 6, "the bar is shifted by up to two pixels"
