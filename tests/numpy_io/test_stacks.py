"""numpy in, numpy out: what CalSciPy's page on loading and saving promises, and its traps."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import tifffile
import xarray

from faults import run_python
from helpers import assert_same_pixels, make_full_image, pixels, snapshot
from napari_ferry import (
    Axis,
    Image,
    imload,
    imsave,
    load_binary,
    load_images,
    save_binary,
    save_images,
)
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    InvalidImageError,
    MissingMetadataError,
    TargetError,
    TargetExistsError,
    UnreadableFileError,
    UnsupportedFormatError,
)

STACK = pixels((6, 12, 16))
DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files() -> list[str]:
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


# --- the page, sentence by sentence


def test_a_single_image() -> None:
    made = save_images("single_image.tif", STACK[0])
    assert made == [Path("single_image.tif")]
    assert_same_pixels(load_images("single_image.tif"), STACK[0])


def test_a_stack() -> None:
    save_images("imaging_stack.tif", STACK)
    found = load_images("imaging_stack.tif")
    assert type(found) is np.ndarray
    assert found.flags.writeable
    assert_same_pixels(found, STACK)


def test_images_that_are_left_out_are_counted() -> None:
    stack = np.zeros((4, 8, 9), "u2")
    imsave([Image.from_array(stack), Image.from_array(stack[:2, :5])], "two.tif")
    with pytest.warns(FerryWarning, match=r"two\.tif holds 2 images, and only the first"):
        assert load_images("two.tif").shape == stack.shape


def test_an_entire_folder_of_stacks() -> None:
    for i, n in ((1, 0), (2, 2), (10, 4)):
        tifffile.imwrite(
            _in("imaging_folder") / f"stack_{i}.tif", STACK[n : n + 2], photometric="minisblack"
        )
    assert_same_pixels(load_images("imaging_folder"), STACK)


def _in(folder: str) -> Path:
    Path(folder).mkdir(exist_ok=True)
    return Path(folder)


def test_images_to_a_folder() -> None:
    assert save_images("desired_folder", STACK) == [Path("desired_folder/images.tif")]
    assert_same_pixels(load_images("desired_folder"), STACK)


def test_images_to_a_folder_with_a_name() -> None:
    made = save_images("desired_folder", STACK, name="example_images")
    assert made == [Path("desired_folder/example_images.tif")]
    assert_same_pixels(load_images("desired_folder"), STACK)


def test_a_stack_over_the_cap_is_split() -> None:
    assert inspect.signature(save_images).parameters["size_cap"].default == 3.9
    stack, cap = pixels((6, 100, 100)), 50e3 / 1e9
    made = save_images("desired_folder", stack, size_cap=cap)
    assert len(made) == 3
    assert [path.name for path in made] == [f"images_{i:05d}.tif" for i in range(len(made))]
    assert all(path.stat().st_size < cap * 1e9 for path in made)
    for target in ("desired_folder", made[0], made[-1]):
        assert_same_pixels(load_images(target), stack)


def test_binary_data_from_file_and_folder() -> None:
    assert save_binary("binary_file.bin", STACK) == [
        Path("binary_file.bin"),
        Path("binary_file.json"),
    ]
    assert_same_pixels(load_binary("binary_file.bin"), STACK)
    made = save_binary("desired_folder", STACK)
    assert [path.as_posix() for path in made] == [
        f"desired_folder/binary_video.{suffix}" for suffix in ("bin", "json")
    ]
    assert_same_pixels(load_binary("desired_folder"), STACK)
    save_binary("named_folder", STACK, name="example_binary")
    assert files()[-2:] == [f"named_folder/example_binary.{suffix}" for suffix in ("bin", "json")]
    assert_same_pixels(load_binary("named_folder"), STACK)


def test_memory_mapped_binary_data() -> None:
    save_binary("desired_folder", STACK)
    images = load_binary("desired_folder", mapped=True, mode="r")
    assert isinstance(images, np.memmap)
    assert_same_pixels(images, STACK)


def test_binary_data_with_missing_metadata() -> None:
    save_binary("desired_folder", np.arange(100 * 100 * 3).reshape(100, 100, 3))
    Path("desired_folder/binary_video.json").unlink()
    missing_metadata = {"frames": 100, "y": 100, "dtype": int}
    images = load_binary("desired_folder", missing_metadata=missing_metadata)
    assert images.shape == (100, 100, 3)
    assert images.dtype == int


# --- what the page does not say


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(12, 16), (6, 12, 16), (2, 3, 12, 16), (2, 1, 3, 12, 16)])
def test_values_are_never_changed(dtype: str, shape: tuple[int, ...]) -> None:
    data = pixels(shape, dtype)
    save_images("a.tif", data)
    assert_same_pixels(load_images("a.tif"), data)
    save_binary("a.bin", data)
    assert_same_pixels(load_binary("a.bin"), data)


@pytest.mark.parametrize("name", ["exp_1.5um", "a.b.c", "exp 1", "x.tif", "µ-1", "1.0", "a.json"])
def test_names_with_dots_stay_whole(name: str) -> None:
    (tif,) = save_images("folder", STACK, name)
    assert tif.name == (name if name.endswith(".tif") else f"{name}.tif")
    made = save_binary("folder", STACK, name)
    assert made[0].name == f"{name}.bin"
    assert files() == sorted(path.as_posix() for path in (tif, *made))
    assert_same_pixels(load_images(tif), STACK)
    assert_same_pixels(load_binary(made[0]), STACK)
    if name != tif.name:
        assert_same_pixels(load_binary(Path("folder") / name), STACK)


def test_two_names_that_differ_after_a_dot_are_two_files() -> None:
    save_binary("folder", STACK, "exp_1.5um")
    save_binary("folder", STACK[:2], "exp_1.7um")
    assert load_binary("folder/exp_1.5um.bin").shape == (6, 12, 16)
    assert load_binary("folder/exp_1.7um.bin").shape == (2, 12, 16)


def test_a_folder_may_have_a_dot_and_be_deep() -> None:
    assert save_images("2024.05.19/run 1", STACK) == [Path("2024.05.19/run 1/images.tif")]
    assert save_binary(Path("new.folder"), STACK)[0] == Path("new.folder/binary_video.bin")
    assert_same_pixels(load_images("2024.05.19/run 1"), STACK)
    assert_same_pixels(load_binary("new.folder"), STACK)


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIF", ".ome.tif", ".ome.tiff", ".OME.TIF"])
def test_any_spelling_of_tiff(suffix: str) -> None:
    assert save_images(f"sub/a{suffix}", STACK) == [Path(f"sub/a{suffix}")]
    assert_same_pixels(load_images(f"sub/a{suffix}"), STACK)
    assert_same_pixels(load_images(str(Path(f"sub/a{suffix}").absolute())), STACK)


@pytest.mark.parametrize("suffix", [".bin", ".raw", ".dat", ".BIN"])
def test_any_spelling_of_binary(suffix: str) -> None:
    assert save_binary(f"sub/a{suffix}", STACK)[0] == Path(f"sub/a{suffix}")
    assert_same_pixels(load_binary(f"sub/a{suffix}"), STACK)


def test_a_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    save_images("~/a.tif", STACK)
    save_binary("~/b", STACK)
    assert files() == ["a.tif", "b/binary_video.bin", "b/binary_video.json"]
    assert_same_pixels(load_images("~/a.tif"), STACK)
    assert_same_pixels(load_binary("~/b"), STACK)


@pytest.mark.parametrize("save", [save_images, save_binary])
@pytest.mark.parametrize("target", ["folder", "folder/a"])
def test_nothing_is_replaced_unasked(save: Any, target: str) -> None:
    suffix = "" if target == "folder" else {save_images: ".tif", save_binary: ".bin"}[save]
    save(target + suffix, STACK)
    before = snapshot(Path())
    with pytest.raises(TargetExistsError, match="would be replaced"):
        save(target + suffix, STACK[:2])
    assert snapshot(Path()) == before
    save(target + suffix, STACK[:2], overwrite=True)
    assert snapshot(Path()).keys() == before.keys()
    assert imload("folder")[0].shape == (2, 12, 16)


@pytest.mark.parametrize("save", [save_images, save_binary])
@pytest.mark.parametrize("images", [np.zeros((0, 3, 4)), np.zeros(5), np.array(["a"]), "a", None])
def test_what_is_no_image_makes_no_folder(save: Any, images: Any) -> None:
    with pytest.raises(InvalidImageError):
        save("new/deep/folder", images)
    assert not list(Path().iterdir())


def test_a_cap_below_one_frame_makes_no_folder() -> None:
    with pytest.raises(InvalidImageError, match="raise the cap"):
        save_images("new", STACK, size_cap=1e-7)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("images", [
    STACK.tolist(),
    dask.array.from_array(STACK, chunks=(4, 5, 16)),
    xarray.DataArray(STACK, dims=("t", "y", "x")),
    STACK[:, ::-1],
], ids=lambda images: type(images).__name__)  # fmt: skip
def test_other_arrays_are_saved_or_refused(images: Any) -> None:
    try:
        save_images("a.tif", images)
    except InvalidImageError:
        assert isinstance(images, list)
    else:
        assert_same_pixels(load_images("a.tif"), np.asarray(images))


def test_an_image_keeps_its_words() -> None:
    image = make_full_image("tzyx")
    save_images("a", image)
    save_binary("b", image)
    for folder in "ab":
        (found,) = imload(folder)
        assert (found.name, found.axes) == (image.name, image.axes)


@pytest.mark.parametrize("workers", [None, 1, 4])
def test_threads_decode_the_same(workers: int | None) -> None:
    tifffile.imwrite("a.tif", STACK, compression="zlib", photometric="minisblack")
    assert_same_pixels(load_images("a.tif", workers=workers), STACK)


def test_colors_stay_in_order() -> None:
    data = pixels((3, 12, 16, 3), "uint8")
    tifffile.imwrite("a.tif", data, photometric="rgb")
    assert_same_pixels(load_images("a.tif"), data)


@pytest.mark.parametrize("load", [load_images, load_binary])
def test_what_is_not_there_is_said(load: Any) -> None:
    with pytest.raises(UnreadableFileError, match="is not there"):
        load("nothing.tif")
    _in("empty")
    with pytest.raises(FerryError, match="empty"):
        load("empty")


def test_a_file_is_not_taken_for_another() -> None:
    save_binary("a.bin", STACK)
    with pytest.raises(FerryError):
        load_binary("a.tif")
    Path("a.json").unlink()
    with pytest.raises(MissingMetadataError):
        load_binary("a.bin")


# --- what is passed wrongly

FOREIGN_HOME = "~nobody_of_this_name/a.tif"
LONG = "a" * 300 + ".tif"
RAW = {"dtype": "uint16", "y": 12, "x": 16}


@pytest.mark.parametrize("path", [FOREIGN_HOME, LONG, "a\0.tif"])
@pytest.mark.parametrize("load", [imload, load_images, load_binary])
def test_a_path_that_cannot_be_is_refused(load: Any, path: str) -> None:
    with pytest.raises(UnreadableFileError):
        load(path)


@pytest.mark.parametrize("path", [FOREIGN_HOME, LONG, "a\0.tif", f"{LONG}/a.tif"])
@pytest.mark.parametrize("save", [save_images, save_binary, lambda path, a: imsave(a, path)])
def test_nothing_is_saved_to_a_path_that_cannot_be(save: Any, path: str) -> None:
    path = path if save is not save_binary else path.replace(".tif", ".bin")
    with pytest.raises(TargetError):
        save(path, STACK)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("path", [None, 3, b"a.tif"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    for call in (imload, load_binary, lambda p: save_images(p, STACK), lambda p: imsave(STACK, p)):
        with pytest.raises(InvalidImageError, match="not a path"):
            call(path)


@pytest.mark.parametrize("save", [save_images, save_binary])
def test_a_file_is_no_folder(save: Any) -> None:
    Path("file.txt").write_text("words")
    for target in ("file.txt", "file.txt/deep"):
        with pytest.raises(TargetError, match="is a file"):
            save(target, STACK)
    assert files() == ["file.txt"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a place where no folder can be made")
def test_a_folder_that_cannot_be_made_is_said() -> None:
    with pytest.raises(TargetError, match="/proc/foo"):
        save_images("/proc/foo/x.tif", STACK)


_AS_NOBODY = """
import os, sys
import numpy as np
import napari_ferry as nf
A = np.zeros((2, 3, 4), "u2")
for suffix in ("tif", "bin"):  # nobody may not import what is needed
    nf.imsave(A, f"warm.{suffix}")
    nf.imload(f"warm.{suffix}")
