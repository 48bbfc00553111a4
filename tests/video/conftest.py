"""Fixtures for videos of numbered frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from video_files import MADE, make_numbered


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function to make one of the videos `MADE`, once per session."""
    folder = tmp_path_factory.mktemp("made")

    def make(name: str) -> Path:
        path = folder / name
        return path if path.exists() else make_numbered(path, *MADE[name])

    return make


@pytest.fixture(params=[False, True], ids=["small", "large"])
def any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encode small frames as large ones are encoded, too."""
    if request.param:
        monkeypatch.setattr("napari_ferry.codecs.video.ffmpeg_options._LARGE_PIXELS", 0)
