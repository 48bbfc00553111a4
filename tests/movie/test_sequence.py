"""Several movies opened as one stack."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_ferry import FerryWarning, imload, imsave, save_gif, save_video
from napari_ferry.arrays import blocks
from napari_ferry.codecs.gif import codec as gif
from napari_ferry.codecs.video import codec as video
from napari_ferry.codecs.video import decoder
from video_files import H264, make_numbered, numbered_frame

MOVIE = np.stack([numbered_frame(i) for i in range(10)])
COLORS = np.stack([MOVIE, 255 - MOVIE, MOVIE // 2], -1)


def save(path: Path, movie: np.ndarray, rate: float = 20) -> Path:
    """Save a movie as a file of either format."""
    save_function = save_gif if path.suffix == ".gif" else save_video
    save_function(path, movie, rate)
    return path


@pytest.mark.parametrize(("codec", "suffix"), [(gif, ".gif"), (video, ".mkv")])
def test_files_are_one_stack(codec: ModuleType, suffix: str, tmp_path: Path) -> None:
    paths = [
        save(tmp_path / f"a{suffix}", MOVIE[:4]),
        save(tmp_path / f"b{suffix}", MOVIE[4:5]),
        save(tmp_path / f"c{suffix}", MOVIE[5:]),
    ]
    (image,) = codec.open_many(paths)
    assert image.axis_names == ("t", "y", "x")
    assert image.frame_rate == 20
    np.testing.assert_array_equal(image.array, MOVIE)
    np.testing.assert_array_equal(image.array[3:7, 5], MOVIE[3:7, 5])
    copy = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(copy.array[8], MOVIE[8])


@pytest.mark.parametrize(("codec", "suffix"), [(gif, ".gif"), (video, ".mkv")])
def test_a_gray_file_is_joined_to_a_file_in_color(
    codec: ModuleType, suffix: str, tmp_path: Path
) -> None:
    paths = [save(tmp_path / f"a{suffix}", MOVIE[:4]), save(tmp_path / f"b{suffix}", COLORS[4:])]
    (image,) = codec.open_many(paths)
    assert image.shape == (10, 64, 160, 3)
    np.testing.assert_array_equal(image.array[:4, ..., 1], MOVIE[:4])
    np.testing.assert_array_equal(image.array[4:], COLORS[4:])


@pytest.mark.parametrize(("codec", "suffix"), [(gif, ".gif"), (video, ".mkv")])
def test_files_that_differ_are_not_joined(codec: ModuleType, suffix: str, tmp_path: Path) -> None:
    paths = [save(tmp_path / f"a{suffix}", MOVIE), save(tmp_path / f"b{suffix}", MOVIE[:, :32])]
    with pytest.warns(FerryWarning, match="b.* of .*32, 160.*not joined to a stack"):
        images = codec.open_many(paths)
    assert [image.shape for image in images] == [(10, 64, 160), (10, 32, 160)]


def test_different_frame_rates_are_reported(tmp_path: Path) -> None:
    paths = [save(tmp_path / "a.mkv", MOVIE, 20), save(tmp_path / "b.mkv", MOVIE, 40)]
    with pytest.warns(FerryWarning, match=r"frame rates .* differ: that of a\.mkv"):
        (image,) = video.open_many(paths)
    assert image.frame_rate == 20


def test_uneven_times_of_joined_files_are_reported(tmp_path: Path) -> None:
    first, *others = (Pictures.fromarray(frame) for frame in MOVIE[:3])
    for name in ("a.gif", "b.gif"):
        first.save(tmp_path / name, save_all=True, append_images=others, duration=[50, 90, 50])
    with pytest.warns(FerryWarning, match="frames of a.gif, b.gif are unevenly spaced: their mean"):
        (image,) = gif.open_many([tmp_path / "a.gif", tmp_path / "b.gif"])
    assert len(image.array) == 6


def test_threads_read_the_right_frames_of_joined_files(tmp_path: Path) -> None:
    for codec, suffix in ((gif, ".gif"), (video, ".mkv")):
        paths = [save(tmp_path / f"{k}{suffix}", MOVIE[k : k + 5]) for k in (0, 5)]
        (image,) = codec.open_many(paths)
        asked = [random.Random(4).randrange(10) for _ in range(60)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda i, array=image.array: np.asarray(array[i]), asked))
        np.testing.assert_array_equal(found, MOVIE[asked])


def test_joined_videos_have_a_lock_of_their_own(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{k}.mkv", MOVIE[k : k + 5]) for k in (0, 5)]
    (image,) = video.open_many(paths)
    reader = pickle.loads(pickle.dumps(image.array)).read
    locks = {id(part.read.sequence_lock) for part in reader.parts}
    assert id(reader.sequence_lock) not in locks
    with reader.sequence_lock:
        np.testing.assert_array_equal(reader.parts[0][:], MOVIE[:5])


def test_threads_that_save_joined_videos_cause_few_seeks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them reads blocks of its own, in the order of their requests."""
    options = (*H264, "-g", "60", "-bf", "2")
    paths = [make_numbered(tmp_path / f"{k}.mp4", *options) for k in range(2)]
    jumps: list[int] = []
    real = decoder.Decoder._jump
    monkeypatch.setattr(decoder.Decoder, "_jump", lambda s, p: (jumps.append(p), real(s, p))[1])
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 64 * 160)
    (image,) = video.open_many(paths)
    jumps.clear()
    imsave(image, tmp_path / "a.tif", compression="zlib", workers=6)
    assert len(jumps) < 12
    np.testing.assert_array_equal(imload(tmp_path / "a.tif")[0].array, image.array)
