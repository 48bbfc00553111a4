"""Fixtures for the tests of TIFF."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from napari_ferry.codecs.tiff.folders import model_file


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the files opened by themselves."""
    count: Counter[str] = Counter()
    read = model_file.read_images

    def counted(path: Path) -> Any:
        count[Path(path).name] += 1
        return read(path)

    monkeypatch.setattr(model_file, "read_images", counted)
    return count
