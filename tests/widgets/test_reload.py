"""Command *Reload from disk* in a real window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from gui import menu_entry
from layer_files import PLUGIN, pixels
from napari_ferry import imsave
from napari_ferry.widgets.reload.reload_command import reload_layers

pytestmark = pytest.mark.window


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages of notifications."""
    shown: list[str] = []
    monkeypatch.setattr(
        "napari_ferry.widgets.reload.reload_command.notify", lambda text, *_: shown.append(text)
    )
    return shown


def reload(viewer: Any) -> None:
    menu_entry(viewer, viewer.window.layers_menu, "Reload from disk").trigger()


def test_a_file_is_loaded_again(shared_viewer: Any, tmp_path: Path, said: list[str]):
    path = tmp_path / "a.tif"
    imsave(pixels(3, 20, 30), path)
    (layer,) = shared_viewer.open(path, plugin=PLUGIN)
    shared_viewer.add_image(pixels(20, 30), name="other")
    shared_viewer.layers.selection = {layer}
    shared_viewer.dims.set_current_step(0, 2)
    now = pixels(7, 20, 30, seed=1)
    imsave(now, path, overwrite=True)

    reload(shared_viewer)
    assert said == ["a.tif was loaded again."]
    assert [each.name for each in shared_viewer.layers] == ["a", "other"]
    assert shared_viewer.dims.nsteps[0] == 7
    assert shared_viewer.dims.current_step[0] == 2
    assert np.array_equal(layer.data, now)
    assert np.array_equal(layer._slice.image.raw, now[2])


def test_a_file_that_is_gone_is_said_once(shared_viewer: Any, tmp_path: Path, said: list[str]):
    path = tmp_path / "a.tif"
    imsave(pixels(3, 20, 30), path)
    (layer,) = shared_viewer.open(path, plugin=PLUGIN)
    before = layer.data
    path.unlink()
    reload(shared_viewer)
    assert len(said) == 1
    assert said[0].startswith("a.tif")
    assert layer.data is before


def test_a_layer_of_another_origin_is_named(shared_viewer: Any, said: list[str]):
    shared_viewer.add_image(pixels(20, 30), name="result")
    reload(shared_viewer)
    assert said == [
        "result cannot be loaded again: it was not opened by napari-ferry, or its data were "
        "replaced since."
    ]


def test_a_layer_that_is_removed_meanwhile_is_left_alone(
    shared_viewer: Any, tmp_path: Path, said: list[str]
):
    from qtpy.QtCore import QTimer

    path = tmp_path / "a.tif"
    imsave(pixels(3, 20, 30), path)
    (layer,) = shared_viewer.open(path, plugin=PLUGIN)
    before = layer.data
    QTimer.singleShot(0, shared_viewer.layers.clear)  # runs while the file is opened
    reload(shared_viewer)
    assert len(shared_viewer.layers) == 0
    assert layer.data is before


def test_without_a_selected_layer_nothing_is_loaded_again(said: list[str]):
    reload_layers(ViewerModel())
    assert said == ["No layer is selected: select the layers to load again."]
