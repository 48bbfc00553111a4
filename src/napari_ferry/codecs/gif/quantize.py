"""Color quantization: boxes of colors are split by variance, then refined by k-means.

The splitting follows Wu (1992), "Color quantization by dynamic programming and principal
analysis", ACM Transactions on Graphics 11(4), with splits along one axis; k-means is Lloyd (1982).
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]

_BINS = 36
_ITERATIONS = 6
_BATCH_SIZE = 1 << 14


def quantize(colors: NDArray[np.uint8], count: int) -> tuple[NDArray[np.uint8], float]:
    """Choose a palette for some pixels.

    Parameters
    ----------
    colors : numpy.ndarray
        Axes (pixel, s), uint8; s is 1 or 3.
    count : int
        Maximum number of colors in the palette.

    Returns
    -------
    palette : numpy.ndarray
        Axes (index, s), uint8, without duplicates.
    error : float
        Mean of the squared differences of all samples.
    """
    points, weights = _group(colors)
    centers = _split_into_boxes(points, weights, count)
    for _ in range(_ITERATIONS):
        nearest, _ = find_nearest(points, centers)
        centers = _means(points, weights, nearest, centers)
    palette = np.unique(np.rint(centers).astype(np.uint8), axis=0)
    _, distance = find_nearest(points, palette.astype(np.float32))
    return palette, float((distance * weights).sum() / (weights.sum() * points.shape[1]))


def find_nearest(points: Points, centers: Points) -> tuple[NDArray[np.intp], Points]:
    """Return the index of the nearest center of each point, and its squared distance."""
    nearest, distance = np.empty(len(points), np.intp), np.empty(len(points), np.float32)
    half = (centers**2).sum(1) / 2
    for start in range(0, len(points), _BATCH_SIZE):
        batch = points[start : start + _BATCH_SIZE]
        closeness = batch @ centers.T
        closeness -= half
        best = closeness.argmax(1)
        nearest[start : start + _BATCH_SIZE] = best
        largest = closeness[np.arange(len(batch)), best]
        distance[start : start + _BATCH_SIZE] = np.maximum((batch**2).sum(1) - 2 * largest, 0)
    return nearest, distance


def _group(colors: NDArray[np.uint8]) -> tuple[Points, NDArray[np.float64]]:
    """Group similar colors; return their means, axes (point, s), and their numbers of pixels."""
    low, high = colors.min(0).astype(int), colors.max(0).astype(int)
    bins = np.minimum(_BINS if colors.shape[1] > 1 else 256, high - low + 1)
    key = np.zeros(len(colors), np.int64)
    for s in range(colors.shape[1]):
        bin_of_level = (np.arange(256) - low[s]) * bins[s] // (high[s] - low[s] + 1)
        key = key * bins[s] + bin_of_level[colors[:, s]]

    counts = np.bincount(key)
    used = counts > 0
    sums = [np.bincount(key, colors[:, s])[used] for s in range(colors.shape[1])]
    weights = counts[used].astype(np.float64)
    return (np.stack(sums, 1) / weights[:, None]).astype(np.float32), weights


def _split_into_boxes(points: Points, weights: NDArray[np.float64], count: int) -> Points:
    """Split the box with the largest variance repeatedly; return the means of the boxes."""
    boxes: list[_Box] = []
    heapq.heappush(boxes, _make_box(points, weights, np.arange(len(points))))
    while len(boxes) < count and boxes[0].order[0] < 0:
        widest = heapq.heappop(boxes)
        for members in _split_box(points, weights, widest):
            heapq.heappush(boxes, _make_box(points, weights, members))
    return np.stack([box.mean for box in boxes]).astype(np.float32)


class _Box(NamedTuple):
    """Indices of some points; the box with the largest variance is the first in a heap."""

    order: tuple[float, int]
    axis: int
    members: NDArray[np.intp]
    mean: NDArray[np.float64]


def _make_box(points: Points, weights: NDArray[np.float64], members: NDArray[np.intp]) -> _Box:
    """Make a box of some points; its axis is the axis of their largest variance."""
    inside, mass = points[members], weights[members]
    total = mass.sum()
    mean = mass @ inside / total
    spread = mass @ (inside - mean) ** 2 if len(members) > 1 else np.zeros(len(mean))
    return _Box((-float(spread.sum()), int(members[0])), int(spread.argmax()), members, mean)


def _split_box(
    points: Points, weights: NDArray[np.float64], box: _Box
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split a box along its axis at the point of least remaining variance."""
    members = box.members[np.argsort(points[box.members, box.axis], kind="stable")]
    mass = np.cumsum(weights[members])
    moment = np.cumsum(weights[members] * points[members, box.axis])
    left, right = mass[:-1], mass[-1] - mass[:-1]
    gain = moment[:-1] ** 2 / left + (moment[-1] - moment[:-1]) ** 2 / right
    split = int(gain.argmax()) + 1
    return members[:split], members[split:]


def _means(
    points: Points, weights: NDArray[np.float64], nearest: NDArray[np.intp], centers: Points
) -> Points:
    """Return the mean of the points of each center; a center without points is unchanged."""
    mass = np.bincount(nearest, weights, len(centers))
    sums: list[Any] = [
        np.bincount(nearest, weights * points[:, s], len(centers)) for s in range(points.shape[1])
    ]
    means = np.stack(sums, 1) / np.maximum(mass, 1e-9)[:, None]
    return np.where(mass[:, None] > 0, means, centers).astype(np.float32)
