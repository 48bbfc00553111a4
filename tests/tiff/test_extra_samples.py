"""A fourth sample of RGB: transparency, or a channel such as near infrared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_ferry import imload, imsave
from napari_ferry.layers import to_layers

UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
PLAIN: dict[str, Any] = {"metadata": None, "software": "other"}
IMAGEJ = {"description": "ImageJ=1.54f\nimages=1\n", "metadata": None}

COLORS = {"red": "#ff0000", "green": "#00ff00", "blue": "#0000ff"}

WRITERS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "plain": ("a.tif", 1, {"metadata": None}),
    "JSON": ("a.tif", 1, {}),
    "JSON, stack": ("a.tif", 3, {}),
    "planes": ("a.tif", 1, {**PLAIN, "planarconfig": "separate"}),
    "tiles": ("a.tif", 2, {"metadata": None, "tile": (16, 16), "compression": "zlib"}),
    "OME": ("a.ome.tif", 1, {"metadata": {"axes": "YXS"}}),
    "OME, stack": ("a.ome.tif", 3, {"metadata": {"axes": "TYXS"}}),
    "OME, compressed": ("a.ome.tif", 3, {"metadata": {"axes": "TYXS"}, "compression": "zlib"}),
    "ImageJ": ("a.tif", 1, IMAGEJ),
}


def picture(frames: int, dtype: str = "uint8") -> NDArray[Any]:
    """Return pixels with the values 200, 100, 50 and 5, axes t y x s."""
    return np.broadcast_to(np.array([200, 100, 50, 5], dtype), (frames, 24, 32, 4)).copy()


def write(path: Path, data: NDArray[Any], extra: int, options: dict[str, Any]) -> None:
    frames = data if len(data) > 1 else data[0]
    if options.get("planarconfig") == "separate":
        frames = np.moveaxis(frames, -1, 0)
    tifffile.imwrite(
        path, frames, photometric="rgb", extrasamples=[extra],
        **{"planarconfig": "contig", **options},
    )  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_an_unspecified_sample_is_a_channel(tmp_path: Path, name: str) -> None:
    filename, frames, options = WRITERS[name]
    data = picture(frames)
    write(tmp_path / filename, data, UNSPECIFIED, options)
    (image,) = imload(tmp_path / filename)
    assert image.axis_names[-3:] == ("c", "y", "x")
    assert not image.is_rgb
    assert [channel.name for channel in image.channels] == [*COLORS, "extra sample"]
    assert [channel.color for channel in image.channels] == [*COLORS.values(), "#ffffff"]
    expected = np.moveaxis(data, -1, 1)
    assert (np.asarray(image.array).reshape(expected.shape) == expected).all()

    for saved in ("b.tif", "b.ome.tif"):
        imsave(image, tmp_path / saved)
        with tifffile.TiffFile(tmp_path / saved) as tif:
            assert not any(page.extrasamples for page in tif.pages)  # type: ignore[union-attr]
        reopened = imload(tmp_path / saved)[0]
        assert (reopened.axis_names, reopened.channels) == (image.axis_names, image.channels)


@pytest.mark.parametrize("extra", [ASSOCIATED, UNASSOCIATED])
@pytest.mark.parametrize("name", ["plain", "JSON, stack", "planes", "OME, stack"])
def test_transparency_is_a_color(tmp_path: Path, name: str, extra: int) -> None:
    filename, frames, options = WRITERS[name]
    write(tmp_path / filename, picture(frames), extra, options)
    (image,) = imload(tmp_path / filename)
    assert image.is_rgb
    assert image.size("s") == 4


def test_more_samples_are_numbered(tmp_path: Path) -> None:
    data = np.zeros((24, 32, 6), "uint16")
    tifffile.imwrite(
        tmp_path / "a.tif", data, photometric="rgb", planarconfig="contig",
        extrasamples=[UNSPECIFIED] * 3, metadata=None,
    )  # fmt: skip
    (image,) = imload(tmp_path / "a.tif")
    extra = [f"extra sample {i}" for i in (1, 2, 3)]
    assert [channel.name for channel in image.channels] == [*COLORS, *extra]
    assert {channel.contrast_limits for channel in image.channels} == {None}


@pytest.mark.parametrize("options", [{}, {"photometric": "rgb", "extrasamples": [0]}], ids=str)
def test_names_of_the_file_are_kept(options: dict[str, Any], tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    data, axes = (picture(1)[0], "YXS") if options else (picture(1)[0].transpose(2, 0, 1), "CYX")
    channel = {"Name": names[:1] if options else names}
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata={"axes": axes, "Channel": channel},
                     **options)  # fmt: skip
    (image,) = imload(tmp_path / "a.ome.tif")
    assert image.size("c") == 4
    if not options:
        assert [channel.name for channel in image.channels] == names


def test_layers_show_the_color(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", picture(1), UNSPECIFIED, PLAIN)
    layers = to_layers(imload(tmp_path / "a.tif"))
    settings = [settings for _, settings, _ in layers]
    assert [each["visible"] for each in settings] == [True, True, True, False]
    assert {each["blending"] for each in settings} == {"additive"}
    assert [tuple(each["contrast_limits"]) for each in settings[:3]] == [(0, 255)] * 3


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif"])
def test_other_images_of_a_file_keep_their_colors(suffix: str, tmp_path: Path) -> None:
    path, stack = tmp_path / f"a{suffix}", np.zeros((4, 16, 48), "uint8")
    with tifffile.TiffWriter(path, ome=suffix == ".ome.tif") as writer:
        writer.write(picture(1)[0], photometric="rgb", extrasamples=[0], metadata={"axes": "YXS"})
        writer.write(stack, photometric="minisblack", metadata={"axes": "CYX"})
    color, gray = imload(path)
    assert [channel.name for channel in color.channels] == [*COLORS, "extra sample"]
    assert not any(channel.name in COLORS for channel in gray.channels)


@pytest.mark.parametrize("suffix", [".ome.tif", ".tif"])
def test_zero_is_white_only_in_its_own_images(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    with tifffile.TiffWriter(path, ome=suffix == ".ome.tif") as writer:
        for photometric, shape in (("miniswhite", (24, 32)), ("minisblack", (16, 48))):
            data = np.zeros(shape, "uint8")
            writer.write(data, photometric=photometric, metadata={"axes": "YX"})
    white, black = imload(path)
    assert white.display.get("colormap") == "gray_r"
    assert black.display.get("colormap") != "gray_r"
