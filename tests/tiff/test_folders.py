"""Folders of TIFF files: opened through their first file; other files are checked on reading."""

from __future__ import annotations

import pickle  # noqa: TID251 - of our own making
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, load_images
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.codecs.tiff.folders import model_file, same_layout
from napari_ferry.errors import FerryWarning, UnreadableFileError

N = 12


def fill(folder: Path, data: NDArray[Any], **options: Any) -> list[Path]:
    """Write one file for each frame."""
    paths = [folder / f"f{i}.tif" for i in range(len(data))]
    for path, frame in zip(paths, data, strict=True):
        tifffile.imwrite(path, frame, **options)
    return paths


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the files opened by themselves."""
    count: Counter[str] = Counter()
    read = model_file.read_images

    def counted(path: Path) -> Any:
        count[Path(path).name] += 1
        return read(path)

    monkeypatch.setattr(model_file, "read_images", counted)
    return count


STORAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "imagej": {"imagej": True},
    "ome": {"ome": True},
    "big-endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "strips": {"rowsperstrip": 3},
    "deflate": {"compression": "zlib"},
    "deflate, predictor, strips": {"compression": "zlib", "predictor": True, "rowsperstrip": 3},
    "tiles": {"tile": (16, 16)},
}


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("workers", [1, 3])
def test_no_file_is_opened_by_itself(
    storage: str, workers: int, tmp_path: Path, opened: Counter[str]
) -> None:
    data = pixels((N, 20, 33))
    fill(tmp_path, data, **STORAGES[storage])
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)
    assert_same_pixels(load_images(tmp_path, workers=workers).reshape(data.shape), data)
    assert_same_pixels(np.asarray(image.array[7]).reshape(20, 33), data[7])
    assert not opened


def test_only_the_first_file_is_read_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, pixels((N, 20, 33)))
    seen: set[str] = set()
    watch = _watched(seen)
    monkeypatch.setattr("builtins.open", watch(open))
    monkeypatch.setattr("io.open", watch(__import__("io").open))
    (image,) = imload(tmp_path)
    assert seen == {"f0.tif"}
    np.asarray(image.array[5])
    assert seen == {"f0.tif", "f5.tif"}


def _watched(seen: set[str]) -> Callable[[Any], Any]:
    """Return a decorator of `open` for recording the names of TIFF files."""

    def watch(opener: Any) -> Any:
        def noted(file: Any, *args: Any, **options: Any) -> Any:
            if str(file).endswith(".tif"):
                seen.add(Path(file).name)
            return opener(file, *args, **options)

        return noted

    return watch


def test_headers_may_differ_in_their_texts(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((N, 20, 33))
    for i, frame in enumerate(data):
        words = {"description": "frame " + "x" * i, "datetime": f"2020:01:01 00:00:{i:02d}"}
        tifffile.imwrite(tmp_path / f"f{i}.tif", frame, metadata=None, **words)
    assert_same_pixels(load_images(tmp_path), data)
    assert not opened


def test_planar_colors_become_the_last_axis(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((N, 3, 20, 33), "uint8")
    fill(tmp_path, data, photometric="rgb", planarconfig="separate", metadata=None)
    (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "y", "x", "s")
    assert_same_pixels(image.load(), np.moveaxis(data, 1, -1))
    assert not opened


def test_jpegs_are_decoded_with_their_own_tables(tmp_path: Path) -> None:
    data = np.stack([np.full((32, 48), 20 * i, np.uint8) for i in range(N)])
    for i, frame in enumerate(data):
        options = {"compression": "jpeg", "compressionargs": {"level": 50 + 4 * i}}
        tifffile.imwrite(tmp_path / f"f{i}.tif", frame, **options)
    with_tables = imload(tmp_path)[0].load()
    assert abs(with_tables.astype(int) - data).max() < 8


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}, {"compression": "zlib"}])
def test_files_of_stacks_are_joined_in_order(options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((4, 6, 20, 33))
    fill(tmp_path, data, metadata={"axes": "TYX"}, **options)
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array).reshape(24, 20, 33), data.reshape(24, 20, 33))
    assert_same_pixels(np.asarray(image.array[13]).reshape(20, 33), data.reshape(24, 20, 33)[13])


def test_stacks_of_different_lengths_are_joined_in_order(tmp_path: Path) -> None:
    data = pixels((9, 20, 33))
    for i, (a, b) in enumerate([(0, 2), (2, 7), (7, 9)]):
        tifffile.imwrite(tmp_path / f"f{i}.tif", data[a:b], imagej=True, metadata={"axes": "TYX"})
    (image,) = imload(tmp_path)
    assert image.shape == (9, 20, 33)
    assert_same_pixels(image.load(), data)


def test_stacks_along_z_are_a_new_axis(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((4, 3, 20, 33))
    fill(tmp_path, data, imagej=True, metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um"})
    (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "z", "y", "x")
    assert image.axes[1].scale == 2.0
    assert_same_pixels(image.load(), data)
    assert not opened


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("different", [np.zeros((20, 34), np.uint16), np.zeros((20, 33), np.int32)])
def test_a_different_file_is_named_when_the_folder_is_opened(
    different: NDArray[Any], compression: str | None, tmp_path: Path
) -> None:
    fill(tmp_path, pixels((N, 20, 33)), compression=compression)
    tifffile.imwrite(tmp_path / "f5.tif", different, compression=compression)
    with pytest.raises(UnreadableFileError, match=r"f5\.tif is .* but f0\.tif is .*alike"):
        imload(tmp_path)


def test_a_different_file_of_the_same_size_is_named_when_it_is_read(tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    fill(tmp_path, data, metadata=None)
    tifffile.imwrite(tmp_path / "f5.tif", np.zeros((33, 20), np.uint16), metadata=None)
    assert len({path.stat().st_size for path in tmp_path.iterdir()}) == 1
    (image,) = imload(tmp_path)
    assert_same_pixels(image.array[4], data[4])
    for read in (lambda: image.array[5], image.load):
        with pytest.raises(UnreadableFileError, match=r"f5\.tif is .* but f0\.tif is .*alike"):
            read()


def test_a_stack_among_single_frames_is_named(tmp_path: Path) -> None:
    fill(tmp_path, pixels((N, 20, 33)), compression="zlib")
    different = pixels((3, 20, 33))
    tifffile.imwrite(tmp_path / "f5.tif", different, compression="zlib", photometric="minisblack")
    with pytest.raises(UnreadableFileError, match=r"f5\.tif is \(3, 20, 33\)"):
        imload(tmp_path)


def test_of_many_compressed_files_only_some_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 3)
    data = pixels((N, 20, 33))
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
    [(_replace, "changed"), (_cut, "changed"), (Path.unlink, "cannot be read any more")],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_changes_after_opening_is_one_error(
    harm: Callable[[Path], None], message: str, compression: str | None, tmp_path: Path
) -> None:
    fill(tmp_path, pixels((N, 20, 33)), compression=compression)
    (image,) = imload(tmp_path)
    np.asarray(image.array[7])
    harm(tmp_path / "f7.tif")
    np.asarray(image.array[6])
    with pytest.raises(UnreadableFileError, match=rf"f7\.tif {message}"):
        image.load()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_damaged_file_is_one_error(compression: str | None, tmp_path: Path) -> None:
    fill(tmp_path, pixels((N, 20, 33)), compression=compression, metadata=None)
    path = tmp_path / "f7.tif"
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[0].tags[273].valueoffset
    with path.open("r+b") as file:
        file.seek(offset)
        file.write((1 << 30).to_bytes(4, "little"))
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f7\.tif"):
        image.load()


def test_sixteen_threads_read_the_same_as_one(tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    for folder, options in (("plain", {}), ("packed", {"compression": "zlib"})):
        (tmp_path / folder).mkdir()
        fill(tmp_path / folder, data, **options)
    for image in (imload(tmp_path / "plain")[0], imload(tmp_path / "packed")[0]):
        start = threading.Barrier(16)

        def read(k: int, image: Any = image, start: threading.Barrier = start) -> None:
            start.wait()
            for i in np.random.default_rng(k).permutation(N).tolist():
                assert_same_pixels(image.array.read(i), data[i])

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(read, range(16)))


def test_a_folder_can_be_sent_to_another_process(tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    fill(tmp_path, data)
    (image,) = imload(tmp_path)
    copy = pickle.loads(pickle.dumps(image.array))
    assert_same_pixels(np.asarray(copy), data)


def test_files_named_one_by_one_are_one_stack(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((N, 20, 33))
    paths = fill(tmp_path, data)
    (image,) = tiff.open_many(paths[::-1])
    assert image.name == "f11"
    assert_same_pixels(image.load(), data[::-1])
    assert not opened


def write_set(folder: Path, name: str, data: NDArray[Any]) -> None:
    """Write frames as an OME-TIFF set with one file for each frame, as other programs do."""
    files = [f"{name}_{t}.ome.tif" for t in range(len(data))]
    blocks = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1">'
        f'<UUID FileName="{file}">urn:uuid:{name}{t}</UUID></TiffData>'
        for t, file in enumerate(files)
    )
    for t, file in enumerate(files):
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{name}{t}"><Image ID="Image:0" Name="{name}">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" '
            f'SizeZ="1" SizeC="1" SizeT="{len(data)}">{blocks}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / file, data[t], description=xml, metadata=None)


def test_two_sets_of_another_program_are_two_images(tmp_path: Path) -> None:
    first, second = pixels((3, 6, 7)), pixels((3, 6, 7), seed=5)
    write_set(tmp_path, "a", first)
    write_set(tmp_path, "b", second)
    a, b = imload(tmp_path)
    assert (a.name, b.name) == ("a", "b")
    assert_same_pixels(np.asarray(a.array).reshape(3, 6, 7), first)
    assert_same_pixels(np.asarray(b.array).reshape(3, 6, 7), second)


def test_a_stranger_among_sets_is_named(tmp_path: Path) -> None:
    write_set(tmp_path, "a", pixels((3, 6, 7)))
    tifffile.imwrite(tmp_path / "b_0.tif", pixels((6, 7)))
    with pytest.raises(UnreadableFileError, match=r"b_0\.tif is among"):
        imload(tmp_path)


def test_an_incomplete_set_is_reported(tmp_path: Path) -> None:
    data = pixels((3, 6, 7))
    write_set(tmp_path, "a", data)
    (tmp_path / "a_1.ome.tif").unlink()
    with pytest.warns(FerryWarning, match=r"a_1\.ome\.tif is missing"):
        (image,) = imload(tmp_path)
    data[1] = 0
    assert_same_pixels(np.asarray(image.array).reshape(3, 6, 7), data)


def test_a_file_of_another_set_with_the_right_name_is_reported(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    write_set(tmp_path, "a", data)
    (tmp_path / "b").mkdir()
    write_set(tmp_path / "b", "b", pixels((5, 6, 7), seed=5))
    (tmp_path / "b" / "b_1.ome.tif").replace(tmp_path / "a_1.ome.tif")
    (tmp_path / "a_3.ome.tif").unlink()
    tifffile.imwrite(tmp_path / "a_4.ome.tif", data[4], description="-", metadata=None)
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(tmp_path / "a_0.ome.tif")
    (message,) = [str(warning.message) for warning in caught]
    assert "a_3.ome.tif is missing" in message
    assert "a_1.ome.tif is of another set" in message
    data[[1, 3]] = 0
    assert_same_pixels(np.asarray(image.array).reshape(5, 6, 7), data)


def test_files_of_both_byte_orders_are_one_stack(tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    for compression in (None, "zlib"):
        folder = tmp_path / str(compression)
        folder.mkdir()
        for i, frame in enumerate(data):
            options: dict[str, Any] = {
                "byteorder": ">" if i % 3 == 1 else "<",
                "compression": compression,
            }
            tifffile.imwrite(folder / f"f{i}.tif", frame, **options)
        (image,) = imload(folder)
        assert_same_pixels(image.load(), data)
        assert_same_pixels(np.asarray(image.array[4]), data[4])


SECOND = pixels((N, 7, 9, 3), "uint8")


def write_two(path: Path, *frames: NDArray[Any], **options: Any) -> None:
    """Write a file with an image for each frame."""
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            color = "rgb" if frame.shape[-1] == 3 else "minisblack"
            writer.write(frame, photometric=color, metadata=None, **options)


def fill_with_two(folder: Path, data: NDArray[Any], **options: Any) -> None:
    for i, frame in enumerate(data):
        write_two(folder / f"f{i}.tif", frame, SECOND[i], **options)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_files_of_several_images_are_several_stacks(
    compression: str | None, tmp_path: Path
) -> None:
    data = pixels((N, 20, 33))
    fill_with_two(tmp_path, data, compression=compression)
    first, second = imload(tmp_path)
    assert first.name == second.name == tmp_path.name
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), SECOND)
    assert_same_pixels(np.asarray(second.array[5]), SECOND[5])


def test_images_below_pages_are_stacks_of_their_own(tmp_path: Path) -> None:
    data, below = pixels((N, 20, 33)), pixels((N, 20, 33), "uint8", seed=3)
    for i in range(N):
        with tifffile.TiffWriter(tmp_path / f"f{i}.tif") as writer:
            writer.write(data[i], subifds=1, metadata=None)
            writer.write(below[i], metadata=None)
    first, second = imload(tmp_path)
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), below)


def test_images_with_names_keep_them_in_a_stack(tmp_path: Path) -> None:
    data = pixels((3, 2, 20, 33))
    for i, frames in enumerate(data):
        with tifffile.TiffWriter(tmp_path / f"f{i}.ome.tif", ome=True) as writer:
            for name, frame in zip(("cells", "nuclei"), frames, strict=True):
                writer.write(frame, metadata={"Name": name, "axes": "YX"})
    images = imload(tmp_path)
    assert [image.name for image in images] == ["cells", "nuclei"]
    for k, image in enumerate(images):
        assert_same_pixels(np.asarray(image.array).squeeze(), data[:, k])


def test_several_images_of_a_partition_are_several(tmp_path: Path) -> None:
    data = pixels((3, 20, 33))
    for i, frame in enumerate(data):
        write_two(tmp_path / f"exp.I_{i}.tif", frame, SECOND[i])
    first, second = imload(tmp_path)
    assert (first.axis_names[0], second.axis_names[0]) == ("i", "i")
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), SECOND[:3])


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
    data = pixels((N, 20, 33))
    fill_with_two(tmp_path, data, compression=compression)
    write_two(tmp_path / "f5.tif", data[5], *second, compression=compression)
    with pytest.raises(UnreadableFileError, match=message):
        imload(tmp_path)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("index", [0, 5])
def test_an_additional_page_among_single_pages_is_named(
    index: int, compression: str | None, tmp_path: Path
) -> None:
    data = pixels((N, 20, 33))
    fill(tmp_path, data, compression=compression, metadata=None)
    different = tmp_path / f"f{index}.tif"
    write_two(different, data[index], SECOND[0], compression=compression)
    with pytest.raises(UnreadableFileError, match=rf"f{index}\.tif holds 2"):
        imload(tmp_path)


def test_an_additional_page_in_an_unchecked_file_is_named_on_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 0)
    data = pixels((N, 20, 33))
    fill(tmp_path, data, compression="zlib", metadata=None)
    write_two(tmp_path / "f11.tif", data[11], SECOND[0], compression="zlib")
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f11\.tif holds 2 images"):
        np.asarray(image.array[11])


def test_an_unchecked_longer_file_is_named_on_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_layout, "_MAX_CHECKED", 0)
    data = pixels((N, 20, 33))
    options: dict[str, Any] = {"ome": True, "compression": "zlib"}
    fill(tmp_path, data, **options)
    tifffile.imwrite(tmp_path / "f11.tif", data[:2], metadata={"axes": "TYX"}, **options)
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array[10]).squeeze(), data[10])
    with pytest.raises(UnreadableFileError, match=r"f11\.tif is \(2, .* but f0\.tif is \(1, "):
        image.load()
