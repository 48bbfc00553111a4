"""Lazy arrays compared with numpy, and patches as read by CAREamics."""

from __future__ import annotations

import math
import pickle  # noqa: TID251 - the pickles are from this test
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from helpers import SHARED, Entry, entry_id, make_image, pixels, read_golden, sha256
from napari_ferry import imload
from napari_ferry.arrays import Frames, read_array
from napari_ferry.arrays.stack import IndexedFrames, Stack, take
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.image.image import Array

PATCHES = read_golden("careamics", lambda entry: "patches" in entry and "tiff" in entry["id"])
"""The real classes read a channel of a file by its own index, samples with t fastest."""


@dataclass(frozen=True)
class Reader:
    """A reader of frames of an array, which can be pickled."""

    data: NDArray[Any]

    def __call__(self, i: int) -> NDArray[Any]:
        return self.data[i]


def frames_of(data: NDArray[Any], lead: int) -> Frames:
    flat = data.reshape(math.prod(data.shape[:lead]), *data.shape[lead:])
    return Frames(Reader(flat), data.shape, data.dtype, lead)


def counted(n: int) -> tuple[Frames, list[int]]:
    """Return frames filled with their number, and a list of those that were read."""
    read: list[int] = []

    def make(i: int) -> NDArray[np.int64]:
        read.append(i)
        return np.full((2, 3), i)

    return Frames(make, (n, 2, 3), np.int64, 1), read


@st.composite
def lazy_and_eager(draw: st.DrawFn) -> tuple[Array, NDArray[Any]]:
    """Draw Frames of any shape, or a Stack of them along any leading axis."""
    shape = draw(npst.array_shapes(min_dims=2, max_dims=5, min_side=0, max_side=4))
    data = np.arange(np.prod(shape), dtype=draw(st.sampled_from(["u1", "u2", ">i4"])))
    data = data.reshape(shape)
    if draw(st.booleans()) and 0 not in shape and len(shape) > 2:
        axis = draw(st.integers(0, len(shape) - 3))
        parts = np.moveaxis(data, axis, 0)
        lead = draw(st.integers(0, len(shape) - 3))
        return Stack([frames_of(part, lead) for part in parts], axis), data
    return frames_of(data, draw(st.integers(0, len(shape)))), data


@st.composite
def masks(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Draw a mask of some neighboring axes, with slices or an ellipsis before and after it."""
    first = draw(st.integers(0, len(shape) - 1))
    last = draw(st.integers(first + 1, len(shape)))
    mask = draw(npst.arrays(bool, shape[first:last]))
    if draw(st.booleans()):
        return with_newaxes(draw, [..., mask, *(slice(None),) * (len(shape) - last)])
    return with_newaxes(draw, [*(slice(None),) * first, mask])


def with_newaxes(draw: st.DrawFn, items: list[Any]) -> tuple[Any, ...]:
    """Put up to two new axes between the items of an index."""
    for _ in range(draw(st.integers(0, 2))):
        items.insert(draw(st.integers(0, len(items))), None)
    return tuple(items)


@st.composite
def mixed(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Draw index arrays, lists, slices and integers side by side, some out of bounds."""
    items = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        inside = st.integers(-n, n - 1) if n else st.just(0)
        items.append(
            draw(
                st.one_of(
                    st.slices(n),
                    inside,
                    st.integers(-6, 6),
                    st.lists(inside, min_size=2, max_size=2),
                    st.just([]),
                    npst.arrays(np.int32, (2, 1), elements=inside),
                )
            )
        )
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    return with_newaxes(draw, items)


def index(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    basic = npst.basic_indices(shape, allow_newaxis=True, max_dims=8)
    kinds = [basic, masks(shape), mixed(shape)]
    if 0 not in shape:
        kinds.append(npst.integer_array_indices(shape))
    return st.one_of(kinds)


def outcome(array: Array, key: Any) -> Any:
    """Return the result of an index, or ``IndexError``."""
    try:
        return array[key]
    except IndexError:
        return IndexError


@settings(max_examples=600)
@given(st.data())
def test_any_index_gives_what_numpy_gives(data: st.DataObject) -> None:
    lazy, eager = data.draw(lazy_and_eager())
    key = data.draw(index(eager.shape))
    found, expected = outcome(lazy, key), outcome(eager, key)
    if expected is IndexError:
        assert found is IndexError
        return
    assert np.shape(found) == np.shape(expected)
    assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 3, -3])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_step_may_be_larger_than_anything(n: int, step: int) -> None:
    data = np.arange(n * 2.0).reshape(n, 1, 2)
    for key in (slice(None, None, step), (slice(None, None, step), [0])):
        np.testing.assert_array_equal(frames_of(data, 1)[key], data[key])


@pytest.mark.parametrize(
    "key", [3, -4, (0, 0, 0, 0), (..., ...), 1.0, "a", [1.0], [[], 9], np.ones(2, bool), [5]]
)
def test_a_wrong_index_is_refused(key: Any) -> None:
    data = np.zeros((3, 4, 5))
    for lazy in (frames_of(data, 1), Stack(list(data))):
        with pytest.raises(IndexError):
            lazy[key]


@pytest.mark.parametrize("key", [True, np.True_, np.array(False), (slice(None), True)])
def test_a_single_truth_value_is_no_index(key: Any) -> None:
    data = np.zeros((3, 4, 5))
    for lazy in (frames_of(data, 1), Stack(list(data))):
        with pytest.raises(IndexError):
            lazy[key]


@settings(max_examples=50)
@given(lazy_and_eager())
def test_the_whole_is_what_numpy_has(pair: tuple[Array, NDArray[Any]]) -> None:
    lazy, eager = pair
    assert (lazy.shape, lazy.dtype, lazy.ndim) == (eager.shape, eager.dtype, eager.ndim)
    for whole in (np.asarray(lazy), np.array(lazy), lazy[...], read_array(lazy, workers=2)):
        np.testing.assert_array_equal(whole, eager)
    assert np.asarray(lazy, np.float64).dtype == np.float64


@settings(max_examples=50)
@given(lazy_and_eager())
def test_a_pickle_is_the_same_array(pair: tuple[Array, NDArray[Any]]) -> None:
    lazy, eager = pair
    again = pickle.loads(pickle.dumps(lazy))
    assert (again.shape, again.dtype) == (eager.shape, eager.dtype)
    np.testing.assert_array_equal(np.asarray(again), eager)


@settings(max_examples=100)
@given(st.data())
def test_an_axis_is_taken_as_numpy_takes_it(data: st.DataObject) -> None:
    lazy, eager = data.draw(lazy_and_eager())
    lead = lazy.lead if isinstance(lazy, Frames) else eager.ndim - 2
    if not lead or 0 in eager.shape:
        return
    axis = data.draw(st.integers(0, lead - 1))
    place = data.draw(st.integers(0, eager.shape[axis] - 1))
    taken = take(lazy, axis, place)
    assert taken.shape == eager.take(place, axis).shape
    np.testing.assert_array_equal(np.asarray(taken), eager.take(place, axis))


def test_an_axis_within_a_frame_is_taken() -> None:
    eager = np.arange(60).reshape(3, 4, 5)
    taken = take(frames_of(eager, 1), 1, 2)
    np.testing.assert_array_equal(np.asarray(taken), eager[:, 2])
    np.testing.assert_array_equal(taken[1, ::-2], eager[1, 2, ::-2])


def test_only_the_frames_asked_for_are_read() -> None:
    frames, read = counted(1000)
    frames[7]
    frames[990:993, 1]
    frames[[5, 900, 5], :, 0]
    assert read == [7, 990, 991, 992, 5, 900]


def test_100_million_frames_cost_nothing() -> None:
    tracemalloc.start()
    try:
        frames, read = counted(10**8)
        assert frames[12_345_678, 0, 0] == 12_345_678
        assert frames[-1, 1, 2] == 10**8 - 1
        assert frames[10:13, 0, 0].tolist() == [10, 11, 12]
        assert frames[:: 4 * 10**7, 0, 0].tolist() == [0, 4 * 10**7, 8 * 10**7]
        assert frames[[-1, 0], :, 1].tolist() == [[10**8 - 1] * 2, [0] * 2]
        assert (len(frames), frames.size, frames.nbytes) == (10**8, 6 * 10**8, 48 * 10**8)
        assert len(repr(frames)) < 100
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert len(read) <= 8


def test_the_cache_is_used_and_bounded() -> None:
    frames, read = counted(100)
    frames[3], frames[3], frames[2:4]
    assert read == [3, 2]
    np.asarray(frames)
    tracemalloc.start()
    try:
        large = Frames(lambda _: np.zeros((4, 1 << 20), np.uint8), (40, 4, 1 << 20), np.uint8, 1)
        for i in range(40):
            large[i, 0, 0]
        assert tracemalloc.get_traced_memory()[0] < 70 << 20
    finally:
        tracemalloc.stop()


def test_a_frame_that_is_given_out_is_a_copy() -> None:
    frames, _ = counted(3)
    frames[1][...] = 99
    frames[1:2][...] = 99
    assert frames[1].tolist() == [[1] * 3] * 2
    with pytest.raises(ValueError, match="copy"):
        np.array(frames, copy=False)


