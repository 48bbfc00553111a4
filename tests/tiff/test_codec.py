"""TIFF: our files in other readers, other writers' files, series, and damaged files."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import ome_types
import PIL.Image
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import (
    SHARED,
    Entry,
    assert_same_image,
    assert_same_pixels,
    entry_id,
    make_full_image,
    make_image,
    pixels,
    read_corpus,
    read_golden,
    sha256,
    snapshot,
)
from napari_ferry import imload, imsave, plan
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    TargetExistsError,
    UnreadableFileError,
)
from napari_ferry.image import Axis, Channel, Image

IN_TMP = [HealthCheck.function_scoped_fixture]


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Draw an image of any axes, types and words."""
    lead = draw(st.permutations("tczp"))[: draw(st.integers(0, 4))]
    is_rgb = draw(st.booleans())
    axes = [*lead, "y", "x", *("s" * is_rgb)]
    sizes = [draw(st.integers(1, 3)) for _ in lead] + [draw(st.integers(1, 5)) for _ in "yx"]
    dtype = draw(st.sampled_from(["u1", "u2", "i2", "f4", "f8", "i8", "c8", "?", ">u2", ">f4"]))
    image = Image.from_array(pixels((*sizes, *([3] * is_rgb)), dtype), axes)
    units = st.sampled_from([None, "micrometer", "second", "millisecond", "pixel"])
    steps = st.floats(1e-6, 1e6)
    return replace(
        image,
        axes=tuple(Axis(a, draw(steps), draw(units), draw(steps)) for a in axes),
        name=draw(st.text(min_size=1, max_size=9)),
        kind=draw(st.sampled_from(["image", "labels"])),
        metadata=draw(st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=2)),
    )


