"""Saves of what is seen: images are drawn as napari shows them where a movie of them needs it.

A single image in shades of gray needs no drawing: its samples are the picture, and stay what they
are. Nor does one that is saved in a format that keeps all samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from napari_ferry.arguments import to_path
from napari_ferry.arrays.stack import take_steps
from napari_ferry.errors import InvalidImageError, TargetError
from napari_ferry.image import Image, Saveable
from napari_ferry.image.record import SPEED
from napari_ferry.io import find_codec, images_for, option_names, plan
from napari_ferry.layers.channels import is_one_layer, split_channels
from napari_ferry.movie.frame_axis import choose_frame_axis, leading_sizes
from napari_ferry.rendering.render import render
from napari_ferry.rendering.view import choose_positions, make_frame_axis
from napari_ferry.saving import Plan

_DEFAULTS: dict[str, Any] = dict(render.__kwdefaults__ or {})
"""The options of `render`, and what they are when nothing is said."""

_SHARED = ("axis", "position")
"""Options of `render` that movies have, too."""

_SPAN = ("start", "stop", "step", "speed")
"""Options of `render` that samples can follow, too."""

_QUIET = (*_SHARED, *_SPAN, "background")
"""Options of `render` that are no reason to draw."""


def option_sources(codec: ModuleType) -> tuple[Callable[..., Any], ...]:
    """Return the functions whose keyword-only parameters are the options of a format."""
    return (codec.plan, render) if is_movie(codec) else (codec.plan,)


def is_movie(codec: ModuleType) -> bool:
    """Whether a format holds pictures that follow each other, not samples."""
    return bool(getattr(codec, "IS_MOVIE", False))


def plan_as_seen(
    images: Saveable, path: str | Path, *, as_seen: bool | None = None, **options: Any
) -> Plan:
    """Plan a save of images as they are seen; no pixels are read.

    Parameters
    ----------
    images : Image, array, or sequence of them
        What to save, from the bottom to the top. Frames of one shape in a sequence are one image,
        as for `napari_ferry.plan`.
    path : str or Path
        Where to; its suffix chooses the format.
    as_seen : bool, optional
        Whether to save a drawing. When absent, movies hold one if they need it, or if an option of
        `render` was given; other formats hold the samples.
    **options
        Those of the format, and of `render`.

    Raises
    ------
    UnsupportedFormatError, InvalidImageError, TargetError
        As `napari_ferry.plan` and `render`.
    """
    path = to_path(path, TargetError)
    codec = find_codec(path)
    given = images_for(codec, images)
    drawing = {name: value for name, value in options.items() if _is_drawing(name, value)}
    if as_seen is None:
        as_seen = bool(drawing) or (is_movie(codec) and needs_drawing(given, path, options))
    elif drawing and not as_seen:
        raise InvalidImageError(
            f"The samples are asked for as they are, and {', '.join(drawing)} for a drawing: leave "
            "out one of them."
        )
    known = option_names(codec.plan)
    kept = {
        name: value for name, value in options.items() if name in known or name not in _DEFAULTS
    }
    if not as_seen:
        is_cut = is_movie(codec) and any(
            options.get(name, _DEFAULTS[name]) != _DEFAULTS[name] for name in _SPAN
        )
        return plan([_excerpt(given[0], options)] if is_cut else given, path, **kept)
    of_render = {name: value for name, value in options.items() if name in _DEFAULTS}
    kept = {name: value for name, value in kept.items() if name not in _SHARED}
    planned = plan(render(given, **of_render), path, **kept)
    return replace(planned, losses=(*_losses(given), *planned.losses))


def needs_drawing(images: Sequence[Image], path: Path, options: Mapping[str, Any]) -> bool:
    """Whether images are more than one picture in shades of gray, or in colors of their own."""
    if len(images) > 1:
        return True
    (image,) = images
    if image.size("c") > 1 and not _names_channel(options) and not is_one_layer(image):
        return True
    if path.suffix.lower() in getattr(find_codec(path), "KEEPS_SAMPLES", ()):
        return False
    display = image.display
    is_gray = image.is_rgb or display.get("colormap") in (None, "gray", "grey")
    is_plain = display.get("gamma", 1) == 1 and display.get("opacity", 1) == 1
    return image.kind == "labels" or not is_gray or not is_plain


def _names_channel(options: Mapping[str, Any]) -> bool:
    """Whether channels run, or one of them was chosen."""
    return options.get("axis") == "c" or "c=" in str(options.get("position")).replace(" ", "")


def _is_drawing(name: str, value: object) -> bool:
    """Whether an option was given that only a drawing has."""
    return name in _DEFAULTS and name not in _QUIET and bool(value != _DEFAULTS[name])


def _excerpt(image: Image, options: Mapping[str, Any]) -> Image:
    """Return some steps of the axis of an image that runs, at the speed that was asked for."""
    sizes = leading_sizes(image)
    running, _ = choose_frame_axis(sizes, options.get("axis"), options.get("position"))
    start, stop, step, speed = (options.get(name, _DEFAULTS[name]) for name in _SPAN)
    if running is None:
        raise InvalidImageError(
            "Some frames of a movie were asked for, or its speed, and no axis runs: leave these "
            "out, or choose the axis."
        )
    axis = image.axes[running]
    steps = choose_positions(axis.name, image.shape[running], start, stop, step)
    axes = (*image.axes[:running], make_frame_axis(axis, steps, speed), *image.axes[running + 1 :])
    channels = image.channels[steps.start : steps.stop : steps.step] if axis.name == "c" else ()
    return replace(
        image,
        levels=(take_steps(image.array, running, steps, len(sizes)),),
        axes=axes,
        channels=channels or image.channels * (axis.name != "c"),
        metadata=image.metadata if speed is None else {**image.metadata, SPEED: speed},
    )


def _losses(images: Sequence[Image]) -> tuple[str, ...]:
    """Say what of images a drawing of them does not hold."""
    layers = [single for image in images for single in split_channels(image)]
    names = ", ".join(layer.name or layer.kind for layer in layers)
    if len(layers) > 1:
        return (f"{names} become one picture, as napari shows them, in colors of 8 bits",)
    return (f"{names} is drawn as napari shows it, in colors of 8 bits",)
