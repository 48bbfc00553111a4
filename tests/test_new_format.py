"""A new format is one folder in codecs/ and its lines in the manifest, and nothing else.

The package is copied, and the codec of tests/npy_format put beside the others.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import napari_ferry
from gui import NEEDS_DISPLAY

HERE = Path(__file__).parent

COMMANDS = """
    - id: napari-ferry.get_npy_reader
      title: Open NPY
      python_name: napari_ferry.plugin.commands:get_npy_reader
    - id: napari-ferry.write_npy
      title: Save as NPY
      python_name: napari_ferry.plugin.commands:write_npy
  readers:
    - command: napari-ferry.get_npy_reader
      filename_patterns: ["*.npy"]
      accepts_directories: false"""

WRITERS = """
  writers:
    - command: napari-ferry.write_npy
      display_name: NPY
      layer_types: ["image{1,99}"]
      filename_extensions: [".npy"]"""


@pytest.fixture(scope="module")
def with_npy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package that has the further format."""
    folder = tmp_path_factory.mktemp("package")
    package = folder / "napari_ferry"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(napari_ferry.__file__).parent, package, ignore=ignored)
    shutil.copytree(HERE / "npy_format", package / "codecs" / "npy", ignore=ignored)
    manifest = package / "napari.yaml"
    text = manifest.read_text("utf-8")
    for place, lines in (("\n  readers:", COMMANDS), ("\n  writers:", WRITERS)):
        assert text.count(place) == 1
        text = text.replace(place, lines)
    manifest.write_text(text, "utf-8")
    return folder


def run_with(package: Path, code: str, folder: Path) -> str:
    """Run code in a child that imports the copy, in a folder; return its output."""
    path = os.pathsep.join([str(package), str(HERE)])
    child = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def test_python_and_the_command_line_know_a_new_format(with_npy: Path, tmp_path: Path) -> None:
    code = """
import numpy as np
from napari_ferry import imload, imsave, plan
from napari_ferry.cli import main
movie = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
assert plan(movie, "a.npy").losses
imsave(movie, "a.npy", byte_order="big")
assert imload("a.npy")[0].axis_names == ("t", "y", "x")
assert main(["info", "a.npy"]) == 0
assert main(["convert", "a.npy", "b.tif"]) == 0
assert main(["convert", "b.tif", "c.npy", "--byte-order", "big"]) == 0
assert main(["convert", "b.tif", "c.npy"]) == 1  # which exists
"""
    printed = run_with(with_npy, code, tmp_path)
    assert "3 x 40 x 50" in printed
    expected = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
    for name in ("a.npy", "c.npy"):
        found = np.load(tmp_path / name)
        assert found.dtype == ">u2"
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.window
@NEEDS_DISPLAY
def test_the_window_knows_a_new_format(with_npy: Path, tmp_path: Path) -> None:
    code = """
from pathlib import Path
import napari, numpy as np
from napari.settings import get_settings
from gui import drop
np.save("a.npy", np.arange(2000, dtype=np.uint16).reshape(2, 25, 40))
get_settings().plugins.extension2reader = {"*.npy": "napari-ferry"}
viewer = napari.Viewer()
drop(viewer.window._qt_viewer, Path("a.npy").absolute())
(layer,) = viewer.layers
assert layer.name == "a" and type(layer.data) is not np.ndarray, type(layer.data)
def answer(*_, **options):
    return "saved", next(f for f in options["filter"].split(";;") if "NPY" in f)
from napari._qt import qt_viewer
qt_viewer.QFileDialog.getSaveFileName = answer
viewer.window._qt_viewer._save_layers_dialog()
_, form = viewer.window.add_plugin_dock_widget("napari-ferry", "Export")
print([title for title in form.data.fields.format.choices if "npy" in str(title)])
viewer.close()
"""
    assert ".npy" in run_with(with_npy, code, tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "saved.npy"), np.load(tmp_path / "a.npy"))
