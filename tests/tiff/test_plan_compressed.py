"""Plans for compressed TIFF files."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from faults import names
from helpers import (
    assert_same_image,
    assert_same_pixels,
    make_full_image,
    make_image,
    make_sources,
    make_unreadable,
)
from napari_ferry import (
    FerryError,
    Image,
    InvalidImageError,
    Progress,
    SaveCancelledError,
    SaveError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.arrays import Frames
from tiff_files import COMPRESSIONS, smooth

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", ["none", *COMPRESSIONS])
@pytest.mark.parametrize("axes", ["yx", "tyx", "tczyx", "cztyx", "yxs", "tyxs"])
def test_images_are_read_back(compression: str, axes: str, suffix: str, tmp_path: Path) -> None:
    image = make_full_image(axes, "uint8" if "s" in axes else "uint16")
    (path,) = imsave(image, tmp_path / f"cells{suffix}", compression=compression)
    (found,) = imload(path)
    assert_same_image(found, image)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "float16", ">u2", ">f4"])
def test_every_type_is_read_by_tifffile(compression: str, dtype: str, tmp_path: Path) -> None:
    image = make_image("tyx", dtype)
    (path,) = imsave(image, tmp_path / "cells.tif", compression=compression)
    with tifffile.TiffFile(path) as tif:
        assert_same_pixels(tif.asarray(), np.asarray(image.array, tif.series[0].dtype))
        assert tif.pages[0].compression.name.lower() in ("adobe_deflate", "zstd", "lzw")
    (found,) = imload(path)
    assert_same_pixels(found.array, image.array)


@pytest.mark.parametrize("axes", ["tyx", "tczyx"])
def test_every_kind_of_source_can_be_compressed(axes: str, tmp_path: Path) -> None:
    data = make_image(axes).array
    for kind, source in make_sources(np.asarray(data), tmp_path).items():
        for name in ("a.tif", "a.ome.tif"):
            path = imsave(
                Image.from_array(source, axes), tmp_path / name, compression="zlib", overwrite=True
            )[0]
            (found,) = imload(path)
            assert found.axis_names == tuple(axes), kind
            assert_same_pixels(found.array, data)


@given(
    array=hnp.arrays(
        st.sampled_from(["uint8", "uint16", "int16", "float32"]),
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=9),
    ),
    compression=st.sampled_from(COMPRESSIONS),
    pyramid=st.sampled_from([None, True]),
    cap=st.sampled_from([None, 3e-5]),
)
def test_any_array_is_read_back_unchanged(
    array: np.ndarray,
    compression: str,
    pyramid: bool | None,
    cap: float | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    options = {"compression": compression, "pyramid": pyramid, "size_cap": cap}
    made = imsave(array, folder / "a.tif", **options)
    (found,) = imload(made[0])
    assert_same_pixels(found.array, array)


def test_a_plan_reads_no_pixels_and_can_be_pickled(tmp_path: Path) -> None:
    image = Image.from_array(make_unreadable((3, 5, 6)))
    planned = plan(image, tmp_path / "a.tif", compression="zlib")
    assert planned.source_bytes == 3 * 5 * 6 * 2
    image = make_image("tyx")
    planned = pickle.loads(pickle.dumps(plan(image, tmp_path / "a.tif", compression="zlib")))
    (path,) = run(planned)
    assert path.stat().st_size <= planned.nbytes
    assert_same_pixels(imload(path)[0].array, image.array)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_no_file_is_larger_than_planned(compression: str, tmp_path: Path) -> None:
    noise = np.frombuffer(np.random.default_rng(0).bytes(99_000), "u1").reshape(11, 90, 100)
    planned = plan(noise, tmp_path / "noise.ome.tif", compression=compression)
    (path,) = run(planned)
    assert path.stat().st_size <= planned.nbytes


@pytest.mark.parametrize("value", ["gzip", "", None, 5])
def test_an_unknown_compression_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="choose one of none, zlib, zstd, lzw"):
        imsave(make_image("tyx"), tmp_path / "a.tif", compression=value)


def test_a_rarely_supported_compression_is_reported(tmp_path: Path) -> None:
    losses = plan(make_image("tyx"), tmp_path / "a.tif", compression="zstd").losses
    assert any("zstd" in loss for loss in losses)
    assert not plan(make_image("tyx"), tmp_path / "a.tif", compression="zlib").losses


def test_a_source_that_gives_another_shape_is_named(tmp_path: Path) -> None:
    class Short:
        shape, dtype, ndim = (4, 50, 60), np.dtype(np.uint16), 3

        def __getitem__(self, key: Any) -> np.ndarray:
            return np.zeros((1, 50, 60), np.uint16)

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return np.zeros(self.shape, np.uint16)

    with pytest.raises(SaveError, match=r"it returned shape \(1, 50, 60\)"):
        imsave(Image.from_array(Short(), "tyx"), tmp_path / "a.tif", compression="zlib")


# Faults


def failing(at: int) -> Frames:
    def read(i: int) -> np.ndarray:
        if i == at:
            raise OSError(5, "Input/output error")
        return smooth((200, 300))

    return Frames(read, (400, 200, 300), np.uint16, 1)


@pytest.mark.parametrize("cap", [None, 1e-4])
def test_a_source_that_fails_leaves_the_old_file(cap: float | None, tmp_path: Path) -> None:
    options = {"compression": "zlib", "size_cap": cap}
    (old,) = imsave(smooth((3, 4)), tmp_path / ("a.tif" if cap is None else "a_00000.tif"))
    before = old.read_bytes()
    with pytest.raises(FerryError):
        imsave(failing(250), tmp_path / "a.tif", overwrite=True, **options)
    assert old.read_bytes() == before
    assert names(tmp_path) == [old.name]


@pytest.mark.parametrize("options", [{}, {"size_cap": 5e-4}, {"pyramid": True}])
def test_a_cancelled_save_leaves_nothing(options: dict[str, Any], tmp_path: Path) -> None:
    seen: list[Progress] = []
    with pytest.raises(SaveCancelledError):
        imsave(
            failing(-1),
            tmp_path / "a.tif",
            compression="zlib",
            progress=seen.append,
            cancel=lambda: len(seen) > 2,
            **options,
        )
    assert not names(tmp_path)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_frames_are_in_order_whatever_the_threads(workers: int, tmp_path: Path) -> None:
    movie = np.arange(60, dtype=np.uint16)[:, None, None] * np.ones((1, 300, 400), np.uint16)
    seen: list[Progress] = []
    (path,) = imsave(
        movie, tmp_path / "a.tif", compression="zstd", workers=workers, progress=seen.append
    )
    assert_same_pixels(imload(path)[0].array, movie)
    assert seen[-1].done == seen[-1].total == movie.nbytes
