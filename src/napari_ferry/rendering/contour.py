"""The outlines of labels."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def contours(labels: NDArray[Any], thickness: int, background: int) -> NDArray[Any]:
    """Return labels of which only the outlines are left, as napari draws them.

    A pixel is kept where another label lies beside it, or a lower one within `thickness` steps
    along the axes.

    Parameters
    ----------
    labels : numpy.ndarray
        Axes (y, x).
    thickness : int
        Pixels of each label that are kept; at least 1.
    background : int
        What the others become.
    """
    from scipy import ndimage

    cross = ndimage.generate_binary_structure(2, 1)
    highest = ndimage.grey_dilation(labels, footprint=cross)
    lowest = labels
    # step by step, as a diamond has far more pixels than the steps to its corner; no step leads
    # farther than around the picture
    for _ in range(min(thickness, sum(labels.shape))):
        lowest = ndimage.grey_erosion(lowest, footprint=cross)
    kept = labels.copy()
    kept[highest == lowest] = background
    return kept
