"""Options of the frames of a movie in folded sections: overlays, range, size, and renderer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_ferry.rendering.pixel_grid import FITS
from napari_ferry.rendering.render import render
from napari_ferry.signatures import options_of
from napari_ferry.widgets.export.export_options import OptionsForm
from napari_ferry.widgets.form import ChoiceField, FoldedSection, lay_out
from napari_ferry.widgets.form_words import RENDER

Renderer: TypeAlias = Literal["data", "canvas"]

_SECTIONS = {
    "Overlays": ("time_stamp", "scale_bar", "color_bar", "text", "text_corner"),
    "Frames": ("start", "stop", "step"),
    "Size": ("scale", "fit", "crop"),
    "Advanced": ("background",),
}
"""Title of a section -> its options of `render`; the viewer sets the others."""

_LAYER_OPTIONS = ("start", "stop", "crop", "text")
"""Options for the current layers only; they are not stored."""


class DrawingForm(QWidget):
    """Sections with the options of `render`, and the choice between data and canvas.

    Parameters
    ----------
    has_renderer : bool
        False without a viewer: there is no choice, and the background is what is entered.
    """

    changed = Signal()
    """The value of a field changed."""

    def __init__(self, *, has_renderer: bool = True) -> None:
        super().__init__()
        known = {option.name: option for option in options_of([render])}
        self.forms = {
            title: OptionsForm([known[name] for name in names])
            for title, names in _SECTIONS.items()
        }
        self.sections = {
            title: FoldedSection(title, "", form) for title, form in self.forms.items()
        }
        self.fields = {
            name: field for form in self.forms.values() for name, field in form.fields.items()
        }
        if has_renderer:
            self.fields["background"].value = ""  # as in the viewer
        else:
            self.fields["background"].native.setPlaceholderText("black")
        self.renderer = ChoiceField("renderer", RENDER) if has_renderer else None
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for title, section in self.sections.items():
            self.forms[title].changed.connect(self._on_change)
            column.addWidget(section)

        if self.renderer is None:
            return
        row = QWidget()
        lay_out(row, [self.renderer])
        self.advanced.add(row)
        self.renderer.changed.connect(self._on_change)

    @property
    def screen_size(self) -> tuple[int, int] | None:
        """Height and width in pixels of the screen to fit the picture to, or None."""
        return FITS.get(self.fields["fit"].value)

    @property
    def last_field(self) -> QWidget:
        """Last field in the order of the keyboard."""
        last = self.fields["background"] if self.renderer is None else self.renderer
        native: QWidget = last.native
        return native

    @property
    def advanced(self) -> FoldedSection:
        """Section for further options."""
        return self.sections["Advanced"]

    @property
    def chosen_renderer(self) -> Renderer | None:
        """Renderer chosen by the user; None to choose by the content of the viewer."""
        chosen: Renderer | None = None if self.renderer is None else self.renderer.value
        return chosen

    def values(self) -> dict[str, Any]:
        """Return the value of every option of `render` in the form.

        The background is absent unless the user entered one.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number.
        """
        values = {
            name: value for form in self.forms.values() for name, value in form.values().items()
        }
        if not values["background"]:
            del values["background"]
        return values

    def drawn_overlays(self) -> list[str]:
        """Return the labels of overlays and background in use, all of them drawn from data only."""
        names = ("time_stamp", "scale_bar", "color_bar", "text", "background")
        return [self.fields[name].label for name in names if self.fields[name].value]

    def texts(self) -> dict[str, Any]:
        """Return the contents of the fields worth storing, as plain JSON values."""
        texts = {name: text for form in self.forms.values() for name, text in form.texts().items()}
        return {name: text for name, text in texts.items() if name not in _LAYER_OPTIONS}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of fields; skip invalid values."""
        for form in self.forms.values():
            form.fill(texts)

    def set_range(self, start: int, stop: int | None) -> None:
        """Enter the first frame and the first excluded frame; None for the end."""
        start_field, stop_field = self.fields["start"], self.fields["stop"]
        with start_field.changed.blocked():
            start_field.value = start
        stop_field.value = "" if stop is None else str(stop)
        self.changed.emit()

    def halve(self) -> None:
        """Halve the height and the width of the movie."""
        self.fields["fit"].value = None
        self.fields["scale"].value = self.fields["scale"].value / 2

    def move_overlay(self, corner: str, to: str) -> None:
        """Move one overlay from a corner to another one."""
        names = ("time_stamp", "scale_bar", "color_bar", "text_corner")
        has_text = bool(self.fields["text"].value)
        for name in names:
            if self.fields[name].value == corner and (name != "text_corner" or has_text):
                self.fields[name].value = to
                return

    def _on_change(self, _: object = None) -> None:
        self.changed.emit()
