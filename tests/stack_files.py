"""Stacks and their files for the tests of numpy functions."""

from __future__ import annotations

from pathlib import Path

from helpers import pixels

STACK = pixels((6, 12, 16))


def files() -> list[str]:
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def subdir(folder: str) -> Path:
    Path(folder).mkdir(exist_ok=True)
    return Path(folder)
