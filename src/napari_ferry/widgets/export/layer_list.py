"""The layers of the viewer, with a tick at those that are exported."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QListWidget, QListWidgetItem

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_LEAST_LINES, _MOST_LINES = 2, 5
_MARGINS = 12
"""Pixels above and below the lines."""

# fmt: off
_LOOKS = frozenset({
    "axis_labels", "blending", "colormap", "contour", "contrast_limits", "data", "gamma",
    "metadata", "opacity", "rendering", "scale", "selected_label", "show_selected_label",
    "translate", "units", "visible",
})
# fmt: on
"""Events of a layer after which a file of it is another one."""


class LayerTicks(QListWidget):
    """A list that follows the viewer's: its layers, from the top to the bottom, and their names.

    Those that are selected there are ticked, or those that are seen, until a tick is changed by
    hand; `follow` begins anew.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    of_visible : bool
        Whether the visible images and labels are ticked, and not those that are selected.
    """

    changed = Signal()
    """Another choice, or another look of what is chosen."""

    def __init__(self, viewer: Viewer, *, of_visible: bool = False) -> None:
        super().__init__()
        self.viewer = viewer
        self.of_visible = of_visible
        self.is_by_hand = False
        self.setAccessibleName("Layers to export")
        usual = "those that are seen" if of_visible else "those that are selected"
        self.setToolTip(f"The layers to export: {usual}, or those that you tick.")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.known: list[Layer] = []
        layers = viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self._on_layers)
        layers.selection.events.changed.connect(self._on_selection)
        self.itemChanged.connect(self._on_tick)
        self._on_layers()

    def chosen(self) -> list[Layer]:
        """Return the ticked layers, from the bottom to the top."""
        items = [item for row in range(self.count()) if (item := self.item(row))]
        ticked = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        return [item.data(Qt.ItemDataRole.UserRole) for item in reversed(ticked)]

    def follow(self) -> None:
        """Tick what is selected in the viewer, or seen, and go on doing so."""
        self.is_by_hand = False
        self._on_selection()

    def release(self) -> None:
        """Follow the viewer no more."""
        layers = self.viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.disconnect(self._on_layers)
        layers.selection.events.changed.disconnect(self._on_selection)
        self._listen(())

    def _on_layers(self, _: Any = None) -> None:
        ticked = self.chosen() if self.is_by_hand else self._usual()
        self.blockSignals(True)
        self.clear()
        for layer in reversed(self.viewer.layers):
            item = QListWidgetItem(layer.name)
            item.setData(Qt.ItemDataRole.UserRole, layer)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            state = Qt.CheckState.Checked if layer in ticked else Qt.CheckState.Unchecked
            item.setCheckState(state)
            item.setToolTip(layer.name)
            self.addItem(item)
        self.blockSignals(False)
        lines = min(max(self.count(), _LEAST_LINES), _MOST_LINES)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * lines + _MARGINS)
        self._listen(self.viewer.layers)
        self.changed.emit()

    def _usual(self) -> Collection[Layer]:
        """Return the layers that are ticked if nobody has said otherwise."""
        if not self.of_visible:
            return self.viewer.layers.selection  # type: ignore[no-any-return]
        kinds = (Image, Labels)
        return [layer for layer in self.viewer.layers if layer.visible and isinstance(layer, kinds)]

    def _listen(self, layers: Iterable[Layer]) -> None:
        """Listen to what changes in layers, and no more to those that are gone."""
        for layer in self.known:
            layer.events.disconnect(self._on_look)
        self.known = list(layers)
        for layer in self.known:
            layer.events.connect(self._on_look)

    def _on_selection(self, _: Any = None) -> None:
        if not self.is_by_hand:
            self._on_layers()

    def _on_tick(self, _: QListWidgetItem) -> None:
        self.is_by_hand = True
        self.changed.emit()

    def _on_look(self, event: Any) -> None:
        """Say that a ticked layer looks or means something else now, or has another name."""
        is_another = event.type == "visible" and self.of_visible and not self.is_by_hand
        if event.type == "name" or is_another:
            self._on_layers()
        elif event.type in _LOOKS and event.source in self.chosen():
            self.changed.emit()
