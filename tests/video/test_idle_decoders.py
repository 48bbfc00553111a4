"""Files of idle decoders are closed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from helpers import number_of
from napari_ferry import imload
from napari_ferry.codecs.video import idle_decoders as idle


def test_an_idle_file_is_closed(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(idle, "_watcher", idle._Watcher())
    (image,) = imload(made("b-frames.mp4"))
    image.array[7]
    process = psutil.Process()
    assert any("b-frames" in file.path for file in process.open_files())
    until = time.monotonic() + 10
    while any("b-frames" in file.path for file in process.open_files()):
        assert time.monotonic() < until, "still open"
        time.sleep(0.05)
    assert number_of(image.array[8]) == 8
