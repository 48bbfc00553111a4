"""Damaged frames: each is named by a warning or an error, and the others stay right."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from napari_ferry import FerryWarning, Image, UnreadableFileError, imload
from napari_ferry.codecs.video.read import read_video
from video_files import H264, change_packet, damage_frame, make_numbered, numbered_frame

FRAMES, HIT = 24, 10


def read_each(image: Image) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Return the frames that can be read, and what was said of each frame."""
    frames, told = {}, {}
    for i in range(image.shape[0]):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                frames[i] = np.asarray(image.array[i])
            except UnreadableFileError as error:
                told[i] = str(error)
        for warning in caught:
            told[i] = str(warning.message)
    return frames, told


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
@pytest.mark.parametrize(
    ("name", "options", "depends"),
    [
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"), False),
        ("a.mkv", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"), False),
        ("a.mkv", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-g", "1"), False),
        ("a.avi", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-g", "12"), True),
        ("a.avi", ("-c:v", "png"), False),
        ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p"), False),
        ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "bgra"), False),
        ("a.avi", ("-c:v", "mpeg4", "-q:v", "3", "-g", "12"), True),
        ("a.mkv", ("-c:v", "mpeg2video", "-q:v", "3", "-g", "12"), True),
        ("a.mp4", (*H264, "-g", "12", "-bf", "0"), True),
        ("a.mp4", (*H264, "-g", "1"), False),
    ],
)
def test_a_damaged_frame_is_named(
    name: str, options: Sequence[str], depends: bool, tmp_path: Path
) -> None:
    whole = make_numbered(tmp_path / f"whole-{name}", *options, frames=FRAMES)
    damage_frame(whole, tmp_path / name, HIT)
    truth = np.asarray(imload(whole)[0].array)
    frames, told = read_each(imload(tmp_path / name)[0])

    wrong = {i for i in range(FRAMES) if i not in frames or (frames[i] != truth[i]).any()}
    assert HIT in wrong
    assert wrong <= set(told)
    assert all(f"Frame {i} of " in message for i, message in told.items())
    assert set(told) <= (set(range(HIT, FRAMES)) if depends else {HIT})


_CUTS: list[tuple[str, Sequence[str], int, bool]] = [
    ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p", "-pred", "left"), 4, False),
    ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p", "-pred", "median"), 30, False),
    ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "rgb24"), 4, False),
    ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "bgra"), 300, False),
    ("a.avi", ("-c:v", "ffvhuff", "-pix_fmt", "yuv420p", "-context", "1"), 4, False),
    ("a.avi", ("-c:v", "ffvhuff", "-pix_fmt", "gray16le", "-pred", "plane"), 40, False),
    ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"), 2, False),
    ("a.avi", ("-c:v", "jpegls", "-pix_fmt", "gray"), 2, False),
    ("a.mov", ("-c:v", "qtrle", "-pix_fmt", "rgb24", "-g", "12"), 8, True),
    ("a.avi", ("-c:v", "cinepak", "-g", "12"), 8, True),
]
NOISE = ("-vf", "noise=alls=20:allf=t")


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "options", "nbytes", "depends"), _CUTS)
def test_the_frame_of_a_truncated_packet_is_named(
    name: str, options: Sequence[str], nbytes: int, depends: bool, tmp_path: Path
) -> None:
    whole = make_numbered(tmp_path / f"whole-{name}", *NOISE, *options, frames=FRAMES)
    change_packet(whole, tmp_path / name, HIT, lambda data: data[:-nbytes])
    frames, told = read_each(read_video(tmp_path / name, least_samples=3))
    assert told[HIT].startswith(f"Frame {HIT} of ")
    assert "is damaged" in told[HIT]
    assert set(told) <= (set(range(HIT, FRAMES)) if depends else {HIT})
    assert len(frames) >= FRAMES - 1
    assert read_each(read_video(whole, least_samples=3))[1] == {}


