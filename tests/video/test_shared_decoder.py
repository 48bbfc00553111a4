"""The end of readers: whatever thread the garbage collector runs in, FFmpeg is not called there."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from faults import run_fork
from helpers import number_of
from napari_ferry import Image, imload, imsave
from napari_ferry.arrays import open_files
from napari_ferry.codecs.video import decoder, ffmpeg_log, video_file
from napari_ferry.codecs.video import idle_decoders as idle


@pytest.fixture
def movie(made: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(made("b-frames.mp4"), tmp_path / "lost.mp4"))


@pytest.fixture
def closers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the threads that close files of decoders, in order."""
    names: list[str] = []
    real = decoder.Decoder.close

    def close(self: decoder.Decoder) -> None:
        names.append(threading.current_thread().name)
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(decoder.Decoder, "close", close)
        yield names


def is_open(path: Path) -> bool:
    return any(Path(file.path) == path for file in psutil.Process().open_files())


def wait_until_closed(path: Path) -> None:
    until = time.monotonic() + 60
    while is_open(path):
        assert time.monotonic() < until, "still open"
        time.sleep(0.01)


def opened(path: Path) -> list[Image]:
    """Read a frame of a movie; return its image in a list, from which `lose` takes it."""
    (image,) = imload(path)
    assert number_of(image.array[7]) == 7
    return [image]


def lose(images: list[Image]) -> None:
    """Leave an image to the garbage collector."""
    image = images.pop()
    image.array.read.cycle = image  # type: ignore[attr-defined]


@pytest.mark.parametrize("in_cycle", [False, True])
def test_a_lost_reader_is_closed_by_the_thread(
    in_cycle: bool, movie: Path, closers: list[str]
) -> None:
    images = opened(movie)
    closers.clear()
    if in_cycle:
        lose(images)
    images.clear()
    gc.collect()
    wait_until_closed(movie)
    assert closers == ["ferry-idle"]


def test_a_lost_reader_of_a_damaged_file_is_closed(
    movie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its decoder does not keep it alive by the traceback of an error."""
    images = opened(movie)
    images[0].close()
    real, errors = decoder.Decoder._find, [av.InvalidDataError(1, "damaged")]

    def find(self: decoder.Decoder, i: int) -> Any:
        if errors:
            raise errors.pop()
        return real(self, i)

    monkeypatch.setattr(decoder.Decoder, "_find", find)
    monkeypatch.setattr(idle, "_IDLE_SECONDS", 1000)
    monkeypatch.setattr(idle, "_watcher", idle._Watcher())
    assert number_of(images[0].array[9]) == 9
    assert not errors
    lose(images)
    gc.collect()
    wait_until_closed(movie)


@pytest.mark.parametrize("name", ["watcher", "log", "open files"])
def test_a_reader_is_lost_while_a_lock_is_held(
    name: str, movie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector may run in the thread that holds it, which would wait for itself."""
    monkeypatch.setattr(idle, "_watcher", watcher := idle._Watcher())
    locks = {
        "watcher": watcher.lock,
        "log": ffmpeg_log._silence.lock,
        "open files": open_files._lock,
    }
    images = opened(movie)
    collector = threading.Thread(target=gc.collect, daemon=True)
    with locks[name]:
        lose(images)
        collector.start()
        collector.join(60)
        assert not collector.is_alive()
    wait_until_closed(movie)


def test_a_reader_is_lost_within_a_decode(
    made: Callable[[str], Path],
    movie: Path,
    closers: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (image,) = imload(made("open-gop.mp4"))
    images = opened(movie)
    real = video_file.VideoFile.decode

    def decode(self: video_file.VideoFile, packet: Any) -> Any:
        if images:
            lose(images)
            gc.collect()
        return real(self, packet)

    closers.clear()
    monkeypatch.setattr(video_file.VideoFile, "decode", decode)
    assert number_of(image.array[3]) == 3
    wait_until_closed(movie)
    assert closers == ["ferry-idle"]


def test_a_lost_reader_does_not_keep_its_file_from_a_replacement(
    movie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "_watcher", watcher := idle._Watcher())
    images = opened(movie)
    with watcher.lock:  # the thread cannot close it meanwhile
        lose(images)
        gc.collect()
        assert is_open(movie)
        open_files.release_file(movie)
        assert not is_open(movie)


def test_no_file_is_opened_without_a_thread_to_close_it(movie: Path) -> None:
    (image,) = imload(movie)
    for _ in range(3):
        image.array[7]
        assert idle._watcher.is_running
        image.close()
        assert not is_open(movie)


_EXIT_FORK = """
import os, signal, sys
from napari_ferry import imload
images = [imload(path)[0] for path in sys.argv[1:]]
before = [image.array[5] for image in images]
child = os.fork()
signal.alarm(60)
after = [image.array[5] for image in images]
assert all((a == b).all() for a, b in zip(before, after))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_reads_and_ends(movie: Path, tmp_path: Path) -> None:
    colored = np.random.default_rng(1).integers(0, 255, (9, 64, 64, 3), np.uint8)
    imsave(colored, tmp_path / "colored.mp4")
    status, _, errors = run_fork(_EXIT_FORK, movie, tmp_path / "colored.mp4")
    assert status == 0, errors
