"""Reading of videos: files of other programs, damaged files, and our own record."""

from __future__ import annotations

import contextlib
import json
import random
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

import napari_ferry
from helpers import entry_id, make_full_image, read_corpus
from napari_ferry import FerryError, FerryWarning, UnreadableFileError, imload, save_video
from video_files import H264, ffmpeg, make_numbered, numbered_frame

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)


def test_a_file_without_a_video_stream_is_refused(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", sound)
    with pytest.raises(UnreadableFileError, match=r"sound\.mp4 has no video stream \(only audio\)"):
        imload(sound)
    assert str(sound) not in [file.path for file in psutil.Process().open_files()]
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


def test_another_program_may_change_the_rate(tmp_path: Path) -> None:
    image = make_full_image("tyx", "uint8")
    image = replace(image, axes=(replace(image.axes[0], scale=0.1), *image.axes[1:]))
    imsave(image, tmp_path / "a.mkv")
    ffmpeg("-itsscale", "0.5", "-i", tmp_path / "a.mkv", "-c", "copy", tmp_path / "b.mkv")
    (found,) = imload(tmp_path / "b.mkv")
    assert found.axes[0].scale == pytest.approx(image.axes[0].scale / 2)
    assert found.axes[1:] == image.axes[1:]


VALID = read_corpus("mp4", lambda entry: isinstance(entry.get("expect"), dict))
OTHERS = read_corpus("mp4", lambda entry: not isinstance(entry.get("expect"), dict))


@pytest.mark.sample(4)
@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize("entry", VALID, ids=entry_id)
def test_videos_of_other_programs_are_read_correctly(
    entry: dict[str, Any], shared_data: Path
) -> None:
    expected = entry["expect"]
    path = shared_data / "corpus" / entry["file"]
    is_several = path.name == "torchcodec__nasa_13013.mp4"
    with (
        pytest.warns(FerryWarning, match="2 video streams")
        if is_several
        else contextlib.nullcontext()
    ):
        (image,) = imload(path)
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


def test_further_video_streams_are_reported_but_not_pictures(tmp_path: Path) -> None:
    first = make_numbered(tmp_path / "first.mp4", *H264, frames=8)
    second = make_numbered(tmp_path / "second.mp4", *H264, "-vf", "hflip", frames=8)
    cover = make_numbered(tmp_path / "cover.png", frames=1)
    path = tmp_path / "a.mp4"
    copied = ("-map", 0, "-map", 1, "-c", "copy")
    ffmpeg("-i", first, "-i", cover, *copied, "-disposition:v:1", "attached_pic", path)
    assert imload(path)[0].shape[0] == 8

    ffmpeg("-i", first, "-i", second, *copied, path)
    with pytest.warns(FerryWarning, match="holds 2 video streams: the first one is opened"):
        (image,) = imload(path)
    np.testing.assert_array_equal(image.load(), imload(first)[0].load())
