"""Videos of numbered frames, made with ffmpeg, for several tests."""

from __future__ import annotations

import subprocess
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
