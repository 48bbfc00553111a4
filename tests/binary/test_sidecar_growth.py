"""Raw files that are still being written."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import make_image
from napari_ferry import imload, imsave
from napari_ferry.arrays.growth import growing_files
from napari_ferry.errors import FerryWarning, MissingMetadataError, UnreadableFileError
from napari_ferry.image.record import KEY

SIDECAR = {"dtype": "uint16", "y": 3, "x": 4}
FRAME = 24


def write(folder: Path, nbytes: int, **record: object) -> Path:
    path = folder / "a.bin"
    path.write_bytes(np.arange(nbytes, dtype=np.uint8).tobytes())
    path.with_suffix(".json").write_text(json.dumps({**SIDECAR, **record}))
    return path


@given(
    st.integers(1, 5 * FRAME),
    st.sampled_from([{}, {"frames": 3}, {"frames": -1}]),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_whole_frames_are_opened(
    tmp_path_factory, nbytes: int, record, offset: int, gap: int, rest: int
):
    folder = tmp_path_factory.mktemp("raw")
    path = write(folder, nbytes, **record, offset=offset, gap=gap, rest=rest)
    count = max(0, nbytes - offset - rest + gap) // (FRAME + gap)
    with growing_files():
        if not count:
            with pytest.raises(UnreadableFileError):
                imload(path)
            return
        (image,) = imload(path)
    assert image.shape == (count, 3, 4)
    data, start = path.read_bytes(), offset + (count - 1) * (FRAME + gap)
    assert image.array[-1].tobytes() == data[start : start + FRAME]
    image.close()


@pytest.mark.parametrize("axes", ["tyx", "tcyx", "tyxs"])
def test_complete_steps_of_our_own_images_are_opened(axes: str, tmp_path: Path):
    image = make_image(axes, "uint16", t=4)
    path = tmp_path / "a.bin"
    imsave(image, path)
    data = path.read_bytes()
    path.write_bytes((data * 2)[: len(data) * 7 // 4 + 1])
    with growing_files():
        (found,) = imload(path)
    assert found.shape == (7, *image.shape[1:])
    assert found.axes == image.axes
    assert np.array_equal(found.array[4:7], image.array[:3])
    found.close()


@pytest.mark.parametrize("dtype", ["bool", "complex64", "float16"])
@pytest.mark.parametrize("record", [{}, {"frames": 3}])
def test_samples_of_any_type_are_opened(dtype: str, record, tmp_path: Path):
    path = write(tmp_path, 5 * 12 * np.dtype(dtype).itemsize + 1, dtype=dtype, **record)
    with growing_files():
        (image,) = imload(path)
    assert (image.shape, str(image.dtype)) == ((5, 3, 4), dtype)
    image.close()


def test_a_file_without_a_whole_sidecar_is_refused(tmp_path: Path):
    path = write(tmp_path, 5 * FRAME, y=None)
    with growing_files(), pytest.raises(MissingMetadataError, match=r"\by\b"):
        imload(path)
    path.with_suffix(".json").unlink()
    with growing_files(), pytest.raises(MissingMetadataError, match="no sidecar"):
        imload(path)


def test_a_damaged_record_is_reported_once(tmp_path: Path):
    path = write(tmp_path, 5 * FRAME, frames=3, **{KEY: 1})
    with growing_files(), pytest.warns(FerryWarning) as caught:
        (image,) = imload(path)
    assert len(caught) == 1
    image.close()


def test_a_single_frame_does_not_grow(tmp_path: Path):
    frame = make_image("yx")
    imsave(frame, tmp_path / "a.bin")
    with growing_files():
        (found,) = imload(tmp_path / "a.bin")
    assert np.array_equal(found.array, frame.array)
    found.close()


def test_a_file_without_a_whole_frame_is_named(tmp_path: Path):
    path = write(tmp_path, FRAME - 1)
    with (
        growing_files(),
        pytest.raises(UnreadableFileError, match=r"^a.bin has no whole frame yet"),
    ):
        imload(path)


def test_other_sizes_are_refused_when_nobody_writes(tmp_path: Path):
    path = write(tmp_path, math.prod((3, 3, 4)) * 2 + 1, frames=3)
    with pytest.raises(UnreadableFileError, match="correct the description"):
        imload(path)
