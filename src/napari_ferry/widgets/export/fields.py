"""Common fields of exports: layers, format and target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from napari.layers import Image
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.io.protocol import hooks_of
from napari_ferry.signatures import options_of
from napari_ferry.widgets.export.export_options import OptionsForm
from napari_ferry.widgets.export.layer_list import LayerList
from napari_ferry.widgets.export.saved_choices import (
    load_preferences,
    preferred_folder,
    save_preferences,
)
from napari_ferry.widgets.export.target_field import TargetField
from napari_ferry.widgets.form import lay_out
from napari_ferry.widgets.form_words import FORMAT, LAYERS
from napari_ferry.widgets.plan_summary import Format, Request, formats

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_PLAYBACK_OPTIONS = frozenset({"axis", "position", "frame_rate"})
"""Options of movie formats with separate fields, or determined by the viewer."""

_FORMAT, _FOLDER = "format", "folder"
"""Keys of the stored choices; further keys are titles of formats."""


class Fields(QWidget):
    """Fields of an export, updated as the viewer changes.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    saved : dict
        Stored choices, changed by `save`.
    """

    is_movie = False
    """True to export layers as the frames of a movie; False for data."""

    changed = Signal()
    """A field changed, or the viewer shows something else."""

    def __init__(self, viewer: Viewer, saved: dict[str, Any]) -> None:
        super().__init__()
        self.viewer = viewer
        self.saved = saved
        self.saved_format: Format | None = None
        self._make_fields()
        self._lay_out()
        self._connect()
        self._on_format()

    def _make_fields(self) -> None:
        self.layer_list = LayerList(self.viewer, follow_visible=self.is_movie)
        followed = "visible" if self.is_movie else "selected"
        self.follow_button = QPushButton(f"Follow {followed} layers")
        self.follow_button.setToolTip("Discard your choice of layers, and follow the viewer again.")

        self.offered = [each for each in formats() if self._offers(each)]
        choices = [(f"{each.title} ({each.suffixes[0]})", each) for each in self.offered]
        self.format = ComboBox(
            name=_FORMAT, label=FORMAT.label, choices=choices, tooltip=FORMAT.tooltip
        )
        previous = [each for each in self.offered if each.title == self.saved.get(_FORMAT)]
        self.format.value = (previous or self.offered)[0]

        folder = preferred_folder() or self.saved.get(_FOLDER) or Path.home()
        self.target = TargetField(self.selected_format, Path(str(folder)).expanduser())
        self.format_options = OptionsForm([])

    def _offers(self, file_format: Format) -> bool:
        """Return True for a format offered by this form: for movies, or for stored samples."""
        hooks = hooks_of(file_format.codec)
        return (
            hooks.IS_MOVIE
            if self.is_movie
            else not hooks.IS_MOVIE or self._is_lossless(file_format)
        )

    def _is_lossless(self, file_format: Format) -> bool:
        keeping = hooks_of(file_format.codec).KEEPS_SAMPLES
        return all(suffix in keeping for suffix in file_format.suffixes)

    def _lay_out(self) -> None:
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel(LAYERS.label))
        row.addStretch()
        row.addWidget(self.follow_button)
        self.format_row = QWidget()
        lay_out(self.format_row, [self.format])

        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        for part in (heading, self.layer_list, *self._parts()):
            self.column.addWidget(part)

    def _parts(self) -> Iterator[QWidget]:
        """Yield the parts of the form below the layers, in the order of the keyboard."""
        yield self.format_row
        yield self.target

    def _connect(self) -> None:
        self.layer_list.changed.connect(self._on_layers)
        self.follow_button.clicked.connect(self.layer_list.follow)
        self.format.changed.connect(self._on_format)
        self.target.changed.connect(self._on_target)

    def release(self) -> None:
        """Disconnect from the viewer."""
        self.layer_list.release()

    # --- what to export ---------------------------------------------------------------------

    @property
    def selected_format(self) -> Format:
        """Format of the file."""
        selected: Format = self.format.value
        return selected

    def request(self) -> Request:
        """Return the export described by the fields.

        Raises
        ------
        FerryError
            The content of a field is not valid.
        """
        raise NotImplementedError

    def checked_layers(self) -> list[Layer]:
        """Return the checked layers, bottom layer first.

        Raises
        ------
        InvalidImageError
            No layer is checked.
        """
        layers = self.layer_list.checked_layers()
        if not layers:
            raise InvalidImageError(
                "No layer is checked: check one, select it in the viewer, or open a file first."
            )
        return layers

    # --- changes ----------------------------------------------------------------------------

    def _on_change(self, _: object = None) -> None:
        self.changed.emit()

    def _on_target(self) -> None:
        """Select the format whose suffix was typed, the longest one if several fit."""
        name = self.target.line.text().strip().lower()
        typed = {suffix: each for each in self.offered for suffix in each.suffixes}
        fitting = [suffix for suffix in typed if name.endswith(suffix)]
        if fitting:
            self.format.value = typed[max(fitting, key=len)]
        self._on_change()

    def _on_format(self) -> None:
        """Show the options of the selected format, with their stored values."""
        self._store_texts()
        selected = self.saved_format = self.selected_format
        previous, self.format_options = (
            self.format_options,
            OptionsForm(
                [
                    option
                    for option in options_of([selected.codec.plan])
                    if option.name not in _PLAYBACK_OPTIONS
                ]
            ),
        )

        stored = self.saved.get(selected.title)
        self._fill(
            {**(stored if isinstance(stored, dict) else {}), **load_preferences(selected.codec)}
        )

        self.format_options.changed.connect(self._on_change)
        self._place_options(previous)
        previous.hide()
        previous.deleteLater()
        self.target.set_format(selected)
        self._on_layers()

    def _place_options(self, previous: OptionsForm) -> None:
        """Replace the fields of the previous format's options in the form."""
        raise NotImplementedError

    def _fill(self, texts: dict[str, Any]) -> None:
        """Fill fields with stored texts."""
        self.format_options.fill(texts)

    def _texts(self) -> dict[str, Any]:
        """Return the texts of fields to store for the format."""
        return self.format_options.texts()

    def _on_layers(self) -> None:
        self.follow_button.setVisible(self.layer_list.is_edited)
        layers = self.layer_list.checked_layers()
        images = [layer for layer in layers if isinstance(layer, Image)]
        self.target.suggest((images or layers)[-1].name if layers else "")
        self.changed.emit()

    # --- stored choices ---------------------------------------------------------------------

    def save(self) -> None:
        """Store the choices, for this format and for the next session."""
        self._store_texts()
        self.saved[_FORMAT] = self.selected_format.title
        if self.target.is_edited:
            self.saved[_FOLDER] = str(self.target.chosen_folder)

    def _store_texts(self) -> None:
        """Store the contents of the fields under the title of their format."""
        if self.saved_format is not None:
            save_preferences(self.saved_format.codec, self.format_options.texts())
            self.saved[self.saved_format.title] = self._texts()
