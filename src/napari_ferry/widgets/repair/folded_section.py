"""Section of a form that is folded at first."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

_NO_LIMIT = (1 << 24) - 1
"""Largest height of a widget in pixels: Qt's QWIDGETSIZE_MAX, which PySide6 does not export."""


class FoldedSection(QCollapsible):
    """Section whose fields are hidden while it is folded, so that the keyboard skips them.

    Parameters
    ----------
    title, tooltip : str
        Title of the section, and its tooltip.
    part : QWidget
        Its content, which may grow.
    """

    def __init__(self, title: str, tooltip: str, part: QWidget) -> None:
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        self.toggleButton().setToolTip(tooltip)
        self.setDuration(0)
        # its height depends on its width, as labels are wrapped
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        # `addWidget` would fix the height of the section, and cut off a part that grows.
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(part)
        content.hide()
        self.setContent(content)
        for layout in (self.layout(), column):
            assert layout is not None
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setAlignment(Qt.AlignmentFlag(0))  # or else the height ignores the width
        self.toggled.connect(self._on_toggle)

    def _on_toggle(self, is_open: bool) -> None:
        self.content().setMaximumHeight(_NO_LIMIT)
        self.content().setVisible(is_open)
