"""Thumbnails of raw files, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_search import open_with_layout
from napari_ferry.image import Image
from napari_ferry.widgets.repair.thumbnails import SIDE, first_frame_limits, make_thumbnails
from raw_files import U2


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8", "<i8", "<f2"])
@pytest.mark.parametrize("axes", ["tyx", "tyxs", "tcyx", "tyxc"])
@pytest.mark.filterwarnings("error")
def test_thumbnails_of_any_bytes(dtype, axes):
    shape = {"t": 3, "y": 100, "x": 7, "s": 3, "c": 2}
    size = [shape[name] for name in axes]
    noise = np.random.default_rng(0).bytes(int(np.prod(size)) * np.dtype(dtype).itemsize)
    image = Image.from_array(np.frombuffer(noise, dtype).reshape(size), axes)
    thumbnails = make_thumbnails(image)
    assert thumbnails.frame.shape == thumbnails.changes.shape == (50, 7)
    assert max(thumbnails.frame.shape) <= SIDE
    low, high = first_frame_limits(image)
    assert low < high


def test_thumbnails_show_changes_between_frames():
    pixels = np.full((20, 32, 32), 100, np.uint16)
    pixels[::2, 4, 5] = 900
    thumbnails = make_thumbnails(Image.from_array(pixels))
    assert np.argwhere(thumbnails.changes).tolist() == [[4, 5]]
    assert make_thumbnails(Image.from_array(pixels[:1])).changes is None


def test_thumbnails_of_a_huge_file_read_a_few_samples(tmp_path):
    path = tmp_path / "huge.raw"
    with path.open("wb") as file:
        file.truncate(40_000_000_000)
    layout = Layout(dtype=U2, offset=0, frames=200, y=10_000, x=10_000)
    assert make_thumbnails(open_with_layout(path, layout)).frame.shape == (64, 64)
