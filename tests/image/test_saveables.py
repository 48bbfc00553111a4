"""Objects to save: arrays, sequences of frames, several images; and unsuitable objects."""

from __future__ import annotations

import pickle  # noqa: TID251 - frames are sent to other processes
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dask
import dask.array
import numpy as np
import pytest
import tifffile
import xarray
import zarr
from numpy.typing import NDArray

from helpers import assert_same_pixels, make_full_image, pixels
from napari_ferry import (
    FerryError,
    FerryWarning,
    Image,
    InvalidImageError,
    imload,
    imsave,
    load_binary,
    load_gif,
    load_images,
    load_video,
    plan,
    run,
    save_binary,
    save_gif,
    save_images,
    save_video,
)
from napari_ferry.arrays import Frames
from napari_ferry.image import as_images

GRAY = pixels((5, 12, 16), "uint8")
COLOR = pixels((5, 12, 16, 3), "uint8")
NAMES = ("a.tif", "a.ome.tif", "a.bin", "a.mkv", "a.gif")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class FramesOfOthers:
    """A sequence not registered as one, such as the readers of other packages."""

    def __init__(self, frames: Sequence[Any]) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: int) -> Any:
        return self.frames[i]


def mapped(stack: np.ndarray) -> list[np.ndarray]:
    np.save("frames.npy", stack)
    return list(np.load("frames.npy", mmap_mode="r"))


SEQUENCES: list[Callable[[np.ndarray], Any]] = [
    list,
    tuple,
    deque,
    FramesOfOthers,
    mapped,
    lambda stack: [dask.array.from_array(frame) for frame in stack],
    lambda stack: [zarr.array(frame) for frame in stack],
]


# --- frames


@pytest.mark.parametrize("make", SEQUENCES)
@pytest.mark.parametrize("stack", [GRAY, COLOR], ids=["gray", "color"])
def test_frames_of_one_shape_are_a_movie_in_every_function(
    make: Callable[[np.ndarray], Any], stack: np.ndarray
) -> None:
    save_images("a.tif", make(stack))
    assert_same_pixels(load_images("a.tif"), stack)
    save_binary("a.bin", make(stack))
    assert_same_pixels(load_binary("a.bin"), stack)
    save_gif("a.gif", make(stack), colors=256)
    assert_same_pixels(load_gif("a.gif"), stack)
    save_video("a.mkv", make(stack))
    assert_same_pixels(load_video("a.mkv"), stack)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stack", [GRAY, COLOR], ids=["gray", "color"])
def test_frames_are_planned_as_one_array_of_them(name: str, stack: np.ndarray) -> None:
    for planner in (plan, partial(plan, as_seen=False)):
        assert planner(list(stack), name).nframes == 5
    imsave(list(stack), name)
    (image,) = imload(name)
    assert image.axis_names == tuple("tyxs"[: stack.ndim])
    assert_same_pixels(image.array, stack)


@pytest.mark.parametrize("name", NAMES)
def test_one_frame_in_a_list_is_a_stack_of_one(name: str) -> None:
    imsave([GRAY[0]], name)
    assert imload(name)[0].shape == (1, 12, 16)


@pytest.mark.parametrize("dtype", ["float32", ">u2", "int8", "bool"])
@pytest.mark.parametrize("shape", [(3, 12, 16), (3, 12, 16, 4)])
def test_frames_of_any_type_are_preserved(dtype: str, shape: tuple[int, ...]) -> None:
    stack = pixels(shape, dtype)
    for name in ("a.tif", "a.bin"):
        imsave(list(stack), name)
        (image,) = imload(name)
        assert image.axis_names == tuple("tyxs"[: len(shape)])
        assert_same_pixels(np.asarray(image.array), stack)


def test_frames_are_neither_copied_nor_read_before_saving() -> None:
    frames = list(GRAY)
    (image,) = as_images(frames)
    assert isinstance(image.array, Frames)
    assert np.shares_memory(image.array[2], GRAY)
    assert not image.array[2].flags.writeable
    frames.clear()  # the caller may fill the list again
    assert_same_pixels(np.asarray(pickle.loads(pickle.dumps(image.array))), GRAY)
    unread = dask.array.from_delayed(dask.delayed(_never)(), (12, 16), "uint8")
    assert plan([unread, unread], "a.tif").nframes == 2


def _never() -> np.ndarray:
    raise AssertionError("a plan reads no pixels")


# --- several images


@pytest.mark.parametrize(
    "images",
    [
        [Image.from_array(GRAY[0]), Image.from_array(GRAY[1])],
        [Image.from_array(GRAY[0]), GRAY[1]],
        [xarray.DataArray(GRAY[0], dims=("y", "x")), GRAY[1]],
        [GRAY, GRAY],
        [GRAY[0], GRAY],
        [GRAY[0], GRAY[1, :-1]],
        [GRAY[0], GRAY[1].astype("u2")],
        [GRAY[0], COLOR[0]],
    ],
    ids=[
        "Images",
        "Image first",
        "xarray",
        "stacks",
        "picture and stack",
        "shapes",
        "types",
        "color",
    ],
)
def test_other_sequences_are_several_images(images: Any) -> None:
    imsave(images, "a.tif")
    found = imload("a.tif")
    assert len(found) == 2
    for image, given in zip(found, images, strict=True):
        assert_same_pixels(np.asarray(image.array), np.asarray(getattr(given, "array", given)))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.gif", "a.bin"])
