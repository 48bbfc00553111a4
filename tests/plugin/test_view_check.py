"""States of the viewer that a movie drawn from the data does not show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_ferry import InvalidImageError
from napari_ferry.plugin.view_check import check_view
from napari_ferry.plugin.viewer import viewer_images, viewer_state

PIXELS = np.zeros((3, 4, 16, 20), np.uint8)
MOVIE = Path("a.mp4")


STATES: dict[str, Callable[[Any], None]] = {
    "a 3-D view": lambda v: setattr(v.dims, "ndisplay", 3),
}
OVERLAYS: dict[str, Callable[[Any], Any]] = {
    "scale bar": lambda v: v.canvas.overlays.scale_bar,
    "axes": lambda v: v.scene.overlays.axes,
    "text": lambda v: v.canvas.overlays.text,
    "bounding box": lambda v: v.layers[0].bounding_box,
    "color bar": lambda v: v.layers[0].colorbar,
}


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The model of a viewer with a green and a magenta layer."""
    viewer = ViewerModel()
    for color in ("green", "magenta"):
        viewer.add_image(PIXELS, name=color, colormap=color, contrast_limits=(0, 255))
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    return viewer


def check(viewer: Any, path: Path = MOVIE, count: int = 2) -> tuple[str, ...]:
    images = viewer_images([layer.as_layer_data_tuple() for layer in viewer.layers[:count]])
    return check_view(images, path, dict(viewer_state(images, path=path).options))


def viewer_options(viewer: Any, count: int = 2) -> dict[str, Any]:
    images = viewer_images([layer.as_layer_data_tuple() for layer in viewer.layers[:count]])
    return dict(viewer_state(images).options)


def test_a_plain_view_lacks_nothing(viewer: Any) -> None:
    assert check(viewer) == ()


@pytest.mark.parametrize("words", STATES)
def test_a_view_that_only_the_canvas_draws_is_refused(words: str, viewer: Any) -> None:
    STATES[words](viewer)
    with pytest.raises(InvalidImageError, match=f"shows {words}.*only its canvas.*As on screen"):
        check(viewer)


@pytest.mark.parametrize("words", OVERLAYS)
def test_overlays_are_losses(words: str, viewer: Any) -> None:
    OVERLAYS[words](viewer).visible = True
    assert check(viewer) == (f"the movie lacks the viewer's {words}",)


def test_all_overlays_are_named(viewer: Any) -> None:
    viewer.canvas.overlays.scale_bar.visible = viewer.layers[1].colorbar.visible = True
    assert check(viewer) == ("the movie lacks the viewer's scale bar and color bar",)


def test_hidden_layers_do_not_matter(viewer: Any) -> None:
    viewer.layers[0].colorbar.visible = True
    viewer.layers[0].visible = False
    assert check(viewer) == ()


@pytest.mark.parametrize(
    ("orientation", "flip"),
    [
        (("down", "right"), None),
        (("up", "right"), "vertical"),
        (("down", "left"), "horizontal"),
        (("up", "left"), "both"),
    ],
)
def test_the_directions_of_axes_are_an_option(
    orientation: tuple[str, str], flip: str | None, viewer: Any
) -> None:
    viewer.scene.camera.orientation2d = orientation
    assert viewer_options(viewer).get("flip") == flip
    assert check(viewer) == ()


def test_the_grid_is_an_option(viewer: Any) -> None:
    viewer.canvas.grid.enabled = True
    options = viewer_options(viewer)
    assert {name: options[name] for name in options if "grid" in name} == {"grid": "auto x auto"}
    viewer.canvas.grid.shape, viewer.canvas.grid.stride = (-1, 3), -2
    viewer.canvas.grid.spacing = 0.1
    options = viewer_options(viewer)
    assert options["grid"] == "auto x 3"
    assert (options["grid_stride"], options["grid_spacing"]) == (-2, 0.1)
    assert check(viewer) == ()


def test_one_layer_has_no_grid(viewer: Any) -> None:
    viewer.canvas.grid.enabled = True
    assert "grid" not in viewer_options(viewer, count=1)


def test_thick_slices_are_an_option(viewer: Any) -> None:
    viewer.dims.margin_left, viewer.dims.margin_right = (0, 2, 0, 0), (0, 3, 0, 0)
    for layer in viewer.layers:
        layer.projection_mode = "none"
    assert "thickness" not in viewer_options(viewer)
    viewer.layers[0].projection_mode = "max"
    assert viewer_options(viewer)["thickness"] == "z=2+3"
    assert check(viewer) == ()


def test_samples_are_saved_from_any_view(viewer: Any) -> None:
    viewer.layers[0].colormap = "gray"
    viewer.scene.camera.orientation2d = ("up", "left")
    viewer.dims.ndisplay = 3
    assert check(viewer, Path("a.mkv"), count=1) == ()
