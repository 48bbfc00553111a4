"""Overlays on frames: text of times and lengths, and the position of overlays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry import Axis, Image, InvalidImageError, render
from napari_ferry.rendering import overlay_style
from napari_ferry.rendering.overlay_style import OverlayStyle
from napari_ferry.rendering.overlays import ColorBar, TextOverlay
from napari_ferry.rendering.paint import Scalar
from napari_ferry.rendering.style import choose_paint
from napari_ferry.rendering.text import TimeStamp, choose_bar
from napari_ferry.units import METERS
from pictures import noise


@pytest.mark.parametrize("text", ["a\tb", "a\rb", "a\x00b", "\x1b[1m"])
def test_text_that_cannot_be_printed_is_refused(text):
    with pytest.raises(InvalidImageError, match="expected one line of printable text"):
        render(Image.from_array(noise(2, 32, 32)), text=text)


CORNERS = ["top_left", "top_right", "bottom_left", "bottom_right"]


def times(axis: Axis, count: int, *which: int) -> list[str]:
    clock = TimeStamp(axis=axis, first=0, step=1, count=count)
    return [clock.text(i) for i in which]


@pytest.mark.parametrize(
    ("axis", "count", "texts"),
    [
        (Axis("t", 1 / 30, "second"), 100, ["0.00 s", "0.03 s", "0.07 s"]),
        (Axis("t", 0.25, "second"), 100, ["0.00 s", "0.25 s", "0.50 s"]),
        (Axis("t", 2, "second"), 20, ["0 s", "2 s", "4 s"]),
        (Axis("t", 2, "second"), 100, ["0:00", "0:02", "0:04"]),
        (Axis("t", 0.1, "second"), 1000, ["0:00.0", "0:00.1", "0:00.2"]),
        (Axis("t", 2, "minute"), 100, ["0:00:00", "0:02:00", "0:04:00"]),
        (Axis("t", 0.5, "millisecond"), 100, ["0.0 ms", "0.5 ms", "1.0 ms"]),
        (Axis("t", 1, "microsecond"), 10, ["0 µs", "1 µs", "2 µs"]),
        (Axis("t", 1, "second", -1), 10, ["-1 s", "0 s", "1 s"]),
        (Axis("t", 40, "second", -80), 10, ["-1:20", "-0:40", "0:00"]),
        (Axis("z", 0.3, "micrometer"), 10, ["z 0.0 µm", "z 0.3 µm", "z 0.6 µm"]),
        (Axis("t"), 10, ["t 0", "t 1", "t 2"]),
    ],
)
def test_times_have_as_many_decimals_as_needed(axis, count, texts):
    assert times(axis, count, 0, 1, 2) == texts


def test_positions_without_a_unit_are_those_of_the_slider():
    stamp = TimeStamp(axis=Axis("t", 10.0, None, 50.0), first=5, step=2, count=3)
    assert stamp.text(2) == "t 9"


@given(
    pixel=st.floats(1e-6, 1e6),
    unit=st.sampled_from([None, *METERS]),
    most=st.floats(10, 2000),
)
def test_a_scale_bar_has_a_round_length_near_the_maximum(pixel, unit, most):
    length, text = choose_bar(pixel, unit, most)
    assert most / 2.6 <= length <= most * 1.001
    number, name = text.split(" ")
    assert name
    factor = {"km": 1e3, "m": 1, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "pm": 1e-12}.get(name)
    if unit in METERS and factor:
        assert length * pixel * METERS[unit] == pytest.approx(float(number) * factor, rel=1e-4)


def black(shape: tuple[int, int] = (240, 320), **more: Any) -> Image:
    frames = np.zeros((5, *shape), np.uint8)
    axes = (Axis("t", 0.5, "second"), *(Axis(name, 0.5, "micrometer") for name in "yx"))
    return Image((frames,), axes, **more)


def drawn(image: Image, frame: int = 0, **options: Any) -> Any:
    return np.asarray(render([image], **options).array[frame]).max(-1) > 128


def corner_of(mask: Any) -> str:
    """Return the corner with all drawn pixels."""
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    assert len(rows)
    assert rows.max() < height / 2 or rows.min() >= height / 2
    assert columns.max() < width / 2 or columns.min() >= width / 2
    side = "left" if columns.max() < width / 2 else "right"
    return f"{'top' if rows.max() < height / 2 else 'bottom'}_{side}"


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("what", ["time_stamp", "scale_bar", "text"])
def test_overlays_are_in_their_corner(what, corner):
    options = {"text": "day 3", "text_corner": corner} if what == "text" else {what: corner}
    assert corner_of(drawn(black(), **options)) == corner


def test_overlays_in_one_corner_do_not_overlap():
    each = [drawn(black(), text="day 3"), drawn(black(), time_stamp="top_right")]
    both = drawn(black(), text="day 3", time_stamp="top_right")
    assert both.sum() == sum(mask.sum() for mask in each)


def test_overlays_are_tiled_as_in_napari():
    image = black((240, 600), display={"colormap": "green"})
    for corner, is_sideways in (
        ("top_left", False),
        ("top_right", True),
        ("bottom_left", True),
        ("bottom_right", False),
    ):
        rows = [
            np.flatnonzero(drawn(image, **{"text_corner": corner, **options}).any(1))
            for options in ({"text": "day 3"}, {"text": "day 3", "time_stamp": corner})
        ]
        assert (len(rows[0]) == len(rows[1])) == is_sideways


def test_overlays_that_do_not_fit_side_by_side_are_on_top_of_each_other():
    options = {"text": "a text that is rather long", "time_stamp": "top_right"}
    wide = drawn(black((240, 600)), **options)
    columns = np.flatnonzero(drawn(black((240, 600)), text=options["text"]).any(0))
    narrow = drawn(black((240, int(np.ptp(columns)) + 40)), **options)
    assert narrow.sum() == wide.sum(), "an overlay was cut off"
    assert narrow.any(1).sum() > wide.any(1).sum()


def test_the_time_of_each_frame_is_that_of_the_slider_not_of_the_movie():
    image, style = black(), OverlayStyle((240, 320), is_light=True)
    for speed in (None, 10.0):
        frames = render([image], time_stamp="top_left", speed=speed, start=1, step=2)
        patch = TextOverlay("top_left", style, "1.5 s").patch(0)
        gap = round(10 * style.scale)
        seen = np.asarray(frames.array[1])[gap : gap + patch.shape[0], gap : gap + patch.shape[1]]
        expected = patch[..., :3] * (patch[..., 3:] / 255)
        assert np.abs(seen - expected).max() <= 1


def test_a_scale_bar_has_its_stated_length():
    mask = drawn(black((240, 400)), scale_bar="bottom_right")
    style = OverlayStyle((240, 400), is_light=True)
    length, text = choose_bar(0.5, "micrometer", style.bar)
    line = mask[np.nonzero(mask.any(1))[0].max() - round(5 * style.scale)]
    assert text == "25 µm"
    assert abs(int(line.sum()) - length) <= 1


def test_a_scale_bar_follows_the_size_of_the_picture():
    for options in ({"scale": 1.0}, {"scale": 3.0}, {"fit": "1080p"}):
        frames = render([black((100, 150))], scale_bar="top_left", **options)
        assert frames.pixel_size is not None
        mask = np.asarray(frames.array[0]).max(-1) > 128
        length, _ = choose_bar(
            frames.pixel_size[1], "micrometer", OverlayStyle(mask.shape, is_light=True).bar
        )
        assert abs(int(mask.sum(1).max()) - length) <= 2


def test_a_color_bar_shows_the_colors_and_their_limits():
    display = {"colormap": "green", "contrast_limits": [10, 250]}
    paint = choose_paint(black(display=display))
    assert isinstance(paint, Scalar)
    patch = ColorBar(
        corner="top_right", style=OverlayStyle((400, 600), is_light=True), paint=paint
    ).patch(0)
    column = patch[:, 8, :3].astype(int)
    greens = column[(column[:, 0] == 0) & (column[:, 2] == 0) & (patch[:, 8, 3] > 0), 1]
    assert (greens[0], greens[-1]) == (255, 0)
    assert (np.diff(greens) <= 0).all()
    assert drawn(black(display=display), color_bar="top_right").any()


def test_overlays_are_dark_on_a_light_background():
    image = black()
    bright = replace(image, levels=(np.full(image.shape, 255, np.uint8),))
    picture = np.asarray(
        render([bright], background="white", text="day 3", text_corner="top_left").array[0]
    )
    assert (picture < 50).all(-1).any()


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (30, 700), (700, 30)])
def test_overlays_that_do_not_fit_are_cut_off(shape):
    options: Any = {
        "time_stamp": "top_left",
        "scale_bar": "bottom_right",
        "color_bar": "top_right",
    }
    frames = render([black(shape)], text="a very long text " * 20, **options)
    assert frames.array[2].shape == (*shape, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time_stamp": "middle"}, "time_stamp is 'middle': choose one of top_left"),
        ({"text": "a\nb"}, "expected one line of printable text"),
        ({"time_stamp": "top_left", "position": "t=1", "axis": None}, "requires a frame axis"),
        ({"background": "blackish"}, "background is 'blackish'"),
    ],
)
def test_invalid_overlays_are_refused(options, said):
    with pytest.raises(InvalidImageError, match=said):
        render([black()], **options)


def test_without_its_fonts_the_text_is_drawn_in_another_one(monkeypatch):
    image = Image.from_array(np.zeros((2, 64, 200), np.uint8))
    usual = np.asarray(render(image, text="abc").array[0])
    monkeypatch.setattr(overlay_style, "_FONTS", (("napari", "missing.ttf"), ("absent", "a.ttf")))
    overlay_style._font.cache_clear()
    found = np.asarray(render(image, text="abc").array[0])
    overlay_style._font.cache_clear()
    assert found.any()
    assert not np.array_equal(found, usual)
