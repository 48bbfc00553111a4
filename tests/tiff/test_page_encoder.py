"""Encoded pages: pyramids, and large planes read in bands."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels
from napari_ferry import Image, InvalidImageError, imload, imsave, plan, run
from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.saving.page_encoder import halve
from tiff_files import smooth

# Pyramids


@pytest.mark.parametrize("compression", ["none", "zlib"])
@pytest.mark.parametrize(
    ("shape", "axes", "dtype"),
    [
        ((2, 1500, 2101), "tyx", "uint16"),
        ((1201, 1100, 3), "yxs", "uint8"),
        ((1030, 1200), "yx", "float32"),
    ],
)
def test_a_pyramid_is_made_of_means(
    shape: tuple[int, ...], axes: str, dtype: str, compression: str, tmp_path: Path
) -> None:
    array = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    image = Image.from_array(array, axes)
    (path,) = imsave(image, tmp_path / "p.ome.tif", compression=compression, pyramid=True)
    with tifffile.TiffFile(path) as tif:
        levels = [level.asarray() for level in tif.series[0].levels]
    assert_same_pixels(levels[0], array)

    assert len(levels) > 1
    y = axes.index("y")
    for above, below in itertools.pairwise(levels):
        expected = mean_of_four(above, y)
        expected = np.floor(expected + 0.5) if dtype != "float32" else expected
        np.testing.assert_allclose(below, expected, atol=1e-3)
    (found,) = imload(path)
    assert_same_pixels(found.array, array)
    assert [level.shape for level in found.levels] == [level.shape for level in levels]
    assert_same_pixels(found.levels[-1], levels[-1])


def mean_of_four(array: np.ndarray, y: int) -> np.ndarray:
    """Return the means of 2 x 2 blocks, with repeated edges of odd sides."""
    odd = [(0, array.shape[k] % 2 if k in (y, y + 1) else 0) for k in range(array.ndim)]
    even = np.pad(array.astype(np.float64), odd, mode="edge")
    lead = (slice(None),) * y
    parts = [even[(*lead, slice(i, None, 2), slice(j, None, 2))] for i in (0, 1) for j in (0, 1)]
    return np.mean(parts, axis=0)


def test_labels_are_not_averaged(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (1100, 1300)).astype(np.int32)
    image = Image.from_array(labels, "yx", kind="labels")
    (path,) = imsave(image, tmp_path / "l.ome.tif", pyramid=True)
    with tifffile.TiffFile(path) as tif:
        np.testing.assert_array_equal(tif.series[0].levels[1].asarray(), labels[::2, ::2])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int32", "float32", "complex64"])
def test_means_do_not_overflow(dtype: str) -> None:
    top = np.dtype(dtype)
    value = 1e30 if top.kind in "fc" else np.iinfo(top).max
    full = np.full((5, 7), value, top)
    assert_same_pixels(halve(full, is_labels=False), full[:3, :4])


def test_large_planes_get_a_pyramid_by_themselves(tmp_path: Path) -> None:
    large = Image.from_array(smooth((4200, 4200), "uint8"), "yx")
    for name, n in (("a.ome.tif", 4), ("a.tif", 1)):
        (path,) = imsave(large, tmp_path / name)
        with tifffile.TiffFile(path) as tif:
            assert len(tif.series[0].levels) == n
        assert_same_pixels(imload(path)[0].array, large.array)
    (path,) = imsave(large, tmp_path / "b.ome.tif", pyramid=False)
    with tifffile.TiffFile(path) as tif:
        assert len(tif.series[0].levels) == 1
        assert tif.pages[0].is_tiled


def test_line_scans_remain_small(tmp_path: Path) -> None:
    lines = smooth((100, 1, 5000), "uint8")
    (path,) = imsave(lines, tmp_path / "line.ome.tif")
    assert path.stat().st_size < 2 * lines.nbytes


@pytest.mark.parametrize("shape", [(12, 5000, 1), (1025, 1), (1, 3000), (3, 17, 2100)])
@pytest.mark.parametrize("compression", ["none", "zlib", "lzw"])
def test_narrow_pyramids_are_not_larger_than_planned(
    shape: tuple[int, ...], compression: str, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    options: dict[str, Any] = {"pyramid": True, "compression": compression}
    planned = plan(noise, tmp_path / "a.ome.tif", **options)
    (path,) = run(planned)
    assert path.stat().st_size <= planned.nbytes
    (found,) = imload(path)
    assert_same_pixels(found.array, noise)
    cap = planned.nbytes / 3e9 + 3e-6
    if len(shape) > 2:
        made = imsave(noise, tmp_path / "c.ome.tif", size_cap=cap, **options)
        assert all(part.stat().st_size <= cap * 1e9 for part in made)
        assert_same_pixels(imload(made[-1])[0].array, noise)


@pytest.mark.parametrize("kind", ["frames", "dask"])
def test_no_chunk_of_large_frames_is_read_twice(kind: str, tmp_path: Path) -> None:
    """Frames of 24 MB are encoded in bands, and decoded once."""
    import dask.array

    reads: list[int] = []

    def read(i: int) -> np.ndarray:
        reads.append(i)
        return np.full((3000, 4000), i, np.uint16)

    array: Any = Frames(read, (3, 3000, 4000), np.uint16, 1)
    if kind == "dask":
        blocks = [
            dask.array.from_delayed(dask.delayed(read)(i), (3000, 4000), np.uint16)
            for i in range(3)
        ]
        array = dask.array.stack(blocks)
    image = Image.from_array(array, "tyx")
    (path,) = imsave(image, tmp_path / "a.ome.tif", compression="zstd", pyramid=True)
    assert sorted(reads) == [0, 1, 2]
    assert_same_pixels(np.asarray(imload(path)[0].levels[1])[:, 5, 5], np.array([0, 1, 2], "u2"))


def test_a_pyramid_remains_a_pyramid(tmp_path: Path) -> None:
    full = smooth((1500, 1600))
    image = replace(Image.from_array(full, "yx"), levels=(full, full[::2, ::2]))
    planned = plan(image, tmp_path / "p.ome.tif")
    assert any("recomputed by halving" in loss for loss in planned.losses)
    (found,) = imload(run(planned)[0])
    assert len(found.levels) == 2
    assert any("left out" in loss for loss in plan(image, tmp_path / "p.tif").losses)


def test_a_pyramid_of_an_unsupported_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="int64"):
        imsave(smooth((1500, 1600), "int64"), tmp_path / "p.tif", pyramid=True)


def test_large_planes_are_read_in_bands(tmp_path: Path) -> None:
    """A plane of 40 MB is never asked for as a whole."""
    asked: list[int] = []

    class Bands:
        shape, dtype, ndim = (4000, 5000), np.dtype(np.uint16), 2

        def __getitem__(self, key: Any) -> np.ndarray:
            rows = range(*key[0].indices(4000))
            asked.append(len(rows))
            return np.broadcast_to(np.uint16(rows.start // 7), (len(rows), 5000))

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            raise AssertionError("the whole was read")

    (path,) = imsave(Image.from_array(Bands(), "yx"), tmp_path / "p.ome.tif", compression="zlib")
    assert max(asked) * 5000 * 2 <= 16 << 20
    assert sum(asked) == 4000
    with tifffile.TiffFile(path) as tif:
        assert len(tif.series[0].levels) == 4
