"""Values copied from an old sidecar, and losses reported for the others, without a window."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import Image, imload, imsave
from napari_ferry.cli import main
from napari_ferry.codecs.binary.calibration import Calibration, split_axes
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, write_sidecar
from napari_ferry.image import Axis, Channel, describe
from napari_ferry.image.record import CHANNEL_DISPLAYS

U2 = np.dtype("<u2")
HEADER = 64
AXES = {
    "t": Axis("t", 20.0, "millisecond", 100.0),
    "z": Axis("z", 2.0, "micrometer", -4.0),
    "c": Axis("c"),
    "y": Axis("y", 0.25, "micrometer", 8.0),
    "x": Axis("x", 0.5, "micrometer"),
    "p": Axis("p", 3.0, "degree"),
}
SIZES = {"t": 5, "z": 3, "c": 2, "y": 8, "x": 16, "p": 4}
CHANNELS = (Channel("DAPI", "#0000ff", (1, 9)), Channel("GFP", "#00ff00", (0, 4095)))
TZYX = Layout(dtype=U2, offset=HEADER, frames=15, y=8, x=16)


def make(names: str, **fields: Any) -> Image:
    shape = [SIZES[name] for name in names]
    pixels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    image = Image((pixels,), tuple(AXES[name] for name in names))
    return replace(image, name="cells", metadata={"mouse": 4}, **fields)


def shifted(image: Image, folder: Path, **others: Any) -> Path:
    """Save an image, and insert a header unknown to its sidecar."""
    path = folder / "a.raw"
    imsave(image, path, overwrite=True)
    path.write_bytes(bytes(HEADER) + path.read_bytes())
    sidecar = sidecar_path(path)
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **others}))
    return path


def rewritten(path: Path, layout: Layout, *arguments: Any, **options: Any) -> Image:
    write_sidecar(path, layout, *arguments, overwrite=True, **options)
    return imload(path)[0]


@pytest.mark.parametrize(
    ("image", "layout"),
    [
        (make("tzyx", display={"gamma": 0.5, "contrast_limits": [3, 99]}), TZYX),
        (
            make("tcyx", channels=CHANNELS),
            Layout(dtype=U2, offset=HEADER, frames=5, channels=2, interleaving="plane", y=8, x=16),
        ),
        (make("ctyx", channels=CHANNELS), replace(TZYX, frames=10)),
        (
            make("tyxc", channels=CHANNELS),
            Layout(dtype=U2, offset=HEADER, frames=5, channels=2, interleaving="pixel", y=8, x=16),
        ),
        (make("pzyx", kind="labels"), replace(TZYX, frames=12)),
        (make("zyx", display={"affine": np.diag([2, 2, 1, 1]).tolist()}), replace(TZYX, frames=3)),
        (make("yx"), replace(TZYX, frames=1)),
    ],
    ids=lambda one: "".join(one.axis_names) if isinstance(one, Image) else "",
)
def test_a_new_header_changes_nothing_else(image, layout, tmp_path):
    """Without a calibration, and with one of a form that the user has not edited."""
    for calibration, options in (
        (None, {}),
        (Calibration(frame_axis="t", frame_step=9.0, pixel_size=9.0), {"edited": ()}),
    ):
        path = shifted(image, tmp_path, exposure=[20, "ms"])
        assert plan_sidecar(path, layout, calibration, **options).losses == ()
        found = rewritten(path, layout, calibration, **options)
        assert describe(found) == describe(image)
        assert np.array_equal(found.array, image.array)
        assert json.loads(sidecar_path(path).read_text())["exposure"] == [20, "ms"]


def test_colors_of_three_samples_keep_their_axis(tmp_path):
    pixels = np.zeros((5, 8, 16, 3), np.uint8)
    layout = Layout(
        dtype=np.dtype("u1"), offset=HEADER, frames=5, channels=3, interleaving="pixel", y=8, x=16
    )
    for names in ("tyxc", "tyxs"):
        path = shifted(Image.from_array(pixels, names, name="cells"), tmp_path)
        assert "".join(rewritten(path, layout).axis_names) == names


def test_missing_frames_shorten_the_first_axis(tmp_path):
    path = shifted(make("tzyx"), tmp_path)
    found = rewritten(path, replace(TZYX, frames=9), whole_frames=True)
    assert found.shape == (3, 3, 8, 16)
    assert found.axes == make("tzyx").axes


@pytest.mark.parametrize(
    ("image", "changes", "said", "kept"),
    [
        (
            make("tzyx"),
            {"frames": 14},
            (
                "the step of t (20 millisecond) is left out",
                "the origin of t (100 millisecond) is left out",
                "the axis z (length 3 at steps of 2 micrometer) is left out",
            ),
            [Axis("t"), AXES["y"], AXES["x"]],
        ),
        (
            make("tcyx", channels=CHANNELS),
            {"frames": 10},
            ("the descriptions of 2 channels (DAPI, GFP) are left out: the layout has 1",),
            [AXES["t"], AXES["y"], AXES["x"]],
        ),
        (
            make("tyx", channels=CHANNELS[:1], display={"iso_threshold": 7.0, "gamma": 2.0}),
            {"frames": 5, "dtype": np.dtype("<i2")},
            (
                "the display settings contrast limits, iso threshold are left out: they apply only "
                "to the axes t y x of uint16",
            ),
            [AXES["t"], AXES["y"], AXES["x"]],
        ),
        (
            make("zyx", kind="labels"),
            {"frames": 3, "dtype": np.dtype("<f2")},
            ("labels become an image: the samples are float16",),
            [AXES["z"], AXES["y"], AXES["x"]],
        ),
        (
            make("tzyx", display={"rotate": [1, 2, 3], "opacity": 0.5}),
            {"frames": 7, "gap": 256},
            (
                "the step of t (20 millisecond) is left out",
                "the origin of t (100 millisecond) is left out",
                "the axis z (length 3 at steps of 2 micrometer) is left out",
                "the display settings rotate are left out: they apply only to the axes t z y x of "
                "uint16",
            ),
            [Axis("t"), AXES["y"], AXES["x"]],
        ),
    ],
    ids=["frames", "channels", "samples", "labels", "gaps"],
)
def test_values_that_contradict_the_layout_are_reported_and_dropped(
    image, changes, said, kept, tmp_path
):
    path = shifted(image, tmp_path)
    layout = replace(TZYX, **changes)
    assert plan_sidecar(path, layout, whole_frames=True).losses == said
    found = rewritten(path, layout, whole_frames=True)
    assert list(found.axes) == kept
    assert (found.name, found.metadata) == (image.name, image.metadata)
    stays = ("gamma", "opacity", "colormap")
    assert found.display == {k: v for k, v in image.display.items() if k in stays}
    assert not found.channels


def test_channels_keep_names_and_displays_without_limits_of_other_samples(tmp_path):
    displays = [{"gamma": 0.5, "iso_threshold": 7.0}, {"gamma": 2.0}]
    image = make("tcyx", channels=CHANNELS, display={CHANNEL_DISPLAYS: displays})
    layout = replace(TZYX, dtype=np.dtype("<i2"), frames=5, channels=2, interleaving="plane")
    found = rewritten(shifted(image, tmp_path), layout)
    assert found.channels == tuple(replace(each, contrast_limits=None) for each in CHANNELS)
    assert found.display == {CHANNEL_DISPLAYS: [{"gamma": 0.5}, {"gamma": 2.0}]}


def test_frames_of_a_single_image_have_no_axis_of_the_old_one(tmp_path):
    found = rewritten(shifted(make("yx"), tmp_path), replace(TZYX, frames=2, y=4))
    assert list(found.axes) == [Axis("t"), AXES["y"], AXES["x"]]
    assert found.shape == (2, 4, 16)


@pytest.mark.parametrize(
    ("names", "calibration", "edited", "axes"),
    [
        (
            "tyx",
            Calibration(frame_axis="t", frame_step=0.5),
            {"frame_step"},
            [Axis("t", 0.5, "second", 0.1), "y", "x"],
        ),
        (
            "tyx",
            Calibration(frame_axis="t", pixel_size=80.0, unit="nanometer"),
            {"pixel_size"},
            ["t", Axis("y", 80.0, "nanometer", 8000.0), Axis("x", 80.0, "nanometer")],
        ),
        ("tyx", Calibration(), {"pixel_size"}, ["t", Axis("y"), Axis("x")]),
        (
            "tyx",
            Calibration(frame_axis="z", frame_step=3.0),
            {"frame_axis", "frame_step"},
            [Axis("z", 3.0, "micrometer"), "y", "x"],
        ),
        (
            "pyx",
            Calibration(frame_axis="t", frame_step=0.5),
            {"frame_step"},
            [Axis("t", 0.5, "second"), "y", "x"],
        ),
        (
            "tzyx",
            Calibration(frame_axis="z", frame_step=3.0),
            {"frame_axis", "frame_step"},
            ["t", Axis("z", 3.0, "micrometer", -4.0), "y", "x"],
        ),
    ],
)
def test_edited_fields_replace_old_values(names, calibration, edited, axes, tmp_path):
    image = make(names)
    path = shifted(image, tmp_path)
    layout = replace(TZYX, frames=image.array.size // 128)
    found = rewritten(path, layout, calibration, edited=edited)
    wanted = [AXES[axis] if isinstance(axis, str) else axis for axis in axes]
    assert [replace(a, translation=0) for a in found.axes] == [
        replace(axis, translation=0) for axis in wanted
    ]
    assert [a.translation for a in found.axes] == pytest.approx([a.translation for a in wanted])


def test_an_uncalibrated_sidecar_gets_the_calibration_of_the_form(tmp_path):
    path = tmp_path / "a.raw"
    imsave(Image.from_array(np.zeros((15, 8, 16), np.uint16), name="cells"), path)
    found = rewritten(
        path,
        replace(TZYX, offset=0),
        Calibration(frame_axis="t", frame_step=0.5, pixel_size=2.0),
        edited=(),
    )
    assert found.axes[0] == Axis("t", 0.5, "second")
    assert found.pixel_size == (2.0, 2.0)
    assert found.name == "cells"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is damaged, so nothing is copied from it"),
        (
            '{"napari-ferry": 1, "axes": 5}',
            "its description is damaged and is not copied",
        ),
        ('{"mine": 1, "frames": 3, "gap": 5, "rest": 8}', None),
    ],
)
def test_a_damaged_sidecar_is_replaced(text, said, tmp_path, capsys):
    path = shifted(make("tzyx"), tmp_path)
    sidecar_path(path).write_text(text)
    options = {"dtype": "uint16", "y": 8, "x": 16, "offset": HEADER, "frames": 15}
    command = ["repair", str(path), "--write", "--overwrite"]
    command += [f"--{key}={value}" for key, value in options.items()]
    assert main(command) == 0
    errors = capsys.readouterr().err
    assert errors == (f"napari-ferry: a.json: {said}\n" if said else "")
    (found,) = imload(path)
    assert (found.shape, found.axes[0], found.name) == ((15, 8, 16), Axis("t"), "a")
    assert (tmp_path / "a.json.bak").read_text() == text
    assert ("mine" in json.loads(sidecar_path(path).read_text())) is ("mine" in text)


def test_the_command_reports_losses_before_writing(tmp_path, capsys, monkeypatch):
    path = shifted(make("tcyx", channels=CHANNELS), tmp_path)
    before = sidecar_path(path).read_text()
    options = {"dtype": "uint16", "y": 8, "x": 16, "offset": HEADER, "frames": 10, "channels": 1}
    command = ["repair", str(path), "--write", *(f"--{k}={v}" for k, v in options.items())]
    assert main(command) == 1
    assert "left out" not in capsys.readouterr().err
    monkeypatch.setattr("shutil.copy2", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main([*command, "--overwrite"])
    lost = "the descriptions of 2 channels (DAPI, GFP) are left out: the layout has 1"
    assert capsys.readouterr().err == f"napari-ferry: a.json: {lost}\n"
    assert sidecar_path(path).read_text() == before


def test_axes_in_another_order_are_not_frames():
    assert split_axes("tzxy") is None
    assert split_axes("yx") == ((), ("y", "x"))
    assert split_axes("cyxs") == (("c",), ("y", "x", "s"))
