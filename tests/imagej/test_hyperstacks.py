"""ImageJ hyperstacks, written through tifffile and by Fiji and other programs."""

from __future__ import annotations

import base64
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpers import SHARED, assert_same_pixels, pixels
from napari_ferry import imload, imsave, plan
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.record import Description
from napari_ferry.imagej import parse_imagej, to_imagej, unsupported_reason
from napari_ferry.units import METERS, SECONDS


def make(axes: str, shape: tuple[int, ...], dtype: Any = np.uint16, **fields: Any) -> Image:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return replace(Image.from_array(array, axes), **fields)


def calibrate(image: Image, **steps: tuple[float, str | None]) -> Image:
    axes = [
        replace(axis, **dict(zip(("scale", "unit"), steps.get(axis.name, ()), strict=False)))
        for axis in image.axes
    ]
    return replace(image, axes=tuple(axes))


def save(image: Image, path: Path) -> None:
    tags = to_imagej(image)
    lead = len(tags.order)
    data = np.transpose(image.load(), (*tags.order, *range(lead, image.ndim)))
    tifffile.imwrite(
        path,
        data.reshape(tags.shape6),
        imagej=True,
        resolution=tags.resolution,
        metadata=tags.metadata,
    )


def read(path: Path, **changes: Any) -> Description:
    with tifffile.TiffFile(path) as tif:
        page, metadata = tif.pages.first, dict(tif.imagej_metadata or {})
        ratios = [page.tags[f"{axis}Resolution"].value for axis in "XY"]
        resolution = (ratios[0][0] / ratios[0][1], ratios[1][0] / ratios[1][1])
        resolution = changes.pop("resolution", resolution)
        metadata = {k: v for k, v in {**metadata, **changes}.items() if v is not None}
        y, x, *samples = page.shape
        return parse_imagej(
            metadata, resolution, (y, x), page.dtype.name, *samples or [1], len(tif.pages)
        )


def parse(metadata: dict[str, Any], nframes: int | None = None, **more: Any) -> Description:
    resolution = more.get("resolution", (4.0, 2.0))
    return parse_imagej(
        {"ImageJ": "1.53t", **metadata},
        resolution,
        (5, 7),
        "uint16",
        more.get("samples", 1),
        nframes,
    )


def axes_of(description: Description) -> str:
    return "".join(axis.name for axis in description.axes)


FULL = calibrate(
    make(
        "ctzyx",
        (2, 4, 3, 5, 7),
        name="cells",
        metadata={"Info": "mouse 4\n", "k": [1, "é"]},
        channels=(Channel("DAPI", "#0000ff", (1, 9.5)), Channel("GFP", "#00ff00", (0, 4095))),
        display={"gamma": 0.5},
    ),
    t=(20.0, "millisecond"),
    z=(2.0, "micrometer"),
    y=(0.25, "micrometer"),
    x=(0.15, "micrometer"),
)


# --- supported images


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", ">u2"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_supported_images(dtype: str, kind: Any) -> None:
    assert unsupported_reason(replace(make("ctzyx", (1, 2, 3, 5, 7), dtype), kind=kind)) is None


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (make("yx", (5, 7), "int16"), "int16"),
        (make("yx", (5, 7), "bool"), "bool"),
        (make("yx", (5, 7), "float64"), "float64"),
        (make("yxs", (5, 7, 3), "uint16"), "3 of uint16"),
        (make("yxs", (5, 7, 4), "uint8"), "4 of uint8"),
        (make("cyxs", (2, 5, 7, 3), "uint8"), "no channels"),
        (make("ptyx", (2, 2, 5, 7)), "not p"),
        (make("xy", (5, 7)), "last"),
        (make("yxt", (5, 7, 2)), "last"),
        (make("syx", (3, 5, 7), "uint8"), "last"),
        (make("tyx", (0, 5, 7)), "empty"),
    ],
)
def test_the_reason_for_an_unsupported_image(image: Image, reason: str) -> None:
    assert reason in (unsupported_reason(image) or "")


