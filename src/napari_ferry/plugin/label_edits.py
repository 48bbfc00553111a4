"""Edits of labels while these are being saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from napari_ferry.layers.layer_data import LayerData


@contextmanager
def watch_edits(layers: Sequence[LayerData]) -> Iterator[set[str]]:
    """Collect the names of Labels layers painted on during a ``with`` block.

    Painting changes the array that is being saved, frame by frame. Replacing the array of a layer
    does not.
    """
    from napari import current_viewer
    from napari.layers import Labels

    viewer = current_viewer()
    labels = [] if viewer is None else [each for each in viewer.layers if isinstance(each, Labels)]
    watched = [each for each in labels if any(each.data is data for data, *_ in layers)]
    edited: set[str] = set()

    def add_name(event: Any) -> None:
        """Add the name of a painted layer."""
        edited.add(event.source.name)

    for layer in watched:
        layer.events.paint.connect(add_name)
    try:
        yield edited
    finally:
        for layer in watched:
            layer.events.paint.disconnect(add_name)
