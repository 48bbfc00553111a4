"""``napari-ferry demo``: napari with samples, saved in every way."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture and quit")
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> int:
    from napari_ferry.widgets.demo import show_demo

    return show_demo(options.screenshot)