os.setuid(65534)
for call in (
    lambda: nf.imload("closed"), lambda: nf.imload("closed/a.tif"), lambda: nf.imload("a.tif"),
    lambda: nf.load_binary("closed"), lambda: nf.load_binary("closed/a"),
    lambda: nf.load_images("closed"), lambda: nf.load_binary("a.bin"),
):
    try:
        call()
    except nf.UnreadableFileError as error:
        assert "permission" in str(error).lower(), error
    else:
        raise AssertionError("it was read")
for call in (
    lambda: nf.save_images("ro/new", A), lambda: nf.save_binary("ro/new", A),
    lambda: nf.save_images("closed/new", A), lambda: nf.imsave(A, "closed/a.tif"),
    lambda: nf.imsave(A, "ro/a.tif"),
):
    try:
        call()
    except nf.TargetError:
        continue
    raise AssertionError("it was written")
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be nobody")
def test_what_may_not_be_touched_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in ("closed", "ro"):
        save_images(f"{folder}/a.tif", STACK)
        save_binary(f"{folder}/a.bin", STACK)
    save_images("a.tif", STACK)
    save_binary("a.bin", STACK)
    for path, mode in (("closed", 0o700), ("ro", 0o755), ("a.tif", 0o600), ("a.bin", 0o600)):
        Path(path).chmod(mode)
    for parent in tmp_path.parents[:-2]:
        parent.chmod(0o755)
    status, _, err = run_python(_AS_NOBODY)
    assert status == 0, err