@pytest.mark.parametrize(
    ("steps", "unseen"),
    [
        ({"x": (-1.0, "micrometer"), "t": (-0.5, "second")}, "xt"),
        (
            {"t": (1e15 + 1, "zettasecond")},
            "t",
        ),  # a huge number of seconds
        ({"t": (1e-13, "yoctosecond")}, "t"),
        ({"t": (2.0, "micrometer"), "x": (1.0, "micrometer")}, "tx"),
        ({"t": (1e14, "zettasecond"), "x": (2.0, "inch"), "y": (5.0, "nanometer")}, ""),
    ],
)
def test_an_unsupported_step_is_reported_as_a_loss(
    steps: dict[str, tuple[float, str]], unseen: str, tmp_path: Path
) -> None:
    image = calibrate(make("tyx", (2, 5, 7)), **steps)
    assert unsupported_reason(image) is None
    save(image, tmp_path / "a.tif")
    assert read(tmp_path / "a.tif").axes == image.axes
    said = [
        f"other programs see axis {axis.name} without its step ({axis.scale:g} {axis.unit}), which "
        "an ImageJ hyperstack cannot hold; napari-ferry restores it"
        for axis in image.axes
        if axis.name in unseen
    ]
    assert list(plan(image, tmp_path / "b.tif").losses) == said


# --- writing


