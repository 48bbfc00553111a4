"""Videos: random access to frames, and playback of saved files with the right gray levels."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pickle  # noqa: TID251 - our own
import queue
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import psutil
import pytest

import napari_ferry
from faults import contents, names, run_python
from helpers import (
    assert_same_image,
    entry_id,
    make_full_image,
    make_image,
    make_unreadable,
    number_of,
    pixels,
    read_corpus,
)
from napari_ferry import (
    Axis,
    FerryError,
    FerryWarning,
    Image,
    InvalidImageError,
    MissingMetadataError,
    SaveCancelledError,
    SaveError,
    UnreadableFileError,
    UnsupportedFormatError,
    imload,
    load_video,
    save_video,
)
from napari_ferry.arrays import Frames
from napari_ferry.cli import main
from napari_ferry.codecs.video import decoder, encoder
from napari_ferry.codecs.video import idle_decoders as idle
from napari_ferry.codecs.video.decoder import close_video
from napari_ferry.saving.progress import Monitor
from napari_ferry.saving.stream import make_stream

# What the codec does with samples; tests/rendering/test_save.py has what is drawn for it.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)

BITS = 10
"""Bits of the number in a frame: each is a block of 16 x 16 pixels, black or white."""


def numbered_frame(number: int) -> np.ndarray:
    """Return a frame with its number in it: axes y x, 64 x 160, uint8."""
    blocks = [(number >> bit) & 1 for bit in range(BITS)]
    lines = np.array([blocks, [1 - b for b in blocks], blocks, [number % 2] * BITS], np.uint8)
    return (lines * 200 + 25).repeat(16, 0).repeat(16, 1)


def ffmpeg(*arguments: object, stdin: bytes = b"") -> None:
    """Run ffmpeg and check its exit code."""
    command = [encoder.find_ffmpeg(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def make_numbered(path: Path, *options: str, frames: int = 120) -> Path:
    """Write a video of numbered frames, 25 per second, with options of ffmpeg."""
    data = np.stack([numbered_frame(i) for i in range(frames)]).tobytes()
    size = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x64", "-r", "25", "-i", "-")
    ffmpeg(*size, *options, path, stdin=data)
    return path


H264 = ("-pix_fmt", "yuv420p", "-c:v", "libx264")
UNEVEN = "setpts='(N+gt(N,20)*7+gt(N,50)*(N-50)*2)/25/TB'"
MADE = {
    "b-frames.mp4": (*H264, "-g", "250", "-bf", "3"),
    "short-gop.mp4": (*H264, "-g", "15"),
    "open-gop.mp4": (*H264, "-g", "24", "-bf", "3", "-x264-params", "open-gop=1:scenecut=0"),
    "b-pyramid.mkv": (*H264, "-g", "40", "-bf", "8", "-x264-params", "b-pyramid=normal:ref=6"),
    "intra.mp4": (*H264, "-g", "1"),
    "refresh.mp4": (*H264, "-g", "20", "-x264-params", "intra-refresh=1"),
    "late.mp4": (*H264, "-output_ts_offset", "1.52"),
    "late.mkv": (*H264, "-output_ts_offset", "3.2"),
    "fragments.mp4": (*H264, "-g", "30", "-movflags", "frag_keyframe+empty_moov"),
    "uneven.mp4": ("-vf", UNEVEN, "-fps_mode", "vfr", *H264, "-g", "30"),
    "uneven.mkv": ("-vf", UNEVEN, "-fps_mode", "vfr", *H264, "-g", "30"),
    "four-four-four.mp4": ("-pix_fmt", "yuv444p", "-c:v", "libx264", "-g", "50"),
    "ten-bits.mp4": ("-pix_fmt", "yuv420p10le", "-c:v", "libx264"),
    "part2.avi": ("-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-bf", "2", "-q:v", "3"),
    "part2.mp4": ("-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-bf", "2", "-g", "50", "-q:v", "3"),
    "jpeg.avi": ("-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "3"),
    "raw.avi": ("-pix_fmt", "bgr24", "-c:v", "rawvideo"),
    "vp8.webm": ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "200k", "-g", "40"),
    "exact.mkv": ("-c:v", "ffv1", "-level", "3"),
    "quicktime.mov": (*H264, "-g", "60"),
    "phone.m4v": (*H264, "-g", "60", "-f", "mp4"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function to make one of the videos `MADE`, once per module."""
    folder = tmp_path_factory.mktemp("made")

    def make(name: str) -> Path:
        path = folder / name
        return path if path.exists() else make_numbered(path, *MADE[name])

    return make


