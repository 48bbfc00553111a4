"""tifffile's log: silent for napari-ferry, unchanged for others."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_ferry import imload
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile


def test_opening_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "nan.tif"
    tag = (42113, 2, 0, "nan", True)
    tifffile.imwrite(path, np.zeros((20, 30), "u1"), metadata=None, extratags=[tag])
    with caplog.at_level(logging.WARNING):
        imload(path)[0].load()
        assert not caplog.records
        with tifffile.TiffFile(path) as tif:
            assert np.isnan(float(tif.pages[0].tags[42113].value))
            _ = tif.pages[0].nodata
        assert caplog.records


def test_silence_ends_with_its_block(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tifffile")
    with silent_tifffile(), silent_tifffile():
        log.warning("inside")
    log.warning("after")
    assert [record.message for record in caplog.records] == ["after"]