def test_tifffile_reads_what_was_written(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        found, page = tif.imagej_metadata, tif.pages.first
        assert tif.series[0].axes == "TZCYX"
        assert np.array_equal(tif.asarray(), np.transpose(FULL.array, (1, 2, 0, 3, 4)))
        ratio = page.tags["XResolution"].value
        assert ratio[1] / ratio[0] == pytest.approx(0.15, rel=1e-6)
        assert page.tags["ResolutionUnit"].value == 1
        assert page.tags["ImageDescription"].value.isascii()
    assert found is not None
    assert (found["frames"], found["slices"], found["channels"]) == (4, 3, 2)
    assert (found["unit"], found["spacing"], found["mode"]) == ("micron", 2.0, "composite")
    assert (found["finterval"], found["fps"]) == (0.02, 50.0)
    assert "yunit" not in found
    assert found["Ranges"] == (1.0, 9.5, 0.0, 4095.0)
    assert found["Labels"] == ["DAPI", "GFP"] * 12
    assert [lut[:, 255].tolist() for lut in found["LUTs"]] == [[0, 0, 255], [0, 255, 0]]
    assert found["LUTs"][0].shape == (3, 256)
    first, _, rest = found["Info"].partition("\nnapari-ferry: ")
    assert first == "mouse 4\n"
    assert json.loads(rest)["name"] == "cells"


def test_shape_and_order() -> None:
    tags = to_imagej(FULL)
    assert tags.shape6 == (4, 3, 2, 5, 7, 1)
    assert tags.order == (1, 2, 0)
    assert to_imagej(make("yxs", (5, 7, 3), "uint8")).shape6 == (1, 1, 1, 5, 7, 3)
    assert to_imagej(make("yx", (5, 7))).order == ()


def test_an_uncalibrated_image_is_not_calibrated() -> None:
    for image in (make("tzyx", (2, 2, 5, 7)), calibrate(make("yx", (5, 7)), x=(1, "micrometer"))):
        tags = to_imagej(image)
        assert tags.resolution is None
        assert not {"unit", "yunit", "spacing", "finterval", "fps"} & tags.metadata.keys()


def test_lengths_are_written_in_micrometers() -> None:
    image = calibrate(
        make("tzyx", (2, 2, 5, 7)),
        t=(2.0, "minute"),
        z=(1.0, "millimeter"),
        y=(65.0, "nanometer"),
        x=(0.065, "micrometer"),
    )
    tags = to_imagej(image)
    assert tags.resolution == pytest.approx((1 / 0.065, 1 / 0.065))
    assert tags.metadata["spacing"] == pytest.approx(1000)
    assert [tags.metadata.get(key) for key in ("unit", "yunit", "zunit")] == ["micron", None, None]
    assert tags.metadata["finterval"] == 120.0
    assert "tunit" not in tags.metadata


def test_ranges_of_channels_without_limits() -> None:
    channels = (Channel("a", None, (1, 9)), Channel("b"))
    assert to_imagej(make("cyx", (2, 5, 7), channels=channels)).metadata["Ranges"] == (
        1,
        9,
        0,
        65535,
    )
    floats = make("cyx", (2, 5, 7), "float32", channels=channels)
    assert "Ranges" not in to_imagej(floats).metadata
    single = to_imagej(make("yx", (5, 7), channels=(Channel("a", None, (1, 9)),))).metadata
    assert (single["min"], single["max"]) == (1, 9)


@pytest.mark.parametrize(
    ("colormap", "ends"),
    [
        ("green", [(0, 0, 0), (0, 255, 0)]),
        ("#0a141e", [(0, 0, 0), (10, 20, 30)]),
        ("gray", [(0, 0, 0), (255, 255, 255)]),
        ("gray_r", [(255, 255, 255), (0, 0, 0)]),
        ("viridis", [(68, 1, 84), (253, 231, 37)]),
        ({"name": "mine", "colors": [[1, 0, 0, 1], [0, 0, 1, 1]]}, [(255, 0, 0), (0, 0, 255)]),
    ],
)
@pytest.mark.parametrize("axes", ["yx", "tyx", "zyx", "tzyx"])
def test_an_image_without_channels_keeps_its_display(
    colormap: Any, ends: list[tuple[int, ...]], axes: str
) -> None:
    display = {"colormap": colormap, "contrast_limits": [3.0, 40.0]}
    metadata = to_imagej(make(axes, (2, 3, 5, 7)[-len(axes) :], display=display)).metadata
    assert (metadata["min"], metadata["max"]) == (3, 40)
    assert metadata["Ranges"] == (3, 40)
    (lut,) = metadata["LUTs"]
    assert [tuple(lut[:, k].tolist()) for k in (0, -1)] == ends


@pytest.mark.parametrize(
    "display",
    [
        {"colormap": "no such colormap", "contrast_limits": [9, 1]},
        {"colormap": {"colors": "red"}, "contrast_limits": ["a", 2]},
        {"colormap": {"colors": [[1, 2]]}, "contrast_limits": [float("nan"), 2.0]},
        {"colormap": {"colors": [[0, 0, 0], [1, 1, 1]], "controls": [0]}, "contrast_limits": 5},
        {"colormap": 7},
    ],
)
def test_an_invalid_display_is_not_written(display: dict[str, Any]) -> None:
    assert (
        not {"min", "max", "Ranges", "LUTs"}
        & to_imagej(make("yx", (5, 7), display=display)).metadata.keys()
    )


def test_labels_have_no_colors_of_intensities() -> None:
    image = make("yx", (5, 7), kind="labels", display={"colormap": "green"})
    assert "LUTs" not in to_imagej(image).metadata


def test_one_channel_of_an_image_without_axis_c_becomes_its_display() -> None:
    channel = Channel("GFP", "#00ff00", (1.0, 9.0))
    image = make("tyx", (2, 5, 7), channels=(channel,))
    assert (image.channels, image.name) == ((), "GFP")
    assert image.display == {"colormap": "#00ff00", "contrast_limits": [1.0, 9.0]}
    own = make("tyx", (2, 5, 7), channels=(channel,), name="cells", display={"colormap": "red"})
    assert own.display == {"colormap": "red", "contrast_limits": [1.0, 9.0]}
    assert (own.name, own.metadata) == ("cells", {"channel": "GFP"})


# --- round trips

TEXT = st.text(max_size=12)
SCALES = st.one_of(st.floats(allow_nan=False, allow_infinity=False).filter(bool), st.just(0.15))
UNITS = st.one_of(st.none(), st.sampled_from(sorted({**METERS, **SECONDS})), st.just("degree"))
COLORS = st.one_of(st.none(), st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"))
LIMITS = st.one_of(st.none(), st.tuples(st.floats(-1e6, 0), st.floats(1e-3, 1e6)))


@st.composite
def images(draw: st.DrawFn) -> Image:
    is_rgb = draw(st.booleans())
    names = [*draw(st.lists(st.sampled_from("tzc"), unique=True)), "y", "x", *["s"] * is_rgb]
    most = {"c": 1} if is_rgb else {}
    shape = [3 if n == "s" else draw(st.integers(1, most.get(n, 3))) for n in names]
    dtype = "uint8" if is_rgb else draw(st.sampled_from(["uint8", "uint16", "float32"]))
    count = dict(zip(names, shape, strict=True)).get("c", 1)
    channels = [
        Channel(draw(st.one_of(st.none(), TEXT)), draw(COLORS), draw(LIMITS)) for _ in range(count)
    ]
    metadata = draw(
        st.dictionaries(
            st.one_of(TEXT, st.sampled_from(["Info", "Labels", "ROI"])),
            st.one_of(st.integers(), TEXT),
        )
    )
    return Image(
        (np.zeros(shape, dtype),),
        tuple(Axis(name, draw(SCALES), draw(UNITS), draw(SCALES)) for name in names),
        tuple(channels) if draw(st.booleans()) else (),
        draw(TEXT),
        draw(st.sampled_from(["image", "labels"])),
        draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        metadata,
    )


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(image=images())
@example(image=calibrate(make("tyx", (2, 5, 7)), t=(1000000000000001.0, "zettasecond")))
def test_every_image_round_trips(image: Image, tmp_path: Path) -> None:
    assert unsupported_reason(image) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(image, tmp_path / "a.tif")
        found = read(tmp_path / "a.tif")
    assert found.shape == image.shape
    back = found.to_image(image.array)
    for field in ("axes", "channels", "name", "kind", "display", "metadata"):
        assert getattr(back, field) == getattr(image, field), field


def test_the_full_example_round_trips(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif").to_image(FULL.array)
    for field in ("axes", "channels", "name", "display", "metadata"):
        assert getattr(found, field) == getattr(FULL, field), field


def test_colormaps_with_several_colors(tmp_path: Path) -> None:
    fire = [[i / 255, (i / 255) ** 2, 0.5, 1.0] for i in range(256)]
    display = {"channels": [{"colormap": {"name": "mine", "colors": fire}}, {}]}
    image = make(
        "cyx", (2, 5, 7), channels=(Channel("a"), Channel("b", "#ff0000")), display=display
    )
    save(image, tmp_path / "a.tif")
    own = read(tmp_path / "a.tif")
    assert (own.display, own.channels) == (display, image.channels)
    foreign = read(tmp_path / "a.tif", Info=None)
    assert foreign.channels == (Channel(), Channel(None, "#ff0000"))
    shown = (foreign.display or {})["channels"]
    assert shown[1] == {}
    assert np.allclose(shown[0]["colormap"]["colors"], fire, atol=0.5 / 255 + 1e-9)
    assert shown[0]["colormap"]["name"] == "imagej 0"


HEADERS = {
    "yx": "images=1\n",
    "zyx": "images=3\nslices=3\n",
    "tyx": "images=3\nframes=3\nfinterval=0.5\n",
    "tzyx": "images=6\nframes=2\nslices=3\nhyperstack=true\n",
}


@pytest.mark.parametrize("axes", HEADERS)
@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".bin"])
@pytest.mark.parametrize("has_lut", [False, True])
def test_one_channel_of_fiji_keeps_its_range_and_lut(
    axes: str, suffix: str, has_lut: bool, tmp_path: Path
) -> None:
    shape = {"yx": (5, 7), "zyx": (3, 5, 7), "tyx": (3, 5, 7), "tzyx": (2, 3, 5, 7)}[axes]
    data = np.arange(np.prod(shape), dtype="u1").reshape(shape)
    text = f"ImageJ=1.53t\n{HEADERS[axes]}min=10.0\nmax=200.0\n"
    lut = np.stack([np.arange(256), np.arange(255, -1, -1), np.zeros(256)]).astype(np.uint8)
    extra = tifffile.imagej_metadata_tag({"LUTs": [lut]}, "<") if has_lut else ()
    tifffile.imwrite(
        tmp_path / "fiji.tif",
        data,
        description=text,
        metadata=None,
        extratags=extra,
        photometric="minisblack",
    )
    (image,) = imload(tmp_path / "fiji.tif")
    assert image.axis_names == tuple(axes)
    assert image.display["contrast_limits"] == [10.0, 200.0]
    assert ("colormap" in image.display) == has_lut
    imsave(image, tmp_path / f"again{suffix}")
    (again,) = imload(tmp_path / f"again{suffix}")
    assert (again.display, again.channels) == (image.display, ())
    imsave(again, tmp_path / "last.tif")
    with tifffile.TiffFile(tmp_path / "last.tif") as tif:
        said = tif.imagej_metadata or {}
    assert (said["min"], said["max"]) == (10, 200)
    assert not has_lut or np.array_equal(np.reshape(said["LUTs"], (3, 256)), lut)


@pytest.mark.parametrize("axes", ["tyx", "ctyx"])
def test_colors_changed_by_another_program_replace_the_display(axes: str, tmp_path: Path) -> None:
    shape = (2, 3, 5, 7)[-len(axes) :]
    own = {"gamma": 0.5, "colormap": "viridis", "contrast_limits": [1.0, 9.0]}
    channels = tuple(Channel(name, None, (1.0, 9.0)) for name in "ab")
    image = make(axes, shape, display=own)
    if axes[0] == "c":
        image = make(axes, shape, channels=channels, display={"channels": [own, own]})
    save(image, tmp_path / "a.tif")
    assert read(tmp_path / "a.tif").display == image.display
    n = len(shape) - 2
    green = np.zeros((3, 256), np.uint8)
    green[1] = np.arange(256)
    changed = {"Ranges": (2.0, 5.0) * (n if n > 1 else 1), "LUTs": [green] * (n if n > 1 else 1)}
    changed |= {"min": 2.0, "max": 5.0}
    found = read(tmp_path / "a.tif", **changed)
    if axes[0] == "c":
        assert found.channels == tuple(Channel(c.name, "#00ff00", (2.0, 5.0)) for c in channels)
        assert found.display == {"channels": [{"gamma": 0.5}] * 2}
    else:
        assert found.channels == ()
        assert found.display == {
            "gamma": 0.5,
            "colormap": "#00ff00",
            "contrast_limits": [2.0, 5.0],
        }


def test_regions_labels_and_properties_round_trip(tmp_path: Path) -> None:
    rois = [base64.b64encode(blob).decode() for blob in (b"Iout\x00\x01", b"Iout\x00\x02")]
    metadata = {
        "Overlays": rois,
        "ROI": rois[0],
        "Properties": {"a": "1"},
        "Labels": ["one", "two"],
        "Info": "text",
    }
    image = make("tyx", (2, 5, 7), metadata=metadata)
    save(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        found = tif.imagej_metadata or {}
    assert found["Overlays"] == [b"Iout\x00\x01", b"Iout\x00\x02"]
    assert found["ROI"] == b"Iout\x00\x01"
    assert found["Properties"] == {"a": "1"}
    assert found["Labels"] == ["one", "two"]
    assert read(tmp_path / "a.tif").metadata == metadata
    plain = read(tmp_path / "a.tif", Info="other text").metadata or {}
    assert plain["Info"] == "other text"
    assert (plain["Overlays"], plain["ROI"]) == (rois, rois[0])
    assert json.loads(json.dumps(plain)) == plain


# --- changes by other programs


def test_changes_by_another_program_replace_the_record(tmp_path: Path) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif", spacing=3.0, finterval=0.5)
    t, z = (next(a for a in found.axes if a.name == name) for name in "tz")
    assert (t, z) == (Axis("t", 0.5, "second"), Axis("z", 3.0, "micrometer"))
    assert axes_of(found) == "ctzyx"
    scaled = read(tmp_path / "a.tif", resolution=(2.0, 2.0), unit="mm")
    assert scaled.axes[3:] == (Axis("y", 0.5, "millimeter"), Axis("x", 0.5, "millimeter"))
    unscaled = read(tmp_path / "a.tif", unit=None, spacing=None, finterval=None)
    assert {(axis.scale, axis.unit) for axis in unscaled.axes} == {(1.0, None)}
    ranges = read(tmp_path / "a.tif", Ranges=(0.0, 1.0, 2.0, 3.0))
    assert ranges.channels == (
        Channel("DAPI", "#0000ff", (0.0, 1.0)),
        Channel("GFP", "#00ff00", (2.0, 3.0)),
    )
    assert ranges.display == {"gamma": 0.5}


@pytest.mark.parametrize(
    "changes",
    [{"frames": 2, "images": 12}, {"frames": 3, "slices": 4}, {"images": 12, "frames": 2}],
)
def test_a_record_of_other_planes_is_ignored(tmp_path: Path, changes: dict[str, int]) -> None:
    save(FULL, tmp_path / "a.tif")
    found = read(tmp_path / "a.tif", **changes)
    assert axes_of(found) == "tzcyx"
    assert found.shape[:3] == (changes["frames"], changes.get("slices", 3), 2)
    assert found.metadata is not None
    assert found.metadata["Info"] == "mouse 4\n"
    assert found.channels[0] == Channel(None, "#0000ff", (1.0, 9.5))


@pytest.mark.parametrize(
    "record",
    [
        "{",
        "{}",
        '{"napari-ferry": 1, "axes": [{"size": 1}]}',
        '{"napari-ferry": 1, "axes": []}',
        "[" * 100_000,
        "{]}",
    ],
)
def test_a_damaged_record_is_ignored(record: str) -> None:
    found = parse({"images": 2, "frames": 2, "Info": f"napari-ferry: {record}"})
    assert (found.shape, axes_of(found)) == ((2, 5, 7), "tyx")


# --- other programs


@pytest.mark.parametrize(
    ("metadata", "nframes", "axes", "shape"),
    [
        ({}, 1, "yx", (5, 7)),
        ({}, None, "yx", (5, 7)),
        ({"images": 6, "frames": 6}, 6, "tyx", (6, 5, 7)),
        ({"images": 6, "slices": 6}, 6, "zyx", (6, 5, 7)),
        ({"images": 6, "slices": 3, "channels": 2}, 6, "zcyx", (3, 2, 5, 7)),
        ({"images": 24, "slices": 3, "channels": 2, "frames": 4}, 24, "tzcyx", (4, 3, 2, 5, 7)),
        ({"images": 6, "slices": 6, "channels": 1}, 6, "zcyx", (6, 1, 5, 7)),
        ({"images": 6, "spacing": 2.0}, 6, "zyx", (6, 5, 7)),
        ({"images": 6, "finterval": 0.5, "spacing": 2.0}, None, "tyx", (6, 5, 7)),
        ({"images": 6, "fps": 7.0}, 1, "tyx", (6, 5, 7)),
        ({"images": -5, "frames": -5}, 6, "tyx", (6, 5, 7)),
    ],
)
def test_axes_are_those_named_in_the_file(
    metadata: dict[str, Any], nframes: int | None, axes: str, shape: tuple[int, ...]
) -> None:
    found = parse(metadata, nframes)
    assert (axes_of(found), found.shape) == (axes, shape)


def test_an_assumption_is_recorded() -> None:
    found = parse({"images": 6}, 6)
    assert axes_of(found) == "tyx"
    assert "time" in (found.metadata or {})["assumed"]
    assert "assumed" not in (parse({"images": 6, "frames": 6}).metadata or {})


def test_sizes_that_contradict_each_other() -> None:
    with pytest.warns(FerryWarning, match="4 frames x 4 slices"):
        found = parse({"images": 6, "slices": 4, "frames": 4}, 6)
    assert found.shape == (6, 5, 7)
    with pytest.raises(UnreadableFileError, match="planes"):
        parse({"images": 10**9})


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"unit": "micron"}, Axis("x", 0.25, "micrometer")),
        ({"unit": r"\u00B5m"}, Axis("x", 0.25, "micrometer")),
        ({"unit": "um", "yunit": "nm"}, Axis("y", 0.5, "nanometer")),
        ({"unit": "inch"}, Axis("y", 0.5, "inch")),
        ({"unit": "pixel"}, Axis("x")),
        ({}, Axis("x")),
        ({"unit": "um", "spacing": 2}, Axis("z", 2.0, "micrometer")),
        ({"unit": "um", "spacing": 2, "zunit": "mm"}, Axis("z", 2.0, "millimeter")),
        ({"spacing": 2}, Axis("z", 2.0)),
        ({"unit": "um"}, Axis("z")),
        ({"finterval": 0.5}, Axis("t", 0.5, "second")),
        ({"finterval": 5, "tunit": "ms"}, Axis("t", 5.0, "millisecond")),
        ({"finterval": 0}, Axis("t")),
        ({"fps": 5}, Axis("t")),
    ],
)
def test_calibrations(metadata: dict[str, Any], expected: Axis) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = parse({"images": 6, "frames": 2, "slices": 3, **metadata})
    assert expected in found.axes


