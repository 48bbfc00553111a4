"""Journals of finished writes; those of anyone are tested in `test_partial`."""

import json
from pathlib import Path

import pytest

from napari_ferry.saving.partial.journal import (
    JOURNAL,
    JournalError,
    WriteRecord,
    add_line,
    read_journal,
)

LINE = {"file": "new-0.bin", "write": 3, "stored": "ab", "source": "cd"}


def journal_of(folder: Path, *lines: object):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / JOURNAL).write_text(text)
    return read_journal(folder)


def test_finished_writes_are_read(tmp_path: Path):
    add_line(tmp_path, {"ready": "new-0.bin"})
    add_line(tmp_path, LINE, flush=False)
    add_line(tmp_path, {**LINE, "stored": "ef"}, flush=False)
    journal = read_journal(tmp_path)
    assert journal.ready == {"new-0.bin"}
    assert journal.writes == {"new-0.bin": {3: WriteRecord("ef", "cd")}}


def test_lines_of_earlier_versions_are_skipped(tmp_path: Path):
    journal = journal_of(tmp_path, {"file": "new-0.bin", "digest": "ab"}, LINE)
    assert journal.writes == {"new-0.bin": {3: WriteRecord("ab", "cd")}}


@pytest.mark.parametrize(
    "line",
    [
        {**LINE, "write": -1},
        {**LINE, "write": 10**9},
        {**LINE, "write": "3"},
        {**LINE, "write": 3.0},
        {**LINE, "stored": None},
        {**LINE, "source": 7},
        {**LINE, "file": "../new-0.bin"},
        {**LINE, "file": "lock"},
        {"ready": "/etc/passwd"},
        {"ready": ["new-0.bin"]},
        {"moves": [["new-0.bin", "x" * (9 << 20)]], "aside": []},
    ],
    ids=lambda line: str(line)[:50],
)
def test_lines_that_no_save_writes_are_refused(line: dict, tmp_path: Path):
    with pytest.raises(JournalError):
        journal_of(tmp_path, line)
