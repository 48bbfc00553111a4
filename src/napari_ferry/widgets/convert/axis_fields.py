"""Fields for the axes of movies: the one that plays, and what is shown of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_ferry.rendering.projection import ALL
from napari_ferry.widgets.convert.convert_words import AXIS, OTHER_AXES, POSITION
from napari_ferry.widgets.form import ChoiceField, lay_out


class AxisFields(QWidget):
    """Frame axis of all movies, and a position on the other axes or a projection along them."""

    changed = Signal()
    """A choice was changed."""

    def __init__(self) -> None:
        super().__init__()
        self.axis = ChoiceField("axis", AXIS)
        self.other_axes = ChoiceField("other_axes", OTHER_AXES)
        self.position = LineEdit(
            name="position", label=POSITION.label, tooltip=POSITION.tooltip, value=""
        )
        self.position.native.setPlaceholderText(POSITION.empty)
        self.fields = (self.axis, self.other_axes, self.position)
        lay_out(self, self.fields)
        for field in self.fields:
            field.changed.connect(self._on_change)

    def offer(self, axes: Sequence[str]) -> None:
        """Offer axes as the frame axis; a chosen one stays."""
        chosen = self.axis.value
        names = dict.fromkeys([*axes, *([] if chosen is None else [chosen])])
        if [*names] != [each for each in self.axis.choices if each is not None]:
            self.axis.offer({None: AXIS.choices[None], **dict(zip(names, names, strict=True))})

    @property
    def is_default(self) -> bool:
        """Whether nothing is chosen."""
        return not any(self.values().values())

    def values(self) -> dict[str, Any]:
        """Return the options of a movie: ``axis``, ``position``, ``thickness``, ``projection``."""
        projection = self.other_axes.value
        position = self.position.value.strip() or None
        return {
            "axis": self.axis.value,
            "position": position if projection is None else None,
            "thickness": None if projection is None else ALL,
            "projection": projection,
        }

    def texts(self) -> dict[str, Any]:
        """Return the contents of the fields as plain JSON values."""
        return {field.name: field.value for field in self.fields}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of the fields; skip invalid values."""
        axis, other_axes, position = (texts.get(field.name) for field in self.fields)
        if isinstance(axis, str):
            self.offer([axis])
            self.axis.value = axis
        if other_axes in OTHER_AXES.choices:
            self.other_axes.value = other_axes
        if isinstance(position, str):
            self.position.value = position

    def _on_change(self, _: object = None) -> None:
        rows = self.layout()
        assert isinstance(rows, QFormLayout)
        rows.setRowVisible(self.position.native, self.other_axes.value is None)
        self.changed.emit()
