"""What evidence is measured with: spreads, logarithms of odds, and a scale for scores."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

AROUND = 9
"""Steps about one that tell what is usual."""

_Number = TypeVar("_Number", float, npt.NDArray[np.float64])


def spread_of(values: npt.NDArray[Any]) -> float:
    """Return the median absolute deviation, scaled to be the standard deviation of a normal one."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def scale_of(values: npt.NDArray[Any]) -> float:
    """Return a scale of values among which few may be beyond all others, and most may be equal."""
    away = np.abs(values - np.median(values))
    away = away[away > 0]
    return spread_of(values) or (0.3 * float(np.median(away)) if away.size else 1.0)


def above_usual(logs: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Return how far logarithms of steps lie above those about them, along axis 0, and a spread."""
    from scipy.ndimage import median_filter

    size = (AROUND, *[1] * (logs.ndim - 1))
    above: npt.NDArray[np.float64] = logs - median_filter(logs, size, mode="nearest")
    return above, float(np.hypot(spread_of(above), 0.01))


def seam_odds(above: _Number, mu: float, spread: float) -> _Number:
    """Return the logarithm of how much likelier a step is a seam than not.

    Parameters
    ----------
    above : float or array
        Logarithm of the step, above what is usual.
    mu : float
        What is expected of a seam.
    spread : float
        Of the usual steps.
    """
    return mu * (above - mu / 2) / (spread**2 + mu**2 / 4)


def slog(x: float) -> float:
    """Return a score on a scale on which large ones count little more than others."""
    return float(np.sign(x) * np.log1p(abs(x)))
