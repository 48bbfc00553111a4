"""Robust statistics for evidence: scales, log odds, and compressed scores."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

NEIGHBORHOOD = 9
"""Number of consecutive steps whose median is the usual step."""

_Number = TypeVar("_Number", float, npt.NDArray[np.float64])


def scaled_mad(values: npt.NDArray[Any]) -> float:
    """Return the median absolute deviation, scaled to the standard deviation of normal values."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def robust_scale(values: npt.NDArray[Any]) -> float:
    """Return a positive scale of values with few outliers; most values may be equal."""
    deviations = np.abs(values - np.median(values))
    deviations = deviations[deviations > 0]
    return scaled_mad(values) or (0.3 * float(np.median(deviations)) if deviations.size else 1.0)


def log_excess(logs: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Return the excess of log steps over the median of their neighbors, and its spread.

    Neighbors are counted along axis 0.
    """
    from scipy.ndimage import median_filter

    size = (NEIGHBORHOOD, *[1] * (logs.ndim - 1))
    excess: npt.NDArray[np.float64] = logs - median_filter(logs, size, mode="nearest")
    return excess, float(np.hypot(scaled_mad(excess), 0.01))


def seam_log_odds(excess: _Number, mu: float, spread: float) -> _Number:
    """Return the log odds of a step to be a seam.

    Parameters
    ----------
    excess : float or array
        Logarithm of the step, relative to the usual one.
    mu : float
        Expected excess of a seam.
    spread : float
        Spread of the usual steps.
    """
    return mu * (excess - mu / 2) / (spread**2 + mu**2 / 4)


def signed_log(x: float) -> float:
    """Return a score compressed logarithmically, with its sign."""
    return float(np.sign(x) * np.log1p(abs(x)))
