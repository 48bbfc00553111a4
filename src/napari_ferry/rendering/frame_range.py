"""Range of frames of an image saved as samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_ferry.arrays.stack import take_steps
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.image.record import SPEED
from napari_ferry.movie.frame_axis import choose_frame_axis, leading_sizes
from napari_ferry.rendering.drawing_choice import DEFAULTS, SPAN
from napari_ferry.rendering.view import choose_positions, make_frame_axis


def take_frames(image: Image, options: Mapping[str, Any]) -> Image:
    """Return the requested frames of an image, at the requested playback speed."""
    sizes = leading_sizes(image)
    number, _ = choose_frame_axis(sizes, options.get("axis"), options.get("position"))
    start, stop, step, speed = (options.get(name, DEFAULTS[name]) for name in SPAN)
    if number is None:
        raise InvalidImageError(
            "A range of frames or a playback speed requires a frame axis: omit start, stop, step "
            "and speed, or choose a frame axis."
        )

    axis = image.axes[number]
    chosen = choose_positions(axis.name, image.shape[number], start, stop, step)
    axes = (*image.axes[:number], make_frame_axis(axis, chosen, speed), *image.axes[number + 1 :])
    channels = image.channels
    if axis.name == "c":
        channels = channels[chosen.start : chosen.stop : chosen.step]
    return replace(
        image,
        levels=(take_steps(image.array, number, chosen, len(sizes)),),
        axes=axes,
        channels=channels,
        metadata=image.metadata if speed is None else {**image.metadata, SPEED: speed},
    )
