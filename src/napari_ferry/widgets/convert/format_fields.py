"""Format of the converted files with its options: the forms of the dock *Export*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_ferry.io.protocol import hooks_of
from napari_ferry.signatures import options_of
from napari_ferry.widgets.convert.axis_fields import AxisFields
from napari_ferry.widgets.convert.convert_words import CROP_TIP, OPTIONS
from napari_ferry.widgets.convert.target_fields import LABEL_WIDTH
from napari_ferry.widgets.export.drawing_form import DrawingForm
from napari_ferry.widgets.export.export_options import OptionsForm
from napari_ferry.widgets.export.saved_choices import load_preferences, save_preferences
from napari_ferry.widgets.form import FoldedSection
from napari_ferry.widgets.form_words import FORMAT
from napari_ferry.widgets.plan_summary import Format, formats

_LEFT_OUT = frozenset({"axis", "position"})
"""Options with fields of their own."""

_FORMAT, _DRAWING, _AXES = "format", "drawing", "axes"
"""Keys of the stored choices; further keys are titles of formats."""

_DEFAULT_SUFFIX = ".mp4"


class FormatFields(QWidget):
    """Choice of the format, and its options in folded sections.

    Parameters
    ----------
    saved : dict
        Stored choices, changed by `save`.
    drawing : DrawingForm
        Options of drawn frames, placed by `add_drawing`.
    """

    changed = Signal()
    """The format or an option was changed."""

    def __init__(self, saved: dict[str, Any], drawing: DrawingForm) -> None:
        super().__init__()
        self.drawing = drawing
        self.saved = saved
        self.options: OptionsForm | None = None
        self.shown: Format | None = None
        self.has_others = False
        self._make_fields()
        self._lay_out()
        self.format.changed.connect(self._on_format)
        self.drawing.changed.connect(self.changed.emit)
        self.axes.changed.connect(self.changed.emit)
        self._show_options()

    def _make_fields(self) -> None:
        choices = [(f"{each.title} ({each.suffixes[0]})", each) for each in formats()]
        stored = next((each for each in formats() if each.title == self.saved.get(_FORMAT)), None)
        default = next(each for each in formats() if _DEFAULT_SUFFIX in each.suffixes)
        self.format = ComboBox(
            value=stored or default,
            choices=choices,
            name="format",
            label=FORMAT.label,
            tooltip=FORMAT.tooltip,
        )
        self.drawing.fields["crop"].tooltip = CROP_TIP
        self.axes = AxisFields()
        for key, part in ((_DRAWING, self.drawing), (_AXES, self.axes)):
            texts = self.saved.get(key)
            part.fill(texts if isinstance(texts, dict) else {})

    def _lay_out(self) -> None:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        label = QLabel(FORMAT.label)
        label.setMinimumWidth(LABEL_WIDTH)
        label.setToolTip(FORMAT.tooltip)
        label.setBuddy(self.format.native)
        self.format.native.setAccessibleName(FORMAT.label)
        self.format.native.setMinimumWidth(LABEL_WIDTH)  # the longest title may be cut off
        self.format.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        line.addWidget(label)
        line.addWidget(self.format.native, stretch=1)
        self.section = FoldedSection(OPTIONS.label, OPTIONS.tooltip)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        self.column.addWidget(row)
        self.column.addWidget(self.axes)
        self.column.addWidget(self.section)

    def add_drawing(self) -> None:
        """Add the options of drawn frames when the others are in the window.

        It then sets the style of fewer widgets at a time.
        """
        self.column.addWidget(self.drawing)

    @property
    def selected(self) -> Format:
        """The chosen format."""
        selected: Format = self.format.value
        return selected

    def values(self) -> dict[str, Any]:
        """Return the values of all options.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number.
        """
        assert self.options is not None
        own = self.options.values()
        return {**own, **self.drawing.values(), **self.axes.values()} if self._is_movie else own

    def save(self) -> None:
        """Store the choices in `saved`, and in napari's preferences."""
        self._store_texts()
        self.saved[_FORMAT] = self.selected.title
        self.saved[_DRAWING] = self.drawing.texts()
        self.saved[_AXES] = self.axes.texts()

    def show_axes(self, axes: Sequence[str], *, has_others: bool) -> None:
        """Offer the axes of the listed data sets as frame axes of movies.

        Parameters
        ----------
        axes : sequence of str
            Names of their axes besides those of a frame.
        has_others : bool
            Whether one of them has several of these; or else there is nothing to choose.
        """
        self.has_others = has_others
        self.axes.offer(axes)
        self._show_movie_fields()

    def _show_movie_fields(self) -> None:
        """Show the fields that apply to movies."""
        self.drawing.setVisible(self._is_movie)
        self.axes.setVisible(self._is_movie and (self.has_others or not self.axes.is_default))

    @property
    def _is_movie(self) -> bool:
        return hooks_of(self.selected.codec).IS_MOVIE

    def _on_format(self) -> None:
        self._store_texts()
        self._show_options()
        self.changed.emit()

    def _show_options(self) -> None:
        """Show the options of the chosen format, with their stored values."""
        previous, self.shown = self.options, self.selected
        options = options_of([self.shown.codec.plan])
        self.options = OptionsForm([each for each in options if each.name not in _LEFT_OUT])
        stored = self.saved.get(self.shown.title)
        self.options.fill(stored if isinstance(stored, dict) else {})
        self.options.fill(load_preferences(self.shown.codec))
        self.options.changed.connect(self.changed.emit)
        if previous is not None:
            self.section.column.removeWidget(previous)
            previous.hide()
            previous.deleteLater()
        self.section.add(self.options)
        self.section.setVisible(bool(self.options.fields))
        self._show_movie_fields()

    def _store_texts(self) -> None:
        if self.shown is not None and self.options is not None:
            save_preferences(self.shown.codec, self.options.texts())
            self.saved[self.shown.title] = self.options.texts()