def decoded(path: Path) -> list[int]:
    """Return the numbers of all frames, decoded in order from the beginning."""
    with av.open(str(path)) as container:
        return [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def access_order(count: int, seed: int = 0) -> list[int]:
    """Return frames to read: at random, forward, backward, first and last."""
    rng = random.Random(seed)
    asked = [rng.randrange(count) for _ in range(40)]
    for start in (0, count // 3, count - 8):
        asked += range(start, min(start + 6, count))
        asked += range(start + 5, start, -2)
    return [*(i for i in asked if i < count), count - 1, 0, count - 1]


@pytest.mark.parametrize("name", MADE)
def test_any_frame_is_the_right_one(name: str, made: Callable[[str], Path]) -> None:
    path = made(name)
    truth = decoded(path)
    (image,) = imload(path)
    assert len(truth) == image.shape[0] == 120
    asked = access_order(len(truth))
    found = [number_of(np.asarray(image.array.read(i))) for i in asked]  # type: ignore[attr-defined]
    assert found == [truth[i] for i in asked]
    assert [number_of(frame) for frame in np.asarray(image.array)] == truth


def test_an_edit_list_is_followed(made: Callable[[str], Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.3", "-i", made("b-frames.mp4"), "-c", "copy", cut)
    truth = decoded(cut)
    assert truth[0] > 20
    (image,) = imload(cut)
    asked = access_order(len(truth))
    assert [number_of(image.array[i]) for i in asked] == [truth[i] for i in asked]
    assert image.shape[0] == len(truth)


def test_times_match_the_stream(made: Callable[[str], Path]) -> None:
    (even,) = imload(made("b-frames.mp4"))
    assert even.axes[0] == Axis("t", 0.04, "second", 0.0)
    (late,) = imload(made("late.mp4"))
    assert late.axes[0].scale == 0.04
    (jpeg,) = imload(made("jpeg.avi"))
    assert jpeg.frame_rate == 25


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv"])
def test_uneven_times_are_listed_in_the_metadata(name: str, made: Callable[[str], Path]) -> None:
    with av.open(str(made(name))) as container:
        stream = container.streams.video[0]
        expected = [float(frame.pts * stream.time_base) for frame in container.decode(stream)]
    assert len(set(np.diff(expected).round(2))) > 2
    (image,) = imload(made(name))
    np.testing.assert_allclose(image.metadata["timestamps"], expected, atol=1e-6)
    assert image.axes[0].scale == pytest.approx(expected[-1] / 119)
    assert image.axes[0].unit == "second"


@pytest.mark.parametrize(
    ("options", "dtype", "tolerance"),
    [
        (("-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "0"), "uint8", 1),
        (("-pix_fmt", "gray", "-c:v", "libx264", "-qp", "0"), "uint8", 0),
        (("-pix_fmt", "yuvj420p", "-c:v", "libx264", "-qp", "0"), "uint8", 0),
        (("-c:v", "ffv1"), "uint8", 0),
        (("-pix_fmt", "bgr0", "-c:v", "ffv1"), "uint8", 0),
        (("-pix_fmt", "rgb24", "-c:v", "png"), "uint8", 0),
    ],
)
def test_all_gray_levels_are_one_channel(
    options: Sequence[str], dtype: str, tolerance: int, tmp_path: Path
) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (3, 64, 1))
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "256x64", "-r", "10", "-i", "-")
    path = tmp_path / "ramp.mkv"
    ffmpeg(*pipe, *options, path, stdin=ramp.tobytes())
    (image,) = imload(path)
    assert image.dtype == dtype
    assert image.shape == ramp.shape
    assert np.abs(np.asarray(image.array).astype(int) - ramp).max() <= tolerance


@pytest.mark.parametrize(("form", "bits"), [("gray10le", 10), ("gray12le", 12), ("gray16le", 16)])
def test_deep_gray_keeps_its_bits(form: str, bits: int, tmp_path: Path) -> None:
    data = (pixels((3, 32, 48)) >> (16 - bits)).astype("<u2")
    pipe = ("-f", "rawvideo", "-pix_fmt", form, "-s", "48x32", "-r", "10", "-i", "-")
    ffmpeg(*pipe, "-c:v", "ffv1", tmp_path / "deep.mkv", stdin=data.tobytes())
    (image,) = imload(tmp_path / "deep.mkv")
    np.testing.assert_array_equal(image.array, data)
    limits = image.display.get("contrast_limits")
    assert limits == ([0, (1 << bits) - 1] if bits < 16 else None)


def test_deep_color_fills_16_bits(tmp_path: Path) -> None:
    data = pixels((2, 32, 48, 3))
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "48x32", "-r", "10", "-i", "-")
    to = ("-c:v", "ffv1", "-pix_fmt", "gbrp16le")
    ffmpeg(*pipe, *to, tmp_path / "deep.mkv", stdin=data.tobytes())
    (image,) = imload(tmp_path / "deep.mkv")
    assert image.axis_names == ("t", "y", "x", "s")
    np.testing.assert_array_equal(image.array, data)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_colors_follow_their_tags(matrix: str, span: str, tmp_path: Path) -> None:
    colors = np.array([[250, 10, 20], [10, 240, 30], [20, 30, 250], [128, 60, 200]], np.uint8)
    frame = colors.repeat(16, 0)[None].repeat(32, 0)
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x32", "-r", "10", "-i", "-")
    scale = f"scale=out_color_matrix={matrix}:out_range={span},format=yuv444p"
    tags = f"setparams=range={span}:colorspace={matrix}"
    path = tmp_path / "colors.mp4"
    options = ("-vf", f"{scale},{tags}", "-c:v", "libx264", "-qp", "0")
    ffmpeg(*pipe, *options, path, stdin=frame.tobytes())

    (image,) = imload(path)
    assert np.abs(image.array[0, 16, 8::16].astype(int) - colors).max() <= 4


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_is_applied(angle: int, tmp_path: Path) -> None:
    upright = numbered_frame(341)[:, :128].copy()
    upright[:8] = 255
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "128x64", "-r", "5", "-i", "-")
    ffmpeg(*pipe, *H264, "-qp", "0", tmp_path / "a.mp4", stdin=upright.tobytes() * 3)
    turned = tmp_path / "b.mp4"
    ffmpeg("-display_rotation", angle, "-i", tmp_path / "a.mp4", "-c", "copy", turned)
    shown = tmp_path / "c.mkv"
    ffmpeg("-i", turned, "-c:v", "ffv1", "-pix_fmt", "gray", shown)  # ffmpeg rotates it itself
    (image,), (truth,) = imload(turned), imload(shown)
    assert np.abs(image.array[1].astype(int) - truth.array[1].astype(int)).max() <= 2


@pytest.fixture
def gray_but_one(tmp_path: Path) -> Path:
    """Write a video of 400 gray frames except frame 333, not checked on opening."""
    frames = np.full((400, 32, 32, 3), 90, np.uint8)
    frames[333, :, :, 0] = 200
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "32x32", "-r", "10", "-i", "-")
    path = tmp_path / "late.mp4"
    ffmpeg(*pipe, *H264, "-g", "500", "-sc_threshold", "0", path, stdin=frames.tobytes())
    return path


def has_red(frames: Any) -> bool:
    """Return True if only frame 333 has a color."""
    found = np.asarray(frames)[[330, 333], 16, 16].astype(int)
    return bool(np.ptp(found[1]) > 80 and np.ptp(found[0]) < 10)


def test_late_colors_raise_an_error_and_open_in_color_next_time(gray_but_one: Path) -> None:
    (image,) = imload(gray_but_one)
    assert image.axis_names == ("t", "y", "x")
    with pytest.raises(UnreadableFileError, match=r"Frame 33\d of .*late.mp4 has colors.*again"):
        np.asarray(image.array)
    (again,) = imload(gray_but_one)
    assert again.axis_names == ("t", "y", "x", "s")
    assert has_red(again.array)


def test_load_video_reopens_a_file_with_late_colors(gray_but_one: Path) -> None:
    found = load_video(gray_but_one)
    assert found.shape == (400, 32, 32, 3)
    assert has_red(found)


@pytest.mark.parametrize("suffix", [".tif", ".mkv"])
def test_convert_reopens_a_file_with_late_colors(
    suffix: str, gray_but_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(gray_but_one), str(tmp_path / f"a{suffix}")]) == 0
    assert "late.mp4 looked gray, but later frames have colors" in capsys.readouterr().err
    (found,) = imload(tmp_path / f"a{suffix}")
    assert found.axis_names == ("t", "y", "x", "s")
    assert has_red(found.array)
    assert names(tmp_path) == [f"a{suffix}", "late.mp4"]


