"""Status of sidecars: layout and calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_ferry import imload
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.sidecar_check import lacks_layout, read_sidecar_status
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar
from raw_files import ONE, raw


def test_a_record_gives_its_layout_and_calibration(tmp_path):
    path = raw(tmp_path)
    for layout in (
        ONE,
        replace(ONE, channels=2, frames=5, interleaving="plane"),
        replace(ONE, channels=5, frames=2, interleaving="pixel"),
        replace(ONE, dtype=np.dtype(">u2"), offset=256, frames=9),
    ):
        calibration = Calibration(frame_axis="z", frame_step=0.3, pixel_size=0.1, unit="nanometer")
        write_sidecar(path, layout, calibration, overwrite=True)
        said = read_sidecar_status(path)
        assert (said.layout, said.calibration, said.error) == (layout, calibration, "")


def test_a_calibration_in_time_is_read_back(tmp_path):
    path = raw(tmp_path)
    write_sidecar(path, ONE, Calibration(frame_axis="t", frame_step=0.05))
    assert read_sidecar_status(path).calibration == Calibration(frame_axis="t", frame_step=0.05)


def test_four_keys_give_a_layout_if_complete(tmp_path):
    path = raw(tmp_path, record={"y": 8, "x": 17, "dtype": "uint16"})
    said = read_sidecar_status(path)
    assert said.layout == replace(ONE, frames=9, x=17)
    assert "112 bytes remain" in said.error
    path = raw(tmp_path, record={"y": 8, "dtype": "uint16"})
    assert read_sidecar_status(path).layout is None


def test_gaps_between_stacks_are_not_a_layout(tmp_path):
    axes = [{"name": name, "size": size} for name, size in zip("tzyx", (2, 3, 4, 5), strict=True)]
    record = {"napari-ferry": 1, "dtype": "uint8", "axes": axes, "gap": 10}
    path = raw(tmp_path, 130, record=record)
    assert imload(path)[0].shape == (2, 3, 4, 5)
    said = read_sidecar_status(path)
    assert said is not None
    assert said.layout is None


def test_which_files_lack_a_layout(tmp_path):
    assert lacks_layout(raw(tmp_path))
    assert lacks_layout(tmp_path)
    fine = raw(tmp_path, name="b.raw", record={"y": 8, "x": 16, "dtype": "uint16"})
    assert not lacks_layout(fine)
    assert not lacks_layout(tmp_path)
    assert lacks_layout(raw(tmp_path, name="c.raw", record={"y": 8, "x": 17, "dtype": "uint16"}))
    assert not lacks_layout(raw(tmp_path, 0, "d.raw"))
