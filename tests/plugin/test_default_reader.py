"""napari-ferry as the default reader: a question in the window, a menu entry and a preference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW, drop
from napari_ferry import imsave
from napari_ferry.io.search import suffixes
from napari_ferry.plugin.default_reader import follow_preference, is_default, open_always
from napari_ferry.plugin.preferences import preferences_page
from napari_ferry.plugin.previous_readers import load_readers, save_readers
from toasts import Toasts, real_toasts

pytestmark = WINDOW

QUESTION = "Always open these files with napari-ferry?"

CHOSEN = {"*.png": "napari", "*.tif": "napari-ferry", "*.avi": "napari-video"}
"""Readers that a person has chosen."""

LONG = 150
"""Milliseconds after which a question would have been asked."""


@pytest.fixture
def page(shared_viewer: Any) -> Iterator[Any]:
    """Our page of the preferences, with a question that has not been asked."""
    page = preferences_page("opening")
    assert page is not None
    page.default_reader = "ask once"
    yield page
    page.default_reader = "no"


@pytest.fixture
def readers(page: Any) -> Iterator[Any]:
    """Settings of a person who has chosen readers for some suffixes."""
    from napari.settings import get_settings

    settings = get_settings().plugins
    settings.extension2reader = dict(CHOSEN)
    yield settings
    save_readers({})


@pytest.fixture
def toasts(shared_viewer: Any) -> Iterator[Toasts]:
    with real_toasts() as toasts:
        yield toasts


def all_patterns() -> list[str]:
    """Return the patterns of all files that napari-ferry opens."""
    return [f"*{suffix}" for suffix in suffixes(to_open=True)]


def drop_file(viewer: Any, path: Path) -> None:
    imsave(np.zeros((8, 9), "u1"), path)
    drop(viewer.window._qt_viewer, path)
    assert viewer.layers[-1].name == path.stem


def test_the_question_is_asked_once_and_answered_by_a_click(
    shared_viewer: Any, tmp_path: Path, page: Any, readers: Any, toasts: Toasts, qtbot: Any
) -> None:
    drop_file(shared_viewer, tmp_path / "a.tif")
    toasts.wait_for(qtbot, QUESTION)
    toasts.click(qtbot, QUESTION, "Yes")
    chosen = readers.extension2reader
    ours = (".tif", ".lsm", ".bin", ".gif", ".avi")
    assert {chosen[f"*{suffix}"] for suffix in ours} == {"napari-ferry"}
    assert chosen["*.png"] == "napari"
    assert "*.json" not in chosen
    assert not [pattern for pattern in chosen if pattern.endswith("/")]
    assert page.default_reader == "yes"
    drop_file(shared_viewer, tmp_path / "b.gif")
    qtbot.wait(LONG)
    assert toasts.texts == []


def test_it_can_be_undone(
    shared_viewer: Any, page: Any, readers: Any, toasts: Toasts, qtbot: Any
) -> None:
    open_always()
    (text,) = toasts.texts
    assert "File > Preferences > napari-ferry" in text
    toasts.click(qtbot, "now opens", "Undo")
    assert readers.extension2reader == CHOSEN
    assert page.default_reader == "no"

    open_always()
    page.default_reader = "no"  # in the preferences
    assert readers.extension2reader == CHOSEN


def test_without_an_answer_nothing_changes_and_nobody_is_asked_again(
    shared_viewer: Any, tmp_path: Path, page: Any, readers: Any, toasts: Toasts, qtbot: Any
) -> None:
    before = readers.extension2reader
    for name in ("a.tif", "b.tif"):
        drop_file(shared_viewer, tmp_path / name)
        qtbot.wait(LONG)
    toasts.wait_for(qtbot, QUESTION)
    assert readers.extension2reader == before
    assert page.default_reader == "asked"


def test_nobody_is_asked_who_has_answered_already(
    shared_viewer: Any, tmp_path: Path, page: Any, readers: Any, toasts: Toasts, qtbot: Any
) -> None:
    open_always()
    toasts.dismiss()
    page.default_reader = "ask once"
    drop_file(shared_viewer, tmp_path / "a.tif")
    qtbot.wait(LONG)
    assert toasts.texts == []
    assert is_default()


def test_scripts_and_refused_files_ask_nothing(
    shared_viewer: Any, tmp_path: Path, page: Any, readers: Any, toasts: Toasts, qtbot: Any
) -> None:
    imsave(np.zeros((8, 9), "u1"), tmp_path / "a.tif")
    shared_viewer.open(tmp_path / "a.tif", plugin="napari-ferry")
    (tmp_path / "b.tif").touch()
    drop(shared_viewer.window._qt_viewer, tmp_path / "b.tif")
    qtbot.wait(LONG)
    (refusal,) = toasts.texts
    assert refusal.startswith("b.tif ")
    assert page.default_reader == "ask once"


@pytest.mark.parametrize(("choice", "before"), [("yes", False), ("no", True)])
def test_a_choice_made_while_the_plugin_was_inactive_is_applied(
    choice: str, before: bool, page: Any, readers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        open_always()
    chosen = readers.extension2reader
    with page.events.default_reader.blocker():
        page.default_reader = choice
    readers.extension2reader = chosen
    assert is_default() is before
    follow_preference()
    assert is_default() is not before
    assert readers.extension2reader["*.png"] == "napari"


def test_a_pattern_that_a_person_removed_stays_removed(page: Any, readers: Any) -> None:
    open_always()
    readers.extension2reader = {
        name: reader for name, reader in readers.extension2reader.items() if name != "*.gif"
    }
    follow_preference()
    assert "*.gif" not in readers.extension2reader


@pytest.mark.parametrize("choice", ["asked", "no"])
def test_readers_chosen_by_hand_survive_an_earlier_answer(
    choice: str, page: Any, readers: Any
) -> None:
    page.default_reader = choice
    readers.extension2reader = {**CHOSEN, **dict.fromkeys(all_patterns(), "napari-ferry")}
    chosen = readers.extension2reader
    follow_preference()
    assert readers.extension2reader == chosen
    page.default_reader = "yes"
    page.default_reader = "no"
    assert "*.gif" not in readers.extension2reader, "a new answer counts"


def test_a_reader_chosen_since_is_kept(page: Any, readers: Any) -> None:
    open_always()
    readers.extension2reader = {**readers.extension2reader, "*.gif": "napari-gif"}
    open_always()
    assert readers.extension2reader["*.gif"] == "napari-ferry"
    readers.extension2reader = {**readers.extension2reader, "*.bin": "napari-raw"}
    page.default_reader = "no"
    assert readers.extension2reader == {**CHOSEN, "*.gif": "napari-gif", "*.bin": "napari-raw"}


def test_previous_readers_outlive_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings" / "napari-ferry-readers.json"
    monkeypatch.setattr("napari_ferry.plugin.settings_file.settings_path", lambda _: path)
    session: dict[str, str | None] = {}
    monkeypatch.setattr("napari_ferry.plugin.previous_readers._session", session)
    save_readers({"*.avi": "napari-video", "*.gif": None})
    session.clear()
    assert load_readers() == {"*.avi": "napari-video", "*.gif": None}
    path.write_text("[", "utf-8")
    assert load_readers() == {}
    save_readers({})
    assert not path.exists()