def test_a_save_with_late_colors_explains_the_cure(gray_but_one: Path, tmp_path: Path) -> None:
    (image,) = imload(gray_but_one)
    with pytest.raises(UnreadableFileError, match=r"has colors.* open the file again"):
        imsave(image, tmp_path / "a.gif")
    assert names(tmp_path) == ["late.mp4"]
    imsave(imload(gray_but_one)[0], tmp_path / "a.gif")


@pytest.mark.parametrize("name", ["short-gop.mp4", "exact.mkv", "jpeg.avi", "b-frames.mp4"])
@pytest.mark.parametrize("part", [0.5, 0.93])
def test_a_truncated_file_opens_with_its_whole_frames(
    name: str, part: float, made: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = tmp_path / f"whole{Path(name).suffix}"
    ffmpeg("-i", made(name), "-c", "copy", "-movflags", "+faststart", whole)
    truth = np.asarray(imload(whole)[0].array)
    cut = tmp_path / f"cut{whole.suffix}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * part)])
    with pytest.warns(FerryWarning, match=r"cut\.\w+ is damaged.* are whole"):
        (image,) = imload(cut)
    found = np.asarray(image.array)
    assert 0 < len(found) < len(truth)
    shown = [number_of(frame) for frame in found]
    assert shown == sorted(shown)
    np.testing.assert_array_equal(found, truth[shown])


def test_a_file_without_a_video_stream_is_refused(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", sound)
    with pytest.raises(UnreadableFileError, match=r"sound\.mp4 has no video stream \(only audio\)"):
        imload(sound)
    page = tmp_path / "page.mp4"
    page.write_text("<html>not found</html>")
    with pytest.raises(UnreadableFileError, match=r"page.mp4 cannot be opened as a video"):
        imload(page)


def test_an_unknown_encoding_is_reported(made: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(made("short-gop.mp4").read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(
        UnreadableFileError, match=r"a\.mp4 has a video stream in an unknown encoding"
    ):
        imload(path)


@pytest.mark.parametrize("name", ["short-gop.mp4", "b-pyramid.mkv", "part2.avi"])
def test_damaged_files_raise_only_our_errors(
    name: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    whole, rng = made(name).read_bytes(), random.Random(3)
    path = tmp_path / name
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 4, 30))):
            damaged[rng.randrange(rng.choice((2000, len(whole))))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.choice((None, None, rng.randrange(len(whole))))])
        with warnings.catch_warnings(), contextlib.suppress(FerryError):
            warnings.simplefilter("ignore", FerryWarning)
            (image,) = imload(path)
            if image.ndim > 2:
                image.array[image.shape[0] // 2]


def test_a_changed_or_deleted_file_is_reported(made: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(made("short-gop.mp4"), path)
    (image,) = imload(path)
    assert number_of(image.array[3]) == 3
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a.mp4 is gone"):
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
    # in a separate process, because a process with windows does not survive a fork
    status, _, errors = run_python(_READ_IN_FORK, made("b-frames.mp4"))
    assert status == 0, errors


def test_an_idle_file_is_closed(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(idle, "_watcher", idle._Watcher())
    (image,) = imload(made("b-frames.mp4"))
    image.array[7]
    process = psutil.Process()
    assert any("b-frames" in file.path for file in process.open_files())
    until = time.monotonic() + 10
    while any("b-frames" in file.path for file in process.open_files()):
        assert time.monotonic() < until, "still open"
        time.sleep(0.05)
    assert number_of(image.array[8]) == 8


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


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("axes", ["tyx", "zyx", "yx", "tyxs", "yxs", "cyx"])
def test_metadata_are_preserved(suffix: str, axes: str, tmp_path: Path) -> None:
    image = replace(make_full_image(axes, "uint8"), channels=(), display={"gamma": 0.5})
    (path,) = imsave(image, tmp_path / f"cells{suffix}")
    (found,) = imload(path)
    if suffix == ".mkv":
        assert_same_image(found, image)
    else:
        assert found.axes == image.axes
        assert (found.name, found.metadata, found.display) == (
            image.name,
            image.metadata,
            image.display,
        )
        assert found.shape == image.shape


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 2), (2, 15, 17), (3, 16, 31), (2, 1, 501)])
@pytest.mark.parametrize("rgb", [False, True])
def test_every_size_is_preserved(codec: Any, shape: Any, rgb: bool, tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, shape[2]).astype(np.uint8)
    movie = np.broadcast_to(ramp, shape)
    movie = np.stack([movie] * 3, -1) if rgb else movie
    (path,) = save_video(tmp_path / "a.mkv", movie, codec=codec, quality="best")
    found = load_video(path)
    assert found.shape == movie.shape
    error = np.abs(found.astype(int) - movie.astype(int)).max()
    assert error <= (0 if codec == "ffv1" else 6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("axes", ["tyx", "tyxs"])
def test_ffv1_is_exact(dtype: str, axes: str, tmp_path: Path) -> None:
    image = make_image(axes, dtype, t=4, y=37, x=53)
    planned = plan(image, tmp_path / "a.mkv", frame_rate=10)
    assert planned.losses == ()
    (path,) = imsave(image, tmp_path / "a.mkv")
    np.testing.assert_array_equal(imload(path)[0].array, image.array)
    with av.open(str(path)) as container:  # for ffmpeg, too
        form = {"uint8": "rgb24", "uint16": "rgb48le"}[dtype] if "s" in axes else None
        frames = [frame.to_ndarray(format=form) for frame in container.decode(video=0)]
    np.testing.assert_array_equal(np.stack(frames), image.array)


@pytest.mark.parametrize(
    ("asked", "exact"),
    [
        (0.5, Fraction(1, 2)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (1 / 3, Fraction(1, 3)),
        (12.5, Fraction(25, 2)),
        (90, Fraction(90)),
        (1000, Fraction(1000)),
        (2500.5, Fraction(5001, 2)),
        (0.001, Fraction(1, 1000)),
        (100_000, Fraction(100_000)),
        (np.float32(29.97), Fraction(30000, 1001)),
        (np.float32(1 / 3), Fraction(1, 3)),
        (np.float32(12.5), Fraction(25, 2)),
        (np.int16(25), Fraction(25)),
        (0.0001, Fraction(1, 10_000)),
        (119.88, Fraction(120_000, 1001)),
        (120.5, Fraction(241, 2)),
        (239.76, Fraction(5994, 25)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_frame_rates_are_exact(asked: float, exact: Fraction, suffix: str, tmp_path: Path) -> None:
    if asked < 0.001 and av.library_versions["libavformat"][0] < 62:
        pytest.skip("FFmpeg before version 8 leaves out an edit list of so many ticks")
    movie = np.stack([numbered_frame(i) for i in range(11)])
    (path,) = save_video(tmp_path / f"a{suffix}", movie, asked)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.frames) == (exact, 11)
        assert stream.codec_context.pix_fmt in ("yuvj420p", "yuv420p")
        packets = [packet for packet in container.demux(stream) if packet.size]
        stamps = sorted(packet.pts * stream.time_base for packet in packets)
    assert stamps == [k / exact for k in range(11)]
    (found,) = imload(path)
    assert found.frame_rate == pytest.approx(float(exact))


@pytest.mark.parametrize("rate", ["1e999999999", "-5", "0", "1/0", "nan", "", None, [1], "7" * 99])
def test_an_invalid_rate_in_a_record_is_ignored(rate: Any, tmp_path: Path) -> None:
    save_video(tmp_path / "a.mkv", np.stack([numbered_frame(i) for i in range(4)]), 25)
    with av.open(str(tmp_path / "a.mkv")) as container:
        record = json.loads(container.metadata["COMMENT"])
    assert record["frame rate"] == "25"
    comment = json.dumps({**record, "frame rate": rate})
    ffmpeg(
        *("-i", tmp_path / "a.mkv", "-c", "copy", "-metadata", f"comment={comment}"),
        tmp_path / "b.mkv",
    )
    assert imload(tmp_path / "b.mkv")[0].frame_rate == 25


@pytest.mark.parametrize(
    ("rate", "word"),
    [
        (25, ""),
        (1000, ""),
        (0.0001, ""),
        (59.94, "rounded"),
        (1500, "1500 frames per"),
        (1e5, "100000 frames per"),
    ],
)
def test_rounded_times_in_matroska_are_reported(rate: float, word: str, tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(11)])
    losses = "; ".join(plan(movie, tmp_path / "a.mkv", frame_rate=rate).losses)
    assert (
        re.search(f"Matroska stores times in milliseconds.*{word}", losses) if word else not losses
    )
    save_video(tmp_path / "a.mkv", movie, rate)
    (found,) = imload(tmp_path / "a.mkv")  # from our record
    assert found.frame_rate == pytest.approx(60000 / 1001 if rate == 59.94 else rate)
    assert "timestamps" not in found.metadata
    assert not plan(movie[:1], tmp_path / "a.mkv", frame_rate=rate).losses
    assert "Matroska" not in str(plan(movie, tmp_path / "a.mp4", frame_rate=rate).losses)


def test_the_default_frame_rate_follows_the_image(tmp_path: Path) -> None:
    for step, unit, exact in (
        (0.05, "second", Fraction(20)),
        (1001 / 30, "millisecond", Fraction(30000, 1001)),
        (0.2, "second", Fraction(5)),
        (1 / 60, "second", Fraction(60)),
        (float(np.float32(0.2)), "second", Fraction(5)),
        (2, "minute", Fraction(10)),  # too slow to watch
        (1, "millisecond", Fraction(10)),
        (2.5, None, Fraction(10)),
        (1, "day", Fraction(10)),
    ):
        image = replace(make_image("tyx", "uint8"), axes=(Axis("t", step, unit), *map(Axis, "yx")))
        imsave(image, tmp_path / "a.mp4", overwrite=True)
        with av.open(str(tmp_path / "a.mp4")) as container:
            assert container.streams.video[0].average_rate == exact
        assert imload(tmp_path / "a.mp4")[0].axes == image.axes


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif"])
@pytest.mark.parametrize(
    ("axis", "rate", "words"),
    [
        (Axis("t", 30, "second"), 10, "the movie plays at 10 per second, 300 x real time"),
        (Axis("t", 0.25, "second"), 10, "at 10 per second, 2.5 x real time"),
        (Axis("t", 0.001, "second"), 10, "at 10 per second, 0.01 x real time"),
        (Axis("t"), 10, "at 10 per second, which is assumed: the time between frames is not known"),
        (Axis("t", 2, "micrometer"), 10, "at 10 per second, which is assumed"),
        (Axis("z", 2, "micrometer"), 10, "at 10 per second, which is assumed"),
        (Axis("t", 0.2, "second"), 5, None),
        (Axis("t", 100, "ms"), 10, None),
        (Axis("t", 20, "ms"), 50, None),
    ],
)
def test_the_playback_speed_is_watchable_and_reported(
    name: str, axis: Axis, rate: float, words: str | None, tmp_path: Path
) -> None:
    image = Image((pixels((4, 8, 8), "uint8"),), (axis, Axis("y"), Axis("x")))
    for planner in (plan, napari_ferry.plan):
        planned = planner(image, tmp_path / name)
        assert planned.frame_rate == rate
        losses = "; ".join(planned.losses)
        assert words in losses if words else "plays" not in losses
        assert axis.name == "t" or "real time" not in losses
    asked = plan(image, tmp_path / name, frame_rate=0.5)
    assert asked.frame_rate == Fraction(1, 2)
    assert "plays" not in "; ".join(asked.losses)
    single = Image((pixels((1, 8, 8), "uint8"),), image.axes)
    assert "plays" not in "; ".join(plan(single, tmp_path / name).losses)
    imsave(image, tmp_path / name)
    (again,) = imload(tmp_path / name)  # with the time axis of the image
    assert again.axes == image.axes
    assert plan(again, tmp_path / f"b{name}").frame_rate == rate


def test_tags_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    (path,) = save_video(tmp_path / "a.mkv", np.zeros((3, 8, 8), np.uint8), 25)
    ffmpeg("-i", path, "-c", "copy", "-metadata", "artist=Jorgen", tmp_path / "b.mkv")
    data = (tmp_path / "b.mkv").read_bytes()
    assert data.count(b"Jorgen") == 1
    (tmp_path / "b.mkv").write_bytes(data.replace(b"Jorgen", b"J\xf8rgen"))  # as Latin-1
    (foreign,) = imload(tmp_path / "b.mkv")
    assert foreign.shape == (3, 8, 8)
    ffmpeg(
        *("-i", path, "-c", "copy", "-map_metadata", "-1", "-metadata", "artist=Jorgen"),
        tmp_path / "c.mkv",
    )
    data = (tmp_path / "c.mkv").read_bytes()
    (tmp_path / "c.mkv").write_bytes(data.replace(b"Jorgen", b"J\xf8rgen"))
    (bare,) = imload(tmp_path / "c.mkv")
    assert bare.metadata["video"]["tags"]["ARTIST"] == "J\ufffdrgen"
    imsave(bare, tmp_path / "d.tif")
    assert imload(tmp_path / "d.tif")[0].metadata["video"] == bare.metadata["video"]


def test_a_decoder_is_idle_before_its_file_is_closed() -> None:
    """PyAV holds the GIL while it waits for decoder threads, but they may need it to end."""
    container = Mock()
    container.streams.video = [Mock()]
    close_video(container)
    container.streams.video[0].codec_context.flush_buffers.assert_called_once_with()
    container.close.assert_called_once_with()


def test_another_program_may_change_the_rate(tmp_path: Path) -> None:
    image = make_full_image("tyx", "uint8")
    image = replace(image, axes=(replace(image.axes[0], scale=0.1), *image.axes[1:]))
    imsave(image, tmp_path / "a.mkv")
    ffmpeg("-itsscale", "0.5", "-i", tmp_path / "a.mkv", "-c", "copy", tmp_path / "b.mkv")
    (found,) = imload(tmp_path / "b.mkv")
    assert found.axes[0].scale == pytest.approx(image.axes[0].scale / 2)
    assert found.axes[1:] == image.axes[1:]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e9, "30", True, 1e-6])
def test_invalid_frame_rates_are_refused(rate: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"frame rate is .*between 0\.0001 and 1000000"):
        save_video(tmp_path / "a.mp4", np.zeros((2, 4, 4), "u1"), rate)
    assert not names(tmp_path)


def _boxes(path: Path) -> list[str]:
    """Return the names of the outermost boxes of an MP4 file (ISO/IEC 14496-12)."""
    data, boxes, offset = path.read_bytes(), [], 0
    while offset < len(data):
        boxes.append(data[offset + 4 : offset + 8].decode("latin-1"))
        offset += int.from_bytes(data[offset : offset + 4], "big")
    return boxes


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_an_h264_file_is_portable(suffix: str, tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i)[:63, :159] for i in range(100)])
    (path,) = save_video(tmp_path / f"a{suffix}", movie, 30)
    boxes = _boxes(path)
    assert boxes.index("moov") < boxes.index("mdat")

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (160, 64)
        assert not container.streams.audio
        keys = [k for k, packet in enumerate(container.demux(stream)) if packet.is_keyframe]
        container.seek(0)
        frame = next(container.decode(stream))
        assert (frame.color_range, frame.colorspace, stream.codec_context.color_trc) == (2, 1, 1)
    assert max(np.diff(keys)) <= 30
    assert [number_of(f) for f in np.pad(load_video(path), ((0, 0), (0, 1), (0, 1)), "edge")] == [
        *range(100)
    ]


