"""Journals of finished writes; those of anyone are tested in `test_partial`."""

import json
import tracemalloc
from pathlib import Path

import pytest

from napari_ferry.saving.partial.journal import JOURNAL, add_line, read_journal
from napari_ferry.saving.partial.write_records import JournalError, WriteRecord

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


def test_records_of_many_writes_need_little_memory(tmp_path: Path):
    lines = [{**LINE, "write": k, "stored": f"{k:016x}"} for k in range(2000)]
    (tmp_path / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in lines))
    tracemalloc.start()
    try:
        records = read_journal(tmp_path).writes["new-0.bin"]
        assert records[1234] == WriteRecord(f"{1234:016x}", "cd")
        assert tracemalloc.get_traced_memory()[0] < 2000 * 50
    finally:
        tracemalloc.stop()
    assert len(records) == 2000
    assert records.get(2000) is None


def test_a_line_that_changed_since_is_no_record(tmp_path: Path):
    journal = journal_of(tmp_path, LINE, {**LINE, "write": 4})
    path = tmp_path / JOURNAL
    path.write_text(path.read_text().replace('"write": 3', '"write": 5'))
    records = journal.writes["new-0.bin"]
    assert records.get(3) is None
    assert records[4] == WriteRecord("ab", "cd")
    path.write_bytes(b"x" * path.stat().st_size)
    assert records.get(4) is None
