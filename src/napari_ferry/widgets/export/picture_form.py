"""Options of the picture of a movie: range, size, overlays, and source of the frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget
from superqt import QCollapsible

from napari_ferry.plugin.viewer import background
from napari_ferry.rendering.render import render
from napari_ferry.signatures import options_of
from napari_ferry.widgets.export.options import OptionsForm
from napari_ferry.widgets.form import lay_out

PLAYBACK_OPTIONS = frozenset(
    {"axis", "position", "plane", "speed", "frame_rate"}
    | {"flip", "grid", "grid_stride", "grid_spacing", "thickness", "projection"}
)
"""Options that have fields of their own, or follow from the viewer."""

_LAYER_OPTIONS = frozenset({"start", "stop"})
"""Options that suit the current layers only, and are not stored."""

_DATA, _CANVAS = "data", "canvas"
_SOURCES = (("From data (sharp)", _DATA), ("As on screen", _CANVAS))
_SOURCE_TIP = (
    "From data: sharp at any size. As on screen: screenshots of the viewer, with points, shapes "
    "and 3-D views."
)


class PictureForm(QCollapsible):
    """Collapsible form with the options of `render`, and the choice between data and canvas."""

    changed = Signal()
    """The value of a field changed."""

    def __init__(self) -> None:
        super().__init__("Picture")
        self.setToolTip("Range, size and overlays of the movie")
        self.source = ComboBox(name="source", label="Render", choices=_SOURCES, tooltip=_SOURCE_TIP)
        self.options = OptionsForm(
            [option for option in options_of([render]) if option.name not in PLAYBACK_OPTIONS]
        )
        self.options.fill({"background": background()})

        row = QWidget()
        lay_out(row, [self.source])
        for part in (row, self.options):
            self.addWidget(part)
        for field in (self.source, self.options):
            field.changed.connect(self._on_change)

    @property
    def uses_canvas(self) -> bool:
        """True if the viewer's canvas draws the frames."""
        return bool(self.source.value == _CANVAS)

    def values(self) -> dict[str, Any]:
        """Return the value of every option of `render`.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number.
        """
        return self.options.values()

    def texts(self) -> dict[str, Any]:
        """Return the contents of the fields worth storing, as plain JSON values."""
        texts = {
            name: text for name, text in self.options.texts().items() if name not in _LAYER_OPTIONS
        }
        if texts["background"] == background():  # that of napari's theme, which may change
            del texts["background"]
        return texts

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of fields; skip invalid values."""
        self.options.fill(texts)

    def _on_change(self, _: object = None) -> None:
        self.changed.emit()
