"""Notifications in napari's window, with buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from napari_ferry.errors import escape_surrogates
from napari_ferry.plugin.manifest import PLUGIN

Severity: TypeAlias = Literal["info", "warning", "error"]
"""Severity of a notification, which determines its icon."""


def notify(
    message: str, severity: Severity = "info", buttons: Mapping[str, Callable[[], object]] = {}
) -> None:
    """Show a notification.

    napari displays a single line of about 45 characters, and the rest of the message at a click.

    Parameters
    ----------
    message : str
        Text of the notification.
    severity : {"info", "warning", "error"}
        Its severity.
    buttons : mapping
        Labels of buttons, and functions that they call; without a window there are none.
    """
    from napari.utils.notifications import Notification, notification_manager

    class Notice(Notification):  # type: ignore[misc]
        # napari displays it beside a button; by default the representation of an object
        source = PLUGIN

    # napari calls these with its widget
    actions = [(label, lambda *_, call=call: call()) for label, call in buttons.items()]
    notification_manager.dispatch(Notice(escape_surrogates(message), severity, actions))
