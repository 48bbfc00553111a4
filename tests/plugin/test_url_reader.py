"""Addresses that are opened in a window, whose event loop goes on meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from helpers import assert_same_pixels, pixels
from napari_ferry.arrays import Frames
from napari_ferry.plugin.url_reader import _frame_index, _read_frame
from web_server import serving
from zarr_files import write_image

pytestmark = pytest.mark.window

DATA = pixels((5, 2, 64, 64))


@pytest.mark.parametrize(
    ("names", "counts", "position", "expected"),
    [
        ("tcyx", (5, 2), (), (2, slice(None))),
        ("tcyx", (5, 2), (4, 0, 0), (4, slice(None))),
        ("tzyx", (5, 3), (1, 0, 0), (2, 1)),
        ("tzyx", (5, 3), (9, 9, 9, 0, 0), (4, 2)),
        ("tzyx", (5, 1), (3, 0, 0), (3, 0)),
        ("yx", (), (3, 0, 0), ()),
    ],
)
def test_the_first_frame_is_that_of_the_sliders(
    names: str, counts: Any, position: Any, expected: Any
) -> None:
    assert _frame_index(names, counts, position) == expected


def test_a_large_frame_is_not_read_ahead() -> None:
    read: list[Any] = []
    level = Frames(lambda i: read.append(i) or np.zeros((9, 9), "u1"), (3, 9, 9), np.uint8, 1)
    _read_frame(level, ["t", "y", "x"], 1, (2, 0, 0))
    assert read == [2]
    huge = Frames(lambda i: pytest.fail("it was read"), (3, 1 << 14, 1 << 14), np.uint8, 1)
    _read_frame(huge, ["t", "y", "x"], 1, ())


def test_the_event_loop_runs_while_a_server_is_slow(
    shared_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.zarr", [DATA, DATA[..., ::2, ::2]], "tcyx", chunks=(1, 1, 64, 64))
    answers = threading.Event()
    with serving(tmp_path) as server:
        server.wait = lambda: answers.wait(60)
        QTimer.singleShot(0, answers.set)  # only the event loop does this
        shared_viewer.window._qt_viewer._qt_open(
            [f"{server.address}/a.zarr"], stack=False, plugin="napari-ferry"
        )
        assert len(shared_viewer.layers) == 2
        chunks = [each for each in server.requests if "/c/" in each]
        first = {"/1/c/0/0/0/0", "/1/c/0/1/0/0"}  # napari makes new layers at the start
        first |= {f"/{k}/c/2/{c}/0/0" for k in (0, 1) for c in (0, 1)}
        assert {each.removeprefix("GET /a.zarr") for each in chunks[:6]} == first
        assert_same_pixels(np.asarray(shared_viewer.layers[1].data[0][3]), DATA[3, 1])
        shared_viewer.layers.clear()


def test_an_error_of_a_server_is_shown(
    shared_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    notify = "napari_ferry.plugin.window_reader.notify"
    monkeypatch.setattr(notify, lambda message, severity: shown.append(message))
    with serving(tmp_path) as server:
        server.status = {"zarr.json": 403}
        shared_viewer.window._qt_viewer._qt_open(
            [f"{server.address}/a.zarr"], stack=False, plugin="napari-ferry"
        )
    assert not shared_viewer.layers
    assert shown
    assert shown[0].startswith("a.zarr cannot be read (its server refuses access")
