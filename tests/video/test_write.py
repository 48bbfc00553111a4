"""Saved videos: pixels, sizes, metadata, and files that other programs play."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import napari_ferry
from helpers import assert_same_image, make_full_image, make_image, number_of, pixels
from napari_ferry import Image, imload, load_video, save_video
from video_files import ffmpeg, numbered_frame, ramp_movie

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


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
@pytest.mark.usefixtures("any_size")
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


def box_names(path: Path) -> list[str]:
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
    boxes = box_names(path)
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


@pytest.mark.parametrize("quality", ["small", "good", "high", "best"])
def test_higher_quality_has_a_smaller_error(quality: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 6, (20, 64, 160))
    movie = np.clip(np.stack([numbered_frame(i) for i in range(20)]) + noise, 0, 255).astype("u1")
    (path,) = save_video(tmp_path / "a.mp4", movie, quality=quality)
    error = np.abs(load_video(path).astype(float) - movie).mean()
    most = {"small": 6, "good": 5, "high": 4, "best": 2.2}[quality]
    assert error < most


def test_transparent_colors_are_blended_with_black(tmp_path: Path) -> None:
    colors = np.full((2, 16, 16, 4), 200, np.uint8)
    colors[..., 3] = 128
    (path,) = save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(path), np.full((2, 16, 16, 3), 100))


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


def test_arrays_of_colors_are_colors(tmp_path: Path) -> None:
    colors = pixels((3, 16, 16, 3), "uint8")
    save_video(tmp_path / "a.mkv", colors)
    np.testing.assert_array_equal(load_video(tmp_path / "a.mkv"), colors)


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


def test_any_name_is_preserved(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((3, 8, 8), np.uint8), "tyx", name="a\ud800b")
    imsave(image, tmp_path / "a.mkv")
    assert imload(tmp_path / "a.mkv")[0].name == "a\ud800b"


SIZES = [(1, 1), (2, 2), (3, 5), (1, 64), (16, 16), (101, 151)]
RAMP_FRAMES = 3

KINDS: dict[str, tuple[str, tuple[float, float], int]] = {
    "uint8": ("uint8", (0, 255), 0),
    "uint16": ("uint16", (100, 60_000), 0),
    "int16": ("int16", (-3000, 3000), 0),
    "uint32": ("uint32", (7, 4e9), 0),
    "float32": ("float32", (-1, 1), 0),
    "float64": ("float64", (1e-9, 3e-9), 0),
    "bool": ("bool", (0, 1), 0),
    "RGB": ("uint8", (0, 255), 3),
    "RGBA": ("uint8", (0, 255), 4),
    "RGB of 16 bits": ("uint16", (0, 65_535), 3),
    "labels": ("int32", (0, 70_000), 0),
}
"""Name -> type, lowest and highest value, samples of a color."""


def ramp(name: str, size: tuple[int, int]) -> np.ndarray:
    """Return a smooth movie from the lowest value to the highest: axes t y x, or t y x s."""
    dtype, (low, high), samples = KINDS[name]
    height, width = size
    slope = 0.2 if samples else 1  # colors have half the resolution
    gradient = np.linspace(0, slope, height)[:, None] * 0.5 + np.linspace(0, slope, width) * 0.5
    levels = (gradient + np.arange(RAMP_FRAMES)[:, None, None]) / RAMP_FRAMES
    levels = (levels - levels.min()) / np.ptp(levels)
    if samples:
        levels = np.stack([levels, 1 - levels / 2, 0 * levels + 0.3, levels][:samples], -1)
    values = low + levels * (high - low)
    return values > 0.5 if dtype == "bool" else values.astype(dtype)


def expected_samples(name: str, movie: np.ndarray, *, keeps_16_bits: bool) -> np.ndarray:
    """Compute the samples of a saved movie in float64, by a simple formula."""
    dtype, _, samples = KINDS[name]
    values = movie.astype(np.float64)
    if samples == 4:
        return values[..., :3] * values[..., 3:] / 255
    if dtype == "uint8" or (keeps_16_bits and dtype == "uint16"):
        return values
    return (values - values.min()) / np.ptp(values) * 255


PAIRS = [
    (name, size, (".mp4", ".mkv")[(i + k) % 2])
    for i, name in enumerate(KINDS)
    for k, size in enumerate(SIZES)
]


@pytest.mark.sample(8)
@pytest.mark.parametrize(("name", "size", "suffix"), PAIRS)
def test_every_type_and_size_is_preserved(
    name: str, size: tuple[int, int], suffix: str, tmp_path: Path
) -> None:
    movie, samples = ramp(name, size), KINDS[name][2]
    kind = "labels" if name == "labels" else "image"
    image = Image.from_array(movie, "tyxs" if samples else "tyx", kind=kind)
    (path,) = napari_ferry.imsave(image, tmp_path / f"a{suffix}", as_seen=False)
    (found,) = imload(path)
    is_exact = suffix == ".mkv"
    expected = expected_samples(name, movie, keeps_16_bits=is_exact)
    assert found.shape == expected.shape
    assert found.axis_names == (("t", "y", "x", "s") if samples else ("t", "y", "x"))
    assert found.dtype == ("uint16" if is_exact and movie.dtype == np.uint16 else "uint8")
    error = np.abs(np.asarray(found.array) - expected)
    if is_exact and movie.dtype in (np.uint8, np.uint16) and samples != 4:
        assert error.max() == 0
    elif is_exact:
        assert error.max() <= 0.51  # rounding alone
    else:
        assert error.mean() <= 5
