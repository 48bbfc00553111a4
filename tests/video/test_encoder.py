"""The ffmpeg process: failures, interrupted saves, and a missing program."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import napari_ferry
from faults import Fork, contents, fork, leftovers, names, run_python
from helpers import number_of
from napari_ferry import Image, SaveCancelledError, SaveError, load_video, save_video
from napari_ferry.arrays import Frames
from napari_ferry.arrays.progress import Monitor
from napari_ferry.codecs.video.encoder import Encoder
from napari_ferry.saving.partial.interruption import partial_folder
from napari_ferry.saving.stream import make_stream
from video_files import numbered_frame

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


def test_a_failed_encoder_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = np.stack([numbered_frame(i) for i in range(5)])
    save_video(tmp_path / "a.mp4", movie)
    before = contents(tmp_path)
    monkeypatch.setattr("napari_ferry.codecs.video.ffmpeg_options.KEY_FRAMES", "many")
    with pytest.raises(SaveError, match=r"ffmpeg could not write the video \(.*many.*\)"):
        save_video(tmp_path / "a.mp4", movie, overwrite=True)
    assert contents(tmp_path) == before


def test_a_killed_encoder_leaves_the_old_file(tmp_path: Path) -> None:
    save_video(tmp_path / "a.mp4", np.stack([numbered_frame(i) for i in range(5)]))
    before = contents(tmp_path)

    def frame(i: int) -> np.ndarray:
        if i == 600:
            for child in psutil.Process().children():
                child.send_signal(signal.SIGKILL)
        return np.zeros((200, 200), np.uint8)

    source = Frames(frame, (4000, 200, 200), "uint8", 1)
    with pytest.raises(SaveError, match="ffmpeg could not write"):
        imsave(source, tmp_path / "a.mp4", overwrite=True)
    assert contents(tmp_path) == before


def test_a_cancelled_save_ends_the_encoder(tmp_path: Path) -> None:
    stop = threading.Event()

    def frame(i: int) -> np.ndarray:
        if i == 300:
            stop.set()
        return np.zeros((200, 200), np.uint8)

    source = Frames(frame, (100_000, 200, 200), "uint8", 1)
    start = time.monotonic()
    with pytest.raises(SaveCancelledError):
        imsave(source, tmp_path / "a.mp4", cancel=stop.is_set)
    assert time.monotonic() - start < 5
    assert not names(tmp_path)
    assert not psutil.Process().children()


_DIE_ON_THE_WAY = """
import os, signal, sys
import numpy as np
from napari_ferry import imsave
from napari_ferry.arrays import Frames
def frame(i):
    if i == 300:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.full((200, 200), i % 256, np.uint8)
imsave(Frames(frame, (600, 200, 200), "uint8", 1), sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="the system has no SIGKILL")
def test_the_next_save_removes_the_files_of_a_killed_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    status, _, err = run_python(_DIE_ON_THE_WAY, tmp_path / "out" / "a.mp4")
    assert status == -signal.SIGKILL, err
    assert not names(tmp_path / "temporary")
    assert names(tmp_path / "out") == [partial_folder(tmp_path / "out" / "a.mp4").name]
    (path,) = save_video(tmp_path / "out" / "a.mp4", np.stack([numbered_frame(i) for i in (3, 1)]))
    assert [number_of(frame) for frame in load_video(path)] == [3, 1]
    assert names(tmp_path / "out") == ["a.mp4"]


def test_the_encoder_of_a_killed_save_cannot_write_to_a_new_file(tmp_path: Path) -> None:
    planned = plan(np.stack([numbered_frame(i) for i in (3, 1)]), tmp_path / "a.mp4")
    assert planned.stream is not None
    partial, orphan = tmp_path / "new.mp4", tmp_path / "orphan.mp4"
    partial.write_bytes(b"half")
    os.link(partial, orphan)  # like the file of an encoder that outlived its save
    make_stream(planned.stream, [partial], Monitor(total=0, report=None, cancel=None), 1)
    assert orphan.read_bytes() == b"half"
    assert load_video(partial).shape == (2, 64, 160)


