"""Display ranges and color tables of an ImageJ hyperstack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from hyperstacks import axes_of, make, parse, read, save
from napari_ferry import imload, imsave
from napari_ferry.image import Channel
from napari_ferry.imagej import to_imagej


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


@pytest.mark.sample(4)
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
