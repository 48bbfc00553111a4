"""Files that change while a window shows them: the window lives, and says one sentence."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from benchmarks.changes import WRITERS, Notices, dismiss, show_and_change

from gui import WINDOW

pytestmark = WINDOW


@pytest.mark.sample(1)
@pytest.mark.filterwarnings("always::napari_ferry.errors.FerryWarning")  # which the window shows
@pytest.mark.parametrize("name", WRITERS)
def test_the_window_lives_and_says_one_sentence(
    name: str, shared_viewer: Any, tmp_path: Path
) -> None:
    from napari.utils.notifications import notification_manager

    chance = random.Random(name)
    with notification_manager, Notices() as notices:
        for i in range(2):
            show_and_change(shared_viewer, name, tmp_path / str(i), chance, notices)
            shared_viewer.layers.clear()
            dismiss(shared_viewer)
    assert not notices.others
    assert notices.most <= 1