@pytest.mark.parametrize("name", ["../esc", "/tmp/abs", "a/b", "a\\b", "a\0", 3, ["a"]])
@pytest.mark.parametrize("save", [save_images, save_binary])
def test_a_name_does_not_leave_its_folder(save: Any, name: Any) -> None:
    with pytest.raises(InvalidImageError, match="name"):
        save("folder", STACK, name=name)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("workers", [0, -1, "a", 1.5, True])
def test_a_number_of_threads_that_cannot_be_is_refused(workers: Any) -> None:
    with pytest.raises(InvalidImageError, match="workers"):
        imsave(STACK, "a.tif", workers=workers)
    assert not list(Path().iterdir())
    save_images("a.tif", STACK)
    with pytest.raises(InvalidImageError, match="workers"):
        load_images("a.tif", workers=workers)


@pytest.mark.parametrize("metadata", [[1], "uint16", 3])
def test_metadata_that_are_no_mapping_are_refused(metadata: Any) -> None:
    save_binary("a.bin", STACK)
    assert_same_pixels(load_binary("a.bin", missing_metadata=RAW), STACK)
    with pytest.raises(InvalidImageError, match="missing_metadata"):
        load_binary("a.bin", missing_metadata=metadata)


@pytest.mark.parametrize("axes", [3, [1, 2, 3], b"tyx"])
def test_axes_that_are_no_names_are_refused(axes: Any) -> None:
    save_images("a.tif", STACK)
    with pytest.raises(InvalidImageError, match="axes"):
        imload("a.tif", axes=axes)
    with pytest.raises(InvalidImageError, match="axes"):
        Image.from_array(STACK, axes)


