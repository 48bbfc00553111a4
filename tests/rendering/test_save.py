"""Saving of drawings: conditions, losses and options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import napari_ferry
from helpers import make_full_image
from napari_ferry import Axis, Channel, Image, InvalidImageError, SaveError, imload, render
from napari_ferry.arrays import Frames
from napari_ferry.cli import main
from napari_ferry.plugin import commands
from napari_ferry.rendering.drawing_choice import is_drawn
from napari_ferry.rendering.frame_range import take_frames
from napari_ferry.rendering.save import plan
from napari_ferry.saving import run
from napari_ferry.signatures import options_of
from pictures import noise


def test_options_of_a_drawing_and_samples_exclude_each_other(tmp_path):
    image = Image.from_array(noise(3, 6, 8))
    with pytest.raises(InvalidImageError, match="text, scale applies to drawings"):
        plan(image, tmp_path / "a.mp4", as_seen=False, text="a", scale=2)


def test_another_interpolation_than_linear_is_a_loss(tmp_path):
    cubic = gray({"interpolation2d": "cubic"}, name="cells")
    losses = plan([cubic, gray({"interpolation2d": "linear"})], tmp_path / "a.mp4").losses
    assert "cells is drawn with linear interpolation instead of cubic" in losses
    assert "linear" not in " ".join(loss for loss in losses if "cubic" not in loss)


@pytest.mark.parametrize(
    ("options", "is_as_shown"),
    [
        ({"scale": 2}, True),
        ({"background": "#000000", "scale": 2}, True),
        ({"background": "white", "scale": 2}, False),
        ({"crop": "0:4 0:4"}, False),
        ({"projection": "max", "thickness": "z=1"}, False),
        ({"projection": "mean", "thickness": "z=1"}, True),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_only_what_napari_shows_is_named_so(options, is_as_shown, count, tmp_path):
    cells = gray({"projection_mode": "mean"}, axes="tzyx", name="cells")
    (loss, *_) = plan([cells] * count, tmp_path / "a.mp4", position="z=0", **options).losses
    assert ("as napari shows" in loss) == is_as_shown
    assert "8-bit" in loss


def test_an_interpolation_that_is_replaced_is_not_what_napari_shows(tmp_path):
    cubic = gray({"interpolation2d": "cubic"}, name="cells")
    drawn, replaced = plan(cubic, tmp_path / "a.mp4", scale=2).losses[:2]
    assert drawn == "cells is drawn in 8-bit colors"
    assert replaced == "cells is drawn with linear interpolation instead of cubic"


def test_help_describes_each_option(capsys):
    said = {option.name: option.help for option in options_of([render])}
    assert all(said.values())
    assert said["stop"].startswith("First position on the frame axis")
    with pytest.raises(SystemExit):
        main(["convert", "a.tif", "b.mp4", "--help"])
    shown = capsys.readouterr().out
    assert "(default: )" not in shown
    assert "(default: 0)" in shown


def test_arrays_are_drawn_as_they_are_saved():
    array = noise(2, 6, 8)
    drawn = np.asarray(render(Image.from_array(array, "tyx")).array)
    for given in (array, [array], list(array), tuple(array)):
        np.testing.assert_array_equal(render(given).array, drawn)
    colors = noise(3, 6, 8, 3)
    for given in (colors, list(colors), colors.astype("f4") / 255):
        np.testing.assert_array_equal(render(given).array, colors)
    with pytest.raises(InvalidImageError, match="is a path, not an image"):
        render("a.tif")


def gray(display: Any = (), *, axes: str = "tyx", seed: int = 0, **more: Any) -> Image:
    shape = {"t": 4, "z": 3, "c": 2, "y": 12, "x": 16}
    pixels = np.random.default_rng(seed).integers(0, 256, [shape[a] for a in axes], np.uint8)
    return replace(Image.from_array(pixels, axes), display=dict(display), **more)


def saved(images: Any, path: Path, **options: Any) -> Image:
    run(plan(images, path, **options))
    return imload(path)[0]


GREEN = {"colormap": "green", "blending": "additive", "contrast_limits": [0, 255]}
MAGENTA = {**GREEN, "colormap": "magenta"}


@pytest.mark.parametrize(
    ("image", "is_drawn"),
    [
        (gray(), False),
        (gray({"colormap": "gray", "gamma": 1.0, "opacity": 1.0}), False),
        (gray({"colormap": "viridis"}), True),
        (gray({"gamma": 0.5}), True),
        (gray({"opacity": 0.5}), True),
        (gray(kind="labels"), True),
        (gray(axes="tcyx"), True),
        (gray({"channel_axis": "slider"}, axes="tcyx"), False),
    ],
    ids=["gray", "all said", "colormap", "gamma", "opacity", "labels", "channels", "slider"],
)
def test_a_movie_is_drawn_if_required(image, is_drawn, tmp_path):
    position = "c=0" if image.display.get("channel_axis") else None
    planned = plan(image, tmp_path / "a.gif", position=position)
    assert any("as napari shows" in loss for loss in planned.losses) == is_drawn


def scaled(y: float, x: float, unit: str | None = None, x_unit: str | None = None) -> Image:
    """Return a gray movie with one bright corner, at the top left, and pixels of a size."""
    corner = np.zeros((4, 12, 16), np.uint8)
    corner[:, :4, :4] = 255
    axes = (Axis("t"), Axis("y", y, unit), Axis("x", x, x_unit or unit))
    return Image((corner,), axes, display={"contrast_limits": [0, 255]})


@pytest.mark.parametrize(
    ("image", "shape", "bright"),
    [
        (scaled(0.5, 0.5, "micrometer"), (12, 16), (0, 0)),
        (scaled(0.5001, 0.5, "micrometer"), (12, 16), (0, 0)),  # not by half a pixel
        (scaled(500, 0.5, "nanometer", "micrometer"), (12, 16), (0, 0)),
        (scaled(2, 1), (24, 16), (0, 0)),
        (scaled(1, 0.5, "micrometer"), (24, 16), (0, 0)),
        (scaled(1, -1), (12, 16), (0, -1)),
        (scaled(-1, 1), (12, 16), (-1, 0)),
    ],
    ids=["square", "nearly", "units", "tall", "tall in um", "x mirrored", "y mirrored"],
)
@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_gray_movie_has_the_geometry_of_the_layer(image, shape, bright, suffix, tmp_path):
    found = np.asarray(saved(image, tmp_path / f"a{suffix}").array)
    assert found.shape[1:3] == shape
    level = found[0] if found.ndim == 3 else found[0].mean(-1)
    y, x = (slice(None, 4) if end == 0 else slice(-4, None) for end in bright)
    assert level[y, x].mean() > 200
    assert level.mean() < 60


def test_lossless_video_keeps_samples_that_are_not_square(tmp_path):
    image = scaled(2, 1)
    np.testing.assert_array_equal(saved(image, tmp_path / "a.mkv").array, image.array)


def test_a_gray_movie_that_is_rotated_is_refused(tmp_path):
    image = replace(scaled(1, 1), display={"rotate": [[0.0, -1.0], [1.0, 0.0]]})
    with pytest.raises(InvalidImageError, match=r"transformed \(rotate\)"):
        plan(image, tmp_path / "a.mp4")


def test_a_part_of_several_images_is_refused_as_all_of_them(tmp_path):
    images = [gray(name="a"), gray(seed=1, name="b")]
    for options in ({}, {"start": 1}):
        with pytest.raises(InvalidImageError, match="2"):
            plan(images, tmp_path / "a.mp4", as_seen=False, **options)


def test_every_door_makes_the_same_movie(tmp_path):
    images = [gray(GREEN, name="cells"), gray(MAGENTA, seed=1, name="axons")]
    napari_ferry.imsave(images, tmp_path / "imsave.gif")
    napari_ferry.save_gif(tmp_path / "save_gif.gif", images)
    commands.write_gif(str(tmp_path / "napari.gif"), [layer(image) for image in images])
    napari_ferry.imsave(images, tmp_path / "both.ome.tif")
    main(["convert", str(tmp_path / "both.ome.tif"), str(tmp_path / "convert.gif")])
    first, *others = (imload(path)[0] for path in sorted(tmp_path.glob("*.gif")))
    assert first.shape == (4, 12, 16, 3)
    for other in others:
        np.testing.assert_array_equal(first.array, other.array)


def test_layers_are_one_picture(tmp_path):
    images = [gray(GREEN, name="cells"), gray(MAGENTA, seed=1, name="axons")]
    found = saved(images, tmp_path / "a.mkv")
    green, magenta = (np.asarray(image.array) for image in images)
    np.testing.assert_array_equal(found.array, np.stack([magenta, green, magenta], -1))
    loss, pace = plan(images, tmp_path / "b.mkv").losses
    assert "which is assumed" in pace
    assert loss.startswith("both layers are merged into one 8-bit RGB picture")


def test_channels_are_drawn_or_chosen(tmp_path):
    channels = (Channel("a", "#00ff00", (0, 255)), Channel("b", "#ff00ff", (0, 255)))
    image = gray(axes="tcyx", channels=channels)
    assert saved(image, tmp_path / "all.mkv").is_rgb
    one = saved(image, tmp_path / "one.mkv", position="c=1")
    np.testing.assert_array_equal(one.array, np.asarray(image.array)[:, 1])
    both = saved(image, tmp_path / "run.mkv", axis="c", position="t=2")
    np.testing.assert_array_equal(both.array, np.asarray(image.array)[2])


def test_lossless_video_keeps_the_samples_of_one_image(tmp_path):
    image = gray({"colormap": "viridis"})
    np.testing.assert_array_equal(saved(image, tmp_path / "a.mkv").array, image.array)
    assert saved(image, tmp_path / "b.mkv", as_seen=True).is_rgb


def test_samples_can_be_requested(tmp_path):
    image = gray({"colormap": "viridis"})
    found = saved(image, tmp_path / "a.gif", as_seen=False)
    np.testing.assert_array_equal(found.array, image.array)


def test_a_drawing_can_be_saved_in_any_format(tmp_path):
    found = saved(gray({"colormap": "viridis"}), tmp_path / "a.tif", as_seen=True, scale=2.0)
    assert (found.shape, found.is_rgb) == ((4, 24, 32, 3), True)


def test_an_option_of_render_implies_a_drawing(tmp_path):
    planned = plan(gray(), tmp_path / "a.gif", text="day 3")
    assert any("as napari shows it" in loss for loss in planned.losses)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_range_of_frames_does_not_imply_a_drawing(is_lazy, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**16, (9, 3, 12, 16), np.uint16)
    array = Frames(lambda i: pixels.reshape(-1, 12, 16)[i], pixels.shape, np.uint16, 2)
    axes = (Axis("t", 0.5, "second"), Axis("z"), Axis("y"), Axis("x"))
    image = Image((array if is_lazy else pixels,), axes)
    options: Any = {"position": "z=1", "start": 2, "stop": 8, "step": 3, "speed": 2}
    found = saved(image, tmp_path / "a.mkv", **options)
    np.testing.assert_array_equal(found.array, pixels[2:8:3, 1])
    assert found.axes[0].scale == 0.75
    single = Image.from_array(pixels[0, 0])
    with pytest.raises(InvalidImageError, match="requires a frame axis"):
        plan(single, tmp_path / "b.mkv", stop=3)


def test_speed_becomes_the_frame_rate(tmp_path):
    image = gray({"colormap": "green"})
    timed = replace(image, axes=(Axis("t", 0.5, "second"), *image.axes[1:]))
    assert saved(timed, tmp_path / "a.mp4", speed=5).frame_rate == pytest.approx(10)
    assert saved(timed, tmp_path / "b.mp4", speed=5, step=2).frame_rate == pytest.approx(5)
    saved(timed, tmp_path / "c.mp4", speed=5, frame_rate=20)
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.streams.video[0].average_rate == 20


@pytest.mark.parametrize("display", [{}, {"colormap": "green"}], ids=["samples", "drawn"])
@pytest.mark.parametrize(("speed", "rate"), [(60, 2), (300, 10), (3600, 120), (1, 1 / 30)])
def test_any_speed_is_applied(display, speed, rate, tmp_path):
    image = gray(display)
    slow = replace(image, axes=(Axis("t", 30, "second"), *image.axes[1:]))
    for given in ({"speed": speed}, {"frame_rate": rate}):
        planned = plan(slow, tmp_path / "a.mp4", **given)
        assert float(planned.frame_rate or 0) == pytest.approx(rate)
        assert "plays" not in "; ".join(planned.losses)
    planned = napari_ferry.plan(napari_ferry.render(slow, speed=speed), tmp_path / "a.mp4")
    assert float(planned.frame_rate or 0) == pytest.approx(rate)
    with pytest.raises(InvalidImageError, match=r"frame rate is .*between"):
        plan(slow, tmp_path / "a.mp4", speed=1e-9)


def test_a_speed_is_not_applied_to_the_next_movie(tmp_path):
    slow = replace(gray({}), axes=(Axis("t", 30, "second"), *gray({}).axes[1:]))
    run(plan(slow, tmp_path / "a.mp4", speed=6000))
    (again,) = imload(tmp_path / "a.mp4")
    assert "times real time" not in again.metadata
    planned = plan(again, tmp_path / "b.mp4")
    assert planned.frame_rate == 10
    assert "x real time" in "; ".join(planned.losses)


def test_a_drawing_has_the_playback_speed_of_its_image(tmp_path):
    image = gray({"colormap": "green"})
    slow = replace(image, axes=(Axis("t", 30, "second"), *image.axes[1:]))
    planned = plan(slow, tmp_path / "a.mp4", step=2)
    assert planned.frame_rate == 10
    assert "the movie plays at 10 per second, 600 x real time" in planned.losses


def test_an_unknown_option_is_named(tmp_path):
    with pytest.raises(InvalidImageError, match="no option spede"):
        plan(gray({"colormap": "green"}), tmp_path / "a.gif", spede=2)


def layer(image: Image, **meta: Any) -> Any:
    return (np.asarray(image.array), {**image.display, "name": image.name, **meta}, image.kind)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.mkv"])
def test_napari_saves_several_layers(name, tmp_path):
    layers = [layer(gray(GREEN, name="a")), layer(gray(MAGENTA, seed=1, name="b"))]
    write = {"gif": commands.write_gif, "mp4": commands.write_video}.get(
        name[2:], commands.write_lossless_video
    )
    assert write(str(tmp_path / name), layers) == [str(tmp_path / name)]
    (found,) = imload(tmp_path / name)
    assert found.shape == (4, 12, 16, 3)


def test_napari_reports_images_that_cannot_be_drawn(tmp_path):
    turned = layer(gray(GREEN, name="turned"), rotate=np.array([[0, -1.0], [1, 0]]))
    with pytest.raises(SaveError, match=r"turned is transformed \(rotate\)"):
        commands.write_gif(str(tmp_path / "a.gif"), [layer(gray()), turned])
    assert not list(tmp_path.iterdir())


def test_arrays_of_several_images_are_one_movie(tmp_path):
    images = [gray(GREEN), gray(MAGENTA, seed=1)]
    napari_ferry.save_video(tmp_path / "a.mkv", images)
    napari_ferry.save_gif(tmp_path / "a.gif", images)
    assert napari_ferry.load_video(tmp_path / "a.mkv").shape == (4, 12, 16, 3)
    assert napari_ferry.load_gif(tmp_path / "a.gif").shape == (4, 12, 16, 3)


def test_the_command_line_draws(tmp_path, capsys):
    channels = (Channel("a", "#00ff00", (0, 255)), Channel("b", "#ff00ff", (0, 255)))
    source = tmp_path / "cells.ome.tif"
    napari_ferry.imsave(gray(axes="tcyx", channels=channels), source)
    options = ["--scale", "2", "--stop", "3", "--text", "day 3", "--scale-bar", "bottom_right"]
    assert main(["convert", str(source), str(tmp_path / "a.mp4"), *options]) == 0
    assert imload(tmp_path / "a.mp4")[0].shape == (3, 24, 32, 3)
    assert "are merged into one 8-bit RGB picture" in capsys.readouterr().err
    assert main(["convert", str(source), str(tmp_path / "b.mp4"), "--no-as-seen"]) == 1
    assert "c=" in capsys.readouterr().err
    assert main(["convert", str(source), str(tmp_path / "b.tif"), "--as-seen"]) == 0
    assert imload(tmp_path / "b.tif")[0].is_rgb


def test_a_range_of_channels_has_their_descriptions():
    image = make_full_image("cyx")
    part = take_frames(image, {"axis": "c", "start": 1})
    assert part.channels == image.channels[1:]
    assert np.array_equal(part.array, np.asarray(image.array)[1:])


def test_planes_without_y_and_x_have_no_geometry():
    image = Image.from_array(np.zeros((4, 8, 8), np.uint8), "tqp")
    assert not is_drawn([image], Path("a.mp4"), {})
