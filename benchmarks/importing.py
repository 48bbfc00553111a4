"""What importing costs, in a process that has imported neither."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Group


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return the one group."""
    cases = [
        Case("import numpy", "importing:module", {"name": "numpy"}),
        Case("the same again (A/A)", "importing:module", {"name": "numpy"}),
    ]
    for name in ("napari_ferry", "napari_ferry.io", "tifffile"):
        goals = {"wall": 1.5} if name == "napari_ferry" else {}
        cases.append(Case(f"import {name}", "importing:module", {"name": name}, 1, goals))
    return [Group("import", cases, 1 if quick else 11)]


def module(out: str, name: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(name)
