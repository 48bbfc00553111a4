"""States of the viewer that a movie drawn from the data does not show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_ferry import InvalidImageError
from napari_ferry.plugin.view_check import check_view, needs_canvas
from napari_ferry.plugin.viewer import viewer_images, viewer_state
from napari_ferry.plugin.viewer_overlays import restyled_overlays

PIXELS = np.zeros((3, 4, 16, 20), np.uint8)
MOVIE = Path("a.mp4")


STATES: dict[str, Callable[[Any], None]] = {
    "a 3-D view": lambda v: setattr(v.dims, "ndisplay", 3),
}
OVERLAYS: dict[str, Callable[[Any], Any]] = {
    "axes": lambda v: v.scene.overlays.axes,
    "floating axes": lambda v: v.canvas.overlays.axes,
    "position of the sliders": lambda v: v.canvas.overlays.current_slice,
    "bounding box": lambda v: v.layers[0].bounding_box,
    "layer name": lambda v: v.layers[0].name_overlay,
    "color bar": lambda v: v.layers[0].colorbar,  # the other layer has none
}
CHANGES: dict[str, Any] = {
    "position": "top_center",
    "font_size": 20,
    "opacity": 0.5,
    "gridded": True,
    "box_color": "red",
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
    with pytest.raises(InvalidImageError, match=f"shows {words}.*only its canvas.*Automatic"):
        check(viewer)


@pytest.mark.parametrize("words", OVERLAYS)
def test_overlays_are_losses(words: str, viewer: Any) -> None:
    OVERLAYS[words](viewer).visible = True
    assert check(viewer) == (f"the movie lacks the viewer's {words}",)


def test_overlays_are_options(viewer: Any) -> None:
    overlays = viewer.canvas.overlays
    overlays.scale_bar.visible = overlays.text.visible = True
    overlays.scale_bar.position = "bottom_left"
    overlays.text.text = "day 3"
    for layer in viewer.layers:
        layer.colorbar.visible = True
    options = viewer_options(viewer)
    assert (options["scale_bar"], options["color_bar"]) == ("bottom_left", "top_right")
    assert (options["text"], options["text_corner"]) == ("day 3", "bottom_right")
    (note,) = restyled_overlays(options)
    assert note.startswith("the scale bar and text and color bar are drawn in another style")
    assert restyled_overlays({"flip": "both"}) == ()
    assert check(viewer) == ()
    assert needs_canvas(viewer, viewer.layers) == ()


def test_overlays_of_the_viewer_that_napari_gives_to_plugins_are_drawn(viewer: Any) -> None:
    from napari.utils._proxies import PublicOnlyProxy

    viewer.canvas.overlays.scale_bar.visible = viewer.layers[0].colorbar.visible = True
    viewer.layers[1].visible = False
    assert needs_canvas(PublicOnlyProxy(viewer), viewer.layers) == ()
    viewer.add_points([[0, 0, 0]], name="spots")
    proxy = PublicOnlyProxy(viewer)
    assert needs_canvas(proxy, list(proxy.layers)) == ("the Points layer spots",)


@pytest.mark.parametrize("name", CHANGES)
def test_an_overlay_that_was_changed_is_not_drawn(name: str, viewer: Any) -> None:
    viewer.canvas.overlays.scale_bar.visible = True
    setattr(viewer.canvas.overlays.scale_bar, name, CHANGES[name])
    assert "scale_bar" not in viewer_options(viewer)
    assert needs_canvas(viewer, viewer.layers) == ("the scale bar",)


def test_text_of_several_lines_is_not_drawn(viewer: Any) -> None:
    text = viewer.canvas.overlays.text
    text.visible = True
    assert check(viewer) == (), "the text is empty"
    text.text = "two\nlines"
    assert check(viewer) == ("the movie lacks the viewer's text",)


def test_choices_of_a_form_precede_the_viewer(viewer: Any) -> None:
    overlays = viewer.canvas.overlays
    overlays.scale_bar.visible = overlays.text.visible = True
    overlays.text.text = "day 3"
    images = viewer_images([layer.as_layer_data_tuple() for layer in viewer.layers])
    state = viewer_state(images)
    form = {"scale_bar": None, "text": "", "text_corner": "top_right", "background": "white"}
    chosen = state.with_choices(form)
    assert chosen["background"] == "white"
    assert (chosen["scale_bar"], chosen["text"]) == ("bottom_right", "day 3")
    assert chosen["text_corner"] == "bottom_right"
    assert state.with_choices({"text": "mine", "text_corner": "top_left"})["text"] == "mine"


def test_all_overlays_are_named(viewer: Any) -> None:
    viewer.scene.overlays.axes.visible = viewer.layers[1].colorbar.visible = True
    assert check(viewer) == ("the movie lacks the viewer's axes and color bar",)


def test_a_view_that_is_drawn_needs_no_canvas(viewer: Any) -> None:
    viewer.canvas.grid.enabled = True
    viewer.scene.camera.orientation2d = ("up", "left")
    viewer.dims.thickness = (0, 3, 0, 0)
    viewer.layers[0].interpolation2d = "linear"
    viewer.add_points(np.zeros((1, 4)), visible=False)
    assert needs_canvas(viewer, viewer.layers) == ()


def test_everything_that_only_the_canvas_draws_is_named(viewer: Any) -> None:
    green, magenta = viewer.layers
    green.interpolation2d = "cubic"
    magenta.rotate = 30
    viewer.add_points(np.zeros((1, 4)), name="nuclei")
    viewer.dims.ndisplay = 3
    viewer.scene.overlays.axes.visible = True
    assert needs_canvas(viewer, viewer.layers) == (
        "a 3-D view",
        "the Points layer nuclei",
        "the cubic interpolation of green",
        "the rotate transform of magenta",
        "the axes",
    )
    viewer.dims.ndisplay = 2
    assert needs_canvas(viewer, [magenta])[0] == "the rotate transform of magenta"


def test_the_background_is_that_of_the_canvas(viewer: Any) -> None:
    viewer.canvas.background_color_override = "#102030"
    assert viewer_options(viewer)["background"] == "#102030"


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
