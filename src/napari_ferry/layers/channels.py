"""Merge compatible layers into the channels of one image, and split them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from operator import itemgetter
from typing import Any

from napari_ferry.arrays.stack import Stack, take
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.axes import limits_of
from napari_ferry.image.channel_displays import channel_displays, has_malformed_displays
from napari_ferry.image.colormaps import color_of
from napari_ferry.image.record import CHANNEL_AXIS, CHANNEL_DISPLAYS, LAYER_ORDER, SLIDER
from napari_ferry.layers.display import TRANSFORMS, warn_invalid

MOST_LAYERS = 64
"""Maximum number of layers added when a file is opened; more of them slow the window down."""

_MOST_UNNAMED = 16
"""Maximum number of channels without names and colors that become separate layers."""

_TWO_COLORS = ("green", "magenta")
_CYCLE = ("cyan", "magenta", "yellow", "blue", "green", "red")
"""Colormaps of channels without colors; more than two have those of napari's ``add_image``."""


def are_channels(first: Image, image: Image) -> bool:
    """Return True if two layers can be channels of one image."""
    transforms = [
        [other.display.get(key) for key in (*TRANSFORMS, "axis_labels")] for other in (first, image)
    ]

    return (
        first.kind == image.kind == "image"
        and first.axes == image.axes
        and "c" not in first.axis_names
        and not first.is_rgb
        and [level.shape for level in first.levels] == [level.shape for level in image.levels]
        and first.dtype == image.dtype
        and transforms[0] == transforms[1]
    )


def merge_channels(images: Sequence[Image]) -> Image:
    """Merge compatible layers into one image with channels.

    Each channel keeps the display settings and the metadata of its layer.
    """
    first = images[0]
    names = first.axis_names
    index = names.index("z") if "z" in names else names.index("y")
    levels = tuple(
        Stack([image.levels[k] for image in images], index) for k in range(len(first.levels))
    )

    channels = [
        Channel(image.name, color_of(image.display.get("colormap")), limits_of(image.display))
        for image in images
    ]
    displays = [{**image.display, "metadata": image.metadata} for image in images]
    return Image(
        levels,
        (*first.axes[:index], Axis("c"), *first.axes[index:]),
        tuple(channels),
        first.name,
        display={CHANNEL_DISPLAYS: displays},
    )


def slider_reason(image: Image) -> str | None:
    """Return the reason for showing channels as one layer with a slider, or None.

    Few people want a layer for each of 300 channels. Such channels are usually the frames of a
    movie whose writer did not name its axes.
    """
    if _is_slider(image):
        return None

    count = image.size("c")
    is_described = any(channel.name or _is_tint(channel.color) for channel in image.channels)
    if count > MOST_LAYERS:
        return f"there are more than {MOST_LAYERS}"
    if count > _MOST_UNNAMED and not is_described:
        return f"there are more than {_MOST_UNNAMED}, and they have neither names nor colors"
    if count > 1 and image.is_rgb and not is_described:
        return "they are color frames without names"
    return None


def is_one_layer(image: Image) -> bool:
    """Return True if an image has no channels, or shows them as one layer with a slider."""
    has_slider = _is_slider(image) or slider_reason(image) is not None
    return "c" not in image.axis_names or has_slider


def _is_slider(image: Image) -> bool:
    """Return True if an image was saved from one layer with a channel slider."""
    return bool(image.display.get(CHANNEL_AXIS) == SLIDER)


def _is_tint(color: str | None) -> bool:
    """Return True if a color identifies a channel: not a shade of gray."""
    return color is not None and len({color[i : i + 2].lower() for i in (1, 3, 5)}) > 1


def joint_limits(channels: Sequence[Channel]) -> tuple[float, float] | None:
    """Return the common contrast limits of channels; None unless all have limits."""
    pairs = [channel.contrast_limits for channel in channels if channel.contrast_limits]
    if not pairs or len(pairs) < len(channels):
        return None
    lows, highs = zip(*pairs, strict=True)
    return min(lows), max(highs)


def split_channels(image: Image) -> list[Image]:
    """Split an image into one image per channel; return other images unchanged."""
    if is_one_layer(image):
        return [image]

    index = image.axis_names.index("c")
    axes = (*image.axes[:index], *image.axes[index + 1 :])
    count = image.size("c")
    shared = _without(image.display, CHANNEL_DISPLAYS)
    channels = image.channels or (Channel(),) * count
    displays = displays_of_channels(image)
    colormaps = _default_colormaps(image, displays)
    return [
        Image(
            tuple(take(level, index, i) for level in image.levels),
            axes,
            name=channel.name or (f"{image.name} {i}" if count > 1 else image.name),
            kind=image.kind,
            display=colormap
            | _channel_display(channel, count)
            | shared
            | _without(display, "metadata"),
            metadata=display.get("metadata", image.metadata),
        )
        for i, (channel, display, colormap) in enumerate(
            zip(channels, displays, colormaps, strict=True)
        )
    ]


def split_all(images: Sequence[Image]) -> list[Image]:
    """Split images into channels, in their recorded layer order."""
    return _restore_order([single for image in images for single in split_channels(image)])


def _restore_order(images: Sequence[Image]) -> list[Image]:
    """Sort images by recorded layer index, if every image has a different one."""
    indices = [
        index for image in images if isinstance(index := image.display.get(LAYER_ORDER), int)
    ]
    if len(set(indices)) < len(images):
        return list(images)
    return [image for _, image in sorted(zip(indices, images, strict=True), key=itemgetter(0))]


def displays_of_channels(image: Image) -> list[Mapping[str, Any]]:
    """Return the display of each channel of an image, with its metadata if it has its own.

    Warns
    -----
    FerryWarning
        A display is malformed.
    """
    count = image.size("c")
    if has_malformed_displays(image.display, count):
        warn_invalid(image.name, [CHANNEL_DISPLAYS])
    return channel_displays(image.display, count)


def _default_colormaps(image: Image, displays: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the colormap of each channel of an image without any color, as display settings.

    Two gray layers on top of each other could not be told apart.
    """
    count = len(displays)
    is_colored = any(channel.color for channel in image.channels) or any(
        "colormap" in display for display in (image.display, *displays)
    )
    if count == 1 or is_colored or image.is_rgb or image.kind == "labels":
        return [{}] * count
    names = _TWO_COLORS if count == 2 else _CYCLE
    return [{"colormap": name} for name in islice(cycle(names), count)]


def _channel_display(channel: Channel, count: int) -> dict[str, Any]:
    """Return display settings derived from a channel's color and contrast limits."""
    return {**({"blending": "additive"} if count > 1 else {}), **channel.to_display()}


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
