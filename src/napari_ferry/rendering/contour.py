"""The outlines of labels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def draw_contours(labels: NDArray[Any], thickness: int, background: int) -> NDArray[Any]:
    """Return the outlines of labels, as napari draws them.

    A pixel is kept if a different label is adjacent, or if a lower label is within `thickness`
    steps along the axes.

    Parameters
    ----------
    labels : numpy.ndarray
        Axes (y, x).
    thickness : int
        Width of the outlines in pixels, at least 1.
    background : int
        New value of all other pixels.
    """
    from scipy import ndimage

    cross = ndimage.generate_binary_structure(2, 1)
    highest = ndimage.grey_dilation(labels, footprint=cross)
    lowest = labels
    # step by step, because a diamond has far more pixels than steps to its corner; more steps than
    # the size of the picture have no effect
    for _ in range(min(thickness, sum(labels.shape))):
        lowest = ndimage.grey_erosion(lowest, footprint=cross)
    outlines = labels.copy()
    outlines[highest == lowest] = background
    return outlines
