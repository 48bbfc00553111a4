"""Padding of raw files: bytes that are not samples."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - our own
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from napari_ferry import imload, load_binary
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_check import read_sidecar_status
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar
from napari_ferry.errors import FerryWarning, InvalidImageError, UnreadableFileError
from raw_files import ONE, raw


@pytest.mark.parametrize(
    ("nbytes", "layout", "keys"),
    [
        (2500, ONE, {"rest": 196}),
        (2510, replace(ONE, offset=10), {"offset": 10, "rest": 196}),
        (2600, replace(ONE, frames=5), {"rest": 1320}),
        (2614, replace(ONE, gap=6), {"gap": 6}),
        (2620, replace(ONE, gap=6), {"gap": 6, "rest": 6}),
        (2600, replace(ONE, gap=6), {"gap": 6, "rest": 248}),
    ],
)
@pytest.mark.parametrize(
    "calibration", [None, Calibration(frame_axis="t", frame_step=0.5, pixel_size=2.0)]
)
def test_padding_is_written_and_skipped(tmp_path, nbytes, layout, keys, calibration):
    path = raw(tmp_path, nbytes)
    write_sidecar(path, layout, calibration, whole_frames=True)
    record = json.loads(sidecar_path(path).read_text())
    assert {key: record[key] for key in ("offset", "gap", "rest") if record.get(key)} == keys
    frames = record["frames"]
    pitch = 256 + layout.gap
    raw_bytes = path.read_bytes()[layout.offset :]
    truth = [raw_bytes[k * pitch : k * pitch + 256] for k in range(frames)]
    (opened,) = imload(path)
    assert opened.array[:].tobytes() == b"".join(truth)
    assert opened.axes[0].scale == (1.0 if calibration is None else 0.5)
    assert read_sidecar_status(path).layout == replace(layout, frames=frames)
    assert read_sidecar_status(path).error == ""
    again = pickle.loads(pickle.dumps(opened))
    assert np.array_equal(again.array[-1], opened.array[-1])
    with pytest.raises(InvalidImageError) if layout.gap else nullcontext():
        load_binary(path, mapped=True, mode="c")


@pytest.mark.parametrize(("gap", "nbytes"), [(10, 404), (100, 584)])
@pytest.mark.parametrize("frames", [{}, {"frames": 0}, {"frames": -1}])
def test_missing_numbers_of_frames_are_computed_with_gaps(tmp_path, gap, nbytes, frames):
    record = {"y": 8, "x": 16, "dtype": "uint8", "gap": gap, **frames}
    path = raw(tmp_path, nbytes, record=record)
    bytes_ = np.frombuffer(path.read_bytes(), np.uint8)
    with pytest.warns(FerryWarning, match="does not give frames: 3 is computed"):
        image = imload(path)[0]
    assert image.shape == (3, 8, 16)
    assert np.array_equal(image.array[2].ravel(), bytes_[2 * (128 + gap) :])


def test_padding_larger_than_the_file_is_refused(tmp_path):
    record = {"y": 2, "x": 4, "dtype": "uint8", "offset": 8, "rest": 8}
    with pytest.raises(UnreadableFileError, match="gives 16 bytes around the samples"):
        imload(raw(tmp_path, 8, record=record))
