"""Decoder and reader of frames: threads, pickling, forks and idle files."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - our own
import random
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock, call

import numpy as np
import pytest

from faults import run_fork
from helpers import number_of, pixels
from napari_ferry import UnreadableFileError, imload, imsave
from napari_ferry.codecs.video import codec, decoder, frame_cache
from napari_ferry.codecs.video.video_file import VideoFile
from video_files import decoded, ffmpeg


def test_a_changed_or_deleted_file_is_reported(made: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(made("short-gop.mp4"), path)
    (image,) = imload(path)
    assert number_of(image.array[3]) == 3
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a.mp4 can no longer be read"):
        image.array[90]
    path.write_bytes(b"something else")
    with pytest.raises(UnreadableFileError, match=r"a.mp4"):
        image.array[91]


@pytest.mark.parametrize("name", ["open-gop.mp4", "part2.avi"])
def test_threads_read_the_right_frames(name: str, made: Callable[[str], Path]) -> None:
    (image,) = imload(made(name))
    truth = decoded(made(name))
    asked = [random.Random(7).randrange(120) for _ in range(200)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda i: number_of(image.array[i]), asked))
    assert found == [truth[i] for i in asked]
    everything = image.array.read_all(workers=8)  # type: ignore[attr-defined]
    assert [number_of(frame) for frame in everything] == truth


@pytest.mark.parametrize(
    "options",
    [
        ("-pix_fmt", "yuvj420p", "-c:v", "libx264", "-bf", "3"),
        ("-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "3"),
        ("-pix_fmt", "gray", "-c:v", "ffv1"),
        ("-pix_fmt", "rgb24", "-c:v", "png"),
        ("-vf", "format=rgb24,geq=r=9:g='g(X,Y)':b=1", "-c:v", "png"),
        ("-vf", "format=rgb24,geq=r=9:g='g(X,Y)':b=1", "-c:v", "libx264"),
    ],
)
def test_a_returned_frame_is_a_copy(options: Sequence[str], tmp_path: Path) -> None:
    movie = pixels((20, 64, 256), "uint8")  # lines of an aligned length
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "256x64", "-r", "10", "-i", "-")
    ffmpeg(*pipe, *options, tmp_path / "a.mkv", stdin=movie.tobytes())
    (image,) = imload(tmp_path / "a.mkv")
    truth = np.asarray(image.array)
    for i in (3, 4, 3, 5, 19, 18):
        given = image.array[i]
        np.testing.assert_array_equal(given, truth[i])
        given[...] = 7
    np.testing.assert_array_equal(image.array[:], truth)


def test_an_open_video_can_be_pickled(made: Callable[[str], Path]) -> None:
    (image,) = imload(made("b-frames.mp4"))
    assert number_of(image.array[50]) == 50
    copy = pickle.loads(pickle.dumps(image))
    assert [number_of(copy.array[i]) for i in (51, 3, 119)] == [51, 3, 119]


_READ_IN_FORK = """
import os, signal, sys
from napari_ferry import imload
from helpers import number_of
(image,) = imload(sys.argv[1])
assert number_of(image.array[50]) == 50
child = os.fork()
if child == 0:
    signal.alarm(60)
    right = [number_of(image.array[i]) for i in (60, 2)] == [60, 2]
    os._exit(0 if right else 1)
assert number_of(image.array[70]) == 70
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_an_open_video_survives_a_fork(made: Callable[[str], Path]) -> None:
    # in another process, because a process with windows does not survive a fork
    status, _, errors = run_fork(_READ_IN_FORK, made("b-frames.mp4"))
    assert status == 0, errors


def test_the_next_frame_costs_one_decode(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (image,) = imload(made("b-frames.mp4"))
    jumps: list[int] = []
    real = decoder.Decoder._jump
    monkeypatch.setattr(decoder.Decoder, "_jump", lambda s, p: (jumps.append(p), real(s, p))[1])
    for i in range(30, 120):
        image.array.read(i)  # type: ignore[attr-defined]
    for i in (119, 118, 117, 116):  # a few steps back cost nothing
        image.array.read(i)  # type: ignore[attr-defined]
    assert jumps == [0]


def test_a_decoder_is_idle_before_its_file_is_closed(tmp_path: Path) -> None:
    """PyAV holds the GIL while it waits for decoder threads, but they may need it to end."""
    calls = Mock()
    VideoFile(path=tmp_path, container=calls.container, codec=calls.codec).close()
    assert calls.mock_calls == [call.codec.flush_buffers(), call.container.close()]


@pytest.mark.sample(8)
@pytest.mark.parametrize("suffix", [*codec.SUFFIXES, *codec.ALSO_OPENS])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile inner.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\ninner.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    ],
    ids=["ffconcat", "HLS", "SDP"],
)
def test_lists_of_other_files_are_not_videos(text: str, suffix: str, tmp_path: Path) -> None:
    imsave(np.zeros((3, 32, 32), np.uint8), tmp_path / "inner.mp4")
    (tmp_path / f"list{suffix}").write_text(text)
    with pytest.raises(OSError, match=r"list\.\w+.* cannot be (opened as a video|decoded)"):
        imload(tmp_path / f"list{suffix}")


def test_frames_that_no_other_depends_on_are_left_out_on_the_way_to_another(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("b-frames.mp4")
    truth = decoded(path)
    monkeypatch.setattr(frame_cache, "_FRAMES", 4)
    output: list[int] = []
    real = decoder.Decoder._note_damage
    monkeypatch.setattr(
        decoder.Decoder, "_note_damage", lambda s, k, f: (output.append(k), real(s, k, f))[1]
    )
    (image,) = imload(path)
    for number in (118, 90, 60):
        output.clear()
        assert number_of(image.array[number]) == truth[number]
        assert len(output) < 0.75 * number
        n_decoded = len(output)
        near = range(number - 1, number - 4, -1)  # cached, also those that no other depends on
        assert [number_of(image.array[i]) for i in near] == [truth[i] for i in near]
        assert len(output) == n_decoded
    assert [number_of(frame) for frame in image.array] == truth


@pytest.mark.parametrize("n_reordered", [-8, 16])
def test_a_frame_that_was_left_out_is_decoded_with_all_before_it(
    n_reordered: int, made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a stream marks frames that others depend on as if they were not."""
    path = made("b-frames.mp4")
    truth = decoded(path)
    monkeypatch.setattr(frame_cache, "_FRAMES", 4)
    monkeypatch.setattr(decoder, "_MOST_REORDERED", n_reordered)
    (image,) = imload(path)
    numbers = random.Random(3).sample(range(120), 60)
    assert [number_of(image.array[i]) for i in numbers] == [truth[i] for i in numbers]


def test_frames_read_backward_are_decoded_in_few_runs(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made("b-frames.mp4")
    truth = decoded(path)
    monkeypatch.setattr(frame_cache, "_BYTES", 5 * 64 * 160 * 3 // 2)
    monkeypatch.setattr(frame_cache, "_BACKWARD_BYTES", 36 * 64 * 192 * 3 // 2)
    (image,) = imload(path)
    jumps: list[int] = []
    real = decoder.Decoder._jump
    monkeypatch.setattr(decoder.Decoder, "_jump", lambda s, p: (jumps.append(p), real(s, p))[1])
    numbers = range(119, 59, -1)
    assert [number_of(image.array[i]) for i in numbers] == [truth[i] for i in numbers]
    assert len(jumps) <= 4
