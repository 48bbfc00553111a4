"""Size of files and folders on a disk."""

from pathlib import Path

from napari_ferry.files.stored_size import stored_bytes


def test_all_files_of_folders_are_counted(tmp_path: Path):
    inner = tmp_path / "store" / "0" / "c"
    inner.mkdir(parents=True)
    (inner / "0").write_bytes(bytes(100))
    (tmp_path / "store" / "zarr.json").write_bytes(bytes(20))
    (tmp_path / "cells.tif").write_bytes(bytes(3))
    assert stored_bytes([tmp_path / "store", tmp_path / "cells.tif"]) == 123