@pytest.mark.parametrize(
    "words", [("t", "a"), ("t", None), ("t", 1.0, 5), (3,), ("t", 1, "s", "b")]
)
def test_an_axis_of_wrong_types_is_refused(words: Any) -> None:
    with pytest.raises(InvalidImageError, match="axis"):
        Axis(*words)


@pytest.mark.parametrize(
    ("units", "rate"), [("s", 50), ("seconds", 50), ("ms", 50_000), ("px", None), (None, None)]
)
def test_the_units_of_a_coordinate_are_those_of_its_axis(units: str | None, rate: float) -> None:
    t = ("t", np.arange(len(STACK)) * 0.02, {"units": units})
    image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.frame_rate == (rate and pytest.approx(rate))


def test_unknown_units_of_a_coordinate_are_left_out_with_a_warning() -> None:
    t = ("t", np.arange(len(STACK)) * 2.0, {"units": "seconds since 2000-01-01"})
    with pytest.warns(FerryWarning, match="coordinate t has the unit 'seconds since.*not known"):
        image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.axis("t") == Axis("t", 2.0)


def test_a_sidecar_stands_for_its_raw_file() -> None:
    save_binary("rec.bin", STACK)
    assert_same_pixels(imload("rec.json")[0].array, STACK)
    Path("other.json").write_text("[1, 2]")
    with pytest.raises(UnsupportedFormatError):
        imload("other.json")


def test_nothing_is_no_image() -> None:
    with pytest.raises(InvalidImageError, match="nothing to save"):
        imsave([], "x.tif")


@pytest.mark.parametrize("lazy", [False, True])
def test_masked_pixels_are_refused(lazy: bool) -> None:
    masked = np.ma.masked_less(STACK, 3)
    with pytest.raises(InvalidImageError, match="filled"):
        save_images("a.tif", dask.array.from_array(masked) if lazy else masked)
    save_images("a.tif", masked.filled(0))


def test_an_unknown_length_is_refused() -> None:
    array = dask.array.from_array(STACK)
    with pytest.raises(InvalidImageError, match="compute_chunk_sizes"):
        save_images("a.tif", array[array[:, 0, 0] > 0])
    assert not list(Path().iterdir())
