"""Flushing to the disk, in a child, as no other test of this process waits for the disk."""

from pathlib import Path

import pytest

from faults import run_fork

_FLUSH = """
import os, sys
from pathlib import Path
from napari_ferry.saving.disk import flush
assert os.fsync.__module__ == "posix" or os.name == "nt"
folder, way = Path(sys.argv[1]), sys.argv[2]
if way == "file by file":
    flush._sync_file_system = lambda _: False
flush.sync_tree(folder)
flush.sync_written(folder)
flush.sync_written(folder / "a")
flush.sync_folder(folder)
print(flush._sync_file_system(folder))
"""


@pytest.mark.parametrize("way", ["at once", "file by file"])
def test_folders_and_files_are_flushed(way: str, tmp_path: Path):
    (tmp_path / "b").mkdir()
    for name in ("a", "b/c"):
        (tmp_path / name).write_bytes(b"1234")
    status, out, errors = run_fork(_FLUSH, tmp_path, way)
    assert (status, errors) == (0, "")
    assert (tmp_path / "b" / "c").read_bytes() == b"1234"
    if way == "file by file":
        assert out == "False\n"


def test_a_missing_folder_is_not_flushed(tmp_path: Path):
    status, _, errors = run_fork(_FLUSH, tmp_path / "missing", "at once")
    assert status == 1
    assert "FileNotFoundError" in errors
