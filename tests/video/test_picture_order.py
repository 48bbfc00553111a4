"""Videos without presentation times in the container: frames have the order of FFmpeg."""

from __future__ import annotations

import random
import struct
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from napari_ferry import FerryWarning, imload, imsave, load_video
from napari_ferry.codecs.video import decoder, encoder, h264
from napari_ferry.codecs.video import packet_scan as scan

FRAMES, HEIGHT, WIDTH = 40, 48, 64


def picture(number: int) -> np.ndarray:
    """Return a unique picture: axes y x, uint8."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (((number >> x // 8) & 1) * 150 + 40 + (3 * x + 5 * y + 7 * number) % 32).astype("u1")


def run_ffmpeg(*arguments: object, stdin: bytes = b"") -> bytes:
    """Run ffmpeg, check its exit code and return its output."""
    command = [encoder.find_ffmpeg(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def decode(path: Path) -> np.ndarray:
    """Decode all frames with ffmpeg: axes t y x, uint8."""
    raw = run_ffmpeg(
        *("-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)


def number_in(frame: Any, truth: np.ndarray) -> int:
    """Return the index of a frame in the expected frames, -1 if it is not among them."""
    values = np.asarray(frame)
    values = values if values.ndim == 2 else values[..., 1]
    differences = np.maximum(values, truth) - np.minimum(values, truth)  # of uint8, without signs
    errors = differences.reshape(len(truth), -1).sum(1, np.uint32) / values.size
    return int(np.argmin(errors)) if errors.min() < 6 else -1


X264 = ("-c:v", "libx264", "-qp", "10", "-x264-params")
X265 = ("-c:v", "libx265", "-tag:v", "HEVC", "-x265-params")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-sc_threshold", "1000000000")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-sc_threshold", "1000000000")
CODINGS: dict[str, tuple[str, ...]] = {
    "h264-default": ("-c:v", "libx264"),
    "h264-closed": (*X264, "keyint=12:bframes=3:scenecut=0:b-adapt=0"),
    "h264-one-b": (*X264, "keyint=15:bframes=1:scenecut=0:b-adapt=0:b-pyramid=none"),
    "h264-open": (*X264, "keyint=12:bframes=3:open-gop=1:scenecut=0:b-adapt=0"),
    "h264-pyramid": (*X264, "keyint=100:bframes=7:b-pyramid=normal:ref=6:scenecut=0:b-adapt=0"),
    "h264-refresh": (*X264, "keyint=12:intra-refresh=1:bframes=2"),
    "h264-interlaced": (*X264, "keyint=12:bframes=2:tff=1"),
    "h264-slices": (*X264, "keyint=12:bframes=2:slices=3:aud=1"),
    "h264-no-b": (*X264, "keyint=12:bframes=0"),
    "h264-intra": (*X264, "keyint=1"),
    "hevc-closed": (*X265, "log-level=none:keyint=12:bframes=4:open-gop=0:scenecut=0"),
    "hevc-open": (*X265, "log-level=none:keyint=12:bframes=4:open-gop=1:scenecut=0"),
    "hevc-long": (*X265, "log-level=none:keyint=100:bframes=8:b-pyramid=1"),
    "hevc-no-b": (*X265, "log-level=none:keyint=12:bframes=0"),
    "mpeg4-open": (*MPEG4, "-bf", "2", "-g", "12"),
    "mpeg4-closed": (*MPEG4, "-bf", "2", "-g", "12", "-flags", "+cgop"),
    "mpeg4-long": (*MPEG4, "-bf", "3", "-g", "100"),
    "mpeg4-no-b": (*MPEG4, "-bf", "0", "-g", "12"),
    "xvid": ("-c:v", "libxvid", "-bf", "2", "-g", "12", "-q:v", "3"),
    "mpeg2-open": (*MPEG2, "-bf", "2", "-g", "12"),
    "mpeg2-closed": (*MPEG2, "-bf", "2", "-g", "12", "-flags", "+cgop"),
    "mpeg1": ("-c:v", "mpeg1video", "-bf", "2", "-g", "12", "-q:v", "3"),
}
CONTAINERS = ("avi", "avi without index", "avi of keys", "matroska", "video for windows")

PAIRS = [
    (coding, container)
    for coding in CODINGS
    for container in CONTAINERS
    if not (coding.startswith("hevc") and container == "video for windows")  # no FOURCC there
]

Make = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a function to make a video of an encoding in a container, once per module."""
    folder = tmp_path_factory.mktemp("order")

    def make_one(coding: str, container: str) -> Path:
        suffix = ".avi" if container.startswith("avi") else ".mkv"
        path = folder / f"{coding} {container}{suffix}"
        if not path.exists():
            _make(path, coding, container, make_one)
        return path

    return make_one


