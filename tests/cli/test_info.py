"""``napari-ferry info`` of several paths, and as JSON."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_ferry import Image, __version__, imsave
from napari_ferry.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two stacks, one of which is damaged."""
    pixels = np.arange(3 * 16 * 20, dtype=np.uint16).reshape(3, 16, 20)
    imsave(Image.from_array(pixels, "zyx", name="cells"), tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:100])
    return tmp_path


def test_a_damaged_file_does_not_hide_the_others(folder: Path, capsys: pytest.CaptureFixture):
    assert main(["info", str(folder / "b.tif"), str(folder / "a.tif")]) == 1
    out, err = capsys.readouterr()
    assert "3 x 16 x 20" in out
    assert "b.tif" in err


def test_a_folder_with_a_damaged_file_is_described_file_by_file(
    folder: Path, capsys: pytest.CaptureFixture
):
    assert main(["info", str(folder)]) == 1
    assert "a.tif: " in capsys.readouterr().out


def test_json_has_one_object_for_each_path(folder: Path, capsys: pytest.CaptureFixture):
    missing = folder / "missing.tif"
    assert main(["info", "--json", str(folder / "a.tif"), str(missing)]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["format"], first["error"]) == ("tiff", None)
    assert first["bytes"] == (folder / "a.tif").stat().st_size
    (image,) = first["images"]
    assert (image["name"], image["dtype"], image["levels"]) == ("cells", "uint16", [[3, 16, 20]])
    assert [axis["name"] for axis in image["axes"]] == ["z", "y", "x"]
    assert (second["images"], "missing.tif" in second["error"]) == ([], True)


def test_the_version_is_printed(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"napari-ferry {__version__}\n"


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "napari_ferry", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_behind_the_output_is_a_sentence(folder: Path):
    command = [sys.executable, "-m", "napari_ferry", "info", str(folder / "a.tif")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "the output cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr
