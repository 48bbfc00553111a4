"""Layers whose frames cannot all be read."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_ferry import FerryWarning, UnreadableFileError
from napari_ferry.arrays import Frames
from napari_ferry.arrays.sliced_view import SlicedView, put_off_slices
from napari_ferry.layers.blank_frames import BlankingArray, with_blanks, without_blanks
from napari_ferry.layers.layer_data import from_layer
from napari_ferry.plugin.viewer_layers import _with_blanks

BAD = 3


def make(shape: tuple[int, ...], lead: int) -> Frames:
    """Return frames that are 1 + their number; one of them cannot be read."""

    def read(i: int) -> NDArray[np.uint8]:
        if i == BAD:
            raise UnreadableFileError(f"Frame {i} cannot be decoded.")
        return np.full(shape[lead:], i + 1, np.uint8)

    return Frames(read, shape, np.uint8, lead)


@pytest.mark.parametrize(
    ("shape", "lead", "is_rgb"),
    [((6, 5, 4), 1, False), ((2, 3, 5, 4), 2, False), ((6, 5, 4, 3), 1, True)],
)
def test_only_the_unreadable_frame_is_blank(
    shape: tuple[int, ...], lead: int, is_rgb: bool
) -> None:
    array = with_blanks(make(shape, lead), is_rgb=is_rgb)
    numbers = np.arange(1, 7, dtype=np.uint8)
    numbers[BAD] = 0
    expected = np.zeros(shape, np.uint8) + numbers.reshape(
        *shape[:lead], *(1,) * (len(shape) - lead)
    )
    for key in (..., slice(None), (slice(None), ..., slice(1, 3)), -1, (..., 0)):
        with pytest.warns(FerryWarning, match=r"Frame 3 cannot be decoded\. It is shown blank"):
            found = array[key] if key != -1 else np.asarray(array)
        np.testing.assert_array_equal(found, expected[key] if key != -1 else expected)


def test_a_list_of_frames_with_an_unreadable_one_is_blank() -> None:
    array = with_blanks(make((6, 5, 4), 1), is_rgb=False)
    with pytest.warns(FerryWarning, match="shown blank"):
        found = array[[1, 3, 3]]
    np.testing.assert_array_equal(found, np.zeros((3, 5, 4)))


def test_readable_frames_are_read_without_a_warning() -> None:
    array = with_blanks(make((6, 5, 4), 1), is_rgb=False)
    assert array[2].max() == 3
    assert (array.ndim, array.shape, array.dtype) == (3, (6, 5, 4), np.uint8)


def test_blank_frames_are_not_saved() -> None:
    frames = make((6, 5, 4), 1)
    assert without_blanks(with_blanks(frames, is_rgb=False)) is frames
    image = from_layer(with_blanks(frames, is_rgb=False), {}, "image")
    with pytest.raises(UnreadableFileError, match="Frame 3"):
        np.asarray(image.array)


def test_arrays_in_memory_stay_as_they_are() -> None:
    pixels = np.zeros((2, 3, 4))
    assert with_blanks(pixels, is_rgb=False) is pixels


def test_a_view_of_blanked_frames_reads_and_warns_late() -> None:
    view = put_off_slices(with_blanks(make((6, 5, 4), 1), is_rgb=False))[:, 1:3]
    assert view.shape == (6, 2, 4)
    np.testing.assert_array_equal(view[2], np.full((2, 4), 3))
    with pytest.warns(FerryWarning, match=r"Frame 3 cannot be decoded\. It is shown blank"):
        found = view[3]
    np.testing.assert_array_equal(found, np.zeros((2, 4)))
    with pytest.warns(FerryWarning, match="shown blank"):
        np.testing.assert_array_equal(np.asarray(view[2:5])[:, 0, 0], [3, 0, 5])


def test_levels_of_a_layer_are_views_of_blanked_frames() -> None:
    """A view of the whole level is undone before, so that blank frames are never nested."""
    lazy = make((6, 5, 4), 1)
    data, _, _ = _with_blanks(([put_off_slices(lazy), lazy], {"multiscale": True}, "image"))
    for level in data:
        assert isinstance(level, SlicedView)
        assert isinstance(level.array, BlankingArray)
        assert level.array.array is lazy