@pytest.mark.parametrize(
    ("metadata", "resolution", "named"),
    [
        ({"spacing": float("nan")}, None, "spacing"),
        ({"spacing": -1.0}, None, "spacing"),
        ({"finterval": float("inf")}, None, "finterval"),
        ({"finterval": "soon"}, None, "finterval"),
        ({"unit": "um"}, (0.0, 0.0), "XResolution"),
        ({"unit": "um"}, (float("nan"), -1.0), "YResolution"),
        ({"unit": "furlong"}, (2.0, 2.0), "furlong"),
        ({"finterval": 1e308}, None, "finterval"),
    ],
)
def test_invalid_calibrations_are_omitted_with_a_warning(
    metadata: dict[str, Any], resolution: Any, named: str
) -> None:
    with pytest.warns(FerryWarning) as caught:
        found = parse({"images": 6, "frames": 2, "slices": 3, **metadata}, resolution=resolution)
    assert any(named in str(warning.message) for warning in caught)
    assert {(axis.scale, axis.unit) for axis in found.axes} == {(1.0, None)}
    if named == "furlong":
        assert found.metadata == {"unit": "furlong"}


def test_colors_and_ranges_of_other_programs() -> None:
    ramp = np.arange(256) * np.array([[0], [1], [1]])
    cut = np.array(ramp * 200 // 255, np.uint8)  # ImageJ truncates
    gray = np.tile(np.arange(256, dtype=np.uint8), (3, 1))
    found = parse({"images": 2, "channels": 2, "LUTs": [cut, gray], "Ranges": (0.0, 9.0, 5.0, 5.0)})
    assert found.channels == (Channel(None, "#00c8c8", (0.0, 9.0)), Channel(None, "#ffffff"))
    single = parse({"min": 2.0, "max": 7.0, "LUTs": cut})
    assert (single.channels, single.display) == (
        (),
        {"colormap": "#00c8c8", "contrast_limits": [2.0, 7.0]},
    )
    assert parse({"LUTs": gray, "min": 3.0, "max": 1.0}).display == {"colormap": "gray"}
    counted = parse({"images": 1, "channels": 1, "min": 2.0, "max": 7.0, "LUTs": cut})
    assert axes_of(counted) == "cyx"
    assert counted.channels == (Channel(None, "#00c8c8", (2.0, 7.0)),)
    inverted = parse({"LUTs": gray[:, ::-1]})
    assert inverted.channels == ()
    assert (inverted.display or {})["colormap"]["colors"][0] == [1, 1, 1, 1]
    odd = parse({"images": 2, "channels": 2, "LUTs": [cut], "Ranges": (1.0,)})
    assert odd.channels == ()


def test_colors_of_three_samples() -> None:
    found = parse({"images": 2, "frames": 2, "min": 0.0, "max": 255.0}, samples=3)
    assert (axes_of(found), found.shape, found.channels) == ("tyxs", (2, 5, 7, 3), ())


def test_other_metadata_is_kept_as_json() -> None:
    found = parse({"fps": 5.0, "loop": False, "Plot": b"\0\1", "Labels": "s0", "xorigin": 3})
    metadata = found.metadata
    assert metadata == {"fps": 5.0, "loop": False, "Plot": "AAE=", "Labels": "s0", "xorigin": 3}


def golden() -> list[tuple[Path, dict[str, Any]]]:
    folder = SHARED / "earlier-systems" / "intake_io"
    if not folder.exists():
        return []
    entries = json.loads((folder / "golden.json").read_text())["entries"]
    return [
        (folder / e["open"], e) for e in entries if e["open"].endswith(".tif") and "spacing" in e
    ]


@pytest.mark.skipif(not golden(), reason="../shared/data is not here")
def test_golden_files_of_intake_io() -> None:
    for path, entry in golden():
        if not path.is_file() or not entry["spacing"]:
            continue
        found = read(path)
        sizes = dict(zip(axes_of(found), found.shape, strict=True))
        assert sizes == dict(zip(entry["axes"].lower(), entry["shape"], strict=True))
        for axis in found.axes:
            expected = entry["spacing"].get(axis.name)
            if expected is not None:
                assert axis.scale == pytest.approx(expected, rel=1e-6)
                assert axis.unit == {"t": "second"}.get(axis.name, "micrometer")
        assert axes_of(found) == (entry.get("on_disk_axes") or axes_of(found)).lower()
    assert axes_of(read(SHARED / "earlier-systems/intake_io/hyper.tif")) == "tzcyx"


CORPUS = SHARED / "corpus" / "tiff"


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/data is not here")
def test_files_of_imagej_itself() -> None:
    found = read(CORPUS / "ij__ij_t6_u8_um.tif")
    assert found.shape == (6, 29, 37)
    assert found.axes == (
        Axis("t", 2.0, "second"),
        Axis("y", 0.2, "micrometer"),
        Axis("x", 0.1, "micrometer"),
    )
    assert (found.metadata or {})["Labels"] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    inch = read(CORPUS / "ij__ij_single_u8_inch.tif")
    assert inch.axes == (Axis("y", 0.01, "inch"), Axis("x", 0.01, "inch"))


@pytest.mark.parametrize("key", ["contrast_limits", "colormap"])
def test_integers_too_large_for_floats_are_ignored(tmp_path: Path, key: str) -> None:
    endless = 10**400
    colormap = {"name": "x", "colors": [[0, 0, 0, 1], [endless, 0, 0, 1]]}
    said = [0, endless] if key == "contrast_limits" else colormap
    image = replace(Image.from_array(pixels((2, 8, 9)), "tyx"), display={key: said})
    for name in ("a.tif", "a.ome.tif"):
        imsave(image, tmp_path / name)
        (found,) = imload(tmp_path / name)
        assert_same_pixels(found.array, image.array)
