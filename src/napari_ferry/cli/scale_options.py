"""Scale and units of images, as given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_ferry.cli.axis_values import parse_quantity, refuse_unknown, split_axes
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image

_EXAMPLE = "z=2,y=0.5,x=0.5"


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    """Steps between neighbors along axes, as texts of options.

    Parameters
    ----------
    scale : tuple of str
        Steps of axes by name (``y=0.5um``), or one step for each axis (``2,0.5,0.5``).
    unit : tuple of str
        Units of axes by name (``t=ms``), or a length of z, y and x, or a time of t.
    frame_rate : float, optional
        Frames per second.
    """

    scale: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    frame_rate: float | None = None

    def apply(self, images: Sequence[Image]) -> list[Image]:
        """Return images with these steps and units, on the axes of each image.

        Raises
        ------
        InvalidImageError
            An axis, a number or a unit is not valid.
        """
        result = _with_units(images, self.unit) if self.unit else list(images)
        if self.scale:
            result = _with_steps(result, self.scale)
        return result if self.frame_rate is None else _with_rate(result, self.frame_rate)


def _with_units(images: Sequence[Image], texts: Sequence[str]) -> list[Image]:
    """Return images with other units."""
    words = [word for text in texts for word in text.replace(",", " ").split()]
    named = [word for word in words if "=" in word]
    units = split_axes("--unit", named, "t=ms") if named else {}
    refuse_unknown("--unit", units, [image.axis_names for image in images])
    for unit in (word for word in words if "=" not in word):
        images = [image.replace(unit=unit) for image in images]
    return [
        image.replace(unit={name: units[name] for name in image.axis_names if name in units})
        for image in images
    ]


def _with_steps(images: Sequence[Image], texts: Sequence[str]) -> list[Image]:
    """Return images with other steps, and with the units after the numbers."""
    joined = ",".join(texts)
    if "=" not in joined:
        steps = [parse_quantity("--scale", text) for text in joined.split(",")]
        return [_replace_steps(image, _pair(image, steps)) for image in images]

    by_name = {
        name: parse_quantity("--scale", text)
        for name, text in split_axes("--scale", texts, _EXAMPLE).items()
    }
    refuse_unknown("--scale", by_name, [image.axis_names for image in images])
    return [
        _replace_steps(image, {name: by_name[name] for name in image.axis_names if name in by_name})
        for image in images
    ]


def _pair(
    image: Image, steps: Sequence[tuple[float, str | None]]
) -> dict[str, tuple[float, str | None]]:
    """Return the step of each axis of an image, from one for each.

    Raises
    ------
    InvalidImageError
        There are more or fewer steps than axes.
    """
    names = image.axis_names
    if len(steps) != len(names):
        raise InvalidImageError(
            f"--scale without names needs a number for each of the axes {' '.join(names)}: name "
            f"the axes instead, such as --scale {_EXAMPLE}."
        )
    return dict(zip(names, steps, strict=True))


def _replace_steps(image: Image, steps: dict[str, tuple[float, str | None]]) -> Image:
    """Return an image with other steps of some axes, and other units if these are given."""
    return image.replace(
        scale={name: step for name, (step, _) in steps.items()},
        unit={name: unit for name, (_, unit) in steps.items() if unit},
    )


def _with_rate(images: Sequence[Image], rate: float) -> list[Image]:
    """Return images whose steps along t are those of a frame rate, in seconds."""
    if not rate > 0:
        raise InvalidImageError(f"--frame-rate is {rate:g}: give a number above 0.")
    refuse_unknown("--frame-rate", {"t": rate}, [image.axis_names for image in images])
    return [
        image.replace(scale={"t": 1 / rate}, unit={"t": "second"})
        if "t" in image.axis_names
        else image
        for image in images
    ]
