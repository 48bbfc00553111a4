"""Interrupted saves that are resumed: finished writes are kept, and their pixels not read again."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - of our own
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from faults import leftovers, names, run_fork
from folder_format import plan_folder, read_folder
from napari_ferry import Progress, TargetError, imload, imsave, plan, run
from napari_ferry.arrays import Frames
from napari_ferry.arrays.file_array import open_file_array
from napari_ferry.arrays.identity import source_identity
from napari_ferry.codecs.video.encoder import find_ffmpeg
from napari_ferry.saving.partial.interruption import partial_folder
from resumable import FRAME, FileFrames, N, make_plan, source

pytestmark = pytest.mark.leaves_partial

NAMES = ["m.bin", "m.tif", "m.ome.tif", "m.store", "m.ome.zarr", "m.mkv"]


_KILLED = """
import sys
from pathlib import Path
from resumable import make_plan
from napari_ferry import run
run(make_plan(sys.argv[1], Path(sys.argv[2]), die_at=5, is_known=sys.argv[3] == "True"), workers=1)
"""


def kill(name: str, folder: Path, *, is_known: bool = True) -> None:
    """Kill a save after five of its frames."""
    status, _, err = run_fork(_KILLED, name, folder, is_known)
    assert status == -signal.SIGKILL, err


def resume(name: str, folder: Path, *, is_known: bool = True) -> list[int]:
    """Save again, and return the frames that were read."""
    FileFrames.read.clear()
    run(make_plan(name, folder, is_known=is_known), workers=1)
    assert np.array_equal(pixels_of(folder / name), np.fromfile(folder / "source", np.uint16))
    assert not leftovers(folder)
    return FileFrames.read.copy()


def partial_of(name: str, folder: Path) -> Path:
    """Return the partial file or folder of a killed save."""
    return partial_folder(folder / name) / f"new-0{Path(name).suffix}"


def pixels_of(path: Path) -> np.ndarray:
    array = read_folder(path) if path.suffix == ".store" else imload(path)[0].array
    return np.asarray(array).ravel()


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_save_reads_only_what_was_not_stored(name: str, tmp_path: Path):
    source(tmp_path / "source")
    kill(name, tmp_path)
    read = resume(name, tmp_path)
    assert set(read) == {5, 6, 7}


@pytest.mark.parametrize("name", NAMES)
def test_a_source_without_identity_is_compared(name: str, tmp_path: Path):
    source(tmp_path / "source")
    kill(name, tmp_path, is_known=False)
    assert set(resume(name, tmp_path, is_known=False)) == {*range(N)}


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_known", [False, True])
def test_other_pixels_are_never_mixed(name: str, is_known: bool, tmp_path: Path):
    source(tmp_path / "source")
    kill(name, tmp_path, is_known=is_known)
    source(tmp_path / "source", version=2)
    assert set(resume(name, tmp_path, is_known=is_known)) == {*range(N)}


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_partial_file_is_written_again(name: str, tmp_path: Path):
    source(tmp_path / "source")
    kill(name, tmp_path)
    own_files = {"m.store": "/frames/2", "m.ome.zarr": "/0/c/2/0/0", "m.mkv": ".2"}
    file = Path(f"{partial_of(name, tmp_path)}{own_files.get(name, '')}")
    data = bytearray(file.read_bytes())
    data[-3 if name in own_files else len(data) - 6 * FRAME + 9] ^= 255
    file.write_bytes(data)
    assert len({*resume(name, tmp_path)} - {5, 6, 7}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_partial_file_that_is_gone_is_written_again(name: str, tmp_path: Path):
    source(tmp_path / "source")
    kill(name, tmp_path)
    partial = partial_of(name, tmp_path)
    shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
    assert set(resume(name, tmp_path)) == {*range(N)}


def test_a_resumed_video_has_the_same_bytes(tmp_path: Path):
    source(tmp_path / "source")
    kill("m.mp4", tmp_path)
    parts = {path.name for path in partial_folder(tmp_path / "m.mp4").glob("new-0.mp4.?")}
    assert parts == {f"new-0.mp4.{k}" for k in range(5)}
    FileFrames.read.clear()
    run(make_plan("m.mp4", tmp_path))
    assert {*FileFrames.read} >= {5, 6, 7}
    resumed = (tmp_path / "m.mp4").read_bytes()
    run(make_plan("m.mp4", tmp_path), overwrite=True)
    assert (tmp_path / "m.mp4").read_bytes() == resumed
    assert not leftovers(tmp_path)


def test_segments_with_other_contrast_limits_are_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The limits of all segments are found in a few frames, here in the last one."""
    for constant in ("_FEWEST_FRAMES", "_SEGMENT_PIXELS", "KEY_FRAMES"):
        monkeypatch.setattr(f"napari_ferry.codecs.video.segment.{constant}", 2)
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", FRAME)
    movie = np.arange(N * 1024, dtype=np.uint16).reshape(N, 32, 32)

    def interrupt(progress: Progress) -> None:
        if progress.done >= 3 * FRAME:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imsave(movie, tmp_path / "m.mp4", as_seen=False, workers=1, progress=interrupt)
    assert (partial_folder(tmp_path / "m.mp4") / "new-0.mp4.0").exists()
    movie[-1] *= 2
    resumed, other = (
        imsave(movie, tmp_path / name, as_seen=False)[0].read_bytes() for name in ("m.mp4", "n.mp4")
    )
    assert resumed == other


