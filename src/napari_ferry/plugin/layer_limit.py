"""The layers that opening files makes: never more than a window holds well, and all else said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from napari_ferry.image.image import Image
from napari_ferry.layers.channels import MOST_LAYERS, slider_reason, split
from napari_ferry.layers.convert import LayerData, to_layers

Open: TypeAlias = Callable[[], Sequence[Image]]
"""Opens files, each time that it is called."""

_FEW_CHANNELS = 4
"""Channels without names above which they may be frames that a script wrote without axes."""

_remaining: list[tuple[Open, int]] = []
"""What was opened and has more layers than are shown, and how many are; the earliest first."""


def open_layers(open_images: Open) -> list[LayerData]:
    """Open images, and make as many layers of them as a window holds well.

    What was assumed, and what is left out, is shown as a notice. `open_remaining` adds the rest,
    for which the files are opened again, so that none is held open meanwhile.
    """
    images = open_images()
    notices: dict[str, list[str]] = {}
    for image in images:
        for sentence in _notices(image):
            notices.setdefault(sentence, []).append(image.name)
    for sentence, names in notices.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(f"{names[0]}{more}: {sentence}.")
    return _take(open_images, images, 0)


def open_remaining() -> None:
    """Add the next layers of what was opened to napari's viewer."""
    from napari import current_viewer
    from napari.layers import Layer

    viewer = current_viewer()
    if viewer is None or not _remaining:
        say("All layers that were opened are shown.")
        return
    open_images, shown = _remaining[0]
    images = open_images()
    del _remaining[0]
    for layer in _take(open_images, images, shown):
        viewer.add_layer(Layer.create(*layer))


def _notices(image: Image) -> Iterator[str]:
    """Yield what was assumed of an image that was opened, and why its channels share a layer."""
    if "assumed" in image.metadata:
        yield str(image.metadata["assumed"])
    count, reason = image.size("c"), slider_reason(image)
    is_named = any(channel.name or channel.color for channel in image.channels)
    if reason:
        yield f"its {count} channels are one layer, as {reason}"
    elif count > _FEW_CHANNELS and not is_named and len(split(image)) > 1:
        yield (
            f"the file counts {count} channels without names, and each is a layer; if they are "
            "frames, select all of them and choose Merge to Stack in their context menu"
        )


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
