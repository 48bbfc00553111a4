"""Fields of an export of data."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtWidgets import QWidget

from napari_ferry.io.protocol import hooks_of
from napari_ferry.layers.layer_data import from_layers
from napari_ferry.widgets.export.export_options import OptionsForm
from napari_ferry.widgets.export.fields import Fields
from napari_ferry.widgets.plan_summary import Request


class DataFields(Fields):
    """Fields to export the samples of layers, by default of the selected ones."""

    def _parts(self) -> Iterator[QWidget]:
        yield from super()._parts()
        yield self.format_options

    def request(self) -> Request:
        """Return the export described by the fields; see `Fields.request`."""
        data = [layer.as_layer_data_tuple() for layer in self.checked_layers()]
        path = self.target.path()
        is_video = hooks_of(self.selected_format.codec).IS_MOVIE
        return Request(
            images=tuple(from_layers(data)),
            path=path,
            options=self.format_options.values(),
            as_seen=False if is_video else None,
        )

    def _place_options(self, previous: OptionsForm) -> None:
        self.column.replaceWidget(previous, self.format_options)
        self.format_options.set_tab_order_after(self.target.browse)
