"""Errors of opened files: one notification in the window, exceptions in scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from gui import NEEDS_DISPLAY, drop
from napari_ferry import UnreadableFileError, imload, imsave
from toasts import Toasts, real_toasts

PLUGIN = "napari-ferry"


@pytest.fixture
def toasts(shared_viewer: Any) -> Iterator[Toasts]:
    """Notifications of the window, with our readers as defaults."""
    from napari.settings import get_settings

    get_settings().plugins.extension2reader = {"*.tif": PLUGIN, "*.gif": PLUGIN}
    with real_toasts() as toasts:
        yield toasts


def damaged(folder: Path, name: str = "damaged.tif") -> Path:
    """Return a file that is cut off."""
    (path,) = imsave(np.full((5, 40, 60), 20, np.uint16), folder / name)
    os.truncate(path, 6)
    return path


@NEEDS_DISPLAY
@pytest.mark.window
@pytest.mark.parametrize("name", ["damaged.tif", "damaged.gif"])
def test_a_damaged_file_is_one_notice_and_the_window_lives(
    name: str, shared_viewer: Any, tmp_path: Path, toasts: Toasts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "napari._qt.dialogs.qt_reader_dialog.QtReaderDialog.get_user_choices",
        lambda dialog: asked.append(dialog) or (None, False),
    )
    path = damaged(tmp_path, name)
    drop(shared_viewer.window._qt_viewer, path)
    (text,) = toasts.texts
    assert text.startswith(f"{name} ")
    assert text.endswith(".")
    assert text.count("\n") == 0
    assert str(tmp_path) not in text
    assert not asked
    assert len(shared_viewer.layers) == 0

    toasts.dismiss()
    imsave(np.full((5, 40, 60), 20, np.uint8), path, overwrite=True)
    drop(shared_viewer.window._qt_viewer, path)
    assert len(shared_viewer.layers) == 1
    assert toasts.texts == []


@NEEDS_DISPLAY
@pytest.mark.window
def test_a_damaged_file_from_our_dialog_is_one_notice(
    tmp_path: Path, shared_viewer: Any, toasts: Toasts, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_ferry.plugin.commands import get_tiff_reader

    path = damaged(tmp_path)
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getOpenFileNames", lambda *_: ([str(path)], ""))
    get_tiff_reader()
    (text,) = toasts.texts
    assert text.startswith("damaged.tif ")


@NEEDS_DISPLAY
@pytest.mark.window
def test_a_script_in_the_window_gets_the_error(
    tmp_path: Path, shared_viewer: Any, toasts: Toasts
) -> None:
    with pytest.raises(UnreadableFileError, match=r"damaged\.tif"):
        shared_viewer.open(damaged(tmp_path), plugin=PLUGIN)
    assert toasts.texts == []


def test_a_script_gets_the_error(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"^damaged\.tif"):
        ViewerModel().open(path, plugin=PLUGIN)
    with pytest.raises(UnreadableFileError, match=r"^damaged\.tif"):
        imload(path)
