"""Scan of GIF files: many frames, truncated and damaged files."""

from __future__ import annotations

import contextlib
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gif_files import Part, build, movie, save
from napari_ferry import imload
from napari_ferry.errors import FerryError, FerryWarning, UnreadableFileError


@pytest.mark.slow
def test_a_hundred_thousand_frames_open_at_once(tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.full((1, 1), k % 8, np.uint8)) for k in range(1000)] * 100))
    (image,) = imload(path)
    assert image.shape[0] == 100_000
    assert image.array.read.table.rows.nbytes <= 300 * 100_000


@pytest.mark.parametrize("samples", [1, 3])
def test_a_file_cut_anywhere_opens_with_its_whole_frames_or_is_refused(samples, tmp_path):
    frames = movie(3, samples, size=(12, 12))
    data = save(frames, tmp_path / "a.gif").read_bytes()
    path = tmp_path / "cut.gif"
    for length in range(0, len(data) - 1, 7):
        path.write_bytes(data[:length])
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                (image,) = imload(path)
        except UnreadableFileError:
            continue
        found = np.asarray(image.array)
        found = found if "t" in image.axis_names else found[None]
        assert len(found) < 3 or length >= len(data) - 1
        whole_end = data[length - 1 : length] == b"\0"  # a frame may end there
        assert caught or whole_end
        if found.shape[1:] == frames.shape[1:]:
            np.testing.assert_array_equal(found, frames[: len(found)])


def test_a_warning_states_the_number_of_whole_frames(tmp_path):
    data = save(movie(4), tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[:-20])
    with pytest.warns(FerryWarning, match="3 of its frames are whole"):
        (image,) = imload(tmp_path / "a.gif")
    assert image.array.shape[0] == 3


@settings(max_examples=200)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_garbled_files_open_or_raise_our_errors(tmp_path_factory, changes):
    parts = [
        Part(
            np.arange(9, dtype=np.uint8).reshape(3, 3) % 8, k % 2, 0, k % 4, k % 3, interlaced=k > 3
        )
        for k in range(6)
    ]

    data = bytearray(build(parts, (4, 4)))
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.mktemp("gif") / "a.gif"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        with contextlib.suppress(FerryError):
            (image,) = imload(path)
            if image.nbytes < 10_000_000:
                np.asarray(image.array)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (4, 0)])
def test_a_canvas_without_a_size_has_that_of_the_first_frame(size, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.zeros((3, 5), np.uint8))], size))
    (image,) = imload(path)
    assert image.shape[:2] == (max(3, size[0]), max(5, size[1]))


@pytest.mark.parametrize(
    ("parts", "canvas", "consequence"),
    [
        ([Part(np.ones((3, 5), np.uint8))], (3, 5), "it is enlarged to 5 by 3, as in browsers"),
        ([Part(np.ones((1, 1), np.uint8), 2, 2)], (3, 3), "it is enlarged to 3 by 3"),
        (
            [Part(np.ones((2, 2), np.uint8)), Part(np.ones((1, 2), np.uint8), 1, 1)],
            (2, 2),
            "pixels outside it are left out",
        ),
    ],
)
def test_frames_outside_the_canvas_are_reported(parts, canvas, consequence, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build(parts, (2, 2)))
    with pytest.warns(FerryWarning, match=f"extend beyond its canvas of 2 by 2.*{consequence}"):
        (image,) = imload(path)
    assert (image.size("y"), image.size("x")) == canvas


@pytest.mark.parametrize("size", [(65535, 65535), (20000, 20000)])
def test_impossible_sizes_are_refused(size, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.zeros((1, 1), np.uint8))], size))
    with pytest.raises(UnreadableFileError, match=f"{size[1]} by {size[0]} pixels"):
        imload(path)


@pytest.mark.parametrize("size", [(65535, 65535), (8192, 8192)])
def test_an_impossible_canvas_is_refused(size, tmp_path):
    path = save(movie(1), tmp_path / "a.gif")
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, 6, *size)
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=f"canvas has {size[0]} by {size[1]} pixels"):
        imload(path)