@settings(max_examples=120, suppress_health_check=IN_TMP)
@given(image=images())
def test_any_image_comes_back_as_it_was(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    imsave(image, path, overwrite=True)
    (found,) = imload(path)
    assert_same_image(found, image)


# --- what we write, as others read it


def test_plain_images_become_imagej_hyperstacks(tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    image = make_full_image("ctzyx")
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_imagej
        assert not tif.is_bigtiff
        assert tif.series[0].axes == "TZCYX"
        np.testing.assert_array_equal(tif.asarray(), np.moveaxis(image.array, 0, 2))

        metadata = tif.imagej_metadata
        sizes = metadata["frames"], metadata["slices"], metadata["channels"]
        steps = metadata["unit"], metadata["spacing"], metadata["finterval"]
        assert (sizes, steps) == ((3, 4, 2), ("micron", 2.5, 0.5))
        assert metadata["Ranges"] == (3.0, 4000.0, 0.0, 65535.0)
        assert [lut[:, -1].tolist() for lut in metadata["LUTs"]] == [[0, 255, 0], [255, 0, 128]]
        x, y = (tif.pages[0].tags[f"{a}Resolution"].value for a in "XY")
        assert x[1] / x[0] == pytest.approx(0.65)
        assert y[1] / y[0] == pytest.approx(0.325)


def test_ome_tiff_describes_everything_in_valid_xml(tmp_path: Path) -> None:
    path = tmp_path / "cells.ome.tif"
    image = make_full_image("ctzyx", "float32")
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome
        assert not tif.is_bigtiff
        assert tif.series[0].axes == "CTZYX"
        np.testing.assert_array_equal(tif.asarray(), image.array)
    found = ome_types.from_tiff(path).images[0]

    assert found.name == image.name
    assert found.pixels.physical_size_x == 0.65
    assert found.pixels.physical_size_y == 0.325
    assert found.pixels.physical_size_z == 2.5
    assert found.pixels.time_increment == 0.5
    assert [channel.name for channel in found.pixels.channels] == ["GFP", "µ, 赤"]
    assert found.pixels.channels[0].color.as_hex(format="long") == "#00ff00"


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize(
    ("axes", "dtype"),
    [
        *(("tyx", "uint16"), ("zyx", "uint8"), ("yx", "float32"), ("cyx", "uint16")),
        *(("yxs", "uint8"), ("tyxs", "uint8"), ("tzcyx", "int32"), ("zyx", "float64")),
        *(("pyx", "uint8"), ("yx", ">u2")),
    ],
)
def test_tifffile_reads_the_same_pixels(suffix: str, axes: str, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    image = make_image(axes, dtype)
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        (series,) = tif.series
        assert_same_pixels(series.asarray(), image.array)
        assert series.axes == axes.upper() or "p" in axes


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16"])
def test_types_that_ome_does_not_know_are_plain_tiff(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    image = make_full_image("zcyx", dtype)
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_shaped
        assert tif.series[0].axes == "ZCYX"
        assert_same_pixels(tif.asarray(), image.array)


@pytest.mark.parametrize(
    ("axes", "dtype", "samples"),
    [
        *(("yx", "uint8", 0), ("tyx", "uint8", 0), ("tyx", "uint16", 0), ("tyx", "int32", 0)),
        *(("tyx", "float32", 0), ("yxs", "uint8", 3), ("yxs", "uint8", 4), ("tyxs", "uint8", 3)),
    ],
)
@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_pillow_reads_the_same_pixels(
    suffix: str, axes: str, dtype: str, samples: int, tmp_path: Path
) -> None:
    path = tmp_path / f"cells{suffix}"
    image = make_image(axes, dtype, s=samples)
    imsave(image, path)
    whole = np.asarray(image.array)
    expected = whole if "t" in axes else whole[np.newaxis]
    with PIL.Image.open(path) as picture:
        assert picture.n_frames == len(expected)
        for i, frame in enumerate(expected):
            picture.seek(i)
            np.testing.assert_array_equal(np.asarray(picture), frame)


@pytest.mark.parametrize(
    ("axes", "dtype", "flavor"),
    [
        ("tczyx", "uint16", "imagej"),
        ("yx", "uint8", "imagej"),
        ("zyx", "float32", "imagej"),
        ("tyxs", "uint8", "imagej"),
        ("tyxs", "uint16", "ome"),
        ("tyx", "int16", "ome"),
        ("tyx", "bool", "ome"),
        ("pyx", "uint8", "ome"),
        ("tyx", "uint64", "shaped"),
    ],
)
def test_the_flavor_is_what_can_hold_the_image(
    axes: str, dtype: str, flavor: str, tmp_path: Path
) -> None:
    imsave(make_image(axes, dtype), tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as tif:
        found = {name: getattr(tif, f"is_{name}") for name in ("imagej", "ome", "shaped")}
    assert found == {name: name == flavor for name in found}


@pytest.mark.parametrize(
    ("suffix", "gigabytes", "version"),
    [(".tif", 4.2, 42), (".tif", 4.4, 43), (".ome.tif", 4.2, 42), (".ome.tif", 4.4, 43)],
)
def test_bigtiff_is_for_what_needs_it(
    suffix: str, gigabytes: float, version: int, tmp_path: Path
) -> None:
    frames = int(gigabytes * 1e9 / (1 << 23))
    room = np.broadcast_to(np.zeros((), np.uint16), (frames, 2048, 2048))
    planned = plan(room, tmp_path / f"cells{suffix}", size_cap=None)
    planned.files[0].create(tmp_path / "header")
    with (tmp_path / "header").open("rb") as file:
        assert int.from_bytes(file.read(4)[2:], "little") == version
    assert (tmp_path / "header").stat().st_blocks * 512 < 50e6, "the file has no holes"
    (tmp_path / "header").unlink()


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_one_file_holds_several_images(suffix: str, tmp_path: Path) -> None:
    several = [
        make_full_image("tczyx"),
        replace(make_full_image("zyx", "float32"), name="other"),
        replace(make_full_image("yx", "int32", "labels"), name="nuclei"),
        replace(make_image("yxs", "uint8"), name="overview"),
    ]
    path = tmp_path / f"cells{suffix}"

    assert imsave(several, path) == [path]
    for found, image in zip(imload(path), several, strict=True):
        assert_same_image(found, image)
    with tifffile.TiffFile(path) as tif:
        for series, image in zip(tif.series, several, strict=True):
            assert series.axes == "".join(image.axis_names).upper()
            assert_same_pixels(series.asarray(), image.array)
    assert len(ome_types.from_tiff(path).images) == 4


@pytest.mark.parametrize("dtypes", [("uint64", "uint8"), ("uint8", "float16", "int64")])
def test_one_plain_file_holds_several_images(dtypes: Sequence[str], tmp_path: Path) -> None:
    several = [
        replace(make_full_image(("tyx", "yx", "zyx")[i], d), name=d) for i, d in enumerate(dtypes)
    ]
    imsave(several, tmp_path / "cells.tif")
    for found, image in zip(imload(tmp_path / "cells.tif"), several, strict=True):
        assert_same_image(found, image)


# --- series below a cap


@st.composite
def series(draw: st.DrawFn) -> tuple[Image, str]:
    """Draw an image and a suffix of each flavor."""
    axes, dtype, suffix = draw(
        st.sampled_from(
            [
                *(("tyx", "uint16", ".tif"), ("tczyx", "uint8", ".tif")),
                *(("ctzyx", "float32", ".tif"), ("tyx", "uint16", ".ome.tif")),
                *(("ctyx", "int16", ".tif"), ("tzyx", "uint64", ".tif")),
                *(("tyxs", "uint8", ".tif"), ("ptyx", "uint16", ".ome.tif")),
                ("zyx", "bool", ".tif"),
            ]
        )
    )
    sizes = {a: draw(st.integers(1, 6)) for a in axes[: -3 if "s" in axes else -2]}
    return make_image(axes, dtype, **sizes, y=20, x=30), suffix


@settings(max_examples=60, suppress_health_check=IN_TMP)
@given(drawn=series(), frames=st.integers(1, 40), off=st.integers(-1, 1))
def test_every_file_is_below_the_cap(
    drawn: tuple[Image, str], frames: int, off: int, tmp_path: Path
) -> None:
    image, suffix = drawn
    folder = tmp_path / "series"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    frame = int(np.prod(image.shape[-3 if image.is_rgb else -2 :])) * image.dtype.itemsize
    cap = 20_000 + frames * frame + off
    made = imsave(image, folder / f"cells{suffix}", size_cap=cap / 1e9)
    names = [f"cells_{i:05d}{suffix}" for i in range(len(made))]
    assert [path.name for path in made] == (names if len(made) > 1 else [f"cells{suffix}"])
    assert all(path.stat().st_size < cap for path in made)
    assert sorted(snapshot(folder)) == sorted(path.name for path in made)
    for path in (*made[:2], made[-1], folder):
        (found,) = imload(path)
        assert_same_image(found, image, "cells")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_cap_at_the_size_of_the_file(suffix: str, off: int, tmp_path: Path) -> None:
    image = make_image("tyx", y=20, x=30)
    (planned,) = plan(image, tmp_path / f"cells{suffix}").files
    made = imsave(image, tmp_path / f"cells{suffix}", size_cap=(planned.nbytes + off) / 1e9)
    assert all(path.stat().st_size < planned.nbytes + off for path in made)
    assert_same_image(imload(made[0])[0], image, "cells")
    (whole,) = imsave(image, tmp_path / f"whole{suffix}", size_cap=None)
    assert whole.stat().st_size <= planned.nbytes


def save_series(folder: Path, suffix: str = ".tif", axes: str = "tyx", **sizes: int) -> list[Path]:
    """Save a series of as many parts as the first axis is long."""
    image = make_image(axes, **{"t": 5, "y": 100, "x": 100} | sizes)
    return imsave(image, folder / f"cells{suffix}", size_cap=30e3 / 1e9)


def test_frames_are_not_split(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    assert len(made) == 5
    for path in made:
        with tifffile.TiffFile(path) as tif:
            assert tif.pages[0].shape == (100, 100)
            assert len(tif.pages) == 1
            assert tif.asarray().shape == (5, 100, 100)
            assert tif.is_ome
    with pytest.raises(InvalidImageError, match=r"One frame needs .* raise the cap"):
        imsave(make_image("tyx", y=100, x=100), tmp_path / "other.tif", size_cap=20e3 / 1e9)


@pytest.mark.parametrize("cap", [0, -1, float("nan"), "3.9", True, np.float64(-2)])
def test_an_invalid_cap_is_refused(cap: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="size cap"):
        imsave(pixels((3, 5, 6)), tmp_path / "a.tif", size_cap=cap)
    assert not snapshot(tmp_path)


@pytest.mark.parametrize("cap", [0, -1, 1e-9])
def test_an_impossible_cap_is_refused(cap: float, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="raise the cap"):
        imsave(make_image("tyx"), tmp_path / "cells.tif", size_cap=cap)
    assert not snapshot(tmp_path)


def test_others_read_a_series_of_ome_tiff_as_one(tmp_path: Path) -> None:
    made = save_series(tmp_path, ".ome.tif")
    expected = make_image("tyx", t=5, y=100, x=100).array
    for path in made:
        with tifffile.TiffFile(path) as tif:
            assert tif.series[0].axes == "TYX"
            np.testing.assert_array_equal(tif.series[0].asarray(), expected)
        blocks = ome_types.from_tiff(path).images[0].pixels.tiff_data_blocks
        assert [block.uuid.file_name for block in blocks] == [part.name for part in made]


def test_several_images_are_split_one_by_one(tmp_path: Path) -> None:
    several = [
        make_image("tyx", t=3, y=100, x=100),
        replace(make_image("yx", "float32", y=70, x=80), name="other"),
    ]
    made = imsave(several, tmp_path / "cells.ome.tif", size_cap=30e3 / 1e9)
    assert len(made) == 4
    with tifffile.TiffFile(made[0]) as tif:
        # tifffile reads the pixels of an image of one page from the wrong file
        for found, image in zip(tif.series, several, strict=True):
            assert found.axes == "".join(image.axis_names).upper()
            assert found.shape == image.shape
    for target in (*made, tmp_path):
        for opened_image, image in zip(imload(target), several, strict=True):
            assert_same_image(opened_image, image, "cells")
    imsave(several[0], tmp_path / "more.ome.tif", size_cap=30e3 / 1e9)
    assert [image.name for image in imload(tmp_path)] == ["cells", "other", "more"]


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_a_stranger_among_the_parts_is_named(suffix: str, tmp_path: Path) -> None:
    save_series(tmp_path, suffix)
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((100, 100), np.uint16))
    with pytest.raises(UnreadableFileError, match=r"x\.tif is among the parts"):
        imload(tmp_path)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("target", [0, 3, None])
def test_a_missing_part_is_named(suffix: str, target: int | None, tmp_path: Path) -> None:
    made = save_series(tmp_path, suffix)
    made[2].unlink()
    with pytest.raises(UnreadableFileError, match=made[2].name):
        imload(tmp_path if target is None else made[target])[0].load()


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("target", [0, 2, None])
def test_a_stale_part_is_named(suffix: str, target: int | None, tmp_path: Path) -> None:
    made = save_series(tmp_path, suffix)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(save_series(other, suffix, t=4)[2], made[2])
    with pytest.raises(UnreadableFileError, match=r"cells_0000\d.* (stale|replaced|missing)"):
        imload(tmp_path if target is None else made[target])[0].load()


def test_a_renamed_part_is_missed(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    renamed = made[1].rename(tmp_path / "mine.tif")
    (found,) = imload(renamed)
    assert_same_pixels(found.array, make_image("tyx", t=5, y=100, x=100).array)
    with pytest.raises(UnreadableFileError, match=made[1].name):
        imload(made[0])


def test_swapped_parts_are_refused(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    made[1].rename(tmp_path / "x")
    made[2].rename(made[1])
    (tmp_path / "x").rename(made[2])
    with pytest.raises(UnreadableFileError, match=made[1].name):
        imload(made[0])


def test_a_series_that_was_renamed_as_a_whole_opens(tmp_path: Path) -> None:
    for i, path in enumerate(save_series(tmp_path)):
        path.rename(tmp_path / f"mine_{i:05d}.tif")
    (found,) = imload(tmp_path)
    assert_same_pixels(found.array, make_image("tyx", t=5, y=100, x=100).array)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_a_shorter_series_leaves_no_stale_parts(suffix: str, tmp_path: Path) -> None:
    save_series(tmp_path, suffix)
    shorter = make_image("tyx", t=2, y=100, x=100)
    with pytest.raises(TargetExistsError):
        imsave(shorter, tmp_path / f"cells{suffix}", size_cap=30e3 / 1e9)
    made = imsave(shorter, tmp_path / f"cells{suffix}", size_cap=30e3 / 1e9, overwrite=True)
    assert sorted(snapshot(tmp_path)) == [path.name for path in made]
    assert_same_image(imload(tmp_path)[0], shorter, "cells")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_one_file_replaces_a_series_and_a_series_one_file(suffix: str, tmp_path: Path) -> None:
    image = make_image("tyx", y=100, x=100)
    for cap, count in ((30e3 / 1e9, 3), (None, 1), (30e3 / 1e9, 3)):
        made = imsave(image, tmp_path / f"cells{suffix}", size_cap=cap, overwrite=True)
        assert len(made) == count
        assert sorted(snapshot(tmp_path)) == [path.name for path in made]
        assert_same_image(imload(tmp_path)[0], image, "cells")


def test_neighbors_that_are_not_ours_are_never_touched(tmp_path: Path) -> None:
    made = save_series(tmp_path)
    foreign = [tmp_path / name for name in ("cells_00007.tif", "cells_0.tif", "cells_00008.txt")]
    for path in foreign:
        tifffile.imwrite(path, np.zeros((4, 5), np.uint8))
    contents = {path.name: path.read_bytes() for path in foreign}
    imsave(make_image("tyx"), tmp_path / "cells.tif", overwrite=True)

    assert not any(path.exists() for path in made)
    assert {path.name: path.read_bytes() for path in foreign} == contents
    tifffile.imwrite(tmp_path / "cells_00001.tif", np.zeros((4, 5), np.uint8))
    before = snapshot(tmp_path)
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(
            make_image("tyx", y=100, x=100), tmp_path / "cells.tif", size_cap=3e-5, overwrite=True
        )
    assert snapshot(tmp_path) == before


# --- what others write


def opened(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    return [("".join(i.axis_names), i.shape, i.dtype.name) for i in imload(path)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"compression": "zstd", "rowsperstrip": 3},
        {"compression": "packbits"},
        {"tile": (16, 32)},
        {"tile": (16, 16), "compression": "zlib"},
        {"byteorder": ">"},
        {"byteorder": ">", "rowsperstrip": 5, "bigtiff": True},
        {"byteorder": ">", "compression": "lzw", "predictor": True},
        {"rowsperstrip": 7},
        {"metadata": None},
        {"metadata": None, "contiguous": False},
        {"imagej": True},
        {"imagej": True, "compression": "zlib"},
        {"ome": True},
        {"ome": True, "tile": (16, 16)},
        {"datetime": True, "resolution": (300, 300), "description": "words", "metadata": None},
        {"software": "other"},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(20, 33), (5, 20, 33)])
def test_stacks_of_tifffile(
    options: dict[str, Any], shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / ("foreign.ome.tif" if options.get("ome") else "foreign.tif")
    data = pixels(shape)
    tifffile.imwrite(path, data, photometric="minisblack", **options)
    (image,) = imload(path)
    stored = data.reshape(image.shape)  # OME-TIFF has all five axes
    assert_same_pixels(image.array, stored)
    assert_same_pixels(image.array[..., 3:7, ::-2], stored[..., 3:7, ::-2])
    assert image.axis_names[-2:] == ("y", "x")


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "float16", "float64", "complex64"])
def test_types_of_tifffile(dtype: str, tmp_path: Path) -> None:
    data = pixels((3, 8, 9), dtype)
    tifffile.imwrite(tmp_path / "foreign.tif", data, photometric="minisblack")
    assert_same_pixels(imload(tmp_path / "foreign.tif")[0].array, data)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("frames", [1, 3])
def test_colors_of_tifffile(
    planar: str, options: dict[str, Any], frames: int, tmp_path: Path
) -> None:
    data = pixels((frames, 20, 33, 3), "uint8")
    stored = np.moveaxis(data, -1, 1) if planar == "separate" else data
    with tifffile.TiffWriter(tmp_path / "foreign.tif") as writer:
        for frame in stored:
            writer.write(frame, photometric="rgb", planarconfig=planar, metadata=None, **options)
    (image,) = imload(tmp_path / "foreign.tif")
    assert image.axis_names == (("t", "y", "x", "s") if frames > 1 else ("y", "x", "s"))
    assert_same_pixels(image.array, data if frames > 1 else data[0])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize(
    ("lead", "names"), [((), ""), ((5,), "t"), ((2, 5), "tz"), ((2, 1, 5), "tcz")]
)
def test_colors_that_tifffile_describes_without_axes(
    lead: tuple[int, ...], names: str, samples: int, options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((*lead, 20, 33, samples), "uint8")
    tifffile.imwrite(tmp_path / "r.tif", data, photometric="rgb", **options)
    (image,) = imload(tmp_path / "r.tif")
    assert image.axis_names == (*names, "y", "x", "s")
    assert image.is_rgb
    assert_same_pixels(image.array, data)


def test_jpeg_without_axes_is_a_color(tmp_path: Path) -> None:
    data = pixels((4, 32, 40, 3), "uint8")
    tifffile.imwrite(tmp_path / "r.tif", data, photometric="rgb", compression="jpeg")
    (image,) = imload(tmp_path / "r.tif")
    assert (image.axis_names, image.shape) == (("t", "y", "x", "s"), data.shape)
    assert_same_pixels(image.array, tifffile.imread(tmp_path / "r.tif"))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_samples_without_color_are_channels(options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((4, 20, 33, 2))
    path = tmp_path / "c.tif"
    tifffile.imwrite(path, data, photometric="minisblack", planarconfig="contig", **options)
    (image,) = imload(path)
    assert image.axis_names == ("t", "c", "y", "x")
    assert_same_pixels(image.array, np.moveaxis(data, -1, 1))


def test_planes_that_tifffile_took_for_a_color_stay_planes(tmp_path: Path) -> None:
    data = pixels((3, 20, 33))
    with pytest.warns(DeprecationWarning, match="RGB"):
        tifffile.imwrite(tmp_path / "z.tif", data)
    (image,) = imload(tmp_path / "z.tif", axes="zyx")
    assert_same_pixels(image.array, data)
    assert "assumed" in imload(tmp_path / "z.tif")[0].metadata


def test_pages_of_several_kinds_are_several_images(tmp_path: Path) -> None:
    kinds = [pixels((20, 33)), pixels((7, 9), "uint8"), pixels((20, 33), "float32")]
    with tifffile.TiffWriter(tmp_path / "foreign.tif") as writer:
        for data in (kinds[0], kinds[1], kinds[0] + 1, kinds[2], kinds[0] + 2):
            writer.write(data, photometric="minisblack", metadata=None)
    assert opened(tmp_path / "foreign.tif") == [
        ("tyx", (3, 20, 33), "uint16"),
        ("yx", (7, 9), "uint8"),
        ("yx", (20, 33), "float32"),
    ]
    first, second, third = imload(tmp_path / "foreign.tif")
    assert_same_pixels(first.array, np.stack([kinds[0] + i for i in range(3)]))
    assert_same_pixels(second.array, kinds[1])
    assert_same_pixels(third.array, kinds[2])


def test_assumptions_are_reported(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((3, 5, 6)), metadata=None, photometric="minisblack")
    (image,) = imload(tmp_path / "a.tif")
    assert "time" in image.metadata["assumed"]
    (told,) = imload(tmp_path / "a.tif", axes="ZYX")
    assert told.axis_names == ("z", "y", "x")
    with pytest.raises(InvalidImageError, match="one axis"):
        imload(tmp_path / "a.tif", axes="TZYX")


def test_three_planes_are_not_a_color(tmp_path: Path) -> None:
    for shape in ((5, 6, 3), (3, 5, 6), (4, 5, 6)):
        tifffile.imwrite(tmp_path / "a.tif", pixels(shape, "uint8"), photometric="minisblack")
        (image,) = imload(tmp_path / "a.tif")
        assert not image.is_rgb
        assert image.shape == shape


def test_an_imagej_hyperstack_with_colors_and_ranges(tmp_path: Path) -> None:
    data = pixels((2, 4, 3, 6, 7))
    ramp = np.arange(256, dtype=np.uint8)
    luts = [np.stack([ramp * on for on in rgb]) for rgb in ((1, 0, 0), (0, 1, 1), (1, 1, 1))]
    tifffile.imwrite(
        tmp_path / "foreign.tif",
        data,
        imagej=True,
        resolution=(1 / 0.2, 1 / 0.25),
        metadata={
            **{"axes": "TZCYX", "unit": "um", "spacing": 2.0, "finterval": 0.1},
            **{"LUTs": luts, "Ranges": (0.0, 10.0, 5.0, 500.0, 1.0, 65535.0), "mode": "composite"},
        },
    )

    (image,) = imload(tmp_path / "foreign.tif")
    assert_same_pixels(image.array, data.swapaxes(1, 2))
    assert image.axis_names == tuple("tczyx")
    assert [axis.scale for axis in image.axes] == pytest.approx([0.1, 1, 2, 0.25, 0.2])
    assert [axis.unit for axis in image.axes] == ["second", None, *["micrometer"] * 3]
    assert image.frame_rate == pytest.approx(10)
    assert image.channels == (
        Channel(None, "#ff0000", (0, 10)),
        Channel(None, "#00ffff", (5, 500)),
        Channel(None, "#ffffff", (1, 65535)),
    )


@pytest.mark.parametrize("axes", ["TCZYX", "ZCTYX", "CTZYX", "TZCYX"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_ome_tiff_of_tifffile(axes: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((1, 2, 3, 6, 7))
    metadata = {
        **{"axes": axes, "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "TimeIncrement": 50.0},
        **{"PhysicalSizeY": 300.0, "PhysicalSizeYUnit": "nm", "TimeIncrementUnit": "ms"},
        "Channel": {"Name": [f"ch{i}" for i in range(data.shape[axes.index("C")])]},
    }
    tifffile.imwrite(tmp_path / "foreign.ome.tif", data, ome=True, metadata=metadata, **options)
    (image,) = imload(tmp_path / "foreign.ome.tif")
    assert_same_pixels(image.array, data)
    assert "".join(image.axis_names).upper() == axes
    assert image.axis("x") == Axis("x", 0.2, "micrometer")
    assert image.axis("y") == Axis("y", 300, "nanometer")
    assert image.axis("t") == Axis("t", 50, "millisecond")
    assert [c.name for c in image.channels] == metadata["Channel"]["Name"]


def test_ome_tiff_data_in_odd_order(tmp_path: Path) -> None:
    data, order = pixels((5, 6, 7)), [3, 0, 4, 2, 1]
    blocks = "".join(
        f'<TiffData IFD="{page}" FirstT="{t}" FirstC="0" FirstZ="0" PlaneCount="1"/>'
        for page, t in enumerate(order)
    )
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        f'SizeC="1" SizeT="5">{blocks}</Pixels></Image></OME>'
    )
    tifffile.imwrite(
        tmp_path / "odd.ome.tif", data, description=xml, metadata=None, photometric="minisblack"
    )

    (image,) = imload(tmp_path / "odd.ome.tif")
    expected = np.empty_like(data)
    expected[order] = data
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), expected)


def test_a_folder_is_one_stack_in_natural_order(tmp_path: Path) -> None:
    for i in (10, 1, 2, 11, 9):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.full((4, 5), i, np.uint8))
    tifffile.imwrite(tmp_path / ".hidden.tif", np.zeros((9, 9)))
    (tmp_path / "notes.txt").write_text("words")
    (image,) = imload(tmp_path)
    assert image.name == tmp_path.name
    assert image.array[:, 0, 0].tolist() == [1, 2, 9, 10, 11]


def test_a_folder_of_files_that_differ_names_the_odd_one(tmp_path: Path) -> None:
    for i in range(3):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.zeros((4, 5 + (i == 1)), np.uint8))
    with pytest.raises(UnreadableFileError, match=r"f1\.tif"):
        imload(tmp_path)[0].load()


def test_a_file_changed_while_open_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, pixels((5, 20, 33)), compression="zlib", photometric="minisblack")
    (image,) = imload(path)
    tifffile.imwrite(path, pixels((6, 20, 33)), compression="zlib", photometric="minisblack")
    with pytest.raises(UnreadableFileError, match="changed"):
        image.load()
    path.unlink()
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        np.asarray(image.array[0])


# --- files of earlier systems


def is_tiff(entry: Entry) -> bool:
    return all(f.lower().endswith((".tif", ".tiff", ".json")) for f in entry["files"]) and any(
        ".tif" in f for f in entry["files"]
    )


GOLDEN = [
    pytest.param(system, entry, id=f"{system}-{entry_id(entry)}")
    for system in ("calscipy", "intake_io", "ams_bp", "careamics", "scout")
    for entry in read_golden(system, is_tiff)
    if not entry.get("trap")
]


@pytest.mark.usefixtures("shared_data")
def test_there_are_files_of_earlier_systems() -> None:
    assert len(GOLDEN) >= 40


@pytest.mark.parametrize(("system", "entry"), GOLDEN)
def test_files_of_earlier_systems(system: str, entry: Entry) -> None:
    path = SHARED / "earlier-systems" / system / entry["open"]
    axes = entry["axes"].replace("(file)", "T")
    found = imload(path)
    if "assumed" in found[0].metadata:
        found = imload(path, axes=axes)
    image = found[0]
    assert "".join(image.axis_names).upper() == axes
    array = np.asarray(image.array)
    assert (list(array.shape), array.dtype) == (entry["shape"], entry["dtype"])
    assert sha256(array) == entry["sha256_c_order"]
    _check_metadata(image, entry)
    for other, (name, variable) in zip(found, entry.get("variables", {}).items(), strict=False):
        assert (other.name, sha256(other.array)) == (name, variable["sha256_c_order"])


def _check_metadata(image: Image, entry: Entry) -> None:
    """Compare names and calibration with the record of the corpus."""
    names = entry.get("channel_names") or entry.get("coords", {}).get("c")
    if names:
        assert [channel.name for channel in image.channels] == names
    for key, value in entry.get("spacing", {}).items():
        assert image.axis(key) is None or image.axis(key).scale == pytest.approx(value, rel=1e-6)
    for key, value in entry.get("pixel_size_um", {}).items():
        factor = {"meter": 1e6, "nanometer": 1e-3, "micrometer": 1}[image.axis(key).unit]
        assert image.axis(key).scale * factor == pytest.approx(value)
    if entry.get("frame_rate"):
        assert image.frame_rate == pytest.approx(entry["frame_rate"])


def test_the_folder_of_two_types_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"b\.tif"):
        imload(shared_data / "earlier-systems" / "scout" / "mixed_dtype")


# --- damaged files


HUGE = {"tiff/gen__bomb_deflate_3GB.tif"}
"""Files that would fill the memory; they open, and their pixels are not read here."""

DAMAGED = read_corpus("tiff", lambda entry: entry["kind"] != "valid")


@pytest.mark.usefixtures("shared_data")
def test_there_are_damaged_files() -> None:
    assert len(DAMAGED) > 50


@pytest.mark.parametrize("entry", DAMAGED, ids=entry_id)
def test_a_damaged_file_opens_or_is_refused(entry: Entry) -> None:
    start = monotonic()
    said = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        try:
            for image in imload(SHARED / "corpus" / entry["file"]):
                assert 0 not in image.shape
                if image.nbytes < 1e7:
                    image.load()
                elif image.nbytes > 1e18:
                    np.asarray(image.array)
        except FerryError as error:
            said = str(error)

    assert monotonic() - start < 5
    assert not said or len(said) > 20
    warned = any(warning.category is FerryWarning for warning in caught)
    if entry["expect"] == "error" and entry["file"] not in HUGE:
        assert said or warned
    if str(entry["expect"]).startswith("ok") or isinstance(entry["expect"], dict):
        assert not said


@pytest.mark.parametrize("flavor", ["imagej", "ome", "shaped", "deflate"])
@pytest.mark.parametrize("percent", [10, 50, 90, 99])
def test_a_truncated_file_is_never_short_without_a_warning(
    flavor: str, percent: int, tmp_path: Path
) -> None:
    path = tmp_path / "cells.tif"
    data = pixels((20, 30, 40))
    if flavor == "deflate":
        tifffile.imwrite(path, data, compression="zlib", photometric="minisblack")
    else:
        dtype = {"imagej": "uint16", "ome": "int16", "shaped": "uint64"}[flavor]
        imsave(data.astype(dtype), path)
    os.truncate(path, path.stat().st_size * percent // 100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            whole = imload(path)[0].load()
        except FerryError:
            return

    assert whole.shape == data.shape or any(w.category is FerryWarning for w in caught)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"<html><body>", "not a TIFF file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "not a TIFF file"),
        (b"II", "not a TIFF file"),
        (b"II*\0\x08\0\0\0", "damaged"),
        (b"II*\0\0\0\0\0", "damaged"),
        (b"MM\0\x2b\0\x08\0\0", "not a TIFF file"),
        (b"II*\0\xff\xff\xff\xff" + bytes(50), "damaged"),
    ],
    ids=repr,
)
def test_other_files_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=rf"x\.tif.*{message}"):
        imload(tmp_path / "x.tif")


def test_pipes_folders_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.tif").mkdir()
    for name, message in (
        ("pipe", "not a file"),
        ("folder", "no files"),
        ("gone", "not there"),
    ):
        with pytest.raises(FerryError, match=message):
            imload(tmp_path / f"{name}.tif")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../../etc/passwd", "..\\x.tif", "sub/a.tif"]
)
def test_a_file_outside_the_folder_is_never_opened(name: str, tmp_path: Path) -> None:
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" SizeZ="1" '
        'SizeC="1" SizeT="2"><TiffData IFD="0" FirstT="0" PlaneCount="1"/><TiffData IFD="0" '
        f'FirstT="1" PlaneCount="1"><UUID FileName="{name}">urn:uuid:x</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    (tmp_path / "sub").mkdir()
    tifffile.imwrite(tmp_path / "sub" / "a.tif", pixels((6, 7)))
    path = tmp_path / "cells.ome.tif"
    data = pixels((6, 7))
    tifffile.imwrite(path, data, description=xml, metadata=None)

    with pytest.warns(FerryWarning, match="is missing from the folder"):
        (image,) = imload(path)
    whole = np.asarray(image.array).reshape(2, 6, 7)
    assert_same_pixels(whole, np.stack([data, np.zeros_like(data)]))


def test_a_series_with_a_longer_name_is_not_stale(tmp_path: Path) -> None:
    image = make_image("tyx", t=5, y=100, x=100)
    other = imsave(image, tmp_path / "cells_second.tif", size_cap=30e3 / 1e9)
    ome = save_series(tmp_path, ".ome.tif")
    imsave(np.zeros((3, 8, 9), np.uint16), tmp_path / "cells.tif")
    imsave(np.ones((3, 8, 9), np.uint16), tmp_path / "cells.tif", overwrite=True)
    assert all(path.exists() for path in (*other, *ome))


def test_two_series_of_equal_description_are_distinguished(tmp_path: Path) -> None:
    for i, name in enumerate(("a", "b")):
        imsave(np.full((20, 16, 16), i, np.uint16), tmp_path / f"{name}.tif", size_cap=6e-6)
    assert [image.array[0, 0, 0] for image in imload(tmp_path)] == [0, 1]
    (tmp_path / "b_00001.tif").replace(tmp_path / "a_00001.tif")
    with pytest.raises(UnreadableFileError, match=r"a_00001\.tif"):
        imload(tmp_path / "a_00000.tif")


@pytest.mark.parametrize("stranger", ["cells.tif", "a1.tif", "z.tif"])
def test_a_whole_file_among_parts_is_refused(stranger: str, tmp_path: Path) -> None:
    save_series(tmp_path)
    tifffile.imwrite(tmp_path / stranger, np.zeros((3, 8, 9), np.uint16))
    with pytest.raises(UnreadableFileError, match=stranger):
        imload(tmp_path)


def test_a_missing_file_of_a_count_is_named(tmp_path: Path) -> None:
    for i in (1, 2, 4, 5):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.full((4, 5), i, np.uint8))
    with pytest.raises(UnreadableFileError, match=r"f2\.tif and f4\.tif"):
        imload(tmp_path)
