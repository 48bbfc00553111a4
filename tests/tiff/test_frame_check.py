"""Files of a stack that differ from the first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.codecs.tiff.folders import same_layout
from napari_ferry.errors import UnreadableFileError
from tiff_files import COUNT, SECOND, fill, fill_with_two, write_two


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("different", [np.zeros((20, 34), np.uint16), np.zeros((20, 33), np.int32)])
def test_a_different_file_is_named_when_the_folder_is_opened(
    different: NDArray[Any], compression: str | None, tmp_path: Path
) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)), compression=compression)
    tifffile.imwrite(tmp_path / "f5.tif", different, compression=compression)
    with pytest.raises(UnreadableFileError, match=r"f5\.tif is .* but f0\.tif is .*must match"):
        imload(tmp_path)


def test_a_different_file_of_the_same_size_is_named_when_it_is_read(tmp_path: Path) -> None:
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data, metadata=None)
    tifffile.imwrite(tmp_path / "f5.tif", np.zeros((33, 20), np.uint16), metadata=None)
    assert len({path.stat().st_size for path in tmp_path.iterdir()}) == 1
    (image,) = imload(tmp_path)
    assert_same_pixels(image.array[4], data[4])
    for read in (lambda: image.array[5], image.load):
        with pytest.raises(UnreadableFileError, match=r"f5\.tif is .* but f0\.tif is .*must match"):
            read()


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("different", [0, 3, COUNT - 1])
def test_a_file_with_other_colors_of_its_values_is_named(
    different: int, compression: str | None, tmp_path: Path
) -> None:
    data = pixels((COUNT, 20, 33), np.uint8)
    options: dict[str, Any] = {"metadata": None, "compression": compression}
    fill(tmp_path, data, photometric="minisblack", **options)
    path = tmp_path / f"f{different}.tif"
    tifffile.imwrite(path, data[different], photometric="miniswhite", **options)
    with pytest.raises(
        UnreadableFileError, match=r"f\d+\.tif shows 0 in .*, but f0\.tif shows 0 in"
    ):
        imload(tmp_path)[0].load()

    ramp = np.linspace(0, 65535, 256, dtype=np.uint16)
    colors = {"colormap": np.stack([ramp, ramp[::-1], ramp]), "photometric": "palette"}
    tifffile.imwrite(path, data[different], **colors, **options)
    with pytest.raises(UnreadableFileError, match=r"has a color table of its own"):
        imload(tmp_path)[0].load()
    fill(tmp_path, data, **colors, **options)
    assert_same_pixels(imload(tmp_path)[0].load(), data)


def test_a_stack_among_single_frames_is_named(tmp_path: Path) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)), compression="zlib")
    different = pixels((3, 20, 33))
    tifffile.imwrite(tmp_path / "f5.tif", different, compression="zlib", photometric="minisblack")
    with pytest.raises(UnreadableFileError, match=r"f5\.tif is \(3, 20, 33\)"):
        imload(tmp_path)


def test_of_many_compressed_files_only_some_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 3)
    data = pixels((COUNT, 20, 33))
    for i, frame in enumerate(data):
        frame[:i] = 0  # so that the compressed sizes differ
    fill(tmp_path, data, compression="zlib")
    tifffile.imwrite(tmp_path / "f11.tif", np.zeros((7, 7)), compression="zlib")
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f11\.tif is"):
        image.load()


def _replace(path: Path) -> None:
    tifffile.imwrite(path, np.ones((20, 33), np.uint16), description="another frame")


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("harm", "message"),
    [(_replace, "has changed"), (_cut, "has changed"), (Path.unlink, "can no longer be read")],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_changes_after_opening_is_one_error(
    harm: Callable[[Path], None], message: str, compression: str | None, tmp_path: Path
) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)), compression=compression)
    (image,) = imload(tmp_path)
    np.asarray(image.array[7])
    harm(tmp_path / "f7.tif")
    np.asarray(image.array[6])
    with pytest.raises(UnreadableFileError, match=rf"f7\.tif {message}"):
        image.load()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_damaged_file_is_one_error(compression: str | None, tmp_path: Path) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)), compression=compression, metadata=None)
    path = tmp_path / "f7.tif"
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[0].tags[273].valueoffset
    with path.open("r+b") as file:
        file.seek(offset)
        file.write((1 << 30).to_bytes(4, "little"))
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f7\.tif"):
        image.load()


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([], "f5.tif holds 1 image, but f0.tif holds 2: "),
        ([SECOND[5], np.zeros((4, 5), np.uint8)], "f5.tif holds 3 images, but f0.tif holds 2: "),
        ([SECOND[5, :6]], r"f5.tif is \(6, 9, 3\) .* but f0.tif is \(7, 9, 3\)"),
    ],
)
def test_a_file_with_a_different_second_image_is_named(
    second: list[NDArray[Any]], message: str, compression: str | None, tmp_path: Path
) -> None:
    data = pixels((COUNT, 20, 33))
    fill_with_two(tmp_path, data, compression=compression)
    write_two(tmp_path / "f5.tif", data[5], *second, compression=compression)
    with pytest.raises(UnreadableFileError, match=message):
        imload(tmp_path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("index", [0, 5])
def test_an_additional_page_among_single_pages_is_named(
    index: int, compression: str | None, tmp_path: Path
) -> None:
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data, compression=compression, metadata=None)
    different = tmp_path / f"f{index}.tif"
    write_two(different, data[index], SECOND[0], compression=compression)
    with pytest.raises(UnreadableFileError, match=rf"f{index}\.tif holds 2"):
        imload(tmp_path)


def test_an_additional_page_in_an_unchecked_file_is_named_on_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 0)
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data, compression="zlib", metadata=None)
    write_two(tmp_path / "f11.tif", data[11], SECOND[0], compression="zlib")
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f11\.tif holds 2 images"):
        np.asarray(image.array[11])


def test_an_unchecked_longer_file_is_named_on_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 0)
    data = pixels((COUNT, 20, 33))
    options: dict[str, Any] = {"ome": True, "compression": "zlib"}
    fill(tmp_path, data, **options)
    tifffile.imwrite(tmp_path / "f11.tif", data[:2], metadata={"axes": "TYX"}, **options)
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array[10]).squeeze(), data[10])
    with pytest.raises(UnreadableFileError, match=r"f11\.tif is \(2, .* but f0\.tif is \(1, "):
        image.load()
