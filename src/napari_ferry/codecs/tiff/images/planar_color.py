"""Stacks of three or four planes tagged as the red, green and blue of a color.

Without a color option, tifffile stores an array of shape (3, y, x) or (4, y, x) as the separate
samples of a color. The same tags describe a color that was written as such, so a file is opened
according to its description, or else its tags, and a warning names the alternative.
"""

from __future__ import annotations

from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes
from napari_ferry.errors import warn
from napari_ferry.image import Image
from napari_ferry.image.axis_names import are_axes_given

_WRITER = "tifffile"
"""Start of the tag Software of the only known writer to tag planes as a color unasked."""

_SAMPLES = {3: "red, green and blue", 4: "red, green, blue and transparency"}


def warn_shown_as_planes(header: Header, image: Image) -> None:
    """Warn of planes tagged as a color, but opened as planes by their description.

    Parameters
    ----------
    header : Header
        The first page.
    image : Image
        The image made of it.
    """
    if not _has_unnamed_planes(header) or image.is_rgb:
        return
    axes = [*image.axis_names[:-3], "c", "y", "x"]
    is_choice = len(set(axes)) == len("".join(axes))  # neither two axes c nor names such as d0
    channels = f"open the file with the axes {''.join(axes)!r} to see its channels, or "
    _warn(
        header,
        "but its description does not name a color: they are opened as the planes of a stack; if "
        f"they are a color, {channels if is_choice else ''}merge the planes to RGB in napari",
    )


def warn_shown_as_color(header: Header) -> None:
    """Warn of separate samples opened as a color, though they may be the planes of a stack."""
    if _has_unnamed_planes(header) and header.software.startswith(_WRITER):
        _warn(
            header,
            "and open as a color, but tifffile also tags the planes of a stack in this way: if "
            "they are a stack, split the layer with Split RGB in napari, or write the file with "
            "photometric='minisblack'",
        )


def _has_unnamed_planes(header: Header) -> bool:
    """Return True for a color in planes, unless the user gave the axes."""
    is_planar = header.axes.startswith("s") and frame_axes(header).names.endswith("s")
    return is_planar and not are_axes_given()


def _warn(header: Header, consequence: str) -> None:
    count = header.shape[0]
    warn(
        f"The {count} planes of each page of {header.path.name} are tagged as {_SAMPLES[count]}, "
        f"{consequence}."
    )
