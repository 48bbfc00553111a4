"""Mistakes in options that type checkers find; `make lint` fails if mypy misses one of them."""

from __future__ import annotations

import numpy as np

from napari_ferry import imsave, plan


def make_mistakes() -> None:
    """Pass options that do not exist, and values that they do not take; never called."""
    images = np.zeros((2, 8, 8), np.uint16)
    imsave(images, "a.tif", size_cap=1.0, compression="zlib", overwrite=True)
    imsave(images, "a.tif", size_cpa=1.0)  # type: ignore[call-arg]
    imsave(images, "a.tif", compression="zip")  # type: ignore[arg-type]
    plan(images, "a.mp4", frame_rate="30")  # type: ignore[arg-type]
    plan(images, "a.gif", colours=16)  # type: ignore[call-arg]
