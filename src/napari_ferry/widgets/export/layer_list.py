"""List of the viewer's layers, with a check box for each layer to export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_ferry.plugin.viewer_overlays import layer_overlay_events
from napari_ferry.widgets.form import EMPTY_BOXES, escape_text

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_MIN_ROWS, _MAX_ROWS = 1, 4
_MARGINS = 12
"""Height of both margins together, in pixels."""

# fmt: off
_EXPORTED_EVENTS = frozenset({
    "affine", "axis_labels", "blending", "colormap", "contour", "contrast_limits", "data", "gamma",
    "interpolation2d", "metadata", "opacity", "projection_mode", "rendering", "rotate", "scale",
    "selected_label", "shear", "show_selected_label", "translate", "units", "visible",
})
# fmt: on
"""Events of a layer with an effect on its exported file."""


class LayerList(QListWidget):
    """List of the viewer's layers, updated as they change.

    Layers that are selected in the viewer are checked, or the visible ones. Once the user checks or
    unchecks a layer, the check marks stay as they are; they end with the checked layers, or with
    `follow`.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    follow_visible : bool
        True to check the visible layers instead of the selected layers.
    """

    changed = Signal()
    """Other layers are checked, or a checked layer changed."""

    def __init__(self, viewer: Viewer, *, follow_visible: bool = False) -> None:
        super().__init__()
        self.viewer = viewer
        self.follow_visible = follow_visible
        self.is_edited = False
        self.observed: list[Layer] = []  # of the rows, bottom row first

        self.setAccessibleName("Layers to export")
        default = "visible" if follow_visible else "selected"
        self.setToolTip(f"Layers to export: the {default} layers, unless you check others.")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setStyleSheet(EMPTY_BOXES)

        layers = viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self._on_layers)
        layers.selection.events.changed.connect(self._on_selection)
        self.itemChanged.connect(self._on_check)
        self._on_layers()

    def checked_layers(self) -> list[Layer]:
        """Return the checked layers, bottom layer first."""
        rows = zip(reversed(range(self.count())), self.observed, strict=False)
        items = ((self.item(row), layer) for row, layer in rows)
        return [layer for item, layer in items if item and _is_checked(item)]

    def excluded_layers(self) -> list[Layer]:
        """Return the layers the user unchecked, or left unchecked in an edited list."""
        checked = self.checked_layers()
        return [each for each in self.viewer.layers if self.is_edited and each not in checked]

    def follow(self) -> None:
        """Check the selected or visible layers from now on, and forget the user's edits."""
        self.is_edited = False
        self._on_selection()

    def release(self) -> None:
        """Disconnect from the viewer."""
        layers = self.viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.disconnect(self._on_layers)
        layers.selection.events.changed.disconnect(self._on_selection)
        self._observe(())

    def _on_layers(self, _: Any = None) -> None:
        checked: Collection[Layer] = self.checked_layers()
        # check marks of the user end with their layers
        self.is_edited = self.is_edited and any(layer in self.viewer.layers for layer in checked)
        if not self.is_edited:
            checked = self._default_layers()

        self.blockSignals(True)
        self.clear()
        for layer in reversed(self.viewer.layers):
            item = QListWidgetItem(layer.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            state = Qt.CheckState.Checked if layer in checked else Qt.CheckState.Unchecked
            item.setCheckState(state)
            item.setToolTip(escape_text(layer.name))
            self.addItem(item)
        self.blockSignals(False)

        self._fit_height()
        self._observe(self.viewer.layers)
        self.changed.emit()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Adapt the height to another font."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._fit_height()

    def _fit_height(self) -> None:
        rows = min(max(self.count(), _MIN_ROWS), _MAX_ROWS)
        row_height = max(self.sizeHintForRow(0), self.fontMetrics().lineSpacing())
        self.setFixedHeight(row_height * rows + _MARGINS)

    def _default_layers(self) -> Collection[Layer]:
        """Return the layers to check unless the user edited the list."""
        if not self.follow_visible:
            return self.viewer.layers.selection  # type: ignore[no-any-return]
        return [layer for layer in self.viewer.layers if layer.visible]

    def _observe(self, layers: Iterable[Layer]) -> None:
        """Connect to the events of layers, and disconnect from the previous layers."""
        for event, slot in self._slots():
            event.disconnect(slot)
        self.observed = list(layers)
        for event, slot in self._slots():
            event.connect(slot)

    def _slots(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        """Yield events of the observed layers and of their overlays, each with its slot."""
        for layer in self.observed:
            yield layer.events, self._on_layer_event
            if self.follow_visible:  # data have no overlays
                yield from ((event, self._on_overlay) for event in layer_overlay_events(layer))

    def _on_selection(self, _: Any = None) -> None:
        if not self.is_edited:
            self._on_layers()

    def _on_check(self, _: QListWidgetItem) -> None:
        self.is_edited = True
        self.changed.emit()

    def _on_overlay(self, _: Any) -> None:
        self.changed.emit()

    def _on_layer_event(self, event: Any) -> None:
        """Update the list, or report a change of a checked layer."""
        changes_default = event.type == "visible" and self.follow_visible and not self.is_edited
        if event.type == "name" or changes_default:
            self._on_layers()
        elif event.type in _EXPORTED_EVENTS and event.source in self.checked_layers():
            self.changed.emit()


def _is_checked(item: QListWidgetItem) -> bool:
    return item.checkState() == Qt.CheckState.Checked