def _make(path: Path, coding: str, container: str, make_one: Make) -> None:
    if container == "video for windows":
        write_vfw(path, make_one(coding, "avi"))
    elif container in ("avi", "matroska"):
        pictures = b"".join(picture(i).tobytes() for i in range(FRAMES))
        size = f"{WIDTH}x{HEIGHT}"
        pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", 25, "-i", "-")
        tag = () if container == "avi" else ("-tag:v", "0")
        run_ffmpeg(*pipe, "-pix_fmt", "yuv420p", *CODINGS[coding], *tag, path, stdin=pictures)
    else:
        data = bytearray(make_one(coding, "avi").read_bytes())
        at = data.rindex(b"idx1")
        if container == "avi of keys":
            data[at + 12 :: 16] = b"\x10" * len(data[at + 12 :: 16])
        path.write_bytes(data if container == "avi of keys" else data[:at])


def payloads(path: Path) -> list[bytes]:
    """Return the data of the packets of a video."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def element(number: str, *data: bytes) -> bytes:
    """Return an EBML element (RFC 8794)."""
    inner = b"".join(data)
    return bytes.fromhex(number) + (len(inner) | 1 << 56).to_bytes(8, "big") + inner


def write_vfw(path: Path, source: Path) -> None:
    """Write Matroska like old AVI tools: with a FOURCC as its codec, and decoding times."""
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        tag = stream.codec_context.codec_tag.encode()
        extra = bytes(stream.codec_context.extradata or b"")

    bitmap = (40 + len(extra), WIDTH, HEIGHT, 1, 24, tag, WIDTH * HEIGHT * 3, 0, 0, 0, 0)
    private = struct.pack("<IiiHH4sIiiII", *bitmap) + extra
    track = element(
        "ae",
        element("d7", b"\1"),
        element("73c5", b"\1"),
        element("83", b"\1"),
        element("86", b"V_MS/VFW/FOURCC"),
        element("63a2", private),
        element("e0", element("b0", bytes([WIDTH])), element("ba", bytes([HEIGHT]))),
    )

    with av.open(str(source)) as container:
        packets = [(bytes(p), p.is_keyframe) for p in container.demux(video=0) if p.size]
    blocks = [
        element("a3", struct.pack(">BhB", 0x81, 40 * k, 0x80 if is_key else 0), data)
        for k, (data, is_key) in enumerate(packets)
    ]
    path.write_bytes(
        element("1a45dfa3", element("4282", b"matroska"), element("4287", b"\4"))
        + element(
            "18538067",
            element("1549a966", element("2ad7b1", (10**6).to_bytes(3, "big"))),
            element("1654ae6b", track),
            element("1f43b675", element("e7", b"\0"), *blocks),
        )
    )


def chunk(tag: bytes, data: bytes) -> bytes:
    """Return a RIFF chunk."""
    return tag + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)


def write_avi(path: Path, data: Sequence[bytes], tag: bytes, keys: Sequence[int]) -> None:
    """Write an AVI file of 25 frames per second from its chunks."""
    count = len(data)
    main = (40_000, 0, 0, 0x10, count, 0, 1, 0, WIDTH, HEIGHT, 0, 0, 0, 0)
    stream = (b"vids", tag, 0, 0, 0, 0, 1, 25, 0, count, 0, -1, 0, 0, 0, WIDTH, HEIGHT)
    bitmap = (40, WIDTH, HEIGHT, 1, 24, tag, 0, 0, 0, 0, 0)

    heads = chunk(b"strh", struct.pack("<4s4sIHHIIIIIIiI4H", *stream))
    heads += chunk(b"strf", struct.pack("<IiiHH4sIiiII", *bitmap))
    heads = chunk(b"LIST", b"strl" + heads)
    body = b"AVI " + chunk(b"LIST", b"hdrl" + chunk(b"avih", struct.pack("<14I", *main)) + heads)
    movie, index = b"movi", b""
    for k, payload in enumerate(data):
        flags = 0x10 if k in keys else 0
        index += b"00dc" + struct.pack("<III", flags, len(movie), len(payload))
        movie += chunk(b"00dc", payload)
    body += chunk(b"LIST", movie) + chunk(b"idx1", index)
    path.write_bytes(chunk(b"RIFF", body))


def assert_frames(path: Path, truth: np.ndarray) -> None:
    """Check each frame of a video in several orders, each with a new reader."""
    count = len(truth)
    chance = random.Random(1).sample(range(count), count)
    for asked in (range(count), range(count - 1, -1, -1), chance):
        (image,) = imload(path)
        assert image.shape[0] == count
        assert [number_in(image.array[i], truth) for i in asked] == list(asked)
    assert [number_in(frame, truth) for frame in np.asarray(image.array)] == list(range(count))


@pytest.fixture
def never_all_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a whole file is decoded to find its order."""

    def fail(*_: object) -> None:
        raise AssertionError("all frames were decoded")

    monkeypatch.setattr(scan, "_decoding_order", fail)


