"""Times of frames: gaps of a cut-off file, and the shape of pixels."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from helpers import number_of
from napari_ferry import FerryWarning, imload
from video_files import H264, ffmpeg, make_numbered


def test_gaps_of_a_cut_off_file_are_reported(tmp_path: Path) -> None:
    options = (*H264, "-bf", "3", "-g", "60", "-movflags", "+faststart", "-x264-params")
    whole = make_numbered(tmp_path / "a.mp4", *options, "b-adapt=0:b-pyramid=normal", frames=40)
    with av.open(str(whole)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size]
        ends = [p.pos + p.size for p in packets]
        numbers = [round(float((p.pts - packets[0].pts) * stream.time_base) * 25) for p in packets]

    cut = next(n for n in range(5, 40) if sorted(numbers[:n]) != list(range(n)))
    expected = sorted(numbers[:cut])
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: ends[cut - 1]])
    with pytest.warns(FerryWarning, match=r"about \d+ frames between them are missing"):
        (image,) = imload(path)
    assert [number_of(frame) for frame in image.array[:]] == expected
    times = np.array(image.metadata["timestamps"]) * 25
    assert np.round(times - times[0]).tolist() == expected


@pytest.mark.parametrize(
    ("ratio", "turn", "scales"),
    [("64/45", None, (1, 64 / 45)), ("1/1", None, (1, 1)), ("64/45", "90", (64 / 45, 1))],
)
def test_the_shape_of_a_pixel_is_its_scale(
    ratio: str, turn: str | None, scales: tuple[float, float], tmp_path: Path
) -> None:
    path = make_numbered(tmp_path / "a.mp4", "-vf", f"setsar={ratio}", *H264, frames=5)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(ratio)
    if turn:
        ffmpeg("-display_rotation", turn, "-i", path, "-c", "copy", tmp_path / "b.mp4")
        path = tmp_path / "b.mp4"
    (image,) = imload(path)
    assert [axis.scale for axis in image.axes[1:]] == pytest.approx(scales)


def test_few_key_frames_are_reported(tmp_path: Path) -> None:
    black = ("-f", "lavfi", "-i", "color=black:size=1280x960:rate=30")

    path = tmp_path / "a.mp4"
    ffmpeg(*black, "-frames:v", "320", "-preset", "ultrafast", "-g", "9999", *H264, path)
    with pytest.warns(FerryWarning, match=r"a\.mp4 has 1 key frames for 320 frames"):
        imload(path)
