"""Movies encoded in segments: reproducible, exact at the borders, and interruptible."""

from __future__ import annotations

import pickle  # noqa: TID251 - the pickles are from this test
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

import napari_ferry
from faults import names
from helpers import number_of
from napari_ferry import SaveCancelledError, SaveError, imload, load_video, save_video
from napari_ferry.arrays import BlockReader, Frames
from napari_ferry.codecs.video import encoder
from napari_ferry.codecs.video.decoder import Decoder
from napari_ferry.saving import Write
from napari_ferry.saving.execution.workers import most_at_once
from video_files import make_numbered, numbered_frame

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)

SEGMENT = 48
"""Number of frames in a segment of H.264 in these tests."""

DTYPES = {"h264": ("uint8",), "ffv1": ("uint8", "uint16")}
FILES = [
    (suffix, codec, dtype, is_rgb)
    for suffix, codec in ((".mp4", "h264"), (".mov", "h264"), (".mkv", "h264"), (".mkv", "ffv1"))
    for dtype in DTYPES[codec]
    for is_rgb in (False, True)
]
LENGTHS = [
    (*file, 2 * SEGMENT + more)
    for k, file in enumerate(FILES)
    for more in ((-1, 0, 1) if file[1:] == ("h264", "uint8", False) else (k % 3 - 1,))
]
"""Files with numbers of frames around two segments: all three for gray H.264, else in turns."""


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide movies of few and small frames."""
    monkeypatch.setattr("napari_ferry.codecs.video.segment._SEGMENT_PIXELS", 1)
    monkeypatch.setattr("napari_ferry.codecs.video.segment._EXACT_BYTES", SEGMENT * 63 * 81)
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", 40_000)


def moving(count: int, *, is_rgb: bool = False, dtype: str = "uint8") -> np.ndarray:
    """Return frames of odd size with motion and noise, so that x264 uses B-frames."""
    y, x = np.mgrid[:63, :81]
    waves = [90 + 60 * np.sin((x + 3 * i) / 9) * np.cos((y - 2 * i) / 7) for i in range(count)]
    frames = np.stack(waves)[..., None].repeat(3 if is_rgb else 1, -1)
    frames += np.random.default_rng(0).normal(0, 4, frames.shape)
    largest = np.iinfo(dtype).max
    frames = (np.clip(frames, 0, 255) * (largest / 255)).astype(dtype)
    return frames if is_rgb else frames[..., 0]


def encode(write: Write, target: Path) -> None:
    """Encode a segment like a worker in another process, which gets only its own pixels."""
    sent = pickle.loads(pickle.dumps(write))
    digest = sent.put(target, BlockReader(sent.array, sent.region))
    assert digest == write.stored(target)


def decoded_by_program(path: Path) -> bytes:
    """Return the samples of all frames as the ffmpeg program decodes them."""
    options = ("-v", "error", "-i", str(path), "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    done = subprocess.run([encoder.find_ffmpeg(), *options], capture_output=True, check=True)
    assert not done.stderr
    return done.stdout


def decoded_by_pyav(path: Path) -> bytes:
    """Return the samples of all frames as PyAV decodes them, without padding."""
    data = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rgb = {"bgr0": "rgb24", "gbrp16le": "rgb48le"}.get(frame.format.name)
            data.append(frame.to_ndarray(format=rgb).tobytes())
    return b"".join(data)


@pytest.mark.sample(4)
@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize(("suffix", "codec", "dtype", "is_rgb", "count"), LENGTHS)
def test_frames_are_those_of_the_segments(
    suffix: str,
    codec: Any,
    dtype: str,
    is_rgb: bool,
    count: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = moving(count, is_rgb=is_rgb, dtype=dtype)
    exact_bytes = frames[:SEGMENT].nbytes
    monkeypatch.setattr("napari_ferry.codecs.video.segment._EXACT_BYTES", exact_bytes)
    path = tmp_path / f"a{suffix}"
    writes = plan(frames, path, codec=codec, frame_rate=29.97).writes
    assert len(writes) > 1
    save_video(path, frames, 29.97, codec=codec)
    for decode in (decoded_by_program, decoded_by_pyav):
        parts = []
        for write in writes:
            encode(write, tmp_path / "segment.mov")
            parts.append(decode(tmp_path / "segment.mov"))
        assert decode(path) == b"".join(parts)
    if codec == "ffv1":
        np.testing.assert_array_equal(load_video(path), frames)


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_any_frame_is_found(suffix: str, tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(2 * SEGMENT + 5)])
    (path,) = imsave(movie, tmp_path / f"a{suffix}", codec="h264")
    (image,) = imload(path)
    for i in np.random.default_rng(1).permutation(len(movie)):
        assert number_of(np.asarray(image.array[int(i)])) == i


@pytest.mark.sample(4)
@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(1, 10_000), Fraction(241, 2)])
@pytest.mark.parametrize("more", [0, 1, 2, 3, 47])
def test_times_are_exact(rate: Fraction, more: int, tmp_path: Path) -> None:
    count = 2 * SEGMENT + more
    (path,) = save_video(tmp_path / "a.mp4", moving(count), float(rate))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.frames) == (rate, count)
        assert stream.duration is not None
        assert stream.duration * stream.time_base == count / rate
        assert stream.codec_context.color_range == 2
        assert stream.codec_context.colorspace == 1
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert sorted(packet.pts * packet.time_base for packet in packets) == [
        k / rate for k in range(count)
    ]
    assert [(packet.dts - packets[0].dts) * packet.time_base for packet in packets] == [
        k / rate for k in range(count)
    ]
    times = [packet.pts for packet in packets]
    assert times != sorted(times)  # B-frames
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert b"colrnclx" in path.read_bytes()


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "h264"), (".mkv", "h264"), (".mkv", "ffv1")]
)
def test_the_file_does_not_depend_on_the_number_of_workers(
    suffix: str, codec: Any, tmp_path: Path
) -> None:
    movie = moving(4 * SEGMENT)
    for workers in (1, 2, 4):
        imsave(movie, tmp_path / f"{workers}{suffix}", codec=codec, workers=workers)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_large_frames_have_four_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On any computer, in a movie of one segment as in one of several."""
    y, x = np.mgrid[:1024, :1100]
    frames = np.stack([(x + y * (i + 1) // 3) % 256 for i in range(4)]).astype("u1")
    save_video(tmp_path / "short.mp4", frames, 10)
    monkeypatch.setattr("napari_ferry.codecs.video.segment.KEY_FRAMES", 2)
    monkeypatch.setattr("napari_ferry.codecs.video.segment._FEWEST_FRAMES", 2)
    monkeypatch.setattr("napari_ferry.codecs.video.segment._SEGMENT_PIXELS", 1)
    assert len(plan(frames, tmp_path / "a.mp4").writes) > 1
    save_video(tmp_path / "long.mp4", frames, 10)
    for path in (tmp_path / "short.mp4", tmp_path / "long.mp4"):
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert sorted(packet.pts * packet.time_base for packet in packets) == [
            Fraction(k, 10) for k in range(4)
        ]
        assert [len([*slices_of(bytes(packet))]) for packet in packets] == [4] * 4


def test_large_frames_have_the_quality_of_small_ones(tmp_path: Path) -> None:
    y, x = np.mgrid[:1024, :1100]
    waves = np.sin(x / 3) * np.cos(y / 4) + np.sin((x + y) / 11)
    texture = (127 + 60 * waves).astype("u1")
    errors = []
    for width in (1022, 1024):
        movie = np.stack([np.roll(texture, 5 * i, 1)[:, :width] for i in range(12)])
        (path,) = save_video(tmp_path / f"{width}.mp4", movie, 10)
        errors.append(np.square(load_video(path) - movie.astype(float)).mean())
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


def slices_of(packet: bytes) -> Iterator[int]:
    """Yield the type of each slice in a packet of an MP4 file."""
    start = 0
    while start < len(packet):
        kind = packet[start + 4] & 31
        if kind in (1, 5):
            yield kind
        start += 4 + int.from_bytes(packet[start : start + 4], "big")


def test_segments_are_whole_chunks_of_the_source(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    source = zarr.create_array({}, shape=(220, 63, 81), chunks=(60, 63, 81), dtype="uint8")
    writes = plan(source, tmp_path / "a.mp4").writes
    assert [write.region[0].stop for write in writes] == [60, 120, 180, 220]


def test_the_length_of_segments_depends_on_the_movie(tmp_path: Path) -> None:
    lengths = []
    for count in (10, SEGMENT, SEGMENT + 1, 10 * SEGMENT):
        writes = plan(np.zeros((count, 300, 300), "u1"), tmp_path / "a.mp4").writes
        lengths.append([write.region[0].stop for write in writes][-2:])
    assert lengths == [[], [], [48, 49], [9 * SEGMENT, 10 * SEGMENT]]


@pytest.mark.parametrize(
    ("name", "ends"), [("a.mp4", [72, 144, 216, 264]), ("a.mkv", [66, 132, 198, 264])]
)
def test_two_or_four_encoders_end_together(
    name: str, ends: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The movie would have three segments."""
    for constant in ("_SEGMENT_PIXELS", "_EXACT_BYTES"):
        monkeypatch.setattr(f"napari_ferry.codecs.video.segment.{constant}", 120 * 300 * 300)
    writes = plan(np.zeros((264, 300, 300), "u1"), tmp_path / name).writes
    assert [write.region[0].stop for write in writes] == ends


def test_the_memory_of_encoders_is_bounded(tmp_path: Path) -> None:
    large = np.broadcast_to(np.uint8(0), (1000, 2048, 2048))
    planned = plan(large, tmp_path / "a.mp4")
    memory = planned.grouped_writes.program_memory
    assert 400e6 < memory < 500e6  # measured: 440 MB, of noise 478 MB
    assert planned.step_memory == memory + large.size // len(planned.writes)  # pixels travel
    assert most_at_once(planned, 4) * memory <= 1 << 30
    assert most_at_once(planned, 16) > 4
    assert any("sliced-threads" in option for option in planned.writes[0].put.options)
    assert most_at_once(plan(large[:, :512, :512], tmp_path / "a.mp4"), 4) == 4


def test_a_video_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (image,) = imload(make_numbered(tmp_path / "a.mp4", "-g", "250", frames=4 * SEGMENT))
    seeks = []
    seek = Decoder._seek

    def noted(self: Decoder, *arguments: Any) -> Any:
        seeks.append(arguments)
        return seek(self, *arguments)

    monkeypatch.setattr(Decoder, "_seek", noted)
    (path,) = imsave(image, tmp_path / "b.mp4", workers=4)
    image.close()
    assert len(seeks) <= 2 * 4
    assert [number_of(frame) for frame in load_video(path)] == [*range(4 * SEGMENT)]


@pytest.mark.parametrize("way", ["cancelled", "failed", "killed"])
def test_no_encoder_is_left(way: str, tmp_path: Path) -> None:
    """Something happens while several encoders are running."""
    stop = threading.Event()

    def frame(i: int) -> np.ndarray:
        if i == 2 * SEGMENT + 30 and way == "failed":
            raise OSError("disk gone")
        if i == 2 * SEGMENT + 30 and way == "killed":
            for child in psutil.Process().children():
                child.send_signal(signal.SIGKILL)
        if i == 2 * SEGMENT + 30:
            stop.set()
        return np.full((64, 80), i % 256, np.uint8)

    source = Frames(frame, (50 * SEGMENT, 64, 80), "uint8", 1)
    error = SaveCancelledError if way == "cancelled" else SaveError
    words = {"cancelled": "cancelled", "failed": "disk gone", "killed": "ffmpeg could not write"}
    cancel = stop.is_set if way == "cancelled" else None
    with pytest.raises(error, match=words[way]):
        imsave(source, tmp_path / "a.mp4", workers=3, cancel=cancel)
    assert not names(tmp_path)
    assert not psutil.Process().children()


@pytest.mark.skipif(sys.platform == "win32", reason="the encoder is a shell script")
def test_a_cancellation_does_not_wait_for_an_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoders read nothing and do not end."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr("napari_ferry.codecs.video.encoder.find_ffmpeg", lambda: str(program))
    stop = threading.Event()

    def frame(i: int) -> np.ndarray:
        stop.set()
        return np.zeros((1000, 1000), np.uint8)

    (tmp_path / "out").mkdir()
    start = time.monotonic()
    with pytest.raises(SaveCancelledError):
        imsave(
            Frames(frame, (5 * SEGMENT, 1000, 1000), "uint8", 1),
            tmp_path / "out" / "a.mp4",
            workers=2,
            cancel=stop.is_set,
        )
    assert time.monotonic() - start < 10
    assert not names(tmp_path / "out")
    assert not psutil.Process().children()
