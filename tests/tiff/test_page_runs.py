"""Pages written one by one: stacks, separate images, and their metadata."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryWarning, Image, imload, imsave
from napari_ferry.image import Axis

FRAMES = np.arange(6 * 20 * 30).reshape(6, 20, 30).astype("uint16")


def write(path: Path, arrays: Any, each: Any = (), **options: Any) -> Path:
    """Write arrays one by one, each with its metadata, if any."""
    with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff", False)) as tif:
        for i, array in enumerate(arrays):
            more = {"metadata": each[i]} if each else {}
            tif.write(array, photometric=options.get("photometric", "minisblack"), **more)
    return path


def shapes(path: Path) -> list[tuple[int, ...]]:
    return [np.squeeze(image.array).shape for image in imload(path)]


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([{"Name": f"frame {i}"} for i in range(6)], [(6, 20, 30)]),
        ([{"Name": "movie"}] * 6, [(6, 20, 30)]),
        ([{"Name": "GFP"}, {"Name": "RFP"}] * 3, [(3, 20, 30)] * 2),
        ([{"Name": "raw"}] * 5 + [{"Name": "projection"}], [(5, 20, 30), (20, 30)]),
    ],
)
def test_names_tell_frames_apart_but_numbers_do_not(tmp_path, suffix, each, expected):
    assert shapes(write(tmp_path / f"a{suffix}", FRAMES, each)) == expected


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_movies_and_volumes_of_names_of_their_own_stay_apart(tmp_path, suffix):
    each = [{"Name": f"pos{i}", "axes": "ZYX"} for i in range(3)]
    found = imload(write(tmp_path / f"a{suffix}", FRAMES.reshape(3, 2, 20, 30), each))
    assert [np.squeeze(image.array).shape for image in found] == [(2, 20, 30)] * 3


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_chunks_of_a_movie_follow_each_other(tmp_path, suffix):
    chunks = np.split(FRAMES, [2, 3])
    (image,) = imload(write(tmp_path / f"a{suffix}", chunks, [{"axes": "TYX"}] * 3))
    assert_same_pixels(np.squeeze(image.array), FRAMES)


def test_values_that_differ_become_lists(tmp_path):
    each = [{"time": i / 10, "exposure": 5} for i in range(6)]
    (image,) = imload(write(tmp_path / "a.tif", FRAMES, each))
    assert image.metadata["exposure"] == 5
    assert image.metadata["frames"] == {"time": [0, 0.1, 0.2, 0.3, 0.4, 0.5]}


def test_times_of_ome_frames_become_a_list(tmp_path):
    each = [{"axes": "YX", "Plane": {"DeltaT": i * 0.5}} for i in range(6)]
    (image,) = imload(write(tmp_path / "a.ome.tif", FRAMES, each))
    assert image.shape[0] == 6
    assert len(image.metadata["ome"]["frames"]["FirstPlane"]) == 6


def test_frames_at_positions_of_their_own_stay_apart(tmp_path):
    each = [{"axes": "YX", "Plane": {"PositionX": 100.0 * i}} for i in range(6)]
    assert len(imload(write(tmp_path / "a.ome.tif", FRAMES, each))) == 6


def test_lists_of_one_file_are_not_those_of_a_folder(tmp_path):
    for k in range(2):
        each = [{"time": i + 6 * k, "exposure": 5} for i in range(6)]
        write(tmp_path / f"f{k}.tif", FRAMES, each)
    (image,) = imload(tmp_path)
    assert image.shape == (12, 20, 30)
    assert image.metadata["exposure"] == 5
    assert "frames" not in image.metadata


@pytest.mark.parametrize("storage", [{"tile": (16, 16)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_counts_within_a_bigtiff_entry_are_exact(tmp_path, storage, order):
    frames = pixels((5, 20, 30))  # noise, whose strips and tiles have odd sizes
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True, byteorder=order) as tif:
        for frame in frames:
            tif.write(frame, metadata=None, compression="lzw", **storage)
    (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, frames)


def test_colors_of_other_bits_are_other_images(tmp_path):
    small = pixels((2, 20, 30, 3), "uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in small:
            tif.write(frame, photometric="rgb", metadata=None)
            tif.write(frame.astype("uint16") * 257, photometric="rgb", metadata=None)
    first, second = imload(tmp_path / "a.tif")
    assert_same_pixels(first.array, small)
    assert_same_pixels(second.array, small.astype("uint16") * 257)


def test_each_page_is_decoded_with_its_own_tables(tmp_path):
    y, x = np.mgrid[:64, :64]
    picture = PIL.Image.fromarray(np.stack([y * 3, x * 3, y + x], -1).astype("uint8"))
    with PIL.TiffImagePlugin.AppendingTiffWriter(tmp_path / "a.tif", True) as tif:
        for quality in (95, 30, 95, 30):
            picture.save(tif, format="TIFF", compression="jpeg", quality=quality)
            tif.newFrame()
    (image,) = imload(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        expected = [page.aspage().asarray() for page in tif.pages]
    assert_same_pixels(image.array, np.stack(expected))


def palettes(n: int) -> list[PIL.Image.Image]:
    """Return pictures of few colors, each with a palette of its own."""
    colors = pixels((n, 20, 30, 3), "uint8")
    for i, frame in enumerate(colors):
        frame[..., np.arange(3) != i % 3] = 0
    return [PIL.Image.fromarray(frame).quantize(64) for frame in colors]


def test_pages_with_palettes_of_their_own_are_a_stack_in_color(tmp_path):
    first, *others = palettes(4)
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    (image,) = imload(tmp_path / "a.tif")
    assert image.axis_names == ("t", "y", "x", "s")
    assert "different palettes" in image.metadata["assumed"]
    expected = [np.asarray(picture.convert("RGB")) for picture in (first, *others)]
    assert_same_pixels(image.array, np.stack(expected))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_palette_is_shown_whoever_describes_the_file(tmp_path, compression):
    table = pixels((3, 256))
    data = pixels((3, 20, 30), "uint8")
    options: dict[str, Any] = {"photometric": "palette", "colormap": table}
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, **options)
    (image,) = imload(tmp_path / "a.tif")
    assert image.display["colormap"]["name"] == "palette"


def test_long_descriptions_are_read(tmp_path):
    metadata = {"times": [i * 0.123456 for i in range(120_000)]}
    axes = (Axis("z", 2.0, "micrometer"), Axis("y"), Axis("x"))
    image = Image((np.zeros((3, 8, 9), "f2"),), axes, metadata=metadata)
    imsave([image, image], tmp_path / "a.tif", compression="zlib")
    for found in imload(tmp_path / "a.tif"):
        assert found.axes == axes
        assert found.metadata == metadata


@pytest.mark.parametrize("at", [0, 2])
def test_a_description_that_does_not_fit_is_named(tmp_path, at):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for i, frame in enumerate(FRAMES):
            said = '{"shape": [99, 20, 30]}' if i == at else '{"shape": [20, 30]}'
            tif.write(frame, description=said, metadata=None, compression="zlib")
    with pytest.warns(FerryWarning, match=f"description of page {at} of a.tif does not fit"):
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, FRAMES)


def test_planes_of_a_color_that_are_called_samples_are_one(tmp_path):
    planar: NDArray[Any] = pixels((3, 20, 30), "uint8")
    options: dict[str, Any] = {"photometric": "rgb", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "a.tif", planar, metadata={"axes": "SYX"}, **options)
    (image,) = imload(tmp_path / "a.tif")
    assert (image.axis_names, image.is_rgb) == (("y", "x", "s"), True)
    assert_same_pixels(image.array, np.moveaxis(planar, 0, -1))


def test_thousands_of_frames_of_ome_are_one_stack(tmp_path):
    write(tmp_path / "a.ome.tif", np.broadcast_to(np.uint8(7), (3000, 4, 5)))
    (image,) = imload(tmp_path / "a.ome.tif")
    assert image.shape == (3000, 1, 1, 4, 5)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("frames", [1, 3])
def test_images_that_we_saved_stay_apart_wherever_they_came_from(tmp_path, suffix, frames):
    for name in "AB":
        axes = {"axes": "TYX"} if frames > 1 else {"axes": "YX"}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", FRAMES[:frames].squeeze(), metadata=axes)
    images = [imload(tmp_path / f"{name}.ome.tif")[0] for name in "AB"]
    numbered = [replace(image, name=f"cell {i}") for i, image in enumerate(images)]
    imsave(numbered, tmp_path / f"two{suffix}")
    assert [image.name for image in imload(tmp_path / f"two{suffix}")] == ["cell 0", "cell 1"]


@pytest.mark.parametrize("metadata", [5, None, "x", {"Creator": None}, {"FirstPlane": "x"}])
def test_metadata_of_any_form_are_harmless(tmp_path, metadata):
    image = Image.from_array(FRAMES, "tyx")
    images = [replace(image, metadata={"ome": metadata})] * 2
    imsave(images, tmp_path / "a.ome.tif")
    assert [found.metadata["ome"] for found in imload(tmp_path / "a.ome.tif")] == [metadata] * 2


def test_names_of_joined_images_become_a_list(tmp_path):
    each = [{"axes": "YX", "Name": f"dye {chr(97 + i)}"} for i in range(20)]
    (image,) = imload(write(tmp_path / "many.ome.tif", FRAMES[[0] * 20], each))
    assert image.name == "many"
    assert image.metadata["ome"]["frames"]["Name"] == [said["Name"] for said in each]


def test_assumptions_about_a_file_are_not_reported_for_the_next(tmp_path):
    (image,) = imload(write(tmp_path / "a.tif", FRAMES))
    assert "one by one" in image.metadata["assumed"]
    for suffix in (".tif", ".ome.tif", ".bin"):
        imsave(image, tmp_path / f"b{suffix}")
        assert "assumed" not in imload(tmp_path / f"b{suffix}")[0].metadata


def test_a_page_that_cannot_be_read_is_left_out(tmp_path):
    path = write(tmp_path / "a.tif", [*FRAMES[:3], np.zeros((9, 7), "uint16")])
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.pages[3].tags["ImageWidth"].overwrite(0)
    with pytest.warns(FerryWarning, match="left out"):
        (image,) = imload(path)
    assert_same_pixels(image.array, FRAMES[:3])


@pytest.mark.parametrize("shape", [[1] * 40 + [20, 30], [True, 20, 30]])
def test_an_impossible_shape_is_ignored(tmp_path, shape):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(FRAMES[0], description=json.dumps({"shape": shape}), metadata=None)
    with pytest.warns(FerryWarning, match="not valid JSON with a shape"):
        assert shapes(tmp_path / "a.tif") == [(20, 30)]
