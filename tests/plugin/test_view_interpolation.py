"""Views between two others."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from napari_ferry.plugin.view_interpolation import interpolate_views
from napari_ferry.plugin.view_state import CameraState, LayerState, SliderState, ViewState

ORIENTATION = ("towards", "down", "right")
numbers = st.floats(-1000, 1000)
angles = st.tuples(*[st.floats(-180, 180)] * 3)

cameras = st.builds(
    CameraState,
    center=st.tuples(numbers, numbers, numbers),
    zoom=st.floats(1e-6, 1e6),
    angles=angles,
    perspective=st.floats(0, 90),
    orientation=st.just(ORIENTATION),
)
sliders = st.builds(
    SliderState,
    label=st.just("t"),
    point=st.integers(0, 9).map(lambda k: 5 + 0.5 * k),
    start=st.just(5.0),
    step=st.just(0.5),
    nsteps=st.just(10),
)
layers = st.builds(
    LayerState,
    name=st.just("cells"),
    visible=st.booleans(),
    opacity=st.floats(0, 1),
    contrast_limits=st.tuples(st.floats(-100, 0), st.floats(1, 100)),
    gamma=st.floats(0.2, 2),
)
views = st.builds(
    ViewState,
    ndisplay=st.sampled_from((2, 3)),
    order=st.just((0, 1, 2, 3)),
    sliders=st.tuples(*[sliders] * 4),
    camera=cameras,
    layers=st.fixed_dictionaries({"id": layers}),
)
fractions = st.floats(0, 1)


@given(views, views)
def test_ends_are_exactly_the_views(first, last):
    assert interpolate_views(first, last, 0) == first
    assert interpolate_views(first, last, 1) == last


@given(views, fractions)
def test_a_view_without_changes_stays_exactly(view, fraction):
    assert interpolate_views(view, view, fraction) == view


@given(views, views, st.floats(0.001, 0.999))
def test_each_value_is_between_its_ends(first, last, fraction):
    view = interpolate_views(first, last, fraction)
    camera, layer = view.camera, view.layers["id"]
    ratio = math.log(last.camera.zoom / first.camera.zoom)
    assert math.isclose(math.log(camera.zoom / first.camera.zoom), fraction * ratio, abs_tol=1e-9)
    for name in ("opacity", "gamma"):
        ends = [getattr(each.layers["id"], name) for each in (first, last)]
        assert min(ends) - 1e-9 <= getattr(layer, name) <= max(ends) + 1e-9
    assert layer.contrast_limits[0] < layer.contrast_limits[1]
    assert (layer.visible, view.ndisplay) == (first.layers["id"].visible, first.ndisplay)


@given(views, views, fractions)
def test_sliders_take_steps(first, last, fraction):
    for slider in interpolate_views(first, last, fraction).sliders:
        assert ((slider.point - slider.start) / slider.step).is_integer()


def test_a_position_between_steps_is_kept_while_it_does_not_change():
    slider = SliderState(label="t", point=5.2, start=5.0, step=0.5, nsteps=3)
    camera = CameraState(
        center=(0, 0, 0), zoom=1, angles=(0, 0, 0), perspective=0, orientation=ORIENTATION
    )
    view = ViewState(ndisplay=2, order=(0, 1, 2), sliders=(slider,) * 3, camera=camera)
    zoomed = replace(view, camera=replace(camera, zoom=4))
    between = interpolate_views(view, zoomed, 0.5)
    assert (between.sliders, between.camera.zoom) == (view.sliders, 2)


@given(views, views, st.floats(0, 0.999))
def test_views_of_other_dimensions_follow_at_once(first, last, fraction):
    other = replace(last, order=(1, 0, 2, 3))
    view = interpolate_views(first, other, fraction)
    assert (view.order, view.camera, view.sliders) == (first.order, first.camera, first.sliders)
