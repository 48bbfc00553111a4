"""Texts and regions in ImageJ's private tags."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import tifffile

from hyperstacks import make, read, save


def test_regions_labels_and_properties_round_trip(tmp_path: Path) -> None:
    rois = [base64.b64encode(blob).decode() for blob in (b"Iout\x00\x01", b"Iout\x00\x02")]
    metadata = {
        "Overlays": rois,
        "ROI": rois[0],
        "Properties": {"a": "1"},
        "Labels": ["one", "two"],
        "Info": "text",
    }
    image = make("tyx", (2, 5, 7), metadata=metadata)
    save(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        found = tif.imagej_metadata or {}
    assert found["Overlays"] == [b"Iout\x00\x01", b"Iout\x00\x02"]
    assert found["ROI"] == b"Iout\x00\x01"
    assert found["Properties"] == {"a": "1"}
    assert found["Labels"] == ["one", "two"]
    assert read(tmp_path / "a.tif").metadata == metadata
    plain = read(tmp_path / "a.tif", Info="other text").metadata or {}
    assert plain["Info"] == "other text"
    assert (plain["Overlays"], plain["ROI"]) == (rois, rois[0])
    assert json.loads(json.dumps(plain)) == plain
