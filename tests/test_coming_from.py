"""Pages for people of earlier systems: all rows of their tables are run, and none is missing.

Each row runs twice: with the files that the code of its page makes, and with files that the earlier
system wrote, where they are at hand.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from migration import ams_bp, calscipy, careamics, intake_io, scout
from migration.pages import FOLDER, Names, Page, Row

PAGES = {
    page.name: page
    for page in (ams_bp.PAGE, calscipy.PAGE, careamics.PAGE, intake_io.PAGE, scout.PAGE)
}
ROWS = [
    pytest.param(page, row, id=f"{page.name}-{row.theirs}")
    for page in PAGES.values()
    for row in page.rows()
    if row.ours
]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory):
    """Return a function that runs the code of a page, once, in a folder of its own."""

    @cache
    def make_once(name: str) -> tuple[Path, Names]:
        folder = tmp_path_factory.mktemp(name)
        return folder, PAGES[name].make(folder)

    return make_once


@pytest.mark.sample(8)
@pytest.mark.parametrize(("page", "row"), ROWS)
@pytest.mark.parametrize("is_recorded", [False, True], ids=["made", "recorded"])
def test_a_row_gives_what_the_page_says(
    page: Page,
    row: Row,
    is_recorded: bool,
    make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    folder, names = make(page.name)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    if is_recorded:
        request.getfixturevalue("shared_data")
        page.replace_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    page.run(row, names)


def test_every_page_is_here() -> None:
    assert sorted(PAGES) == sorted(path.stem for path in FOLDER.glob("*.md"))


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_every_function_and_parameter_has_a_row(page: Page) -> None:
    assert page.missing() == []
    assert {row.ours for row in page.rows() if row.ours} == {*page.checks}