@pytest.mark.sample(3)
@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=12:bframes=0")),
        ("a.webm", ("-c:v", "libvpx", "-g", "12", "-b:v", "1M")),
        ("a.webm", ("-c:v", "libvpx-vp9", "-g", "12", "-b:v", "1M", "-cpu-used", "8")),
        ("a.avi", ("-c:v", "msmpeg4", "-g", "12", "-q:v", "3")),
        ("a.wmv", ("-c:v", "wmv2", "-g", "12", "-q:v", "3")),
        ("a.avi", ("-c:v", "ffv1", "-level", "1", "-g", "12")),
        ("a.avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p")),
    ],
)
def test_zeros_in_the_place_of_data_are_noticed(
    name: str, options: Sequence[str], tmp_path: Path
) -> None:
    """As a file system leaves them after a crash."""

    def zero_end(data: bytes) -> bytes:
        return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)

    whole = make_numbered(tmp_path / f"whole-{name}", *NOISE, *options, frames=FRAMES)
    change_packet(whole, tmp_path / name, HIT, zero_end)
    frames, told = read_each(imload(tmp_path / name)[0])
    truth = np.asarray(imload(whole)[0].array)
    wrong = {i for i in range(FRAMES) if i not in frames or (frames[i] != truth[i]).any()}
    assert wrong
    assert wrong <= set(told)
    assert min(told) >= HIT - 1


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", ("-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-q:v", "3")),
        ("a.mp4", ("-c:v", "mpeg4", "-bf", "2", "-g", "12", "-q:v", "3")),
        ("a.mp4", (*H264, "-bf", "2", "-g", "12", "-x264-params", "open-gop=1:b-adapt=0")),
    ],
)
def test_frames_displayed_before_a_key_frame_depend_on_the_group_before_it(
    name: str, options: Sequence[str], tmp_path: Path
) -> None:
    whole = make_numbered(tmp_path / f"whole-{name}", *NOISE, *options, frames=FRAMES)
    truth = np.asarray(imload(whole)[0].array)
    for hit in (0, 7):
        damage_frame(whole, tmp_path / name, hit, nbytes=60)
        frames, told = read_each(imload(tmp_path / name)[0])
        wrong = {i for i in range(FRAMES) if i not in frames or (frames[i] != truth[i]).any()}
        assert len(wrong) >= 3
        assert wrong <= set(told)


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
@pytest.mark.parametrize(("name", "hit"), [("a.mp4", FRAMES - 1), ("a.ts", FRAMES - 2)])
def test_damage_in_the_last_frames_is_noticed_whichever_thread_is_first(
    name: str, hit: int, tmp_path: Path
) -> None:
    options = (*H264, "-bf", "3", "-g", "12")
    whole = make_numbered(tmp_path / f"whole-{name}", *NOISE, *options, frames=FRAMES)
    path = tmp_path / name
    path.write_bytes(whole.read_bytes())
    with av.open(str(whole)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    part = packets[hit][len(packets[hit]) // 2 :][:24]  # within a packet of a transport stream
    path.write_bytes(path.read_bytes().replace(part, b"\x35\xf3" * 12))
    truth = np.asarray(imload(whole)[0].array)
    (image,) = imload(path)
    for _ in range(10):
        image.close()
        frames, told = read_each(image)
        wrong = {i for i in range(FRAMES) if i not in frames or (frames[i] != truth[i]).any()}
        assert wrong
        assert wrong <= set(told)


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
def test_frames_after_a_refused_one_are_those_of_a_lenient_decoder(tmp_path: Path) -> None:
    options = ("-c:v", "msmpeg4", "-g", "12", "-q:v", "3")
    whole = make_numbered(tmp_path / "whole.avi", *options, frames=FRAMES)
    path = tmp_path / "a.avi"
    change_packet(whole, path, 4, lambda data: data[: len(data) // 2] + bytes(len(data) // 2))
    image = imload(path)[0]
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    frames, told = read_each(image)
    assert sorted(told) == list(range(4, 12))
    assert "which is damaged" in told[5]
    for i in (3, 6, 11, 12, 23):
        spread = np.abs(frames[i].astype(int) - shown[i])
        assert spread.max() < 24, i


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
def test_a_cluster_of_matroska_is_compared_with_its_checksum(tmp_path: Path) -> None:
    options = ("-c:v", "libvpx", "-g", "12", "-b:v", "1M", "-cluster_time_limit", "200")
    whole = make_numbered(tmp_path / "whole.mkv", *NOISE, *options, frames=FRAMES)
    damage_frame(whole, tmp_path / "a.mkv", HIT, nbytes=4)
    truth = np.asarray(imload(whole)[0].array)
    frames, told = read_each(imload(tmp_path / "a.mkv")[0])
    wrong = {i for i in range(FRAMES) if (frames[i] != truth[i]).any()}
    assert wrong
    assert wrong <= set(told)
    assert "does not match the checksum of that part" in told[HIT]
    assert len(told) < 20


def test_a_damaged_first_frame_leaves_the_others(tmp_path: Path) -> None:
    whole = make_numbered(tmp_path / "whole.avi", "-c:v", "png", frames=FRAMES)
    damage_frame(whole, tmp_path / "a.avi", 0)
    (image,) = imload(tmp_path / "a.avi")
    frames, told = read_each(image)
    assert list(told) == [0]
    np.testing.assert_array_equal(frames[5], numbered_frame(5))


def test_lost_packets_do_not_end_a_transport_stream(tmp_path: Path) -> None:
    options = ("-vf", "noise=alls=60:allf=t", *H264, "-g", "8", "-bf", "2", "-qp", "10")
    whole = make_numbered(tmp_path / "whole.ts", *options, frames=120)
    truth = np.asarray(imload(whole)[0].array)
    data = whole.read_bytes()
    middle = len(data) // 2 // 188 * 188
    path = tmp_path / "lost.ts"
    path.write_bytes(data[:middle] + data[middle + 6 * 188 :])

    with pytest.warns(FerryWarning, match=r"lost\.ts is damaged: data are missing from"):
        (image,) = imload(path)
    assert image.shape[0] > 110
    frames, told = read_each(image)
    same = [i for i in frames if any(np.array_equal(frames[i], each) for each in truth)]
    assert set(range(image.shape[0])) - set(same) <= set(told)
    assert len(told) < 24
