"""Index of the packets of a video: any frame at random, and the times of all frames."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import MagicMock

import av
import numpy as np
import pytest

import napari_ferry
from helpers import number_of
from napari_ferry import Axis, FerryWarning, Image, imload
from napari_ferry.codecs.video.packet_index import video_packets
from video_files import MADE, decoded, ffmpeg

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)


def access_order(count: int, seed: int = 0) -> list[int]:
    """Return frames to read: at random, forward, backward, first and last."""
    rng = random.Random(seed)
    asked = [rng.randrange(count) for _ in range(40)]
    for start in (0, count // 3, count - 8):
        asked += range(start, min(start + 6, count))
        asked += range(start + 5, start, -2)
    return [*(i for i in asked if i < count), count - 1, 0, count - 1]


@pytest.mark.sample(4)
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


def test_several_videos_can_be_read_at_the_same_time(tmp_path):
    """PyAV identifies the data of a packet by address, but small numbers share one address."""
    paths = [tmp_path / f"{k}.mp4" for k in range(6)]
    for path in paths:
        imsave(Image.from_array(np.zeros((3, 32, 48), np.uint8), "tyx"), path)

    def read(path: Path) -> int:
        return sum(np.asarray(imload(path)[0].array[i]).size for _ in range(5) for i in range(3))

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(read, paths * 3)) == {5 * 3 * 32 * 48}


def test_the_packets_of_a_container_are_closed() -> None:
    """PyAV frees their buffer only then."""
    container = MagicMock()
    container.demux.return_value.__iter__.return_value = iter([MagicMock(size=1)] * 2)
    packets = video_packets(container)
    next(packets)
    container.demux.return_value.close.assert_not_called()
    del packets
    container.demux.return_value.close.assert_called_once_with()
