"""TIFF files with encoded pages: compressed, tiled, with a pyramid, capped at their real size."""

from __future__ import annotations

import itertools
import json
import pickle  # noqa: TID251 - our own
from dataclasses import replace
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
    pixels,
)
from napari_ferry import (
    FerryError,
    Image,
    InvalidImageError,
    Progress,
    SaveCancelledError,
    SaveError,
    TargetExistsError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.saving.page_encoder import halve

COMPRESSIONS = ("zlib", "zstd", "lzw")
DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def smooth(shape: tuple[int, ...], dtype: Any = "uint16") -> np.ndarray:
    """Return highly compressible pixels."""
    return (np.arange(np.prod(shape)).reshape(shape) // 7 % 200).astype(dtype)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", ["none", *COMPRESSIONS])
@pytest.mark.parametrize("axes", ["yx", "tyx", "tczyx", "cztyx", "yxs", "tyxs"])
def test_everything_comes_back(compression: str, axes: str, suffix: str, tmp_path: Path) -> None:
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
def test_any_array_comes_back(
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


@pytest.mark.parametrize("value", ["gzip", "", None, 5, True])
def test_an_unknown_compression_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match="choose one of none, zlib, zstd, lzw"):
        imsave(make_image("tyx"), tmp_path / "a.tif", compression=value)


def test_a_rarely_supported_compression_is_reported(tmp_path: Path) -> None:
    losses = plan(make_image("tyx"), tmp_path / "a.tif", compression="zstd").losses
    assert any("zstd" in loss for loss in losses)
    assert not plan(make_image("tyx"), tmp_path / "a.tif", compression="zlib").losses


# Size caps


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_parts_are_as_large_as_the_cap_lets_them(
    compression: str, suffix: str, tmp_path: Path
) -> None:
    image = replace(make_full_image("tczyx"), levels=(pixels((3, 2, 4, 50, 60)) % 1000,))
    made = imsave(image, tmp_path / f"cells{suffix}", compression=compression, size_cap=5e-5)
    assert len(made) > 1
    assert [path.name for path in made] == [f"cells_{i:05d}{suffix}" for i in range(len(made))]
    assert names(tmp_path) == [path.name for path in made]
    sizes = [path.stat().st_size for path in made]
    assert max(sizes) <= 50_000
    frame = max(sizes) / max(len(tifffile.TiffFile(path).pages) for path in made)
    assert min(sizes[:-1]) > 50_000 - 3 * frame, "a part has room for more frames"


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", ["none", *COMPRESSIONS])
def test_any_part_gives_the_whole(compression: str, suffix: str, tmp_path: Path) -> None:
    image = replace(make_full_image("tczyx"), levels=(pixels((3, 2, 4, 50, 60)),))
    made = imsave(image, tmp_path / f"cells{suffix}", compression=compression, size_cap=8e-5)
    assert len(made) > 1
    for path in made:
        (found,) = imload(path)
        assert_same_image(found, image)
        with tifffile.TiffFile(path) as tif:
            assert tif.is_ome
            np.testing.assert_array_equal(tif.asarray(), image.array)


@pytest.mark.parametrize("dtype", ["uint16", "int64"])
def test_what_fits_in_one_file_after_all_is_called_so(dtype: str, tmp_path: Path) -> None:
    flat = np.zeros((20, 100, 100), dtype)
    planned = plan(flat, tmp_path / "flat.tif", compression="zlib", size_cap=2e-4)
    assert len(planned.files) > 1
    assert run(planned) == [tmp_path / "flat.tif"]
    assert names(tmp_path) == ["flat.tif"]
    assert_same_pixels(imload(tmp_path / "flat.tif")[0].array, flat)
    with pytest.raises(TargetExistsError):
        run(planned)
    assert run(planned, overwrite=True) == [tmp_path / "flat.tif"]


def test_a_series_and_a_single_file_replace_each_other(tmp_path: Path) -> None:
    options: dict[str, Any] = {"compression": "zlib", "size_cap": 6e-5, "overwrite": True}
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    for data, count in ((noise, 5), (np.zeros_like(noise), 1), (noise, 5)):
        made = imsave(data, tmp_path / "a.tif", **options)
        assert (len(made) == 1) == (count == 1)
        assert names(tmp_path) == [path.name for path in made]
        assert_same_pixels(imload(made[0])[0].array, data)


def test_a_foreign_file_that_appears_during_a_save_is_kept(tmp_path: Path) -> None:
    """Appears under the name of an unused part, and of a used one."""
    flat = np.zeros((40, 100, 100), np.uint16)
    for name, raises in (("a_00003.tif", False), ("a.tif", True)):
        stranger = tmp_path / name

        def appear(_: Progress, stranger: Path = stranger) -> None:
            stranger.write_bytes(b"mine")

        options: dict[str, Any] = {"compression": "zlib", "size_cap": 1e-4, "progress": appear}
        if raises:
            with pytest.raises(TargetExistsError, match=stranger.name):
                imsave(flat, tmp_path / "a.tif", **options)
        else:
            imsave(flat, tmp_path / "a.tif", **options)
        assert stranger.read_bytes() == b"mine"
        for path in tmp_path.iterdir():
            path.unlink()


def test_a_link_is_replaced_by_a_series_and_what_it_points_at_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (real,) = imsave(smooth((3, 4)), tmp_path / "real" / "r.tif")
    before = real.read_bytes()
    (tmp_path / "a.tif").symlink_to(real)
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    made = imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert real.read_bytes() == before
    assert names(tmp_path) == sorted([*(path.name for path in made), "real"])


def test_a_cap_without_room_for_the_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"describe the whole .* raise the cap"):
        plan(np.zeros((8000, 32, 32), "u2"), tmp_path / "a.tif", compression="zlib", size_cap=1e-6)


def test_large_files_are_not_imagej_hyperstacks(tmp_path: Path) -> None:
    movie = np.broadcast_to(np.zeros((), np.uint16), (1500, 1024, 1024))
    planned = plan(movie, tmp_path / "a.tif", compression="lzw", size_cap=None)
    assert json.loads(planned.identity)[0] == "ome"


def test_types_that_ome_does_not_know_are_capped_too(tmp_path: Path) -> None:
    image = replace(make_full_image("tczyx", "int64"), levels=(pixels((3, 2, 4, 50, 60), "i8"),))
    made = imsave(image, tmp_path / "cells.tif", compression="zlib", size_cap=2e-4)
    assert len(made) > 1
    for path in (made[0], made[-1]):
        assert_same_image(imload(path)[0], image)


def test_each_image_begins_a_part_of_its_own(tmp_path: Path) -> None:
    images = [
        replace(make_full_image("tyx"), levels=(pixels((6, 80, 90)),), name="cells"),
        replace(make_full_image("tyx", "int32", "labels"), levels=(smooth((6, 80, 90), "i4"),)),
    ]
    made = imsave(images, tmp_path / "both.ome.tif", compression="lzw", size_cap=7e-5)
    for path in made:
        found = imload(path)
        assert [image.kind for image in found] == ["image", "labels"]
        for a, b in zip(found, images, strict=True):
            assert_same_image(a, b)


def test_a_frame_larger_than_the_cap_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (3, 200, 200)).astype(np.uint16)
    with pytest.raises(SaveError, match=r"Frame 0 needs .* raise the cap"):
        imsave(noise, tmp_path / "noise.tif", compression="zlib", size_cap=5e-5)
    assert not names(tmp_path)


