"""The dock *Export* while it opens: its tabs are imported and made behind the window's back."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from gui import WINDOW
from napari_ferry.widgets.export.export_widget import Export
from napari_ferry.widgets.export.widget_steps import Steps
from napari_ferry.widgets.module_import import CONVERT, EXPORT, import_modules

pytestmark = WINDOW


@pytest.fixture
def dock(shared_viewer: Any, monkeypatch: pytest.MonkeyPatch) -> Export:
    monkeypatch.setattr("napari_ferry.plugin.settings_file.settings_path", lambda _: None)
    shared_viewer.add_image(np.zeros((3, 32, 32), np.uint8))
    dock: Export = shared_viewer.window.add_plugin_dock_widget("napari-ferry", "Export")[1]
    return dock


def test_both_tabs_are_made_while_the_window_goes_on(dock, qtbot):
    assert not dock.is_complete
    assert [dock.tabs.tabText(i) for i in range(dock.tabs.count())] == ["Data", "Movie"]
    qtbot.waitUntil(lambda: dock.is_complete)
    assert dock.data.isVisible()
    assert not dock.movie.isVisible()
    dock.show_tab(is_movie=True)
    assert dock.movie.isVisible()


def test_a_tab_that_is_used_before_it_is_made_is_made_at_once(dock, qtbot):
    movie = dock.movie
    assert None not in (movie.fields.camera.parent(), movie.fields.drawing.parent())
    qtbot.waitUntil(lambda: dock.is_complete)
    assert dock.movie is movie


@pytest.mark.sample(2)
@pytest.mark.parametrize("nsteps", range(9))
def test_a_dock_that_is_closed_before_it_is_complete_leaves_nothing_behind(
    dock, shared_viewer, nsteps
):
    for _ in range(nsteps):
        dock._take_step()
    shared_viewer.window.remove_dock_widget("all")  # the fixture looks for what is left


def test_the_width_stays_when_the_tabs_come(dock, qtbot):
    width = dock.width()
    qtbot.waitUntil(lambda: dock.is_complete)
    qtbot.wait(50)
    assert dock.width() == width


def test_steps_that_failed_are_not_taken_again():
    def make() -> Generator[None, None, str]:
        yield
        raise OSError("no")

    steps = Steps(make())
    steps.take()
    for error in (OSError, AssertionError):
        with pytest.raises(error):
            steps.finish()


def test_a_step_that_failed_leaves_nothing_to_end():
    def make():
        yield
        raise OSError("no such picture")

    steps = Steps(make())
    steps.take()
    with pytest.raises(OSError, match="no such picture"):
        steps.take()
    assert steps.is_begun
    assert steps.end() is None


@pytest.mark.parametrize("names", [CONVERT, EXPORT])
def test_modules_of_a_dock_can_be_imported(names):
    """They are named by strings, and imported in a thread."""
    import_modules(names)
