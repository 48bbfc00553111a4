"""The layers that opening files makes: never more than a window holds well, and all else said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from napari_ferry.channels import MOST_LAYERS, slider_reason
from napari_ferry.image import Image
from napari_ferry.layers import LayerData, to_layers

Open: TypeAlias = Callable[[], Sequence[Image]]
"""Opens files, each time that it is called."""

_remaining: list[tuple[Open, int]] = []
"""What was opened and has more layers than are shown, and how many are; the earliest first."""


def open_layers(open_images: Open) -> list[LayerData]:
    """Open images, and make as many layers of them as a window holds well.

    What was assumed, and what is left out, is shown as a notice. `open_remaining` adds the rest,
    for which the files are opened again, so that none is held open meanwhile.
    """
    images = open_images()
    for image in images:
        if "assumed" in image.metadata:
            say(f"{image.name}: {image.metadata['assumed']}.")
        reason = slider_reason(image)
        if reason:
            say(f"{image.name}: its {image.size('c')} channels are one layer, as {reason}.")
    return _take(open_images, images, 0)


def open_remaining() -> None:
    """Add the next layers of what was opened to napari's viewer."""
    from napari import current_viewer
    from napari.layers import Layer

    viewer = current_viewer()
    if viewer is None or not _remaining:
        say("All layers that were opened are shown.")
        return
    open_images, shown = _remaining.pop(0)
    for layer in _take(open_images, open_images(), shown):
        viewer.add_layer(Layer.create(*layer))


def say(message: str) -> None:
    """Show a notice in napari's window."""
    from napari.utils.notifications import show_info

    show_info(message)


def _take(open_images: Open, images: Sequence[Image], first: int) -> list[LayerData]:
    """Return as many layers as are shown at once, and remember whether others are left."""
    layers = to_layers(images)
    stop = first + MOST_LAYERS
    left = len(layers) - stop
    if left > 0:
        _remaining.insert(0 if first else len(_remaining), (open_images, stop))
        say(
            f"{images[0].name}: {MOST_LAYERS} layers are added, and {left} more are not: choose "
            "File > IO Utilities > Open remaining layers to add the next ones."
        )
    return layers[first:stop]
