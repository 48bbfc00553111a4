"""Fixtures for layers saved and opened by napari without a window."""

from collections.abc import Iterator
from typing import Any

import pytest
from npe2 import PluginManager, PluginManifest

from layer_files import PLUGIN, Clock
from napari_ferry.plugin.recently_opened import RecentlyOpened


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    """Plugin manager with only napari's own readers and writers and ours."""
    manager = PluginManager()
    manager.register(PluginManifest.from_distribution("napari"))
    manager.register(PluginManifest.from_distribution(PLUGIN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManager, "instance", lambda: manager)
        yield


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Messages displayed by napari, by kind."""
    shown: dict[str, list[str]] = {"info": [], "warning": []}

    def dispatch(notification: Any) -> None:
        shown[str(notification.severity)].append(notification.message)

    monkeypatch.setattr("napari.utils.notifications.notification_manager.dispatch", dispatch)
    return shown


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Clock of the record of recently opened files."""
    clock = Clock()
    monkeypatch.setattr("napari_ferry.plugin.commands._recent", RecentlyOpened(clock=clock))
    return clock