def test_a_shorter_series_replaces_a_longer_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    first = imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5)
    flat = np.zeros_like(noise)
    with pytest.raises(TargetExistsError):
        imsave(flat, tmp_path / "a.tif", compression="zlib", size_cap=6e-5)
    made = imsave(flat, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert len(made) < len(first)
    assert names(tmp_path) == [path.name for path in made]
    assert_same_pixels(imload(made[0])[0].array, flat)


def test_a_foreign_file_with_the_name_of_a_part_is_kept(tmp_path: Path) -> None:
    stranger = tmp_path / "a_00001.tif"
    tifffile.imwrite(stranger, smooth((5, 6)))
    before = stranger.read_bytes()
    noise = np.random.default_rng(0).integers(0, 65535, (9, 100, 100)).astype(np.uint16)
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(noise, tmp_path / "a.tif", compression="zlib", size_cap=6e-5, overwrite=True)
    assert stranger.read_bytes() == before
    assert names(tmp_path) == ["a_00001.tif"]


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


def test_line_scans_stay_small(tmp_path: Path) -> None:
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


def test_a_source_that_gives_another_shape_is_named(tmp_path: Path) -> None:
    class Short:
        shape, dtype, ndim = (4, 50, 60), np.dtype(np.uint16), 3

        def __getitem__(self, key: Any) -> np.ndarray:
            return np.zeros((1, 50, 60), np.uint16)

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return np.zeros(self.shape, np.uint16)

    with pytest.raises(SaveError, match=r"it returned shape \(1, 50, 60\)"):
        imsave(Image.from_array(Short(), "tyx"), tmp_path / "a.tif", compression="zlib")


def test_a_pyramid_stays_one(tmp_path: Path) -> None:
    full = smooth((1500, 1600))
    image = replace(Image.from_array(full, "yx"), levels=(full, full[::2, ::2]))
    planned = plan(image, tmp_path / "p.ome.tif")
    assert any("recomputed by halving" in loss for loss in planned.losses)
    (found,) = imload(run(planned)[0])
    assert len(found.levels) == 2
    assert any("left out" in loss for loss in plan(image, tmp_path / "p.tif").losses)


def test_a_pyramid_of_a_strange_type_is_refused(tmp_path: Path) -> None:
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


# The file beside


def test_a_metadata_file(tmp_path: Path) -> None:
    image = make_full_image("tczyx")
    made = imsave(image, tmp_path / "cells.ome.tif", metadata_json=True)

    assert [path.name for path in made] == ["cells.ome.tif", "cells.json"]
    said = json.loads(made[1].read_text("utf-8"))
    assert said["axes"] == "TCZYX"
    assert (said["PhysicalSizeX"], said["PhysicalSizeXUnit"]) == (0.65, "µm")
    assert (said["TimeIncrement"], said["TimeIncrementUnit"]) == (0.5, "s")
    assert said["Channel"]["Name"] == ["GFP", "µ, 赤"]
    assert said["record"]["metadata"]["laser"] == [488, 561]
    imsave(image, tmp_path / "cells.ome.tif", metadata_json=True, overwrite=True)
    for foreign in ('{"images": ["a"]}', "[1]", '{"images": 3}'):
        (tmp_path / "m.json").write_text(foreign)
        with pytest.raises(TargetExistsError, match="not part of the data set"):
            imsave(image, tmp_path / "m.tif", metadata_json=True, overwrite=True)
    both = imsave([image, make_image("tyx")], tmp_path / "b.tif", metadata_json=True)
    assert len(json.loads(both[1].read_text("utf-8"))["images"]) == 2


def test_a_foreign_metadata_file_is_kept(tmp_path: Path) -> None:
    imsave(make_image("tyx"), tmp_path / "cells.bin")
    before = (tmp_path / "cells.json").read_bytes()
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(make_image("tyx"), tmp_path / "cells.tif", metadata_json=True, overwrite=True)
    assert (tmp_path / "cells.json").read_bytes() == before
    assert not (tmp_path / "cells.tif").exists()


def test_notes_in_a_metadata_file_are_read(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "earlier-systems" / "ams_bp" / "ts2"
    (found,) = imload(source / "Cell_Movie_001.ome.tiff")
    assert found.metadata["notes"] == "Not implimented"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    other = (tmp_path / "metadata.json").read_text().replace("6.5e-08", "1.1e-07")
    (tmp_path / "metadata.json").write_text(other)
    (found,) = imload(tmp_path / "Cell_Movie_001.ome.tiff")
    assert "notes" not in found.metadata, "the notes of another movie"