def test_segments_of_another_encoder_are_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source(tmp_path / "source")
    kill("m.mkv", tmp_path)
    other = tmp_path / "ffmpeg-other"
    other.symlink_to(find_ffmpeg())
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(other))
    assert set(resume("m.mkv", tmp_path)) == {*range(N)}


def test_what_another_plan_left_of_a_folder_is_removed(tmp_path: Path):
    source(tmp_path / "source")
    kill("m.store", tmp_path)
    run(plan_folder(np.ones((3, 4, 4), np.uint8), tmp_path / "m.store"))
    assert (read_folder(tmp_path / "m.store") == np.ones((3, 4, 4))).all()
    assert names(tmp_path) == ["m.store", "source"]


def test_a_link_in_a_partial_folder_is_refused(tmp_path: Path):
    source(tmp_path / "source")
    kill("m.store", tmp_path)
    (partial,) = partial_folder(tmp_path / "m.store").glob("new-0*")
    (tmp_path / "home").mkdir()
    shutil.rmtree(partial / "means")
    (partial / "means").symlink_to(tmp_path / "home", target_is_directory=True)
    with pytest.raises(TargetError, match=r"contains 'means', which is a link"):
        run(make_plan("m.store", tmp_path))
    assert names(tmp_path / "home") == []


def test_a_save_of_another_plan_removes_links_without_following_them(tmp_path: Path):
    source(tmp_path / "source")
    kill("m.store", tmp_path)
    (partial,) = partial_folder(tmp_path / "m.store").glob("new-0*")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("precious")
    (partial / "home").symlink_to(tmp_path / "home", target_is_directory=True)
    (partial / "thesis").symlink_to(tmp_path / "home" / "thesis.txt")
    run(plan_folder(np.ones((3, 4, 4), np.uint8), tmp_path / "m.store"))
    assert (tmp_path / "home" / "thesis.txt").read_text() == "precious"
    assert not leftovers(tmp_path)


@pytest.mark.slow
def test_a_journal_of_many_writes_is_read(tmp_path: Path):
    """200,000 finished writes, of which none is still stored."""
    source(tmp_path / "source")
    kill("m.bin", tmp_path)
    journal = partial_folder(tmp_path / "m.bin") / "journal.jsonl"
    line = {"file": "new-0.bin", "stored": "0123456789abcdef", "source": "0" * 32}
    with journal.open("a") as file:
        file.writelines(json.dumps({**line, "write": n}) + "\n" for n in range(200_000))
    assert set(resume("m.bin", tmp_path)) == {*range(N)}


class TestIdentity:
    """Identities of sources."""

    def test_the_same_file_has_the_same_identity(self, tmp_path: Path):
        source(tmp_path / "a.bin")
        opened = [open_file_array(tmp_path / "a.bin", 0, (N, 1024), (2048, 2), "u2") for _ in "12"]
        assert source_identity(opened[0]) == source_identity(opened[1])
        assert source_identity(opened[0]) is not None

    @pytest.mark.parametrize("suffix", [".tif", ".bin", ".gif", ".mkv", ".png"])
    @pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
    def test_opened_files_have_one(self, suffix: str, options: dict, tmp_path: Path):
        if options and suffix != ".tif":
            pytest.skip("only TIFF is saved in two ways")
        pixels = np.random.default_rng(0).integers(0, 255, (4, 32, 32), np.uint8)
        imsave(pixels, tmp_path / f"a{suffix}", **options)
        opened = tmp_path / ("a_0001.png" if suffix == ".png" else f"a{suffix}")
        first = source_identity(imload(opened)[0].array)
        assert first is not None
        assert source_identity(imload(opened)[0].array) == first
        imsave(pixels + 1, tmp_path / f"a{suffix}", overwrite=True, **options)
        assert source_identity(imload(opened)[0].array) not in (None, first)

    def test_memory_and_unknown_arrays_have_none(self, tmp_path: Path):
        source(tmp_path / "a.bin")
        pixels = np.zeros((4, 4))
        for array in (
            pixels,
            np.memmap(tmp_path / "a.bin", np.uint16, "r"),
            Frames(pixels.__getitem__, pixels.shape, pixels.dtype, 1),
        ):
            assert source_identity(array) is None


def test_plans_are_pickled_in_little_space(tmp_path: Path):
    """Each write carries its own pixels only, and no file carries any."""
    pixels = np.zeros((40, 180, 180), np.uint16)
    for image in (pixels, np.moveaxis(pixels, 1, 2), pixels[:, ::2]):
        for name in ("m.tif", "m.ome.tif", "m.bin"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("napari_ferry.saving.uncompressed._WRITE_BYTES", image[0].nbytes)
                planned = plan(image, tmp_path / name)
            sizes = [len(pickle.dumps(write)) for write in planned.writes]
            assert len(sizes) == 40
            assert max(sizes) < image.nbytes / 40 + 3000
            assert all(len(pickle.dumps(file)) < 30_000 for file in planned.files)
