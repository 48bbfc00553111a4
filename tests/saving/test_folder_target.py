"""Saves to a folder that is a single data set."""

from pathlib import Path

import numpy as np
import pytest

from faults import leftovers, movie, names
from folder_format import plan_folder, read_folder
from napari_ferry import Progress, TargetError, imsave, run


def test_a_folder_is_saved_in_stages(tmp_path: Path):
    seen: list[Progress] = []
    planned = plan_folder(movie(3).array, tmp_path / "m.store")
    assert run(planned, progress=seen.append) == [tmp_path / "m.store"]
    assert np.array_equal(read_folder(tmp_path / "m.store"), movie(3).array)
    assert names(tmp_path) == ["m.store"]
    assert seen[-1].done == seen[-1].total == 2 * movie(3).nbytes


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path):
    imsave(movie(1), tmp_path / "m.tif")
    with pytest.raises(
        TargetError, match=r"m\.tif is a file, but this format is saved as a folder"
    ):
        run(plan_folder(movie(3).array, tmp_path / "m.tif"), overwrite=True)
    assert not leftovers(tmp_path)