@pytest.mark.parametrize(
    ("other", "said"),
    [
        (GRAY[0, :-1], r"Frame 2 has the shape \(11, 16\) and the type uint8, but frame 0 .*TIFF"),
        (GRAY[0].astype("u2"), r"Frame 2 has the shape \(12, 16\) and the type uint16"),
        (COLOR[0], r"Frame 2 has the shape \(12, 16, 3\)"),
    ],
)
def test_different_frames_are_named_in_formats_of_one_image(
    name: str, other: np.ndarray, said: str
) -> None:
    for planner in (plan, partial(plan, as_seen=False)):
        with pytest.raises(InvalidImageError, match=said):
            planner([GRAY[0], GRAY[1], other, GRAY[2, 1:]], name)


# --- unsuitable objects


def _frames() -> Iterator[np.ndarray]:
    yield from GRAY


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.bin"])
@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            _frames(),
            r"A generator gives its frames only once.*give list\(frames\), or a dask array",
        ),
        (map(np.asarray, GRAY), r"A map gives its frames only once.*list\(frames\)"),
        (iter(list(GRAY)), r"A list_iterator gives its frames only once.*list\(frames\)"),
        (dict(enumerate(GRAY)), r"A dict does not specify the order.*list\(images\.values\(\)\)"),
        (dict(enumerate(GRAY)).values(), r"A dict_values has no index.*list\(frames\)"),
        ({1, 2}, "A set does not specify the order of its frames"),
        ([list(GRAY), list(GRAY)], "A list in a sequence is not an image: .*numpy.asarray"),
        ([[1, 2], [3, 4]], "A list in a sequence is not an image: .*numpy.asarray"),
        ([1, 2, 3], "Not an image .int."),
        ([GRAY[0], None], "Not an image .NoneType."),
        (None, "Not an image .NoneType."),
        ("a.tif", "is a path, not an image"),
        ((), "nothing to save"),
        (deque(), "nothing to save"),
        ([np.ma.masked_equal(frame, 0) for frame in GRAY], "masked"),
    ],
)
def test_objects_without_frames_are_refused(images: Any, said: str, name: str) -> None:
    for planner in (plan, partial(plan, as_seen=False)):
        with pytest.raises(InvalidImageError, match=said):
            planner(images, name)


# --- colors


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.bin"])
def test_integers_with_three_or_four_samples_are_in_color(name: str, samples: int) -> None:
    for dtype, shape, axes in (
        ("uint8", (5, 12, 16, samples), "tyxs"),
        ("uint16", (5, 12, 16, samples), "tyxs"),
        ("int32", (5, 12, 16, samples), "tyxs"),
        ("float32", (5, 12, 16, samples), "tzyx"),
        ("uint8", (12, 16, samples), "yxs"),
        ("uint16", (12, 16, samples), "tyx"),
        ("uint8", (12, 16, 2), "tyx"),
        ("uint8", (2, 5, 12, 16, samples), "tczyx"),
    ):
        array = pixels(shape, dtype)
        imsave(array, name, overwrite=True)
        (image,) = imload(name)
        assert image.axis_names == tuple(axes)
        assert_same_pixels(np.asarray(image.array), array)
        load = load_binary if name == "a.bin" else load_images
        assert_same_pixels(load(name), array)


def test_color_is_read_by_tifffile() -> None:
    save_images("a.tif", COLOR[0])
    save_images("b.tif", COLOR)
    for name, array in (("a.tif", COLOR[0]), ("b.tif", COLOR)):
        with tifffile.TiffFile(name) as tif:
            assert tif.pages.first.photometric == tifffile.PHOTOMETRIC.RGB  # type: ignore[union-attr]
            assert_same_pixels(tif.asarray(), array)


@pytest.mark.parametrize("name", ["a.mkv", "a.gif"])
def test_in_movies_colors_may_be_of_any_type_and_frames_come_first(name: str) -> None:
    imsave(COLOR.astype("f4") / 255, name)
    (image,) = imload(name)
    assert image.axis_names == tuple("tyxs")
    assert_same_pixels(np.asarray(image.array), COLOR)
    imsave(COLOR[0], name, overwrite=True)
    assert imload(name)[0].shape == (12, 16, 3)
    large = np.zeros((40, 50, 3), "u1")
    with pytest.warns(FerryWarning, match=r"40 frames of 50 by 3 pixels: .*array\[None\]"):
        plan(large, name)
    assert plan(large[None], name).nframes == 1


def test_axes_of_images_are_preserved() -> None:
    image = make_full_image("tzyx")
    assert as_images(image) == [image]
    assert as_images([image]) == [image]
    labels = Image.from_array(np.zeros((2, 4, 5, 3), "u1"), kind="labels")
    assert as_images(labels, is_movie=True)[0].axis_names == tuple("tzyx")


class Reader:
    """A reader with frames created on access, such as those of pims."""

    def __init__(self, frames: Sequence[NDArray[Any]]) -> None:
        self.frames = frames
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> NDArray[Any]:
        self.asked.append(index)
        return self.frames[index]


def test_frames_of_a_reader_are_made_when_they_are_written(tmp_path: Path) -> None:
    reader = Reader(GRAY)
    planned = plan(reader, tmp_path / "a.tif")
    assert set(reader.asked) <= {0}
    run(planned)
    assert_same_pixels(imload(tmp_path / "a.tif")[0].array, GRAY)


def test_a_frame_of_a_reader_that_differs_is_named(tmp_path: Path) -> None:
    with pytest.raises(FerryError, match="Frame 2 has the shape"):
        imsave(Reader([GRAY[0], GRAY[1], GRAY[2][:3]]), tmp_path / "a.tif")
    assert not [*tmp_path.iterdir()]
