"""Reading of whole arrays, with progress and cancellation."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_ferry as nf
from helpers import pixels
from napari_ferry import LoadCancelledError, Progress
from napari_ferry.arrays import Frames, loading
from napari_ferry.arrays.axis_view import AxisView
from napari_ferry.arrays.reading_context import is_reused
from napari_ferry.errors import InvalidImageError

MOVIE = pixels((12, 40, 50), "uint8")

LOADERS = {
    "a.tif": nf.load_images,
    "zlib.tif": nf.load_images,
    "a.bin": nf.load_binary,
    "a.gif": nf.load_gif,
    "a.mkv": nf.load_video,
    "a.ome.zarr": lambda path, **options: nf.imload(path)[0].load(**options),
}


@pytest.fixture(params=LOADERS)
def load(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Return a function that loads a file, in several blocks."""
    monkeypatch.setattr(loading, "BLOCK_BYTES", MOVIE[:4].nbytes)
    monkeypatch.setattr("napari_ferry.arrays.frames._TASK_BYTES", MOVIE[:4].nbytes)
    path = tmp_path / request.param
    options: dict[str, Any] = {"compression": "zlib"} if path.stem == "zlib" else {}
    if path.suffix == ".mkv":
        options = {"codec": "ffv1", "frame_rate": 10}
    nf.imsave(nf.Image.from_array(MOVIE, "tyx"), path, **options)
    return lambda **given: LOADERS[request.param](path, **given)


def test_progress_ends_with_all_bytes(load: Callable[..., Any]) -> None:
    seen: list[Progress] = []
    np.testing.assert_array_equal(load(progress=seen.append), MOVIE)
    done = [each.done for each in seen]
    assert len(done) > 1
    assert done == sorted(done)
    assert done[-1] == seen[-1].total == MOVIE.nbytes


def test_loading_can_be_cancelled(load: Callable[..., Any]) -> None:
    calls: list[int] = []

    def cancel() -> bool:
        calls.append(1)
        return len(calls) > 1

    with pytest.raises(LoadCancelledError, match="cancelled"):
        load(cancel=cancel)
    np.testing.assert_array_equal(load(), MOVIE)


def test_loading_that_is_cancelled_before_reads_nothing() -> None:
    array = Frames(pytest.fail, (3, 4, 5), np.uint8, 1)
    with pytest.raises(LoadCancelledError):
        loading.read_array(array, cancel=lambda: True)


@pytest.mark.parametrize("cancel", [None, lambda: False])
def test_pixels_are_read_for_a_single_use(cancel: Callable[[], bool] | None) -> None:
    told: list[bool | None] = []

    def make(i: int) -> NDArray[np.uint8]:
        told.append(is_reused())
        return np.zeros((2, 3), np.uint8)

    array = AxisView(Frames(make, (4, 2, 3), np.uint8, 1), (1, 2), {0: range(2, 3)})
    loading.read_array(array, cancel=cancel)
    assert told == [False]


def test_progress_true_shows_a_bar(
    load: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(progress=True)
    (name,) = (path.name for path in tmp_path.iterdir() if not path.name.endswith(".json"))
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert name.split(".")[0] in shown


def test_saving_shows_a_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nf.save_images(tmp_path / "a.tif", MOVIE, progress=True, workers=1)
    assert "100%" in capsys.readouterr().err
    nf.save_images(tmp_path / "b.tif", MOVIE)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("progress", ["yes", 2, io.StringIO()])
def test_progress_that_is_not_a_function_is_refused(tmp_path: Path, progress: Any) -> None:
    with pytest.raises(InvalidImageError, match="give True for a progress bar"):
        nf.save_images(tmp_path / "a.tif", MOVIE, progress=progress)
    assert not any(tmp_path.iterdir())