def test_the_encoder_of_a_killed_save_creates_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(np.stack([numbered_frame(i) for i in (3, 1)]), tmp_path / "a.mp4")
    assert planned.stream is not None
    files: list[str] = []

    class NotedEncoder(Encoder):
        def __init__(self, arguments: Sequence[str], path: Path) -> None:
            files.append(arguments[-1])  # an encoder may create it after its save was killed
            super().__init__(arguments, path)

    monkeypatch.setattr("napari_ferry.codecs.video.write.Encoder", NotedEncoder)
    for _ in range(2):
        monitor = Monitor(total=0, report=None, cancel=None)
        make_stream(planned.stream, [tmp_path / "new-0.mp4"], monitor, 1)
    assert len({*files}) == 2
    assert names(tmp_path) == ["new-0.mp4"]


def test_a_missing_ffmpeg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import imageio_ffmpeg

    def none() -> str:
        raise RuntimeError("no ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(SaveError, match="imageio-ffmpeg"):
        save_video(tmp_path / "a.mp4", np.zeros((2, 4, 4), "u1"))


class FailingDisk:
    """A source with an error after some frames."""

    shape, dtype, ndim = (200, 64, 80), np.dtype(np.uint8), 3

    def __getitem__(self, key: Any) -> np.ndarray:
        frames = range(*key[0].indices(200))
        if frames.stop > 100:
            raise OSError("disk gone")
        return np.zeros((len(frames), 64, 80), np.uint8)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise AssertionError("the whole array was read")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_save_from_a_failed_disk_does_not_hang(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="disk gone"):
        imsave(Image.from_array(FailingDisk(), "tyx"), tmp_path / f"a{suffix}")
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_cannot_be_run_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    (tmp_path / "out").mkdir()
    with pytest.raises(SaveError, match=r"ffmpeg cannot be run .* IMAGEIO_FFMPEG_EXE"):
        imsave(np.zeros((3, 8, 8), np.uint8), tmp_path / "out" / "a.mp4")
    assert not list((tmp_path / "out").iterdir())


class FailingFrame:
    """A source with an error at one frame."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __call__(self, i: int) -> np.ndarray:
        if i == self.last:
            raise OSError("disk gone")
        return np.full((64, 80), i % 256, np.uint8)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_failing_source_leaves_the_old_file(suffix: str, tmp_path: Path) -> None:
    napari_ferry.imsave(np.zeros((3, 16, 16), np.uint8), tmp_path / f"a{suffix}")
    old = contents(tmp_path)
    source = Frames(FailingFrame(2500), (4000, 64, 80), "uint8", 1)
    with pytest.raises(SaveError, match="disk gone"):
        napari_ferry.imsave(source, tmp_path / f"a{suffix}", overwrite=True)
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)
    assert not psutil.Process().children()


_SAVE_SLOWLY = """
import sys, time
import numpy as np
from napari_ferry import imsave
from napari_ferry.arrays import Frames

def frame(i):
    if i == 300:
        print("reading", flush=True)
    time.sleep(0.2 if i >= 300 else 0)
    return np.zeros((200, 200), np.uint8)

imsave(Frames(frame, (4000, 200, 200), "uint8", 1), sys.argv[1], overwrite=True)
"""


def children_of(child: subprocess.Popen[str] | Fork) -> list[psutil.Process]:
    """Wait for a child to start processes and return them."""
    until = time.monotonic() + 10
    while not (found := psutil.Process(child.pid).children()):
        assert time.monotonic() < until, "no encoder"
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_an_interrupt_leaves_the_old_file_and_no_encoder(suffix: str, tmp_path: Path) -> None:
    napari_ferry.imsave(np.zeros((3, 16, 16), np.uint8), tmp_path / f"a{suffix}")
    old = contents(tmp_path)
    with fork(_SAVE_SLOWLY, tmp_path / f"a{suffix}") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        encoders = children_of(child)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
    assert err.strip().endswith("KeyboardInterrupt")
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)
    assert not any(encoder.is_running() for encoder in encoders)