def test_what_a_reader_keeps_is_not_kept_twice() -> None:
    read: list[int] = []

    class Reader:
        keeps_frames = True

        def __call__(self, i: int) -> NDArray[Any]:
            read.append(i)
            self.given = np.full((2, 3), i, np.uint8)
            return self.given

    reader = Reader()
    frames = Frames(reader, (4, 2, 3), np.uint8, 1)
    assert np.shares_memory(frames[2], reader.given)
    assert frames[2].flags.writeable
    assert frames[2:3, ::-1].tolist() == [[[2] * 3] * 2]
    assert (frames[2, 1, 0], frames[1:3].max()) == (2, 2)
    assert read == [2, 2, 2, 2, 1, 2]


def test_a_frame_that_does_not_fit_is_refused() -> None:
    for wrong in (np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint16)):
        with pytest.raises(InvalidImageError, match="Frame 1"):
            Frames(lambda _, wrong=wrong: wrong, (3, 4, 5), np.uint16, 1)[1]


def test_16_threads_read_the_right_frames() -> None:
    data = pixels((50, 8, 9))
    frames = frames_of(data, 1)

    def read(seed: int) -> bool:
        chosen = np.random.default_rng(seed).integers(0, 50, 100)
        return all(np.array_equal(frames[i], data[i]) for i in chosen)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(16)))


def test_indexed_reads_frames_of_any_array() -> None:
    data = pixels((2, 3, 4, 5))
    frames = Frames(IndexedFrames(data, 2), data.shape, data.dtype, 2)
    np.testing.assert_array_equal(np.asarray(frames), data)


def cases() -> Iterator[tuple[Entry, Entry]]:
    for entry in PATCHES:
        for patch in entry["patches"]:
            yield entry, patch


@pytest.mark.usefixtures("shared_data")
def test_there_are_patches_of_careamics() -> None:
    assert len(list(cases())) > 150


@pytest.mark.parametrize("entry", PATCHES, ids=entry_id)
@pytest.mark.parametrize("is_loaded", [False, True])
def test_patches_are_those_of_careamics(entry: Entry, is_loaded: bool) -> None:
    path = SHARED / "earlier-systems" / "careamics" / entry["open"]
    (image,) = imload(path, axes=entry["axes"])
    if is_loaded:
        image.load()
    for patch in entry["patches"]:
        asked = (patch[key] for key in ("sample_idx", "channels", "coords", "patch_size"))
        found = image.extract_patch(*asked)
        assert list(found.shape) == patch["shape"]
        assert found.dtype == patch["dtype"]
        assert sha256(found) == patch["sha256_c_order"], patch


@settings(max_examples=100)
@given(
    st.permutations("czyx"),
    st.tuples(st.integers(-4, 6), st.integers(-4, 7), st.integers(-4, 9)),
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9)),
)
def test_a_patch_is_cut_out_of_zeros(
    axes: list[str], coords: tuple[int, ...], size: tuple[int, ...]
) -> None:
    image = make_image("".join(axes))
    padded = np.pad(
        np.asarray(image.array).transpose([axes.index(a) for a in "czyx"]),
        [(0, 0), *[(10, 20)] * 3],
    )
    cut = tuple(slice(10 + start, 10 + start + n) for start, n in zip(coords, size, strict=True))
    found = image.extract_patch(0, None, coords, size, dtype=None)
    np.testing.assert_array_equal(found, padded[:, *cut])
    assert found.dtype == image.dtype


def test_a_patch_reads_no_more_than_its_frames() -> None:
    frames, read = counted(100)
    Image.from_array(frames, "tyx").extract_patch(42, None, (0, 0), (2, 2))
    assert read == [42]


@pytest.mark.parametrize(
    ("axes", "expected"), [("yxs", (3, 2, 2)), ("cyxs", (2, 2, 2)), ("tyxs", (3, 2, 2))]
)
def test_samples_of_a_color_are_channels_where_there_are_none(
    axes: str, expected: tuple[int, ...]
) -> None:
    assert make_image(axes).extract_patch(0, None, (0, 0), (2, 2)).shape == expected


@pytest.mark.parametrize(
    "asked",
    [
        (3, None, (0, 0), (2, 2)),
        (-1, None, (0, 0), (2, 2)),
        (0, [2], (0, 0), (2, 2)),
        (0, [], (0, 0), (2, 2)),
        (0, None, (0, 0, 0), (2, 2, 2)),
        (0, None, (0,), (2, 2)),
    ],
)
def test_a_patch_that_is_not_there_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidImageError):
        make_image("tcyx").extract_patch(*asked)


def test_what_takes_nothing_minds_no_bounds() -> None:
    """Like numpy, accept an index out of bounds next to an empty one."""
    frames = Frames(lambda i: np.zeros(3, np.uint8), (0, 3), np.uint8, 1)
    index = np.array([[0], [0]]), []
    assert frames[index].shape == np.zeros((0, 3))[index].shape == (2, 0)
