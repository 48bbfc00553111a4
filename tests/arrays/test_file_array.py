"""Arrays in files: every index is that of numpy, and a file that changes is reported."""

from __future__ import annotations

import errno
import os
import pickle  # noqa: TID251 - the pickles are from this test
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from helpers import assert_same_pixels
from napari_ferry import Image, UnreadableFileError, imload, imsave
from napari_ferry.arrays import file_array
from napari_ferry.arrays.file_array import FileArray, open_file_array
from napari_ferry.arrays.shared_file import SharedFile
from napari_ferry.arrays.sliced_view import put_off_slices
from napari_ferry.arrays.stack import take, take_steps
from napari_ferry.codecs.tiff.pages import header
from napari_ferry.codecs.tiff.pages.series_pages import SeriesLevel, read_level_pages

MOVIE = np.arange(60 * 64 * 64, dtype=np.uint16).reshape(60, 64, 64)


def write_interleaved(path: Path) -> None:
    """Write pages at equal distances, with their directories between them."""
    with tifffile.TiffWriter(path) as writer:
        for frame in MOVIE:
            writer.write(frame, metadata=None, contiguous=False)


def write_ours(path: Path) -> None:
    imsave(MOVIE, path)


def write_imagej(path: Path) -> None:
    tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "TYX"})


WAYS = {"a.tif": write_interleaved, "b.tif": write_ours, "c.tif": write_imagej, "d.bin": write_ours}
each_way = pytest.mark.parametrize(("name", "write"), WAYS.items())


def in_file(data: np.ndarray, path: Path, start: int = 10) -> FileArray:
    """Write an array in C order behind some bytes, and open it."""
    path.write_bytes(b"h" * start + data.tobytes())
    return open_file_array(path, start, data.shape, data.strides, data.dtype)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("gap", "span"), [(16 << 10, 8 << 20), (0, 100), (7, 64), (100, 1)], ids=str
)
@settings(max_examples=150)
@given(data=st.data())
def test_every_index_is_that_of_numpy(
    tmp_path_factory: pytest.TempPathFactory, gap: int, span: int, data: st.DataObject
) -> None:
    """Whatever is read at once: all, some rows, or single samples."""
    shape = data.draw(npst.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6))
    kind = data.draw(st.sampled_from(["<u2", ">u2", "u1", "<f8"]))
    expected = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    array = in_file(expected, tmp_path_factory.mktemp("arrays") / "a.raw")
    order = data.draw(st.permutations(range(len(shape))))
    key = data.draw(npst.basic_indices(expected.transpose(order).shape, allow_newaxis=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_array, "_GAP_BYTES", gap)
        patch.setattr(file_array, "_SPAN_BYTES", span)
        assert_same_pixels(np.asarray(array.transpose(order)), expected.transpose(order))
        found, wanted = array.transpose(order)[key], expected.transpose(order)[key]
        assert_same_pixels(np.asarray(found), np.asarray(wanted))
        indices = data.draw(npst.integer_array_indices(shape))
        assert_same_pixels(array[indices], expected[indices])


def test_views_read_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = in_file(MOVIE, tmp_path / "a.raw")
    with monkeypatch.context() as patch:
        patch.setattr(SharedFile, "read_into", lambda *_: pytest.fail("it was read"))
        patch.setattr(SharedFile, "read", lambda *_: pytest.fail("it was read"))
        views: list[tuple[Any, np.ndarray]] = [
            (array.reshape(3, 20, 64, 64), MOVIE.reshape(3, 20, 64, 64)),
            (array.transpose(2, 0, 1), MOVIE.transpose(2, 0, 1)),
            (array.moveaxis(0, -1), np.moveaxis(MOVIE, 0, -1)),
            (array.view(np.int16), MOVIE.view(np.int16)),
            (take(array, 0, 7), MOVIE[7]),
            (take(array, 1, 7), MOVIE[:, 7]),
            (take_steps(array, 0, range(5, 50, 9), 1), MOVIE[5:50:9]),
        ]
    for view, expected in views:
        assert isinstance(view, FileArray)
        assert_same_pixels(np.asarray(view), expected)
    with pytest.raises(ValueError, match="copy"):
        array.transpose(2, 0, 1).reshape(-1)


def test_the_whole_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = in_file(MOVIE, tmp_path / "a.raw")
    sizes: list[int] = []
    read = SharedFile.read_into
    monkeypatch.setattr(
        SharedFile,
        "read_into",
        lambda file, out, start: (sizes.append(out.nbytes), read(file, out, start)),
    )
    np.asarray(array)
    array[5]
    array[5:7, 3:9]
    assert sizes == [MOVIE.nbytes, MOVIE[5].nbytes, (64 + 6) * 64 * 2]


@pytest.mark.parametrize("start", [0, 8, 100, 2048, 4095])
def test_large_frames_are_copied_to_the_same_place_in_a_page(start: int, tmp_path: Path) -> None:
    """Slightly above it, a processor would copy at less than half its speed."""
    large = np.zeros((3, 300, 333), np.uint16)
    array = in_file(large, tmp_path / "a.raw", start)
    for i in range(3):
        frame = array[i]
        assert frame.flags.aligned
        assert frame.flags.writeable
        position = start + i * large[0].nbytes
        assert (frame.ctypes.data - position) % 4096 in (0, *range(4096 - 63, 4096))


def test_pixels_in_a_file_are_never_handed_over_without_a_copy(tmp_path: Path) -> None:
    imsave(MOVIE, tmp_path / "a.tif")
    array = imload(tmp_path / "a.tif")[0].array
    for lazy in (array, put_off_slices(array)[:, 1:3]):
        with pytest.raises(ValueError, match="reading them makes a copy"):
            np.array(lazy, copy=False)
        assert np.array(lazy, copy=None).shape == lazy.shape


def test_samples_beyond_the_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"0" * 99)
    with pytest.raises(ValueError, match="99 bytes"):
        open_file_array(tmp_path / "a.raw", 0, (5, 10), (20, 2), np.uint16)


