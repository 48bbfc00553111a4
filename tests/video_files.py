"""Videos of numbered frames, made with ffmpeg, for several tests."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np

from helpers import number_of
from napari_ferry.codecs.video import encoder

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


def decoded(path: Path) -> list[int]:
    """Return the numbers of all frames, decoded in order from the beginning."""
    with av.open(str(path)) as container:
        return [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def ramp_movie(rgb: bool, frames: int = 3) -> np.ndarray:
    """Return all 256 levels in blocks of 16 x 16: axes t y x, or t y x s."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(16, 0).repeat(16, 1)
    movie = np.stack([levels] * frames)
    return np.stack([movie] * 3, -1) if rgb else movie


def _chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def write_raw_avi(
    path: Path,
    frames: Sequence[bytes],
    size: tuple[int, int],
    tag: bytes = bytes(4),
    bits: int = 8,
    palette: bytes = b"",
) -> Path:
    """Write an uncompressed AVI of 25 frames per second, as a camera does.

    Parameters
    ----------
    path : Path
        The file.
    frames : sequence of bytes
        Data of each frame; empty for dropped frames.
    size : tuple of int
        Height and width, in pixels.
    tag : bytes
        FOURCC.
    bits : int
        Bits of a pixel.
    palette : bytes
        Four bytes for each color.
    """
    (height, width), count, largest = size, len(frames), max(map(len, frames))
    main = (40_000, 0, 0, 0x10, count, 0, 1, largest, width, height, 0, 0, 0, 0)
    stream = (b"vids", tag, 0, 0, 0, 0, 1, 25, 0, count, largest, -1, 0, 0, 0, width, height)
    bitmap = (40, width, height, 1, bits, tag, largest, 0, 0, len(palette) // 4, 0)
    heads = _chunk(b"strh", struct.pack("<4s4sIHHIIIIIIiI4H", *stream))
    heads += _chunk(b"strf", struct.pack("<IiiHH4sIiiII", *bitmap) + palette)

    movie, index = b"movi", b""
    for data in frames:
        index += b"00db" + struct.pack("<III", 0x10, len(movie), len(data))
        movie += _chunk(b"00db", data)
    body = _chunk(b"avih", struct.pack("<14I", *main)) + _chunk(b"LIST", b"strl" + heads)
    body = b"AVI " + _chunk(b"LIST", b"hdrl" + body)
    body += _chunk(b"LIST", movie) + _chunk(b"idx1", index)
    path.write_bytes(_chunk(b"RIFF", body))
    return path


def bitmap_rows(picture: np.ndarray) -> bytes:
    """Return a picture as in a bitmap: the lowest row first, each of a multiple of four bytes."""
    rows = np.ascontiguousarray(picture[::-1]).reshape(len(picture), -1).view(np.uint8)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def damage_frame(path: Path, target: Path, number: int, nbytes: int = 200) -> None:
    """Copy a video, with other bytes in the middle of one packet."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    start = data.index(packets[number]) + len(packets[number]) // 2
    nbytes = min(nbytes, len(packets[number]) // 3)
    data[start : start + nbytes] = np.random.default_rng(4).bytes(nbytes)
    target.write_bytes(data)


def change_packet(path: Path, target: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    """Copy the packets of a video to a new file, and change the data of one of them."""
    with av.open(str(path)) as source, av.open(str(target), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.size)
        for k, packet in enumerate(packets):
            written = packet
            if k == number:
                written = av.Packet(change(bytes(packet)))
                written.pts, written.dts = packet.pts, packet.dts
                written.time_base, written.duration = packet.time_base, packet.duration
                written.is_keyframe = packet.is_keyframe
            written.stream = stream
            copy.mux(written)
