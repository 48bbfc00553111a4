"""Command *Reload from disk* for the selected layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari import Viewer
from napari.layers import Layer

from napari_ferry.errors import FerryError
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.origins import Source, origin_of
from napari_ferry.plugin.reload import group_by_source, missing_origin, open_source, replace_layers
from napari_ferry.widgets.worker import call_in_thread


def reload_layers(viewer: Viewer) -> None:
    """Load the selected layers again from their files; a command of the manifest.

    The files are opened in a thread. Until then, and after errors, layers keep their data.
    """
    selected = [layer for layer in viewer.layers if layer in viewer.layers.selection]
    for layer in selected:
        if origin_of(layer) is None:
            notify(missing_origin(layer.name), "error")
    if not selected:
        notify("No layer is selected: select the layers to load again.", "error")

    for source, members in group_by_source(selected, viewer.layers).items():
        try:
            _reload(viewer, source, members)
        except FerryError as error:
            notify(str(error), "error")
        else:
            notify(f"{source.name} was loaded again.")


def _reload(viewer: Viewer, source: Source, members: Sequence[Layer]) -> None:
    """Open the files of a source in a thread, then replace the data of their layers.

    Raises
    ------
    FerryError
        A file cannot be opened, or a layer cannot show it.
    """
    opening = partial(open_source, source, viewer.dims.current_step)
    layers = call_in_thread(opening)
    replace_layers(source, [each for each in members if each in viewer.layers], layers)
