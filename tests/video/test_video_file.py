"""Containers of other programs: each suffix opens, any frame at random."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from helpers import number_of
from napari_ferry import FerryWarning, UnreadableFileError, imload
from napari_ferry.codecs.video import codec
from video_files import H264, make_numbered

MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "12")
FILES: list[tuple[str, Sequence[str]]] = [
    (".wmv", ("-c:v", "wmv2", "-q:v", "3")),
    (".asf", (*H264, "-bf", "3", "-g", "12")),
    (".mpg", MPEG2),
    (".mpeg", ("-c:v", "mpeg1video", "-q:v", "3", "-bf", "2", "-g", "12")),
    (".m2v", MPEG2),
    (".vob", MPEG2),
    (".ts", (*H264, "-g", "12", "-bf", "2")),
    (".mts", (*H264, "-g", "12", "-bf", "2", "-f", "mpegts")),
    (".m2ts", (*H264, "-g", "12", "-bf", "2", "-f", "mpegts")),
    (".3gp", (*H264, "-g", "12")),
    (".flv", ("-c:v", "flv", "-q:v", "3", "-g", "12")),
    (".ogv", ("-c:v", "libtheora", "-q:v", "8", "-g", "12")),
    (".mxf", (*MPEG2, "-vf", "pad=320:128")),
    (".nut", (*H264, "-g", "12", "-bf", "2")),
    (".y4m", ("-pix_fmt", "yuv420p")),
    (".mjpeg", ("-c:v", "mjpeg", "-q:v", "3")),
    (".h264", (*H264, "-g", "12", "-bf", "2")),
    (".hevc", ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=12:bframes=3")),
    (".ivf", ("-c:v", "libvpx", "-g", "12", "-b:v", "1M")),
    (".obu", ("-c:v", "libsvtav1", "-g", "12", "-preset", "10", "-crf", "20")),
    (".m1v", ("-c:v", "mpeg1video", "-q:v", "3", "-bf", "2", "-g", "12")),
    (".mj2", ("-c:v", "jpeg2000", "-pix_fmt", "gray", "-f", "mov")),
    (".avi", ("-c:v", "h263", "-vf", "pad=352:288", "-q:v", "3", "-g", "12")),
]


@pytest.mark.sample(4)
@pytest.mark.filterwarnings("ignore:.*has no container:napari_ferry.FerryWarning")
@pytest.mark.parametrize(("suffix", "options"), FILES, ids=[suffix for suffix, _ in FILES])
def test_every_container_opens_at_any_frame(
    suffix: str, options: Sequence[str], tmp_path: Path
) -> None:
    path = make_numbered(tmp_path / f"a{suffix}", *options, frames=40)
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    truth = [number_of(frame[:64, :160]) for frame in shown]
    (image,) = imload(path)
    assert image.shape[0] == len(truth) >= 39

    order = random.Random(5).sample(range(len(truth)), len(truth))
    found = {i: number_of(image.array[i][:64, :160]) for i in order}
    assert [found[i] for i in range(len(truth))] == truth
    assert [number_of(frame[:64, :160]) for frame in np.asarray(image.array)] == truth


def test_every_suffix_is_tested_or_a_synonym() -> None:
    synonyms = {".m4v", ".264", ".265", ".mjpg", ".webm", ".dv", ".avc", ".h265", ".mpv", ".qt"}
    synonyms |= {".f4v", ".3g2", ".divx", ".mpe", ".m2p", ".m2t"}
    assert set(codec.ALSO_OPENS) == synonyms | {suffix for suffix, _ in FILES}


def test_a_moving_camera_of_h263_is_not_a_sequence_of_key_frames(tmp_path: Path) -> None:
    options = ("-c:v", "h263", "-vf", "pad=352:288", "-g", "12", "-q:v", "3")
    path = make_numbered(tmp_path / "a.avi", *options, frames=30)
    (image,) = imload(path)
    assert image.array.read.index.key_packets.tolist() == [0, 12, 24]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        ("-c:v", "libvpx", "-auto-alt-ref", "0", "-b:v", "1M"),
        ("-c:v", "libvpx-vp9", "-lossless", "1"),
    ],
    ids=["vp8", "vp9"],
)
@pytest.mark.parametrize("is_gray", [True, False])
def test_transparency_is_read(options: Sequence[str], is_gray: bool, tmp_path: Path) -> None:
    value = "r=99:g=99:b=99" if is_gray else "r=200:g=99:b=20"
    mask = ("-vf", f"format=rgba,geq={value}:a='if(lt(X,80),0,255)',format=yuva420p")
    path = make_numbered(tmp_path / "a.webm", *mask, *options, frames=8)
    (image,) = imload(path)
    assert image.shape == (8, 64, 160, 4)
    alpha = np.asarray(image.array[5])[..., 3]
    assert alpha[:, :72].max() < 30
    assert alpha[:, 88:].min() > 225


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_fourth_sample_of_zero_is_padding(alpha: int, tmp_path: Path) -> None:
    mask = ("-vf", f"format=rgba,geq=r=200:g='g(X,Y)':b=20:a={alpha},format=argb")
    path = make_numbered(tmp_path / "a.mov", *mask, "-c:v", "qtrle", frames=4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (image,) = imload(path)
    told = [str(w.message) for w in caught if issubclass(w.category, FerryWarning)]
    assert image.shape == (4, 64, 160, 4 if alpha else 3)
    assert len(told) == (0 if alpha else 1)
    assert all("taken as padding" in message for message in told)


def test_an_encrypted_video_is_refused(tmp_path: Path) -> None:
    key = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb")
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_kid", "a7" * 16)
    make_numbered(tmp_path / "a.mp4", *H264, *scheme, *key, frames=4)
    with pytest.raises(UnreadableFileError, match=r"a\.mp4 is encrypted: save it without copy"):
        imload(tmp_path / "a.mp4")
