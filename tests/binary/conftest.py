"""A raw file with its sidecar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import pixels
from raw_files import SIDECAR


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return a raw file of 5 x 12 x 16 uint16 with its sidecar."""
    path = tmp_path / "cells.bin"
    pixels((5, 12, 16)).tofile(path)
    path.with_suffix(".json").write_text(json.dumps(SIDECAR))
    return path