def ramp_movie(rgb: bool, frames: int = 3) -> np.ndarray:
    """Return all 256 levels in blocks of 16 x 16: axes t y x, or t y x s."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(16, 0).repeat(16, 1)
    movie = np.stack([levels] * frames)
    return np.stack([movie] * 3, -1) if rgb else movie


@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize("quality", ["good", "high", "best"])
def test_all_levels_are_preserved_for_all_readers(rgb: bool, quality: Any, tmp_path: Path) -> None:
    movie = ramp_movie(rgb)
    (path,) = save_video(tmp_path / "a.mp4", movie, quality=quality)
    inner = (slice(None), slice(8, None, 16), slice(8, None, 16))
    assert np.abs(load_video(path)[inner].astype(int) - movie[inner]).max() <= 1
    ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", tmp_path / "a.raw")
    shown = np.fromfile(tmp_path / "a.raw", np.uint8).reshape(3, 256, 256, 3)
    truth = movie if rgb else np.stack([movie] * 3, -1)
    assert np.abs(shown[inner].astype(int) - truth[inner]).max() <= 1
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame[inner[1:]].astype(int) - truth[0][inner[1:]]).max() <= 1


PAGE = """<body><script>
(async () => {
  const result = {frames: []}, v = document.createElement("video");
  const tell = () => fetch("/result", {method: "POST", body: JSON.stringify(result)});
  try {
    v.muted = true;
    document.body.append(v);
    await new Promise((ok, no) => {
      v.onloadeddata = ok;
      v.onerror = () => no(v.error);
      v.src = "/video";
    });
    [result.size, result.duration] = [[v.videoWidth, v.videoHeight], v.duration];
    const c = document.createElement("canvas");
    [c.width, c.height] = result.size;
    const x = c.getContext("2d", {willReadFrequently: true});
    for (let k = 0; k < COUNT; k++) {
      // a busy browser reports the end of a seek before it shows the frame
      await new Promise(ok => {
        v.requestVideoFrameCallback(ok);
        v.onseeked = () => setTimeout(ok, 1000);
        v.currentTime = (k + 0.5) / RATE;
      });
      x.drawImage(v, 0, 0);
      const d = x.getImageData(0, 0, c.width, c.height).data, levels = [];
      for (let i = 8; i < c.height; i += 16)
        for (let j = 8; j < c.width; j += 16) levels.push(d[4 * (i * c.width + j) + 1]);
      result.frames.push(levels);
    }
    v.currentTime = 0;
    await new Promise(ok => { v.onended = ok; v.play(); });
    result.played = true;
  } catch (error) { result.error = error.message; }
  tell();
})();
</script></body>"""


class _Visit(http.server.BaseHTTPRequestHandler):
    """Server for Chromium of a page with a video; it receives the result of the page."""

    page, video, result = b"", b"", queue.Queue()

    def do_GET(self) -> None:
        body = self.video if self.path == "/video" else self.page
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = int(asked[1]) if asked else 0, len(body) - 1
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4" if self.path == "/video" else "text/html")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body[first:])

    def do_POST(self) -> None:
        self.result.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def play(path: Path, rate: float, count: int) -> dict[str, Any]:
    """Play a video in Chromium; return the green level in the center of each 16 x 16 block."""
    page = PAGE.replace("COUNT", str(count)).replace("RATE", str(rate)).encode()
    result: queue.Queue[dict[str, Any]] = queue.Queue()
    visit = type("Visit", (_Visit,), {"page": page, "video": path.read_bytes(), "result": result})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), visit)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={path.parent / 'profile'}"]
    command += [f"http://127.0.0.1:{server.server_port}/"]
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = subprocess.Popen(command, start_new_session=True, **nowhere)
    try:
        return result.get(timeout=60)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        server.shutdown()
        server.server_close()


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@needs_chromium
@pytest.mark.parametrize("rgb", [False, True])
def test_a_browser_shows_all_levels(rgb: bool, tmp_path: Path) -> None:
    (path,) = save_video(tmp_path / "a.mp4", ramp_movie(rgb), 10, quality="good")
    result = play(path, 10, 3)
    assert result.get("played"), result.get("error")
    assert result["size"] == [256, 256]
    assert result["duration"] == pytest.approx(0.3, abs=0.001)
    assert np.abs(np.array(result["frames"]) - np.arange(256)).max() <= 1


@needs_chromium
def test_a_browser_shows_every_frame(tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(60)])
    (path,) = save_video(tmp_path / "a.mp4", movie, 29.97)

    def play_again() -> list[int]:
        frames = play(path, 30000 / 1001, 60)["frames"]
        return [sum((level > 125) << k for k, level in enumerate(f[:BITS])) for f in frames]

    # a busy browser may report a seek before it draws, but not three times at the same frame
    shown = np.array([play_again() for _ in range(3)])
    assert (shown == np.arange(60)).any(0).all()
    assert (shown <= np.arange(60)).all()


@pytest.mark.parametrize("quality", ["small", "good", "high", "best"])
def test_higher_quality_has_a_smaller_error(quality: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 6, (20, 64, 160))
    movie = np.clip(np.stack([numbered_frame(i) for i in range(20)]) + noise, 0, 255).astype("u1")
    (path,) = save_video(tmp_path / "a.mp4", movie, quality=quality)
    error = np.abs(load_video(path).astype(float) - movie).mean()
    most = {"small": 6, "good": 5, "high": 4, "best": 2.2}[quality]
    assert error < most


def test_losses_describe_the_conversion_of_samples(tmp_path: Path) -> None:
    def losses_of(image: Any, **options: Any) -> str:
        return "; ".join(plan(image, tmp_path / "a.mp4", **options).losses)

    full = make_full_image("tczyx")
    assert "uint16 is scaled to 8 bits between 3 and 4000" in losses_of(full, position="z=1 c=0")
    assert "only index 1 of 4" in losses_of(full, position="z=1 c=0")
    assert "lowest and the highest value of 3 frames" in losses_of(make_image("tyx"))
    assert "NaN becomes black" in losses_of(make_image("tyx", "float32"))
    assert "transparency" in losses_of(make_image("tyxs", "uint8", s=4))
    assert "4:2:0" in losses_of(make_image("tyxs", "uint8"))
    assert "labels become gray" in losses_of(make_full_image("tyx", kind="labels"))
    assert "scaled" not in losses_of(make_image("tyx", "uint8"))


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64", "int64", ">u2", "bool"])
def test_samples_are_mapped_from_their_range(dtype: str, tmp_path: Path) -> None:
    steps = np.linspace(0, 1, 256).reshape(16, 16).repeat(8, 0).repeat(8, 1)
    movie = np.stack([steps * 1000 + 7] * 3).astype(dtype) if dtype != "bool" else steps[None] > 0.5
    (path,) = save_video(tmp_path / "a.mkv", movie)
    found = load_video(path)
    if dtype in ("uint16", ">u2"):
        np.testing.assert_array_equal(found, movie)  # FFV1 stores them unchanged
    else:
        assert found.dtype == np.uint8
        assert (found.min(), found.max()) == (0, 255)
        assert (np.diff(found[0, 4::8, 4::8].ravel().astype(int)) >= 0).all()


def test_nan_is_black_and_infinity_is_white(tmp_path: Path) -> None:
    frame = np.tile(np.linspace(1, 2, 32, dtype="f4"), (32, 1))
    frame[:8, :8], frame[:8, 8:16], frame[:8, 16:24] = np.nan, np.inf, -np.inf
    save_video(tmp_path / "a.mkv", frame[None])
    found = load_video(tmp_path / "a.mkv")[0]
    assert (found[2, 2], found[2, 10], found[2, 20], found[20, 0]) == (0, 255, 0, 0)


def test_contrast_limits_are_applied(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (2, 16, 1))
    image = replace(Image.from_array(ramp), display={"contrast_limits": [50, 150]})
    (path,) = imsave(image, tmp_path / "a.mp4", quality="best")
    (found,) = imload(path)
    expected = np.clip((np.arange(256.0) - 50) * 2.55, 0, 255)
    assert np.abs(found.array[0, 8] - expected).mean() < 2
    assert found.metadata["mapped from"] == {"dtype": "uint8", "low": 50.0, "high": 150.0}
    assert "contrast_limits" not in found.display


def test_transparent_colors_are_blended_with_black(tmp_path: Path) -> None:
    colors = np.full((2, 16, 16, 4), 200, np.uint8)
    colors[..., 3] = 128
    (path,) = save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(path), np.full((2, 16, 16, 3), 100))


@pytest.mark.parametrize(
    ("axes", "options", "word"),
    [
        ("tzyx", {}, "z=0"),
        ("tczyx", {"position": "z=1"}, "c=0"),
        ("zcyx", {}, "axis='z'"),
        ("tyx", {"axis": "z"}, "frame axis is 'z'"),
        ("tzyx", {"position": "z=4"}, "from 0 to 3"),
        ("tzyx", {"position": "z=-1"}, "from 0 to 3"),
        ("tzyx", {"position": "p=1"}, "names the axis p"),
        ("tzyx", {"position": "z=1 z=2"}, "twice"),
        ("tzyx", {"position": "third"}, "such as 'z=3 c=0'"),
        ("tzyx", {"axis": "z", "position": "z=1 t=0"}, "has a position, too"),
        ("xyt", {}, "y and x come last"),
    ],
)
def test_an_ambiguous_frame_axis_or_position_is_refused(
    axes: str, options: Any, word: str, tmp_path: Path
) -> None:
    image = replace(make_image(axes), levels=(make_unreadable(make_image(axes).shape),))
    with pytest.raises(InvalidImageError, match=word):
        plan(image, tmp_path / "a.mp4", **options)


def test_any_axis_can_be_the_frame_axis(tmp_path: Path) -> None:
    image = make_full_image("tczyx", "uint16")
    (path,) = imsave(image, tmp_path / "a.mkv", axis="z", position="t=2 c=1")
    (found,) = imload(path)
    np.testing.assert_array_equal(found.array, np.asarray(image.array)[2, 1])
    assert found.axes == image.axes[2:]
    assert found.metadata["position"] == {"t": 2, "c": 1}
    assert found.display == {"blending": "additive"}


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("a.mp4", {"codec": "ffv1"}, ".mkv"),
        ("a.mp4", {"codec": "h265"}, "codec is 'h265'"),
        ("a.mp4", {"quality": "perfect"}, "quality is 'perfect'"),
        ("a.avi", {}, r"\.avi, which is not .* saved"),
        ("a.webm", {}, r"\.webm, which is not .* saved"),
    ],
)
def test_incompatible_options_are_refused(
    name: str, options: Any, word: str, tmp_path: Path
) -> None:
    with pytest.raises((InvalidImageError, UnsupportedFormatError), match=word):
        imsave(np.zeros((2, 4, 4), "u1"), tmp_path / name, **options)


def test_several_images_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    one = make_image("tyx", "uint8")
    with pytest.raises(InvalidImageError, match="2 were given"):
        imsave([one, one], tmp_path / "a.mp4")
    with pytest.raises(InvalidImageError, match="complex"):
        imsave(make_image("tyx", "complex64"), tmp_path / "a.mp4")
    with pytest.raises(InvalidImageError, match="at most 16384"):
        plan(make_unreadable((2, 4, 20000), "uint8"), tmp_path / "a.mp4")


def test_a_failed_encoder_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = np.stack([numbered_frame(i) for i in range(5)])
    save_video(tmp_path / "a.mp4", movie)
    before = contents(tmp_path)
    monkeypatch.setattr("napari_ferry.codecs.video.write._KEY_FRAMES", "many")
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
    assert names(tmp_path / "out") == [".a.mp4.ferry-partial"]
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


def test_a_missing_ffmpeg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import imageio_ffmpeg

    def none() -> str:
        raise RuntimeError("no ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(SaveError, match="imageio-ffmpeg"):
        save_video(tmp_path / "a.mp4", np.zeros((2, 4, 4), "u1"))


def test_a_video_can_be_saved_over_itself(tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(50)])
    (path,) = save_video(tmp_path / "a.mkv", movie)
    (image,) = imload(path)
    imsave(image, path, overwrite=True)
    np.testing.assert_array_equal(load_video(path), movie)


def test_a_video_becomes_another_format(made: Callable[[str], Path], tmp_path: Path) -> None:
    (image,) = imload(made("b-frames.mp4"))
    imsave(image, tmp_path / "a.tif", compression="zlib", workers=8)
    (found,) = imload(tmp_path / "a.tif")
    assert [number_of(frame) for frame in np.asarray(found.array)] == [*range(120)]
    assert found.frame_rate == pytest.approx(25)


def test_load_and_save_with_a_folder(tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(4)])
    assert save_video(tmp_path / "new", movie, 30) == [tmp_path / "new" / "video.mp4"]
    assert save_video(tmp_path / "new", movie, name="second") == [tmp_path / "new" / "second.mp4"]
    found = load_video(tmp_path / "new")
    assert [number_of(frame) for frame in found] == [0, 1, 2, 3]
    (tmp_path / "new" / "video.mp4").rename(tmp_path / "new" / "first.mp4")
    with pytest.raises(MissingMetadataError, match="2 videos"):
        load_video(tmp_path / "new")
    (tmp_path / "none").mkdir()
    with pytest.raises(UnreadableFileError, match="holds no videos"):
        load_video(tmp_path / "none")
    with pytest.raises(UnreadableFileError, match=r"gone.mp4"):
        load_video(tmp_path / "gone.mp4")


def test_arrays_of_colors_are_colors(tmp_path: Path) -> None:
    colors = pixels((3, 16, 16, 3), "uint8")
    save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(tmp_path / "a.mkv"), colors)


def test_napari_opens_and_saves_videos(tmp_path: Path) -> None:
    from napari_ferry.plugin import commands

    movie = np.stack([numbered_frame(i) for i in range(4)])
    layer = (movie, {"name": "cells", "scale": (0.5, 2, 2)}, "image")
    (written,) = commands.write_video(str(tmp_path / "a.mp4"), [layer])
    reader = commands.get_video_reader(written)
    assert reader is not None
    ((data, meta, kind),) = reader(written)
    assert (data.shape, kind, meta["name"]) == (movie.shape, "image", "cells")
    assert tuple(meta["scale"]) == (0.5, 2, 2)
    (exact,) = commands.write_lossless_video(str(tmp_path / "b"), [layer])
    np.testing.assert_array_equal(load_video(exact), movie)
    assert commands.get_video_reader(str(tmp_path / "a.tif")) is None


VALID = read_corpus("mp4", lambda entry: isinstance(entry.get("expect"), dict))
OTHERS = read_corpus("mp4", lambda entry: not isinstance(entry.get("expect"), dict))


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("entry", VALID, ids=entry_id)
def test_videos_of_other_programs_are_read_correctly(
    entry: dict[str, Any], shared_data: Path
) -> None:
    expected = entry["expect"]
    (image,) = imload(shared_data / "corpus" / entry["file"])
    levels = {8: 255, 10: 1023}[8 if image.dtype == np.uint8 else 10]
    levels = 65535 if image.dtype == np.uint16 and image.is_rgb else levels
    means = [
        np.asarray(image.array[i]).mean((0, 1)) * 255 / levels
        for i in range(min(8, len(image.array)))
    ]  # type: ignore[arg-type]
    size = image.shape[2:0:-1]
    if "rotate90" in entry["file"]:  # its size was recorded before rotation
        size = size[::-1]
    assert image.shape[0] == expected["frames"]
    assert list(size) == list(expected["size_wh"])
    shown = np.broadcast_to(np.array(means).reshape(len(means), -1), (len(means), 3))
    error = np.abs(shown - np.array(expected["mean_rgb_first8"])).max()
    assert error <= expected["mean_rgb_tolerance"] + 0.5
    np.asarray(image.array[image.shape[0] - 1])


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("entry", OTHERS, ids=entry_id)
def test_damaged_videos_of_other_programs_are_read_or_refused(
    entry: dict[str, Any], shared_data: Path
) -> None:
    path = shared_data / "corpus" / entry["file"]
    expected = str(entry.get("expect"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        message = ""
        try:
            np.asarray(imload(path)[0].array)
        except FerryError as error:
            message = str(error)
    assert not message or path.name in message
    assert not (message and expected.startswith("ok"))
    assert message or expected != "error"


# --- regressions


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


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_a_given_frame_rate_is_preserved(suffix: str, tmp_path: Path) -> None:
    imsave(np.zeros((5, 16, 16), np.uint8), tmp_path / f"a{suffix}", frame_rate=25)
    (found,) = imload(tmp_path / f"a{suffix}")
    assert found.frame_rate == pytest.approx(25)
    imsave(found, tmp_path / "again.mkv")
    assert imload(tmp_path / "again.mkv")[0].frame_rate == pytest.approx(25)


@pytest.mark.parametrize(
    "size", [(3, 500), (500, 3), (300, 1), (63, 4096), (20, 2000), (16, 10000), (1, 1), (300, 400)]
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_frames_of_any_shape_are_preserved(
    size: tuple[int, int], dtype: str, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, *size)).astype(dtype)
    imsave(noise, tmp_path / "a.mkv")
    np.testing.assert_array_equal(imload(tmp_path / "a.mkv")[0].load(), noise)


def test_modified_labels_open_as_an_image(tmp_path: Path) -> None:
    labels = np.arange(4 * 16 * 16, dtype=np.int32).reshape(4, 16, 16) * 1000
    for dtype, name, kind in (
        ("uint8", "a.mkv", "labels"),
        ("uint8", "a.mp4", "image"),
        ("int32", "a.mkv", "image"),
        ("int32", "a.gif", "image"),
    ):
        image = Image.from_array(labels.astype(dtype), "tyx", kind="labels")
        imsave(image, tmp_path / name, overwrite=True)
        assert imload(tmp_path / name)[0].kind == kind, (dtype, name)


def test_an_ffmpeg_that_cannot_be_run_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    (tmp_path / "out").mkdir()
    with pytest.raises(SaveError, match=r"ffmpeg cannot be run .* IMAGEIO_FFMPEG_EXE"):
        imsave(np.zeros((3, 8, 8), np.uint8), tmp_path / "out" / "a.mp4")
    assert not list((tmp_path / "out").iterdir())


def test_any_name_is_preserved(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((3, 8, 8), np.uint8), "tyx", name="a\ud800b")
    imsave(image, tmp_path / "a.mkv")
    assert imload(tmp_path / "a.mkv")[0].name == "a\ud800b"


def test_a_read_only_suffix_does_not_become_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="avi"):
        save_video(tmp_path / "a.avi", np.zeros((3, 8, 8), np.uint8))
    assert not list(tmp_path.iterdir())


def test_several_videos_can_be_read_at_the_same_time(tmp_path):
    """PyAV identifies the data of a packet by address, but small numbers share one address."""
    paths = [tmp_path / f"{k}.mp4" for k in range(6)]
    for path in paths:
        imsave(Image.from_array(np.zeros((3, 32, 48), np.uint8), "tyx"), path)

    def read(path: Path) -> int:
        return sum(np.asarray(imload(path)[0].array[i]).size for _ in range(5) for i in range(3))

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(read, paths * 3)) == {5 * 3 * 32 * 48}