@pytest.mark.sample(8)
@pytest.mark.usefixtures("never_all_decoded")
@pytest.mark.filterwarnings("ignore:xvid avi without index.avi .* 38 frames are whole")
@pytest.mark.parametrize(("coding", "container"), PAIRS)
def test_frames_have_the_order_of_ffmpeg(coding: str, container: str, make: Make) -> None:
    path = make(coding, container)
    truth = decode(path)
    assert len(truth) == (FRAMES - 2 if coding == "xvid" else FRAMES)
    assert_frames(path, truth)
    if coding != "xvid":
        (image,) = imload(path)
        assert image.frame_rate == 25


def test_a_seek_decodes_from_the_previous_key_frame(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    (image,) = imload(make("h264-open", "avi"))
    decoded: list[int] = []
    real = decoder.Decoder._packets_from

    def spy(self: decoder.Decoder, first: int) -> Iterator[tuple[int, Any]]:
        for number, packet in real(self, first):
            decoded.append(number)
            yield number, packet

    monkeypatch.setattr(decoder.Decoder, "_packets_from", spy)
    image.array[38]
    assert min(decoded) > 20


def is_reference(vop: bytes) -> bool:
    """Return True if a frame of MPEG-4 is a reference frame."""
    return vop[vop.index(b"\0\0\1\xb6") + 4] >> 6 != 2


PLACEHOLDER = b"\0\0\1\xb6" + int("01010000" + "01000000", 2).to_bytes(2, "big") + b"\x7f"
"""A frame without coded data: type 01, time 0 1, five bits of time 0, marker 1, vop_coded 0."""


def packed(vops: Sequence[bytes]) -> list[bytes]:
    """Pack frames like DivX 5: a frame with a bidirectional frame, later a placeholder."""
    first = vops[0].index(b"\0\0\1\xb6")
    user_data = b"\0\0\1\xb2DivX503b1393p"
    vops = [vops[0][:first] + user_data + vops[0][first:], *vops[1:]]

    chunks: list[bytes] = []
    k = 0
    while k < len(vops):
        length = 1
        while k + length < len(vops) and not is_reference(vops[k + length]):
            length += 1
        group = vops[k : k + length]
        if len(group) == 1:
            chunks += group
        else:
            chunks += [group[0] + group[1], *group[2:], PLACEHOLDER]
        k += length
    return chunks


@pytest.mark.parametrize("container", ["avi", "video for windows"])
@pytest.mark.parametrize("coding", ["mpeg4-open", "mpeg4-closed", "mpeg4-long"])
def test_a_packed_bitstream_is_unpacked(
    coding: str, container: str, make: Make, tmp_path: Path
) -> None:
    vops = payloads(make(coding, "avi"))
    chunks = packed(vops)
    assert len(chunks) == FRAMES
    path = tmp_path / "packed.avi"
    keys = [k for k, vop in enumerate(chunks) if vop[vop.index(b"\0\0\1\xb6") + 4] >> 6 == 0]
    write_avi(path, chunks, b"DX50", keys)
    if container == "video for windows":
        path = tmp_path / "packed.mkv"
        write_vfw(path, tmp_path / "packed.avi")
    truth = decode(make(coding, "avi"))
    assert [number_in(frame, truth) for frame in decode(path)] == list(range(FRAMES))
    assert_frames(path, truth)
    (image,) = imload(path)
    assert image.frame_rate == 25


def test_placeholders_are_not_frames(make: Make, tmp_path: Path) -> None:
    vops = payloads(make("mpeg4-no-b", "avi"))
    path = tmp_path / "a.avi"
    write_avi(path, [*vops[:7], PLACEHOLDER, *vops[7:]], b"XVID", [0, 13, 25, 37])
    assert_frames(path, decode(path))


@pytest.mark.parametrize("coding", ["h264-open", "hevc-open", "mpeg2-open", "mpeg4-open"])
@pytest.mark.parametrize("container", ["avi", "video for windows"])
def test_a_recording_may_start_with_an_open_group(
    coding: str, container: str, make: Make, tmp_path: Path
) -> None:
    if (coding, container) == ("hevc-open", "video for windows"):
        pytest.skip("Video for Windows has no FOURCC of HEVC")

    source = make(coding, "avi")
    with av.open(str(source)) as file:
        keys = [k for k, p in enumerate(file.demux(video=0)) if p.is_keyframe]
        tag = file.streams.video[0].codec_context.codec_tag.encode()
        extra = bytes(file.streams.video[0].codec_context.extradata or b"")
    rest = payloads(source)[keys[1] :]
    rest[0] = extra + rest[0]
    path = tmp_path / "a.avi"
    write_avi(path, rest, tag, [k - keys[1] for k in keys[1:]])
    if container == "video for windows":
        path = tmp_path / "a.mkv"
        write_vfw(path, tmp_path / "a.avi")
    assert_frames(path, decode(path))


@pytest.mark.parametrize("coding", ["h264-closed", "h264-open", "hevc-open", "mpeg4-open"])
@pytest.mark.parametrize("container", ["avi", "avi without index"])
def test_a_cut_off_file_opens_with_its_whole_frames(
    coding: str, container: str, make: Make, tmp_path: Path
) -> None:
    whole = make(coding, container)
    truth = decode(whole)
    data = whole.read_bytes()
    at = data.rindex(payloads(whole)[29])
    path = tmp_path / "cut.avi"
    path.write_bytes(data[: at + 7])

    with pytest.warns(FerryWarning, match=r"cut.avi is damaged: .* are whole"):
        (image,) = imload(path)
    found = [number_in(frame, truth) for frame in np.asarray(image.array)]
    assert len(found) == 29
    assert found == sorted(set(found))
    assert found[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        (again,) = imload(path)
    assert [number_in(again.array[i], truth) for i in (28, 3, 17)] == [
        found[i] for i in (28, 3, 17)
    ]


@pytest.mark.parametrize("coding", ["h264-open", "h264-pyramid", "hevc-long", "mpeg4-open"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_time_stamps_in_decoding_order_are_not_used_as_presentation_times(
    coding: str, suffix: str, make: Make, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    stamps = ("-bsf:v", "setts=pts=DTS", "-tag:v", "0")
    run_ffmpeg("-i", make(coding, "avi"), "-c", "copy", *stamps, path)
    assert_frames(path, decode(path))
    (image,) = imload(path)
    assert image.frame_rate == 25


@pytest.mark.filterwarnings("ignore:.*has no container")
@pytest.mark.parametrize("coding", ["h264-closed", "h264-open", "hevc-open", "mpeg2-open"])
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_stream_without_a_container_opens(
    coding: str, suffix: str, make: Make, tmp_path: Path
) -> None:
    form = {"h264": "h264", "hevc": "hevc", "mpeg2": "mpeg2video"}[coding.split("-", maxsplit=1)[0]]
    path = tmp_path / f"a{suffix}"
    run_ffmpeg("-i", make(coding, "matroska"), "-c", "copy", "-f", form, path)
    truth = decode(path)
    assert len(truth) == FRAMES
    assert_frames(path, truth)
    (image,) = imload(path)
    assert image.frame_rate == 25


def test_assumed_times_are_reported(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "camera.mp4"
    run_ffmpeg("-i", make("h264-closed", "matroska"), "-c", "copy", "-f", "h264", path)
    with pytest.warns(FerryWarning, match=r"camera.mp4 has no container.* 25 frames per second"):
        imload(path)


@pytest.mark.parametrize("name", ["converted.mkv", "converted.mp4"])
def test_a_video_without_times_is_converted(name: str, make: Make, tmp_path: Path) -> None:
    path = make("h264-default", "avi")
    truth = decode(path)
    (saved,) = imsave(imload(path)[0], tmp_path / name)
    assert [number_in(frame, truth) for frame in load_video(saved)] == list(range(FRAMES))
    assert [number_in(frame, truth) for frame in load_video(path)] == list(range(FRAMES))


def test_headers_that_contradict_the_decoder_are_not_used(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(h264, "nearest", lambda last, low, width: -low)
    assert_frames(make("h264-closed", "avi"), decode(make("h264-closed", "avi")))
