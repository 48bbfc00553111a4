"""Layers that are alike <-> the channels of one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from napari_ferry.arrays.stack import Stack, take
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.axes import limits_of
from napari_ferry.image.colormaps import color_of
from napari_ferry.layers.display import IDENTITY, warn_unsound

MOST_LAYERS = 64
"""Layers that opening a file adds by itself; more of them slow the window down."""

_MOST_UNNAMED = 16


def are_channels(first: Image, image: Image) -> bool:
    """Whether two layers can be channels of one image."""
    transforms = [
        [other.display.get(key) for key in (*IDENTITY, "axis_labels")] for other in (first, image)
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


def merge(images: Sequence[Image]) -> Image:
    """Make layers that are alike the channels of one image; each keeps what is its own."""
    first = images[0]
    names = first.axis_names
    at = names.index("z") if "z" in names else names.index("y")
    levels = tuple(
        Stack([image.levels[k] for image in images], at) for k in range(len(first.levels))
    )
    channels = [
        Channel(image.name, color_of(image.display.get("colormap")), limits_of(image.display))
        for image in images
    ]
    own = [{**image.display, "metadata": image.metadata} for image in images]
    return Image(
        levels,
        (*first.axes[:at], Axis("c"), *first.axes[at:]),
        tuple(channels),
        first.name,
        display={"channels": own},
    )


def slider_reason(image: Image) -> str | None:
    """Return why channels are made one layer with a slider, ``None`` where they are not.

    Few people want a layer for each of 300 channels: mostly they are the frames of a movie whose
    writer did not name its axes.
    """
    count = image.size("c")
    is_described = any(channel.name or _is_tint(channel.color) for channel in image.channels)
    if _is_slider(image):
        return None
    if count > MOST_LAYERS:
        return f"they are more than {MOST_LAYERS}"
    if count > _MOST_UNNAMED and not is_described:
        return f"they are more than {_MOST_UNNAMED} and have neither names nor colors"
    if count > 1 and image.is_rgb and not is_described:
        return "they are frames in color without names"
    return None


def is_one_layer(image: Image) -> bool:
    """Whether an image has no channels, or channels that share a layer with a slider."""
    has_slider = _is_slider(image) or slider_reason(image) is not None
    return "c" not in image.axis_names or has_slider


def _is_slider(image: Image) -> bool:
    """Whether an image was one layer with its channels along a slider."""
    return bool(image.display.get("channel_axis") == "slider")


def _is_tint(color: str | None) -> bool:
    """Whether a color tells a channel from others: one that is not a shade of gray."""
    return color is not None and len({color[i : i + 2].lower() for i in (1, 3, 5)}) > 1


def joint_limits(channels: Sequence[Channel]) -> tuple[float, float] | None:
    """Return the contrast limits of channels in one layer, ``None`` unless all have some."""
    pairs = [channel.contrast_limits for channel in channels if channel.contrast_limits]
    if not pairs or len(pairs) < len(channels):
        return None
    lows, highs = zip(*pairs, strict=True)
    return min(lows), max(highs)


def split_channels(image: Image) -> list[Image]:
    """Take an image with channels apart, one image each; any other stays as it is."""
    if is_one_layer(image):
        return [image]
    at = image.axis_names.index("c")
    axes = (*image.axes[:at], *image.axes[at + 1 :])
    count = image.size("c")
    shared = {key: value for key, value in image.display.items() if key != "channels"}
    described = image.channels or (Channel(),) * count
    return [
        Image(
            tuple(take(level, at, i) for level in image.levels),
            axes,
            name=channel.name or (f"{image.name} {i}" if count > 1 else image.name),
            kind=image.kind,
            display=_channel_display(channel, count) | shared | _without(display, "metadata"),
            metadata=display.get("metadata", image.metadata),
        )
        for i, (channel, display) in enumerate(zip(described, channel_displays(image), strict=True))
    ]


def split_all(images: Sequence[Image]) -> list[Image]:
    """Take images apart, in the order of layers where they remember it."""
    return _in_order([single for image in images for single in split_channels(image)])


def _in_order(images: Sequence[Image]) -> list[Image]:
    """Return images as their layers stood, where each says its place and no two say the same."""
    places = [place for image in images if isinstance(place := image.display.get("order"), int)]
    if len(set(places)) < len(images):
        return list(images)
    return [image for _, image in sorted(zip(places, images, strict=True), key=itemgetter(0))]


def channel_displays(image: Image) -> list[Mapping[str, Any]]:
    """Return what is said of how each channel is shown, with its metadata if it has its own."""
    own = image.display.get("channels")
    if not isinstance(own, list | tuple) or len(own) != image.size("c"):
        own = [{}] * image.size("c")
    sound = [each if _is_shown(each) else {} for each in own]
    if sound != list(own):
        warn_unsound(image.name, ["channels"])
    return sound


def _is_shown(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("metadata", {}), Mapping)


def _channel_display(channel: Channel, count: int) -> dict[str, Any]:
    """Return how a channel is shown of which only its color and limits are known."""
    return {**({"blending": "additive"} if count > 1 else {}), **channel.to_display()}


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
