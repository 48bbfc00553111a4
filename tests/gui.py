"""What a hand does in a real window: drop files, answer questions; and windows that are reused."""

from __future__ import annotations

import copy
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NEEDS_DISPLAY = pytest.mark.skipif(
    sys.platform == "linux" and not os.environ.get("DISPLAY"),
    reason="no display: run under xvfb-run",
)
"""Mark of a test that opens a window."""

WINDOW = [pytest.mark.window, NEEDS_DISPLAY]
"""Marks of a module of such tests."""


def drop(target: Any, *paths: Path) -> None:
    """Let go of files over a widget, as a file manager would."""
    from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
    from qtpy.QtGui import QDragEnterEvent, QDropEvent
    from qtpy.QtWidgets import QApplication

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    modifiers = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), *how, modifiers)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(9, 9), *how, modifiers))
    QApplication.processEvents()


def answer(monkeypatch: pytest.MonkeyPatch, button: str) -> list[str]:
    """Answer the questions that come with Yes or No; return what they ask."""
    from qtpy.QtGui import QTextDocument
    from qtpy.QtWidgets import QMessageBox

    asked: list[str] = []

    def reply(parent: Any, title: str, text: str) -> Any:
        shown = QTextDocument()
        shown.setHtml(text)
        asked.append(shown.toPlainText())
        return getattr(QMessageBox.StandardButton, button)

    monkeypatch.setattr(QMessageBox, "question", reply)
    return asked


def menu_entry(viewer: Any, menu: Any, title: str) -> Any:
    """Return the action of a menu or one of its submenus with this beginning."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        if action.text().replace("&", "").startswith(title):
            return action
        if action.menu() is not None:
            found = menu_entry(viewer, action.menu(), title)
            if found is not None:
                return found
    return None


# --- a window for many tests ------------------------------------------------------------------


class SharedWindow:
    """A viewer in a window that is shown, and is as new after each test that has used it.

    Parameters
    ----------
    viewer : napari.Viewer
        A new one.
    """

    def __init__(self, viewer: Any) -> None:
        from napari._qt.qt_viewer import QtViewer

        self.viewer = viewer
        self.size = viewer.window._qt_window.size()
        self.state = _state(viewer)
        self.listeners = _listeners(viewer)
        self.threads: set[threading.Thread] = set()
        QtViewer._instances.discard(viewer.window._qt_viewer)  # napari's fixture counts those left

    def prepare(self) -> None:
        """Note what is there before a test."""
        self.threads = _our_threads()

    def restore(self) -> list[str]:
        """Remove what a test has added, reset what it has changed; return what stays behind."""
        from napari.utils.notifications import notification_manager

        viewer, window = self.viewer, self.viewer.window
        # Mesa has crashed while a canvas was drawn from which layers were being removed
        window._qt_window.setUpdatesEnabled(False)
        window.remove_dock_widget("all")
        viewer.layers.clear()
        viewer.dims.ndim = viewer.dims.ndisplay = 2
        _set_state(viewer, self.state)
        window._qt_window.setUpdatesEnabled(True)
        notification_manager.records.clear()
        window._qt_window.showNormal()
        window._qt_window.resize(self.size)
        if window._pref_dialog is not None:
            window._pref_dialog.close()
        _wait_until(lambda: not _our_widgets() and not _our_threads() - self.threads)
        left = []
        for widget in _our_widgets():
            left.append(f"{type(widget).__name__} of this plugin")
            widget.deleteLater()  # so that the next test is not blamed for it
        left += self._listeners_left()
        left += [f"changed {name}" for name in _changes(self.state, _state(viewer))]
        tasks = window._task_status_manager
        return [*left, *tasks.get_status()]

    def _listeners_left(self) -> list[str]:
        before, self.listeners = self.listeners, _listeners(self.viewer)
        return list((self.listeners - before).elements())


def _state(model: Any) -> dict[str, Any]:
    """Return all values of an evented model and its parts, without layers and the mouse's."""
    left_out = ("layers", "cursor", "help", "mouse_over_canvas", "size", "status")
    return {
        name: _state(value) if _is_model(value) else copy.copy(value)
        for name, value in _values(model)
        if name not in left_out
    }


def _values(model: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(model, "items"):
        return iter(model.items())
    return ((name, getattr(model, name)) for name in type(model).model_fields)


def _is_model(value: Any) -> bool:
    from napari.utils.events import EventedModel

    return isinstance(value, EventedModel) or hasattr(value, "items")


def _set_state(model: Any, state: dict[str, Any]) -> None:
    for name, value in _values(model):
        if isinstance(wanted := state.get(name), dict):
            _set_state(value, wanted)
        elif name in state and not _is_equal(value, wanted):
            setattr(model, name, copy.copy(wanted))


def _changes(before: dict[str, Any], after: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{prefix}{name}.")
        elif not _is_equal(old, new):
            yield f"{prefix}{name}: {old!r} -> {new!r}"


def _is_equal(a: Any, b: Any) -> bool:
    return repr(a) == repr(b)  # arrays among them have no truth value


def _listeners(viewer: Any) -> Counter[str]:
    """Return how many living listeners each event of the viewer and its canvas has."""
    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    groups = {
        "viewer": viewer.events,
        "layers": viewer.layers.events,
        "selection": viewer.layers.selection.events,
        "dims": viewer.dims.events,
        "camera": viewer.scene.camera.events,
        "canvas": canvas.events,
    }
    return Counter(
        {
            f"listener of {group}.{name}": sum(map(_is_alive, emitter.callbacks))
            for group, events in groups.items()
            for name, emitter in events.emitters.items()
        }
    )


def _is_alive(callback: Any) -> bool:
    """Return False for a method whose object is gone, which the next event drops."""
    return not isinstance(callback, tuple) or callback[0]() is not None


def is_of_a_slider(widget: Any) -> bool:
    """Return True for a widget of napari's sliders, which makes new ones when it likes."""
    from napari._qt.widgets.qt_dims import QtDims

    while widget is not None and not isinstance(widget, QtDims):
        widget = widget.parent()
    return widget is not None


def _our_widgets() -> list[Any]:
    from qtpy.QtWidgets import QApplication

    widgets = QApplication.allWidgets()
    return [widget for widget in widgets if type(widget).__module__.startswith("napari_ferry")]


def _our_threads() -> set[threading.Thread]:
    """Return the threads that plan and save; that of idle decoders ends when it likes."""
    names = ("ferry-plan", "ferry-save", "ferry-code")
    return {thread for thread in threading.enumerate() if thread.name.startswith(names)}


def _wait_until(is_done: Callable[[], bool], seconds: float = 5) -> None:
    """Let Qt delete what is to be deleted and threads end, until it is done or too late."""
    from qtpy.QtCore import QCoreApplication, QEvent

    deadline = time.monotonic() + seconds
    while True:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()
        if is_done() or time.monotonic() > deadline:
            return
        time.sleep(0.01)
