"""Acquisitions with one file for each plane, named by the programs of microscopes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_ferry import Image, imload
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.errors import FerryWarning, UnreadableFileError, UnsupportedFormatError
from tiff_files import GRAY

GUID = "1F2E3D4C-0A1B-2C3D-4E5F-{:012X}"


def write(folder: Path, names: Sequence[str], shape: Sequence[int] = (6, 7)) -> list[Path]:
    """Write a file for each name; its pixels are its index."""
    paths = [folder / name for name in names]
    for i, path in enumerate(paths):
        tifffile.imwrite(path, np.full(shape, i, "uint16"), **GRAY)
    return paths


def named(pattern: str, **axes: Sequence[Any]) -> list[str]:
    """Return the names of a grid of files, the last axis fastest."""
    names = [pattern]
    for axis, labels in axes.items():
        names = [name.replace(f"<{axis}>", str(label)) for name in names for label in labels]
    return names


def opened(folder: Path, match: str) -> list[Image]:
    with pytest.warns(FerryWarning, match=match) as caught:
        images = imload(folder)
    assert len(caught) == 1
    return images


def sizes(image: Image) -> Mapping[str, int]:
    return dict(zip(image.axis_names, image.shape, strict=True))


CASES = {
    "Leica": (
        "Leica LAS X",
        named("Series001_z<z>_ch<c>.tif", c=("00", "01"), z=("00", "01", "02")),
        {"c": 2, "z": 3},
    ),
    "Leica, times and positions": (
        "Leica LAS X",
        named("a_s<p>_t<t>_z<z>_ch<c>.tif", p=range(2), t=range(3), c="01", z=range(2)),
        {"p": 2, "t": 3, "c": 2, "z": 2},
    ),
    "Leica, channels only": (
        "Leica LAS X",
        named("Image 1_RAW_ch<c>.tif", c=("00", "01")),
        {"c": 2},
    ),
    "Bruker, frames": (
        "Bruker PrairieView",
        named("TSeries-01-001_Cycle00001_Ch<c>_00000<t>.ome.tif", t="123", c="12"),
        {"t": 3, "c": 2},
    ),
    "Bruker, planes": (
        "Bruker PrairieView",
        named("ZSeries-01-001_Cycle00001_Ch<c>_00000<z>.ome.tif", c="12", z="123"),
        {"c": 2, "z": 3},
    ),
    "Bruker, planes over time": (
        "Bruker PrairieView",
        named("TSeries-01-001_Cycle0000<t>_Ch2_00000<z>.ome.tif", t="1234", z="123"),
        {"t": 4, "z": 3},
    ),
    "Micro-Manager 2": (
        "Micro-Manager",
        named(
            "img_channel00<c>_position00<p>_time00000000<t>_z00<z>.tif",
            p=range(2),
            t=range(2),
            c=range(2),
            z=range(3),
        ),
        {"p": 2, "t": 2, "c": 2, "z": 3},
    ),
    "Micro-Manager 1.4": (
        "Micro-Manager",
        named("img_00000000<t>_<c>_00<z>.tif", t=range(2), c=("DAPI", "GFP 2"), z=range(3)),
        {"t": 2, "c": 2, "z": 3},
    ),
    "ImageXpress": (
        "ImageXpress",
        [
            name.replace("{}", GUID.format(i))
            for i, name in enumerate(
                named("plate_<w>_s<p>_w<c>{}.TIF", w=("A01", "A02", "B01"), p="12", c="123")
            )
        ],
        {"p": 6, "c": 3},
    ),
    "MetaMorph": (
        "MetaMorph",
        named("cells_w<c>_s<p>_t<t>.TIF", p="12", t=range(1, 12), c=("1DAPI", "2Cy5")),
        {"p": 2, "t": 11, "c": 2},
    ),
    "Opera": (
        "Harmony",
        named(
            "r02c<w>f0<p>p0<z>-ch<c>sk<t>fk1fl1.tiff",
            w=("01", "10"),
            p="12",
            t="12",
            c="13",
            z="12",
        ),
        {"p": 4, "t": 2, "c": 2, "z": 2},
    ),
    "CellVoyager": (
        "CellVoyager",
        named("plate_A01_T000<t>F001L01A01Z0<z>C0<c>.tif", t="12", c="12", z="123"),
        {"t": 2, "c": 2, "z": 3},
    ),
    "ImageJ": (
        "ImageJ",
        named("cells_t00<t>_z00<z>_c00<c>.tif", t="12", c="12", z="123"),
        {"t": 2, "c": 2, "z": 3},
    ),
    "Bio-Formats": (
        "ImageJ",
        named("cells_Z<z>_C<c>_T<t>.tif", t=range(12), c="01", z="0"),
        {"t": 12, "c": 2},
    ),
    "NIS Elements": (
        "ImageJ",
        named("cellst0<t>xy1z0<z>c<c>.tif", t="12", c="12", z="123"),
        {"t": 2, "c": 2, "z": 3},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_names_of_programs_give_axes(case: str, tmp_path: Path) -> None:
    program, names, expected = CASES[case]
    write(tmp_path, names)
    (image,) = opened(tmp_path, match=f"{program}.*, with ")
    long = {axis: n for axis, n in sizes(image).items() if n > 1}
    assert long == {**expected, "y": 6, "x": 7}
    assert list(long) == [*expected, "y", "x"]
    # the names are listed in the order of the axes, but channels follow planes in some of them
    assert np.asarray(image.array)[..., 0, 0].ravel().tolist() == list(range(len(names)))
    assert image.name == tmp_path.name


FOLDERS = {
    "Micro-Manager": (
        named(
            "Pos<p>/img_00000000<t>_<c>_00<z>.tif", p=(0, 1, 10), t="01", c=("DAPI", "GFP"), z="01"
        ),
        {"p": 3, "t": 2, "c": 2, "z": 2},
    ),
    "Micro-Manager, grid": (
        named(
            "1-Pos_00<p>_000/img_channel00<c>_position000_time000000000_z00<z>.tif",
            p="01",
            c="01",
            z="01",
        ),
        {"p": 2, "c": 2, "z": 2},
    ),
    "ImageXpress": (
        named("TimePoint_<t>/plate_A01_s<p>_w<c>.tif", p="12", t=range(1, 12), c="12"),
        {"p": 2, "t": 11, "c": 2},
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_folders_of_positions_and_times_are_one_image(case: str, tmp_path: Path) -> None:
    names, expected = FOLDERS[case]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path, names)
    (image,) = opened(tmp_path, match=case.split(",", maxsplit=1)[0])
    assert sizes(image) == {**expected, "y": 6, "x": 7}
    assert np.asarray(image.array)[..., 0, 0].ravel().tolist() == list(range(len(names)))


def test_other_folders_of_positions_are_images(tmp_path: Path) -> None:
    names = [f"Pos{p}/frame_{t}.tif" for p in range(2) for t in range(3)]
    for p in range(3):
        (tmp_path / f"Pos{p}").mkdir()
    write(tmp_path, names)
    first, second = imload(tmp_path)
    assert (first.name, second.name) == ("Pos0", "Pos1")
    assert np.asarray(second.array)[:, 0, 0].tolist() == [3, 4, 5]


def test_folders_of_positions_without_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Pos0").mkdir()
    with pytest.raises(UnsupportedFormatError, match="holds no files"):
        imload(tmp_path)
    with pytest.raises(UnreadableFileError, match="holds no"):
        tiff.open(tmp_path)


def test_channels_have_the_names_in_the_files(tmp_path: Path) -> None:
    write(tmp_path, named("cells_w<c>_t<t>.tif", t="12", c=("1DAPI", "2Cy5")))
    (image,) = opened(tmp_path, "MetaMorph")
    assert [channel.name for channel in image.channels] == ["DAPI", "Cy5"]


def test_files_named_one_by_one_have_the_same_axes(tmp_path: Path) -> None:
    paths = write(tmp_path, named("Series001_z<z>_ch<c>.tif", c="01", z="012"))
    with pytest.warns(FerryWarning, match="Leica"):
        (image,) = tiff.open_many(paths[::-1])
    assert sizes(image) == {"c": 2, "z": 3, "y": 6, "x": 7}
    assert np.asarray(image.array)[..., 0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_series_with_different_names_are_several_images(tmp_path: Path) -> None:
    write(tmp_path, named("Series00<s>_z<z>_ch<c>.tif", s="12", c="01", z="012"))
    first, second = opened(tmp_path, "in each of 2 images")
    assert (first.name, second.name) == ("Series001", "Series002")
    assert sizes(first) == sizes(second) == {"c": 2, "z": 3, "y": 6, "x": 7}
    assert np.asarray(second.array)[1, :, 0, 0].tolist() == [9, 10, 11]


def test_frames_of_missing_files_are_zero_and_counted(tmp_path: Path) -> None:
    paths = write(tmp_path, named("a_t<t>_z<z>_ch<c>.tif", t="0123", c="01", z="012"))
    paths[4].unlink()
    paths[-1].unlink()
    (image,) = opened(tmp_path, "2 files missing, whose frames are zero")
    values = np.asarray(image.array)[..., 0, 0].ravel().tolist()
    assert values == [0, 1, 2, 3, 0, *range(5, 23), 0]
    assert np.asarray(image.array[0, 1, 2]).tolist() == np.full((6, 7), 5).tolist()


def test_pages_of_files_are_planes_if_the_names_give_times(tmp_path: Path) -> None:
    write(tmp_path, named("cells_w<c>_t<t>.tif", t="12", c=("1DAPI", "2Cy5")), (3, 6, 7))
    (image,) = opened(tmp_path, "MetaMorph")
    assert sizes(image) == {"t": 2, "c": 2, "z": 3, "y": 6, "x": 7}


def test_files_with_times_of_their_own_are_joined_for_each_channel(tmp_path: Path) -> None:
    for i, name in enumerate(named("cells_w<c>_t<t>.tif", c=("1DAPI", "2Cy5"), t="12")):
        data = np.full((2 + i % 2, 6, 7), i, "uint16")
        tifffile.imwrite(tmp_path / name, data, imagej=True, metadata={"axes": "TYX"})
    first, second = opened(tmp_path, "MetaMorph")
    assert np.asarray(first.array)[:, 0, 0].tolist() == [0, 0, 1, 1, 1]
    assert np.asarray(second.array)[:, 0, 0].tolist() == [2, 2, 3, 3, 3]


def test_single_planes_of_ome_tiff_lose_their_short_axes(tmp_path: Path) -> None:
    for name in named("a_z<z>_ch<c>.ome.tif", z="01", c="01"):
        tifffile.imwrite(
            tmp_path / name, np.zeros((1, 1, 6, 7), "uint16"), metadata={"axes": "CZYX"}
        )
    (image,) = opened(tmp_path, "Leica")
    assert {axis: n for axis, n in sizes(image).items() if n > 1} == {
        "c": 2,
        "z": 2,
        "y": 6,
        "x": 7,
    }


def test_other_files_of_the_folder_are_images_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, named("Series001_z<z>_ch<c>.tif", c="01", z="012"))
    tifffile.imwrite(tmp_path / "overview.tif", np.zeros((20, 30), "uint8"), **GRAY)
    image, overview = opened(tmp_path, "Leica")
    assert sizes(image) == {"c": 2, "z": 3, "y": 6, "x": 7}
    assert overview.shape == (20, 30)


def test_thumbnails_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, named("plate_A01_s<p>_w<c>.tif", p="12", c="12"))
    write(tmp_path, named("plate_A01_s<p>_w<c>_thumb.tif", p="12", c="12"), (3, 3))
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(tmp_path)
    assert sizes(image) == {"p": 2, "c": 2, "y": 6, "x": 7}
    assert any(
        "4 files such as plate_A01_s1_w1_thumb.tif are left out" in str(w.message) for w in caught
    )


@pytest.mark.parametrize(
    "names",
    [
        [f"frame_t{i}.tif" for i in range(4)],
        [f"mouse_s1_t{i}.tif" for i in range(4)],
        [f"shot{i}.tif" for i in range(4)],
        [f"z{z}um.tif" for z in ("0.5", "1.0", "1.5")],
        [f"2024-01-01_c1_{i}.tif" for i in range(3)],
        [f"img_{i:03}.tif" for i in range(3)],
    ],
)
def test_other_numbered_names_are_one_stack_along_time(names: list[str], tmp_path: Path) -> None:
    write(tmp_path, names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "y", "x")
    assert np.asarray(image.array)[:, 0, 0].tolist() == list(range(len(names)))


def test_two_files_at_one_position_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ["a_z1_ch0.tif", "a_z01_ch0.tif", "a_z2_ch0.tif"])
    with pytest.raises(UnreadableFileError, match="remove the duplicate"):
        imload(tmp_path)
