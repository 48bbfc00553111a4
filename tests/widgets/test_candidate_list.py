"""List of candidate layouts, by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_ferry.widgets.repair.arrow_keys import ArrowKeys
from napari_ferry.widgets.repair.candidate import Candidate
from napari_ferry.widgets.repair.candidate_list import FIRST, CandidateList
from raw_files import ONE

COUNT = FIRST + 3


@pytest.fixture
def candidates(qtbot: Any) -> CandidateList:
    """Return a list of more candidates than it shows at first."""
    shown = CandidateList()
    qtbot.addWidget(shown)
    shown.show_candidates([Candidate(replace(ONE, frames=n + 1)) for n in range(COUNT)])
    return shown


def test_arrow_keys_go_through_all_candidates(candidates: CandidateList, qtbot: Any) -> None:
    selected: list[int] = []
    candidates.candidate_selected.connect(lambda each: selected.append(each.layout.frames))
    for _ in range(COUNT + 1):
        qtbot.keyClick(candidates.list, Qt.Key.Key_Down)
    assert selected == [*range(1, COUNT + 1), 1]
    assert candidates.list.count() == COUNT
    qtbot.keyClick(candidates.list, Qt.Key.Key_Left)
    assert selected[-1] == COUNT


def test_other_keys_are_left_to_the_list(candidates: CandidateList, qtbot: Any) -> None:
    steps: list[int] = []
    ArrowKeys(candidates.list).pressed.connect(steps.append)
    qtbot.keyClick(candidates.list, Qt.Key.Key_A)
    qtbot.keyClick(candidates.list, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert not steps
    qtbot.keyClick(candidates.list, Qt.Key.Key_Up)
    assert steps == [-1]


def test_without_candidates_there_is_nothing_to_select(candidates: CandidateList) -> None:
    selected: list[Candidate] = []
    candidates.candidate_selected.connect(selected.append)
    candidates.step(1)
    candidates.list.setCurrentRow(-1)
    candidates.show_candidates([])
    candidates.step(1)
    assert [each.layout.frames for each in selected] == [1]


def test_the_button_shows_all_candidates(candidates: CandidateList, qtbot: Any) -> None:
    candidates.show()
    assert candidates.more.text() == f"Show {COUNT - FIRST} more"
    qtbot.mouseClick(candidates.more, Qt.MouseButton.LeftButton)
    assert candidates.list.count() == COUNT
    assert candidates.more.isHidden()