@each_way
def test_shortened_files_are_reported(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    (image,) = imload(path)
    assert isinstance(image.array, FileArray)
    assert_same_pixels(image.array[40], MOVIE[40])
    turned = image.array.transpose(2, 0, 1)
    os.truncate(path, 9000)
    for read in (
        lambda: image.array[40],
        lambda: turned[3],
        image.load,
        lambda: image.extract_patch(0, None, (0, 0), (5, 5)),
    ):
        with pytest.raises(UnreadableFileError, match=rf"{name} has changed since it was opened"):
            read()


def test_numpy_and_scipy_survive_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    """In a child, which a memory map would end."""
    imsave(MOVIE, tmp_path / "a.tif")
    code = """
import os, sys, numpy as np, scipy.ndimage
from napari_ferry import UnreadableFileError, imload
(image,) = imload(sys.argv[1])
part, whole = image.array[30], np.asarray(image.array)
os.truncate(sys.argv[1], 9000)
print(int(part.sum()), int(whole[30].sum()))
for read in (np.array, np.asarray, scipy.ndimage.uniform_filter, np.sum, lambda a: np.empty(
        a.shape).__setitem__(..., a)):
    try:
        read(image.array)
    except UnreadableFileError:
        continue
    raise SystemExit(f"{read} read a file that is too short")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.tif")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(file_array.__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(int(MOVIE[30].sum()))] * 2


@each_way
def test_an_array_of_a_changed_file_is_refused(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    whole = imload(path)[0].array
    packed = pickle.dumps(whole)
    assert_same_pixels(whole[3], MOVIE[3])
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 100)
        file.write(b"changed in place")
    os.utime(path, ns=(0, 1))
    for array in (whole, pickle.loads(packed)):
        with pytest.raises(UnreadableFileError, match=rf"{name} has changed since it was opened"):
            array[3]
    assert_same_pixels(imload(path)[0].array[3], MOVIE[3])


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be replaced there")
@each_way
def test_a_replaced_or_removed_file_stays_as_it_was(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    array = imload(path)[0].array
    assert_same_pixels(array[3], MOVIE[3])
    (tmp_path / "other").write_bytes(b"another file")
    (tmp_path / "other").replace(path)
    assert_same_pixels(array[50], MOVIE[50])
    path.unlink()
    assert_same_pixels(np.asarray(array), MOVIE)


def test_a_file_that_was_not_read_before_it_was_replaced_is_refused(tmp_path: Path) -> None:
    array = in_file(MOVIE, tmp_path / "a.raw")
    (tmp_path / "a.raw").unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.raw can no longer be read"):
        array[3]
    (tmp_path / "a.raw").write_bytes(bytes(10 + MOVIE.nbytes))
    os.utime(tmp_path / "a.raw", ns=(0, 1))
    with pytest.raises(UnreadableFileError, match=r"a\.raw has changed since it was opened"):
        array[3]


def test_without_reading_at_offsets_no_file_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, where an open file cannot be replaced."""
    monkeypatch.delattr(os, "preadv")
    array = in_file(MOVIE, tmp_path / "a.raw")
    assert_same_pixels(array[3:40:5, 7], MOVIE[3:40:5, 7])
    assert not [f for f in psutil.Process().open_files() if f.path.endswith("a.raw")]
    os.truncate(tmp_path / "a.raw", 9000)
    with pytest.raises(UnreadableFileError, match=r"a\.raw has changed since it was opened"):
        array[0]


def test_many_arrays_of_a_file_share_one_descriptor(tmp_path: Path) -> None:
    first = in_file(MOVIE, tmp_path / "a.raw")
    others = [
        open_file_array(tmp_path / "a.raw", 10 + k, (9,), (2,), np.uint16) for k in range(300)
    ]
    for array in (first, *others):
        np.asarray(array[0:2])

    def count() -> int:
        return sum(file.path.endswith("a.raw") for file in psutil.Process().open_files())

    assert count() == 1
    first.file.close()
    assert count() == 0
    assert_same_pixels(first[5], MOVIE[5])
    del first, others, array
    assert count() == 0


def test_threads_read_the_same_array(tmp_path: Path) -> None:
    array = in_file(MOVIE, tmp_path / "a.raw")
    with ThreadPoolExecutor(16) as pool:
        for i, frame in enumerate(pool.map(array.__getitem__, list(range(60)) * 20)):
            assert_same_pixels(frame, MOVIE[i % 60])


def test_pages_of_a_changed_file_are_refused_when_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, MOVIE, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as tif:
        (pages_of_series,), _ = read_level_pages(tif.series[0], SeriesLevel(path, 0, 0))
    array = imload(path)[0].array
    before = pickle.dumps(array), pickle.dumps(pages_of_series)
    assert_same_pixels(pickle.loads(before[0])[4], MOVIE[4])
    assert_same_pixels(pickle.loads(before[1])(4), MOVIE[4])
    tifffile.imwrite(path, MOVIE[::-1], compression="zlib", photometric="minisblack")
    os.utime(path, ns=(0, 1))
    for arrays, pages in (before, (pickle.dumps(array), pickle.dumps(pages_of_series))):
        for read in (lambda a=arrays: pickle.loads(a)[4], lambda p=pages: pickle.loads(p)(4)):
            with pytest.raises(UnreadableFileError, match=r"a\.tif has changed since"):
                read()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_relative_path_remains_valid(
    compression: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: Any = {"compression": compression, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "real.tif", MOVIE, **options)
    (tmp_path / "a.tif").symlink_to("real.tif")
    monkeypatch.chdir(tmp_path)
    (image,) = imload("a.tif")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert image.name == "a"
    assert_same_pixels(image.array[3], MOVIE[3])
    assert_same_pixels(pickle.loads(pickle.dumps(image.array))[3], MOVIE[3])


@pytest.mark.parametrize("refused", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_reported(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(refused, os.strerror(refused))

    tifffile.imwrite(tmp_path / "a.tif", MOVIE[0])
    for module, name in ((file_array, "share_file"), (header, "open_tiff")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, refuse)
            with pytest.raises(UnreadableFileError, match=r"\(.*\): close layers or images"):
                imload(tmp_path / "a.tif")


def test_dask_reads_frames(tmp_path: Path) -> None:
    imsave(MOVIE, tmp_path / "a.tif")
    (image,) = imload(tmp_path / "a.tif")
    found = image.to_dask()
    assert found.chunksize == (1, 64, 64)
    assert_same_pixels(found[3:5].compute(), MOVIE[3:5])
    assert len(pickle.dumps(found[3])) < 10_000


@each_way
def test_an_array_is_pickled_as_its_path(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    write(path)
    (image,) = imload(path)
    whole: Any = image.array
    for view in (whole, whole.take_view(0, slice(3, 50, 7)), whole.transpose(1, 0, 2)):
        packed = pickle.dumps(view)
        assert len(packed) < 2000
        again = pickle.loads(packed)
        assert_same_pixels(np.asarray(again), np.asarray(view))
        assert isinstance(again, np.ndarray | FileArray)
    packed = pickle.dumps(whole)
    path.unlink()
    whole.file.close()
    with pytest.raises(UnreadableFileError, match=name):
        np.asarray(pickle.loads(packed))


def test_tiles_are_chunks_of_dask() -> None:
    class Tiled:
        shape, dtype, ndim, chunks = (3, 40, 50), np.dtype(np.uint8), 3, (1, 16, 16)

        def __getitem__(self, key: Any) -> np.ndarray:
            return np.ones(self.shape, np.uint8)[key]

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return np.ones(self.shape, np.uint8)

    found = Image.from_array(Tiled(), "zyx").to_dask()
    assert found.chunksize == (1, 16, 16)
    assert int(found.sum().compute()) == 3 * 40 * 50
