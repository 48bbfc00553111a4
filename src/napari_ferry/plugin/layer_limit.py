"""Add the layers of opened files, a limited number at a time, and show notices about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from napari_ferry.files.short_texts import list_few
from napari_ferry.image import Image
from napari_ferry.image.axes import frame_ndim
from napari_ferry.image.record import ASSUMED
from napari_ferry.layers.channels import MOST_LAYERS, is_one_layer, slider_reason
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.origins import Open, Source, record_origins
from napari_ferry.plugin.viewer_layers import to_viewer_layers

_FEW_CHANNELS = 4
"""Maximum number of unnamed channels without a notice.

More of them may be frames, saved by a script without naming its axes.
"""

_remaining: list[tuple[Source, int]] = []
"""Files with remaining layers and their number of added layers, earliest first."""


def open_layers(
    open_images: Open, paths: Sequence[Path] = (), *, opened: Sequence[Image] | None = None
) -> list[LayerData]:
    """Open images and return their layers, at most `MOST_LAYERS`.

    Notices report assumptions and omitted layers. `open_remaining` adds the remaining layers later;
    it opens the files again, so that none stays open meanwhile.

    Parameters
    ----------
    open_images : callable
        Opens the images, and opens them anew when the layers are loaded again.
    paths : sequence of Path
        The files and folders that it opens.
    opened : sequence of Image, optional
        The images, if they are open already.
    """
    source = Source(open=open_images, paths=tuple(paths))
    images = source.open() if opened is None else opened
    notices: dict[str, list[str]] = {}
    for image in images:
        for sentence in _notices(image):
            notices.setdefault(sentence, []).append(image.name)

    for sentence, names in notices.items():
        notify(f"{list_few(names, 1)}: {sentence}.")
    return _next_layers(source, images, 0)


def open_remaining() -> None:
    """Add the next remaining layers of opened files to the viewer."""
    from napari import current_viewer
    from napari.layers import Layer

    viewer = current_viewer()
    if viewer is None or not _remaining:
        notify("All layers of the opened files are already in the viewer.")
        return

    source, added = _remaining[0]
    images = source.open()
    del _remaining[0]
    for layer in _next_layers(source, images, added):
        viewer.add_layer(Layer.create(*layer))


def _notices(image: Image) -> Iterator[str]:
    """Yield notices about assumed metadata of an image and about its channels."""
    has_sliders = any(n > 1 for n in image.shape[: -frame_ndim(image.axes)])
    if ASSUMED in image.metadata and has_sliders:
        yield str(image.metadata[ASSUMED])
    count, reason = image.size("c"), slider_reason(image)
    is_named = any(channel.name or channel.color for channel in image.channels)
    if reason:
        yield f"its {count} channels are shown as one layer because {reason}"
    elif count > _FEW_CHANNELS and not is_named and not is_one_layer(image):
        yield (
            f"the file contains {count} channels without names, and each is a separate layer; if "
            "they are frames, select all of them and choose Merge to Stack in their context menu"
        )


def _next_layers(source: Source, images: Sequence[Image], first: int) -> list[LayerData]:
    """Return the next layers, at most `MOST_LAYERS`, and record remaining ones."""
    layers = to_viewer_layers(images)
    record_origins(source, layers)
    stop = first + MOST_LAYERS
    remaining = len(layers) - stop
    if remaining > 0:
        _remaining.insert(0 if first else len(_remaining), (source, stop))
        notify(
            f"{images[0].name}: {MOST_LAYERS} layers are added, and {remaining} more are not: "
            "choose File > IO Utilities > Open remaining layers to add more."
        )
    return layers[first:stop]
