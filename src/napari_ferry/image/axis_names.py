"""Other names for the axes of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.image import Image

_are_given = ContextVar("are_axes_given", default=False)


def rename_axes(image: Image, names: Sequence[str]) -> Image:
    """Return an image with other names of its axes.

    Raises
    ------
    InvalidImageError
        There is not one name for each axis.
    """
    if len(names) != image.ndim:
        raise InvalidImageError(
            f"The image has the shape {image.shape} but the axes {' '.join(names)} were given: "
            "name one axis for each dimension."
        )
    renamed = tuple(replace(axis, name=name) for axis, name in zip(image.axes, names, strict=True))
    channels = image.channels if "c" in names else ()
    return replace(image, axes=renamed, channels=channels)


@contextmanager
def naming_axes(*, are_given: bool) -> Iterator[None]:
    """Return a context for opening files whose axes are named by the user if `are_given`.

    Readers do not warn of axes that they choose then.
    """
    token = _are_given.set(are_given)
    try:
        yield
    finally:
        _are_given.reset(token)


def are_axes_given() -> bool:
    """Return True while files are opened whose axes the user names."""
    return _are_given.get()
